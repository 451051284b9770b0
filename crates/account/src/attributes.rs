//! What the directory said of a person besides their profile: the attributes of the entry at the last look.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::value::{FileTime, GeneralizedTime, Guid, Sid, ValueError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An attribute with a longer value is left out whole, in bytes: a picture is no part of an account.
const LONGEST_VALUE: usize = 16 * 1024;
/// So much is kept of one person, names and values together, in bytes; what comes after that by its name is left out.
const LARGEST: usize = 64 * 1024;

/// Attributes of a person's entry by their names, whose case does not matter, each with all its values in the order the
/// server sent them. Clones share them.
///
/// It holds what was read: what the configuration names, and `user.attributes` besides. Secrets never come this far.
///
/// ```
/// use ldapgate_account::Attributes;
///
/// let attributes: Attributes = serde_json::from_str(
///     r#"{"mail": ["a@example.com", "b@example.com"], "objectSid": [{"base64": "AQEAAAAAAAUSAAAA"}]}"#,
/// )?;
/// assert_eq!(attributes.text("MAIL"), Some("a@example.com"));
/// assert_eq!(attributes.texts("mail").count(), 2);
/// assert_eq!(attributes.get("objectsid")[0].sid()?.to_string(), "S-1-5-18");
/// assert!(attributes.get("telephoneNumber").is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Arc<BTreeMap<String, Attribute>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    name: String,
    values: Vec<AttributeValue>,
}

/// One value as the server sent it.
///
/// In JSON it is text, or `{"base64": ".."}` where it is not clean: no UTF-8, or with control characters in it.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributeValue(Box<[u8]>);

impl Attributes {
    /// Every value of an attribute; none where it was not read or has no value.
    #[must_use]
    pub fn get(&self, name: &str) -> &[AttributeValue] {
        self.0.get(&name.to_ascii_lowercase()).map_or(&[], |attribute| &attribute.values)
    }

    /// The values of an attribute that are text.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).iter().filter_map(AttributeValue::text)
    }

    /// The first value of an attribute that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// Every attribute by the name the server wrote, sorted without regard to case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[AttributeValue])> {
        self.0.values().map(|attribute| (attribute.name.as_str(), attribute.values.as_slice()))
    }

    /// Takes over what was read of a person, as far as it is kept; the names of what is not.
    pub(crate) fn kept<'a>(
        read: impl Iterator<Item = (&'a str, &'a [Vec<u8>])>,
    ) -> (Attributes, Vec<&'a str>) {
        let (mut kept, mut left_out, mut size) = (BTreeMap::new(), Vec::new(), 0_usize);
        for (name, values) in read {
            let whole = values.iter().map(Vec::len).sum::<usize>() + name.len();
            if values.iter().any(|value| value.len() > LONGEST_VALUE) || size + whole > LARGEST {
                left_out.push(name);
                continue;
            }
            size += whole;
            let values = values.iter().map(|value| AttributeValue::of(value)).collect();
            kept.insert(name.to_ascii_lowercase(), Attribute { name: name.to_owned(), values });
        }
        (Attributes(Arc::new(kept)), left_out)
    }
}

impl AttributeValue {
    /// A value of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> AttributeValue {
        AttributeValue(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value as text; `None` when it is no UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The value as a GUID: 16 bytes as in `objectGUID`, or text as in `entryUUID`.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn guid(&self) -> Result<Guid, ValueError> {
        Guid::from_wire(&self.0).or_else(|error| self.text().ok_or(error)?.parse())
    }

    /// The value as a security identifier: bytes as in `objectSid`, or text as in FreeIPA's `ipaNTSecurityIdentifier`.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn sid(&self) -> Result<Sid, ValueError> {
        Sid::from_wire(&self.0).or_else(|error| self.text().ok_or(error)?.parse())
    }

