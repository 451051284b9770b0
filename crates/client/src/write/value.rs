//! One field as an attribute's values.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, SerializeTuple, SerializeTupleStruct, Serializer};

use super::WriteError;

/// Takes a field's values.
#[derive(Default)]
pub(super) struct One {
    pub(super) values: Vec<Bytes>,
    /// The value, when it was a plain `u8`: a list of these is bytes, as Rust writes them.
    octet: Option<u8>,
}

impl One {
    fn push(&mut self, value: impl Into<Bytes>) -> Result<(), WriteError> {
        self.values.push(value.into());
        Ok(())
    }
}

fn refuse(what: &str) -> WriteError {
    WriteError::of(&format!("{what} cannot be an attribute's values"))
}

macro_rules! as_text {
    ($($method:ident($type:ty))*) => {$(
        fn $method(self, value: $type) -> Result<(), WriteError> {
            self.push(value.to_string())
        }
    )*};
}

impl<'o> Serializer for &'o mut One {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Each<'o>;
    type SerializeTuple = Each<'o>;
    type SerializeTupleStruct = Each<'o>;
    type SerializeTupleVariant = Impossible<(), WriteError>;
    type SerializeMap = Impossible<(), WriteError>;
    type SerializeStruct = Impossible<(), WriteError>;
    type SerializeStructVariant = Impossible<(), WriteError>;

    as_text! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str)
    }

    fn serialize_u8(self, value: u8) -> Result<(), WriteError> {
        self.octet = Some(value);
        self.push(value.to_string())
    }

    /// RFC 4517 section 3.3.3.
    fn serialize_bool(self, value: bool) -> Result<(), WriteError> {
        self.push(if value { "TRUE" } else { "FALSE" })
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), WriteError> {
        self.push(Bytes::copy_from_slice(value))
    }

    fn serialize_none(self) -> Result<(), WriteError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), WriteError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), WriteError> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), WriteError> {
        self.push(variant)
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
        Err(refuse("an enum's variant with content"))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Each<'o>, WriteError> {
        Ok(Each { one: self, octets: Some(Vec::new()), values: Vec::new() })
    }

    fn serialize_tuple(self, length: usize) -> Result<Each<'o>, WriteError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Each<'o>, WriteError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, WriteError> {
        Err(refuse("an enum's variant with content"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Self::SerializeMap, WriteError> {
        Err(refuse("a map"))
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStruct, WriteError> {
        Err(refuse("a struct"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, WriteError> {
        Err(refuse("an enum's variant with content"))
    }
}

/// A list: a value for each, or one value of bytes.
pub(super) struct Each<'o> {
    one: &'o mut One,
    /// The elements so far, as long as all of them were bytes.
    octets: Option<Vec<u8>>,
    values: Vec<Bytes>,
}

impl Each<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let mut one = One::default();
        value.serialize(&mut one)?;
        match (self.octets.as_mut(), one.octet) {
            (Some(octets), Some(octet)) => octets.push(octet),
            _ => self.octets = None,
        }
        self.values.append(&mut one.values);
        Ok(())
    }

    fn finish(self) -> Result<(), WriteError> {
        match self.octets.filter(|octets| !octets.is_empty()) {
            Some(octets) => self.one.values.push(octets.into()),
            None => self.one.values.extend(self.values),
        }
        Ok(())
    }
}

macro_rules! each {
    ($($trait:ident $method:ident)*) => {$(
        impl $trait for Each<'_> {
            type Ok = ();
            type Error = WriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
                self.element(value)
            }

            fn end(self) -> Result<(), WriteError> {
                self.finish()
            }
        }
    )*};
}

each! { SerializeSeq serialize_element SerializeTuple serialize_element SerializeTupleStruct serialize_field }
