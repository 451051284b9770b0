//! Secrets and certificates in files.

use std::collections::BTreeMap;
use std::path::Path;

use ldapgate::Config;

use crate::{SMALL, parse, parse_with, value};

const BIND: &str = "bind_dn = \"cn=reader,dc=example,dc=com\"\n";

fn parse_in(folder: &Path, text: &str) -> Result<Config, String> {
    Config::parse(text, &folder.join("ldapgate.toml"), &BTreeMap::new()).map_err(|error| error.to_string())
}

#[test]
fn a_secret_comes_from_a_file_next_to_the_configuration() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("reader"), "hush\n").expect("writable");
    let config =
        parse_in(folder.path(), &format!("{SMALL}{BIND}bind_password_file = \"reader\"\n")).expect("good");
    assert_eq!(value(&config, "directory.main.bind_password_file"), "\"reader\"");
    assert!(config.client_options(None).is_ok());
    let missing = parse_in(folder.path(), &format!("{SMALL}{BIND}bind_password_file = \"writer\"\n"))
        .expect_err("missing");
    let path = folder.path().join("writer");
    assert_eq!(
        missing,
        format!(
            "{}:6:22: bind_password_file: cannot use {}: No such file or directory (os error 2)",
            folder.path().join("ldapgate.toml").display(),
            path.display()
        )
    );
}

#[test]
fn a_secret_is_never_shown() {
    let config = parse(&format!("{SMALL}{BIND}bind_password = \"hush-hush\"\n")).expect("good");
    assert_eq!(value(&config, "directory.main.bind_password"), "(hidden)");
    let everything = format!("{config:?} {:?} {:?}", config.show(), config.client_options(None));
    assert!(!everything.contains("hush"), "{everything}");
    let config =
        parse(&format!("{SMALL}[token]\nlegacy = true\nsecret_key = \"hush-hush\"\n")).expect("good");
    assert_eq!(value(&config, "token.secret_key"), "(hidden)");
    let everything = format!("{config:?} {:?}", config.show());
    assert!(!everything.contains("hush"), "{everything}");
}

#[test]
fn two_secrets_from_one_source_are_a_mistake_and_the_environment_beats_the_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("reader"), "hush\n").expect("writable");
    let file = folder.path().join("reader");
    let file = file.to_str().expect("utf-8");
    let both = format!("{SMALL}{BIND}bind_password = \"hush\"\nbind_password_file = \"{file}\"\n");
    let error = parse(&both).expect_err("both").to_string();
    assert_eq!(
        error,
        "ldapgate.toml:7:22: bind_password and bind_password_file are both set: one of them is enough"
    );
    let text = format!("{SMALL}{BIND}bind_password = \"hush\"\n");
    let config = parse_with(&text, &[("LDAPGATE_DIRECTORY__BIND_PASSWORD_FILE", file)]).expect("good");
    assert_eq!(value(&config, "directory.main.bind_password_file"), format!("\"{file}\""));
    let environment =
        [("LDAPGATE_DIRECTORY__BIND_PASSWORD_FILE", file), ("LDAPGATE_DIRECTORY__BIND_PASSWORD", "x")];
    let error = parse_with(&text, &environment).expect_err("both").to_string();
    assert_eq!(
        error,
        "LDAPGATE_DIRECTORY__BIND_PASSWORD_FILE: bind_password and bind_password_file are both set: one of them is enough"
    );
}

#[test]
fn a_file_that_is_no_certificate_is_told_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("note.pem"), "buy milk\n").expect("writable");
    let authority = testkit::certificate::Authority::new("Example CA");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("writable");
    let text = format!("{SMALL}[directory.tls]\nca_files = [\"ca.pem\", \"note.pem\", \"gone.pem\"]\n");
    let error = parse_in(folder.path(), &text).expect_err("no certificates");
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    let place = folder.path().join("ldapgate.toml");
    assert!(
        lines[0].starts_with(&format!("{}:6:23: ca_files: ", place.display()))
            && lines[0].contains("note.pem"),
        "{error}"
    );
    assert!(
        lines[1].starts_with(&format!("{}:6:35: ca_files: ", place.display()))
            && lines[1].contains("gone.pem"),
        "{error}"
    );
    let good = text.replace(", \"note.pem\", \"gone.pem\"", "");
    let config = parse_in(folder.path(), &good).expect("good");
    assert_eq!(value(&config, "directory.main.tls.system_roots"), "false");
}

#[test]
fn the_listener_needs_both_its_certificate_and_its_key() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pair = testkit::certificate::Authority::new("Example CA").server(testkit::certificate::Flaw::None);
    let _ = pair.write(folder.path(), "server");
    let text = |tls: &str| format!("{SMALL}[http]\ntls = {{ {tls} }}\n");
    let config = parse_in(folder.path(), &text("cert = \"server.crt\", key = \"server.key\"")).expect("good");
    assert!(config.tls_listener());
    let error = parse_in(folder.path(), &text("cert = \"server.crt\"")).expect_err("half");
    assert!(error.ends_with(":6:16: http.tls: cert needs key"), "{error}");
    assert!(parse_in(folder.path(), &text("cert = \"server.key\", key = \"server.crt\"")).is_err());
}

#[test]
fn a_store_lies_next_to_the_configuration() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = parse_in(folder.path(), SMALL).expect("good");
    assert_eq!(value(&config, "store.url"), "\"sqlite:ldapgate.db\"");
    let debug = format!("{config:?}");
    assert!(debug.contains(&format!("sqlite:{}", folder.path().join("ldapgate.db").display())), "{debug}");
}
