//! Accounts on the command line, and a person who is deleted and made anew.

use std::time::Duration;

use serde_json::Value;
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{Gateway, USUAL, configure, ldapgate, login, write};

against_both!(
    a_namesake_gets_the_name_once_who_had_it_is_gone_and_nothing_else,
    who_was_made_anew_is_linked_by_hand,
    an_account_is_disabled_enabled_and_removed,
    a_look_up_says_what_a_login_would_fail_for,
    no_password_is_in_the_store,
);

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";
const ANEW: &str = "dn: uid=alice,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: alice\n\
                    cn: Alice Other\nsn: Other\ngivenName: Alice\nuserPassword: Other-Apple-99\n";

const LEAVES_STAFF: &str = "dn: cn=staff,ou=groups,dc=example,dc=com\nchangetype: modify\ndelete: member\n\
                            member: uid=alice,ou=people,dc=example,dc=com\n-\n";

fn document(config: &std::path::Path, arguments: &[&str]) -> (Value, i32) {
    let done = ldapgate(config, &[&["-q"], arguments, &["--json"]].concat(), "");
    let document = serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("no document ({error}): {}{}", done.stdout, done.stderr));
    (document, done.status)
}

async fn a_namesake_gets_the_name_once_who_had_it_is_gone_and_nothing_else(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let gateway = Gateway::start(&config).await;
    let mut browser = gateway.browser();
    let old = browser.json("/api/login", &body("Red-Apple-11")).await.json();
    assert_eq!(old["permissions"], serde_json::json!(["reports.view"]));
    assert_eq!(gateway.api_login("carol", "Green-Garden-33").await.status, 200);

    // A group that still names the entry would be the directory's word.
    write(&world, peer, "ldapmodify", &[], LEAVES_STAFF);
    write(&world, peer, "ldapmodrdn", &["-r", ALICE, "uid=former"], "");
    write(&world, peer, "ldapadd", &[], ANEW);
    let (denied, status) = login(&config, "alice", "Other-Apple-99");
    assert_eq!((denied["reason"].as_str(), status), (Some("duplicate_account"), 1), "{denied}");
    assert_eq!(browser.get("/api/me").await.status, 200, "who has the name stays signed in");

    write(&world, peer, "ldapdelete", &["uid=former,ou=people,dc=example,dc=com"], "");
    let (new, _) = login(&config, "alice", "Other-Apple-99");
    assert_eq!(new["outcome"], "granted", "{new}");
    assert_ne!(new["id"], old["id"]);
    assert_eq!(new["permissions"], serde_json::json!([]), "the other's permissions are not inherited");
    let (users, _) = document(&config, &["user", "list"]);
    let named = |start: &str| -> Vec<&Value> {
        let users = users["users"].as_array().expect("a list").iter();
        users.filter(|user| user["username"].as_str().is_some_and(|name| name.starts_with(start))).collect()
    };
    assert_eq!(named("alice").len(), 2, "{users}");
    let retired = named("alice#retired-");
    assert_eq!((&retired[0]["id"], &retired[0]["disabled"]), (&old["id"], &Value::Bool(true)));
    // The gateway hears of it by asking the store now and then.
    let ends = async { while browser.get("/api/me").await.status == 200 {} };
    tokio::time::timeout(Duration::from_secs(5), ends).await.expect("the old session ends");
}

fn body(password: &str) -> Value {
    serde_json::json!({"username": "alice", "password": password})
}

