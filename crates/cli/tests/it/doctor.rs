//! `doctor`: what is well, what is not, and what to do.

use std::collections::BTreeMap;
use std::path::Path;

use account::store::SetMark;
use account::{Hold, Time};
use ldapgate::Config;
use serde_json::Value;
use testkit::certificate::{Authority, Flaw};
use testkit::process;
use testkit::world::{Peer, READER_PASSWORD, World};

use crate::against_both;
use crate::gateway::{USUAL, configure, configure_url, ldapgate, login};

against_both!(
    a_healthy_directory_is_called_healthy,
    a_person_is_followed_to_the_decision,
    an_unknown_authority_is_told_with_what_to_do,
    a_certificate_for_another_host_is_told_with_its_names,
    an_expired_certificate_is_told_with_its_date,
    a_wrong_password_of_the_service_account_is_tried_once,
    a_base_that_is_not_there_is_told_with_those_that_are,
    groups_that_are_named_and_missing_are_failures,
    an_unknown_person_is_told_with_the_search,
    a_wrong_password_makes_one_bind,
    a_server_of_the_list_that_is_down_is_told_and_the_others_are_used,
    a_brake_that_holds_is_a_failure,
);

/// What `doctor` says, as a document, and its status.
pub(crate) fn doctor(config: &Path, arguments: &[&str], input: &str) -> (Value, i32) {
    let all = [&["doctor", "--json"], arguments].concat();
    let done = ldapgate(config, &all, input);
    let document = serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("no document ({error}): {}{}", done.stdout, done.stderr));
    (document, done.status)
}

/// The first step of that name.
pub(crate) fn step<'d>(document: &'d Value, name: &str) -> &'d Value {
    let found = document["steps"].as_array().into_iter().flatten().find(|step| step["step"] == name);
    found.unwrap_or_else(|| panic!("no step {name} in {document:#}"))
}

pub(crate) fn results<'d>(document: &'d Value, result: &str) -> Vec<&'d str> {
    let steps = document["steps"].as_array().into_iter().flatten();
    steps.filter(|step| step["result"] == result).filter_map(|step| step["step"].as_str()).collect()
}

pub(crate) fn says(step: &Value, result: &str, parts: &[&str]) {
    assert_eq!(step["result"], result, "{step:#}");
    for part in parts {
        assert!(step.to_string().contains(part), "{part:?} is not said in {step:#}");
    }
}

fn trusting(world: &World, more: &str) -> String {
    format!("{more}\n[directory.tls]\nca_files = [{:?}]", world.ca_file().display().to_string())
}

async fn a_healthy_directory_is_called_healthy(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure_url(&world, &world.ldaps_url(), &format!("{}\n{USUAL}", trusting(&world, "")));
    login(&config, "alice", "Red-Apple-11");
    let (document, status) = doctor(&config, &[], "");
    assert_eq!((&document["healthy"], status), (&Value::Bool(true), 0), "{document:#}");
    let names: Vec<_> =
        document["steps"].as_array().into_iter().flatten().map(|step| &step["step"]).collect();
    let expected = [
        "configuration",
        "store",
        "dns",
        "tcp",
        "tls",
        "root_dse",
        "service_bind",
        "base",
        "people",
        "groups",
        "named_groups",
        "lockout",
        "permissions",
        "revalidation",
    ];
    assert_eq!(names, expected);
    let fields = ["step", "target", "result", "took_us", "seen", "cause", "advice"];
    for step in document["steps"].as_array().into_iter().flatten() {
        let step = step.as_object().expect("an object");
        assert!(
            step.len() == fields.len() && fields.iter().all(|field| step.contains_key(*field)),
            "{step:?}"
        );
        assert!(step["took_us"].is_u64(), "{step:?}");
    }
    says(step(&document, "tls"), "ok", &["TLSv1.3", "localhost", "Example Test CA", "2089"]);
    says(step(&document, "root_dse"), "ok", &["dc=example,dc=com"]);
    let text = ldapgate(&config, &["doctor"], "");
    assert!(text.stdout.trim_end().ends_with("healthy") && text.status == 0, "{}", text.stdout);
    assert!(!format!("{document}{}{}", text.stdout, text.stderr).contains(READER_PASSWORD));
}

