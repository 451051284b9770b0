//! `doctor` against real servers: healthy, the server's own lockout beside ours, and what the service account does not see.

use serde_json::Value;
use testkit::certificate::{Authority, Flaw};
use testkit::openldap::OpenLdap;
use testkit::world::{BASE, LDIF, READER, READER_PASSWORD};

use crate::against_every_server;
use crate::doctor::{doctor, results, says, step};
use crate::live::Live;

against_every_server!(every_server_is_healthy);

async fn every_server_is_healthy(live: &Live) {
    let config = live.configure("");
    let (document, status) = doctor(&config, &["alice", "-w", "Red-Apple-11"], "");
    assert_eq!((&document["healthy"], status), (&Value::Bool(true), 0), "{document:#}");
    assert_eq!(results(&document, "failed"), Vec::<&str>::new());
    says(step(&document, "tls"), "ok", &["Example Test CA"]);
    says(step(&document, "decision"), "ok", &["alice may enter"]);
}

async fn a_lockout_that_comes_first_is_told(live: Live) {
    let (document, status) = doctor(&live.configure(""), &[], "");
    assert_eq!(status, 0);
    says(step(&document, "lockout"), "ok", &["locks after 5 wrong passwords", "login.throttle.person is 4"]);
    let (document, status) = doctor(&live.configure("[login]\nthrottle = { person = 5 }"), &[], "");
    assert_eq!(status, 0, "a warning is not a failure");
    says(step(&document, "lockout"), "warning", &["anybody can lock", "below 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_tells_when_its_lockout_would_come_first() {
    a_lockout_that_comes_first_is_told(Live::openldap().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_tells_when_its_lockout_would_come_first() {
    a_lockout_that_comes_first_is_told(Live::samba().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_of_server_than_the_preset_s_is_told() {
    let live = Live::ds389().await;
    let config = live.configure("");
    let text = std::fs::read_to_string(&config).expect("the configuration was written");
    std::fs::write(&config, text.replace("\"389ds\"", "\"openldap\"")).expect("the test folder is writable");
    let (document, status) = doctor(&config, &[], "");
    says(step(&document, "root_dse"), "warning", &["389 Directory Server", "preset = \\\"389ds\\\""]);
    says(step(&document, "people"), "failed", &["entryUUID"]);
    assert_eq!(status, 1);
}

/// Neither keys nor members are shown to anybody.
const BLIND: &str = r#"access to attrs=userPassword by self =xw by anonymous auth by * none
access to attrs=entryUUID,member by * none
access to * by dn.exact="cn=reader,ou=services,dc=example,dc=com" read by anonymous auth by * none"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_account_may_not_read_is_told() {
    let server = OpenLdap::guarded(&LDIF, &Authority::new("Example Test CA"), Flaw::None, BLIND).await;
    let config = server.folder().join("ldapgate.toml");
    let text = format!(
        "[store]\nurl = \"memory:\"\n[directory]\npreset = \"openldap\"\nurl = \"{}\"\nbase = \"{BASE}\"\n\
         bind_dn = \"{READER}\"\nbind_password = \"{READER_PASSWORD}\"\n",
        server.ldap_url()
    );
    std::fs::write(&config, text).expect("the test folder is writable");
    let (document, status) = doctor(&config, &[], "");
    assert_eq!(status, 1);
    says(step(&document, "people"), "failed", &["17 people", "entryUUID", "nobody can sign in"]);
    says(step(&document, "groups"), "warning", &["member", "nobody seems to be in them"]);
    says(step(&document, "store"), "warning", &["everything is forgotten"]);
}
