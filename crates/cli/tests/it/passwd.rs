//! `passwd`, beside OpenLDAP's own `ldappasswd` on the same servers.

use testkit::process::{self, Finished};
use testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};

use crate::against_both;
use crate::gateway::{PROGRAM, USUAL, configure, ldapgate};

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";
const OLD: &str = "Red-Apple-11";
const NEW: &str = "Rosy-Apple-12";

against_both!(
    a_password_is_changed_as_ldappasswd_changes_it,
    a_file_may_end_in_a_newline,
    whoever_is_named_is_meant,
    nothing_is_set_by_a_dry_run,
);

fn ours(world: &World, arguments: &[&str]) -> Finished {
    let url = world.ldap_url();
    process::run_at(PROGRAM, &[&["passwd", "-x", "-H", &url], arguments].concat(), &[], "")
}

fn theirs(world: &World, arguments: &[&str]) -> Finished {
    let url = world.ldap_url();
    process::run("ldappasswd", "ldap-utils", &[&["-x", "-H", &url], arguments].concat(), "")
}

fn binds(world: &World, dn: &str, password: &str) -> i32 {
    let url = world.ldap_url();
    process::run("ldapwhoami", "ldap-utils", &["-x", "-H", &url, "-D", dn, "-w", password], "").status
}

/// Both tools in turn; what the one sets the other replaces.
async fn a_password_is_changed_as_ldappasswd_changes_it(peer: Peer) {
    let world = World::start(peer).await;
    let change = |old, new| ["-D", ALICE, "-w", old, "-a", old, "-s", new].map(str::to_owned);
    let done = ours(&world, &change(OLD, NEW).each_ref().map(String::as_str));
    assert_eq!((done.status, done.stdout.as_str()), (0, ""), "{}", done.stderr);
    assert_eq!((binds(&world, ALICE, OLD), binds(&world, ALICE, NEW)), (49, 0));
    let done = theirs(&world, &change(NEW, OLD).each_ref().map(String::as_str));
    assert_eq!((done.status, done.stdout.as_str()), (0, ""), "{}", done.stderr);
    assert_eq!(binds(&world, ALICE, OLD), 0);

    // A bind that fails ends both with its code, a change that fails with 1.
    let wrong_bind = ["-D", ALICE, "-w", "wrong", "-s", NEW];
    assert_eq!((ours(&world, &wrong_bind).status, theirs(&world, &wrong_bind).status), (49, 49));
    let wrong_old = ["-D", ALICE, "-w", OLD, "-a", "wrong", "-s", NEW];
    assert_eq!((ours(&world, &wrong_old).status, theirs(&world, &wrong_old).status), (1, 1));
    let nobody = ["-s", NEW, ALICE];
    assert_eq!((ours(&world, &nobody).status, theirs(&world, &nobody).status), (1, 1));
    assert_eq!(binds(&world, ALICE, OLD), 0);
}

