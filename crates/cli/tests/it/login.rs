//! The decision on the command line: who gets in, who does not, and why.

use serde_json::json;
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{Gateway, USUAL, configure, ldapgate, login};

against_both!(
    a_right_password_is_granted_with_everything_the_directory_knows,
    a_wrong_password_is_denied,
    an_unknown_user_is_denied_with_the_same_words,
    an_empty_password_makes_no_traffic,
    names_with_special_characters_are_taken_literally,
    unicode_names_and_passwords_work,
    a_name_in_two_branches_is_ambiguous,
    every_spelling_of_a_name_is_counted_as_one_whether_somebody_bears_it_or_not,
    a_locked_account_is_denied_and_the_visitor_not_told,
    a_password_that_must_be_changed_does_not_open_the_door,
    the_deny_group_wins,
    require_admits_members_only_nested_ones_included,
    a_dn_template_needs_no_search,
    posix_groups_count_the_primary_one,
    explain_shows_every_operation,
    a_directory_that_cannot_be_reached_is_a_step_of_the_trace,
    a_look_up_needs_no_password_and_passes_over_deny,
);

async fn a_right_password_is_granted_with_everything_the_directory_knows(peer: Peer) {
    let world = World::start(peer).await;
    let (document, status) = login(&configure(&world, USUAL), " Alice ", "Red-Apple-11");
    assert_eq!(status, 0, "{document}");
    assert_eq!(document["outcome"], "granted");
    assert_eq!(document["directory"], "main");
    assert_eq!(document["username"], "alice");
    assert_eq!(document["dn"], "uid=alice,ou=people,dc=example,dc=com");
    assert_eq!(document["id"].as_str().map(str::len), Some(36), "{document}");
    assert_eq!(
        document["fields"],
        json!({"first_name": "Alice", "last_name": "Anderson", "email": "alice@example.test"})
    );
    assert_eq!(document["lists"], json!({"phones": ["+49 30 1000", "+49 30 1001"]}));
    assert_eq!(document["flags"], json!({"is_staff": true, "is_deep": false}));
    let groups = json!([
        {"name": "admins", "dn": "cn=admins,ou=groups,dc=example,dc=com"},
        {"name": "staff", "dn": "cn=staff,ou=groups,dc=example,dc=com"},
    ]);
    assert_eq!(document["groups"], groups);
    assert_eq!(document["permissions"], json!(["reports.view"]));
    assert_eq!(document["warnings"], json!([]));
}

async fn a_wrong_password_is_denied(peer: Peer) {
    let world = World::start(peer).await;
    let (document, status) = login(&configure(&world, USUAL), "alice", "Red-Apple-12");
    assert_eq!(
        (document["outcome"].as_str(), document["reason"].as_str(), status),
        (Some("denied"), Some("wrong_password"), 1)
    );
}

async fn an_unknown_user_is_denied_with_the_same_words(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (unknown, status) = login(&config, "nobody", "Red-Apple-11");
    let (wrong, _) = login(&config, "alice", "nope");
    assert_eq!((unknown["reason"].as_str(), status), (Some("unknown_user"), 1));
    assert_eq!(unknown["message"], wrong["message"]);
}

async fn an_empty_password_makes_no_traffic(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200);
    let before = world.requests();
    for password in ["", "\0", "\0\0"] {
        assert_eq!(gateway.api_login("alice", password).await.status, 401);
    }
    assert_eq!(gateway.api_login("", "x").await.status, 401);
    assert_eq!(gateway.api_login("ali\0ce", "Red-Apple-11").await.status, 401, "a control character ends it");
    assert_eq!(world.requests(), before, "nothing was asked of the directory");
}

