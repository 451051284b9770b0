use std::collections::BTreeMap;

use proto::{Dn, Entry};
use serde::Deserialize;

use super::{Fields, ReadEntry, fields};

fn ada() -> Entry {
    Entry::builder("uid=ada,ou=people,dc=example,dc=com")
        .attribute("UID", ["ada"])
        .attribute("cn", ["Ada Lovelace", "Ada King"])
        .attribute("uidNumber", ["1815"])
        .attribute("pwdReset", ["TRUE"])
        .attribute("memberOf", ["cn=staff,dc=example,dc=com", "CN=Math , dc=example,dc=com"])
        .attribute("jpegPhoto", [[0xff, 0xd8, 0xff]])
        .attribute("userCertificate;binary", [[0x30, 0x00]])
        .build()
}

#[test]
fn values_are_borrowed_converted_and_collected() {
    #[derive(Deserialize)]
    struct Person<'e> {
        dn: &'e str,
        uid: &'e str,
        cn: Vec<String>,
        #[serde(rename = "uidnumber")]
        number: u32,
        #[serde(rename = "pwdReset")]
        reset: bool,
        #[serde(default, rename = "memberOf")]
        groups: Vec<Dn>,
        #[serde(rename = "jpegPhoto")]
        photo: Option<&'e [u8]>,
        #[serde(rename = "userCertificate;binary")]
        certificate: &'e [u8],
        mail: Option<String>,
        #[serde(default)]
        telephone: Vec<&'e str>,
    }
    let entry = ada();
    let person: Person<'_> = entry.read().unwrap();
    assert_eq!(person.dn, "uid=ada,ou=people,dc=example,dc=com");
    assert_eq!((person.uid, person.number, person.reset), ("ada", 1815, true));
    assert_eq!(person.cn, ["Ada Lovelace", "Ada King"]);
    assert_eq!(person.groups[1], Dn::parse("cn=math,dc=example,dc=com").unwrap());
    assert_eq!(person.photo, Some(&[0xff, 0xd8, 0xff][..]));
    assert_eq!(person.certificate, [0x30, 0x00]);
    assert!(person.mail.is_none() && person.telephone.is_empty());
}

#[test]
fn an_error_names_entry_attribute_and_count() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "reading fails")]
    struct Named {
        cn: String,
    }
    let error = ada().read::<Named>().unwrap_err();
    assert_eq!((error.attribute(), error.count()), (Some("cn"), Some(2)));
    assert_eq!(
        error.to_string(),
        r#"entry "uid=ada,ou=people,dc=example,dc=com", attribute cn: exactly one value is needed, found 2"#
    );

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "reading fails")]
    struct Mailed {
        mail: String,
    }
    let error = ada().read::<Mailed>().unwrap_err();
    assert_eq!((error.attribute(), error.count()), (Some("mail"), Some(0)));
}

#[test]
fn an_optional_value_is_not_one_of_several() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "reading fails")]
    struct Named {
        cn: Option<String>,
    }
    assert_eq!(ada().read::<Named>().unwrap_err().count(), Some(2));
}

#[test]
fn values_of_the_wrong_kind_are_told() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "reading fails")]
    struct Wrong {
        uid: u32,
    }
    let error = ada().read::<Wrong>().unwrap_err().to_string();
    assert!(error.ends_with(r#"attribute uid: "ada" is no positive integer of 32 bits"#), "{error}");

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "reading fails")]
    struct Text {
        #[serde(rename = "jpegPhoto")]
        photo: String,
    }
    let error = ada().read::<Text>().unwrap_err().to_string();
    assert!(error.ends_with("attribute jpegPhoto: the value is not UTF-8"), "{error}");
}

#[test]
fn a_map_takes_everything() {
    let entry = Entry::builder("cn=x").attribute("a", ["1"]).attribute("b", ["2", "3"]).build();
    let all: BTreeMap<String, Vec<String>> = entry.read().unwrap();
    assert_eq!(all["a"], ["1"]);
    assert_eq!(all["b"], ["2", "3"]);
}

#[test]
fn types_tell_their_fields() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' names are of interest")]
    struct Person {
        dn: String,
        uid: String,
        #[serde(rename = "memberOf")]
        groups: Vec<String>,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' names are of interest")]
    struct Wrapped(Person);
    assert_eq!(fields::<Person>(), Fields::These(vec!["uid", "memberOf"]));
    assert_eq!(fields::<Wrapped>(), Fields::These(vec!["uid", "memberOf"]));
    assert_eq!(fields::<BTreeMap<String, String>>(), Fields::All);
}

#[test]
fn bytes_are_one_value_in_every_rust_form() {
    #[derive(Debug, Deserialize)]
    struct Forms {
        photo: Vec<u8>,
        key: [u8; 3],
        #[serde(default)]
        photos: Vec<Vec<u8>>,
        raw: Option<bytes::Bytes>,
    }
    let entry = Entry::builder("cn=x")
        .attribute("photo", [[0x35]])
        .attribute("key", ["abc"])
        .attribute("photos", [&[1_u8, 2][..], &[3]])
        .attribute("raw", [[0xff]])
        .build();
    let read: Forms = entry.read().unwrap();
    assert_eq!((read.photo, read.key), (vec![0x35], *b"abc"));
    assert_eq!(read.photos, [vec![1, 2], vec![3]]);
    assert_eq!(read.raw.unwrap(), [0xff][..]);
    let two = Entry::builder("cn=x").attribute("photo", ["a", "b"]).attribute("key", ["abc"]).build();
    let error = two.read::<Forms>().unwrap_err();
    assert_eq!((error.attribute(), error.count()), (Some("photo"), Some(2)));
    let long = Entry::builder("cn=x").attribute("photo", ["a"]).attribute("key", ["abcd"]).build();
    assert_eq!(long.read::<Forms>().unwrap_err().attribute(), Some("key"));
}

