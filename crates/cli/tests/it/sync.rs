//! The store brought in line with the directory, on the command line.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{Gateway, USUAL, configure, ldapgate, write};

against_both!(
    a_plan_is_shown_and_carried_out_and_the_second_run_has_none,
    changes_moves_and_losses_are_told_with_what_they_are,
    too_many_losses_are_refused_until_an_operator_insists,
    a_gateway_syncs_by_itself_and_hears_of_a_sync_beside_it,
);

/// The document, its lines by user name, and the status.
fn sync(config: &std::path::Path, flags: &[&str]) -> (Value, BTreeMap<String, Value>, i32) {
    let done = ldapgate(config, &[&["-q", "sync", "--json"], flags].concat(), "");
    let document: Value = serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("no document ({error}): {}{}", done.stdout, done.stderr));
    let lines = document["plan"].as_array().expect("a plan").iter();
    let by_name = lines.map(|line| (line["username"].as_str().expect("a name").to_owned(), line.clone()));
    (document.clone(), by_name.collect(), done.status)
}

fn users(config: &std::path::Path) -> Value {
    let done = ldapgate(config, &["-q", "user", "list", "--json"], "");
    serde_json::from_str::<Value>(&done.stdout).expect("a document")["users"].take()
}

async fn a_plan_is_shown_and_carried_out_and_the_second_run_has_none(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (planned, lines, status) = sync(&config, &["--dry-run"]);
    assert_eq!((&planned["applied"], status), (&json!(false), 0), "{planned}");
    assert_eq!(lines["alice"]["change"], "create");
    assert_eq!(lines["alice"]["what"]["dn"], "uid=alice,ou=people,dc=example,dc=com");
    assert_eq!(users(&config), json!([]), "a dry run writes nothing");

    let (done, lines_done, status) = sync(&config, &[]);
    assert_eq!((&done["applied"], status), (&json!(true), 0), "{done}");
    assert_eq!(lines_done, lines);
    assert_eq!(users(&config).as_array().map(Vec::len), Some(lines.len()));
    // Two people have one name: the second cannot have it, and is passed over from then on.
    assert_eq!(done["counts"]["create"], json!(lines.len() + 1));

    let (again, lines, status) = sync(&config, &[]);
    assert_eq!((lines.len(), &again["applied"], status), (0, &json!(true), 0), "{again}");
    assert_eq!(again["counts"]["unclear"], 1);
    let text = ldapgate(&config, &["sync"], "");
    assert!(text.stdout.starts_with("applied: create 0, "), "{}{}", text.stdout, text.stderr);
    assert!(!text.stderr.contains("people read"), "nobody sees a progress: {}", text.stderr);
}

async fn changes_moves_and_losses_are_told_with_what_they_are(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, &format!("{USUAL}\n[sync]\nmax_change = \"100%\"\n"));
    assert_eq!(sync(&config, &[]).2, 0);
    let changes = "dn: uid=alice,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mail\nmail: new@example.com\n\n\
                   dn: cn=suspended,ou=groups,dc=example,dc=com\nchangetype: modify\nadd: member\n\
                   member: uid=nogroups,ou=people,dc=example,dc=com\n";
    write(&world, peer, "ldapmodify", &[], changes);
    let partners =
        ["-s", "ou=partners,dc=example,dc=com", "uid=fragile,ou=people,dc=example,dc=com", "uid=fragile"];
    write(&world, peer, "ldapmodrdn", &partners, "");
    write(&world, peer, "ldapdelete", &["uid=carol,ou=people,dc=example,dc=com"], "");
    let (document, lines, status) = sync(&config, &[]);
    assert_eq!((&document["applied"], status), (&json!(true), 0), "{document}");
    assert_eq!(lines["alice"]["change"], "update");
    assert_eq!(lines["alice"]["what"]["fields.email"]["new"], "new@example.com");
    let of_carol = &lines["carol"];
    assert_eq!((&of_carol["change"], &of_carol["what"]["reason"]), (&json!("disable"), &json!("gone")));
    assert_eq!(lines["nogroups"]["what"]["reason"], "in_denied_group", "{document}");
    let moved = &lines["fragile"];
    assert_eq!(moved["change"], "move", "{moved}");
    assert_eq!(moved["what"]["dn"]["new"], "uid=fragile,ou=partners,dc=example,dc=com");
}

async fn too_many_losses_are_refused_until_an_operator_insists(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    assert_eq!(sync(&config, &[]).2, 0);
    let before = users(&config);
    let nobody = USUAL.replace("deny = \"cn=suspended", "require = \"cn=nobody-is-here");
    let config = configure(&world, &nobody);
    for flags in [&["--dry-run"][..], &[]] {
        let (document, _, status) = sync(&config, flags);
        assert_eq!((&document["applied"], status), (&json!(false), 1), "{document}");
        let why = document["refused"][0].as_str().expect("a reason");
        assert!(why.contains("would lose access, more than 10%") && why.contains("--force"), "{why}");
        assert_eq!(users(&config), before);
    }
    let text = ldapgate(&config, &["sync"], "");
    assert!(
        text.stdout.contains("\nrefused: ") && text.stdout.contains("\nnot applied: "),
        "{}",
        text.stdout
    );
    let (document, lines, status) = sync(&config, &["--force"]);
    assert_eq!((&document["applied"], status), (&json!(true), 0), "{document}");
    assert!(lines.values().all(|line| line["change"] == "disable"));
    assert_eq!(sync(&config, &[]).1.len(), 0);
}

async fn a_gateway_syncs_by_itself_and_hears_of_a_sync_beside_it(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, &format!("{USUAL}\n[sync]\nevery = \"2s\"\n"));
    let gateway = Gateway::start(&config).await;
    let filled = async {
        while users(&config).as_array().is_none_or(Vec::is_empty) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), filled).await.expect("the gateway syncs");
    drop(gateway);
}
