//! The caller's own types as entries, through serde: what is added, and what has changed.
//!
//! The way back of [`read`](crate::ReadEntry): the same struct reads an entry and writes it.

mod changes;
mod value;

use std::fmt;

use bytes::Bytes;
use proto::Change;
use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeStruct, Serializer};

use crate::read::DN;
use crate::{Connection, Error, Reply};

pub(crate) use changes::attributes_of;
use changes::changes;
pub use changes::changes_between_entries;
use value::One;

/// Attributes with their values, as an add request has them.
pub type Attributes = Vec<(String, Vec<Bytes>)>;

/// A struct's fields as attributes.
///
/// | field | becomes |
/// |---|---|
/// | text, numbers, `char`, `Dn`, unit enums | one value |
/// | `bool` | `TRUE` or `FALSE` |
/// | `&[u8]`, `Vec<u8>`, `[u8; N]`, `bytes::Bytes` | one value of these bytes |
/// | `None`, an empty list | no attribute |
/// | a list | a value for each |
///
/// A field named `dn` is the entry's name, and no attribute. A map becomes an attribute for each key.
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Person<'p> {
///     dn: &'p str,
///     #[serde(rename = "objectClass")]
///     classes: Vec<&'p str>,
///     uid: &'p str,
///     mail: Option<String>,
/// }
///
/// let ada = Person { dn: "uid=ada,dc=example,dc=com", classes: vec!["top", "account"], uid: "ada", mail: None };
/// let attributes = ldapgate_client::to_attributes(&ada)?;
/// assert_eq!(attributes[0].1, ["top", "account"]);
/// assert_eq!(attributes.len(), 2, "the name is none, and there is no mail");
/// # Ok::<(), ldapgate_client::WriteError>(())
/// ```
///
/// # Errors
///
/// When a field is something that an attribute cannot be, as a struct within the struct.
pub fn to_attributes<T: Serialize + ?Sized>(entry: &T) -> Result<Attributes, WriteError> {
    Ok(parts(entry)?.attributes)
}

/// What has to be done to an entry that was `before` for it to be `after`: the smallest changes that do it.
///
/// Of several values only those that came or went are sent, deletions first, or all of them where that is shorter; their
/// order does not matter. An attribute without values any more is deleted. Attributes that the struct has no field for
/// are never touched. Without the schema nobody knows which attributes have no equality rule (`jpegPhoto`, say), of
/// which servers take no single values: replace these by hand when there are several.
///
/// ```
/// use ldapgate_client::{Change, changes_between};
///
/// #[derive(Clone, serde::Serialize)]
/// struct Person {
///     mail: Option<String>,
///     telephone: Vec<String>,
/// }
///
/// let before = Person { mail: Some("ada@example.com".into()), telephone: vec!["1".into(), "2".into()] };
/// let after = Person { mail: None, telephone: vec!["2".into(), "3".into(), "1".into()] };
/// let changes = changes_between(&before, &after)?;
/// assert_eq!(changes, [Change::delete_all("mail"), Change::add("telephone", ["3"])]);
/// # Ok::<(), ldapgate_client::WriteError>(())
/// ```
///
/// # Errors
///
/// As [`to_attributes`], and when the two have different names: a rename is another request.
pub fn changes_between<T: Serialize + ?Sized>(before: &T, after: &T) -> Result<Vec<Change>, WriteError> {
    let (before, after) = (parts(before)?, parts(after)?);
    if !same_name(before.dn.as_deref(), after.dn.as_deref()) {
        return Err(WriteError::of("the two have different names: rename the entry first").in_attribute(DN));
    }
    Ok(changes(&before.attributes, &after.attributes))
}

impl Connection {
    /// Adds an entry that is a struct with a field `dn`, as [`to_attributes`] has it.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] when the struct cannot be an entry; otherwise as [`Connection::add`].
    pub async fn add_entry<T: Serialize + ?Sized>(&self, entry: &T) -> Result<Reply, Error> {
        let (dn, attributes) = named(entry)?;
        self.add(&dn, attributes).await
    }

    /// Makes the entry that was `before` be `after`, both with the same `dn`, by [`changes_between`]; `None`: there was
    /// nothing to change, and nothing was sent.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] when a struct cannot be an entry; otherwise as [`Connection::modify`].
    pub async fn modify_entry<T: Serialize + ?Sized>(
        &self,
        before: &T,
        after: &T,
    ) -> Result<Option<Reply>, Error> {
        let (dn, changes) = changed(before, after)?;
        if changes.is_empty() {
            return Ok(None);
        }
        self.modify(&dn, changes).await.map(Some)
    }
}

