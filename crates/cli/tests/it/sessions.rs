//! Sessions and tokens on the command line, and what becomes of them at a running gateway.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::{Visitor, basic};
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{Gateway, USUAL, configure, ldapgate};

against_both!(
    a_session_is_listed_and_ended_at_the_gateway,
    everything_of_a_person_is_revoked,
    a_personal_token_is_issued_used_and_revoked,
    a_signed_token_is_revoked_by_its_id,
);

/// How soon the gateway has heard of what a command did; the contract's word is a second.
const SOON: Duration = Duration::from_secs(1);

/// A document, and the status of the command that printed it.
fn document(config: &Path, arguments: &[&str]) -> (Value, i32) {
    let done = ldapgate(config, &[&["-q"], arguments, &["--json"]].concat(), "");
    let document = serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("no document ({error}): {}{}", done.stdout, done.stderr));
    (document, done.status)
}

/// Waits until the gateway does not know the visitor any more.
async fn ends(visitor: &mut Visitor, within: Duration) {
    let asking = async { while visitor.get("/api/me").await.status == 200 {} };
    tokio::time::timeout(within, asking).await.expect("the gateway hears of it in time");
}

async fn signed_in(gateway: &Gateway) -> Visitor {
    let mut browser = gateway.browser();
    let body = json!({"username": "alice", "password": "Red-Apple-11"});
    assert_eq!(browser.json("/api/login", &body).await.status, 200);
    browser
}

fn bearer(gateway: &Gateway, token: &str) -> Visitor {
    gateway.program().with("authorization", &format!("Bearer {token}"))
}

async fn signed(gateway: &Gateway) -> String {
    let mut program = gateway.program().with("authorization", &basic("alice", "Red-Apple-11"));
    let answer = program.form("/auth/request-token", &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["token"].as_str().expect("a token").to_owned()
}

/// What a signed token says of itself.
fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("a payload");
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    serde_json::from_slice(&payload).expect("JSON")
}

async fn a_session_is_listed_and_ended_at_the_gateway(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let gateway = Gateway::start(&config).await;
    assert_eq!(document(&config, &["session", "list"]).0, json!({"sessions": []}));
    let (mut one, mut other) = (signed_in(&gateway).await, signed_in(&gateway).await);

    let (listed, status) = document(&config, &["session", "list", "Alice"]);
    assert_eq!(status, 0);
    let sessions = listed["sessions"].as_array().expect("a list");
    let keys: Vec<&str> = sessions[0].as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = ["id", "username", "created", "last_seen", "expires", "address", "agent"];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!((sessions.len(), &sessions[0]["address"]), (2, &json!("127.0.0.1")));
    let id = sessions[0]["id"].as_str().expect("an id");
    let table = ldapgate(&config, &["-q", "session", "list"], "").stdout;
    assert!(table.starts_with("ID ") && table.lines().count() == 3 && table.contains(id), "{table}");

    let done = ldapgate(&config, &["-q", "session", "revoke", id], "");
    assert_eq!((done.stdout.as_str(), done.status), (format!("revoked: {id}\n").as_str(), 0));
    ends(&mut one, SOON).await;
    assert_eq!(other.get("/api/me").await.status, 200, "only that one");
    for nobody in [&["session", "revoke", id][..], &["session", "list", "zoe"]] {
        let (refused, status) = document(&config, nobody);
        assert_eq!((refused["outcome"].as_str(), status), (Some("refused"), 1), "{refused}");
    }
    assert_eq!(ldapgate(&config, &["session", "revoke"], "").status, 2);
}

async fn everything_of_a_person_is_revoked(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let gateway = Gateway::start(&config).await;
    let mut browser = signed_in(&gateway).await;
    let mut program = bearer(&gateway, &signed(&gateway).await);
    let (issued, _) = document(&config, &["token", "issue", "alice"]);
    let mut script = bearer(&gateway, issued["token"].as_str().expect("a token"));
    for visitor in [&mut browser, &mut program, &mut script] {
        assert_eq!(visitor.get("/api/me").await.status, 200);
    }
    let (done, status) = document(&config, &["session", "revoke", "--user", "alice"]);
    assert_eq!((&done["outcome"], &done["username"], status), (&json!("revoked"), &json!("alice"), 0));
    ends(&mut browser, SOON).await;
    ends(&mut program, SOON).await;
    assert_eq!(
        script.get("/api/me").await.status,
        200,
        "a personal token is for what goes on without the person"
    );
    assert_eq!(document(&config, &["session", "revoke", "--user", "alice", "--tokens"]).1, 0);
    ends(&mut script, SOON).await;
    assert_eq!(document(&config, &["session", "revoke", "--user", "zoe"]).1, 1);
    signed_in(&gateway).await;
}