async fn a_file_may_end_in_a_newline(peer: Peer) {
    let world = World::start(peer).await;
    let file = |name: &str, text: &str| {
        let path = world.folder().join(name);
        std::fs::write(&path, text).expect("the folder is writable");
        path.display().to_string()
    };
    let (old, new) = (file("old", "Red-Apple-11\n"), file("new", "Rosy-Apple-12\n"));
    let done = ours(&world, &["-D", ALICE, "-y", &old, "-t", &old, "-T", &new, "-e", "ppolicy"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert_eq!(binds(&world, ALICE, NEW), 0);
}

async fn whoever_is_named_is_meant(peer: Peer) {
    let world = World::start(peer).await;
    let must = "uid=mustchange,ou=people,dc=example,dc=com";
    let done = ours(&world, &["-D", must, "-w", "Must-Mango-15", "-s", "New-Nectarine-16", must]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert_eq!(binds(&world, must, "New-Nectarine-16"), 0);
    let unknown = ["-D", ALICE, "-w", OLD, "-s", NEW, "uid=nobody,ou=people,dc=example,dc=com"];
    let (ours, theirs) = (ours(&world, &unknown), theirs(&world, &unknown));
    assert_eq!((ours.status, theirs.status), (1, 1));
}

async fn nothing_is_set_by_a_dry_run(peer: Peer) {
    let world = World::start(peer).await;
    let dry = ["-n", "-D", ALICE, "-w", OLD, "-s", NEW];
    assert_eq!((ours(&world, &dry).status, theirs(&world, &dry).status), (0, 0));
    let wrong = ["-n", "-D", ALICE, "-w", "wrong", "-s", NEW];
    assert_eq!((ours(&world, &wrong).status, theirs(&world, &wrong).status), (49, 49));
    assert_eq!(binds(&world, ALICE, OLD), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_server_makes_is_printed() {
    let world = World::start(Peer::OpenLdap).await;
    let line = ["-D", ALICE, "-w", OLD];
    let done = ours(&world, &line);
    assert_eq!(done.status, 0, "{}", done.stderr);
    let made = done.stdout.strip_prefix("New password: ").expect("it says so").trim_end();
    assert_eq!(binds(&world, ALICE, made), 0);
    let done = ours(&world, &["-D", ALICE, "-w", made, "--json"]);
    let document: serde_json::Value = serde_json::from_str(&done.stdout).expect("one document");
    assert_eq!((document["code"].as_i64(), document["result"].as_str()), (Some(0), Some("success")));
    assert_eq!(binds(&world, ALICE, document["generated"].as_str().expect("it was made")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn controls_go_with_the_change_as_ldappasswd_s_do() {
    let world = World::start(Peer::OpenLdap).await;
    for (control, status) in [("ppolicy", 0), ("!1.2.3.4", 1), ("1.2.3.4", 0), ("nonsense", 255)] {
        let line = ["-D", ALICE, "-w", OLD, "-a", OLD, "-s", OLD, "-e", control];
        let ours = ours(&world, &line);
        assert_eq!(ours.status, status, "{control}: {}", ours.stderr);
        if status != 255 {
            let theirs = theirs(&world, &line);
            assert_eq!(theirs.status, status, "{control}: {}", theirs.stderr);
        }
    }
    let refused = ours(&world, &["-D", ALICE, "-w", OLD, "-s", NEW, "-e", "!relax"]);
    assert!(!refused.stderr.contains("not known"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_s_reason_is_told() {
    let world = World::start(Peer::OpenLdap).await;
    let must = "uid=mustchange,ou=people,dc=example,dc=com";
    let refused = ["-D", must, "-w", "Must-Mango-15", "-a", "Must-Mango-15", "-s", "x"];
    let (ours, theirs) = (ours(&world, &refused), theirs(&world, &refused));
    assert_eq!((ours.status, theirs.status), (1, 1), "{}{}", ours.stderr, theirs.stderr);
    assert!(
        ours.stderr.contains("constraintViolation (19)") && ours.stderr.contains("passwordTooShort (6)"),
        "{}",
        ours.stderr
    );
    assert!(!ours.stderr.contains("Must-Mango"), "{}", ours.stderr);

    let document = self::ours(&world, &[&refused[..], &["--json"]].concat()).stdout;
    let document: serde_json::Value = serde_json::from_str(&document).expect("one document");
    assert_eq!(document["policy"], "passwordTooShort");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_url_and_name_the_configured_service_account_sets_it() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let done = ldapgate(&config, &["passwd", "-s", NEW, ALICE], "");
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert_eq!(binds(&world, ALICE, NEW), 0);
    assert_eq!(binds(&world, READER, READER_PASSWORD), 0, "{BASE}");
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_and_outages_end_as_the_ldap_tools_do() {
    let ldap = |arguments: &[&str]| process::run_at(PROGRAM, arguments, &[], "").status;
    assert_eq!(ldap(&["passwd", "--no-such-flag"]), 255);
    assert_eq!(ldap(&["passwd", "-H", "ldap://127.0.0.1:1", "-s", NEW]), 255);
    assert_eq!(ldap(&["passwd", "-H", "ldap://127.0.0.1:1", "-S"]), 255, "nobody can be asked");
    assert_eq!(ldap(&["passwd", "-H", "ldap://127.0.0.1:1", "-s", ""]), 255, "no password is none");
    assert_eq!(ldap(&["passwd", "-H", "ldap://127.0.0.1:1", "-s", NEW, "-e", "nonsense"]), 255);
}
