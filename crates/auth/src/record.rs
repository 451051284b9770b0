//! An entry as it is kept: whose it is, what is shown of it, and nothing secret.

use std::collections::BTreeMap;

use proto::range::RangeError;
use proto::value::{Guid, Sid, is_secret};
use proto::{Dn, Entry, Range};

use crate::credentials::deceives;
use crate::{Error, Fold, Settings};

/// The two attributes that say who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) username: String,
}

/// An entry as it is kept: without secrets, its name parsed.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) dn: Dn,
    pub(crate) attributes: Attributes,
}

/// Attributes in the order of their names in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes(Vec<Attribute>);

#[derive(Debug, Clone)]
struct Attribute {
    name: String,
    values: Vec<Vec<u8>>,
    /// Which of its values these are, where the server said so.
    range: Option<Range>,
}

impl Record {
    /// Takes an entry over; an entry without a usable name is the directory's fault.
    pub(crate) fn read(entry: &Entry) -> Result<Record, Error> {
        let dn = entry.parse_dn().map_err(|error| {
            Error::directory(format!(
                "the directory sent an entry with a name that is none: {:?}: {error}",
                entry.dn()
            ))
        })?;
        if dn.is_root() {
            return Err(Error::directory("the directory sent a person without a name"));
        }
        let mut attributes = Attributes::default();
        for attribute in entry.attributes().filter(|attribute| !is_secret(attribute.name())) {
            attributes.add(attribute);
        }
        Ok(Record { dn, attributes })
    }

    /// Who this is.
    pub(crate) fn identity(&self, settings: &Settings) -> Result<Identity, Error> {
        Ok(Identity { id: self.id(settings)?, username: self.username(settings)? })
    }

    /// The stable key.
    pub(crate) fn id(&self, settings: &Settings) -> Result<String, Error> {
        let attribute = &settings.user.id_attribute;
        format_id(attribute, self.single(attribute)?).ok_or_else(|| self.odd(attribute, "is not text"))
    }

    /// The canonical name.
    pub(crate) fn username(&self, settings: &Settings) -> Result<String, Error> {
        let attribute = &settings.user.username_attribute;
        let value =
            std::str::from_utf8(self.single(attribute)?).map_err(|_| self.odd(attribute, "is not text"))?;
        let value = value.trim();
        if value.is_empty() || value.chars().any(deceives) {
            return Err(self.odd(attribute, "is empty or holds characters that no name has"));
        }
        Ok(settings.fold.apply(value))
    }

    /// Exactly one value, or an error: two would make two people of one, or one of two.
    fn single(&self, attribute: &str) -> Result<&[u8], Error> {
        match self.attributes.values(attribute) {
            [value] => Ok(value),
            [] => Err(Error::configuration(format!(
                "{} shows no {attribute}: the person who reads it may not see it, or it is another attribute",
                self.dn
            ))),
            values => Err(self.odd(attribute, &format!("has {} values", values.len()))),
        }
    }

    fn odd(&self, attribute: &str, what: &str) -> Error {
        Error::directory(format!("{attribute} of {} {what}", self.dn))
    }

    /// The configured fields: the first value of each attribute.
    pub(crate) fn fields(&self, settings: &Settings) -> BTreeMap<String, String> {
        let first = |attribute: &String| self.attributes.shown(attribute).next();
        settings
            .fields
            .iter()
            .filter_map(|(field, attribute)| Some((field.clone(), first(attribute)?)))
            .collect()
    }

    /// The configured lists: every value of each attribute.
    pub(crate) fn lists(&self, settings: &Settings) -> BTreeMap<String, Vec<String>> {
        let all = |attribute: &String| self.attributes.shown(attribute).collect();
        settings.lists.iter().map(|(list, attribute)| (list.clone(), all(attribute))).collect()
    }
}

