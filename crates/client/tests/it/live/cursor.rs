//! Entries by class, with pending changes

use std::sync::Arc;
use std::time::SystemTime;

use directory::{DEMO, Directory};
use ldapgate_client::control::{ServerSideSort, SortKey, SortResult};
use ldapgate_client::{Change, Connection, Error, Options, Password, Simple, Writer};
use proto::Filter;
use testkit::ds389::{self, Ds389};
use testkit::openldap::{self, OpenLdap};
use testkit::samba::{self, Samba};
use tls::ClientTls;

async fn openldap() -> Connection {
    let server = OpenLdap::equipped().await;
    let administrator = Password::new(openldap::ADMINISTRATOR_PASSWORD).unwrap();
    let options = Options::new([server.ldap_url()]).unwrap();
    Connection::open(&options.bind(Simple::new(openldap::ADMINISTRATOR, administrator))).await.unwrap()
}

async fn ds389() -> Connection {
    let server = Ds389::shared().await;
    let manager = Password::new(ds389::MANAGER_PASSWORD).unwrap();
    let options = Options::new([server.ldap_url()]).unwrap();
    Connection::open(&options.bind(Simple::new(ds389::MANAGER, manager))).await.unwrap()
}

async fn samba() -> Connection {
    let server = Samba::shared().await;
    let administrator = Password::new(samba::ADMINISTRATOR_PASSWORD).unwrap();
    let trust = ClientTls::from_pem(&std::fs::read(server.ca_file()).unwrap()).unwrap();
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trust);
    Connection::open(&options.bind(Simple::new(samba::ADMINISTRATOR, administrator))).await.unwrap()
}

/// From nothing to a person, changed, read and gone.
async fn a_person_is_made_changed_and_found(connection: &Connection, dn: &str) {
    let schema = connection.schema().await.unwrap();
    let mut person = Writer::create(schema, dn, ["inetOrgPerson"]);
    let Err(Error::Schema { operation: "add", violations, .. }) = person.commit(connection).await else {
        panic!("a person needs a surname")
    };
    assert_eq!(violations.len(), 1, "{violations:?}");
    person.set("sn", ["Cursor"]).set("mail", ["a@example.com", "b@example.com", "c@example.com"]);
    person.commit(connection).await.unwrap().expect("an entry was sent");

    let base = dn.split_once(',').unwrap().1;
    let reader = connection.reader(["inetOrgPerson"]).await.unwrap().below(base);
    let found = reader.clone().matching(Filter::equal("sn", "Cursor")).search().await.unwrap();
    assert_eq!((found.entries.len(), found.truncated), (1, None));
    let found = &found.entries[0];
    assert_eq!(found.value("surname").unwrap().as_text(), Some("Cursor"));
    assert!(!found.entry().has("createTimestamp"), "only what the class has is asked for");

    let mut pending = found.edit();
    pending.remove("mail", ["b@example.com"]).add("telephoneNumber", ["+49 30 1"]).delete("description");
    assert_eq!(
        pending.changes(),
        [Change::delete("mail", ["b@example.com"]), Change::add("telephoneNumber", ["+49 30 1"])]
    );
    pending.commit(connection).await.unwrap().expect("changes were sent");
    assert!(pending.commit(connection).await.unwrap().is_none(), "nothing is left to send");

    pending.set("preferredLanguage", ["de", "en"]);
    let error = pending.commit(connection).await.unwrap_err();
    assert!(error.to_string().ends_with("attribute preferredLanguage may have one value, not 2"), "{error}");
    assert!(pending.refresh(connection).await.unwrap());
    assert_eq!((pending.values("mail").count(), pending.is_changed()), (2, false));

    connection.delete(dn).await.unwrap();
    assert!(!pending.refresh(connection).await.unwrap() && reader.get(dn).await.unwrap().is_none());
}

#[tokio::test]
async fn openldap_person_is_made_changed_and_found() {
    a_person_is_made_changed_and_found(&openldap().await, "cn=cursor,dc=example,dc=com").await;
}

