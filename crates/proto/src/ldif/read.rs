//! Text to records.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::{LdifError, LdifErrorKind as Kind, MAX_VALUE, MAX_VALUES, Record};
use crate::filter::is_attribute_description;

/// Padding may be missing, as some tools leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads content records.
pub fn parse(text: &[u8]) -> Records<'_> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    Records { lines: Lines { rest: text, number: 0 }, started: false }
}

/// The records of a file. Behind a broken record the next one follows, so several errors can come.
#[derive(Debug, Clone)]
pub struct Records<'t> {
    lines: Lines<'t>,
    started: bool,
}

impl Iterator for Records<'_> {
    type Item = Result<Record, LdifError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.first_line()?;
        let record = first.and_then(|first| self.record(&first));
        if record.is_err() {
            self.lines.skip_record();
        }
        Some(record)
    }
}

impl<'t> Records<'t> {
    /// The first line of the next record, behind empty lines and the file's version.
    fn first_line(&mut self) -> Option<Result<Line<'t>, LdifError>> {
        loop {
            let line = match self.lines.next()? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            if line.is_empty() {
                continue;
            }
            let version =
                !self.started && line.text.len() >= 8 && line.text[..8].eq_ignore_ascii_case(b"version:");
            self.started = true;
            if !version {
                return Some(Ok(line));
            }
            if line.text[8..].trim_ascii() != b"1" {
                return Some(Err(line.error(Kind::Version)));
            }
        }
    }

    fn record(&mut self, first: &Line<'_>) -> Result<Record, LdifError> {
        let (name, dn) = first.pair()?;
        if !name.eq_ignore_ascii_case("dn") {
            return Err(first.error(Kind::Dn));
        }
        let dn = String::from_utf8(dn.into_owned()).map_err(|_| first.error(Kind::NotUtf8))?;
        let mut record = Record { dn, attributes: Vec::new(), line: first.number };
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut count = 0;
        while let Some(line) = self.lines.next() {
            let line = line?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.pair()?;
            match name.to_ascii_lowercase().as_str() {
                "dn" => return Err(line.error(Kind::SecondDn)),
                "changetype" | "control" => return Err(line.error(Kind::Change)),
                _ if !is_attribute_description(&name) => return Err(line.error(Kind::Attribute(name))),
                _ => {}
            }
            count += 1;
            if count > MAX_VALUES {
                return Err(line.error(Kind::TooMany));
            }
            let value = Bytes::from(value.into_owned());
            let place = *places.entry(name.to_ascii_lowercase()).or_insert(record.attributes.len());
            match record.attributes.get_mut(place) {
                Some((_, values)) => values.push(value),
                None => record.attributes.push((name, vec![value])),
            }
        }
        Ok(record)
    }
}

/// The lines of a file, unfolded and without comments.
#[derive(Debug, Clone)]
struct Lines<'t> {
    rest: &'t [u8],
    number: usize,
}

/// One line, unfolded, and where it starts.
#[derive(Debug)]
struct Line<'t> {
    text: Cow<'t, [u8]>,
    number: usize,
}

impl<'t> Lines<'t> {
    fn next(&mut self) -> Option<Result<Line<'t>, LdifError>> {
        loop {
            let mut line = Line { text: Cow::Borrowed(self.physical()?), number: self.number };
            if line.text.starts_with(b" ") {
                return Some(Err(line.error(Kind::Continuation)));
            }
            if line.is_empty() {
                return Some(Ok(line));
            }
            while self.rest.first() == Some(&b' ') {
                let more = self.physical().unwrap_or_default();
                line.text.to_mut().extend_from_slice(&more[1..]);
            }
            if !line.text.starts_with(b"#") {
                return Some(Ok(line));
            }
        }
    }

    /// The next line as it stands in the file.
    fn physical(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Goes on behind the next empty line.
    fn skip_record(&mut self) {
        while self.physical().is_some_and(|line| !line.is_empty()) {}
    }
}

