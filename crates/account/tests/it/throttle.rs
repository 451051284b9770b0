//! Counting wrong passwords: before they are tried, and given back when they were none.

use std::sync::Arc;
use std::time::Duration;

use directory::Kind;
use futures_util::future::join_all;
use ldapgate_account::store::{
    AttemptId, AuditQuery, Counted, CounterKey, Limit, Reserve, Settle, Settlement, Store as _,
};
use ldapgate_account::{Origin, Outcome, Settings, Time};

use crate::world::{World, from, granted, reason, until};

const WINDOW: Duration = Duration::from_secs(30 * 60);

#[tokio::test]
async fn a_hundred_guesses_at_once_make_no_more_binds_than_the_limit() {
    let world = Arc::new(World::start().await);
    let guesses = (0..100).map(|guess| {
        let world = Arc::clone(&world);
        async move { world.sign_in("alice", &format!("guess {guess}")).await }
    });
    let outcomes = join_all(guesses).await;
    assert_eq!(world.server.binds().len(), 4);
    let throttled = outcomes.iter().filter(|outcome| reason(outcome) == "throttled").count();
    assert_eq!(throttled, 96);
}

#[tokio::test]
async fn right_passwords_at_once_wait_for_each_other() {
    let mut settings = Settings::default();
    settings.login.throttle.person = 1;
    let world = World::with(settings, |_| {}).await;
    let logins = (0..6).map(|_| world.sign_in("alice", "alice-secret"));
    for outcome in join_all(logins).await {
        granted(outcome);
    }
}

#[tokio::test]
async fn after_four_wrong_ones_the_right_password_is_not_tried_until_the_window_has_passed() {
    let world = World::start().await;
    for _ in 0..4 {
        assert_eq!(reason(&world.sign_in("alice", "wrong").await), "wrong_password");
    }
    world.clock.advance(WINDOW - Duration::from_secs(10));
    world.server.directory.clear_operations();
    let outcome = world.sign_in("alice", "alice-secret").await;
    assert_eq!(reason(&outcome), "throttled");
    let Outcome::Denied(denied) = outcome else { unreachable!("it was denied") };
    assert_eq!(denied.retry_after, Some(Duration::from_secs(10)));
    assert!(world.server.binds().is_empty());
    world.clock.advance(Duration::from_secs(10));
    world.granted("alice", "alice-secret").await;
}

#[tokio::test]
async fn however_a_name_is_typed_it_is_one_person() {
    let world = World::start().await;
    for name in ["alice", " ALICE", "aLice ", "ＡＬＩＣＥ"] {
        assert_eq!(reason(&world.sign_in(name, "wrong").await), "wrong_password", "{name}");
    }
    assert_eq!(reason(&world.sign_in("Alice", "wrong").await), "throttled");
    world.granted("bob", "bob-secret").await;
}

#[tokio::test]
async fn a_proved_password_gives_its_own_attempt_back_and_no_other() {
    let world = World::start().await;
    for _ in 0..3 {
        world.sign_in("alice", "wrong").await;
        world.granted("alice", "alice-secret").await;
    }
    assert_eq!(reason(&world.sign_in("alice", "wrong").await), "wrong_password");
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "throttled");
}

#[tokio::test]
async fn a_refusal_after_the_password_was_proved_is_not_counted() {
    let world = World::start().await;
    for _ in 0..6 {
        assert_eq!(reason(&world.sign_in("carol", "carol-secret").await), "account_expired");
    }
}

#[tokio::test]
async fn unknown_names_are_counted_too() {
    let world = World::start().await;
    for _ in 0..4 {
        assert_eq!(reason(&world.sign_in("nobody", "wrong").await), "unknown_user");
    }
    assert_eq!(reason(&world.sign_in(" Nobody", "wrong").await), "throttled");
    assert_eq!(reason(&world.sign_in("somebody", "wrong").await), "unknown_user");
}

#[tokio::test]
async fn an_address_has_a_budget_of_its_own_whoever_it_asks_for() {
    let mut settings = Settings::default();
    settings.login.throttle.address = 3;
    let world = World::with(settings, |_| {}).await;
    for name in ["alice", "bob", "nobody"] {
        world.sign_in_from(name, "wrong", &from("2001:db8::1")).await;
    }
    world.server.directory.clear_operations();
    let neighbour = world.sign_in_from("bob", "bob-secret", &from("2001:db8::ffff:ffff")).await;
    assert_eq!(reason(&neighbour), "throttled");
    assert!(world.server.directory.operations().is_empty(), "an address without budget costs no look-up");
    granted(world.sign_in_from("bob", "bob-secret", &from("2001:db8:0:1::1")).await);
}

