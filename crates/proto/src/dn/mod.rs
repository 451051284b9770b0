//! Distinguished names (RFC 4514).
//!
//! A [`Dn`] keeps the text it was made from and compares by its normal form: the case of types and their aliases
//! (`2.5.4.3`, `commonName` and `cn`), case and spaces of values, escapes, and the order inside of a multi-valued RDN do
//! not matter. That is `caseIgnoreMatch` (RFC 4517 section 4.2.11) for every attribute: a schema with case-sensitive
//! naming attributes would need more.
//!
//! Names are built from values, never by formatting strings:
//!
//! ```
//! use ldapgate_proto::{Dn, Rdn};
//!
//! let people = Dn::parse("ou=People,dc=example,dc=com")?;
//! let odd = people.child(Rdn::new("cn", "Lovelace, Ada +1")?);
//! assert_eq!(odd.as_str(), r"cn=Lovelace\, Ada \+1,ou=People,dc=example,dc=com");
//! assert!(odd.is_below(&people));
//! assert_eq!(odd, Dn::parse(r#"CN = "lovelace,  ada +1"; OU=people; DC=example; 0.9.2342.19200300.100.1.25=COM"#)?);
//! # Ok::<(), ldapgate_proto::DnError>(())
//! ```

mod attribute;
mod error;
mod parse;
pub(crate) mod prepare;
mod print;
mod rdn;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

pub(crate) use attribute::{canonical, is_attribute_type};
pub use error::{DnError, DnErrorKind};
pub use rdn::{Ava, Rdn};

/// The longest text that is parsed as a name, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;
/// How many RDNs a name that is parsed may have, and how many attributes one RDN.
pub const MAX_PARTS: usize = 1_000;
/// Room for the parts of most names.
const USUAL_PARTS: usize = 5;

/// A distinguished name, most specific part first. Clones share it.
#[derive(Clone)]
pub struct Dn(Arc<Name>);

#[derive(Default)]
struct Name {
    text: String,
    normalized: String,
    rdns: Vec<Rdn>,
    /// Where each RDN starts in `text` and in `normalized`.
    starts: Vec<(usize, usize)>,
}

impl Dn {
    /// Parses RFC 4514 text, and what RFC 2253 allowed besides: spaces around separators, `;` for `,`, quoted values
    /// and `OID.` before a numeric type.
    ///
    /// # Errors
    ///
    /// When the text is no name or exceeds [`MAX_LENGTH`] or [`MAX_PARTS`]; the error has the byte's offset.
    pub fn parse(text: &str) -> Result<Dn, DnError> {
        let mut name = Name {
            text: text.to_owned(),
            normalized: String::with_capacity(text.len()),
            rdns: Vec::with_capacity(USUAL_PARTS),
            starts: Vec::with_capacity(USUAL_PARTS),
        };
        parse::dn(text, |start, rdn| {
            if !name.normalized.is_empty() {
                name.normalized.push(',');
            }
            name.starts.push((start, name.normalized.len()));
            rdn.normalize(&mut name.normalized);
            name.rdns.push(rdn);
        })?;
        Ok(Dn(Arc::new(name)))
    }

    /// The empty name, which is the root DSE's.
    #[must_use]
    pub fn root() -> Dn {
        Dn(Arc::default())
    }

