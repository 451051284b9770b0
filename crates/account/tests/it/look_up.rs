//! People without a password.

use auth::Rule;
use ldapgate_account::{Lookup, Origin, Settings, document};

use crate::world::{World, group};

async fn found(world: &World, username: &str) -> ldapgate_account::Account {
    match world.accounts.look_up(username, None).await.unwrap() {
        Lookup::Found(account) => *account,
        Lookup::Denied(denial) => panic!("not found: {denial}"),
    }
}

#[tokio::test]
async fn a_look_up_makes_the_account_and_no_session() {
    let world = World::start().await;
    let alice = found(&world, " ALICE").await;
    let document = document::found(&alice);
    assert_eq!((&document["outcome"], &document["username"]), (&"found".into(), &"alice".into()));
    assert_eq!(alice.last_login, None);
    assert!(world.accounts.sessions(None).await.unwrap().is_empty());
    assert!(world.server.binds().is_empty());
    let signed_in = world.granted("alice", "alice-secret").await;
    assert_eq!(signed_in.account.id, alice.id);
    assert!(signed_in.account.last_login.is_some());
}

#[tokio::test]
async fn a_look_up_passes_over_require_and_deny() {
    let world = World::with(Settings::default(), |settings| {
        settings.deny = Some(Rule::Group(group("writers")));
    })
    .await;
    assert_eq!(found(&world, "bob").await.username, "bob");
}

#[tokio::test]
async fn who_is_not_there_is_denied_and_not_counted() {
    let world = World::start().await;
    for _ in 0..6 {
        match world.accounts.look_up("nobody", None).await.unwrap() {
            Lookup::Denied(denial) => assert_eq!(denial.reason().as_str(), "unknown_user"),
            Lookup::Found(account) => panic!("found {account:?}"),
        }
    }
}

#[tokio::test]
async fn who_is_disabled_here_is_still_found() {
    let world = World::start().await;
    let alice = found(&world, "alice").await;
    world.accounts.set_disabled(alice.id, true, &Origin::default()).await.unwrap();
    assert!(found(&world, "alice").await.disabled);
}

#[tokio::test]
async fn users_are_listed_by_name() {
    let world = World::start().await;
    for name in ["bob", "alice"] {
        found(&world, name).await;
    }
    let users = document::users(&world.accounts.users().await.unwrap());
    let names: Vec<_> =
        users["users"].as_array().unwrap().iter().map(|user| user["username"].clone()).collect();
    assert_eq!(names, ["alice", "bob"]);
    assert_eq!(users["users"][0]["last_login"], serde_json::Value::Null);
    assert_eq!(users["users"][0]["first_seen"], "2023-11-14T22:13:20Z");
}
