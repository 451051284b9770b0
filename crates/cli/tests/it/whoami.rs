//! `whoami`, beside OpenLDAP's own `ldapwhoami` on the same `slapd`.

use testkit::equipped::{Equipped, PROXY, PROXY_PASSWORD};
use testkit::openldap::OpenLdap;
use testkit::process::{self, Finished};

use crate::gateway::PROGRAM;

/// The same line to both; ours first.
fn both(server: &Equipped, line: &[&str]) -> [Finished; 2] {
    let url = server.ldap_url();
    let line = [&["-x", "-H", &url, "-D", PROXY][..], line].concat();
    let ours = process::run_at(PROGRAM, &[&["whoami"], &line[..]].concat(), &[("LDAPGATE_CONFIG", "")], "");
    [ours, process::run("ldapwhoami", "ldap-utils", &line, "")]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_acted_as_is_told_as_by_ldapwhoami() {
    let server = OpenLdap::equipped().await;
    for (control, status, said) in [
        // This server maps the names of SASL binds alone.
        ("!authzid=u:alice", 1, ""),
        (
            "!authzid=dn:uid=alice,ou=people,dc=example,dc=com",
            0,
            "dn:uid=alice,ou=people,dc=example,dc=com\n",
        ),
        ("!authzid=dn:cn=reader,ou=services,dc=example,dc=com", 1, ""),
        ("!1.2.3.4", 1, ""),
        ("1.2.3.4", 0, "dn:cn=proxy,ou=services,dc=example,dc=com\n"),
    ] {
        for done in both(server, &["-w", PROXY_PASSWORD, "-e", control]) {
            assert_eq!(done.status, status, "{control}: {}", done.stderr);
            assert!(status != 0 || done.stdout == said, "{control}: {}", done.stdout);
        }
    }
    let [ours, _] = both(server, &["-w", PROXY_PASSWORD, "-e", "nonsense"]);
    assert_eq!((ours.status, ours.stdout.as_str()), (255, ""), "{}", ours.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_binds_and_asks_nothing() {
    let server = OpenLdap::equipped().await;
    for (password, status) in [(PROXY_PASSWORD, 0), ("wrong", 49)] {
        for done in both(server, &["-n", "-w", password]) {
            assert_eq!((done.status, done.stdout.as_str()), (status, ""), "{}", done.stderr);
        }
    }
}