/// Why a value cannot be an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteError {
    attribute: Option<String>,
    problem: String,
}

impl WriteError {
    /// The attribute that cannot be.
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    fn of(problem: &str) -> WriteError {
        WriteError { attribute: None, problem: problem.to_owned() }
    }

    fn in_attribute(mut self, name: &str) -> WriteError {
        self.attribute.get_or_insert_with(|| name.to_owned());
        self
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            Some(attribute) => write!(f, "attribute {attribute}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for WriteError {}

impl serde::ser::Error for WriteError {
    fn custom<T: fmt::Display>(text: T) -> WriteError {
        WriteError { attribute: None, problem: text.to_string() }
    }
}

/// The entry's name, which it has to have, and its attributes.
pub(crate) fn named<T: Serialize + ?Sized>(entry: &T) -> Result<(String, Attributes), WriteError> {
    let Parts { dn, attributes } = parts(entry)?;
    let dn = dn.ok_or_else(|| WriteError::of("the entry's name is needed: a field `dn`"))?;
    Ok((dn, attributes))
}

/// The entry's name and what changes.
pub(crate) fn changed<T: Serialize + ?Sized>(
    before: &T,
    after: &T,
) -> Result<(String, Vec<Change>), WriteError> {
    Ok((named(after)?.0, changes_between(before, after)?))
}

fn same_name(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one == other || proto::Dn::parse(one).is_ok_and(|one| proto::Dn::parse(other) == Ok(one))
        }
        (None, None) => true,
        _ => false,
    }
}

#[derive(Default)]
struct Parts {
    dn: Option<String>,
    attributes: Attributes,
}

fn parts<T: Serialize + ?Sized>(entry: &T) -> Result<Parts, WriteError> {
    let mut parts = Parts::default();
    entry.serialize(Whole(&mut parts))?;
    Ok(parts)
}

impl Parts {
    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), WriteError> {
        let mut one = One::default();
        value.serialize(&mut one).map_err(|error| error.in_attribute(name))?;
        if name == DN {
            self.dn = one.values.pop().map(|dn| String::from_utf8_lossy(&dn).into_owned());
        } else if !one.values.is_empty() {
            self.attributes.push((name.to_owned(), one.values));
        }
        Ok(())
    }
}

/// A whole entry: a struct, or a map.
struct Whole<'p>(&'p mut Parts);

macro_rules! no_entry {
    ($($method:ident($($argument:ty),*))*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<(), WriteError> {
            Err(no_entry())
        }
    )*};
}

fn no_entry() -> WriteError {
    WriteError::of("only a struct or a map can be an entry")
}

impl<'p> Serializer for Whole<'p> {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Impossible<(), WriteError>;
    type SerializeTuple = Impossible<(), WriteError>;
    type SerializeTupleStruct = Impossible<(), WriteError>;
    type SerializeTupleVariant = Impossible<(), WriteError>;
    type SerializeMap = Keyed<'p>;
    type SerializeStruct = Whole<'p>;
    type SerializeStructVariant = Impossible<(), WriteError>;

    no_entry! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_f32(f32)
        serialize_f64(f64) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8]) serialize_none()
        serialize_unit() serialize_unit_struct(&'static str) serialize_unit_variant(&'static str, u32, &'static str)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), WriteError> {
        Err(no_entry())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Self::SerializeSeq, WriteError> {
        Err(no_entry())
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self::SerializeTuple, WriteError> {
        Err(no_entry())
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleStruct, WriteError> {
        Err(no_entry())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, WriteError> {
        Err(no_entry())
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Keyed<'p>, WriteError> {
        Ok(Keyed { parts: self.0, key: String::new() })
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Whole<'p>, WriteError> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, WriteError> {
        Err(no_entry())
    }
}

impl SerializeStruct for Whole<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        self.0.add(name, value)
    }

    fn end(self) -> Result<(), WriteError> {
        Ok(())
    }
}

/// A map, or a struct with a flattened part.
struct Keyed<'p> {
    parts: &'p mut Parts,
    key: String,
}

impl SerializeMap for Keyed<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        let mut one = One::default();
        key.serialize(&mut one)?;
        let text = one.values.pop().and_then(|key| String::from_utf8(key.to_vec()).ok());
        self.key = text.ok_or_else(|| WriteError::of("a key of the map is no text"))?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.parts.add(&self.key, value)
    }

    fn end(self) -> Result<(), WriteError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