async fn a_person_is_followed_to_the_decision(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (document, status) = doctor(&config, &["alice"], "");
    assert_eq!(status, 0, "{document:#}");
    says(step(&document, "user_search"), "ok", &["uid=alice,ou=people,dc=example,dc=com"]);
    says(step(&document, "user_bind"), "skipped", &["--password-stdin"]);
    says(step(&document, "user_groups"), "ok", &["staff"]);
    says(step(&document, "decision"), "ok", &["may enter"]);
    let (document, status) = doctor(&config, &["alice", "--password-stdin"], "Red-Apple-11\n");
    assert_eq!(status, 0, "{document:#}");
    says(step(&document, "user_bind"), "ok", &[]);
    let (document, status) = doctor(&config, &["bob", "-w", "Blue-Boat-22"], "");
    assert_eq!((&document["healthy"], status), (&Value::Bool(false), 1));
    says(step(&document, "user_bind"), "ok", &[]);
    says(step(&document, "decision"), "failed", &["in_denied_group", "cn=suspended", "access.deny"]);
    let listed = ldapgate(&config, &["user", "list", "--json"], "");
    assert_eq!(listed.stdout.trim(), r#"{"users":[]}"#, "a diagnosis makes no account");
}

async fn an_unknown_authority_is_told_with_what_to_do(peer: Peer) {
    let world = World::start(peer).await;
    let other = world.folder().join("other.crt");
    std::fs::write(&other, Authority::new("Somebody Else").pem()).expect("the test folder is writable");
    let more = format!("[directory.tls]\nca_files = [{:?}]", other.display().to_string());
    let (document, status) = doctor(&configure_url(&world, &world.ldaps_url(), &more), &["alice"], "");
    assert_eq!((&document["healthy"], status), (&Value::Bool(false), 3), "{document:#}");
    assert_eq!(results(&document, "failed"), ["tls"]);
    says(step(&document, "tls"), "failed", &["Example Test CA", "ca_files"]);
    says(step(&document, "user_search"), "skipped", &["main"]);
    let (document, _) =
        doctor(&configure_url(&world, &world.ldap_url(), &format!("start_tls = true\n{more}")), &[], "");
    says(step(&document, "start_tls"), "ok", &[]);
    says(step(&document, "tls"), "failed", &["Example Test CA", "ca_files"]);
    let danger = format!("{more}\ndanger_accept_invalid_certificates = true");
    let (document, status) = doctor(&configure_url(&world, &world.ldaps_url(), &danger), &[], "");
    assert_eq!(status, 0, "it works: {document:#}");
    says(step(&document, "tls"), "warning", &["reads every password", "nobody who is trusted here signed"]);
}

async fn a_certificate_for_another_host_is_told_with_its_names(peer: Peer) {
    let world = World::with_flaw(peer, Flaw::WrongHost).await;
    let (document, status) =
        doctor(&configure_url(&world, &world.ldaps_url(), &trusting(&world, "")), &[], "");
    assert_eq!(status, 3);
    says(step(&document, "tls"), "failed", &["not for localhost but for ldap.wrong.example", "server_name"]);
}

async fn an_expired_certificate_is_told_with_its_date(peer: Peer) {
    let world = World::with_flaw(peer, Flaw::Expired).await;
    let (document, status) =
        doctor(&configure_url(&world, &world.ldaps_url(), &trusting(&world, "")), &[], "");
    assert_eq!(status, 3);
    says(step(&document, "tls"), "failed", &["expired", "2021-01-01", "renew"]);
}

async fn a_wrong_password_of_the_service_account_is_tried_once(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, "");
    let both =
        format!("[\"{}\", \"{}\"]", world.ldap_url(), world.ldap_url().replace("localhost", "127.0.0.1"));
    let text = std::fs::read_to_string(&config).expect("the configuration was written");
    let text =
        text.replace(READER_PASSWORD, "Not-This-One").replace(&format!("{:?}", world.ldap_url()), &both);
    std::fs::write(&config, text).expect("the test folder is writable");
    let (document, status) = doctor(&config, &["alice"], "");
    assert_eq!(status, 1, "{document:#}");
    says(step(&document, "service_bind"), "failed", &["invalidCredentials (49)", "bind_password_file"]);
    assert_eq!(results(&document, "failed"), ["service_bind"], "{document:#}");
    let binds =
        document["steps"].as_array().into_iter().flatten().filter(|step| step["step"] == "service_bind");
    let binds: Vec<_> = binds.map(|step| &step["result"]).collect();
    assert_eq!(binds, ["failed", "skipped"], "another server would count another wrong password");
}

async fn a_base_that_is_not_there_is_told_with_those_that_are(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, "");
    let text = std::fs::read_to_string(&config).expect("the configuration was written");
    std::fs::write(&config, text.replace("base = \"dc=example,dc=com\"", "base = \"dc=example,dc=org\""))
        .expect("the test folder is writable");
    let (document, status) = doctor(&config, &[], "");
    assert_eq!(status, 1, "{document:#}");
    says(step(&document, "root_dse"), "warning", &["dc=example,dc=org"]);
    says(step(&document, "base"), "failed", &["dc=example,dc=org", "dc=example,dc=com"]);
}

async fn groups_that_are_named_and_missing_are_failures(peer: Peer) {
    let world = World::start(peer).await;
    let more = r#"
[directory.access]
deny = "cn=nobody-has-this,ou=groups,dc=example,dc=com"
[directory.permissions]
from_groups = true
[permissions]
nor-this = ["x"]
"#;
    let (document, status) = doctor(&configure(&world, more), &[], "");
    assert_eq!(status, 1, "{document:#}");
    says(step(&document, "named_groups"), "failed", &["cn=nobody-has-this", "no members"]);
    says(step(&document, "permissions"), "failed", &["nor-this", "DN"]);
}