#[tokio::test]
async fn ds389_person_is_made_changed_and_found() {
    a_person_is_made_changed_and_found(&ds389().await, "cn=cursor,dc=example,dc=com").await;
}

#[tokio::test]
async fn openldap_photos_without_an_equality_rule_are_replaced_whole() {
    let connection = openldap().await;
    let dn = "cn=photographed,dc=example,dc=com";
    let mut person = Writer::create(connection.schema().await.unwrap(), dn, ["inetOrgPerson"]);
    person.set("sn", ["Cursor"]).set("jpegPhoto", [b"\xff\xd8one", b"\xff\xd8two"]);
    person.commit(&connection).await.unwrap();
    person.remove("jpegPhoto", [b"\xff\xd8one"]);
    assert_eq!(person.changes(), [Change::replace("jpegPhoto", [b"\xff\xd8two"])]);
    person.commit(&connection).await.unwrap();
    assert!(person.refresh(&connection).await.unwrap());
    assert_eq!(person.values("jpegPhoto").collect::<Vec<_>>(), [b"\xff\xd8two"]);
    connection.delete(dn).await.unwrap();
}

#[tokio::test]
async fn samba_users_are_read_with_all_their_attributes_and_changed() {
    let connection = samba().await;
    let reader = connection.reader(["user"]).await.unwrap().below("DC=example,DC=com");
    assert!(reader.attributes().len() > 300);
    let found = reader.clone().matching(Filter::equal("sAMAccountName", "bob")).search().await.unwrap();
    let bob = &found.entries[0];
    assert!(
        bob.value("objectGUID").unwrap().as_guid().is_some()
            && bob.value("pwdLastSet").unwrap().as_time().is_some()
    );

    let mut pending = bob.edit();
    pending.add("otherTelephone", ["1", "2"]);
    pending.commit(&connection).await.unwrap().expect("a change was sent");
    pending.remove("otherTelephone", ["1"]);
    assert_eq!(pending.changes(), [Change::delete("otherTelephone", ["1"])]);
    pending.commit(&connection).await.unwrap().expect("a change was sent");
    pending.delete("otherTelephone");
    pending.commit(&connection).await.unwrap().expect("a change was sent");
    assert!(pending.refresh(&connection).await.unwrap());
    assert_eq!(pending.values("otherTelephone").count(), 0);
}

#[tokio::test]
async fn memory_class_that_is_not_defined_is_told() {
    let (_running, url) = testkit::example::serve().await.unwrap();
    let connection = Connection::open(&Options::new([url]).unwrap()).await.unwrap();
    let error = connection.reader(["inetOrgPersn"]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the search request: object class inetOrgPersn is not defined: inetOrgPerson?"),
        "{error}"
    );
}

#[tokio::test]
async fn memory_references_and_controls_come_with_the_entries() {
    let elsewhere = "dn: ou=elsewhere,dc=example,dc=com\nobjectClass: referral\nobjectClass: extensibleObject\n\
                     ou: elsewhere\nref: ldap://other.example.com/dc=other\n";
    let directory = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH))
        .ldif(format!("{DEMO}\n{elsewhere}"))
        .unwrap()
        .build();
    let options = Options::new(["ldap://localhost"]).unwrap();
    let connection = Connection::over(directory.join(), &options).await.unwrap();
    let sort = ServerSideSort::by(SortKey::ascending("uid"));
    let people = connection.reader(["inetOrgPerson"]).await.unwrap().below("dc=example,dc=com");
    let found = people.with(|search| search.page_size(None).control(sort.into())).search().await.unwrap();
    assert!(!found.entries.is_empty());
    assert_eq!(found.references.len(), 1, "{:?}", found.references);
    assert!(found.references[0][0].starts_with("ldap://other.example.com/"), "{:?}", found.references);
    assert!(found.controls.get(SortResult::OID).is_some(), "{:?}", found.controls);
}
