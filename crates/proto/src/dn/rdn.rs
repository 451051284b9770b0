//! The parts of a name: attribute types and their values.

use std::borrow::Cow;
use std::fmt;

use super::attribute::{self, canonical, is_attribute_type};
use super::{DnError, DnErrorKind, prepare, print};

/// One relative distinguished name: usually one attribute and value, sometimes several joined by `+`.
#[derive(Clone)]
pub struct Rdn(pub(super) Avas);

#[derive(Clone)]
pub(super) enum Avas {
    /// As nearly always.
    One([Ava; 1]),
    Several(Vec<Ava>),
}

/// One attribute type and value.
#[derive(Clone)]
pub struct Ava {
    pub(super) attribute: Cow<'static, str>,
    pub(super) value: Vec<u8>,
    /// The value is BER of a type that is no string; it is written as `#` and hex.
    pub(super) encoded: bool,
}

impl Rdn {
    /// One attribute and its value; the value is taken as it is, whatever characters it has.
    ///
    /// # Errors
    ///
    /// When `attribute` is no attribute type, such as `cn` or `2.5.4.3`.
    pub fn new(attribute: &str, value: impl AsRef<str>) -> Result<Rdn, DnError> {
        Ok(Rdn(Avas::One([Ava::new(attribute, value.as_ref())?])))
    }

    /// Adds another attribute and value.
    ///
    /// # Errors
    ///
    /// As [`Rdn::new`].
    pub fn with(self, attribute: &str, value: impl AsRef<str>) -> Result<Rdn, DnError> {
        let mut avas = match self.0 {
            Avas::One(ava) => Vec::from(ava),
            Avas::Several(avas) => avas,
        };
        avas.push(Ava::new(attribute, value.as_ref())?);
        Ok(Rdn(Avas::Several(avas)))
    }

    /// The attributes and values, at least one.
    #[must_use]
    pub fn avas(&self) -> &[Ava] {
        match &self.0 {
            Avas::One(ava) => ava,
            Avas::Several(avas) => avas,
        }
    }

    pub(super) fn normalize(&self, out: &mut String) {
        if let [ava] = self.avas() {
            return ava.normalize(out);
        }
        let mut parts: Vec<String> = Vec::with_capacity(self.avas().len());
        for ava in self.avas() {
            let mut part = String::new();
            ava.normalize(&mut part);
            parts.push(part);
        }
        parts.sort_unstable();
        out.push_str(&parts.join("+"));
    }
}

impl Ava {
    fn new(attribute: &str, value: &str) -> Result<Ava, DnError> {
        if !is_attribute_type(attribute) {
            return Err(DnError::new(DnErrorKind::Attribute, 0));
        }
        let (attribute, value) = (attribute::keep(attribute), value.as_bytes().to_vec());
        Ok(Ava { attribute, value, encoded: false })
    }

    /// The type as it was written.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The decoded value. What was written as `#` and hex is the content of the string it encodes, and the BER itself
    /// when that is no string.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The decoded value when it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok().filter(|_| !self.encoded)
    }

    fn normalize(&self, out: &mut String) {
        out.push_str(&canonical(&self.attribute));
        out.push('=');
        match self.text() {
            Some(text) if prepare::is_plain(text) => {
                let start = out.len();
                out.push_str(text);
                out[start..].make_ascii_lowercase();
            }
            Some(text) => print::value(prepare::ignore_case(text).as_bytes(), out),
            None if self.encoded => print::encoded(&self.value, out),
            None => print::value(&self.value, out),
        }
    }
}

/// As RFC 4514 writes it.
impl fmt::Display for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ava) in self.avas().iter().enumerate() {
            if index > 0 {
                f.write_str("+")?;
            }
            ava.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rdn({self})")
    }
}

/// As RFC 4514 writes it.
impl fmt::Display for Ava {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(self.attribute.len() + self.value.len() + 1);
        out.push_str(&self.attribute);
        out.push('=');
        match self.encoded {
            true => print::encoded(&self.value, &mut out),
            false => print::value(&self.value, &mut out),
        }
        f.write_str(&out)
    }
}

impl fmt::Debug for Ava {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ava({self})")
    }
}

/// By the normal form.
impl PartialEq for Rdn {
    fn eq(&self, other: &Self) -> bool {
        let (mut mine, mut theirs) = (String::new(), String::new());
        self.normalize(&mut mine);
        other.normalize(&mut theirs);
        mine == theirs
    }
}

impl Eq for Rdn {}
