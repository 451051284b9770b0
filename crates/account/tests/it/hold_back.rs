//! Refusals that say nothing are answered at instants that all of them share.

use std::sync::Arc;
use std::time::Duration;

use auth::Trace;
use directory::{Fault, Kind};
use ldapgate_account::store::AuditQuery;
use ldapgate_account::{Origin, Outcome, Settings, SignIn, Store as _};
use tokio::time::Instant;

use crate::world::{World, group, reason, until};

/// How long a refusal took for whoever asked, at least; and what was said of holding it back: how long refusals take,
/// and when it was given.
async fn refused(world: &World, name: &str, password: &str) -> (Outcome, Duration, Option<(String, String)>) {
    let (trace, asked) = (Arc::new(Trace::new()), Instant::now());
    let how = SignIn { observer: Some(Arc::clone(&trace) as _), ..SignIn::default() };
    let outcome = world.accounts.sign_in(name, password.to_owned(), &Origin::default(), how).await;
    (outcome, asked.elapsed(), held_back(&trace))
}

/// What was said of holding a refusal back.
pub(crate) fn held_back(trace: &Trace) -> Option<(String, String)> {
    let held = trace.steps().into_iter().find(|step| step.step == "answer");
    held.map(|step| (step.what, step.result))
}

/// Milliseconds out of "given after 50ms".
pub(crate) fn given_after(result: &str) -> u64 {
    let text = result.strip_prefix("given after ").unwrap();
    let millis = match text.strip_suffix("ms") {
        Some(millis) => millis.parse::<f64>().unwrap(),
        None => text.strip_suffix('s').unwrap().parse::<f64>().unwrap() * 1000.0,
    };
    millis.round() as u64
}

#[tokio::test]
async fn every_refusal_is_answered_on_one_grid_from_the_first_on() {
    let world = World::start().await;
    for (name, why) in [
        ("nobody", "unknown_user"),
        ("alice", "wrong_password"),
        ("a\u{202e}b", "bad_username"),
        ("bob", "wrong_password"),
        ("somebody", "unknown_user"),
    ] {
        let (outcome, took, held) = refused(&world, name, "wrong").await;
        assert_eq!(reason(&outcome), why);
        let (_, given) = held.unwrap();
        let given = given_after(&given);
        assert!(given > 0 && given.is_multiple_of(50), "{name} was answered after {given} ms");
        assert!(took >= Duration::from_millis(given), "{name} was answered after {took:?}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_answered_as_slowly_as_a_wrong_password() {
    let world = World::start().await;
    let bind = Duration::from_millis(200);
    world.server.directory.faults().always(Kind::Bind, Fault::Delay(bind));
    for _ in 0..2 {
        assert_eq!(reason(&world.sign_in("alice", "wrong").await), "wrong_password");
    }
    for (name, why) in [("nobody", "unknown_user"), ("a\u{202e}b", "bad_username")] {
        let (outcome, took, _) = refused(&world, name, "wrong").await;
        assert_eq!(reason(&outcome), why);
        assert!(took >= bind, "{name} was answered after {took:?}");
    }
    assert_eq!(world.server.binds().len(), 2);
}

#[tokio::test]
async fn right_passwords_say_nothing_of_how_long_a_refusal_takes() {
    let (world, slow) = (World::start().await, Duration::from_millis(700));
    world.server.directory.faults().next(Kind::Bind, 2, Fault::Delay(slow));
    world.granted("alice", "alice-secret").await;
    assert_eq!(reason(&world.sign_in("carol", "carol-secret").await), "account_expired");
    let (_, _, held) = refused(&world, "nobody", "wrong").await;
    assert_eq!(held.unwrap().0, "a refusal takes 50ms");
}

#[tokio::test]
async fn who_is_told_something_of_their_own_does_not_wait() {
    let world = World::start().await;
    for (name, password, why) in
        [("carol", "carol-secret", "account_expired"), ("alice", "", "empty_password")]
    {
        let (outcome, _, held) = refused(&world, name, password).await;
        assert_eq!((reason(&outcome), held), (why, None));
    }
}

#[tokio::test]
async fn a_refusal_is_settled_before_it_is_held_back() {
    let world = Arc::new(World::start().await);
    world.server.directory.faults().next(Kind::Bind, 1, Fault::Delay(Duration::from_millis(600)));
    world.sign_in("alice", "wrong").await;
    let held = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.sign_in("nobody", "wrong").await }
    });
    let query = || AuditQuery { after: 1, limit: 10, ..AuditQuery::default() };
    until(async || {
        assert!(!held.is_finished(), "it was answered before it was on record");
        !world.store.audit(query()).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(reason(&held.await.unwrap()), "unknown_user");
}

#[tokio::test]
async fn who_is_not_let_in_with_the_right_password_waits_like_everybody_and_tells_nothing_of_how_long() {
    let mut settings = Settings::default();
    settings.login.show_account_state = false;
    let staff = |settings: &mut auth::Settings| settings.require = Some(auth::Rule::Group(group("staff")));
    let world = World::with(settings, staff).await;
    let slow = Duration::from_millis(700);
    world.server.directory.faults().next(Kind::Bind, 2, Fault::Delay(slow));
    for (name, password, why) in
        [("bob", "bob-secret", "not_in_required_group"), ("carol", "carol-secret", "account_expired")]
    {
        let (outcome, _, held) = refused(&world, name, password).await;
        assert_eq!(reason(&outcome), why);
        let (usual, given) = held.expect("it says nothing");
        assert_eq!(usual, "a refusal takes 50ms");
        assert!(given_after(&given).is_multiple_of(50), "{name}: {given}");
    }
}
