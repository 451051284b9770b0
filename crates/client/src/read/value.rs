//! One attribute's values as whatever its field wants.

use std::fmt;
use std::str::FromStr;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// What does not fit, without the entry's name, which is known further up.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) attribute: Option<String>,
    pub(super) count: Option<usize>,
    pub(super) text: String,
}

impl Problem {
    fn count(found: usize) -> Problem {
        Problem { attribute: None, count: Some(found), text: "exactly one value is needed".to_owned() }
    }

    /// Is it that an attribute has no value?
    pub(super) fn misses(&self, attribute: &str) -> bool {
        self.count == Some(0) && self.attribute.as_deref() == Some(attribute)
    }

    /// Names the attribute, unless a part further down has done so.
    pub(super) fn of(mut self, attribute: &str) -> Problem {
        self.attribute.get_or_insert_with(|| attribute.to_owned());
        self
    }
}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(text: T) -> Problem {
        Problem { attribute: None, count: None, text: text.to_string() }
    }

    fn missing_field(field: &'static str) -> Problem {
        Problem::count(0).of(field)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

/// An attribute with at least one value.
pub(super) struct Values<'e> {
    name: &'e str,
    values: Vec<&'e [u8]>,
}

impl<'e> Values<'e> {
    pub(super) fn new(name: &'e str, values: Vec<&'e [u8]>) -> Values<'e> {
        Values { name, values }
    }

    pub(super) fn name(&self) -> &'e str {
        self.name
    }

    fn one(&self) -> Result<&'e [u8], Problem> {
        match self.values[..] {
            [value] => Ok(value),
            _ => Err(Problem::count(self.values.len())),
        }
    }

    fn text(&self) -> Result<&'e str, Problem> {
        std::str::from_utf8(self.one()?).map_err(|_| de::Error::custom("the value is not UTF-8"))
    }

    fn parse<T: FromStr>(&self, what: &str) -> Result<T, Problem> {
        let text = self.text()?;
        text.trim().parse().map_err(|_| de::Error::custom(format_args!("{text:?} is no {what}")))
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal;)*) => {$(
        fn $method<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
            visitor.$visit(self.parse($what)?)
        }
    )*};
}

impl<'e> de::Deserializer<'e> for Values<'e> {
    type Error = Problem;

    /// For types that take what they get: text where it is text, several values as a list.
    fn deserialize_any<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.values[..] {
            [value] => match std::str::from_utf8(value) {
                Ok(text) => visitor.visit_borrowed_str(text),
                Err(_) => visitor.visit_borrowed_bytes(value),
            },
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_bytes<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_bytes(self.one()?)
    }

    fn deserialize_bool<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        let text = self.text()?;
        match () {
            () if text.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            () if text.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            () => Err(de::Error::custom(format_args!("{text:?} is neither TRUE nor FALSE"))),
        }
    }

    parsed! {
        deserialize_i8 visit_i8 "integer of 8 bits";
        deserialize_i16 visit_i16 "integer of 16 bits";
        deserialize_i32 visit_i32 "integer of 32 bits";
        deserialize_i64 visit_i64 "integer of 64 bits";
        deserialize_i128 visit_i128 "integer of 128 bits";
        deserialize_u8 visit_u8 "positive integer of 8 bits";
        deserialize_u16 visit_u16 "positive integer of 16 bits";
        deserialize_u32 visit_u32 "positive integer of 32 bits";
        deserialize_u64 visit_u64 "positive integer of 64 bits";
        deserialize_u128 visit_u128 "positive integer of 128 bits";
        deserialize_f32 visit_f32 "number";
        deserialize_f64 visit_f64 "number";
        deserialize_char visit_char "single character";
    }

    fn deserialize_string<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'e>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        let mut each = Each { name: self.name, values: self.values.into_iter(), octets: None };
        let value = visitor.visit_seq(&mut each)?;
        match each.is_empty() {
            true => Ok(value),
            false => Err(de::Error::custom("the value is longer than its field")),
        }
    }

    fn deserialize_tuple<V: Visitor<'e>>(self, _length: usize, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'e>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'e>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let text: BorrowedStrDeserializer<'e, Problem> = BorrowedStrDeserializer::new(self.text()?);
        text.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_unit<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { <V: Visitor<'e>> unit_struct map struct identifier }
}

impl<'e> IntoDeserializer<'e, Problem> for Values<'e> {
    type Deserializer = Values<'e>;

    fn into_deserializer(self) -> Values<'e> {
        self
    }
}

/// Every value on its own; or, for a list of `u8`, which is how Rust writes bytes, the bytes of the only one.
struct Each<'e> {
    name: &'e str,
    values: std::vec::IntoIter<&'e [u8]>,
    octets: Option<std::slice::Iter<'e, u8>>,
}

impl Each<'_> {
    /// An array takes as much as it has room for.
    fn is_empty(&self) -> bool {
        self.values.len() == 0 && self.octets.as_ref().is_none_or(|octets| octets.len() == 0)
    }
}

impl<'e> SeqAccess<'e> for Each<'e> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'e>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        if let Some(octets) = &mut self.octets {
            let Some(octet) = octets.next() else { return Ok(None) };
            return seed.deserialize(de::value::U8Deserializer::new(*octet)).map(Some);
        }
        let count = self.values.len();
        let Some(value) = self.values.next() else { return Ok(None) };
        let values = Values::new(self.name, vec![value]);
        seed.deserialize(Element { values, count, octets: &mut self.octets }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        match &self.octets {
            Some(octets) => Some(octets.len()),
            None => Some(self.values.len()),
        }
    }
}

/// One of `count` values, which turns out to be wanted as bytes when a `u8` is asked for.
struct Element<'s, 'e> {
    values: Values<'e>,
    count: usize,
    octets: &'s mut Option<std::slice::Iter<'e, u8>>,
}

macro_rules! as_its_value {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
            self.values.$method(visitor)
        }
    )*};
}

impl<'e> de::Deserializer<'e> for Element<'_, 'e> {
    type Error = Problem;

    fn deserialize_u8<V: Visitor<'e>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.count != 1 {
            return Err(Problem::count(self.count));
        }
        let mut octets = self.values.one()?.iter();
        let first = octets.next().ok_or_else(|| de::Error::custom("the value is empty"))?;
        *self.octets = Some(octets);
        visitor.visit_u8(*first)
    }

    as_its_value! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option
        deserialize_unit deserialize_seq deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'e>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.values.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'e>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.values.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'e>>(self, length: usize, visitor: V) -> Result<V::Value, Problem> {
        self.values.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'e>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.values.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_struct<V: Visitor<'e>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.values.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'e>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.values.deserialize_enum(name, variants, visitor)
    }
}