async fn an_unknown_person_is_told_with_the_search(peer: Peer) {
    let world = World::start(peer).await;
    let (document, status) = doctor(&configure(&world, ""), &["nobody-at-all"], "");
    assert_eq!(status, 1);
    says(step(&document, "user_search"), "failed", &["unknown_user", "(uid=nobody-at-all)", "user.filter"]);
    assert_eq!(results(&document, "failed"), ["user_search"], "{document:#}");
}

async fn a_wrong_password_makes_one_bind(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, "");
    let (document, status) = doctor(&config, &["alice", "-w", "Wrong-1"], "");
    assert_eq!(status, 1);
    says(step(&document, "user_bind"), "failed", &["wrong_password"]);
    says(step(&document, "user_groups"), "ok", &["staff"]);
    says(step(&document, "decision"), "failed", &["wrong_password"]);
    for guess in ["a", "b", "c", "d"] {
        login(&config, "alice", guess);
    }
    let (document, _) = doctor(&config, &["alice", "-w", "Red-Apple-11"], "");
    says(step(&document, "user_bind"), "warning", &["too many wrong passwords", "block clear"]);
}

async fn a_server_of_the_list_that_is_down_is_told_and_the_others_are_used(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, "");
    let closed = format!("ldap://localhost:{}", process::free_port());
    let list = format!("[\"{closed}\", \"ldap://no-such-host.invalid\", \"{}\"]", world.ldap_url());
    let text = std::fs::read_to_string(&config).expect("the configuration was written");
    let text = text.replace(&format!("{:?}", world.ldap_url()), &list);
    std::fs::write(&config, text.replace("[directory]", "[directory]\nallow_cleartext = true"))
        .expect("the test folder is writable");
    let (document, status) = doctor(&config, &["alice"], "");
    assert_eq!(status, 1, "people can sign in, and yet two servers are down: {document:#}");
    let failed: Vec<_> = document["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|step| step["result"] == "failed")
        .collect();
    assert_eq!(failed.len(), 2, "{document:#}");
    says(failed[0], "failed", &["tcp", &closed, "refused"]);
    says(failed[1], "failed", &["dns", "no-such-host.invalid", "resolv.conf"]);
    says(step(&document, "decision"), "ok", &["may enter"]);
    assert!(
        step(&document, "configuration")["cause"]
            .as_str()
            .is_some_and(|text| text.contains("allow_cleartext"))
    );
}

async fn a_brake_that_holds_is_a_failure(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, "");
    login(&config, "alice", "Red-Apple-11");
    let parsed = Config::find(Some(&config), &BTreeMap::new()).expect("it is a good one");
    let store = parsed.open_store().await.expect("it was made by the login");
    let hold = Hold {
        directory: "main".to_owned(),
        since: Time::from_micros(1_790_000_000_000_000),
        would_lose: 7,
        looked_at: 9,
        why: "7 of 9 people who were looked at would lose access, more than 10%".to_owned(),
    };
    let value = Some(serde_json::to_vec(&hold).expect("it can be written"));
    store.set_mark(SetMark { name: "hold main".to_owned(), value }).await.expect("the store answers");
    let (document, status) = doctor(&config, &[], "");
    assert_eq!(status, 1);
    says(step(&document, "revalidation"), "failed", &["7 of 9 people", "2026-09-2", "sync --force"]);
    assert_eq!(results(&document, "failed"), ["revalidation"], "{document:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_version_is_told_and_left_alone() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, "");
    login(&config, "alice", "Red-Apple-11");
    let file = world.folder().join("accounts.db");
    let change = |sql: &str| {
        let done = process::run("sqlite3", "sqlite3", &[&file.display().to_string(), sql], "");
        assert_eq!(done.status, 0, "{}", done.stderr);
    };
    change("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)");
    let (document, status) = doctor(&config, &[], "");
    assert_eq!(status, 0, "{document:#}");
    says(step(&document, "store"), "ok", &["the next start brings it to"]);
    change(
        "insert into _sqlx_migrations select 9999, description, installed_on, success, checksum, execution_time \
            from _sqlx_migrations where version = 1",
    );
    let (document, status) = doctor(&config, &[], "");
    assert_eq!(status, 3, "{document:#}");
    says(step(&document, "store"), "failed", &["newer ldapgate", "9999"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_read_is_a_document_too() {
    let folder = tempfile::Builder::new().prefix("doctor").tempdir().expect("a temporary folder can be made");
    let config = folder.path().join("ldapgate.toml");
    std::fs::write(&config, "[directory]\npreset = \"openldpa\"\nbase = \"dc=example\"\n").expect("writable");
    let (document, status) = doctor(&config, &[], "");
    assert_eq!((&document["healthy"], status), (&Value::Bool(false), 2));
    assert!(results(&document, "failed").len() >= 2, "every problem is one: {document:#}");
    assert!(document.to_string().contains("openldpa"), "{document:#}");
    let done = ldapgate(&config, &["doctor", "-w", "x"], "");
    assert_eq!(done.status, 2, "{}", done.stderr);
}
