//! The command in its variant with Kerberos: `cargo test -p ldapgate-cli --features gssapi --test gssapi`.

use testkit::kerberos::{Client, Realm};
use testkit::process::{self, Finished};
use testkit::samba::Samba;
use testkit::world::BASE;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ldapgate");
const ALICE: &str = "dn:uid=alice,ou=people,dc=example,dc=com\n";

fn ldapgate(arguments: &[&str], environment: &[(&'static str, String)], input: &str) -> Finished {
    let given = environment.iter().map(|(name, value)| (*name, value.as_str()));
    let environment: Vec<_> = given.chain([("LDAPGATE_CONFIG", "")]).collect();
    process::run_at(PROGRAM, arguments, &environment, input)
}

#[tokio::test]
async fn a_ticket_binds_as_openldap_s_tools_do() {
    let realm = Realm::shared().await;
    let ticket = realm.kdc.client().ticket("alice", "Red-Apple-11");
    let (ldap, ca) = (realm.slapd.ldap_url(), realm.slapd.ca_file().display().to_string());
    for flags in [&[][..], &["-O", "minssf=1,maxssf=1"], &["-O", "maxssf=0"], &["-ZZ", "--ca-file", &ca]] {
        let arguments = [&["whoami", "-H", &ldap, "-Y", "GSSAPI"], flags].concat();
        let done = ldapgate(&arguments, &ticket, "");
        assert_eq!((done.stdout.as_str(), done.status), (ALICE, 0), "{flags:?}: {}", done.stderr);
    }
    let none = ldapgate(&["whoami", "-H", &ldap, "-Y", "GSSAPI"], &realm.kdc.client().environment(), "");
    assert!(none.stderr.contains("No Kerberos credentials available"), "{}", none.stderr);
    assert_ne!(none.status, 0);
}

#[tokio::test]
async fn a_strict_domain_controller_takes_a_ticket_and_a_domain_s_account() {
    let samba = Samba::strict().await;
    let client = Client::of_samba(samba);
    let url = samba.ldap_url();
    let base = ["search", "-LLL", "-H", &url, "-b", "DC=example,DC=com", "-s", "base"];
    for (flags, environment) in [
        (&["-Y", "GSSAPI"][..], client.ticket("alice", "Red-Apple-11")),
        (&["-Y", "GSS-SPNEGO"], client.ticket("alice", "Red-Apple-11")),
        (&["-Y", "GSS-SPNEGO", "-U", r"EXAMPLE\alice", "-w", "Red-Apple-11"], Vec::new()),
    ] {
        let done = ldapgate(&[&base[..], flags, &["dc"]].concat(), &environment, "");
        assert_eq!(done.stdout, "dn: DC=example,DC=com\ndc: example\n\n", "{flags:?}: {}", done.stderr);
    }
    let flags = ["-Y", "GSS-SPNEGO", "-U", r"EXAMPLE\alice", "-w", "wrong"];
    assert_eq!(ldapgate(&[&base[..], &flags].concat(), &[], "").status, 49);
}

#[tokio::test]
async fn a_gateway_s_service_account_signs_in_by_its_key_in_a_file() {
    let realm = Realm::shared().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = folder.path().join("ldapgate.toml");
    let text = format!(
        "[store]\nurl = \"sqlite:accounts.db\"\n\n[directory]\npreset = \"openldap\"\nurl = {:?}\nbase = \"{BASE}\"\n\
         sasl = {{ mechanism = \"GSSAPI\", user = \"reader\" }}\n",
        realm.slapd.ldap_url()
    );
    std::fs::write(&config, text).expect("the test folder is writable");
    let mut environment = realm.kdc.client().environment();
    environment[1].1 = "MEMORY:".to_owned();
    environment.push(("KRB5_CLIENT_KTNAME", realm.kdc.keytab("reader").display().to_string()));
    let config = config.display().to_string();
    let login = ["--config", &config, "-q", "login", "--json", "--password-stdin", "--", "carol"];
    let granted = ldapgate(&login, &environment, "Green-Garden-33\n");
    assert_eq!(granted.status, 0, "{}{}", granted.stdout, granted.stderr);
    let denied = ldapgate(&login, &environment, "wrong\n");
    assert_eq!(denied.status, 1, "{}{}", denied.stdout, denied.stderr);
}
