use std::collections::BTreeMap;

use proptest::prelude::*;
use proto::value::{FileTime, GeneralizedTime, Guid, Sid};
use proto::{ChangeOp, Dn, Entry};
use serde::{Deserialize, Serialize};

use super::changes::changes;
use super::*;
use crate::ReadEntry;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "user")]
    User,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Person {
    dn: Dn,
    #[serde(rename = "objectClass")]
    classes: Vec<String>,
    uid: String,
    #[serde(rename = "uidNumber")]
    number: Option<u32>,
    active: bool,
    kind: Kind,
    initial: char,
    ratio: f64,
    small: u8,
    #[serde(rename = "cn;lang-de")]
    german: Option<String>,
    #[serde(default)]
    mail: Vec<String>,
    photo: Vec<u8>,
    key: [u8; 4],
    #[serde(rename = "userCertificate;binary")]
    certificates: Vec<bytes::Bytes>,
    #[serde(default)]
    tokens: Vec<Vec<u8>>,
    #[serde(rename = "objectSid")]
    sid: Sid,
    #[serde(rename = "entryUUID")]
    guid: Guid,
    changed: GeneralizedTime,
    #[serde(rename = "pwdLastSet")]
    set: FileTime,
}

fn ada() -> Person {
    Person {
        dn: Dn::parse("uid=ada,dc=example,dc=com").unwrap(),
        classes: vec!["top".into(), "account".into()],
        uid: "ada".into(),
        number: Some(1815),
        active: true,
        kind: Kind::User,
        initial: 'a',
        ratio: 0.5,
        small: 7,
        german: Some("Adele".into()),
        mail: vec![],
        photo: vec![0xff, 0xd8, 0],
        key: [1, 2, 3, 4],
        certificates: vec![bytes::Bytes::from_static(&[0x30, 0]), bytes::Bytes::from_static(b"x")],
        tokens: vec![vec![1, 2], vec![3]],
        sid: "S-1-5-32-544".parse().unwrap(),
        guid: "03020100-0504-0706-0809-0a0b0c0d0e0f".parse().unwrap(),
        changed: "20261124093000Z".parse().unwrap(),
        set: FileTime::from_ticks(5),
    }
}

fn entry<T: Serialize>(value: &T) -> Entry {
    let (dn, attributes) = named(value).unwrap();
    attributes.iter().fold(Entry::builder(dn), |entry, (name, values)| entry.attribute(name, values)).build()
}

#[test]
fn what_is_written_is_read_back() {
    let entry = entry(&ada());
    assert_eq!(entry.dn(), "uid=ada,dc=example,dc=com");
    assert_eq!(entry.text("active"), Some("TRUE"));
    assert_eq!(entry.values("photo").collect::<Vec<_>>(), [&[0xff, 0xd8, 0][..]]);
    assert_eq!(entry.values("tokens").count(), 2);
    assert!(!entry.has("mail") && !entry.has("dn"));
    assert_eq!(entry.read::<Person>().unwrap(), ada());
}

#[test]
fn what_cannot_be_an_entry_is_told() {
    #[derive(Serialize)]
    struct Deep {
        inner: BTreeMap<String, String>,
    }
    let error = to_attributes(&Deep { inner: BTreeMap::new() }).unwrap_err();
    assert_eq!(error.to_string(), "attribute inner: a map cannot be an attribute's values");
    assert_eq!(to_attributes("text").unwrap_err().to_string(), "only a struct or a map can be an entry");
    assert!(to_attributes(&Some(vec![1])).is_err());
    #[derive(Serialize)]
    struct Nameless {
        cn: &'static str,
    }
    assert!(named(&Nameless { cn: "x" }).unwrap_err().to_string().contains("`dn`"));
    let elsewhere = Person { dn: Dn::parse("uid=ada,dc=example,dc=org").unwrap(), ..ada() };
    assert_eq!(changes_between(&ada(), &elsewhere).unwrap_err().attribute(), Some("dn"));
}

#[test]
fn a_flattened_map_is_attributes_too() {
    #[derive(Serialize)]
    struct Open {
        cn: &'static str,
        #[serde(flatten)]
        rest: BTreeMap<&'static str, Vec<&'static str>>,
    }
    let open = Open { cn: "x", rest: BTreeMap::from([("mail", vec!["a", "b"]), ("none", vec![])]) };
    let attributes = to_attributes(&open).unwrap();
    let names: Vec<_> = attributes.iter().map(|(name, values)| (name.as_str(), values.len())).collect();
    assert_eq!(names, [("cn", 1), ("mail", 2)]);
}