async fn who_was_made_anew_is_linked_by_hand(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (old, _) = login(&config, "alice", "Red-Apple-11");
    write(&world, peer, "ldapdelete", &[ALICE], "");
    write(&world, peer, "ldapadd", &[], ANEW);
    let entry = ldapgate(&config, &["search", "-LLL", "(uid=alice)", "entryUUID"], "").stdout;
    let id = entry.lines().find_map(|line| line.strip_prefix("entryUUID: ")).expect("an id");

    let (planned, status) = document(&config, &["user", "relink", "alice", "--id", id, "--dry-run"]);
    assert_eq!((planned["outcome"].as_str(), status), (Some("planned"), 0), "{planned}");
    assert_eq!((&planned["from"], planned["to"].as_str()), (&old["id"], Some(id)));
    let (users, _) = document(&config, &["user", "list"]);
    assert_eq!(users["users"][0]["id"], old["id"], "nothing was written");

    let wrong = "00000000-0000-4000-8000-000000000000";
    let (refused, status) = document(&config, &["user", "relink", "alice", "--id", wrong]);
    assert_eq!((refused["outcome"].as_str(), status), (Some("refused"), 1), "{refused}");
    let done = ldapgate(&config, &["user", "relink", "alice", "--id", id], "");
    assert!(done.stdout.starts_with("relinked: alice\n"), "{}{}", done.stdout, done.stderr);
    let (new, _) = login(&config, "alice", "Other-Apple-99");
    assert_eq!((new["outcome"].as_str(), new["id"].as_str()), (Some("granted"), Some(id)), "{new}");
    let (users, _) = document(&config, &["user", "list"]);
    assert_eq!(users["users"].as_array().map(Vec::len), Some(1), "it is the same account");
}

async fn an_account_is_disabled_enabled_and_removed(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    let (done, status) = document(&config, &["user", "disable", "Alice"]);
    assert_eq!((done["outcome"].as_str(), status), (Some("disabled"), 0));
    let (denied, _) = login(&config, "alice", "Red-Apple-11");
    assert_eq!(denied["reason"], "account_disabled");
    let denied = ldapgate(&config, &["user", "alice"], "");
    assert_eq!(denied.stdout, "denied: disabled in the store (account_disabled)\n");
    assert_eq!(denied.status, 1);
    let listed = ldapgate(&config, &["user", "list"], "").stdout;
    let lines = ["USER   DIRECTORY  STATE     DN".to_owned(), format!("alice  main       disabled  {ALICE}")];
    assert_eq!(listed.lines().collect::<Vec<_>>(), lines);
    assert_eq!(document(&config, &["user", "enable", "alice"]).1, 0);
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    assert_eq!(document(&config, &["user", "remove", "alice"]).1, 0);
    let (refused, status) = document(&config, &["user", "remove", "alice"]);
    assert_eq!((refused["outcome"].as_str(), status), (Some("refused"), 1));
    assert_eq!(document(&config, &["user", "list"]).0["users"], serde_json::json!([]));
}

async fn a_look_up_says_what_a_login_would_fail_for(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let told = |name: &str| ldapgate(&config, &["user", name], "").stdout;
    assert!(told("locked").contains("\n  at a login: account_locked"), "{}", told("locked"));
    assert!(!told("alice").contains("at a login"), "{}", told("alice"));
    let (document, status) = document(&config, &["user", "locked", "--explain"]);
    assert_eq!((document["outcome"].as_str(), status), (Some("found"), 0), "a lock is no end: {document}");
    let steps = document["trace"].as_array().expect("a trace");
    let state = steps.iter().find(|step| step["step"] == "state").expect("the state is judged");
    assert!(state["result"].as_str().is_some_and(|result| result.starts_with("account_locked")), "{state}");
}

async fn no_password_is_in_the_store(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    assert_eq!(login(&config, "carol", "Wrong-Garden-33").1, 1);
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.folder()).expect("the folder can be listed") {
        let path = entry.expect("its entries, too").path();
        let is_of_the_store =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("accounts.db"));
        if is_of_the_store {
            let bytes = std::fs::read(&path).expect("a file can be read");
            let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!holds("Red-Apple") && !holds("Wrong-Garden"), "{}", path.display());
            looked_at += usize::from(holds("alice"));
        }
    }
    assert!(looked_at > 0, "there is a store");
}
