//! The values through serde: read from text or from what is on the wire, written as text.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{FileTime, GeneralizedTime, Guid, Sid};

/// What can be read from an attribute's value.
trait Form: Sized {
    const NAME: &'static str;
    fn read(value: &[u8]) -> Option<Self>;
}

impl Form for Sid {
    const NAME: &'static str = "a security identifier";

    /// The text starts with `S`, the bytes with 1.
    fn read(value: &[u8]) -> Option<Sid> {
        Sid::from_wire(value).ok().or_else(|| parsed(value))
    }
}

impl Form for Guid {
    const NAME: &'static str = "a GUID";

    /// The text is longer than the bytes.
    fn read(value: &[u8]) -> Option<Guid> {
        Guid::from_wire(value).ok().or_else(|| parsed(value))
    }
}

impl Form for GeneralizedTime {
    const NAME: &'static str = "a generalized time";

    fn read(value: &[u8]) -> Option<GeneralizedTime> {
        parsed(value)
    }
}

impl Form for FileTime {
    const NAME: &'static str = "a number of 100 nanoseconds since 1601";

    fn read(value: &[u8]) -> Option<FileTime> {
        FileTime::parse(std::str::from_utf8(value).ok()?).ok()
    }
}

fn parsed<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

struct Reading<T>(PhantomData<T>);

impl<T: Form> Visitor<'_> for Reading<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::read(text.as_bytes()).ok_or_else(|| E::custom(format_args!("{text:?} is not {}", T::NAME)))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<T, E> {
        match std::str::from_utf8(value) {
            Ok(text) => self.visit_str(text),
            Err(_) => T::read(value).ok_or_else(|| E::custom(format_args!("the value is not {}", T::NAME))),
        }
    }
}

macro_rules! through_serde {
    ($($type:ty => $text:expr;)*) => {$(
        /// From its text, or from the bytes that a directory holds.
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_bytes(Reading(PhantomData))
            }
        }

        /// As its text.
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text: fn(&$type) -> String = $text;
                serializer.serialize_str(&text(self))
            }
        }
    )*};
}

through_serde! {
    Sid => ToString::to_string;
    Guid => ToString::to_string;
    GeneralizedTime => ToString::to_string;
    FileTime => |time| time.ticks().to_string();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::value::{BytesDeserializer, Error as Plain, StrDeserializer};

    fn from_bytes<'de, T: Deserialize<'de>>(value: &'de [u8]) -> Result<T, Plain> {
        T::deserialize(BytesDeserializer::new(value))
    }

    #[test]
    fn both_forms_are_read() {
        let sid: Sid = "S-1-5-21-1-2-3-513".parse().unwrap();
        assert_eq!(from_bytes(&sid.to_wire()), Ok(sid));
        assert_eq!(from_bytes(b"S-1-5-21-1-2-3-513"), Ok(sid));
        let guid: Guid = "03020100-0504-0706-0809-0a0b0c0d0e0f".parse().unwrap();
        assert_eq!(from_bytes(&guid.to_wire()), Ok(guid));
        assert_eq!(from_bytes(guid.to_string().as_bytes()), Ok(guid));
        assert_eq!(
            from_bytes::<Guid>(b"abcdefghijklmnop").map(|guid| guid.to_wire()),
            Ok(*b"abcdefghijklmnop")
        );
        let time = from_bytes::<GeneralizedTime>(b"20261124093000Z").unwrap();
        assert_eq!(GeneralizedTime::deserialize(StrDeserializer::<Plain>::new("202611240930Z")), Ok(time));
        assert_eq!(
            from_bytes::<FileTime>(b"116444736010000000").map(FileTime::ticks),
            Ok(116_444_736_010_000_000)
        );
    }

    #[test]
    fn what_is_not_of_the_form_is_told() {
        let error = from_bytes::<GeneralizedTime>(b"yesterday").unwrap_err().to_string();
        assert_eq!(error, r#""yesterday" is not a generalized time"#);
        assert_eq!(
            from_bytes::<Sid>(b"\xff").unwrap_err().to_string(),
            "the value is not a security identifier"
        );
    }

    #[test]
    fn they_are_written_as_text() {
        let values = serde_json::json!([
            "S-1-5-32-544".parse::<Sid>().unwrap(),
            "03020100-0504-0706-0809-0a0b0c0d0e0f".parse::<Guid>().unwrap(),
            "20261124093000Z".parse::<GeneralizedTime>().unwrap(),
            FileTime::from_ticks(5),
        ]);
        let texts = r#"["S-1-5-32-544","03020100-0504-0706-0809-0a0b0c0d0e0f","20261124093000Z","5"]"#;
        assert_eq!(values.to_string(), texts);
        assert_eq!(serde_json::from_str::<Sid>(r#""S-1-5-32-544""#).unwrap().to_string(), "S-1-5-32-544");
    }
}
