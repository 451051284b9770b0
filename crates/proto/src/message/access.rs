//! An entry as a map, as LDIF, as JSON, and attributes looked up without regard to their options.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::{Attribute, Entry};
use crate::ldif;

impl Entry {
    /// Every attribute of this type, whatever options it has besides those of the name (RFC 4512 section 2.5.2): `cn` finds
    /// `cn`, `cn;lang-de` and `cn;lang-de;x-other`; `cn;lang-de` finds the last two.
    ///
    /// ```
    /// use ldapgate_proto::Entry;
    ///
    /// let entry = Entry::builder("uid=ada").attribute("cn", ["Ada"]).attribute("cn;lang-de", ["Adele"]).build();
    /// let names: Vec<&str> = entry.attributes_of("CN").map(|attribute| attribute.name()).collect();
    /// assert_eq!(names, ["cn", "cn;lang-de"]);
    /// ```
    pub fn attributes_of(&self, name: &str) -> impl Iterator<Item = Attribute<'_>> {
        self.attributes().filter(move |attribute| is_kind_of(attribute.name(), name))
    }

    /// The values of every attribute of this type, whatever options it has, in the server's order.
    ///
    /// ```
    /// use ldapgate_proto::Entry;
    ///
    /// let entry = Entry::builder("uid=ada").attribute("userCertificate;binary", [[0x30, 0x00]]).build();
    /// assert_eq!(entry.values("userCertificate").count(), 0);
    /// assert_eq!(entry.values_of_any_option("userCertificate").count(), 1);
    /// ```
    pub fn values_of_any_option(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.attributes_of(name).flat_map(|attribute| attribute.values())
    }

    /// A copy of all attributes, their names in lower case, to look many of them up or to change them.
    ///
    /// ```
    /// use ldapgate_proto::Entry;
    ///
    /// let entry = Entry::builder("uid=ada").attribute("givenName", ["Ada", "Augusta"]).build();
    /// assert_eq!(entry.to_map()["givenname"], ["Ada", "Augusta"]);
    /// ```
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, Vec<Bytes>> {
        let mut map: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
        for attribute in self.attributes() {
            let values = map.entry(attribute.name().to_ascii_lowercase()).or_default();
            values.extend(attribute.values().map(Bytes::copy_from_slice));
        }
        map
    }

    /// The entry as `ldapsearch -LLL` prints it, with the empty line after it.
    ///
    /// ```
    /// use ldapgate_proto::Entry;
    ///
    /// let entry = Entry::builder("uid=ada").attribute("cn", ["Ada", "J\u{fc}rgen"]).build();
    /// assert_eq!(entry.to_ldif(), "dn: uid=ada\ncn: Ada\ncn:: SsO8cmdlbg==\n\n");
    /// ```
    #[must_use]
    pub fn to_ldif(&self) -> String {
        let mut writer = ldif::Writer::new(Vec::new());
        // Writing to memory does not fail.
        let _ = writer.entry(self);
        String::from_utf8_lossy(&writer.into_inner()).into_owned()
    }
}

/// Has `name` the type and at least the options of `wanted`?
fn is_kind_of(name: &str, wanted: &str) -> bool {
    let (mut mine, mut theirs) = (name.split(';'), wanted.split(';'));
    let same = |one: Option<&str>, other: Option<&str>| {
        one.unwrap_or_default().eq_ignore_ascii_case(other.unwrap_or_default())
    };
    if !same(mine.next(), theirs.next()) {
        return false;
    }
    theirs.all(|option| mine.clone().any(|own| own.eq_ignore_ascii_case(option)))
}

/// `{"dn": "uid=ada", "attributes": {"cn": ["Ada"]}}`, as `ldapgate search --json` writes it.
///
/// A value that is no clean text, because it is not UTF-8 or has control characters, is `{"base64": ".."}`. Attributes of
/// one name that come twice are written twice.
///
/// ```
/// use ldapgate_proto::Entry;
///
/// let entry = Entry::builder("uid=ada").attribute("cn", ["Ada"]).attribute("photo", [[0xff, 0xd8]]).build();
/// let json = serde_json::to_string(&entry)?;
/// assert_eq!(json, r#"{"dn":"uid=ada","attributes":{"cn":["Ada"],"photo":[{"base64":"/9g="}]}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("Entry", 2)?;
        entry.serialize_field("dn", self.dn())?;
        entry.serialize_field("attributes", &Attributes(self))?;
        entry.end()
    }
}

struct Attributes<'e>(&'e Entry);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for attribute in self.0.attributes() {
            map.serialize_entry(attribute.name(), &Values(attribute))?;
        }
        map.end()
    }
}

struct Values<'e>(Attribute<'e>);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for value in self.0.values() {
            list.serialize_element(&Value(value))?;
        }
        list.end()
    }
}

struct Value<'e>(&'e [u8]);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.chars().any(char::is_control) => serializer.serialize_str(text),
            _ => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &STANDARD.encode(self.0))?;
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_looked_through() {
        for (name, wanted, found) in [
            ("cn", "CN", true),
            ("cn;lang-de", "cn", true),
            ("cn;lang-de;x-a", "cn;X-A", true),
            ("cn;lang-de", "cn;lang-en", false),
            ("cn", "cn;lang-de", false),
            ("cnx", "cn", false),
            ("member;range=0-9", "member", true),
        ] {
            assert_eq!(is_kind_of(name, wanted), found, "{name} {wanted}");
        }
    }

    #[test]
    fn a_map_joins_names_that_differ_in_case_alone() {
        let entry = Entry::builder("cn=x")
            .attribute("A", ["1"])
            .attribute("a", ["2"])
            .attribute("b", [""; 0])
            .build();
        let map = entry.to_map();
        assert_eq!(map["a"], ["1", "2"]);
        assert!(map["b"].is_empty());
    }

    #[test]
    fn ldif_and_json_show_every_byte() {
        let entry = Entry::builder("cn=x").attribute("a", ["two\nlines", "", " x"]).build();
        assert_eq!(entry.to_ldif(), "dn: cn=x\na:: dHdvCmxpbmVz\na:\na:: IHg=\n\n");
        let json = serde_json::to_value(&entry).unwrap();
        assert_eq!(json["attributes"]["a"], serde_json::json!([{ "base64": "dHdvCmxpbmVz" }, "", " x"]));
    }
}
