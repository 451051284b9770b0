//! Distinguished names (RFC 4514).
use std::fmt;

/// A distinguished name, leaf first.
#[derive(Clone)]
pub struct Dn {
    text: String,
    normalized: String,
    rdns: Vec<Rdn>,
}
/// One relative distinguished name.
#[derive(Clone)]
pub struct Rdn {
    avas: Vec<Ava>,
}
/// One attribute type and value.
#[derive(Clone)]
pub struct Ava {
    attribute: String,
    value: Vec<u8>,
}
/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad name at byte {offset}")]
pub struct DnError {
    offset: usize,
}
impl DnError {
    /// The byte the error is about.
    pub fn offset(&self) -> usize {
        self.offset
    }
}
impl Dn {
    /// Parses RFC 4514 text.
    pub fn parse(_text: &str) -> Result<Dn, DnError> {
        todo!()
    }
    /// The empty name.
    pub fn root() -> Dn {
        todo!()
    }
    /// Is this the empty name?
    pub fn is_root(&self) -> bool {
        self.rdns.is_empty()
    }
    /// Leaf first.
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }
    /// The name above.
    pub fn parent(&self) -> Option<Dn> {
        todo!()
    }
    /// The name below.
    pub fn child(&self, _rdn: Rdn) -> Dn {
        todo!()
    }
    /// Strictly below.
    pub fn is_below(&self, _ancestor: &Dn) -> bool {
        todo!()
    }
    /// Below or equal.
    pub fn is_at_or_below(&self, _ancestor: &Dn) -> bool {
        todo!()
    }
    /// The text as it was parsed.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The form that comparisons use.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }
}
impl Rdn {
    /// One attribute and value.
    pub fn new(_attribute: &str, _value: impl AsRef<str>) -> Result<Rdn, DnError> {
        todo!()
    }
    /// Adds another.
    pub fn with(self, _attribute: &str, _value: impl AsRef<str>) -> Result<Rdn, DnError> {
        todo!()
    }
    /// The parts.
    pub fn avas(&self) -> &[Ava] {
        &self.avas
    }
}
impl Ava {
    /// The type as written.
    pub fn attribute(&self) -> &str {
        &self.attribute
    }
    /// The decoded value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
    /// The value as text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }
}
impl std::str::FromStr for Dn {
    type Err = DnError;
    fn from_str(text: &str) -> Result<Self, DnError> {
        Dn::parse(text)
    }
}
impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dn({:?})", self.text)
    }
}
impl fmt::Display for Rdn {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
impl fmt::Debug for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rdn({self})")
    }
}
impl PartialEq for Dn {
    fn eq(&self, other: &Self) -> bool {
        self.normalized == other.normalized
    }
}
impl Eq for Dn {}
impl std::hash::Hash for Dn {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.normalized.hash(state);
    }
}
impl PartialOrd for Dn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Dn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.normalized.cmp(&other.normalized)
    }
}
impl From<&Dn> for String {
    fn from(dn: &Dn) -> String {
        dn.text.clone()
    }
}
impl From<Dn> for String {
    fn from(dn: Dn) -> String {
        dn.text
    }
}
impl serde::Serialize for Dn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de> serde::Deserialize<'de> for Dn {
    fn deserialize<D: serde::Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
        todo!()
    }
}
