//! Which fields a type has: its own deserializer is asked, and stopped as soon as it has told.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Visitor};
use serde::forward_to_deserialize_any;

use super::DN;

/// The attributes that a type reads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fields {
    /// Whatever there is.
    All,
    /// Those of its fields, other names that a field answers to included; the entry's own name aside.
    These(Vec<&'static str>),
}

/// The attributes that `T` reads.
pub(crate) fn fields<'de, T: Deserialize<'de>>() -> Fields {
    let mut fields = Fields::All;
    // The tracer always ends in an error: there is nothing to make a value of.
    drop(T::deserialize(Tracer { fields: &mut fields }));
    fields
}

struct Tracer<'t> {
    fields: &'t mut Fields,
}

impl<'de> de::Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stop> {
        Err(Stop)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Stop> {
        *self.fields = Fields::These(fields.iter().copied().filter(|name| *name != DN).collect());
        Err(Stop)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields are known")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(_text: T) -> Stop {
        Stop
    }
}
