//! Schema, values by syntax, checks before sending, RFC 4512 section 4

use std::sync::Arc;

use bytes::Bytes;
use ldapgate_client::{Change, Connection, Error, OnFailure, Options, Password, Pool, SchemaCache, Simple};
use proto::Filter;
use proto::ldif;
use proto::message::{Request, Response};
use proto::schema::Violation;
use proto::value::Kind;
use proto::{Entry, LdapResult, Schema};
use testkit::ds389::{self, Ds389};
use testkit::openldap::{self, OpenLdap};
use testkit::samba::{self, Samba};
use tls::ClientTls;

use crate::peer::{Peer, connected, local};

async fn openldap() -> Options {
    let server = OpenLdap::equipped().await;
    let administrator = Password::new(openldap::ADMINISTRATOR_PASSWORD).unwrap();
    Options::new([server.ldap_url()]).unwrap().bind(Simple::new(openldap::ADMINISTRATOR, administrator))
}

async fn ds389() -> Options {
    let server = Ds389::shared().await;
    let manager = Password::new(ds389::MANAGER_PASSWORD).unwrap();
    Options::new([server.ldap_url()]).unwrap().bind(Simple::new(ds389::MANAGER, manager))
}

async fn samba() -> Options {
    let server = Samba::shared().await;
    let administrator = Password::new(samba::ADMINISTRATOR_PASSWORD).unwrap();
    let trust = ClientTls::from_pem(&std::fs::read(server.ca_file()).unwrap()).unwrap();
    Options::new([server.ldaps_url()])
        .unwrap()
        .tls(trust)
        .bind(Simple::new(samba::ADMINISTRATOR, administrator))
}

async fn schema(options: &Options) -> Arc<Schema> {
    Connection::open(options).await.unwrap().schema().await.unwrap()
}

fn has_inet_org_person(schema: &Schema) {
    let person = schema.attributes_of(["inetOrgPerson"]);
    for name in ["cn", "sn", "objectClass"] {
        assert!(person.must.iter().any(|must| must == name), "{name}: {:?}", person.must);
    }
    for name in ["mail", "telephoneNumber", "userPassword", "title"] {
        assert!(person.may.iter().any(|may| may == name), "{name}: {:?}", person.may);
    }
}

#[tokio::test]
async fn openldap_schema_is_read_whole() {
    let schema = schema(&openldap().await).await;
    assert_eq!(schema.broken(), []);
    assert!(schema.attribute_types().len() > 300 && schema.object_classes().len() > 70, "{}", schema.len());
    assert!(
        schema.syntaxes().len() > 30
            && schema.matching_rules().len() > 30
            && schema.matching_rule_uses().len() > 20
    );
    has_inet_org_person(&schema);
}

#[tokio::test]
async fn ds389_schema_is_read_whole() {
    let schema = schema(&ds389().await).await;
    assert_eq!(schema.broken(), []);
    assert!(schema.attribute_types().len() > 900 && schema.object_classes().len() > 180, "{}", schema.len());
    has_inet_org_person(&schema);
}

#[tokio::test]
async fn samba_schema_is_read_whole() {
    let schema = schema(&samba().await).await;
    assert_eq!(schema.broken(), []);
    assert!(schema.attribute_types().len() > 1400 && schema.object_classes().len() > 250, "{}", schema.len());
    let user = schema.attributes_of(["user"]);
    for name in ["objectSid", "sAMAccountName", "objectCategory"] {
        assert!(user.must.iter().any(|must| must == name), "{name}");
    }
    for name in ["mail", "memberOf", "pwdLastSet", "uidNumber"] {
        assert!(user.may.iter().any(|may| may == name), "{name}");
    }
}

#[tokio::test]
async fn openldap_schema_is_read_once_and_shared() {
    let pool = Pool::open(openldap().await).await.unwrap();
    let first = pool.schema().await.unwrap();
    let again = pool.connection().await.unwrap().schema_for("dc=example,dc=com").await.unwrap();
    assert!(Arc::ptr_eq(&first, &again), "the time of the last change is the same");
}