    /// Is this the empty name?
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.rdns.is_empty()
    }

    /// The parts, most specific first.
    #[must_use]
    pub fn rdns(&self) -> &[Rdn] {
        &self.0.rdns
    }

    /// The name above; `None` of the empty name.
    #[must_use]
    pub fn parent(&self) -> Option<Dn> {
        let above = self.0.starts.get(1..)?;
        let Some(&(in_text, in_normalized)) = above.first() else { return Some(Dn::root()) };
        Some(Dn(Arc::new(Name {
            text: self.0.text[in_text..].to_owned(),
            normalized: self.0.normalized[in_normalized..].to_owned(),
            rdns: self.0.rdns[1..].to_vec(),
            starts: above.iter().map(|(text, form)| (text - in_text, form - in_normalized)).collect(),
        })))
    }

    /// The name below.
    #[must_use]
    pub fn child(&self, rdn: Rdn) -> Dn {
        let (mut text, mut normalized) = (rdn.to_string(), String::new());
        rdn.normalize(&mut normalized);
        let mut starts = vec![(0, 0)];
        if !self.is_root() {
            text.push(',');
            normalized.push(',');
            let (in_text, in_normalized) = (text.len(), normalized.len());
            starts.extend(self.0.starts.iter().map(|(text, form)| (text + in_text, form + in_normalized)));
            text.push_str(&self.0.text);
            normalized.push_str(&self.0.normalized);
        }
        let rdns = std::iter::once(rdn).chain(self.0.rdns.iter().cloned()).collect();
        Dn(Arc::new(Name { text, normalized, rdns, starts }))
    }

    /// Does this name lie strictly below that one?
    #[must_use]
    pub fn is_below(&self, ancestor: &Dn) -> bool {
        self.0.rdns.len() > ancestor.0.rdns.len() && self.is_at_or_below(ancestor)
    }

    /// Is this name that one, or does it lie below?
    #[must_use]
    pub fn is_at_or_below(&self, ancestor: &Dn) -> bool {
        let Some(distance) = self.0.rdns.len().checked_sub(ancestor.0.rdns.len()) else { return false };
        // By RDN and never by the end of the text: `cn=a\,dc=b` is not below `dc=b`.
        match self.0.starts.get(distance) {
            Some(&(_, start)) => self.0.normalized[start..] == ancestor.0.normalized,
            None => true,
        }
    }

    /// The text as it was parsed, or as RFC 4514 writes what was built.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The form that comparisons use: a name by itself, equal to this one.
    #[must_use]
    pub fn normalized(&self) -> &str {
        &self.0.normalized
    }
}

impl FromStr for Dn {
    type Err = DnError;

    fn from_str(text: &str) -> Result<Self, DnError> {
        Dn::parse(text)
    }
}

impl AsRef<str> for Dn {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dn({:?})", self.as_str())
    }
}

/// By the normal form, as are order and hash.
impl PartialEq for Dn {
    fn eq(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl Eq for Dn {}

impl Hash for Dn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normalized().hash(state);
    }
}

impl PartialOrd for Dn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.normalized().cmp(other.normalized())
    }
}

impl From<Rdn> for Dn {
    fn from(rdn: Rdn) -> Dn {
        Dn::root().child(rdn)
    }
}

impl From<&Dn> for String {
    fn from(dn: &Dn) -> String {
        dn.as_str().to_owned()
    }
}

impl From<Dn> for String {
    fn from(dn: Dn) -> String {
        dn.as_str().to_owned()
    }
}

impl serde::Serialize for Dn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Dn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Dn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a distinguished name")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Dn, E> {
                Dn::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod round_trip;

