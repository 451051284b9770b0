//! Which fields a type has: its own deserializer is asked, and stopped as soon as it has told.
//!
//! A struct with a flattened part does not tell its fields. It is handed a key, and shows by what it asks of the value
//! whether it has a field of that name.

use std::fmt;

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
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

/// Has `T`, a struct with a flattened part, a field for the entry's name? Neither a map has nor one that is flattened.
pub(super) fn takes_name<'de, T: Deserialize<'de>>() -> bool {
    let mut found = Asked::default();
    // Ends in an error like the other.
    drop(T::deserialize(Whole(&mut found)));
    found.by_field && found.as_what_it_is
}

/// What a type asked of a map whose only key is the name's.
#[derive(Default)]
struct Asked {
    /// The key as the name of a field, and not as a map's.
    by_field: bool,
    /// The value as something of its own: what is put aside for a flattened part, or dropped, is not.
    as_what_it_is: bool,
}

struct Whole<'a>(&'a mut Asked);
struct Key<'a>(&'a mut Asked);
struct Value<'a>(&'a mut Asked);

impl<'de> de::Deserializer<'de> for Whole<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stop> {
        Err(Stop)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_map(self)
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
        seq tuple tuple_struct struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Whole<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        // There is one: whoever takes it and leaves its value is done.
        if self.0.by_field {
            return Err(Stop);
        }
        seed.deserialize(Key(self.0)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(Value(self.0))
    }
}

impl<'de> de::Deserializer<'de> for Key<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stop> {
        Err(Stop)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.by_field = true;
        BorrowedStrDeserializer::new(DN).deserialize_identifier(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum ignored_any
    }
}

macro_rules! own {
    ($($method:ident($($argument:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _visitor: V) -> Result<V::Value, Stop> {
            self.0.as_what_it_is = true;
            Err(Stop)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Value<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stop> {
        Err(Stop)
    }

    own! {
        deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_option()
        deserialize_newtype_struct(&'static str) deserialize_seq() deserialize_tuple(usize)
        deserialize_tuple_struct(&'static str, usize)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char unit unit_struct map struct enum identifier ignored_any
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
