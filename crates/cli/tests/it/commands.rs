//! The other commands: configuration, LDAP tools, directory, health, and what the exit status says.

use testkit::process;
use testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};

use crate::against_both;
use crate::gateway::{Gateway, PROGRAM, USUAL, configure, ldapgate};

against_both!(
    search_prints_what_ldapsearch_prints,
    search_and_whoami_end_with_the_result_code,
    whoami_says_who_the_configuration_binds_as,
    with_a_url_of_ones_own_no_stored_secret_is_sent,
    verbose_tells_each_step_and_no_secret,
    health_asks_the_running_gateway,
);

fn ldap(arguments: &[&str]) -> process::Finished {
    process::run_at(PROGRAM, arguments, &[("LDAPGATE_CONFIG", "")], "")
}

async fn search_prints_what_ldapsearch_prints(peer: Peer) {
    let world = World::start(peer).await;
    let url = world.ldap_url();
    let identity = ["-x", "-H", &url, "-D", READER, "-w", READER_PASSWORD, "-b", BASE];
    let questions: [&[&str]; 8] = [
        &["-LLL", "(objectClass=inetOrgPerson)", "uid", "cn", "mail"],
        &["-LLL", "-o", "ldif-wrap=no", "(uid=zoe)"],
        &["-LL", "(uid=we\\28i\\29rd\\2a\\5cuser,x=1)", "uid", "sn"],
        &["-LLL", "-E", "pr=2/noprompt", "(objectClass=groupOfNames)", "member"],
        &["-LLL", "-A", "-s", "one", "(ou=people)"],
        &["-P", "3", "-M", "-l", "5", "(uid=alice)", "cn"],
        &["-L", "uid=nobody"],
        &["-z", "1", "-a", "never", "(objectClass=posixGroup)", "1.1"],
    ];
    for question in questions {
        let theirs = process::run("ldapsearch", "ldap-utils", &[&identity[..], question].concat(), "");
        let ours = ldap(&[&["search"], &identity[..], question].concat());
        // A page's cookie is the connection's own.
        let told = |text: &str| {
            let line = |line: &str| line.split("pagedresults: cookie=").next().unwrap_or_default().to_owned();
            text.lines().map(line).collect::<Vec<_>>()
        };
        assert_eq!(
            told(&ours.stdout),
            told(&theirs.stdout),
            "{question:?}: {}{}",
            ours.stderr,
            theirs.stderr
        );
        assert_eq!(ours.status, theirs.status, "{question:?}");
    }
}

async fn search_and_whoami_end_with_the_result_code(peer: Peer) {
    let world = World::start(peer).await;
    let url = world.ldap_url();
    assert_eq!(ldap(&["whoami", "-H", &url, "-D", READER, "-w", "wrong"]).status, 49);
    assert_eq!(
        ldap(&["search", "-H", &url, "-D", READER, "-w", READER_PASSWORD, "-b", "dc=no,dc=such"]).status,
        32
    );
    assert_eq!(ldap(&["search", "-H", &url, "(&(uid=broken)"]).status, 255);
    assert_eq!(ldap(&["search", "--no-such-flag"]).status, 255);
    assert_eq!(ldap(&["whoami", "-H", "ldap://127.0.0.1:1"]).status, 255);
    assert_eq!(ldap(&["whoami", "-H", &url, "-D", "", "-w", READER_PASSWORD]).status, 255);
    assert_eq!(ldap(&["login"]).status, 2);
    let limited = ldap(&[
        "search",
        "-H",
        &url,
        "-D",
        READER,
        "-w",
        READER_PASSWORD,
        "-b",
        BASE,
        "-z",
        "2",
        "-LLL",
        "uid",
    ]);
    assert_eq!(limited.status, 4, "{}", limited.stderr);
}