#[test]
fn only_what_changed_is_changed() {
    let before = ada();
    assert_eq!(changes_between(&before, &before).unwrap(), []);
    let after = Person {
        dn: Dn::parse("UID=ada, dc=example,dc=com").unwrap(),
        number: None,
        active: false,
        mail: vec!["a@example.com".into()],
        classes: vec!["account".into(), "top".into(), "x".into()],
        ..ada()
    };
    let expected = [
        Change::delete_all("uidNumber"),
        Change::add("objectClass", ["x"]),
        Change::replace("active", ["FALSE"]),
        Change::add("mail", ["a@example.com"]),
    ];
    assert_eq!(changes_between(&before, &after).unwrap(), expected);
}

#[test]
fn values_are_changed_one_by_one_or_all_at_once_as_is_shorter() {
    let list = |values: &[&str]| {
        let values: Vec<Bytes> = values.iter().map(|value| Bytes::from(value.to_string())).collect();
        vec![("member".to_owned(), values)]
    };
    let long: Vec<String> =
        (0..100).map(|number| format!("cn=somebody {number},dc=example,dc=com")).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    assert_eq!(changes(&list(&long), &list(&long[1..])), [Change::delete("member", [long[0]])]);
    let swapped: Vec<&str> = [&["new"], &long[1..]].concat();
    let both = [Change::delete("member", [long[0]]), Change::add("member", ["new"])];
    assert_eq!(changes(&list(&long), &list(&swapped)), both);
    assert_eq!(changes(&list(&long), &list(&long[..2])), [Change::replace("member", &long[..2])]);
    assert_eq!(changes(&list(&["a"]), &list(&["A"])), [Change::replace("member", ["A"])]);
    assert_eq!(changes(&list(&["a", "a", "b"]), &list(&["b", "a"])), []);
    assert_eq!(changes(&list(&long), &[]), [Change::delete_all("member")]);
}

#[test]
fn names_that_mean_the_same_are_the_same() {
    let before = Entry::builder("cn=x").attribute("CN;x-b;lang-de", ["a"]).attribute("sn", [""; 0]).build();
    let after = Entry::builder("cn=y").attribute("cn;LANG-DE;x-b", ["a"]).build();
    assert_eq!(changes_between_entries(&before, &after), []);
    let other = Entry::builder("cn=x").attribute("cn;lang-de", ["a"]).build();
    let expected = [Change::delete_all("CN;x-b;lang-de"), Change::add("cn;lang-de", ["a"])];
    assert_eq!(changes_between_entries(&before, &other), expected);
}

/// As a server does it.
fn applied(mut map: BTreeMap<String, Vec<Bytes>>, changes: &[Change]) -> BTreeMap<String, Vec<Bytes>> {
    for change in changes {
        let values = map.entry(change.attribute.clone()).or_default();
        match change.op {
            ChangeOp::Add => {
                assert!(change.values.iter().all(|value| !values.contains(value)), "it is there already");
                values.extend(change.values.iter().cloned());
            }
            ChangeOp::Delete if change.values.is_empty() => {
                assert!(!values.is_empty(), "it is not there");
                values.clear();
            }
            ChangeOp::Delete => change.values.iter().for_each(|gone| {
                let place = values.iter().position(|value| value == gone).expect("it is not there");
                values.remove(place);
            }),
            ChangeOp::Replace => values.clone_from(&change.values),
            ChangeOp::Increment => panic!("nobody asked for sums"),
        }
    }
    map.retain(|_, values| !values.is_empty());
    map.values_mut().for_each(|values| values.sort());
    map
}

proptest! {
    #[test]
    fn the_changes_lead_from_the_one_to_the_other(
        before in proptest::collection::btree_map("[a-c]", proptest::collection::btree_set("[a-f]{1,9}", 0..5), 0..4),
        after in proptest::collection::btree_map("[a-c]", proptest::collection::btree_set("[a-f]{1,9}", 0..5), 0..4),
    ) {
        let map = |attributes: BTreeMap<String, std::collections::BTreeSet<String>>| -> BTreeMap<String, Vec<Bytes>> {
            attributes
                .into_iter()
                .map(|(name, values)| (name, values.into_iter().map(Bytes::from).collect()))
                .collect()
        };
        let (before, after) = (map(before), map(after));
        let list = |map: &BTreeMap<String, Vec<Bytes>>| map.clone().into_iter().collect::<Vec<_>>();
        let changes = changes(&list(&before), &list(&after));
        prop_assert_eq!(applied(before, &changes), applied(after, &[]));
    }
}
