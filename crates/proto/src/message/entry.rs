//! SearchResultEntry (RFC 4511 section 4.5.2).

use super::modify::write_attribute;
use super::scan::Scanned;
use crate::ber::{Error, Reader, Tag, Writer};
use crate::{Dn, DnError};
use bytes::{Buf, Bytes};
use std::fmt;

/// An entry as a search yields it: one refcounted piece of the frame it came in.
///
/// The piece is checked whole when it is read, and walked again on access, so that reading allocates nothing, a clone
/// is a reference count, and no accessor can fail. Names of attributes compare without regard to case.
///
/// ```
/// use ldapgate_proto::Entry;
///
/// let entry = Entry::builder("uid=ada,dc=example,dc=com")
///     .attribute("mail", ["ada@example.com", "lovelace@example.com"])
///     .attribute("cn;lang-en", ["Ada"])
///     .build();
/// assert_eq!(entry.text("MAIL"), Some("ada@example.com"));
/// assert_eq!(entry.values("mail").count(), 2);
/// assert!(!entry.has("cn"), "options belong to the name");
/// ```
#[derive(Clone)]
pub struct Entry {
    /// The content of the SearchResultEntry: objectName and attributes.
    content: Bytes,
    /// Where in `content` the first attribute starts.
    attributes: usize,
    /// Where in `content` the last attribute ends.
    end: usize,
}

/// One attribute of an [`Entry`], borrowed from it.
#[derive(Clone, Copy)]
pub struct Attribute<'e> {
    name: &'e str,
    values: Contents<'e>,
}

/// The contents of elements one after the other, which were checked when the entry was read.
#[derive(Clone, Copy)]
struct Contents<'e>(&'e [u8]);

/// Puts an [`Entry`] together.
#[derive(Debug)]
#[must_use]
pub struct EntryBuilder {
    dn: String,
    attributes: Writer,
}

impl Entry {
    /// Starts an entry with this name.
    pub fn builder(dn: impl Into<String>) -> EntryBuilder {
        EntryBuilder { dn: dn.into(), attributes: Writer::new() }
    }

    /// The name as the server wrote it.
    pub fn dn(&self) -> &str {
        let name = Contents(&self.content).next().unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// The name as a value. It is parsed here and not when the entry is read: an odd name must not end a search.
    ///
    /// # Errors
    ///
    /// When the server's name is not of RFC 4514.
    pub fn parse_dn(&self) -> Result<Dn, DnError> {
        Dn::parse(self.dn())
    }

    /// Every attribute, in the server's order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        let list = self.content.get(self.attributes..self.end).unwrap_or_default();
        Contents(list).map_while(Attribute::of)
    }

    /// The first attribute of this name, whose options must be the same in any order.
    pub fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        self.attributes().find(|attribute| same_description(attribute.name, name))
    }

    /// The values of an attribute, in the server's order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.attribute(name).into_iter().flat_map(|attribute| attribute.values())
    }

    /// The values of an attribute that are UTF-8.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name).filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of an attribute.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// The first value of an attribute that is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// Is there such an attribute, with or without values?
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// A copy in memory of its own. An entry otherwise keeps the whole read buffer alive that it came in.
    pub fn compact(&self) -> Entry {
        Entry { content: Bytes::copy_from_slice(&self.content), ..*self }
    }

    /// How many bytes it takes on the wire.
    pub fn size(&self) -> usize {
        self.content.len()
    }

    pub(crate) fn read(reader: &Reader<'_>) -> Result<Entry, Error> {
        let mut content = *reader;
        let start = content.offset();
        content.text(Tag::OCTETS, "entry's name")?;
        let mut list = content.enter(Tag::SEQUENCE)?;
        let attributes = list.offset() - start;
        while !list.is_empty() {
            let mut attribute = list.enter(Tag::SEQUENCE)?;
            attribute.text(Tag::OCTETS, "attribute")?;
            let mut values = attribute.enter(Tag::SET)?;
            while !values.is_empty() {
                values.octets(Tag::OCTETS)?;
            }
        }
        Ok(Entry { content: reader.rest_shared(), attributes, end: list.offset() - start })
    }

    /// The entry of a whole message that was scanned. The frame is cut down to it, so that its memory is counted once.
    pub(crate) fn scanned(mut frame: Bytes, scanned: &Scanned) -> Entry {
        frame.truncate(scanned.end);
        frame.advance(scanned.start);
        Entry {
            attributes: scanned.attributes - scanned.start,
            end: scanned.end - scanned.start,
            content: frame,
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.raw(&self.content);
    }
}