impl Line<'_> {
    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The name before the colon, and the decoded value.
    fn pair(&self) -> Result<(String, Cow<'_, [u8]>), LdifError> {
        let colon = self.text.iter().position(|byte| *byte == b':').ok_or(self.error(Kind::Colon))?;
        let name = String::from_utf8_lossy(&self.text[..colon]).into_owned();
        let value = &self.text[colon + 1..];
        let value = match value.first() {
            Some(b':') => {
                let encoded = value[1..].trim_ascii();
                let decoded = BASE64.decode(encoded).map_err(|_| self.error(Kind::Base64(name.clone())))?;
                Cow::Owned(decoded)
            }
            Some(b'<') => return Err(self.error(Kind::Url(name))),
            _ if value.contains(&0) => return Err(self.error(Kind::Nul)),
            // Only spaces are filling (RFC 2849); a tab would belong to the value.
            _ => Cow::Borrowed(&value[value.iter().take_while(|byte| **byte == b' ').count()..]),
        };
        if value.len() > MAX_VALUE {
            return Err(self.error(Kind::TooLong));
        }
        Ok((name, value))
    }

    fn error(&self, kind: Kind) -> LdifError {
        LdifError::new(kind, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<Result<Record, LdifError>> {
        parse(text.as_bytes()).collect()
    }

    fn only(text: &str) -> Record {
        let mut records = records(text);
        assert_eq!(records.len(), 1, "{text}");
        records.remove(0).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn values<'r>(record: &'r Record, name: &str) -> Vec<&'r [u8]> {
        let found = record.attributes.iter().find(|(found, _)| found == name);
        found.map(|(_, values)| values.iter().map(|value| &value[..]).collect()).unwrap_or_default()
    }

    #[test]
    fn records_are_read_with_their_lines() {
        let text = "\u{feff}version: 1\r\n\r\n# a comment\r\n  that is folded\r\ndn: dc=x\r\ndc: x\r\n\r\n\r\n\
                    dn:: ZGM9eSxkYz14\r\nDC: y\r\ndc:z";
        let found: Vec<_> = records(text).into_iter().map(|record| record.expect("a record")).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].dn.as_str(), found[0].line), ("dc=x", 5));
        assert_eq!((found[1].dn.as_str(), found[1].line), ("dc=y,dc=x", 9));
        assert_eq!(values(&found[1], "DC"), [b"y", b"z"]);
    }

    #[test]
    fn values_are_read_as_the_rfc_writes_them() {
        let record = only(
            "dn: cn=x\na: plain\na:no space\na:   three spaces\na:\na: \nb:: \nb:: AP8=\nb:: AP8\nb:: A\n P8=\n\
             c: fol\n ded \n  twice\nd: a:b<c #d\ne;lang-de: ü\nf: trailing \ng: \ttab\n",
        );
        assert_eq!(values(&record, "a"), [&b"plain"[..], b"no space", b"three spaces", b"", b""]);
        assert_eq!(values(&record, "b"), [&b""[..], b"\0\xff", b"\0\xff", b"\0\xff"]);
        assert_eq!(values(&record, "c"), [b"folded  twice"]);
        assert_eq!(values(&record, "d"), [b"a:b<c #d"]);
        assert_eq!(values(&record, "e;lang-de"), ["ü".as_bytes()]);
        assert_eq!(values(&record, "f"), [b"trailing "]);
        assert_eq!(values(&record, "g"), [b"\ttab"]);
    }

    #[test]
    fn an_empty_file_has_no_records() {
        for text in ["", "\n\n", "version: 1\n", "# nothing\n", "\r\n"] {
            assert!(records(text).is_empty(), "{text:?}");
        }
        assert_eq!(only("dn:\n").dn, "");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, kind, line) in [
            ("version: 2\n", Kind::Version, 1),
            ("cn: x\n", Kind::Dn, 1),
            ("\n\ndn: cn=x\ncn: x\ndn: cn=y\n", Kind::SecondDn, 5),
            ("dn: cn=x\nchangetype: delete\n", Kind::Change, 2),
            ("dn: cn=x\ncontrol: 1.2.3\n", Kind::Change, 2),
            (" dn: cn=x\n", Kind::Continuation, 1),
            ("dn: cn=x\ncn x\n", Kind::Colon, 2),
            ("dn: cn=x\na\n b\n:c\n", Kind::Colon, 2),
            ("dn: cn=x\n:c\n", Kind::Attribute(String::new()), 2),
            ("dn: cn=x\nc n: x\n", Kind::Attribute("c n".to_owned()), 2),
            ("dn: cn=x\n\ta: x\n", Kind::Attribute("\ta".to_owned()), 2),
            ("dn: cn=x\ncn:: !\n", Kind::Base64("cn".to_owned()), 2),
            ("dn: cn=x\ncn:: AB C=\n", Kind::Base64("cn".to_owned()), 2),
            ("dn: cn=x\njpegPhoto:< file:///etc/passwd\n", Kind::Url("jpegPhoto".to_owned()), 2),
            ("dn:< file:///etc/passwd\n", Kind::Url("dn".to_owned()), 1),
            ("dn:: /w==\n", Kind::NotUtf8, 1),
            ("dn: cn=x\ncn: a\0b\n", Kind::Nul, 2),
        ] {
            let first = records(text).into_iter().find_map(Result::err).expect(text);
            assert_eq!(first, LdifError::new(kind, line), "{text}");
        }
    }

    #[test]
    fn all_errors_of_a_file_are_told_and_whole_records_are_read() {
        let text =
            "dn: cn=a\nbad\ncn: a\n\ndn: cn=b\ncn: b\n\n cn: c\n\ndn: cn=d\nchangetype: add\n\ndn: cn=e\n";
        let found = records(text);
        let errors: Vec<_> =
            found.iter().filter_map(|record| record.as_ref().err()).map(LdifError::line).collect();
        assert_eq!(errors, [2, 8, 11]);
        let names: Vec<_> = found.iter().flatten().map(|record| record.dn.as_str()).collect();
        assert_eq!(names, ["cn=b", "cn=e"]);
    }

    #[test]
    fn a_value_is_limited() {
        let text = format!("dn: cn=x\ncn: {}\n", "x".repeat(MAX_VALUE + 1));
        assert_eq!(records(&text).remove(0).expect_err("too long").kind(), &Kind::TooLong);
    }
}
