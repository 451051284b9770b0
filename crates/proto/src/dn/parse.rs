//! Text to names, byte by byte, without recursion.

use super::attribute::{is_attribute_type, is_name_byte, keep};
use super::rdn::{Ava, Avas, Rdn};
use super::{DnError, DnErrorKind as Kind, MAX_LENGTH, MAX_PARTS};
use crate::Bytes;
use crate::ber::{Reader, Tag};
use std::borrow::Cow;

/// Reads a name part by part: `each` gets the byte at which an RDN starts, and the RDN.
pub(super) fn dn(text: &str, mut each: impl FnMut(usize, Rdn)) -> Result<(), DnError> {
    if text.len() > MAX_LENGTH {
        return Err(DnError::new(Kind::TooLong, MAX_LENGTH));
    }
    if text.is_empty() {
        return Ok(());
    }
    let mut parser = Parser { text, at: 0 };
    for _ in 0..MAX_PARTS {
        parser.skip_spaces();
        let start = parser.at;
        each(start, parser.rdn()?);
        if parser.peek().is_none() {
            return Ok(());
        }
        // A value ends at a separator or at the end, and `+` belongs to the RDN.
        parser.at += 1;
    }
    parser.skip_spaces();
    parser.fail(Kind::TooManyParts)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rdn(&mut self) -> Result<Rdn, DnError> {
        let first = self.ava()?;
        if self.peek() != Some(b'+') {
            return Ok(Rdn(Avas::One([first])));
        }
        let mut avas = vec![first];
        while self.peek() == Some(b'+') {
            self.at += 1;
            self.skip_spaces();
            if avas.len() == MAX_PARTS {
                return self.fail(Kind::TooManyParts);
            }
            avas.push(self.ava()?);
        }
        Ok(Rdn(Avas::Several(avas)))
    }

    fn ava(&mut self) -> Result<Ava, DnError> {
        let attribute = self.attribute()?;
        self.skip_spaces();
        if self.peek() != Some(b'=') {
            return self.fail(Kind::Equals);
        }
        self.at += 1;
        self.skip_spaces();
        let (value, encoded) = match self.peek() {
            Some(b'#') => self.hex()?,
            Some(b'"') => (self.quoted()?, false),
            _ => (self.string()?, false),
        };
        Ok(Ava { attribute, value, encoded })
    }

    fn attribute(&mut self) -> Result<Cow<'static, str>, DnError> {
        // RFC 2253 wrote numbers this way.
        let prefix = self.bytes().get(self.at..self.at + 4);
        if prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"oid.")) {
            self.at += 4;
        }
        let start = self.at;
        while self.peek().is_some_and(|byte| is_name_byte(byte) || byte == b'.') {
            self.at += 1;
        }
        let attribute = &self.text[start..self.at];
        if !is_attribute_type(attribute) {
            return Err(DnError::new(Kind::Attribute, start));
        }
        Ok(keep(attribute))
    }

    /// A value as RFC 4514 writes it, up to the next separator. Spaces at its end are left out unless escaped.
    fn string(&mut self) -> Result<Vec<u8>, DnError> {
        let rest = &self.bytes()[self.at..];
        let end = rest.iter().position(|byte| ends(*byte) || is_special(*byte)).unwrap_or(rest.len());
        let mut value = Vec::with_capacity(end);
        if rest.get(end).is_none_or(|byte| ends(*byte)) {
            // Nothing is escaped, as is usual.
            self.at += end;
            let spaces = rest[..end].iter().rev().take_while(|byte| **byte == b' ').count();
            value.extend_from_slice(&rest[..end - spaces]);
            return Ok(value);
        }
        let mut keep = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b',' | b';' | b'+' => break,
                b'\\' => {
                    value.push(self.escape()?);
                    keep = value.len();
                    continue;
                }
                b'"' | b'<' | b'>' | 0 => return self.fail(Kind::Special(char::from(byte))),
                b' ' => value.push(b' '),
                byte => {
                    value.push(byte);
                    keep = value.len();
                }
            }
            self.at += 1;
        }
        value.truncate(keep);
        Ok(value)
    }

    /// A value in quotes, as RFC 2253 still read it.
    fn quoted(&mut self) -> Result<Vec<u8>, DnError> {
        let start = self.at;
        let mut value = Vec::new();
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(DnError::new(Kind::Quote, start)),
                Some(b'"') => break,
                Some(b'\\') => value.push(self.escape()?),
                Some(0) => return self.fail(Kind::Special('\0')),
                Some(byte) => {
                    value.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        self.end_of_value(Kind::Quote)?;
        Ok(value)
    }

    /// `#` and the hex of a BER element. Strings are decoded, so that they compare with strings.
    fn hex(&mut self) -> Result<(Vec<u8>, bool), DnError> {
        let start = self.at;
        let bad = DnError::new(Kind::Hex, start);
        self.at += 1;
        let mut ber = Vec::new();
        while self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
            ber.push(self.hex_pair().ok_or(bad)?);
        }
        self.end_of_value(Kind::Hex)?;
        let frame = Bytes::from(ber);
        let mut reader = Reader::new(&frame);
        let (tag, content) = reader.any().map_err(|_| bad)?;
        reader.finish().map_err(|_| bad)?;
        const UTF8_STRING: Tag = Tag(0x0c);
        const NUMERIC_STRING: Tag = Tag(0x12);
        const PRINTABLE_STRING: Tag = Tag(0x13);
        const IA5_STRING: Tag = Tag(0x16);
        match tag {
            Tag::OCTETS | UTF8_STRING | NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING => {
                Ok((content.rest().to_vec(), false))
            }
            _ => Ok((frame.to_vec(), true)),
        }
    }

    fn end_of_value(&mut self, kind: Kind) -> Result<(), DnError> {
        self.skip_spaces();
        match self.peek() {
            None | Some(b',' | b';' | b'+') => Ok(()),
            Some(_) => self.fail(kind),
        }
    }

    /// A backslash with a character or two hexadecimal digits.
    fn escape(&mut self) -> Result<u8, DnError> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(byte) if byte == b' ' || byte.is_ascii_punctuation() => {
                self.at += 1;
                Ok(byte)
            }
            _ => self.hex_pair().ok_or(DnError::new(Kind::Escape, start)),
        }
    }

    fn hex_pair(&mut self) -> Option<u8> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let pair = self.bytes().get(self.at..self.at + 2)?;
        let value = digit(&pair[0])? * 16 + digit(&pair[1])?;
        self.at += 2;
        u8::try_from(value).ok()
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    fn fail<T>(&self, kind: Kind) -> Result<T, DnError> {
        Err(DnError::new(kind, self.at))
    }
}