#[tokio::test]
async fn openldap_values_are_read_by_their_syntax() {
    let connection = Connection::open(&openldap().await).await.unwrap();
    let schema = connection.schema().await.unwrap();
    let entry = connection.read("dc=example,dc=com", &["*", "+"]).await.unwrap().unwrap();
    let value = |name| schema.value(name, entry.first(name).unwrap());
    assert!(value("createTimestamp").as_time().is_some() && value("entryUUID").as_guid().is_some());
    assert_eq!(value("entryDN").as_dn().unwrap().to_string(), "dc=example,dc=com");
    assert_eq!(value("hasSubordinates").as_boolean(), Some(true));
    every_value_fits(&schema, &entry);
}

#[tokio::test]
async fn ds389_values_are_read_by_their_syntax() {
    let connection = Connection::open(&ds389().await).await.unwrap();
    let schema = connection.schema().await.unwrap();
    let entry = connection.read("uid=alice,ou=people,dc=example,dc=com", &["*", "+"]).await.unwrap().unwrap();
    assert!(schema.value("modifyTimestamp", entry.first("modifyTimestamp").unwrap()).as_time().is_some());
    every_value_fits(&schema, &entry);
}

#[tokio::test]
async fn samba_values_are_read_by_their_syntax() {
    let connection = Connection::open(&samba().await).await.unwrap();
    let schema = connection.schema().await.unwrap();
    let search = ldapgate_client::Search::below("DC=example,DC=com")
        .matching(Filter::equal("sAMAccountName", "alice"));
    let entry = connection.search(&search.attributes(["*", "tokenGroups"])).await.unwrap().entries.remove(0);
    let value = |name| schema.value(name, entry.first(name).unwrap());
    assert!(
        value("objectGUID").as_guid().is_some() && value("objectSid").to_string().starts_with("S-1-5-21-")
    );
    assert!(value("whenCreated").as_time().is_some() && value("pwdLastSet").as_time().is_some());
    assert_eq!(value("accountExpires").to_string(), "never");
    assert!(value("uSNChanged").as_integer().unwrap() > 1000);
    every_value_fits(&schema, &entry);

    let domain = connection.read("DC=example,DC=com", &["*"]).await.unwrap().unwrap();
    let lockout = schema.value("lockoutDuration", domain.first("lockoutDuration").unwrap());
    assert_eq!(lockout.as_duration().map(|length| length.as_secs()), Some(30 * 60));
    assert_eq!(schema.kind("wellKnownObjects"), Kind::DnWithBinary);
    every_value_fits(&schema, &domain);
}

fn every_value_fits(schema: &Schema, entry: &Entry) {
    for attribute in entry.attributes() {
        for raw in attribute.values() {
            let value = schema.value(attribute.name(), raw);
            assert!(value.fits(), "{} {:?}: {value}", attribute.name(), schema.kind(attribute.name()));
        }
    }
}

fn person(mail: &str) -> Vec<(&'static str, Vec<Bytes>)> {
    let text = |text: &str| vec![Bytes::copy_from_slice(text.as_bytes())];
    vec![("objectClass", text("inetOrgPerson")), ("sn", text("L")), ("mail", text(mail))]
}

#[tokio::test]
async fn openldap_is_not_asked_what_its_schema_does_not_allow() {
    let connection = Connection::open(&openldap().await.check_names()).await.unwrap();
    let dn = "cn=checked,dc=example,dc=com";
    let error = connection.add(dn, person("jürgen@example.com")).await.unwrap_err();
    let Error::Schema { violations, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(violations[..], [Violation::Syntax { .. }]), "{violations:?}");
    assert!(!error.sent());
    assert!(connection.read(dn, &["cn"]).await.unwrap().is_none());

    connection.add(dn, person("ada@example.com")).await.unwrap();
    let error = connection.modify(dn, vec![Change::add("mial", ["x"])]).await.unwrap_err();
    assert!(error.to_string().ends_with("attribute mial is not defined: mail?"), "{error}");
    connection.modify(dn, vec![Change::replace("mail", ["b@example.com"])]).await.unwrap();
    connection.delete(dn).await.unwrap();
}