impl<'e> Attribute<'e> {
    /// The name with its options.
    pub fn name(&self) -> &'e str {
        self.name
    }

    /// The values in the server's order; none when only names were asked for.
    pub fn values(&self) -> impl Iterator<Item = &'e [u8]> + use<'e> {
        self.values
    }

    /// The values that are UTF-8.
    pub fn texts(&self) -> impl Iterator<Item = &'e str> + use<'e> {
        self.values().filter_map(|value| std::str::from_utf8(value).ok())
    }

    fn of(content: &'e [u8]) -> Option<Attribute<'e>> {
        let mut parts = Contents(content);
        let name = std::str::from_utf8(parts.next()?).ok()?;
        Some(Attribute { name, values: Contents(parts.next()?) })
    }
}

impl<'e> Iterator for Contents<'e> {
    type Item = &'e [u8];

    #[inline]
    fn next(&mut self) -> Option<&'e [u8]> {
        let (length, rest) = match *self.0 {
            [_, length @ 0..=0x7f, ref rest @ ..] => (usize::from(length), rest),
            [_, octets, ref rest @ ..] => long_length(octets, rest)?,
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}

/// A length of more than one octet, and what follows it (X.690 section 8.1.3.5).
fn long_length(octets: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = rest.split_at_checked(usize::from(octets & 0x7f))?;
    let length = length.iter().fold(0_u64, |length, &octet| length << 8 | u64::from(octet));
    Some((usize::try_from(length).ok()?, rest))
}

impl EntryBuilder {
    /// Adds an attribute with its values.
    pub fn attribute<V: AsRef<[u8]>>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        write_attribute(name, values, &mut self.attributes);
        self
    }

    /// The entry.
    pub fn build(self) -> Entry {
        let mut writer = Writer::new();
        writer.octets(Tag::OCTETS, &self.dn);
        let list = self.attributes.finish();
        writer.octets(Tag::SEQUENCE, &list);
        let content = writer.finish();
        Entry { attributes: content.len() - list.len(), end: content.len(), content }
    }
}

/// Are two attribute descriptions the same (RFC 4512 section 2.5)? Case and the order of options do not matter.
pub(crate) fn same_description(one: &str, other: &str) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let (Some((my_type, mine)), Some((their_type, theirs))) = (one.split_once(';'), other.split_once(';'))
    else {
        return false;
    };
    my_type.eq_ignore_ascii_case(their_type) && includes(mine, theirs) && includes(theirs, mine)
}

fn includes(options: &str, wanted: &str) -> bool {
    wanted.split(';').all(|wanted| options.split(';').any(|option| option.eq_ignore_ascii_case(wanted)))
}

/// The same name as text, and the same attributes and values in the same order.
impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.dn() == other.dn() && self.attributes().eq(other.attributes())
    }
}

impl Eq for Entry {}

impl PartialEq for Attribute<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.values().eq(other.values())
    }
}

impl Eq for Attribute<'_> {}

/// Names and counts, because values can be secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?} ", self.dn())?;
        f.debug_list().entries(self.attributes()).finish()?;
        f.write_str(")")
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.values().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Entry {
        Entry::builder("uid=ada")
            .attribute("cn;lang-en;x-a", ["Ada"])
            .attribute("photo", [&[0xff_u8, 0xd8][..], b"text"])
            .attribute("empty", [""; 0])
            .build()
    }

    #[test]
    fn options_are_part_of_the_name_in_any_order() {
        assert_eq!(ada().text("CN;X-A;LANG-EN"), Some("Ada"));
        assert!(!ada().has("cn"));
        assert!(!ada().has("cn;lang-en;x-b"));
        assert!(!same_description("cn;a;a", "cn;a;b"));
        assert!(!same_description("cn;a;b", "cn;a;a"));
    }

    #[test]
    fn values_that_are_not_text_are_skipped_by_texts_only() {
        assert_eq!(ada().values("photo").count(), 2);
        assert_eq!(ada().texts("photo").collect::<Vec<_>>(), ["text"]);
        assert_eq!(ada().first("photo"), Some(&[0xff, 0xd8][..]));
        assert_eq!(ada().text("photo"), Some("text"));
    }

    #[test]
    fn an_attribute_without_values_is_there() {
        assert!(ada().has("empty"));
        assert_eq!(ada().first("empty"), None);
    }

    #[test]
    fn a_long_entry_has_all_its_attributes() {
        let long = "x".repeat(70_000);
        let entry = Entry::builder("cn=x").attribute("description", [&long]).attribute("sn", ["x"]).build();
        assert_eq!(entry.text("description"), Some(&long[..]));
        assert_eq!(entry.text("sn"), Some("x"));
        assert_eq!(entry.compact(), entry);
    }

    #[test]
    fn debug_tells_no_values() {
        assert_eq!(format!("{:?}", ada()), r#"Entry("uid=ada" [cn;lang-en;x-a(1), photo(2), empty(0)])"#);
    }
}