/// Does a value end before this?
fn ends(byte: u8) -> bool {
    matches!(byte, b',' | b';' | b'+')
}

/// Does this stand for something else in a value, or must not stand there?
fn is_special(byte: u8) -> bool {
    matches!(byte, b'\\' | b'"' | b'<' | b'>' | 0)
}

#[cfg(test)]
mod tests {
    use super::super::Dn;
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        let name = Dn::parse(text).expect(text);
        let avas = name.rdns().iter().flat_map(Rdn::avas);
        avas.map(|ava| (ava.attribute().to_owned(), ava.text().unwrap_or("?").to_owned())).collect()
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        for (text, expected) in [
            ("UID=jsmith,DC=example,DC=net", &[("UID", "jsmith"), ("DC", "example"), ("DC", "net")][..]),
            ("OU=Sales+CN=J.  Smith,DC=example", &[("OU", "Sales"), ("CN", "J.  Smith"), ("DC", "example")]),
            (r#"CN=James \"Jim\" Smith\, III,DC=net"#, &[("CN", "James \"Jim\" Smith, III"), ("DC", "net")]),
            (r"CN=Before\0dAfter,DC=net", &[("CN", "Before\rAfter"), ("DC", "net")]),
            ("1.3.6.1.4.1.1466.0=#04024869", &[("1.3.6.1.4.1.1466.0", "Hi")]),
            (r"CN=Lu\C4\8Di\C4\87", &[("CN", "Lučić")]),
            (r#"o="Sue, Grabbit and Runn" , c = GB "#, &[("o", "Sue, Grabbit and Runn"), ("c", "GB")]),
            (r"cn=a\ ,sn=", &[("cn", "a "), ("sn", "")]),
            ("cn=a=b#c", &[("cn", "a=b#c")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(values(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_told_with_its_place() {
        for (text, kind, offset) in [
            (" ", Kind::Attribute, 1),
            ("cn", Kind::Equals, 2),
            ("cn=a,", Kind::Attribute, 5),
            ("cn=a,,dc=b", Kind::Attribute, 5),
            (",cn=a", Kind::Attribute, 0),
            ("=a", Kind::Attribute, 0),
            ("cn=a+", Kind::Attribute, 5),
            ("1.2.=a", Kind::Attribute, 0),
            ("cn;lang-en=a", Kind::Equals, 2),
            (r"cn=a\", Kind::Escape, 4),
            (r"cn=a\g", Kind::Escape, 4),
            (r"cn=a\4", Kind::Escape, 4),
            ("cn=#", Kind::Hex, 3),
            ("cn=#0", Kind::Hex, 3),
            ("cn=#0405", Kind::Hex, 3),
            ("cn=#04004", Kind::Hex, 3),
            ("cn=#0400x", Kind::Hex, 8),
            (r#"cn="a"#, Kind::Quote, 3),
            (r#"cn="a"b"#, Kind::Quote, 6),
            (r#"cn=a"b"#, Kind::Special('"'), 4),
            ("cn=a<b", Kind::Special('<'), 4),
            ("cn=a\0", Kind::Special('\0'), 4),
            ("uid=ada@example.com,dc", Kind::Equals, 22),
        ] {
            let error = Dn::parse(text).expect_err(text);
            assert_eq!((error.kind(), error.offset()), (kind, offset), "{text}");
        }
    }

    #[test]
    fn size_and_number_of_parts_are_limited() {
        let long = format!("cn={}", "a".repeat(MAX_LENGTH));
        assert_eq!(Dn::parse(&long).expect_err("too long").kind(), Kind::TooLong);
        let many = vec!["a=b"; MAX_PARTS];
        assert!(Dn::parse(&many.join(",")).is_ok());
        assert!(Dn::parse(&many.join("+")).is_ok());
        for separator in [",", "+"] {
            let more = format!("{}{separator}a=b", many.join(separator));
            assert_eq!(Dn::parse(&more).expect_err("too many").kind(), Kind::TooManyParts);
        }
    }
}
