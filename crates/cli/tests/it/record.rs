//! The audit record: what is on it, what never is, and who reads it.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::basic;
use testkit::world::{Peer, World};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::gateway::{Gateway, PROGRAM, USUAL, configure, configure_url, ldapgate, login};

/// A password, typed where the name belongs.
const SECRET: &str = "Xk7-Winter-Sky";

/// The record as documents.
fn record(config: &Path, arguments: &[&str]) -> Vec<Value> {
    let done = ldapgate(config, &[&["-q", "audit", "--json"], arguments].concat(), "");
    assert_eq!(done.status, 0, "{}", done.stderr);
    done.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is a document")).collect()
}

fn events(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record["event"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_on_record_with_who_where_and_why() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let gateway = Gateway::start(&config).await;
    let denied = gateway.api_login("alice", "wrong").await;
    assert_eq!(denied.status, 401);
    assert_eq!(gateway.api_login("Alice", "Red-Apple-11").await.status, 200);
    assert_eq!(ldapgate(&config, &["-q", "session", "revoke", "--user", "alice"], "").status, 0);
    assert_eq!(login(&config, "carol", "Green-Garden-33").1, 0);

    let records = record(&config, &[]);
    assert_eq!(events(&records), ["login", "login", "revoked", "login"]);
    let told = |record: &Value| {
        ["username", "outcome", "reason", "address"].map(|key| record[key].as_str().unwrap_or("-").to_owned())
    };
    assert_eq!(told(&records[0]), ["alice", "denied", "wrong_password", "127.0.0.1"]);
    assert_eq!(records[0]["request_id"].as_str(), denied.header("x-request-id"));
    assert_eq!(told(&records[1]), ["alice", "granted", "-", "127.0.0.1"]);
    assert_eq!(told(&records[2]), ["alice", "-", "-", "-"], "a command's record has the name too");
    assert!(records[2]["agent"].as_str().is_some_and(|agent| agent.starts_with("the command line (uid ")));
    for key in ["at", "event", "username", "outcome", "reason", "address", "request_id"] {
        assert!(records.iter().all(|record| record.get(key).is_some()), "{key}");
    }
    assert_eq!(events(&record(&config, &["--user", "ALICE"])).len(), 3);
    assert_eq!(events(&record(&config, &["--last", "1", "--user", "alice"])), ["revoked"]);
    assert_eq!(record(&config, &["--since", "1h"]), records);
    assert_eq!(record(&config, &["--all"]), records);
    let text = ldapgate(&config, &["-q", "audit", "--last", "1"], "").stdout;
    assert!(text.contains("Z login carol: granted, by the command line (uid "), "{text}");
    assert_eq!(ldapgate(&config, &["audit", "--last", "1", "--all"], "").status, 2);
}

/// `audit --follow` in a process of its own, which ends with this.
struct Follower {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Follower {
    fn start(config: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .arg("--config")
            .arg(config)
            .args(["-q", "audit", "--follow"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("its output is read"));
        let (told, lines) = unbounded_channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        Self { child, lines }
    }

    /// The next line; `None` at the end.
    async fn line(&mut self, within: Duration) -> Option<String> {
        tokio::time::timeout(within, self.lines.recv()).await.expect("a line in time")
    }

    async fn document(&mut self, within: Duration) -> Value {
        serde_json::from_str(&self.line(within).await.expect("one more")).expect("a document")
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const START: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_sees_what_others_record_and_ends_when_asked_to() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    let gateway = Gateway::start(&config).await;
    assert_eq!(gateway.api_login("carol", "Green-Garden-33").await.status, 200);
    assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200);
    let mut follower = Follower::start(&config, &["--json", "--user", "alice"]);
    let first = follower.document(START).await;
    assert_eq!((&first["username"], &first["outcome"]), (&json!("alice"), &json!("granted")));
    assert_eq!(gateway.api_login("carol", "wrong").await.status, 401);
    assert_eq!(gateway.api_login("alice", "wrong").await.status, 401);
    assert_eq!(follower.document(Duration::from_secs(1)).await["reason"], "wrong_password");
    let asked = Command::new("sh").args(["-c", &format!("kill -INT {}", follower.child.id())]).status();
    assert!(asked.expect("it is asked to stop").success());
    assert_eq!(follower.line(START).await, None, "nothing is said at the end");
    assert_eq!(follower.child.wait().expect("it has ended").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_ends_with_the_reader() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, USUAL);
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    let follow = format!("timeout 30 {PROGRAM} --config {} -q audit --follow", config.display());
    let script = format!("{{ {follow}; echo status $? >&2; }} | head -n 1");
    let done = testkit::process::run("sh", "dash", &["-c", &script], "");
    assert!(done.stdout.contains("login alice: granted"), "{}", done.stdout);
    assert_eq!(done.stderr.trim(), "status 0");
}

/// Types the secret at every door.
async fn type_it(gateway: &Gateway) {
    assert_eq!(gateway.api_login(SECRET, "x").await.status, 401);
    assert_eq!(gateway.api_login(&format!("{SECRET}\u{202e}"), "x").await.status, 401);
    let mut browser = gateway.browser();
    let token = browser.get("/login").await.field("csrf_token").expect("the form has a token");
    for password in ["x", ""] {
        let fields = [("username", SECRET), ("password", password), ("csrf_token", &token)];
        assert_eq!(browser.form("/login", &fields).await.status, 401);
    }
    let token = browser.get("/password").await.field("csrf_token").expect("the form has a token");
    let fields = [
        ("username", SECRET),
        ("old_password", "x"),
        ("new_password", "Quite-New-55"),
        ("csrf_token", &token),
    ];
    assert_eq!(browser.form("/password", &fields).await.status, 401);
    let mut program = gateway.program().with("authorization", &basic(SECRET, "x"));
    assert_eq!(program.form("/auth/request-token", &[]).await.status, 401);
    // By now there were enough of them.
    assert_eq!(program.get("/api/me").await.status, 429);
    assert_eq!(gateway.api_login(SECRET, "x").await.status, 429);
    assert_eq!(gateway.api_login(SECRET, "x").await.status, 429);
}

/// Nothing of the secret in what is kept or said, however it is written.
fn nowhere(gateway: &Gateway, world: &World, config: &Path) {
    let log = gateway.said();
    let told = log.lines().find(|line| line.to_lowercase().contains("winter"));
    assert_eq!(told, None, "it is in the log");
    for name in ["accounts.db", "accounts.db-wal"] {
        let bytes = std::fs::read(world.folder().join(name)).expect("the store is there");
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains("winter"), "it is in {name}");
    }
    let records = record(config, &["--all"]);
    assert!(
        records.iter().any(|record| record["username"]
            .as_str()
            .is_some_and(|name| name.starts_with("(not recorded) ")))
    );
}

const EVERYTHING: &str = "\n[login]\nbasic = true\n[log]\nlevel = \"trace\"\nformat = \"json\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_the_place_of_the_name_is_written_nowhere() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, &format!("{USUAL}{EVERYTHING}"));
    let gateway = Gateway::start(&config).await;
    type_it(&gateway).await;
    assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200);
    nowhere(&gateway, &world, &config);
    assert!(gateway.said().contains("uid=alice"), "whose name is known is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_where_a_template_makes_a_person_of_it() {
    let world = World::start(Peer::Memory).await;
    let template = "[directory.user]\ndn_template = \"uid={username},ou=people,dc=example,dc=com\"\n";
    let config = configure(&world, &format!("{template}{EVERYTHING}"));
    let gateway = Gateway::start(&config).await;
    type_it(&gateway).await;
    nowhere(&gateway, &world, &config);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_while_the_directory_is_down() {
    let world = World::start(Peer::Memory).await;
    let nothing = format!("ldap://127.0.0.1:{}", testkit::process::free_port());
    let config = configure_url(&world, &nothing, &format!("connect_timeout = \"1s\"\n{USUAL}{EVERYTHING}"));
    let mut gateway = Gateway::start(&config).await;
    assert_eq!(gateway.api_login(SECRET, "x").await.status, 503);
    gateway.stop();
    nowhere(&gateway, &world, &config);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_every_record_as_one_json_line_each() {
    let world = World::start(Peer::Memory).await;
    let config = configure(&world, &format!("{USUAL}\n[log]\nformat = \"json\"\n"));
    let mut gateway = Gateway::start(&config).await;
    let denied = gateway.api_login("alice", "wrong").await;
    assert_eq!(gateway.api_login("carol", "Green-Garden-33").await.status, 200);
    gateway.stop();
    let log = gateway.said();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let audit: Vec<&Value> = lines.iter().filter(|line| line["target"] == "audit").collect();
    let [first, second] = audit.as_slice() else { panic!("{log}") };
    assert_eq!((&first["event"], &first["reason"]), (&json!("login"), &json!("wrong_password")));
    assert_eq!(first["request_id"].as_str(), denied.header("x-request-id"));
    assert_eq!((&second["username"], &second["outcome"]), (&json!("carol"), &json!("granted")));
    assert!(second.get("reason").is_none(), "what is not known is left out: {second}");
    assert_eq!(first["spans"].as_array().map(Vec::len), Some(1), "{first}");
    assert!(first.get("span").is_none(), "no span is told twice: {first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_on_the_command_line_that_hangs_is_on_record() {
    let world = World::start(Peer::Memory).await;
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("ldap://{}", deaf.local_addr().expect("it has an address"));
    let config = configure_url(&world, &url, &format!("{USUAL}\n[login]\ndeadline = \"1s\"\n"));
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 3);
    let records = record(&config, &[]);
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!((&records[0]["outcome"], &records[0]["reason"]), (&json!("error"), &json!("directory")));
}