#[tokio::test]
async fn zero_is_off() {
    let mut settings = Settings::default();
    (settings.login.throttle.person, settings.login.throttle.address) = (0, 0);
    let world = World::with(settings, |_| {}).await;
    for _ in 0..8 {
        let outcome = world.sign_in_from("alice", "wrong", &from("192.0.2.1")).await;
        assert_eq!(reason(&outcome), "wrong_password");
    }
}

#[tokio::test]
async fn an_attempt_that_another_process_left_behind_is_waited_for_and_then_counts() {
    let mut settings = Settings::default();
    settings.login.throttle.person = 1;
    settings.login.deadline = Duration::from_secs(5);
    let world = Arc::new(World::with(settings, |_| {}).await);
    let at = Time::from_seconds(1_700_000_000);
    let limits = vec![Limit { key: CounterKey::person("main", "alice"), most: 1 }];
    let expires = at.after(Duration::from_secs(60));
    let left = Reserve { id: AttemptId(1), limits, window: WINDOW, at, expires };
    world.store.reserve_attempt(left).await.unwrap();

    let waiting = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.sign_in("alice", "alice-secret").await }
    });
    let before = world.store.asked();
    while world.store.asked() < before + 2 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(reason(&waiting.await.unwrap()), "throttled");
    assert!(world.server.binds().is_empty());
}

#[tokio::test]
async fn a_login_that_waits_in_vain_fails_and_is_not_denied() {
    let mut settings = Settings::default();
    settings.login.throttle.person = 1;
    settings.login.deadline = Duration::from_millis(100);
    let world = World::with(settings, |_| {}).await;
    let at = Time::from_seconds(1_700_000_000);
    let limits = vec![Limit { key: CounterKey::person("main", "alice"), most: 1 }];
    let left = Reserve { id: AttemptId(1), limits, window: WINDOW, at, expires: at.after(WINDOW) };
    world.store.reserve_attempt(left).await.unwrap();
    let outcome =
        world.accounts.sign_in("alice", "x".to_owned(), &Origin::default(), Default::default()).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert!(world.server.binds().is_empty());
}

#[tokio::test]
async fn a_made_up_name_has_one_counter_however_it_is_typed() {
    let mut settings = Settings::default();
    settings.login.fold = auth::Fold::Keep;
    let world = World::with(settings, |_| {}).await;
    for name in ["Caroo Clark", "caroo  clark", "CAROO CLARK", "Caroo\u{a0}Clark"] {
        assert_eq!(reason(&world.sign_in(name, "wrong").await), "unknown_user", "{name}");
    }
    assert_eq!(reason(&world.sign_in("cAROO clark", "wrong").await), "throttled");
}

async fn records(world: &World, reason: &str) -> Vec<Option<String>> {
    let query = AuditQuery { limit: 1000, ..AuditQuery::default() };
    let records = world.store.audit(query).await.unwrap();
    let of_it = records.into_iter().filter(|record| record.audit.reason.as_deref() == Some(reason));
    of_it.map(|record| record.audit.detail).collect()
}

#[tokio::test]
async fn refusals_that_cost_nothing_are_on_record_once_a_minute_with_a_count() {
    let world = World::start().await;
    for _ in 0..4 {
        world.sign_in_from("alice", "wrong", &from("192.0.2.1")).await;
    }
    for guess in 0..20 {
        let outcome = world.sign_in_from("alice", "wrong", &from(&format!("192.0.2.{guess}"))).await;
        assert_eq!(reason(&outcome), "throttled");
        assert_eq!(reason(&world.sign_in_from("alice", "", &from("192.0.2.1")).await), "empty_password");
        assert_eq!(reason(&world.sign_in_from("\n", "x", &from("192.0.2.1")).await), "bad_username");
    }
    assert_eq!(records(&world, "wrong_password").await.len(), 4);
    for why in ["throttled", "empty_password", "bad_username"] {
        assert_eq!(records(&world, why).await.len(), 1, "{why}");
    }
    world.sign_in_from("\n", "x", &from("192.0.2.2")).await;
    assert_eq!(records(&world, "bad_username").await.len(), 2, "another address is told by itself");

    world.clock.advance(Duration::from_secs(60));
    assert_eq!(reason(&world.sign_in("alice", "wrong").await), "throttled");
    let throttled = records(&world, "throttled").await;
    let last = throttled.last().cloned().flatten().unwrap();
    assert!(throttled.len() == 2 && last.ends_with("; and 19 more after 2023-11-14T22:13:20Z"), "{last}");
}