    /// The value as a time such as `createTimestamp`, `whenCreated` or `pwdChangedTime`.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn generalized_time(&self) -> Result<GeneralizedTime, ValueError> {
        self.text().unwrap_or_default().parse()
    }

    /// The value as one of Active Directory's times, such as `pwdLastSet` or `accountExpires`.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn file_time(&self) -> Result<FileTime, ValueError> {
        FileTime::parse(self.text().unwrap_or_default())
    }

    /// Text that may be shown as it is.
    fn clean(&self) -> Option<&str> {
        self.text().filter(|text| !text.contains(char::is_control))
    }
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text:?}"),
            None => write!(f, "{:02x?}", &self.0),
        }
    }
}

/// A value that is no clean text, in JSON.
#[derive(Serialize, Deserialize)]
struct Encoded<T> {
    base64: T,
}

/// A value in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Encoded(Encoded<String>),
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.clean() {
            Some(text) => serializer.serialize_str(text),
            None => Encoded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(AttributeValue::of(text.as_bytes())),
            Written::Encoded(Encoded { base64 }) => STANDARD
                .decode(base64)
                .map(|bytes| AttributeValue::of(&bytes))
                .map_err(serde::de::Error::custom),
        }
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = BTreeMap::<String, Vec<AttributeValue>>::deserialize(deserializer)?;
        let attribute = |(name, values): (String, _)| (name.to_ascii_lowercase(), Attribute { name, values });
        Ok(Attributes(Arc::new(read.into_iter().map(attribute).collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept<'a>(read: &'a [(&'a str, Vec<Vec<u8>>)]) -> (Attributes, Vec<&'a str>) {
        Attributes::kept(read.iter().map(|(name, values)| (*name, values.as_slice())))
    }

    #[test]
    fn what_is_no_clean_text_is_written_as_base64_and_read_back() {
        let values = vec![b"caf\xc3\xa9".to_vec(), b"\xff\x00".to_vec(), b"two\nlines".to_vec()];
        let read = [("description", values)];
        let (attributes, _) = kept(&read);
        let written = serde_json::to_value(&attributes).unwrap();
        let expected = serde_json::json!({
            "description": ["caf\u{e9}", {"base64": "/wA="}, {"base64": "dHdvCmxpbmVz"}]
        });
        assert_eq!(written, expected);
        let read: Attributes = serde_json::from_value(written).unwrap();
        assert_eq!(read, attributes);
        assert_eq!(read.texts("DESCRIPTION").collect::<Vec<_>>(), ["caf\u{e9}", "two\nlines"]);
    }

    #[test]
    fn what_is_too_large_is_left_out_whole_and_named() {
        let small = vec![b"x".to_vec()];
        let large = || vec![vec![b'x'; LONGEST_VALUE]; 3];
        let read = [
            ("audio", large()),
            ("jpegPhoto", vec![vec![0; LONGEST_VALUE + 1]]),
            ("cn", small.clone()),
            ("photo", large()),
            ("sn", small),
        ];
        let (attributes, left_out) = kept(&read);
        assert_eq!(left_out, ["jpegPhoto", "photo"]);
        assert_eq!(attributes.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["audio", "cn", "sn"]);
    }

    #[test]
    fn values_are_read_as_what_they_are() {
        let guid = AttributeValue::of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        let text = "03020100-0504-0706-0809-0a0b0c0d0e0f";
        assert_eq!(guid.guid().unwrap().to_string(), text);
        assert_eq!(AttributeValue::of(text.as_bytes()).guid(), guid.guid());
        assert_eq!(AttributeValue::of(b"S-1-5-18").sid().unwrap().to_string(), "S-1-5-18");
        let time = AttributeValue::of(b"20231114221320Z").generalized_time().unwrap();
        assert_eq!(time.unix_seconds(), 1_700_000_000);
        assert_eq!(
            AttributeValue::of(b"116444736010000000").file_time().unwrap().ticks(),
            116_444_736_010_000_000
        );
        let nonsense = AttributeValue::of(b"\xff");
        assert!(nonsense.guid().is_err() && nonsense.sid().is_err() && nonsense.file_time().is_err());
        assert!(nonsense.generalized_time().is_err());
    }
}