async fn names_with_special_characters_are_taken_literally(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (document, _) = login(&config, r"we(i)rd*\user,x=1", "White-Whale-77");
    assert_eq!(document["outcome"], "granted", "{document}");
    assert_eq!(document["username"], r"we(i)rd*\user,x=1");
    assert_eq!(document["flags"]["is_staff"], true);
    let (pat, _) = login(&config, "pat", "Pink-Pearl-66");
    assert_eq!(pat["outcome"], "granted", "{pat}");
    assert_eq!(pat["flags"]["is_staff"], true, "a DN full of escapes is found in the group");
    for name in [
        "*",
        "a*",
        "alice)(uid=*",
        "alice)(|(uid=*",
        "*)(objectClass=*",
        r"\2a",
        "uid=alice,ou=people,dc=example,dc=com",
    ] {
        let (document, status) = login(&config, name, "Red-Apple-11");
        assert_eq!((document["reason"].as_str(), status), (Some("unknown_user"), 1), "{name}: {document}");
    }
}

async fn unicode_names_and_passwords_work(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (zoe, _) = login(&config, "zoe", "Pässwörd-Ünï-44");
    assert_eq!(zoe["fields"]["first_name"], "Zoë", "{zoe}");
    let (juergen, _) = login(&config, "JÜRGEN", "Gelb-Glas-55");
    assert_eq!(juergen["username"], "jürgen", "{juergen}");
    assert_eq!(juergen["flags"]["is_staff"], true);
}

async fn a_name_in_two_branches_is_ambiguous(peer: Peer) {
    let world = World::start(peer).await;
    let (document, status) = login(&configure(&world, USUAL), "twin", "Twin-Inside-12");
    assert_eq!((document["reason"].as_str(), status), (Some("ambiguous_user"), 1), "{document}");
    let (document, _) = login(
        &configure(&world, "[directory.user]\nbase = \"ou=people,dc=example,dc=com\""),
        "twin",
        "Twin-Inside-12",
    );
    assert_eq!(document["outcome"], "granted", "{document}");
}

/// Found by an attacker: made-up names were counted by spelling, real ones by person, and the 429 told them apart.
async fn every_spelling_of_a_name_is_counted_as_one_whether_somebody_bears_it_or_not(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, "domains = [\"corp.example.com\", \"CORP\"]");
    let gateway = Gateway::start(&config).await;
    for name in ["carol", "nobody"] {
        for spelling in ["", "@corp.example.com", "@Corp.Example.Com", ""] {
            assert_eq!(
                gateway.api_login(&format!("{name}{spelling}"), "wrong").await.status,
                401,
                "{name}{spelling}"
            );
        }
        for spelling in [format!("CORP\\{name}"), format!("{name}@CORP.example.com"), name.to_uppercase()] {
            assert_eq!(gateway.api_login(&spelling, "wrong").await.status, 429, "{spelling}");
        }
    }
}

async fn a_locked_account_is_denied_and_the_visitor_not_told(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let (document, status) = login(&config, "locked", "Lock-Ledger-12");
    assert_eq!((document["reason"].as_str(), status), (Some("account_locked"), 1), "{document}");
    let (wrong, _) = login(&config, "alice", "nope");
    assert_eq!(document["message"], wrong["message"], "servers say locked to wrong passwords too");
}

async fn a_password_that_must_be_changed_does_not_open_the_door(peer: Peer) {
    let world = World::start(peer).await;
    let (document, status) = login(&configure(&world, USUAL), "mustchange", "Must-Mango-15");
    assert_eq!((document["reason"].as_str(), status), (Some("password_must_change"), 1), "{document}");
}

async fn the_deny_group_wins(peer: Peer) {
    let world = World::start(peer).await;
    let (document, status) = login(&configure(&world, USUAL), "bob", "Blue-Boat-22");
    assert_eq!((document["reason"].as_str(), status), (Some("in_denied_group"), 1), "{document}");
}