#[cfg(test)]
mod tests {
    use super::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text).expect(text)
    }

    #[test]
    fn names_that_mean_the_same_are_equal() {
        for (one, other) in [
            ("cn=Ada,dc=x", "CN=ada,DC=X"),
            ("cn=Ada,dc=x", "  cn = Ada ;  dc = x  "),
            ("cn=Ada,dc=x", "2.5.4.3=Ada,0.9.2342.19200300.100.1.25=x"),
            ("cn=Ada,dc=x", "OID.2.5.4.3=Ada,domainComponent=x"),
            ("cn=Ada  Lovelace", r"cn=\ ada lovelace\ "),
            ("cn=Ada,dc=x", r#"cn="ada",dc=x"#),
            ("cn=Ada", "cn=#0403416461"),
            ("cn=Ada", "cn=#0c03416461"),
            ("cn=a+uid=b,dc=x", "UID=B + CN=A,dc=x"),
            ("cn=Jürgen", r"cn=J\C3\BCRGEN"),
            ("cn=ΣΊΣΥΦΟΣ", "cn=σίσυφος"),
            (r"cn=a\,b", r"cn=a\2cb"),
            (r"cn=a\=b", "cn=a=b"),
            ("emailAddress=a@b", "1.2.840.113549.1.9.1=A@B"),
        ] {
            assert_eq!(dn(one), dn(other));
        }
    }

    #[test]
    fn names_that_mean_different_things_are_not() {
        for (one, other) in [
            ("cn=a,dc=x", "cn=a,dc=y"),
            ("cn=a", "sn=a"),
            ("cn=a+uid=b", "cn=a,uid=b"),
            (r"cn=a\,dc=x", "cn=a,dc=x"),
            (r"cn=a\+uid=b", "cn=a+uid=b"),
            ("cn=ı", "cn=i"),
            ("cn=ab", "cn=a b"),
            (r"cn=\ff", r"cn=\fe"),
            ("cn=#020101", "cn=#020102"),
            ("cn=#020101", r"cn=\02\01\01"),
            ("", "cn="),
        ] {
            assert_ne!(dn(one), dn(other));
        }
    }

    #[test]
    fn below_goes_by_parts_and_not_by_text() {
        let base = dn("dc=Example,dc=com");
        assert!(dn("uid=a,ou=p,dc=example,dc=com").is_below(&base));
        assert!(dn("dc=example, dc=com").is_at_or_below(&base));
        assert!(!dn("dc=example,dc=com").is_below(&base));
        assert!(!dn(r"cn=a\,dc=example,dc=com").is_at_or_below(&base));
        assert!(!dn("dc=other-example,dc=com").is_at_or_below(&base));
        assert!(!dn("dc=com").is_at_or_below(&base));
        assert!(base.is_below(&Dn::root()));
        assert!(Dn::root().is_at_or_below(&Dn::root()));
    }

    #[test]
    fn parents_and_children_keep_the_text() {
        let ada = dn("UID=Ada , OU=People,DC=x");
        let people = ada.parent().expect("a parent");
        assert_eq!(people.as_str(), "OU=People,DC=x");
        assert_eq!(people, dn("ou=people,dc=x"));
        assert_eq!(people.parent().and_then(|dn| dn.parent()), Some(Dn::root()));
        assert_eq!(Dn::root().parent(), None);
        let child = people.child(Rdn::new("uid", "ada").expect("a type"));
        assert_eq!(child, ada);
        assert_eq!(child.parent(), Some(people));
        assert_eq!(Dn::from(Rdn::new("dc", "x").expect("a type")).as_str(), "dc=x");
    }

    #[test]
    fn values_cannot_leave_their_place() {
        for value in [r"a,dc=evil", r"a+cn=b", "a\0b", r#"" < > ; = \ "#, "#00", " a ", "a\nb", "", r"\2c"] {
            let built = dn("dc=x").child(Rdn::new("cn", value).expect("a type"));
            let parsed = dn(built.as_str());
            assert_eq!(parsed, built, "{built}");
            assert_eq!(parsed.rdns().len(), 2, "{built}");
            assert_eq!(parsed.rdns()[0].avas()[0].text(), Some(value), "{built}");
        }
    }

    #[test]
    fn types_cannot_leave_their_place() {
        for attribute in ["", "cn=a,dc", "1cn", "1..2", "1.", "c n", "cn;lang-de", "çn", "cn\0"] {
            assert!(Rdn::new(attribute, "x").is_err(), "{attribute}");
        }
    }

    #[test]
    fn serde_reads_and_refuses_text() {
        use serde::Deserialize;
        use serde::de::value::{Error, StrDeserializer};
        let read = |text| Dn::deserialize(StrDeserializer::<Error>::new(text));
        assert_eq!(read("cn=a"), Ok(dn("CN=A")));
        let error = read("cn").expect_err("no name").to_string();
        assert_eq!(error, "no distinguished name: `=` is missing after the attribute type at byte 2");
    }

    #[test]
    fn debug_and_display_show_the_text() {
        let name = dn("cn=A+sn=B,dc=x");
        assert_eq!(name.to_string(), "cn=A+sn=B,dc=x");
        assert_eq!(format!("{name:?} {:?}", name.rdns()[0]), r#"Dn("cn=A+sn=B,dc=x") Rdn(cn=A+sn=B)"#);
        assert_eq!(name.normalized(), "cn=a+sn=b,dc=x");
    }
}
