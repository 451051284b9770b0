//! LDIF change records, recorded and applied, RFC 2849

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use directory::Directory;
use ldapgate_client::{
    ApplyError, Change, Connection, Control, Filter, OnFailure, Options, Password, Rdn, Recorder, Rename,
    Search, Secrets,
};
use proptest::prelude::*;
use proto::ldif::{Changes, Untyped};
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use testkit::process;

use super::entries::person;

const BASE: &str = "ou=changes,dc=example,dc=com";
const WRITER: &str = "cn=writer,dc=example,dc=com";
const ORIGIN: &str = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n\
    dn: cn=writer,dc=example,dc=com\nobjectClass: person\ncn: writer\nsn: writer\nuserPassword: secret\n\n\
    dn: ou=changes,dc=example,dc=com\nobjectClass: organizationalUnit\nou: changes\n";

/// A connection that may write to an in-memory directory of its own.
async fn memory() -> (directory::Running, Connection) {
    let server = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH)).ldif(ORIGIN).unwrap().build();
    let running = server.serve(Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap()).await;
    let connection = bound(&running.url(), WRITER, "secret").await;
    (running, connection)
}

async fn bound(url: &str, dn: &str, password: &str) -> Connection {
    let connection = Connection::open(&Options::new([url]).unwrap()).await.unwrap();
    assert!(connection.bind(dn, &Password::new(password).unwrap()).await.unwrap().is_success());
    connection
}

/// The administrator's connection to the shared slapd, and an entry of this test's own to work below.
async fn openldap(place: &str) -> (&'static testkit::equipped::Equipped, Connection, String) {
    let server = OpenLdap::equipped().await;
    let connection = bound(&server.ldap_url(), ADMINISTRATOR, ADMINISTRATOR_PASSWORD).await;
    let base = format!("ou=changes-{place},dc=example,dc=com");
    let classes = ("objectClass", vec!["organizationalUnit"]);
    connection.add(&base, [classes]).await.unwrap();
    (server, connection, base)
}

/// Everything below an entry, values in order.
async fn content(connection: &Connection, base: &str) -> BTreeMap<String, BTreeMap<String, Vec<Bytes>>> {
    let search = Search::below(base).matching(Filter::present("objectClass")).attributes(["*"]);
    let found = connection.search(&search).await.unwrap();
    let sorted = |mut map: BTreeMap<String, Vec<Bytes>>| {
        map.values_mut().for_each(|values| values.sort());
        map
    };
    found.entries.iter().map(|entry| (entry.dn().to_ascii_lowercase(), sorted(entry.to_map()))).collect()
}

