//! People without a password.

use auth::Rule;
use ldapgate_account::{Lookup, Origin, Settings, document};

use crate::world::{PEOPLE, Server, World, directories, generous, group};

async fn found(world: &World, username: &str) -> ldapgate_account::Account {
    match world.accounts.look_up(username, None).await.unwrap() {
        Lookup::Found { account, .. } => *account,
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
            Lookup::Found { account, .. } => panic!("found {account:?}"),
        }
    }
}

#[tokio::test]
async fn who_is_disabled_here_is_still_found() {
    let world = World::start().await;
    let alice = found(&world, "alice").await;
    world.accounts.disable(alice.id, &Origin::default()).await.unwrap();
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

#[tokio::test]
async fn what_was_read_of_a_person_stays_with_the_account_until_the_next_look() {
    let world = World::with(Settings::default(), |settings| {
        settings.user.attributes = vec!["*".to_owned()];
    })
    .await;
    let cookie = world.cookie().await;
    let asked = world.server.directory.operations().len();
    let account = world.accounts.session(&cookie).await.unwrap().expect("the session is alive").account;
    assert_eq!(account.attributes.texts("TELEPHONENUMBER").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(account.attributes.text("cn"), Some("Alice Adams"));
    assert!(account.attributes.get("userPassword").is_empty(), "secrets are not kept");
    assert_eq!(account.dn, "uid=alice,ou=people,dc=example,dc=com");
    assert_eq!(account.group_names().collect::<Vec<_>>(), ["staff", "writers"]);
    let dns = ["cn=staff,dc=example,dc=com", "cn=writers,dc=example,dc=com"];
    assert_eq!(account.group_dns().collect::<Vec<_>>(), dns);
    assert_eq!(world.server.directory.operations().len(), asked, "nobody asked the directory");

    let changed = PEOPLE.replace("cn: Alice Adams", "cn: Alice Archer");
    let server = Server::start(&changed).await;
    let entry = server.entry("main", |settings| settings.user.attributes = vec!["cn".to_owned()]);
    world.accounts.reconfigure(Settings::default(), directories(vec![entry])).await.unwrap();
    assert_eq!(found(&world, "alice").await.attributes.text("cn"), Some("Alice Archer"));
    let account = world.accounts.session(&cookie).await.unwrap().expect("the session is alive").account;
    assert_eq!(account.attributes.text("cn"), Some("Alice Archer"));
}

#[tokio::test]
async fn a_permission_counts_for_everything_above_it() {
    let world = World::with(generous(), |_| {}).await;
    let (alice, bob) = (found(&world, "alice").await, found(&world, "bob").await);
    assert!(alice.has_permission("reports.view") && !alice.has_permission("reports"));
    assert!(alice.has_permission_below("reports"), "she may do something with reports");
    for other in ["report", "reports.view", "view", ""] {
        assert!(!alice.has_permission_below(other), "{other:?}");
    }
    assert!(!bob.has_permission_below("reports"));
}
