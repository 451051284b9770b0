//! The store as a whole, on the command line: brought up to date, moved, and its password never told.

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::postgres::{PASSWORD_IN_URL, Postgres};
use testkit::process;
use testkit::world::{Peer, World};

use crate::gateway::{USUAL, configure, ldapgate, login};

fn set_store(config: &Path, line: &str) {
    let text = std::fs::read_to_string(config).expect("it is there");
    let is_store = |old: &str| {
        ["url = \"sqlite:", "url = \"postgres:", "url_file"].iter().any(|start| old.starts_with(start))
    };
    let lines = text.lines().map(|old| if is_store(old) { line } else { old });
    std::fs::write(config, lines.collect::<Vec<_>>().join("\n")).expect("the test folder is writable");
}

/// Puts a URL into a file and the file into the configuration, which is how a password should be given.
fn set_url_file(config: &Path, url: &str) -> PathBuf {
    let file = config.with_file_name("store-url");
    std::fs::write(&file, format!("{url}\n")).expect("the test folder is writable");
    set_store(config, "url_file = \"store-url\"");
    file
}

fn document(config: &Path, arguments: &[&str]) -> (Value, i32) {
    let done = ldapgate(config, &[&["-q"], arguments, &["--json"]].concat(), "");
    assert!(!done.stdout.contains(PASSWORD_IN_URL) && !done.stderr.contains(PASSWORD_IN_URL), "{done:?}");
    (serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("no document: {done:?}")), done.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_brought_up_to_date_and_says_from_which_version() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let migrate = || ldapgate(&config, &["-q", "migrate"], "");
    let url = Postgres::shared().database();
    for store in [None, Some(&url)] {
        if let Some(url) = store {
            set_url_file(&config, url);
        }
        let made = migrate();
        assert!(made.stdout.starts_with("made, at version ") && made.status == 0, "{made:?}");
        assert!(migrate().stdout.starts_with("nothing to do: it is at version "), "{made:?}");
        let (told, status) = document(&config, &["migrate"]);
        assert!(told["from"].is_i64() && told["from"] == told["to"] && status == 0, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_moved_has_everything_and_everybody_goes_on() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    let issued = document(&config, &["token", "issue", "alice", "--name", "mail"]).0;
    let before = ["user", "token", "group"].map(|what| document(&config, &[what, "list"]).0);
    let record = || ldapgate(&config, &["-q", "audit", "--json"], "").stdout;
    let before_it_moved = record();
    assert!(before_it_moved.contains("personal_token_issued"), "{before_it_moved}");

    let url = Postgres::shared().database();
    let file = config.with_file_name("target");
    std::fs::write(&file, &url).expect("the test folder is writable");
    let copy = ["store", "copy", "--to-file", &file.display().to_string()].map(str::to_owned);
    let copy: Vec<&str> = copy.iter().map(String::as_str).collect();
    let (copied, status) = document(&config, &copy);
    assert_eq!(
        (&copied["copied"]["account"], &copied["copied"]["personal_token"], status),
        (&1.into(), &1.into(), 0)
    );
    let (refused, status) = document(&config, &copy);
    assert_eq!((&refused["outcome"], status), (&"refused".into(), 1), "{refused}");

    set_url_file(&config, &url);
    assert_eq!(["user", "token", "group"].map(|what| document(&config, &[what, "list"]).0), before);
    assert_eq!(record(), before_it_moved);
    let id = issued["id"].as_str().expect("a token has an id");
    assert_eq!(ldapgate(&config, &["-q", "token", "revoke", id], "").status, 0);
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
}

/// What the book says of a restore: `docs/store.md`.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_put_back_makes_good_what_was_revoked_since_and_one_command_ends_it_again() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let file = config.with_file_name("accounts.db");
    let backup = config.with_file_name("backup.db");
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    let issued = document(&config, &["token", "issue", "alice"]).0;
    let id = issued["id"].as_str().expect("a token has an id");
    let tokens = || document(&config, &["token", "list"]).0["tokens"].as_array().map(Vec::len);
    let saved = format!(".backup '{}'", backup.display());
    let saved = process::run("sqlite3", "sqlite3", &[&file.display().to_string(), &saved], "");
    assert_eq!(saved.status, 0, "{saved:?}");
    assert_eq!(document(&config, &["token", "revoke", id]).1, 0);
    assert_eq!(document(&config, &["user", "disable", "alice"]).1, 0);
    assert_eq!((tokens(), login(&config, "alice", "Red-Apple-11").1), (Some(0), 1));

    for beside in ["accounts.db-wal", "accounts.db-shm"] {
        let _ = std::fs::remove_file(config.with_file_name(beside));
    }
    std::fs::copy(&backup, &file).expect("the test folder is writable");
    assert_eq!((tokens(), login(&config, "alice", "Red-Apple-11").1), (Some(1), 0), "as if nothing had been");
    assert_eq!(document(&config, &["session", "revoke", "--user", "alice", "--tokens"]).1, 0);
    assert_eq!(tokens(), Some(0));
    assert_eq!(ldapgate(&config, &["-q", "token", "rotate", "--now"], "").status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_used_is_told_without_its_password() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let server = Postgres::shared();
    let url = server.database();

    set_store(&config, &format!("url = \"{}\"", url.replace("127.0.0.1", "db.example.com")));
    let shown = ldapgate(&config, &["config", "show"], "");
    assert!(shown.stdout.contains(":(hidden)@db.example.com"), "{shown:?}");
    assert!(!shown.stdout.contains(PASSWORD_IN_URL), "{shown:?}");
    let checked = ldapgate(&config, &["config", "check"], "");
    assert!(format!("{}{}", checked.stdout, checked.stderr).contains("clear text"), "{checked:?}");

    set_store(&config, "url = \"sqlite:accounts.db\"");
    let file = set_url_file(&config, &url);
    drop(document(&config, &["migrate"]));
    server.sql(&url, "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (999, 'later', true, '\\x00', 0)");
    for (url, said) in [
        (url.as_str(), "newer"),
        (&url.replace(PASSWORD_IN_URL, "wrong"), "password"),
        ("postgres://gate:hush@127.0.0.1:1/none", "cannot be reached"),
    ] {
        std::fs::write(&file, url).expect("the test folder is writable");
        for arguments in [&["migrate"][..], &["user", "list"]] {
            let (failed, status) = document(&config, arguments);
            assert_eq!((&failed["fault"], status), (&"store".into(), 3), "{failed}");
            assert!(failed.to_string().contains(said) && !failed.to_string().contains("hush"), "{failed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_looks_at_a_server_and_makes_nothing_there() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let url = Postgres::shared().database();
    set_url_file(&config, &url);
    let store = || {
        let (told, status) = document(&config, &["doctor"]);
        let steps = told["steps"].as_array().cloned().unwrap_or_default();
        (steps.into_iter().find(|step| step["step"] == "store").expect("the store is a step"), status)
    };
    for _ in 0..2 {
        let (empty, status) = store();
        assert!(empty["seen"].to_string().contains("it is empty") && status == 0, "{empty}");
    }
    login(&config, "alice", "Red-Apple-11");
    let (there, status) = store();
    assert!(there["seen"].to_string().contains("it answers, version ") && status == 0, "{there}");
    set_url_file(&config, &url.replace(PASSWORD_IN_URL, "Wrong-Pass-0"));
    let (refused, status) = store();
    assert_eq!((refused["result"].as_str(), status), (Some("failed"), 3), "{refused}");
    assert!(refused["cause"].to_string().contains("password"), "{refused}");
}