async fn require_admits_members_only_nested_ones_included(peer: Peer) {
    let world = World::start(peer).await;
    let require = |nested: bool| {
        format!(
            "[directory.groups]\nnested = {nested}\n[directory.access]\nrequire = \"cn=level4,ou=groups,dc=example,dc=com\""
        )
    };
    let nested = configure(&world, &require(true));
    assert_eq!(login(&nested, "carol", "Green-Garden-33").0["outcome"], "granted");
    assert_eq!(login(&nested, "alice", "Red-Apple-11").0["reason"], "not_in_required_group");
    assert_eq!(login(&nested, "carol", "wrong").0["reason"], "wrong_password");
    let flat = configure(&world, &require(false));
    assert_eq!(login(&flat, "carol", "Green-Garden-33").0["reason"], "not_in_required_group");
}

async fn a_dn_template_needs_no_search(peer: Peer) {
    let world = World::start(peer).await;
    let config =
        configure(&world, "[directory.user]\ndn_template = \"uid={username},ou=people,dc=example,dc=com\"");
    assert_eq!(login(&config, "alice", "Red-Apple-11").0["outcome"], "granted");
    assert_eq!(login(&config, r"we(i)rd*\user,x=1", "White-Whale-77").0["outcome"], "granted");
    assert_eq!(login(&config, "alice", "no").0["reason"], "wrong_password");
    let other = login(&config, "twin,ou=partners", "Twin-Outside-13").0;
    assert_eq!(other["outcome"], "denied", "a comma in the name stays in its value: {other}");
}

async fn posix_groups_count_the_primary_one(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, "[directory.groups]\nkind = \"posix\"");
    let (document, _) = login(&config, "alice", "Red-Apple-11");
    let names: Vec<_> =
        document["groups"].as_array().into_iter().flatten().map(|group| group["name"].clone()).collect();
    assert_eq!(names, ["posix-admins", "posix-staff"], "{document}");
}

async fn explain_shows_every_operation(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let done = ldapgate(&config, &["login", "alice", "--explain", "--json", "-w", "Red-Apple-11"], "");
    let document: serde_json::Value = serde_json::from_str(&done.stdout).expect("one document");
    let trace = document["trace"].to_string();
    for part in ["uid=alice", "(uid=alice)", "success", "cn=staff"] {
        assert!(trace.contains(part), "{part} is not in {trace}");
    }
    assert!(
        !done.stdout.contains("Red-Apple-11") && !done.stderr.contains("Red-Apple-11"),
        "the password is nowhere"
    );
    let text = ldapgate(&config, &["login", "alice", "--explain", "-w", "nope"], "");
    assert!(
        text.stdout.contains("wrong_password") && text.stdout.contains("invalidCredentials"),
        "{}",
        text.stdout
    );
}

async fn a_directory_that_cannot_be_reached_is_a_step_of_the_trace(peer: Peer) {
    let mut world = World::start(peer).await;
    let config = configure(&world, USUAL);
    world.stop().await;
    let done = ldapgate(&config, &["-q", "login", "alice", "--explain", "--json", "-w", "Red-Apple-11"], "");
    let document: serde_json::Value = serde_json::from_str(&done.stdout).expect("one document");
    assert_eq!((document["fault"].as_str(), done.status), (Some("directory"), 3), "{document}");
    let trace = document["trace"].as_array().expect("a trace");
    assert!(trace.iter().any(|step| step["step"] == "connect" && step["what"] == "main"), "{document}");
}

async fn a_look_up_needs_no_password_and_passes_over_deny(peer: Peer) {
    let world = World::start(peer).await;
    let config = configure(&world, USUAL);
    let done = ldapgate(&config, &["user", "bob", "--json"], "");
    let document: serde_json::Value = serde_json::from_str(&done.stdout).expect("one document");
    assert_eq!(
        (document["outcome"].as_str(), document["username"].as_str(), done.status),
        (Some("found"), Some("bob"), 0)
    );
    let missing = ldapgate(&config, &["user", "nobody", "--json"], "");
    assert_eq!(missing.status, 1, "{}{}", missing.stdout, missing.stderr);
    let listed = ldapgate(&config, &["user", "list", "--json"], "");
    let list: serde_json::Value = serde_json::from_str(&listed.stdout).expect("one document");
    assert_eq!(list["users"][0]["username"], "bob", "{list}");
}
