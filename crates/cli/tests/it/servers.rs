//! What is the same on every real server: with a preset, a URL, a base and a service account everything works.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::people::{GROUPS, Person, named};

use crate::against_every_server;
use crate::gateway::{ldapgate, login};
use crate::live::Live;

against_every_server!(
    a_preset_a_url_a_base_and_a_service_account_are_enough,
    the_groups_of_one_world_are_the_same,
    an_id_stays_when_the_entry_is_renamed,
);

async fn a_preset_a_url_a_base_and_a_service_account_are_enough(live: &Live) {
    let config = live.configure("[directory.profile]\nfields = { email = \"mail\", last_name = \"sn\" }");
    let (mut document, status) = login(&config, " ALICE ", "Red-Apple-11");
    assert_eq!(status, 0, "{document}");
    let id = document["id"].as_str().unwrap_or_default().to_owned();
    let groups = document.as_object_mut().and_then(|document| document.remove("groups"));
    assert!(names(&groups.unwrap_or_default()).is_superset(&["admins", "staff"].map(str::to_owned).into()));
    let expected = json!({
        "outcome": "granted", "directory": "main", "username": "alice", "id": id,
        "dn": live.dn(named("alice")), "fields": {"email": "alice@example.test", "last_name": "Anderson"},
        "lists": {}, "flags": {}, "permissions": [], "warnings": [],
    });
    assert_eq!(document, expected);
    live.assert_id(&id);
    let found = ldapgate(&config, &["user", "alice", "--json"], "");
    let found: Value = serde_json::from_str(&found.stdout).expect("one document");
    assert_eq!((&found["outcome"], &found["id"]), (&json!("found"), &json!(id)));
    assert_eq!(login(&config, "alice", "wrong").0["reason"], "wrong_password");
    assert_eq!(login(&config, "nobody", "Red-Apple-11").0["reason"], "unknown_user");
}

async fn the_groups_of_one_world_are_the_same(live: &Live) {
    let config = live.configure(live.every_kind_of_group());
    for person in ["alice", "bob", "carol", "zoe", "jürgen", "nogroups"].map(named) {
        let (document, _) = login(&config, person.name, person.password);
        let expected: BTreeSet<_> = groups_of(person).into_iter().chain(live.groups_of_everybody()).collect();
        assert_eq!(names(&document["groups"]), expected, "{}: {document}", person.name);
    }
}

async fn an_id_stays_when_the_entry_is_renamed(live: &Live) {
    let config = live.configure("");
    let pat = named("pat");
    let (before, _) = login(&config, "pat", pat.password);
    assert_eq!(before["outcome"], "granted", "a name full of characters that need escaping: {before}");
    live.rename(pat, "cn=Patricia");
    let (after, _) = login(&config, "pat", pat.password);
    assert_eq!((&after["outcome"], &after["id"]), (&json!("granted"), &before["id"]), "{after}");
    assert_ne!(after["dn"], before["dn"]);
}

fn names(groups: &Value) -> BTreeSet<String> {
    let names = groups.as_array().into_iter().flatten().filter_map(|group| group["name"].as_str());
    names.map(str::to_owned).collect()
}

/// By the world's own description: the person's groups, the primary one, and all those above.
fn groups_of(person: &Person) -> BTreeSet<String> {
    let direct = GROUPS
        .iter()
        .filter(|group| group.people.contains(&person.name) || person.primary == Some(group.name));
    let mut found: BTreeSet<&str> = direct.map(|group| group.name).collect();
    loop {
        let above = GROUPS.iter().filter(|group| group.groups.iter().any(|name| found.contains(name)));
        let all: BTreeSet<&str> = above.map(|group| group.name).chain(found.iter().copied()).collect();
        if all.len() == found.len() {
            return all.into_iter().map(str::to_owned).collect();
        }
        found = all;
    }
}
