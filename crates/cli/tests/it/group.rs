//! Local groups and grants on the command line, which a gateway that runs takes up.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{Gateway, USUAL, configure, ldapgate, login};

against_both!(
    what_a_group_is_granted_its_members_may_do_where_they_are_signed_in,
    groups_in_groups_are_mirrored_flat,
    a_person_is_granted_and_taken_back_what_is_theirs_alone,
    a_directory_that_does_not_answer_grants_nothing_to_a_name,
    accounts_are_named_as_the_list_shows_them,
);

fn document(config: &Path, arguments: &[&str]) -> (Value, i32) {
    let done = ldapgate(config, &[&["-q"], arguments, &["--json"]].concat(), "");
    let document = serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("no document ({error}): {}{}", done.stdout, done.stderr));
    (document, done.status)
}

/// The usual, with local groups that follow.
fn mirroring() -> String {
    USUAL.replace("from_groups = true", "from_groups = true\nmirror_groups = true")
}

async fn what_a_group_is_granted_its_members_may_do_where_they_are_signed_in(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, &mirroring());
    let gateway = Gateway::start(&config).await;
    let mut browser = gateway.browser();
    let body = json!({"username": "alice", "password": "Red-Apple-11"});
    let before = browser.json("/api/login", &body).await.json();
    assert_eq!(before["permissions"], json!(["reports.view"]));

    let (done, status) = document(&config, &["group", "grant", "Admins", "site.close", "pages.edit"]);
    assert_eq!((&done["outcome"], status), (&json!("granted"), 0), "{done}");
    assert_eq!(done["permissions"], json!(["pages.edit", "site.close"]));
    let becomes = async |browser: &mut testkit::http::Visitor, permissions: Value| {
        let waiting = async { while browser.get("/api/me").await.json()["permissions"] != permissions {} };
        tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("the gateway hears of it");
    };
    becomes(&mut browser, json!(["pages.edit", "reports.view", "site.close"])).await;

    let (again, status) = document(&config, &["group", "grant", "admins", "site.close"]);
    assert_eq!((&again["permissions"], &again["unchanged"], status), (&json!([]), &json!(["site.close"]), 0));
    let (listed, _) = document(&config, &["group", "list"]);
    let admins =
        listed["groups"].as_array().and_then(|all| all.iter().find(|group| group["name"] == "admins"));
    let expected =
        json!({"name": "admins", "members": ["alice"], "permissions": ["pages.edit", "site.close"]});
    assert_eq!(admins, Some(&expected), "{listed}");
    let told = ldapgate(&config, &["group", "list"], "").stdout;
    let told_of = "admins (main:cn=admins,ou=groups,dc=example,dc=com)\n  members: alice\n  may: pages.edit, site.close\n";
    assert!(told.contains(told_of), "{told}");

    let (done, status) = document(&config, &["group", "revoke", "admins", "pages.edit", "site.close"]);
    assert_eq!((&done["outcome"], status), (&json!("revoked"), 0), "{done}");
    becomes(&mut browser, json!(["reports.view"])).await;
    let (refused, status) = document(&config, &["group", "revoke", "admins", "site.close"]);
    assert_eq!((&refused["outcome"], status), (&json!("refused"), 1));
    let (refused, status) = document(&config, &["group", "grant", "nobodies", "site.close"]);
    assert_eq!((&refused["outcome"], status), (&json!("refused"), 1));
    let (refused, status) = document(&config, &["group", "grant", "admins", "may close"]);
    assert_eq!((&refused["outcome"], status), (&json!("refused"), 1));
}

async fn groups_in_groups_are_mirrored_flat(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, &mirroring());
    let (found, status) = document(&config, &["user", "carol"]);
    assert_eq!(status, 0, "{found}");
    let (users, _) = document(&config, &["user", "list"]);
    let groups: Vec<&str> = users["users"][0]["local_groups"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for level in ["level1", "level2", "level3", "level4"] {
        assert!(groups.contains(&level), "{groups:?}");
    }
    assert_eq!(document(&config, &["group", "grant", "level4", "deep"]).1, 0);
    let (user, _) = document(&config, &["user", "carol"]);
    assert!(user["permissions"].as_array().is_some_and(|all| all.contains(&json!("deep"))), "{user}");
}

