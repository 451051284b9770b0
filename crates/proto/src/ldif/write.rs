//! Records to text, byte for byte as `ldapsearch -LLL` writes them.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Record;
use crate::Entry;

/// Columns of a line, as `ldapsearch` has it.
const COLUMNS: usize = 78;
/// Memory that is kept from one record to the next, in bytes.
const KEPT: usize = 64 * 1024;

/// Writes content records as `ldapsearch -LLL` does: lines folded at 78 columns, and base64 for what is not printable
/// ASCII, for what starts with a space, `:` or `<` or ends with a space, and for every `userPassword`.
///
/// A server chooses the names of attributes too. What no name can have, a line's end first of all, is written as a
/// question mark, as is the first letter of an attribute called `changetype`: what is printed never reads as another
/// record, or as an order.
pub struct Writer<W> {
    pub(super) out: W,
    wrap: Option<usize>,
    /// The record so far, and one line of it before it is folded.
    record: Vec<u8>,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Folds at 78 columns.
    pub fn new(out: W) -> Self {
        Writer { out, wrap: Some(COLUMNS), record: Vec::new(), line: Vec::new() }
    }

    /// Folds at another width (at least 2 columns), or never.
    #[must_use]
    pub fn wrap(self, columns: Option<usize>) -> Self {
        Writer { wrap: columns.map(|columns| columns.max(2)), ..self }
    }

    /// Writes one entry and the empty line after it. An attribute without values, as a search for types only yields it,
    /// is its name and a colon.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.add_value("dn", entry.dn().as_bytes());
        for attribute in entry.attributes() {
            let mut values = attribute.values().peekable();
            if values.peek().is_none() {
                self.add_value(attribute.name(), b"");
            }
            for value in values {
                self.add_value(attribute.name(), value);
            }
        }
        self.end()
    }

    /// Writes one record and the empty line after it.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub fn record(&mut self, record: &Record) -> io::Result<()> {
        self.add_value("dn", record.dn.as_bytes());
        for (name, values) in &record.attributes {
            if values.is_empty() {
                self.add_value(name, b"");
            }
            for value in values {
                self.add_value(name, value);
            }
        }
        self.end()
    }

    /// Writes where a search goes on, as comments (`# refldap://...`), and the empty line after them.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub fn reference(&mut self, urls: &[impl AsRef<str>]) -> io::Result<()> {
        for url in urls {
            self.add_comment(&format!("ref{}", url.as_ref()));
        }
        self.end()
    }

    /// Adds one line, folded and in base64 where it has to be. It is kept until [`write`](Writer::write).
    pub fn add_value(&mut self, name: &str, value: &[u8]) {
        self.add_line(&harmless(name), value);
    }

    /// The same under a name that is known to be one.
    fn add_line(&mut self, name: &str, value: &[u8]) {
        let (record, plain) = (&mut self.record, is_plain(name, value));
        if plain && self.wrap.is_none_or(|columns| name.len() + 2 + value.len() <= columns) {
            for part in [name.as_bytes(), b": ", value, b"\n"] {
                record.extend_from_slice(part);
            }
            return;
        }
        let line = &mut self.line;
        line.clear();
        line.extend_from_slice(name.as_bytes());
        line.push(b':');
        if value.is_empty() {
            // Nothing behind the colon, not even a space.
        } else if plain {
            line.push(b' ');
            line.extend_from_slice(value);
        } else {
            line.extend_from_slice(b": ");
            encode(value, line);
        }
        fold(line, self.wrap, record);
    }

    /// Adds a value that stands elsewhere: `name:< url`.
    pub fn add_location(&mut self, name: &str, url: &str) {
        self.line.clear();
        for part in [harmless(name).as_bytes(), b":< "] {
            self.line.extend_from_slice(part);
        }
        say(url, &mut self.line);
        fold(&self.line, self.wrap, &mut self.record);
    }

    /// Adds a comment. What would end its line is written as a question mark.
    pub fn add_comment(&mut self, text: &str) {
        self.line.clear();
        self.line.extend_from_slice(if text.is_empty() { b"#" } else { b"# " });
        say(text, &mut self.line);
        // Comments are folded one column later than values.
        fold(&self.line, self.wrap.map(|columns| columns + 1), &mut self.record);
    }

    /// Adds a line for people, whatever its text: folded, but never in base64. What would end it is written as a question
    /// mark.
    pub fn add_plain(&mut self, name: &str, text: &str) {
        self.line.clear();
        self.line.extend_from_slice(harmless(name).as_bytes());
        self.line.extend_from_slice(b": ");
        say(text, &mut self.line);
        fold(&self.line, self.wrap.map(|columns| columns + 1), &mut self.record);
    }

    /// Adds text of the caller's as it is.
    pub fn add_text(&mut self, text: &str) {
        self.record.extend_from_slice(text.as_bytes());
    }

    /// Writes what was added, at once.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub fn write(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.record);
        self.record.clear();
        self.record.shrink_to(KEPT);
        self.line.shrink_to(KEPT);
        written
    }

    /// Where it writes to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Gives the output back.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Writes one line of a change, whose names were checked.
    pub(super) fn line(&mut self, name: &str, value: &[u8]) -> io::Result<()> {
        self.add_line(name, value);
        self.write()
    }

    fn end(&mut self) -> io::Result<()> {
        self.record.push(b'\n');
        self.write()
    }
}