async fn a_personal_token_is_issued_used_and_revoked(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let gateway = Gateway::start(&config).await;
    assert_eq!(document(&config, &["token", "issue", "alice"]).1, 1, "nobody is known yet");
    signed_in(&gateway).await;
    let (issued, status) =
        document(&config, &["token", "issue", "alice", "--name", "backup", "--expires", "30d"]);
    let keys: Vec<&str> = issued.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!((keys, status), (vec!["expires", "id", "token"], 0));
    let token = issued["token"].as_str().expect("a token");
    assert!(token.starts_with("ldg_"), "{token}");
    let mut script = bearer(&gateway, token);
    assert_eq!(script.get("/api/me").await.json()["username"], "alice");
    let mut old = gateway.program().with("authorization", &basic("anybody", token));
    assert_eq!(old.get("/api/me").await.status, 200, "as a password it goes too");

    let (listed, _) = document(&config, &["token", "list", "alice"]);
    let [listed] = listed["tokens"].as_array().expect("a list").as_slice() else { panic!("{listed}") };
    assert_eq!(
        (&listed["id"], &listed["username"], &listed["name"]),
        (&issued["id"], &json!("alice"), &json!("backup"))
    );
    assert_eq!(listed["expires"], issued["expires"]);
    assert!(listed["last_used"].is_string(), "{listed}");
    let id = issued["id"].as_str().expect("an id");
    let table = ldapgate(&config, &["-q", "token", "list"], "").stdout;
    assert!(table.contains(id) && !table.contains(token), "{table}");

    assert_eq!(document(&config, &["user", "disable", "alice"]).1, 0);
    ends(&mut script, SOON).await;
    assert_eq!(document(&config, &["token", "issue", "alice"]).1, 1, "she is shut out");
    assert_eq!(document(&config, &["user", "enable", "alice"]).1, 0);
    assert_eq!(document(&config, &["token", "revoke", id]), (json!({"outcome": "revoked", "id": id}), 0));
    ends(&mut script, SOON).await;
    assert_eq!(document(&config, &["token", "revoke", id]).1, 1);
    for wrong in ["0s", "soon", "-1d"] {
        let status =
            ldapgate(&config, &["token", "issue", "alice", &format!("--expires={wrong}")], "").status;
        assert_eq!(status, 2, "{wrong}");
    }
}

async fn a_signed_token_is_revoked_by_its_id(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let gateway = Gateway::start(&config).await;
    let (one, other) = (signed(&gateway).await, signed(&gateway).await);
    let (mut revoked, mut goes_on) = (bearer(&gateway, &one), bearer(&gateway, &other));
    assert_eq!(revoked.get("/api/me").await.status, 200);
    let (listed, _) = document(&config, &["token", "list", "--signed"]);
    assert_eq!(listed["tokens"].as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(document(&config, &["token", "list"]).0, json!({"tokens": []}));
    let id = claims(&one)["jti"].as_str().expect("an id").to_owned();
    assert_eq!(document(&config, &["token", "revoke", &id]).1, 0);
    ends(&mut revoked, SOON).await;
    assert_eq!(goes_on.get("/api/me").await.status, 200);

    let mut anybody = gateway.program();
    let before = anybody.get("/.well-known/jwks.json").await.json();
    let (rotated, status) = document(&config, &["token", "rotate"]);
    assert_eq!((rotated["outcome"].as_str(), status), (Some("rotated"), 0), "{rotated}");
    let shown = async {
        loop {
            let keys = anybody.get("/.well-known/jwks.json").await.json();
            if keys["keys"].as_array().is_some_and(|keys| keys.len() == 2) {
                return keys;
            }
        }
    };
    let keys = tokio::time::timeout(Duration::from_secs(5), shown).await.expect("the gateway hears of it");
    assert_eq!((&keys["keys"][0], &keys["keys"][1]["kid"]), (&before["keys"][0], &rotated["id"]));
    assert_eq!(goes_on.get("/api/me").await.status, 200, "its key is still about");
    assert_eq!(document(&config, &["token", "rotate", "--now"]).1, 0);
    ends(&mut goes_on, Duration::from_secs(5)).await;
    let mut new = bearer(&gateway, &signed(&gateway).await);
    assert_eq!(new.get("/api/me").await.status, 200);
}