impl Attributes {
    /// Every attribute by the name the server wrote.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        self.0.iter().map(|attribute| (attribute.name.as_str(), attribute.values.as_slice()))
    }

    /// Every value, in the server's order.
    pub(crate) fn values(&self, name: &str) -> &[Vec<u8>] {
        self.get(name).map_or(&[], |attribute| &attribute.values)
    }

    /// The values that are text.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name).iter().filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The first value that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// The values as people write them; those that no text form is known for are left out.
    fn shown(&self, name: &str) -> impl Iterator<Item = String> {
        self.values(name).iter().filter_map(move |value| shown(name, value))
    }

    /// Did the server send only some of the values (`memberOf;range=0-1499`)?
    pub(crate) fn is_partial(&self, name: &str) -> bool {
        self.rest(name).is_some()
    }

    /// The attributes of which the server sent only some values.
    pub(crate) fn partial(&self) -> Vec<String> {
        let partial = self.0.iter().filter(|attribute| attribute.is_partial());
        partial.map(|attribute| attribute.name.clone()).collect()
    }

    /// The description that asks for the values of an attribute that are still missing.
    pub(crate) fn rest(&self, name: &str) -> Option<String> {
        let attribute = self.get(name).filter(|attribute| attribute.is_partial())?;
        let range = attribute.range?;
        // Without its beginning a list is never whole.
        Some(range.rest().unwrap_or(range).of(&attribute.name))
    }

    /// Adds values that were asked for by [`Attributes::rest`].
    pub(crate) fn append(&mut self, name: &str, mut part: Attributes) -> Result<(), RangeError> {
        let whole = Range { first: 0, last: None };
        let (next, values) = match part.place(name) {
            Ok(at) => (part.0[at].range.unwrap_or(whole), std::mem::take(&mut part.0[at].values)),
            Err(_) => (whole, Vec::new()),
        };
        if let Ok(at) = self.place(name) {
            let mine = &mut self.0[at];
            let held = mine.range.unwrap_or(whole);
            mine.range = Some(held.joined(mine.values.len(), next, values.len())?);
            mine.values.extend(values);
        }
        Ok(())
    }

    fn add(&mut self, attribute: proto::Attribute<'_>) {
        let (name, range) = match Range::split(attribute.name()) {
            Some((name, range)) => (name, Some(range)),
            None => (attribute.name(), None),
        };
        let values = attribute.values().map(<[u8]>::to_vec);
        match self.place(name) {
            Ok(at) => {
                let slot = &mut self.0[at];
                slot.values.extend(values);
                slot.range = range.or(slot.range);
            }
            Err(at) => {
                self.0.insert(at, Attribute { name: name.to_owned(), values: values.collect(), range });
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Attribute> {
        self.place(name).ok().map(|at| &self.0[at])
    }

    /// Where the attribute is, or would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| in_lower_case(&known.name).cmp(in_lower_case(name)))
    }

    #[cfg(test)]
    pub(crate) fn of(attributes: &[(&str, &[&str])]) -> Attributes {
        let mut all = Attributes::default();
        for (name, values) in attributes {
            let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
            let at = all.place(name).unwrap_or_else(|at| at);
            all.0.insert(at, Attribute { name: (*name).to_owned(), values, range: None });
        }
        all
    }
}

impl Attribute {
    fn is_partial(&self) -> bool {
        self.range.is_some_and(|range| !range.is_whole())
    }
}

fn in_lower_case(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Attributes that hold GUIDs, and those that hold security identifiers, as bytes.
const GUIDS: [&str; 2] = ["objectGUID", "mS-DS-ConsistencyGuid"];
const SIDS: [&str; 2] = ["objectSid", "sIDHistory"];

/// A value as people write it.
fn shown(attribute: &str, value: &[u8]) -> Option<String> {
    let is_one_of = |names: [&str; 2]| names.iter().any(|name| name.eq_ignore_ascii_case(attribute));
    let usual = if is_one_of(GUIDS) {
        guid(value)
    } else if is_one_of(SIDS) {
        Sid::from_wire(value).ok().map(|sid| sid.to_string())
    } else {
        None
    };
    usual.or_else(|| String::from_utf8(value.to_vec()).ok())
}

fn guid(value: &[u8]) -> Option<String> {
    Guid::from_wire(value).ok().map(|guid| guid.to_string())
}

/// The stable key as text: AD's `objectGUID` in its mixed-endian order (MS-DTYP 2.3.4.2), other UUIDs in lower case,
/// everything else as it was sent.
fn format_id(attribute: &str, value: &[u8]) -> Option<String> {
    if attribute.eq_ignore_ascii_case("objectGUID") {
        return guid(value);
    }
    let text = std::str::from_utf8(value).ok().filter(|text| !text.is_empty())?;
    Some(if text.parse::<Guid>().is_ok() { text.to_ascii_lowercase() } else { text.to_owned() })
}

/// The stable key as the directory compares it: the way back from [`format_id`]. `None` when the attribute holds no such
/// value.
pub(crate) fn id_value(attribute: &str, id: &str) -> Option<Vec<u8>> {
    if attribute.eq_ignore_ascii_case("objectGUID") {
        return id.parse::<Guid>().ok().map(|id| id.to_wire().to_vec());
    }
    (!id.is_empty()).then(|| id.as_bytes().to_vec())
}

/// Folds a name that no directory has spoken about yet, for counting.
pub(crate) fn counting_name(folded: &str) -> String {
    Fold::Lower.apply(folded).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vendor;

    fn settings() -> Settings {
        Settings::preset("main", Vendor::OpenLdap, Dn::parse("dc=example,dc=com").unwrap())
    }

    fn record(attributes: &[(&str, &[&str])]) -> Record {
        Record {
            dn: Dn::parse("uid=alice,dc=example,dc=com").unwrap(),
            attributes: Attributes::of(attributes),
        }
    }

    const UUID: &str = "0D5D7A2C-1111-4222-8333-ABCDEF012345";

    #[test]
    fn an_id_of_active_directory_is_written_in_its_own_order() {
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(format_id("objectGuid", &bytes).as_deref(), Some("03020100-0504-0706-0809-0a0b0c0d0e0f"));
        assert_eq!(format_id("objectGUID", &bytes[1..]), None);
        let written = format_id("objectGUID", &bytes).unwrap();
        assert_eq!(id_value("OBJECTGUID", &written), Some(bytes));
        assert_eq!(id_value("objectGUID", "alice"), None);
    }

    #[test]
    fn other_ids_are_lower_case_uuids_or_as_sent() {
        assert_eq!(format_id("entryUUID", UUID.as_bytes()), Some(UUID.to_lowercase()));
        let unique = "5A1B2C3D-4E5F6071-8293A4B5-C6D7E8F9";
        assert_eq!(format_id("nsUniqueId", unique.as_bytes()).as_deref(), Some(unique));
        assert_eq!(format_id("x", b"\xff"), None);
        assert_eq!(format_id("x", b""), None);
    }

    #[test]
    fn the_name_is_the_directory_s_own_and_folded() {
        let identity = record(&[("uid", &[" Alice"]), ("ENTRYUUID", &[UUID])]).identity(&settings()).unwrap();
        assert_eq!((identity.username.as_str(), identity.id), ("alice", UUID.to_lowercase()));
    }

    #[test]
    fn an_identity_attribute_with_two_values_is_an_error() {
        let error =
            record(&[("uid", &["alice", "bob"]), ("entryUUID", &[UUID])]).identity(&settings()).unwrap_err();
        assert_eq!(error.to_string(), "uid of uid=alice,dc=example,dc=com has 2 values");
        let error =
            record(&[("uid", &["alice"]), ("entryUUID", &[UUID, "x"])]).identity(&settings()).unwrap_err();
        assert_eq!(error.fault(), crate::Fault::Directory);
    }

    #[test]
    fn an_identity_that_cannot_be_read_is_the_configuration_s_fault() {
        let error = record(&[("uid", &["alice"])]).identity(&settings()).unwrap_err();
        assert_eq!(error.fault(), crate::Fault::Configuration);
        assert!(error.to_string().contains("entryUUID"));
    }

    #[test]
    fn a_name_that_could_deceive_is_an_error() {
        let error =
            record(&[("uid", &["ali\u{202e}ce"]), ("entryUUID", &[UUID])]).identity(&settings()).unwrap_err();
        assert!(error.to_string().contains("characters"));
    }

    #[test]
    fn secrets_are_dropped_when_they_are_read() {
        let entry = Entry::builder("uid=alice,dc=x")
            .attribute("cn", ["Alice"])
            .attribute("userPassword", ["secret"])
            .attribute("USERPASSWORD;x-old", ["secret"])
            .attribute("unicodePwd", ["secret"])
            .build();
        let record = Record::read(&entry).unwrap();
        assert_eq!(record.attributes.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["cn"]);
    }

    #[test]
    fn an_entry_without_a_name_is_nobody() {
        for dn in ["", "no name"] {
            assert!(Record::read(&Entry::builder(dn).attribute("uid", ["alice"]).build()).is_err(), "{dn:?}");
        }
    }

    #[test]
    fn binary_ids_are_shown_as_people_write_them() {
        let mut settings = settings();
        settings.fields = [("guid", "objectGUID"), ("sid", "objectsid"), ("photo", "jpegPhoto")]
            .map(|(a, b)| (a.into(), b.into()))
            .into();
        settings.lists = [("before".to_owned(), "sIDHistory".to_owned())].into();
        let sid = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
        let entry = Entry::builder("cn=ada,dc=x")
            .attribute("objectGUID", [(0..16).collect::<Vec<u8>>()])
            .attribute("objectSid", [sid])
            .attribute("sIDHistory", [sid, sid])
            .attribute("jpegPhoto", [[0xff_u8, 0xd8]])
            .build();
        let record = Record::read(&entry).unwrap();
        let fields = record.fields(&settings);
        assert_eq!(
            (fields["guid"].as_str(), fields["sid"].as_str()),
            ("03020100-0504-0706-0809-0a0b0c0d0e0f", "S-1-5-18")
        );
        assert_eq!(record.lists(&settings)["before"], ["S-1-5-18", "S-1-5-18"]);
        assert!(!fields.contains_key("photo"), "bytes that are no text are no field");
    }

    #[test]
    fn a_field_takes_the_first_value_and_a_list_all() {
        let mut settings = settings();
        settings.fields =
            [("first_name", "GIVENNAME"), ("gone", "sn")].map(|(a, b)| (a.into(), b.into())).into();
        settings.lists =
            [("phones", "telephoneNumber"), ("none", "fax")].map(|(a, b)| (a.into(), b.into())).into();
        let record = record(&[("givenName", &["Alice", "Al"]), ("telephoneNumber", &["1", "2"])]);
        assert_eq!(record.fields(&settings), [("first_name".to_owned(), "Alice".to_owned())].into());
        let lists = record.lists(&settings);
        assert_eq!((&lists["phones"][..], lists["none"].len()), (&["1".to_owned(), "2".to_owned()][..], 0));
    }
}