/// The name itself, as nearly every one is. More bytes are left alone than RFC 4512 section 2.5 lets an attribute
/// description have, for servers have names of their own; only those that mean something else in a file are not.
fn harmless(name: &str) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b':' | b'#');
    let is_order = name.eq_ignore_ascii_case("changetype");
    if !is_order && !name.is_empty() && name.bytes().all(fits) {
        return Cow::Borrowed(name);
    }
    let mark = |letter: char| if u8::try_from(letter).is_ok_and(fits) { letter } else { '?' };
    let letters = name.chars().map(mark).skip(usize::from(is_order));
    Cow::Owned(
        is_order.then_some('?').into_iter().chain(letters).chain(name.is_empty().then_some('?')).collect(),
    )
}

/// Adds base64 to a line.
fn encode(value: &[u8], line: &mut Vec<u8>) {
    let start = line.len();
    line.resize(start + value.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(value, &mut line[start..]).unwrap_or_default();
    line.truncate(start + written);
}

fn fold(line: &[u8], columns: Option<usize>, out: &mut Vec<u8>) {
    let (mut head, mut rest) = line.split_at(columns.unwrap_or(line.len()).min(line.len()));
    loop {
        out.extend_from_slice(head);
        out.push(b'\n');
        if rest.is_empty() {
            return;
        }
        out.push(b' ');
        let columns = columns.unwrap_or(rest.len() + 1) - 1;
        (head, rest) = rest.split_at(columns.min(rest.len()));
    }
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("wrap", &self.wrap).finish_non_exhaustive()
    }
}

pub(super) fn base64(value: &[u8]) -> String {
    STANDARD.encode(value)
}

