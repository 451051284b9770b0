//! Which server an LDAP tool asks, whom it trusts, and the habits of OpenLDAP's tools.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use directory::{Directory, Running};
use testkit::certificate::Authority;
use testkit::openldap::OpenLdap;
use testkit::process::{self, Finished};
use testkit::world::{BASE, Peer, World};

use crate::gateway::{PROGRAM, configure_url};

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";
const AS_ALICE: [&str; 4] = ["-D", ALICE, "-w", "Red-Apple-11"];
const NOBODY: &str = "ldap://127.0.0.1:1";

/// Runs a tool with nothing but these variables saying whom to trust.
fn ldap(arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
    let none = [("SSL_CERT_FILE", ""), ("LDAPTLS_CACERT", ""), ("LDAPGATE_CONFIG", "")];
    process::run_at(PROGRAM, arguments, &[&none[..], variables].concat(), "")
}

fn trusting(world: &World, file: &Path) -> PathBuf {
    let more = format!("[directory.tls]\nca_files = [{:?}]", file.display().to_string());
    configure_url(world, &world.ldaps_url(), &more)
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_go_before_the_configuration_s_authority_unless_it_stands_alone() {
    let world = World::start(Peer::Memory).await;
    let (url, right) = (world.ldaps_url(), world.ca_file().display().to_string());
    let other = world.folder().join("other.crt");
    std::fs::write(&other, Authority::new("Somebody Else").pem()).expect("the test folder is writable");
    let config = trusting(&world, &other).display().to_string();
    let wrong = [("LDAPGATE_CONFIG", config.as_str())];
    // SSL_CERT_FILE is meant for everything, and not for the configuration's server.
    for (variable, as_alice) in [("LDAPTLS_CACERT", 0), ("SSL_CERT_FILE", 255)] {
        let variables = [wrong[0], (variable, right.as_str())];
        for (flags, status) in [(&AS_ALICE[..], as_alice), (&["-H", &url], 0), (&[], 255)] {
            let done = ldap(&[&["whoami"][..], flags].concat(), &variables);
            assert_eq!(done.status, status, "{variable} {flags:?}: {}", done.stderr);
        }
    }
    let option = format!("TLS_CACERT={right}");
    for flags in [&["-o", &option][..], &["--ca-file", &right]] {
        let done = ldap(&[&["whoami"][..], flags].concat(), &wrong);
        assert_eq!(done.status, 0, "{flags:?}: {}", done.stderr);
    }
    let config = trusting(&world, &world.ca_file()).display().to_string();
    for flags in [&["-H", &url][..], &AS_ALICE, &[]] {
        let done = ldap(&[&["whoami"][..], flags].concat(), &[("LDAPGATE_CONFIG", &config)]);
        assert_eq!(done.status, 0, "{flags:?}: {}", done.stderr);
    }
}

#[tokio::test]
async fn z_wants_tls_where_there_can_be_none_too() {
    let server = OpenLdap::equipped().await;
    let url = server.ldapi_url();
    for flags in [&["-Z"][..], &["-ZZ"], &["-Z", "-Y", "EXTERNAL"]] {
        let done = ldap(&[&["whoami", "-H", &url][..], flags].concat(), &[]);
        assert_eq!((done.status, done.stdout.as_str()), (255, ""), "{flags:?}");
        assert!(done.stderr.contains("-Z requires TLS"), "{}", done.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_takes_openldap_s_habits() {
    let habits = ["-H", NOBODY, "-x", "-x", "-P", "3", "-P", "3", "-d", "0", "-V", "-o", "nettimeout=none"];
    for (tool, more) in [
        ("search", &["-b", BASE][..]),
        ("whoami", &[]),
        ("add", &["-f", "/dev/null"]),
        ("modify", &["-f", "/dev/null"]),
        ("delete", &["cn=x"]),
        ("rename", &["cn=x", "cn=y"]),
        ("compare", &["cn=x", "cn:x"]),
        ("passwd", &["-s", "new"]),
        ("info", &[]),
        ("schema", &[]),
    ] {
        let done = ldap(&[&[tool][..], &habits, more].concat(), &[]);
        let version = format!("ldapgate {tool} {}\n", env!("CARGO_PKG_VERSION"));
        assert!(done.stderr.starts_with(&version), "{tool}: {}", done.stderr);
        assert!(!done.stderr.contains("Usage"), "{tool}: {}", done.stderr);
        let alone = ldap(&[&[tool][..], more, &["-VV"]].concat(), &[]);
        assert_eq!((alone.status, alone.stderr), (0, version), "{tool}");
        let debug = ldap(&[&[tool][..], more, &["-d", "1"]].concat(), &[]);
        assert_eq!(debug.status, 255, "{tool}");
        assert!(debug.stderr.contains("no libldap"), "{tool}: {}", debug.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_server_of_h_is_asked_when_one_is_down() {
    let world = World::start(Peer::Memory).await;
    for between in [" ", ","] {
        let list = format!("{NOBODY}{between}{}", world.ldap_url());
        let done = ldap(&["compare", "-H", &list, "-V", "-o", "network_timeout=5", ALICE, "uid:alice"], &[]);
        assert_eq!((done.status, done.stdout.as_str()), (6, "TRUE\n"), "{}", done.stderr);
    }
    let requests = world.requests();
    let url = format!("{}/{BASE}??sub", world.ldap_url());
    let done = ldap(&["search", "-H", &url, "(uid=alice)"], &[]);
    assert_eq!((done.status, world.requests()), (255, requests), "{}", done.stdout);
    assert!(done.stderr.contains("more than scheme, host and port"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_asks_one_of_the_servers_that_share_the_load() {
    let (one, other) = (World::start(Peer::Memory).await, World::start(Peer::Memory).await);
    let before = [one.connections(), other.connections()];
    let urls = format!("{}\", \"{}", one.ldap_url(), other.ldap_url());
    let config = configure_url(&one, &urls, "balance = \"round-robin\"");
    let text = std::fs::read_to_string(&config).expect("it was written");
    let text = text.replace(&format!("url = \"{urls}\""), &format!("url = [\"{urls}\"]"));
    std::fs::write(&config, text).expect("the test folder is writable");
    let config = config.display().to_string();
    let runs = 24;
    for _ in 0..runs {
        let done = ldap(&["whoami"], &[("LDAPGATE_CONFIG", &config)]);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
    let asked = [one.connections() - before[0], other.connections() - before[1]];
    assert_eq!(asked[0] + asked[1], runs, "one connection a run");
    assert!(asked.iter().all(|count| *count > 0), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_ends_promises_no_other_try() {
    let world = World::start(Peer::Memory).await;
    let config = configure_url(&world, NOBODY, "").display().to_string();
    let done = ldap(&["whoami"], &[("LDAPGATE_CONFIG", &config)]);
    assert_eq!(done.status, 255);
    assert!(!done.stderr.contains("tried again"), "{}", done.stderr);
}

/// A server that holds this.
async fn serve(ldif: String) -> Running {
    let listener = Directory::listen(([127, 0, 0, 1], 0).into()).await.expect("a port is free");
    let builder = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH)).ldif(ldif).expect("it is LDIF");
    builder.build().serve(listener).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_the_server_that_was_referred_to_is_the_status() {
    let world = World::start(Peer::Memory).await;
    let far = serve("dn: dc=b\nobjectClass: domain\ndc: b\n".to_owned()).await;
    let near = serve(format!(
        "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n\
         dn: ou=far,dc=example,dc=com\nobjectClass: referral\nobjectClass: extensibleObject\nou: far\n\
         ref: ldap://localhost:{port}/dc=b\n\n\
         dn: ou=gone,dc=example,dc=com\nobjectClass: referral\nobjectClass: extensibleObject\nou: gone\n\
         ref: ldap://localhost:{port}/dc=nowhere\n",
        port = far.address().port()
    ))
    .await;
    let url = format!("ldap://localhost:{}", near.address().port());
    let more = "referrals = \"follow\"\nreferral_hosts = [\"localhost\"]";
    let config = configure_url(&world, &url, more);
    let text = std::fs::read_to_string(&config).expect("it was written");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("bind_")).collect();
    std::fs::write(&config, kept.join("\n")).expect("the test folder is writable");
    let config = config.display().to_string();
    for (dn, assertion, status) in [
        ("ou=far,dc=example,dc=com", "dc:b", 6),
        ("ou=far,dc=example,dc=com", "dc:c", 5),
        ("ou=far,dc=example,dc=com", "cn:x", 16),
        ("ou=gone,dc=example,dc=com", "dc:b", 32),
    ] {
        let done = ldap(&["compare", dn, assertion], &[("LDAPGATE_CONFIG", &config)]);
        assert_eq!(done.status, status, "{dn}: {}{}", done.stdout, done.stderr);
    }
}