#[test]
fn what_is_flattened_goes_into_a_map_or_a_struct() {
    #[derive(Deserialize)]
    struct Many(#[serde(deserialize_with = "super::many")] Vec<String>);
    #[derive(Deserialize)]
    struct Open {
        uid: String,
        #[serde(rename = "uidNumber")]
        number: u32,
        #[serde(flatten)]
        rest: BTreeMap<String, Many>,
    }
    let entry = Entry::builder("cn=x")
        .attribute("uid", ["ada"])
        .attribute("uidNumber", ["5"])
        .attribute("cn", ["a", "b"])
        .attribute("cn;lang-de", ["c"])
        .build();
    let open: Open = entry.read().unwrap();
    assert_eq!((open.uid.as_str(), open.number), ("ada", 5));
    assert_eq!(open.rest["cn"].0, ["a", "b"]);
    assert_eq!(open.rest["cn;lang-de"].0, ["c"]);
}

#[test]
fn the_name_is_read_beside_and_within_what_is_flattened() {
    #[derive(Debug, Deserialize)]
    struct Open<D> {
        dn: D,
        uid: String,
        #[serde(flatten)]
        rest: BTreeMap<String, String>,
    }
    #[derive(Deserialize)]
    struct Base {
        dn: String,
        cn: Option<String>,
    }
    #[derive(Deserialize)]
    struct Person {
        uid: String,
        #[serde(flatten)]
        base: Base,
    }
    #[derive(Deserialize)]
    struct Nameless {
        #[serde(flatten)]
        rest: BTreeMap<String, String>,
    }
    #[derive(Deserialize)]
    struct Newtype(Open<Dn>);
    let entry = Entry::builder("uid=ada,dc=x").attribute("uid", ["ada"]).attribute("cn", ["Ada"]).build();

    let open: Open<String> = entry.read().unwrap();
    assert_eq!((open.dn.as_str(), open.uid.as_str()), ("uid=ada,dc=x", "ada"));
    assert_eq!(open.rest, BTreeMap::from([("cn".to_owned(), "Ada".to_owned())]));
    assert_eq!(entry.read::<Open<&str>>().unwrap().dn, "uid=ada,dc=x");
    assert_eq!(entry.read::<Open<Option<String>>>().unwrap().dn.as_deref(), Some("uid=ada,dc=x"));
    assert_eq!(entry.read::<Newtype>().unwrap().0.dn, Dn::parse("uid=ada,dc=x").unwrap());

    let person: Person = entry.read().unwrap();
    assert_eq!((person.uid.as_str(), person.base.dn.as_str()), ("ada", "uid=ada,dc=x"));
    assert_eq!(person.base.cn.as_deref(), Some("Ada"));

    assert!(!entry.read::<Nameless>().unwrap().rest.contains_key("dn"), "nothing asks for it");
    assert!(!entry.read::<BTreeMap<String, String>>().unwrap().contains_key("dn"));

    let own = Entry::builder("cn=x").attribute("dn", ["its own"]).attribute("uid", ["x"]).build();
    assert_eq!(own.read::<Open<String>>().unwrap().dn, "its own");
    let error = Entry::builder("cn=x").build().read::<Open<String>>().unwrap_err();
    assert_eq!((error.attribute(), error.count()), (Some("uid"), Some(0)));
}

#[test]
fn directory_types_are_read_from_text_and_from_the_wire() {
    use proto::value::{FileTime, GeneralizedTime, Guid, Sid};
    #[derive(Debug, Deserialize)]
    struct Account {
        #[serde(rename = "objectSid")]
        sid: Sid,
        #[serde(rename = "objectGUID")]
        guid: Guid,
        #[serde(rename = "whenChanged")]
        changed: GeneralizedTime,
        #[serde(rename = "pwdLastSet")]
        set: Option<FileTime>,
    }
    let sid: Sid = "S-1-5-21-1-2-3-513".parse().unwrap();
    let entry = Entry::builder("cn=x")
        .attribute("objectSid", [sid.to_wire()])
        .attribute("objectGUID", [b"abcdefghijklmnop"])
        .attribute("whenChanged", ["20261124093000.0Z"])
        .attribute("pwdLastSet", ["0"])
        .build();
    let account: Account = entry.read().unwrap();
    assert_eq!((account.sid, account.guid.to_wire()), (sid, *b"abcdefghijklmnop"));
    assert_eq!((account.changed.unix_seconds(), account.set.unwrap().ticks()), (1_795_512_600, 0));
    let wrong = Entry::builder("cn=x")
        .attribute("objectSid", ["x"])
        .attribute("objectGUID", ["y"])
        .attribute("whenChanged", ["z"])
        .build();
    let error = wrong.read::<Account>().unwrap_err().to_string();
    assert!(error.ends_with(r#"attribute objectSid: "x" is not a security identifier"#), "{error}");
}
