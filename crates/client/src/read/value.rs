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
        visitor.visit_seq(Each { name: self.name, values: self.values.into_iter() })
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

    forward_to_deserialize_any! { <V: Visitor<'e>> unit_struct tuple tuple_struct map struct identifier }
}

impl<'e> IntoDeserializer<'e, Problem> for Values<'e> {
    type Deserializer = Values<'e>;

    fn into_deserializer(self) -> Values<'e> {
        self
    }
}

/// Every value on its own.
struct Each<'e> {
    name: &'e str,
    values: std::vec::IntoIter<&'e [u8]>,
}

impl<'e> SeqAccess<'e> for Each<'e> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'e>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(value) = self.values.next() else { return Ok(None) };
        seed.deserialize(Values::new(self.name, vec![value])).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}
