//! SASL on the command line and in the configuration, on OpenLDAP.

use std::path::PathBuf;

use testkit::equipped::{Equipped, PROXY_PASSWORD};
use testkit::openldap::{ADMINISTRATOR, OpenLdap};
use testkit::process::{self, Finished};
use testkit::world::{BASE, READER, READER_PASSWORD};

use crate::gateway::{PROGRAM, ldapgate, login};

const ALICE: &str = "dn:uid=alice,ou=people,dc=example,dc=com\n";

fn whoami(url: &str, more: &[&str], environment: &[(&str, &str)]) -> Finished {
    let environment = [&[("LDAPGATE_CONFIG", "")][..], environment].concat();
    process::run_at(PROGRAM, &[&["whoami", "-H", url][..], more].concat(), &environment, "")
}

#[tokio::test]
async fn a_mechanism_a_name_and_a_password_bind_as_openldap_s_tools_do() {
    let server = OpenLdap::equipped().await;
    let (url, ca) = (server.ldaps_url(), server.ca_file().display().to_string());
    let trust = [("LDAPTLS_CACERT", ca.as_str())];
    for mechanism in ["PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "scram-sha-256", "SCRAM-SHA-512"] {
        let done = whoami(&url, &["-Y", mechanism, "-U", "alice", "-w", "Red-Apple-11", "-Q", "-N"], &trust);
        assert_eq!((done.stdout.as_str(), done.status), (ALICE, 0), "{mechanism}: {}", done.stderr);
        let wrong = whoami(&url, &["-Y", mechanism, "-U", "alice", "-w", "wrong"], &trust);
        assert_eq!((wrong.stdout.as_str(), wrong.status), ("", 49), "{mechanism}: {}", wrong.stderr);
    }
    let strongest = whoami(&url, &["-U", "alice", "-w", "Red-Apple-11", "-O", "noplain"], &trust);
    assert_eq!(strongest.stdout, ALICE, "{}", strongest.stderr);
    for acting in ["u:alice", "dn:uid=alice,ou=people,dc=example,dc=com"] {
        let flags = ["-Y", "SCRAM-SHA-256", "-U", "proxy", "-X", acting, "-w", PROXY_PASSWORD];
        assert_eq!(whoami(&url, &flags, &trust).stdout, ALICE);
    }
}

#[tokio::test]
async fn external_is_whoever_the_server_sees() {
    let server = OpenLdap::equipped().await;
    let socket = whoami(&server.ldapi_url(), &["-Y", "EXTERNAL"], &[]);
    assert_eq!(socket.stdout, format!("dn:{ADMINISTRATOR}\n"), "{}", socket.stderr);

    let files = server.identity("alice");
    let (cert, key) = (files.certificate.display().to_string(), files.key.display().to_string());
    let ca = server.ca_file().display().to_string();
    let (ldap, ldaps) = (server.ldap_url(), server.ldaps_url());
    let flags = ["-Y", "EXTERNAL", "--ca-file", &ca, "--cert", &cert, "--key", &key];
    assert_eq!(whoami(&ldaps, &flags, &[]).stdout, ALICE);
    assert_eq!(whoami(&ldap, &[&flags[..], &["-ZZ"]].concat(), &[]).stdout, ALICE);
    let variables =
        [("LDAPTLS_CACERT", ca.as_str()), ("LDAPTLS_CERT", cert.as_str()), ("LDAPTLS_KEY", key.as_str())];
    assert_eq!(whoami(&ldaps, &["-Y", "EXTERNAL"], &variables).stdout, ALICE);
    let without = whoami(&ldaps, &["-Y", "EXTERNAL", "--ca-file", &ca], &[]);
    assert_ne!(without.status, 0, "{}", without.stdout);
}

#[tokio::test]
async fn a_bind_that_is_weaker_than_asked_for_is_not_begun() {
    let server = OpenLdap::equipped().await;
    let ca = server.ca_file().display().to_string();
    let (clear, trust) = (server.ldap_url(), [("LDAPTLS_CACERT", ca.as_str())]);
    let alice = ["-U", "alice", "-w", "Red-Apple-11", "-O"];
    for mechanism in [&["-Y", "SCRAM-SHA-256"][..], &["-Y", "DIGEST-MD5"], &[]] {
        for factor in ["minssf=1", "minssf=256"] {
            let flags = [mechanism, &alice, &[factor]].concat();
            let weak = whoami(&clear, &flags, &[]);
            assert_eq!((weak.stdout.as_str(), weak.status), ("", 255), "{flags:?}");
            assert!(weak.stderr.contains("minssf") && weak.stderr.contains("-ZZ"), "{}", weak.stderr);
            let strong = whoami(&server.ldaps_url(), &flags, &trust);
            assert_eq!((strong.stdout.as_str(), strong.status), (ALICE, 0), "{flags:?}: {}", strong.stderr);
        }
        let none = whoami(&clear, &[mechanism, &alice, &["minssf=0"]].concat(), &[]);
        assert_eq!(none.status, 0, "{mechanism:?}: {}", none.stderr);
    }
    let socket = ["-Y", "EXTERNAL", "-O"];
    let as_socket = |factor| whoami(&server.ldapi_url(), &[&socket[..], &[factor]].concat(), &[]).status;
    assert_eq!((as_socket("minssf=71"), as_socket("minssf=72")), (0, 255));
}