/// What a program asks for; the values are odd on purpose.
#[derive(Debug, Clone)]
enum Step {
    Add(u8, Vec<u8>),
    Replace(u8, Vec<Vec<u8>>),
    Describe(u8, Vec<u8>),
    Forget(u8),
    Rename(u8, u8, bool),
    Delete(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let value =
        || proptest::collection::vec(prop_oneof![any::<u8>(), b' '..b'~', Just(b' '), Just(b'\n')], 1..100);
    let who = || 0..4_u8;
    prop_oneof![
        (who(), value()).prop_map(|(who, value)| Step::Add(who, value)),
        (who(), proptest::collection::vec(value(), 0..3))
            .prop_map(|(who, values)| Step::Replace(who, values)),
        (who(), value()).prop_map(|(who, value)| Step::Describe(who, value)),
        who().prop_map(Step::Forget),
        (who(), who(), any::<bool>()).prop_map(|(from, to, keep)| Step::Rename(from, to, keep)),
        who().prop_map(Step::Delete),
    ]
}

/// The same calls on a connection and on a recorder.
macro_rules! perform {
    ($to:expr, $step:expr) => {{
        let dn = |who: u8| format!("cn=somebody {who},{BASE}");
        match $step {
            Step::Add(who, photo) => {
                let attributes = vec![
                    ("objectClass", vec![b"inetOrgPerson".to_vec()]),
                    ("cn", vec![format!("somebody {who}").into_bytes()]),
                    ("sn", vec![b"x".to_vec()]),
                    ("jpegPhoto", vec![photo]),
                ];
                $to.add(&dn(who), attributes).await.is_ok()
            }
            Step::Replace(who, values) => {
                $to.modify(&dn(who), vec![Change::replace("jpegPhoto", values)]).await.is_ok()
            }
            Step::Describe(who, value) => {
                let changes = vec![Change::replace("audio", [&b"first"[..]]), Change::add("audio", [value])];
                $to.modify(&dn(who), changes).await.is_ok()
            }
            Step::Forget(who) => $to.modify(&dn(who), vec![Change::delete_all("audio")]).await.is_ok(),
            Step::Rename(from, to, keep) => {
                let rename = Rename::to(Rdn::new("cn", format!("somebody {to}")).unwrap());
                let rename = if keep { rename.keeping_old_values() } else { rename };
                $to.rename(&dn(from), &rename).await.is_ok()
            }
            Step::Delete(who) => $to.delete(&dn(who)).await.is_ok(),
        }
    }};
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Sent at once, or written down and applied later: the same directory, and the same requests fail.
    #[test]
    fn memory_what_is_recorded_and_applied_is_what_would_have_been_sent(
        steps in proptest::collection::vec(step(), 0..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_sent_to, sent) = memory().await;
            let (_applied_to, applied) = memory().await;
            let recorder = Recorder::new(Vec::new());
            let mut refused = 0;
            for step in steps {
                refused += u64::from(!perform!(sent, step.clone()));
                assert!(perform!(recorder, step));
            }
            let ldif = recorder.into_inner().unwrap();
            let report = applied.apply_all(Changes::new(&ldif[..], Untyped::Refuse), OnFailure::Continue).await;
            assert_eq!(report.failures, refused, "{:?}", report.failed);
            assert_eq!(content(&sent, BASE).await, content(&applied, BASE).await);
        });
    }
}

#[tokio::test]
async fn openldap_ldapmodify_reads_what_is_recorded_and_apply_does_the_same() {
    let (server, connection, base) = openldap("recorded").await;
    let recorder = Recorder::new(Vec::new()).secrets(Secrets::Write);
    let ada = person(format!("cn=Ada,{base}"));
    recorder.add_entry(&ada).await.unwrap();
    let odd = vec![
        Change::add("description", [" leading", "trailing ", "J\u{fc}rgen", ":colon", "two\nlines"]),
        Change::delete("mail", ["ada0@example.com"]),
        Change::replace("userPassword", ["a secret"]),
        Change::delete_all("title"),
        Change::replace("description;lang-de", ["x".repeat(300)]),
    ];
    recorder.modify(&ada.dn, odd).await.unwrap();
    let rename = Rename::to(Rdn::new("cn", "Ada, Countess #1").unwrap()).keeping_old_values();
    recorder.rename(&ada.dn, &rename).await.unwrap();
    let mut bob = person(format!("cn=Bob,{base}"));
    bob.mail.clear();
    recorder.add_entry(&bob).await.unwrap();
    // ManageDsaIT, critical: a control that slapd takes with a delete.
    let control = Control { oid: "2.16.840.1.113730.3.4.2".into(), critical: true, value: None };
    recorder.with_controls([control]).delete(&bob.dn).await.unwrap();
    let ldif = String::from_utf8(recorder.into_inner().unwrap()).unwrap();

    let url = server.ldap_url();
    let identity = ["-x", "-H", &url, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD];
    let theirs = process::run("ldapmodify", "ldap-utils", &identity, &ldif);
    assert_eq!(theirs.status, 0, "{}{ldif}", theirs.stderr);
    let by_ldapmodify = content(&connection, &base).await;
    assert_eq!(by_ldapmodify.len(), 2, "{by_ldapmodify:?}");

    for dn in by_ldapmodify.keys().filter(|dn| **dn != base) {
        connection.delete(dn).await.unwrap();
    }
    let applied = connection.apply_all(Changes::new(ldif.as_bytes(), Untyped::Refuse), OnFailure::Stop).await;
    assert!(applied.is_complete() && applied.done == 5, "{applied:?}");
    assert_eq!(content(&connection, &base).await, by_ldapmodify);
}