async fn a_person_is_granted_and_taken_back_what_is_theirs_alone(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (refused, status) = document(&config, &["permission", "grant", "alice", "pages.edit"]);
    assert_eq!((&refused["outcome"], status), (&json!("refused"), 1), "nobody knows her yet: {refused}");
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    let told = ldapgate(&config, &["permission", "grant", "Alice", "pages.edit"], "");
    assert_eq!((told.stdout.as_str(), told.status), ("alice\n  granted: pages.edit\n", 0));
    let told = ldapgate(&config, &["permission", "grant", "alice", "pages.edit", "x"], "");
    assert_eq!(told.stdout, "alice\n  granted: x\n  granted before: pages.edit\n");
    let (granted, _) = login(&config, "alice", "Red-Apple-11");
    assert_eq!(granted["permissions"], json!(["pages.edit", "reports.view", "x"]));
    let (done, status) = document(&config, &["permission", "revoke", "alice", "x", "pages.edit"]);
    assert_eq!((&done["permissions"], status), (&json!(["pages.edit", "x"]), 0));
    let (refused, status) = document(&config, &["permission", "revoke", "alice", "reports.view"]);
    assert_eq!((&refused["outcome"], status), (&json!("refused"), 1), "that is her groups': {refused}");
    let (granted, _) = login(&config, "alice", "Red-Apple-11");
    assert_eq!(granted["permissions"], json!(["reports.view"]));
}

async fn a_directory_that_does_not_answer_grants_nothing_to_a_name(peer: Peer) {
    let mut world = World::start(peer).await;
    let config = configure(&world, &mirroring());
    assert_eq!(document(&config, &["group", "grant", "staff", "pages.edit"]).1, 0);
    world.stop().await;
    let (failed, status) = document(&config, &["group", "grant", "admins", "pages.edit"]);
    assert_eq!((&failed["outcome"], &failed["fault"], status), (&json!("error"), &json!("directory"), 3));
    assert_eq!(document(&config, &["group", "grant", "staff", "more"]).1, 0, "that one is known");
    assert_eq!(document(&config, &["group", "revoke", "staff", "more"]).1, 0);
}

async fn accounts_are_named_as_the_list_shows_them(peer: Peer) {
    let world = World::start(peer).await;
    let more = USUAL.replace("[directory.profile]", "[directory.profile]\nlocal_name = \"{username}@corp\"");
    let config = configure(&world, &more);
    assert_eq!(login(&config, "alice", "Red-Apple-11").1, 0);
    let listed = ldapgate(&config, &["user", "list"], "").stdout;
    let line = listed.lines().nth(1).expect("there is Alice");
    assert!(line.starts_with("alice@corp  main (alice)  enabled  uid=alice,"), "{listed}");
    for name in ["alice@corp", "Alice"] {
        let found = ldapgate(&config, &["user", name], "");
        assert!(found.stdout.starts_with("found: alice\n"), "{name}: {}", found.stdout);
        assert!(found.stdout.contains("\n  in the store: alice@corp\n"), "{name}: {}", found.stdout);
        assert_eq!(document(&config, &["permission", "grant", name, "x"]).1, 0);
        let told = ldapgate(&config, &["user", "disable", name], "").stdout;
        assert_eq!(told, "disabled: alice@corp\n");
        let (denied, status) = document(&config, &["user", name]);
        assert_eq!(
            (&denied["outcome"], &denied["reason"], status),
            (&json!("denied"), &json!("account_disabled"), 1)
        );
        assert_eq!(document(&config, &["user", "enable", name]).1, 0);
    }
    let (users, _) = document(&config, &["user", "list"]);
    let user = users["users"][0].as_object().expect("an object");
    let mut fields: Vec<&str> = user.keys().map(String::as_str).collect();
    fields.sort_unstable();
    let of_the_contract = [
        "directory",
        "disabled",
        "dn",
        "fields",
        "first_seen",
        "flags",
        "id",
        "last_login",
        "lists",
        "local_groups",
        "permissions",
        "username",
    ];
    assert_eq!(fields, of_the_contract);
    assert_eq!((&user["username"], &user["local_groups"]), (&json!("alice"), &json!([])));
}