/// What the check refuses, the server refuses too.
async fn both_refuse(
    options: Options,
    entry: &[(&'static str, Vec<Bytes>)],
    wrong: &[(&'static str, &[&str])],
) {
    let base = if entry.iter().any(|(name, _)| *name == "sAMAccountName") {
        "CN=Users,DC=example,DC=com"
    } else {
        "dc=example,dc=com"
    };
    let checked = Connection::open(&options.clone().check_names()).await.unwrap();
    let plain = Connection::open(&options).await.unwrap();
    for (name, values) in wrong {
        let mut attributes = entry.to_vec();
        let values: Vec<Bytes> =
            values.iter().map(|value| Bytes::copy_from_slice(value.as_bytes())).collect();
        match attributes.iter_mut().find(|(other, _)| other == name) {
            Some((_, there)) => there.extend(values),
            None => attributes.push((name, values)),
        }
        let dn = format!("cn=judged {name},{base}");
        let ours = checked.add(&dn, attributes.clone()).await.unwrap_err();
        assert!(matches!(ours, Error::Schema { .. }), "{name}: {ours:?}");
        let theirs = plain.add(&dn, attributes).await;
        assert!(matches!(theirs, Err(Error::Refused { .. })), "{name}: {theirs:?}");
    }
}

#[tokio::test]
async fn openldap_refuses_what_the_check_refuses() {
    let wrong: [(&str, &[&str]); 7] = [
        ("uidNumber", &["1"]),
        ("telephoneNumber", &[""]),
        ("seeAlso", &["nobody"]),
        ("preferredLanguage", &["de", "en"]),
        ("objectClass", &["nothing"]),
        ("modifyTimestamp", &["20260101000000Z"]),
        ("nobodyDefinedThis", &["x"]),
    ];
    both_refuse(openldap().await, &person("ada@example.com"), &wrong).await;
}

#[tokio::test]
async fn ds389_refuses_what_the_check_refuses() {
    let wrong: [(&str, &[&str]); 5] = [
        ("uidNumber", &["1"]),
        ("seeAlso", &["nobody"]),
        ("preferredLanguage", &["de", "en"]),
        ("objectClass", &["nothing"]),
        ("nobodyDefinedThis", &["x"]),
    ];
    both_refuse(ds389().await, &person("ada@example.com"), &wrong).await;
}

#[tokio::test]
async fn samba_refuses_what_the_check_refuses() {
    let text = |text: &str| vec![Bytes::copy_from_slice(text.as_bytes())];
    let user = [("objectClass", text("user")), ("sAMAccountName", text("judged"))];
    let wrong: [(&str, &[&str]); 6] = [
        ("dNSHostName", &["x"]),
        ("accountExpires", &["soon"]),
        ("displayName", &["a", "b"]),
        ("objectClass", &["nothing"]),
        ("manager", &["nobody"]),
        ("nobodyDefinedThis", &["x"]),
    ];
    both_refuse(samba().await, &user, &wrong).await;
}

/// Whatever a server holds, its schema allows: the check refuses none of it.
async fn nothing_that_is_there_is_refused(options: Options, base: &str, least: usize) {
    let connection = Connection::open(&options).await.unwrap();
    let schema = connection.schema().await.unwrap();
    let search = ldapgate_client::Search::below(base).attributes(["*", "+"]).page_size(Some(200));
    let found = connection.search(&search).await.unwrap();
    assert!(found.entries.len() >= least, "{}", found.entries.len());
    for entry in &found.entries {
        assert_eq!(schema.check_entry(entry), [], "{}", entry.dn());
    }
}

#[tokio::test]
async fn openldap_entries_have_nothing_wrong() {
    nothing_that_is_there_is_refused(openldap().await, "dc=example,dc=com", 10).await;
}

#[tokio::test]
async fn ds389_entries_have_nothing_wrong() {
    nothing_that_is_there_is_refused(ds389().await, "dc=example,dc=com", 10).await;
}

#[tokio::test]
async fn samba_entries_have_nothing_wrong() {
    nothing_that_is_there_is_refused(samba().await, "DC=example,DC=com", 200).await;
    nothing_that_is_there_is_refused(samba().await, "CN=Configuration,DC=example,DC=com", 1000).await;
}

#[tokio::test]
async fn samba_takes_what_its_schema_allows() {
    let connection = Connection::open(&samba().await.check_names()).await.unwrap();
    let dn = "CN=checked,CN=Users,DC=example,DC=com";
    let text = |text: &str| vec![Bytes::copy_from_slice(text.as_bytes())];
    let user =
        vec![("objectClass", text("user")), ("sAMAccountName", text("checked")), ("uidNumber", text("7"))];
    connection.add(dn, user).await.unwrap();
    let error = connection.modify(dn, vec![Change::replace("accountExpires", ["soon"])]).await.unwrap_err();
    assert!(matches!(error, Error::Schema { .. }), "{error:?}");
    connection.modify(dn, vec![Change::replace("accountExpires", ["0"])]).await.unwrap();
    connection.delete(dn).await.unwrap();
}

async fn answers(peer: &mut Peer, entry: Option<Entry>) -> proto::SearchRequest {
    let (id, asked, _) = peer.search().await;
    if let Some(entry) = entry {
        peer.reply(id, Response::SearchEntry(entry)).await;
    }
    peer.done(id).await;
    asked
}

fn root() -> Option<Entry> {
    Some(Entry::builder("").attribute("subschemaSubentry", ["cn=s"]).build())
}

fn subschema(time: Option<&str>, attribute: &str) -> Option<Entry> {
    let entry = Entry::builder("cn=s").attribute("attributeTypes", [format!("( 1.2 NAME '{attribute}' )")]);
    Some(time.into_iter().fold(entry, |entry, time| entry.attribute("modifyTimestamp", [time])).build())
}

#[tokio::test]
async fn memory_schema_is_read_again_when_it_has_changed() {
    let cache = SchemaCache::new();
    let (connection, mut peer) = connected(&local().schema_cache(cache.clone())).await;
    let server = async {
        answers(&mut peer, root()).await;
        answers(&mut peer, subschema(Some("1"), "a")).await;
        answers(&mut peer, root()).await;
        let asked = answers(&mut peer, subschema(Some("1"), "a")).await;
        assert_eq!(asked.attributes, ["modifyTimestamp", "nsSchemaCSN"]);
        answers(&mut peer, root()).await;
        answers(&mut peer, subschema(Some("2"), "b")).await;
        let asked = answers(&mut peer, subschema(Some("2"), "b")).await;
        assert!(asked.attributes.contains(&"attributeTypes".to_owned()));
        answers(&mut peer, root()).await;
        answers(&mut peer, subschema(Some("2"), "b")).await;
    };
    let client = async {
        let first = connection.schema().await.unwrap();
        assert!(Arc::ptr_eq(&first, &connection.schema().await.unwrap()));
        let second = connection.schema().await.unwrap();
        assert!(second.attribute_type("b").is_some() && second.attribute_type("a").is_none());
        cache.clear();
        connection.schema().await.unwrap();
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn memory_schema_that_comes_in_parts_is_put_together() {
    let (connection, mut peer) = connected(&local()).await;
    let part = |range: &str, name: &str| {
        let attribute = format!("attributeTypes;range={range}");
        Some(Entry::builder("cn=s").attribute(&attribute, [format!("( 1.2.{name} NAME '{name}' )")]).build())
    };
    let server = async {
        answers(&mut peer, root()).await;
        answers(&mut peer, part("0-0", "a1")).await;
        let asked = answers(&mut peer, part("1-*", "a2")).await;
        assert_eq!(
            (asked.base.as_str(), &asked.attributes[..]),
            ("cn=s", &["attributeTypes;range=1-*".to_owned()][..])
        );
    };
    let client = async {
        let schema = connection.schema().await.unwrap();
        assert_eq!((schema.len(), schema.broken()), (2, &[][..]));
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn memory_schema_without_a_time_is_read_each_time() {
    let (connection, mut peer) = connected(&local()).await;
    let server = async {
        for attribute in ["a", "b"] {
            answers(&mut peer, root()).await;
            answers(&mut peer, subschema(None, attribute)).await;
        }
    };
    let client = async {
        assert!(connection.schema().await.unwrap().attribute_type("a").is_some());
        assert!(connection.schema().await.unwrap().attribute_type("b").is_some());
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn memory_schema_that_is_hidden_is_told() {
    let (connection, mut peer) = connected(&local()).await;
    let server = async {
        answers(&mut peer, None).await;
        answers(&mut peer, root()).await;
        answers(&mut peer, None).await;
        answers(&mut peer, root()).await;
        answers(&mut peer, Some(Entry::builder("cn=s").build())).await;
    };
    let client = async {
        for _ in 0..3 {
            let error = connection.schema().await.unwrap_err();
            assert!(matches!(error, Error::NoSchema { .. }), "{error:?}");
        }
    };
    tokio::join!(server, client);
}

/// The schema at hand is old: before anything is refused by it, it is read again.
#[tokio::test]
async fn memory_check_asks_again_before_it_refuses() {
    let (connection, mut peer) = connected(&local().check_names()).await;
    let server = async {
        answers(&mut peer, root()).await;
        answers(&mut peer, subschema(Some("1"), "a")).await;
        answers(&mut peer, root()).await;
        answers(&mut peer, subschema(Some("2"), "b")).await;
        answers(&mut peer, subschema(Some("2"), "b")).await;
        let modify = peer.request().await;
        assert!(matches!(modify.operation, Request::Modify(_)), "{:?}", modify.operation);
        peer.reply(modify.id, Response::Modify(LdapResult::success())).await;
    };
    let client = async {
        connection.schema().await.unwrap();
        connection.modify("cn=x", vec![Change::replace("b", ["1"])]).await.unwrap();
    };
    tokio::join!(server, client);
}

/// A change record is judged as the calls are, alone and among others.
#[tokio::test]
async fn memory_check_holds_for_change_records() {
    let (connection, mut peer) = connected(&local().check_names()).await;
    let ldif = "dn: cn=x\nchangetype: modify\nreplace: b\nb: 1\n-\n\ndn: cn=x\nchangetype: modify\nreplace: a\na: 1\n-\n";
    let records = || ldif::Changes::new(ldif.as_bytes(), ldif::Untyped::Refuse);
    let server = async {
        answers(&mut peer, root()).await;
        answers(&mut peer, subschema(Some("1"), "a")).await;
        answers(&mut peer, root()).await;
        answers(&mut peer, subschema(Some("1"), "a")).await;
        let modify = peer.request().await;
        let Request::Modify(request) = modify.operation else { panic!("{:?}", modify.operation) };
        assert_eq!(request.changes[0].attribute, "a");
        peer.reply(modify.id, Response::Modify(LdapResult::success())).await;
    };
    let client = async {
        let wrong = records().next().unwrap().unwrap();
        let error = connection.apply(&wrong).await.unwrap_err();
        assert!(matches!(error, Error::Schema { .. }), "{error:?}");
        let applied = connection.apply_all(records(), OnFailure::Continue).await;
        assert_eq!((applied.done, applied.failures, applied.failed[0].line), (1, 1, 1));
    };
    tokio::join!(server, client);
}
