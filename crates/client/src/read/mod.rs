//! Entries as the caller's own types, through serde.
//!
//! The struct's field list is walked, not the entry's attributes: each field takes the attribute of its name, in any
//! case, options included. Attributes that no field names are not looked at.

mod trace;
mod value;

use std::fmt;
use std::marker::PhantomData;

use proto::Entry;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use trace::takes_name;
pub(crate) use trace::{Fields, fields};
use value::{Problem, Values};

/// The field that stands for the entry's name, unless the entry has such an attribute.
pub(crate) const DN: &str = "dn";

/// Reads an entry into a type of the caller's.
///
/// | field | takes |
/// |---|---|
/// | `&str`, `String`, `Dn`, numbers, `char`, unit enums | exactly one value, UTF-8 |
/// | `bool` | exactly one value, `TRUE` or `FALSE` (RFC 4517 section 3.3.3) |
/// | `&[u8]`, `Vec<u8>`, `[u8; N]`, `bytes::Bytes` | exactly one value of any bytes |
/// | `GeneralizedTime`, `FileTime`, `Sid`, `Guid` | exactly one value, as text or as it is on the wire |
/// | `Option<T>` | no value, or as `T` |
/// | `Vec<T>` | every value; give it `#[serde(default)]`, for an attribute without values is missing |
///
/// A field named `dn` takes the entry's name, in a flattened struct too; a map does not have it. One named `cn;lang-de` the attribute with that option. Borrowed fields borrow
/// from the entry. `#[serde(flatten)]` hands over all attributes that no other field takes: into a map of
/// [`many`], or into a struct, whose single fields take text only, since serde keeps what it flattens without asking
/// what is wanted.
///
/// ```
/// use ldapgate_client::{Dn, Entry, ReadEntry};
///
/// #[derive(serde::Deserialize)]
/// struct Person<'e> {
///     uid: &'e str,
///     mail: Option<String>,
///     #[serde(default, rename = "memberOf")]
///     groups: Vec<Dn>,
/// }
///
/// # fn main() -> Result<(), ldapgate_client::ReadError> {
/// let entry = Entry::builder("uid=ada,dc=example,dc=com").attribute("UID", ["ada"]).build();
/// let person: Person<'_> = entry.read()?;
/// assert_eq!(person.uid, "ada");
/// assert!(person.mail.is_none() && person.groups.is_empty());
///
/// let nameless = Entry::builder("cn=x,dc=example,dc=com").build();
/// let error = nameless.read::<Person<'_>>().err().expect("it has no uid");
/// assert_eq!(error.to_string(), r#"entry "cn=x,dc=example,dc=com", attribute uid: exactly one value is needed, found 0"#);
/// # Ok(())
/// # }
/// ```
pub trait ReadEntry {
    /// Reads the entry.
    ///
    /// # Errors
    ///
    /// When a value is missing, is one of several where one is needed, or is not of the field's kind.
    fn read<'e, T: Deserialize<'e>>(&'e self) -> Result<T, ReadError>;
}

impl ReadEntry for Entry {
    fn read<'e, T: Deserialize<'e>>(&'e self) -> Result<T, ReadError> {
        let reader = EntryReader { entry: self, takes_name: takes_name::<T> };
        let read = T::deserialize(reader).or_else(|problem| match problem.misses(DN) {
            // A flattened part wants it, which cannot be seen beforehand.
            true => T::deserialize(EntryReader { entry: self, takes_name: || true }),
            false => Err(problem),
        });
        read.map_err(|problem| problem.about(self))
    }
}

/// Every value of a flattened field: `#[serde(deserialize_with = "ldapgate_client::read::many")]`. Where serde flattens, one value
/// comes as itself and several come as a list; a plain `Vec` takes the list alone.
///
/// ```
/// use std::collections::BTreeMap;
/// use ldapgate_client::{Entry, ReadEntry};
///
/// #[derive(serde::Deserialize)]
/// struct Contact {
///     #[serde(default, deserialize_with = "ldapgate_client::read::many")]
///     mail: Vec<String>,
///     title: Option<String>,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Person {
///     uid: String,
///     #[serde(flatten)]
///     contact: Contact,
/// }
///
/// let entry = Entry::builder("uid=ada").attribute("uid", ["ada"]).attribute("mail", ["ada@example.com"]).build();
/// let person: Person = entry.read()?;
/// assert_eq!(person.contact.mail, ["ada@example.com"]);
/// assert!(person.uid == "ada" && person.contact.title.is_none());
///
/// type Text<'t> = serde::de::value::StrDeserializer<'t, serde::de::value::Error>;
/// let one: Vec<String> = ldapgate_client::read::many(Text::new("one"))?;
/// assert_eq!(one, ["one"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When a value is not of the kind.
pub fn many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: de::Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(Many(PhantomData))
}