#[tokio::test]
async fn of_many_who_wait_for_one_person_one_asks_the_store() {
    let mut settings = Settings::default();
    settings.login.throttle.person = 1;
    let world = Arc::new(World::with(settings, |_| {}).await);
    let at = Time::from_seconds(1_700_000_000);
    let limits = vec![Limit { key: CounterKey::person("main", "alice"), most: 1 }];
    let left = Reserve { id: AttemptId(1), limits, window: WINDOW, at, expires: at.after(WINDOW) };
    world.store.reserve_attempt(left).await.unwrap();
    world.server.directory.clear_operations();
    let before = world.store.asked();
    let waiting: Vec<_> = (0..60)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.sign_in("alice", "alice-secret").await })
        })
        .collect();
    let looked_up = || {
        let operations = world.server.directory.operations().into_iter();
        operations.filter(|operation| operation.kind == Kind::Search).count()
    };
    until(async || looked_up() >= 60 && world.store.asked() >= before + 3).await;
    // Were each to ask, nearly sixty had done so by now; one alone asks four times a second.
    assert!(world.store.asked() < before + 30, "{} questions", world.store.asked() - before);
    let free =
        Settle { id: Some(AttemptId(1)), settlement: Settlement::Back, window: WINDOW, at, audit: None };
    world.store.settle_attempt(free).await.unwrap();
    for outcome in join_all(waiting).await {
        granted(outcome.unwrap());
    }
}

fn people(blocked: &[ldapgate_account::Blocked]) -> Vec<Counted> {
    blocked.iter().map(|blocked| blocked.counted.clone()).collect()
}

#[tokio::test]
async fn who_is_throttled_is_listed_and_may_be_let_go() {
    let world = World::with(Settings::default(), |settings| {
        settings.user.matches = vec!["uid".to_owned(), "mail".to_owned()];
    })
    .await;
    let alice = Counted::Person { directory: "main".to_owned(), name: "alice".to_owned() };
    for name in ["alice@example.com", "ALICE", "Bob"] {
        let guesses = if name == "ALICE" { 4 } else { 1 };
        for _ in 0..guesses {
            world.sign_in(name, "wrong").await;
        }
    }
    let blocked = world.accounts.blocked().await.unwrap();
    assert_eq!(people(&blocked), [alice], "Bob has attempts left");
    assert_eq!((blocked[0].wrong, blocked[0].until.since(blocked[0].last)), (4, WINDOW));

    for (who, counters) in [("nobody", 0), ("alice@example.com", 1), ("alice", 0), (" BOB ", 1)] {
        let cleared = world.accounts.clear_blocks(who, &Origin::default()).await.unwrap();
        assert_eq!(cleared, counters, "{who}");
    }
    assert_eq!(world.accounts.blocked().await.unwrap(), []);
    world.granted("alice", "alice-secret").await;
    let records = world.accounts.audit_after(0, Some("alice@example.com"), 10).await.unwrap();
    assert_eq!(records.last().unwrap().audit.event, "blocks_cleared");
}

#[tokio::test]
async fn addresses_and_names_that_nobody_bears_are_listed_and_let_go_too() {
    let mut settings = Settings::default();
    settings.login.throttle.address = 4;
    let world = World::with(settings, |_| {}).await;
    for last in 1..=4 {
        world.sign_in_from("who ever", "wrong", &from(&format!("2001:db8::{last}"))).await;
    }
    let blocked = people(&world.accounts.blocked().await.unwrap());
    assert_eq!(blocked[0], Counted::Address("2001:db8::/64".to_owned()));
    assert!(matches!(blocked[1..], [Counted::Unknown(_)]), "{blocked:?}");
    for who in ["2001:db8::/64", "Who  Ever"] {
        assert_eq!(world.accounts.clear_blocks(who, &Origin::default()).await.unwrap(), 1, "{who}");
    }
    assert_eq!(world.accounts.blocked().await.unwrap(), []);
}