/// Text for people, in which no control character, those of C1 among them, ends a line or commands a terminal.
fn say(text: &str, line: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    for c in text.chars() {
        let c = if c.is_control() { '?' } else { c };
        line.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
}

/// May the value stand as it is?
fn is_plain(name: &str, value: &[u8]) -> bool {
    let secret = || name.eq_ignore_ascii_case("userPassword") || name == "2.5.4.35";
    let starts = value.first().is_some_and(|byte| byte.is_ascii_graphic() && !matches!(byte, b':' | b'<'));
    let ends = value.last().is_some_and(u8::is_ascii_graphic);
    let printable = || value.iter().all(|byte| (b' '..=b'~').contains(byte));
    starts && ends && !secret() && !name.contains(";binary") && printable()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    /// Written by ldapsearch 2.5: lines of every length around the fold, as text and as base64, and every kind of odd
    /// value.
    const FOLDED: &[u8] = include_bytes!("fixtures/ldapsearch.ldif");
    const UNFOLDED: &[u8] = include_bytes!("fixtures/ldapsearch-nowrap.ldif");
    const WIDE: &[u8] = include_bytes!("fixtures/ldapsearch-wrap100.ldif");
    const TYPES_ONLY: &[u8] = include_bytes!("fixtures/ldapsearch-types.ldif");

    fn rewritten(text: &[u8], wrap: Option<usize>) -> String {
        let mut writer = Writer::new(Vec::new()).wrap(wrap);
        let mut as_entries = Writer::new(Vec::new()).wrap(wrap);
        for record in parse(text) {
            let record = record.unwrap();
            writer.record(&record).unwrap();
            as_entries.entry(&record.to_entry()).unwrap();
        }
        let written = writer.into_inner();
        assert_eq!(written, as_entries.into_inner());
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn what_ldapsearch_wrote_is_written_byte_for_byte() {
        assert_eq!(parse(FOLDED).count(), 5);
        for (text, wrap) in [(FOLDED, Some(78)), (UNFOLDED, None), (WIDE, Some(100)), (TYPES_ONLY, Some(78))]
        {
            assert_eq!(rewritten(text, wrap), String::from_utf8_lossy(text), "{wrap:?}");
        }
        assert_eq!(rewritten(FOLDED, None).as_bytes(), UNFOLDED);
    }

    #[test]
    fn references_are_comments_folded_one_column_later() {
        let mut writer = Writer::new(Vec::new());
        let long = "ldap://third.example.com/ou=a%20very%20long%20name%20for%20an%20organizational%20unit%20away,\
                    dc=example,dc=com??sub";
        writer.reference(&["ldap://other.example.com/ou=away,dc=example,dc=com??sub", long]).unwrap();
        let expected = "# refldap://other.example.com/ou=away,dc=example,dc=com??sub\n\
             # refldap://third.example.com/ou=a%20very%20long%20name%20for%20an%20organizati\n \
             onal%20unit%20away,dc=example,dc=com??sub\n\n";
        assert_eq!(String::from_utf8(writer.into_inner()).unwrap(), expected);
        let mut writer = Writer::new(Vec::new());
        writer.reference(&["ldap://x\ndn: cn=evil"]).unwrap();
        assert_eq!(writer.into_inner(), b"# refldap://x?dn: cn=evil\n\n");
    }

    #[test]
    fn a_name_that_a_server_made_up_begins_no_line_and_no_record() {
        for (name, line) in [
            ("cn: x\n\ndn: cn=admin\nchangetype", "cn??x??dn??cn=admin?changetype: y\n"),
            ("a\u{1b}]0;owned\u{7}", "a?]0;owned?: y\n"),
            ("a\u{9b}2J\r", "a?2J?: y\n"),
            ("#a", "?a: y\n"),
            ("", "?: y\n"),
            ("ChangeType", "?hangeType: y\n"),
            ("member;range=0-1499", "member;range=0-1499: y\n"),
            ("my_own.name", "my_own.name: y\n"),
        ] {
            let mut writer = Writer::new(Vec::new());
            writer.add_value(name, b"y");
            writer.write().unwrap();
            assert_eq!(String::from_utf8(writer.into_inner()).unwrap(), line);
            let mut writer = Writer::new(Vec::new());
            writer.add_location(name, "y");
            writer.add_plain(name, "y");
            writer.write().unwrap();
            let expected = line.replace(": y", ":< y") + line;
            assert_eq!(String::from_utf8(writer.into_inner()).unwrap(), expected);
        }
        let entry = Entry::builder("cn=m").attribute("x\n\ndn: cn=admin\nx", ["y"]).build();
        let mut written = Writer::new(Vec::new());
        written.entry(&entry).unwrap();
        let record = Record {
            dn: "cn=m".into(),
            attributes: vec![("x\n\ndn: cn=admin\nx".into(), vec!["y".into()])],
            line: 1,
        };
        written.record(&record).unwrap();
        let text = "dn: cn=m\nx??dn??cn=admin?x: y\n\n";
        assert_eq!(String::from_utf8(written.into_inner()).unwrap(), text.repeat(2));
        assert_eq!(entry.to_ldif(), text);
    }

    #[test]
    fn comments_and_plain_lines_command_no_terminal() {
        let mut writer = Writer::new(Vec::new());
        writer.add_comment("a\u{9b}31m\u{1b}[0m\n\u{e4}");
        writer.add_plain("ufn", "a\u{9b}31m\r");
        writer.write().unwrap();
        assert_eq!(writer.into_inner(), "# a?31m?[0m?\u{e4}\nufn: a?31m?\n".as_bytes());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            dn in "\\PC{0,40}",
            attributes in proptest::collection::btree_map(
                "[a-z][a-z0-9-]{0,8}(;[a-z]{1,8})?",
                proptest::collection::vec(
                    proptest::collection::vec(prop_oneof![any::<u8>(), b' '..b'~', Just(b' ')], 0..200),
                    1..4,
                ),
                0..4,
            ),
            wrap in proptest::option::of(2_usize..120),
        ) {
            let reserved = ["dn", "changetype", "control"];
            let attributes: Vec<(String, Vec<Bytes>)> = attributes
                .into_iter()
                .filter(|(name, _)| !reserved.contains(&name.as_str()))
                .map(|(name, values)| (name, values.into_iter().map(Bytes::from).collect()))
                .collect();
            let record = Record { dn, attributes, line: 1 };
            let mut writer = Writer::new(Vec::new()).wrap(wrap);
            writer.record(&record).unwrap();
            let written = writer.into_inner();
            let read = parse(&written).collect::<Result<Vec<_>, _>>();
            prop_assert_eq!(read, Ok(vec![record]));
        }

        #[test]
        fn no_bytes_panic(text in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b':'), Just(b' ')], 0..200)) {
            parse(&text).for_each(drop);
        }
    }
}