async fn whoami_says_who_the_configuration_binds_as(peer: Peer) {
    let world = World::start(peer).await;
    let done = ldapgate(&configure(&world, USUAL), &["whoami"], "");
    assert_eq!(
        (done.stdout.as_str(), done.status),
        (format!("dn:{READER}\n").as_str(), 0),
        "{}",
        done.stderr
    );
    let found = ldapgate(&configure(&world, USUAL), &["search", "--json", "(uid=zoe)", "cn"], "");
    let document: serde_json::Value = serde_json::from_str(&found.stdout).expect("one document");
    assert_eq!(document["entries"][0]["dn"], "uid=zoe,ou=people,dc=example,dc=com");
    assert_eq!(document["entries"][0]["attributes"].as_object().map(serde_json::Map::len), Some(1));
}

async fn verbose_tells_each_step_and_no_secret(peer: Peer) {
    let world = World::start(peer).await;
    let (url, ca) = (world.ldaps_url(), world.ca_file().display().to_string());
    let identity = ["-H", &url, "-D", READER, "-w", READER_PASSWORD, "--ca-file", &ca, "-b", BASE];
    let done = ldap(&[&["-v", "search"], &identity[..], &["(uid=zoe)"]].concat());
    assert_eq!(done.status, 0, "{}", done.stderr);
    for step in ["ldap.connect", "ldap.bind"] {
        assert!(done.stderr.contains(step), "{step}: {}", done.stderr);
    }
    assert!(!done.stderr.contains(READER_PASSWORD), "{}", done.stderr);
}

/// The other server knows the same service account: had the secret been sent, it would have said so.
async fn with_a_url_of_ones_own_no_stored_secret_is_sent(peer: Peer) {
    let (world, other) = (World::start(peer).await, World::start(peer).await);
    let config = configure(&world, USUAL);
    let nobody = ldapgate(&config, &["whoami", "-H", &other.ldap_url()], "");
    assert_eq!((nobody.stdout.as_str(), nobody.status), ("anonymous\n", 0), "{}", nobody.stderr);
    let before = other.requests();
    let named = ldapgate(&config, &["whoami", "-H", &other.ldap_url(), "-D", READER], "");
    assert_eq!((named.stdout.as_str(), named.status), ("", 255), "{}", named.stderr);
    assert_eq!(other.requests(), before, "a name without a password is not sent");
}

