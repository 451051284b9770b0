//! A struct as an entry, and the smallest change of it

use ldapgate_client::{Connection, Password, ReadEntry, Search, changes_between, changes_between_entries};
use proto::value::{GeneralizedTime, Guid, Sid};
use serde::{Deserialize, Serialize};

use super::administrator::{self, unit};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) dn: String,
    #[serde(rename = "objectClass")]
    classes: Vec<String>,
    cn: Vec<String>,
    sn: String,
    title: Option<String>,
    #[serde(default)]
    pub(super) mail: Vec<String>,
    #[serde(rename = "description;lang-de")]
    german: Option<String>,
    #[serde(default, rename = "jpegPhoto")]
    photo: Vec<u8>,
}

pub(super) fn person(dn: String) -> Person {
    let classes = ["top", "person", "organizationalPerson", "inetOrgPerson"];
    Person {
        dn,
        classes: classes.map(str::to_owned).to_vec(),
        cn: vec!["Ada".into()],
        sn: "Lovelace".into(),
        title: Some("Countess".into()),
        mail: (0..9).map(|number| format!("ada{number}@example.com")).collect(),
        german: Some("Gr\u{e4}fin".into()),
        photo: vec![0xff, 0xd8, 0x00],
    }
}

async fn a_struct_is_added_read_changed_and_read_again(connection: &Connection, base: &str) {
    let before = person(format!("cn=Ada,{base}"));
    connection.add_entry(&before).await.unwrap();
    let search = Search::read(before.dn.as_str()).reading::<Person>();
    let entry = async || connection.search(&search).await.unwrap().entries.remove(0);
    let old = entry().await;
    // A server keeps its own order of values.
    let sorted = |mut person: Person| {
        [&mut person.classes, &mut person.cn, &mut person.mail].into_iter().for_each(|values| values.sort());
        Person { dn: person.dn.to_lowercase(), ..person }
    };
    assert_eq!(sorted(old.read().unwrap()), sorted(before.clone()));

    let mut after = before.clone();
    after.title = None;
    after.mail.remove(3);
    after.mail.push("ada@example.org".into());
    after.cn.push("Augusta".into());
    after.german = Some("Gr\u{e4}fin von Lovelace".into());
    after.photo.push(1);
    let changes = changes_between(&before, &after).unwrap();
    let said: Vec<_> = changes.iter().map(|change| format!("{change:?}")).collect();
    let expected = [
        "Delete title(0)",
        "Add cn(1)",
        "Delete mail(1)",
        "Add mail(1)",
        "Replace description;lang-de(1)",
        "Replace jpegPhoto(1)",
    ];
    assert_eq!(said, expected);
    assert!(connection.modify_entry(&before, &after).await.unwrap().is_some());
    let new = entry().await;
    assert_eq!(sorted(new.read().unwrap()), sorted(after.clone()));
    assert!(connection.modify_entry(&after, &after).await.unwrap().is_none(), "nothing was sent");

    // And back again, from the entries alone.
    connection.modify(&before.dn, changes_between_entries(&new, &old)).await.unwrap();
    assert_eq!(changes_between_entries(&entry().await, &old), []);
}

#[tokio::test]
async fn memory_a_struct_is_an_entry() {
    let (_world, connection) = super::memory().await;
    let alice = "uid=alice,ou=people,dc=example,dc=com";
    assert!(connection.bind(alice, &Password::new("Red-Apple-11").unwrap()).await.unwrap().is_success());
    a_struct_is_added_read_changed_and_read_again(&connection, "dc=example,dc=com").await;
}

#[tokio::test]
async fn openldap_a_struct_is_an_entry() {
    let (_, connection) = administrator::openldap().await;
    let base = unit(&connection, "entries").await;
    a_struct_is_added_read_changed_and_read_again(&connection, &base).await;
}

#[tokio::test]
async fn ds389_a_struct_is_an_entry() {
    let (_, connection) = administrator::ds389().await;
    let base = unit(&connection, "entries").await;
    a_struct_is_added_read_changed_and_read_again(&connection, &base).await;
}

/// What the server makes is read and never written.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Group {
    dn: String,
    #[serde(rename = "objectClass")]
    classes: Vec<String>,
    #[serde(rename = "sAMAccountName")]
    account: String,
    #[serde(default, rename = "url")]
    pages: Vec<String>,
    description: Option<String>,
    #[serde(skip_serializing, rename = "objectSid")]
    sid: Option<Sid>,
    #[serde(skip_serializing, rename = "objectGUID")]
    guid: Option<Guid>,
    #[serde(skip_serializing, rename = "whenCreated")]
    created: Option<GeneralizedTime>,
}

#[tokio::test]
async fn samba_a_struct_is_an_entry_with_identifiers_and_times() {
    let (_, connection) = administrator::samba().await;
    let base = unit(&connection, "entries").await;
    let group = Group {
        dn: format!("CN=Staff of entries,{base}"),
        classes: vec!["group".into()],
        account: "entries-staff".into(),
        pages: vec!["http://a.example.com".into(), "http://b.example.com".into()],
        description: Some("staff".into()),
        sid: None,
        guid: None,
        created: None,
    };
    connection.add_entry(&group).await.unwrap();
    let search = Search::read(group.dn.as_str()).reading::<Group>();
    let read = async || -> Group { connection.search(&search).await.unwrap().entries[0].read().unwrap() };
    let before = read().await;
    assert!(before.sid.unwrap().to_string().starts_with("S-1-5-21-"), "{before:?}");
    assert!(before.guid.is_some() && before.created.unwrap().unix_seconds() > 1_700_000_000, "{before:?}");

    let mut after = before.clone();
    after.description = None;
    after.pages = vec!["http://c.example.com".into(), before.pages[0].clone()];
    connection.modify_entry(&before, &after).await.unwrap();
    let mut found = read().await;
    found.pages.sort();
    after.pages.sort();
    assert_eq!((found.pages, found.description), (after.pages, None));
}
