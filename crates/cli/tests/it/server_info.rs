//! `info` and `schema`: what a server says of itself and of its entries.

use serde_json::Value;
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;
use testkit::process::{self, Finished};
use testkit::samba::{self, Samba};
use testkit::world::{Peer, READER, READER_PASSWORD, World};

use crate::against_both;
use crate::gateway::PROGRAM;

against_both!(
    info_names_what_the_server_can,
    one_element_is_shown_with_what_it_inherits,
    a_name_that_nothing_has_is_told,
    the_whole_schema_is_one_definition_a_line,
);

fn ldap(arguments: &[&str]) -> Finished {
    process::run_at(PROGRAM, arguments, &[("LDAPGATE_CONFIG", "")], "")
}

fn json(arguments: &[&str]) -> Value {
    let done = ldap(arguments);
    assert_eq!(done.status, 0, "{}", done.stderr);
    serde_json::from_str(&done.stdout).expect("one document")
}

async fn info_names_what_the_server_can(peer: Peer) {
    let world = World::start(peer).await;
    let url = world.ldap_url();
    let identity = ["-H", &url, "-D", READER, "-w", READER_PASSWORD];
    let text = ldap(&[&["info"], &identity[..]].concat());
    assert_eq!((text.status, text.stderr.as_str()), (0, ""));
    for line in [
        "base            dc=example,dc=com",
        "schema          cn=Subschema",
        "controls",
        "  1.2.840.113556.1.4.319         paged results (RFC 2696)",
        "  1.3.6.1.4.1.4203.1.11.3        who am I (RFC 4532)",
    ] {
        assert!(text.stdout.lines().any(|shown| shown == line), "{line}\n{}", text.stdout);
    }
    let document = json(&[&["info", "--json"], &identity[..]].concat());
    assert_eq!(document["default_naming_context"], "dc=example,dc=com");
    assert_eq!(document["attributes"]["namingContexts"][0], "dc=example,dc=com");
    let controls = document["controls"].as_array().expect("a list");
    assert!(
        controls.iter().any(|control| control["name"] == "paged results" && control["source"] == "RFC 2696")
    );
}

async fn one_element_is_shown_with_what_it_inherits(peer: Peer) {
    let world = World::start(peer).await;
    let url = world.ldap_url();
    let text = ldap(&["schema", "-H", &url, "INETORGPERSON"]);
    assert_eq!((text.status, text.stderr.as_str()), (0, ""));
    assert!(
        text.stdout.starts_with("structural object class inetOrgPerson (2.16.840.1.113730.3.2.2)\n"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.contains("\n  above        organizationalPerson, person, top\n"), "{}", text.stdout);

    let person = json(&["schema", "-H", &url, "inetOrgPerson", "--json"]);
    let must: Vec<&str> =
        person["found"][0]["must"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(must.contains(&"sn") && must.contains(&"cn"), "{must:?}");
    let mail = json(&["schema", "-H", &url, "0.9.2342.19200300.100.1.3", "--json"]);
    assert_eq!(mail["found"][0]["name"], "mail");
    assert!(
        mail["found"][0]["allowed_by"].as_array().expect("a list").contains(&Value::from("inetOrgPerson")),
        "{mail}"
    );
}

async fn a_name_that_nothing_has_is_told(peer: Peer) {
    let world = World::start(peer).await;
    let url = world.ldap_url();
    let missed = ldap(&["schema", "-H", &url, "inetOrgPersn"]);
    assert_eq!((missed.status, missed.stdout.as_str()), (1, ""));
    assert_eq!(
        missed.stderr,
        "ldapgate: nothing in the schema is called inetOrgPersn; there is inetOrgPerson\n"
    );
    let missed = ldap(&["schema", "-H", &url, "--json", "xyzzyxyzzy"]);
    assert_eq!(
        (missed.status, missed.stdout.as_str()),
        (1, "{\"found\":[],\"name\":\"xyzzyxyzzy\",\"similar\":[]}\n")
    );
}

async fn the_whole_schema_is_one_definition_a_line(peer: Peer) {
    let world = World::start(peer).await;
    let url = world.ldap_url();
    let text = ldap(&["schema", "-H", &url]);
    assert_eq!((text.status, text.stderr.as_str()), (0, ""));
    assert!(text.stdout.lines().all(|line| line.contains(": ( ") && line.ends_with(" )")), "{}", text.stdout);
    let document = json(&["schema", "-H", &url, "--json"]);
    assert_eq!(document["broken"].as_array().map(Vec::len), Some(0));
    let count = |key: &str| document[key].as_array().map_or(0, Vec::len);
    assert!(count("attributeTypes") > 80 && count("objectClasses") > 10);
    assert_eq!(text.stdout.lines().count(), proto_attributes().into_iter().map(count).sum::<usize>());
}

fn proto_attributes() -> [&'static str; 8] {
    [
        "attributeTypes",
        "objectClasses",
        "ldapSyntaxes",
        "matchingRules",
        "matchingRuleUse",
        "dITContentRules",
        "dITStructureRules",
        "nameForms",
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_and_389_are_named() {
    let url = OpenLdap::equipped().await.ldap_url();
    assert_eq!(json(&["info", "--json", "-H", &url])["server"], "OpenLDAP");
    let url = Ds389::shared().await.ldap_url();
    let document = json(&["info", "--json", "-H", &url]);
    assert_eq!(
        (&document["server"], &document["vendor_name"]),
        (&Value::from("389 Directory Server"), &Value::from("389 Project"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_tells_its_levels_and_its_auxiliary_classes() {
    let server = Samba::shared().await;
    let (url, ca) = (server.ldaps_url(), server.ca_file().display().to_string());
    let identity =
        ["-H", &url, "--ca-file", &ca, "-D", samba::ADMINISTRATOR, "-w", samba::ADMINISTRATOR_PASSWORD];
    let text = ldap(&[&["info"], &identity[..]].concat());
    assert!(
        text.stdout.contains("\ndomain          Windows Server 2008 R2\n"),
        "{}{}",
        text.stdout,
        text.stderr
    );
    let user = json(&[&["schema", "user", "--json"], &identity[..]].concat());
    let auxiliary = user["found"][0]["auxiliary"].as_array().expect("a list");
    assert!(auxiliary.contains(&Value::from("posixAccount")), "{auxiliary:?}");
}