async fn health_asks_the_running_gateway(peer: Peer) {
    let mut world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let mut gateway = Gateway::start(&config).await;
    assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200);
    let ready = process::run_at(PROGRAM, &["health", "--url", &gateway.url, "--json"], &[], "");
    assert_eq!(ready.stdout.trim(), r#"{"directory":{"main":"ok"},"ready":true,"store":"ok"}"#);
    assert_eq!(ready.status, 0);
    world.stop().await;
    gateway.stop();
    assert_eq!(process::run_at(PROGRAM, &["health", "--url", &gateway.url], &[], "").status, 3);
    let alone = Gateway::start(&config).await;
    let unready = process::run_at(PROGRAM, &["health", "--url", &alone.url], &[], "");
    assert_eq!(unready.status, 1, "no directory has answered since the start: {}", unready.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_of_a_configuration_is_told_at_once_with_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("bad.toml");
    let text = "[directory]\npreset = \"openldap\"\nurl = \"ldaps://h\"\nbase = \"dc=e,\"\ntimout = \"5s\"\n\n[session]\nidle = \"soon\"\n";
    std::fs::write(&path, text).expect("the folder is writable");
    let done = ldapgate(&path, &["config", "check"], "");
    assert_eq!(done.status, 2);
    for part in ["bad.toml:4:14", "bad.toml:5:1", "timeout", "bad.toml:8:8"] {
        assert!(done.stderr.contains(part), "{part} is not in:\n{}", done.stderr);
    }
    let missing = ldapgate(&folder.path().join("missing.toml"), &["config", "check"], "");
    assert!(missing.status == 2 && missing.stderr.contains("missing.toml"), "{}", missing.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn config_check_tells_on_request_what_certificate_files_turned_out_to_be() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let authority = testkit::certificate::Authority::new("Example Test CA").pem();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("ca.pem"), authority).expect("the folder is writable");
    let archive =
        ["pkcs12", "-export", "-nokeys", "-in", &at("ca.pem"), "-passout", "pass:", "-out", &at("ca.crt")];
    assert_eq!(process::run("openssl", "openssl", &archive, "").status, 0);
    let path = folder.path().join("ldapgate.toml");
    let text = "[directory]\npreset = \"openldap\"\nurl = \"srv:example.com\"\nbase = \"dc=example,dc=com\"\n\
        [directory.tls]\nca_files = [\"ca.crt\"]\n";
    std::fs::write(&path, text).expect("the folder is writable");
    let done = ldapgate(&path, &["config", "check", "-v"], "");
    assert_eq!(done.status, 0, "{}", done.stderr);
    let told = format!("main: trusts 1 of its files (PKCS#12 {}), TLS 1.2 or later", at("ca.crt"));
    assert!(done.stdout.contains(&told), "{}", done.stdout);
    assert!(!ldapgate(&path, &["config", "check"], "").stdout.contains("PKCS#12"));
}

#[tokio::test(flavor = "multi_thread")]
async fn config_show_tells_origins_and_hides_secrets() {
    let world = World::start(Peer::Memory).await;
    let done = ldapgate(&configure(&world, USUAL), &["config", "show"], "");
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(!done.stdout.contains(READER_PASSWORD), "{}", done.stdout);
    for part in ["session.idle", "# default", "# preset openldap", "ldapgate.toml:"] {
        assert!(done.stdout.contains(part), "{part} is not in:\n{}", done.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_command_serves_a_file_to_ldap_utils() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("people.ldif");
    std::fs::write(&file, testkit::world::LDIF.as_str()).expect("the folder is writable");
    let log = folder.path().join("log");
    let arguments = ["directory".to_owned(), file.display().to_string()];
    let _server = process::Server::start_at(PROGRAM, &arguments, &[], &log);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    let url = loop {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        if let Some(line) = said.lines().next().filter(|_| said.ends_with('\n')) {
            break line.to_owned();
        }
        assert!(tokio::time::Instant::now() < deadline, "no URL");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert!(url.starts_with("ldap://127.0.0.1:"), "{url}");
    let found = process::run(
        "ldapsearch",
        "ldap-utils",
        &["-x", "-LLL", "-H", &url, "-b", BASE, "(uid=alice)", "userPassword", "uid"],
        "",
    );
    assert_eq!(found.stdout, "dn: uid=alice,ou=people,dc=example,dc=com\nuid: alice\n\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_never_waited_for_without_a_terminal() {
    let world = World::start(Peer::Memory).await;
    let done = ldapgate(&configure(&world, USUAL), &["login", "alice"], "");
    assert_eq!(done.status, 2);
    assert!(done.stderr.contains("--password-stdin"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_the_manual_name_every_command() {
    let completions = ldap(&["completions", "bash"]);
    let manual = ldap(&["man"]);
    for command in ["serve", "login", "user", "config", "search", "whoami", "passwd", "directory", "health"] {
        assert!(completions.stdout.contains(command) && manual.stdout.contains(command), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_a_document_when_nothing_starts_too() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let path = config.display().to_string();
    let arguments = ["--config", &path, "login", "alice", "-w", "Red-Apple-11", "--json"];
    let document = |done: &process::Finished| -> serde_json::Value {
        serde_json::from_str(&done.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", done.stdout, done.stderr))
    };
    let stored =
        process::run_at(PROGRAM, &arguments, &[("LDAPGATE_STORE__URL", "sqlite:/no/such/folder/a.db")], "");
    assert_eq!((document(&stored)["fault"].as_str(), stored.status), (Some("store"), 3));
    let configured = process::run_at(PROGRAM, &arguments, &[("LDAPGATE_SESSION__IDLE", "soon")], "");
    assert_eq!((document(&configured)["fault"].as_str(), configured.status), (Some("configuration"), 2));
    let nobody = process::run_at(PROGRAM, &["health", "--url", "http://127.0.0.1:1", "--json"], &[], "");
    assert_eq!((document(&nobody)["ready"].as_bool(), nobody.status), (Some(false), 3));
    assert_eq!(process::run_at(PROGRAM, &["health", "--url", "nonsense"], &[], "").status, 2);
}