#[tokio::test]
async fn openldap_slapadd_reads_what_is_recorded_for_it() {
    let (server, _, base) = openldap("slapadd").await;
    let recorder = Recorder::new(Vec::new()).secrets(Secrets::Write).for_slapadd();
    let odd = vec![" leading", "J\u{fc}rgen", "two\nlines"];
    let unit = [("objectClass", vec!["organizationalUnit"]), ("ou", vec!["a"]), ("description", odd)];
    recorder.add(&format!("ou=a,{base}"), unit).await.unwrap();
    recorder.add_entry(&person(format!("cn=Ada,ou=a,{base}"))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.ldif");
    std::fs::write(&file, recorder.into_inner().unwrap()).unwrap();
    let conf = server.folder().join("slapd.conf").display().to_string();
    // A dry run: the server has its database open.
    let arguments = ["-u", "-v", "-f", &conf, "-l", &file.display().to_string()];
    let done = process::run("slapadd", "slapd", &arguments, "");
    assert_eq!((done.status, done.stderr.matches("added: ").count()), (0, 2), "{}", done.stderr);
}

#[tokio::test]
async fn openldap_controls_of_a_record_are_sent() {
    let (_, connection, base) = openldap("controls").await;
    // The assertion control (RFC 4528) with the filter (ou=other), which is false.
    let ldif = format!("dn: {base}\ncontrol: 1.3.6.1.1.12 true:: owsEAm91BAVvdGhlcg==\nchangetype: delete\n");
    let applied = connection.apply_all(Changes::new(ldif.as_bytes(), Untyped::Refuse), OnFailure::Stop).await;
    let ApplyError::Request(error) = &applied.failed[0].error else { panic!("{applied:?}") };
    assert_eq!(error.result().unwrap().code.0, 122, "assertionFailed");
    assert_eq!(content(&connection, &base).await.len(), 1);
}

async fn what_failed_is_reported_with_its_line(connection: &Connection, base: &str) {
    let ldif = format!(
        "dn: ou=a,{base}\nchangetype: add\nobjectClass: organizationalUnit\nou: a\n\n\
         dn: ou=missing,{base}\nchangetype: delete\n\n\
         dn: ou=b,{base}\nchangetype: nonsense\n\n\
         dn: ou=c,{base}\nchangetype: add\nobjectClass: organizationalUnit\nou: c\n"
    );
    let all = || Changes::new(ldif.as_bytes(), Untyped::Refuse);
    let stopped = connection.apply_all(all(), OnFailure::Stop).await;
    assert_eq!((stopped.done, stopped.failures, stopped.failed[0].line), (1, 1, 6));
    assert_eq!(stopped.failed[0].dn.as_deref(), Some(&*format!("ou=missing,{base}")));
    connection.delete(&format!("ou=a,{base}")).await.unwrap();
    let went_on = connection.apply_all(all(), OnFailure::Continue).await;
    let lines: Vec<_> = went_on.failed.iter().map(|failed| failed.line).collect();
    assert_eq!((went_on.done, lines), (2, vec![6, 10]));
    assert!(went_on.failed[1].to_string().starts_with("line 10: \"nonsense\" is no changetype"));
}

#[tokio::test]
async fn memory_failures_are_reported() {
    let (_running, connection) = memory().await;
    what_failed_is_reported_with_its_line(&connection, BASE).await;
}

#[tokio::test]
async fn openldap_failures_are_reported() {
    let (_, connection, base) = openldap("failures").await;
    what_failed_is_reported_with_its_line(&connection, &base).await;
}

#[tokio::test]
async fn memory_nothing_is_tried_once_the_connection_has_ended() {
    let (running, connection) = memory().await;
    running.stop().await;
    let ldif = format!("dn: ou=a,{BASE}\nchangetype: delete\n\n").repeat(5);
    let applied =
        connection.apply_all(Changes::new(ldif.as_bytes(), Untyped::Refuse), OnFailure::Continue).await;
    assert_eq!((applied.done, applied.failures), (0, 1), "{applied:?}");
}