#[test]
fn flags_that_do_not_go_together_are_told_before_anything_is_sent() {
    for (flags, said) in [
        (&["-x", "-Y", "PLAIN", "-U", "a", "-w", "b"][..], "one of them"),
        (&["-Y", "X-NEW"], "is not known"),
        (&["-X", "u:a"], "needs -Y"),
        (&["-Y", "PLAIN", "-w", "b"], "needs -U"),
        (&["-Y", "PLAIN", "-U", "a", "-Q"], "-Q says not to ask"),
        (&["-Y", "PLAIN", "-U", "a", "-w", "b", "-O", "noplain"], "does not allow"),
        (&["-U", "a", "-w", "b", "-O", "nodict"], "-O nodict is not known"),
        (&["-Y", "EXTERNAL", "--cert", "x"], "--key"),
        (&["-I", "-Q"], "cannot be used with"),
    ] {
        let done = whoami("ldap://127.0.0.1:1", flags, &[]);
        assert!(done.stderr.contains(said), "{flags:?}: {}", done.stderr);
        assert_eq!(done.status, 255, "{flags:?}");
    }
}

/// A configuration whose service account is what `service` says.
fn configure(server: &Equipped, folder: &tempfile::TempDir, url: &str, service: &str) -> PathBuf {
    let path = folder.path().join("ldapgate.toml");
    let ca = server.ca_file().display().to_string();
    let text = format!(
        "[store]\nurl = \"sqlite:accounts.db\"\n\n[directory]\npreset = \"openldap\"\nurl = \"{url}\"\nbase = \"{BASE}\"\n\
         tls.ca_files = [{ca:?}]\n{service}\n"
    );
    std::fs::write(&path, text).expect("the test folder is writable");
    path
}

#[tokio::test]
async fn a_gateway_s_service_account_signs_in_by_sasl() {
    let server = OpenLdap::equipped().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{READER_PASSWORD}\n")).expect("the test folder is writable");
    let files = server.identity("alice");
    let by = |mechanism: &str| {
        format!(
            "bind_password_file = \"password\"\nsasl = {{ mechanism = \"{mechanism}\", user = \"reader\" }}"
        )
    };
    let certificate = format!(
        "tls.client_cert = {:?}\ntls.client_key = {:?}\nsasl.mechanism = \"EXTERNAL\"",
        files.certificate.display().to_string(),
        files.key.display().to_string()
    );
    let ldaps = server.ldaps_url();
    for (url, service, who) in [
        (&ldaps, by("SCRAM-SHA-256"), READER.to_owned()),
        (&ldaps, by("PLAIN"), READER.to_owned()),
        (&ldaps, by("DIGEST-MD5"), READER.to_owned()),
        (&server.ldapi_url(), "sasl.mechanism = \"EXTERNAL\"".to_owned(), ADMINISTRATOR.to_owned()),
        (&ldaps, certificate, ALICE.trim_start_matches("dn:").trim_end().to_owned()),
    ] {
        let config = configure(server, &folder, url, &service);
        let done = ldapgate(&config, &["whoami"], "");
        assert_eq!(done.stdout, format!("dn:{who}\n"), "{service}: {}", done.stderr);
    }
    let config = configure(server, &folder, &ldaps, &by("SCRAM-SHA-256"));
    assert_eq!(login(&config, "carol", "Green-Garden-33").0["outcome"], "granted");
    let (document, status) = login(&config, "carol", "wrong");
    assert_eq!((document["outcome"].as_str(), status), (Some("denied"), 1), "{document}");

    std::fs::write(&password, "wrong\n").expect("the test folder is writable");
    let (document, status) = login(&config, "carol", "Green-Garden-33");
    assert_eq!((document["outcome"].as_str(), status), (Some("error"), 2), "{document}");
    assert!(document.to_string().contains("SCRAM-SHA-256 as reader"), "{document}");
}