struct Many<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Many<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value or several")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Vec<T>, E> {
        Ok(vec![T::deserialize(de::value::BorrowedStrDeserializer::new(text))?])
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        Ok(vec![T::deserialize(text.into_deserializer())?])
    }

    fn visit_borrowed_bytes<E: de::Error>(self, value: &'de [u8]) -> Result<Vec<T>, E> {
        Ok(vec![T::deserialize(de::value::BorrowedBytesDeserializer::new(value))?])
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut values: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = values.next_element()? {
            all.push(value);
        }
        Ok(all)
    }
}

/// Why an entry does not fit a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    entry: String,
    attribute: Option<String>,
    count: Option<usize>,
    problem: String,
}

impl ReadError {
    /// The entry's name, as the server wrote it.
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// The attribute that does not fit.
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    /// How many values it has, where their number is what does not fit.
    pub fn count(&self) -> Option<usize> {
        self.count
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {:?}", self.entry)?;
        if let Some(attribute) = &self.attribute {
            write!(f, ", attribute {attribute}")?;
        }
        write!(f, ": {}", self.problem)?;
        match self.count {
            Some(count) => write!(f, ", found {count}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ReadError {}

impl Problem {
    fn about(self, entry: &Entry) -> ReadError {
        let Problem { attribute, count, text } = self;
        ReadError { entry: entry.dn().to_owned(), attribute, count, problem: text }
    }
}

struct EntryReader<'e> {
    entry: &'e Entry,
    /// Does the type have a field for the entry's name? Asked where the type does not tell its fields.
    takes_name: fn() -> bool,
}

impl<'e> EntryReader<'e> {
    fn values(&self, name: &str) -> Option<Vec<&'e [u8]>> {
        let values: Vec<&[u8]> = self.entry.values(name).collect();
        match values.is_empty() {
            false => Some(values),
            true if name == DN => Some(vec![self.entry.dn().as_bytes()]),
            true => None,
        }
    }
}

impl<'e> de::Deserializer<'e> for EntryReader<'e> {
    type Error = Problem;

    /// A map, or a struct with a flattened part: everything there is.
    fn deserialize_any<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        let dn = || self.values(DN).filter(|_| !self.entry.has(DN) && (self.takes_name)());
        let name = dn().map(|dn| (DN, dn));
        let attributes =
            self.entry.attributes().map(|attribute| (attribute.name(), attribute.values().collect()));
        visitor.visit_map(Walk { fields: name.into_iter().chain(attributes), value: None })
    }

    fn deserialize_struct<V: Visitor<'e>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let fields = fields.iter().filter_map(move |name| Some((*name, self.values(name)?)));
        visitor.visit_map(Walk { fields, value: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'e>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'e>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit_struct seq
        tuple tuple_struct map enum identifier
    }
}

/// Fields and their values, one after the other.
struct Walk<'e, I> {
    fields: I,
    value: Option<Values<'e>>,
}

impl<'e, I: Iterator<Item = (&'e str, Vec<&'e [u8]>)>> MapAccess<'e> for Walk<'e, I> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'e>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let Some((name, values)) = self.fields.next() else { return Ok(None) };
        self.value = Some(Values::new(name, values));
        seed.deserialize(de::value::BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'e>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let Some(values) = self.value.take() else {
            return Err(de::Error::custom("a value before its name"));
        };
        let name = values.name();
        seed.deserialize(values).map_err(|problem: Problem| problem.of(name))
    }
}

#[cfg(test)]
mod tests;
