//! The servers hold the world.

use ldapgate_testkit::certificate::Authority;
use ldapgate_testkit::ds389::Ds389;
use ldapgate_testkit::openldap::OpenLdap;
use ldapgate_testkit::people::PEOPLE;
use ldapgate_testkit::process;
use ldapgate_testkit::samba::Samba;
use ldapgate_testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};

fn search(url: &str, filter: &str) -> process::Finished {
    let arguments = ["-x", "-LLL", "-H", url, "-D", READER, "-w", READER_PASSWORD, "-b", BASE, filter, "uid"];
    process::run("ldapsearch", "ldap-utils", &arguments, "")
}

/// Asks over a connection that the authority's certificate vouches for.
fn securely(url: &str, authority: &std::path::Path, filter: &str) -> process::Finished {
    let program = process::find("ldapsearch", "ldap-utils");
    // libldap would look for this machine's own name in a certificate for localhost.
    let url = &url.replace("localhost", "127.0.0.1");
    let units = format!("ou=people,{BASE}");
    let arguments =
        ["-x", "-LLL", "-H", url, "-D", READER, "-w", READER_PASSWORD, "-b", &units, filter, "sn"];
    process::run_at(&program, &arguments, &[("LDAPTLS_CACERT", &authority.display().to_string())], "")
}

async fn holds_the_world(peer: Peer) {
    let mut world = World::start(peer).await;
    let before = world.connections();
    let found = search(&world.ldap_url(), "(uid=alice)");
    assert_eq!(found.status, 0, "{}", found.stderr);
    assert_eq!(found.stdout, "dn: uid=alice,ou=people,dc=example,dc=com\nuid: alice\n\n");
    assert_eq!(world.connections(), before + 1);

    world.stop().await;
    assert_ne!(search(&world.ldap_url(), "(uid=alice)").status, 0, "a stopped server does not answer");
    world.resume().await;
    assert_eq!(search(&world.ldap_url(), "(uid=alice)").status, 0);
}

#[tokio::test]
async fn openldap_holds_the_world_stops_and_comes_back() {
    holds_the_world(Peer::OpenLdap).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_holds_the_world_stops_and_comes_back() {
    holds_the_world(Peer::Memory).await;
}

#[tokio::test]
async fn ds389_holds_the_world_stops_and_comes_back() {
    let mut ds389 = Ds389::start(&Authority::new("Example Test CA")).await;
    assert_eq!((ds389.connections(), ds389.requests()), (0, 0));
    let found = securely(&ds389.ldaps_url(), &ds389.ca_file(), "(uid=alice)");
    assert_eq!(
        found.stdout, "dn: uid=alice,ou=people,dc=example,dc=com\nsn: Anderson\n\n",
        "{}",
        found.stderr
    );
    assert_eq!((ds389.connections(), ds389.requests()), (1, 2), "a bind and a search");
    ds389.stop();
    assert_ne!(search(&ds389.ldap_url(), "(uid=alice)").status, 0, "a stopped server does not answer");
    ds389.resume().await;
    assert_eq!(search(&ds389.ldap_url(), "(uid=alice)").status, 0);
    assert_eq!((ds389.connections(), ds389.requests()), (2, 4));
}

#[tokio::test]
async fn samba_holds_the_world_stops_and_comes_back() {
    let mut samba = Samba::start(&Authority::new("Example Test CA")).await;
    let before = samba.binds();
    let found = securely(&samba.ldaps_url(), &samba.ca_file(), "(sAMAccountName=alice)");
    assert_eq!(
        found.stdout, "dn: CN=Alice Anderson,OU=people,DC=example,DC=com\nsn: Anderson\n\n",
        "{}",
        found.stderr
    );
    assert_eq!(samba.binds(), before + 1);
    samba.stop();
    assert_ne!(
        search(&samba.ldap_url(), "(sAMAccountName=alice)").status,
        0,
        "a stopped server does not answer"
    );
    samba.resume().await;
    assert_eq!(securely(&samba.ldaps_url(), &samba.ca_file(), "(sAMAccountName=alice)").status, 0);
}

#[test]
fn a_server_that_leaves_nothing_takes_its_folder_with_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made").keep();
    std::fs::write(folder.join("data"), "x").expect("the folder is writable");
    let log = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    let mut server = process::Server::start("sleep", "coreutils", &["60".to_owned()], log.path());
    server.leaves_nothing_of(&folder);
    assert!(folder.exists() && server.alive());
    server.stop();
    assert!(!folder.exists());
}

#[tokio::test]
async fn openldap_equipped_offers_mechanisms_controls_and_client_certificates() {
    let server = OpenLdap::equipped().await;
    let root = ["-x", "-LLL", "-H", &server.ldap_url(), "-b", "", "-s", "base", "+"];
    let root = process::run("ldapsearch", "ldap-utils", &root, "").stdout;
    for offer in [
        "SCRAM-SHA-256",
        "SCRAM-SHA-512",
        "DIGEST-MD5",
        "CRAM-MD5",
        "1.2.840.113556.1.4.473",
        "1.3.6.1.4.1.4203.1.9.1.1",
        "2.16.840.1.113730.3.4.18",
    ] {
        assert!(root.contains(offer), "{offer}: {root}");
    }
    let program = process::find("ldapwhoami", "ldap-utils");
    let whoami = |url: &str, mechanism: &str, more: &[&str], environment: &[(&str, &str)]| {
        let arguments = [&["-Q", "-Y", mechanism, "-H", url][..], more].concat();
        process::run_at(&program, &arguments, environment, "")
    };
    let alice = password("alice");
    let digest = whoami(&server.ldap_url(), "SCRAM-SHA-256", &["-U", "alice", "-w", alice], &[]);
    assert_eq!(digest.stdout, "dn:uid=alice,ou=people,dc=example,dc=com\n", "{}", digest.stderr);
    let socket = whoami(&server.ldapi_url(), "EXTERNAL", &[], &[]);
    assert_eq!(socket.stdout, "dn:cn=admin,dc=example,dc=com\n", "{}", socket.stderr);

    let files = server.identity("alice");
    let (ca, certificate, key) = (server.ca_file(), files.certificate, files.key);
    let paths = [("LDAPTLS_CACERT", &ca), ("LDAPTLS_CERT", &certificate), ("LDAPTLS_KEY", &key)];
    let texts = paths.map(|(name, path)| (name, path.display().to_string()));
    let environment: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let url = server.ldaps_url().replace("localhost", "127.0.0.1");
    let external = whoami(&url, "EXTERNAL", &[], &environment);
    assert_eq!(external.stdout, "dn:uid=alice,ou=people,dc=example,dc=com\n", "{}", external.stderr);
}

fn password(uid: &str) -> &'static str {
    PEOPLE.iter().find(|person| person.name == uid).expect("somebody of the world").password
}
