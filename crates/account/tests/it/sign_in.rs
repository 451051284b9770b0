//! Who gets in, who does not, and what each is told.

use std::sync::Arc;
use std::time::Duration;

use auth::{Rule, Trace};
use ldapgate_account::store::AuditQuery;
use ldapgate_account::{Origin, Outcome, Settings, SignIn, Store as _, document};
use serde_json::json;

use crate::world::{World, group, reason};

#[tokio::test]
async fn the_right_password_opens_and_the_account_is_kept() {
    let world = World::with(Settings::default(), |settings| {
        settings.flags = [("is_staff".to_owned(), Rule::Group(group("staff")))].into();
    })
    .await;
    let signed_in = world.granted(" Alice ", "alice-secret").await;
    let document = document::granted(&signed_in);
    assert!(document["id"].as_str().is_some_and(|id| !id.is_empty()), "{document}");
    let expected = json!({
        "outcome": "granted", "directory": "main", "username": "alice", "id": document["id"],
        "dn": "uid=alice,ou=people,dc=example,dc=com",
        "fields": {"first_name": "Alice", "email": "alice@example.com"}, "lists": {"phones": ["1", "2"]},
        "flags": {"is_staff": true},
        "groups": [
            {"name": "staff", "dn": "cn=staff,dc=example,dc=com"},
            {"name": "writers", "dn": "cn=writers,dc=example,dc=com"},
        ],
        "permissions": [], "warnings": [],
    });
    assert_eq!(document, expected);
    assert_eq!(world.accounts.users().await.unwrap(), [signed_in.account]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_read_alike() {
    let world = World::start().await;
    let wrong = world.sign_in("alice", "wrong").await;
    let unknown = world.sign_in("nobody", "wrong").await;
    assert_eq!((reason(&wrong), reason(&unknown)), ("wrong_password", "unknown_user"));
    let told = |outcome: &Outcome| match outcome {
        Outcome::Denied(denied) => (denied.message, denied.retry_after),
        other => panic!("not denied: {other:?}"),
    };
    assert_eq!(told(&wrong), told(&unknown));
    assert_eq!(world.accounts.users().await.unwrap(), []);
}

#[tokio::test]
async fn an_empty_password_or_name_asks_nobody() {
    let world = World::start().await;
    assert_eq!(reason(&world.sign_in("alice", "").await), "empty_password");
    assert_eq!(reason(&world.sign_in("alice", "\0\0").await), "empty_password");
    assert_eq!(reason(&world.sign_in(" ", "secret").await), "bad_username");
    assert_eq!(reason(&world.sign_in(&"a".repeat(1_000_000), "secret").await), "bad_username");
    assert!(world.server.directory.operations().is_empty());
}

#[tokio::test]
async fn an_account_that_expired_is_told_so_only_to_who_has_the_password() {
    let world = World::start().await;
    let (proved, guessed) = (world.sign_in("carol", "carol-secret").await, world.sign_in("carol", "x").await);
    assert_eq!((reason(&proved), reason(&guessed)), ("account_expired", "wrong_password"));
    let message = |outcome| match outcome {
        Outcome::Denied(denied) => denied.message,
        other => panic!("not denied: {other:?}"),
    };
    assert_ne!(message(proved), message(guessed));
}

#[tokio::test]
async fn nobody_enters_past_require_and_deny() {
    let require = World::with(Settings::default(), |s| s.require = Some(Rule::Group(group("staff")))).await;
    require.granted("alice", "alice-secret").await;
    assert_eq!(reason(&require.sign_in("bob", "bob-secret").await), "not_in_required_group");
    let deny = World::with(Settings::default(), |s| s.deny = Some(Rule::Group(group("staff")))).await;
    assert_eq!(reason(&deny.sign_in("alice", "alice-secret").await), "in_denied_group");
    assert_eq!(deny.accounts.users().await.unwrap(), []);
}

#[tokio::test]
async fn a_login_that_wants_no_session_gets_none() {
    let world = World::start().await;
    let outcome = world
        .accounts
        .sign_in("alice", "alice-secret".to_owned(), &Origin::default(), SignIn::default())
        .await;
    assert!(crate::world::granted(outcome).session.is_none());
    assert!(world.accounts.sessions(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_visitor_who_hangs_up_changes_nothing() {
    let world = World::start().await;
    let origin = Origin::default();
    let login = world.accounts.sign_in("alice", "alice-secret".to_owned(), &origin, SignIn::default());
    let mut login = Box::pin(login);
    // Started, then dropped: the login goes on in a task of its own.
    tokio::select! {
        biased;
        outcome = &mut login => panic!("decided already: {outcome:?}"),
        () = std::future::ready(()) => {}
    }
    drop(login);
    while world.accounts.users().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_step_is_told_to_who_explains() {
    let world = World::start().await;
    let trace = Arc::new(Trace::new());
    let how = SignIn { observer: Some(Arc::clone(&trace) as _), ..SignIn::default() };
    world.accounts.sign_in("alice", "alice-secret".to_owned(), &Origin::default(), how).await;
    let steps: Vec<_> = trace.steps().iter().map(|step| step.step).collect();
    let mut mine: Vec<_> = steps
        .iter()
        .copied()
        .filter(|step| ["parse", "locate", "prove", "link", "store"].contains(step))
        .collect();
    mine.dedup();
    assert_eq!(mine, ["parse", "locate", "prove", "link", "store"], "of {steps:?}");
    let document = document::with_trace(json!({}), &trace.steps());
    assert_eq!(document["trace"].as_array().unwrap().len(), steps.len());
    assert!(document["trace"][0]["took_us"].is_u64());
}

#[tokio::test]
async fn every_login_is_on_record() {
    let world = World::start().await;
    let origin = Origin {
        address: Some("::ffff:192.0.2.1".parse().unwrap()),
        agent: Some("é".repeat(1000)),
        request_id: Some("r1".to_owned()),
    };
    world.sign_in_from("alice", "alice-secret", &origin).await;
    world.sign_in_from("ALICE", "wrong", &origin).await;
    world.sign_in_from("nobody", "wrong", &origin).await;
    let query = AuditQuery { limit: 10, ..AuditQuery::default() };
    let records = world.store.audit(query).await.unwrap();
    let lines: Vec<_> = records.iter().map(document::audit).collect();
    let told = |line: &serde_json::Value| {
        (line["username"].clone(), line["outcome"].clone(), line["reason"].clone(), line["address"].clone())
    };
    assert_eq!(
        lines.iter().map(told).collect::<Vec<_>>(),
        [
            (json!("alice"), json!("granted"), json!(null), json!("192.0.2.1")),
            (json!("alice"), json!("denied"), json!("wrong_password"), json!("192.0.2.1")),
            (lines[2]["username"].clone(), json!("denied"), json!("unknown_user"), json!("192.0.2.1")),
        ]
    );
    assert!(lines[2]["username"].as_str().unwrap().starts_with("(not recorded) "), "{}", lines[2]);
    assert_eq!(lines[0]["at"], "2023-11-14T22:13:20Z");
    assert_eq!(lines[0]["agent"].as_str().unwrap().len(), 256);
    assert!(!format!("{records:?}").contains("secret"));
}

#[tokio::test]
async fn a_server_that_hangs_is_a_failure_at_the_deadline() {
    let mut settings = Settings::default();
    settings.login.deadline = Duration::from_millis(150);
    let world = World::with(settings, |_| {}).await;
    world.server.directory.faults().always(directory::Kind::Bind, directory::Fault::Drop);
    match world.sign_in("alice", "alice-secret").await {
        Outcome::Failed { fault, message, .. } => {
            assert_eq!(fault, ldapgate_account::Fault::Directory);
            assert!(message.contains("0.15 s"), "{message}");
        }
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_right_password_that_is_proved_too_late_opens_nothing_and_is_not_counted() {
    let mut settings = Settings::default();
    settings.login.deadline = Duration::from_secs(1);
    settings.login.throttle.person = 1;
    let world = World::with(settings, |_| {}).await;
    let late = directory::Fault::Delay(Duration::from_millis(1200));
    world.server.directory.faults().next(directory::Kind::Bind, 1, late);
    let outcome = world.sign_in("alice", "alice-secret").await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    // This one waits for the first, which is still under way.
    world.granted("alice", "alice-secret").await;
    assert_eq!(world.accounts.sessions(None).await.unwrap().len(), 1);
}
