//! A name that may be a password is on no record.

use std::time::Duration;

use ldapgate_account::store::{AuditQuery, AuditRecord};
use ldapgate_account::{Origin, Outcome, PasswordOutcome, Settings, SignIn};

use crate::world::{World, reason};

/// Somebody's password, typed in the wrong box.
const SECRET: &str = "Xk7-Winter-Sky";

async fn records(world: &World) -> Vec<AuditRecord> {
    world.accounts.audit_records(AuditQuery { limit: 100, ..AuditQuery::default() }).await.unwrap()
}

async fn names(world: &World) -> Vec<String> {
    records(world).await.into_iter().filter_map(|record| record.audit.username).collect()
}

#[tokio::test]
async fn what_nobody_bears_is_on_no_record_and_two_of_a_kind_are_seen() {
    let world = World::start().await;
    for name in [SECRET, "other", SECRET] {
        assert_eq!(reason(&world.sign_in(name, "x").await), "unknown_user");
    }
    assert_eq!(reason(&world.sign_in(SECRET, "").await), "empty_password");
    assert_eq!(reason(&world.sign_in(&format!("{SECRET}\u{202e}"), "x").await), "bad_username");
    let told = records(&world).await;
    assert!(!format!("{told:?}").to_lowercase().contains("winter"), "{told:#?}");
    let names = names(&world).await;
    assert!(names[0].starts_with("(not recorded) "), "{names:?}");
    assert!(names[0] == names[2] && names[0] == names[3] && names[0] != names[1], "{names:?}");
}

#[tokio::test]
async fn nor_is_it_when_it_is_throttled_or_a_template_makes_a_person_of_it() {
    let mut settings = Settings::default();
    settings.login.throttle.person = 1;
    let world = World::with(settings, |settings| {
        let template = auth::UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap();
        settings.user.template = Some(template);
    })
    .await;
    assert_eq!(reason(&world.sign_in(SECRET, "x").await), "wrong_password");
    assert_eq!(reason(&world.sign_in(SECRET, "x").await), "throttled");
    world.granted("alice", "alice-secret").await;
    assert_eq!(reason(&world.sign_in("alice", "x").await), "wrong_password");
    let how = SignIn::default();
    let changed = world
        .accounts
        .change_password(SECRET, "old".to_owned(), "new-Secret-4".to_owned(), &Origin::default(), how)
        .await;
    assert!(matches!(changed, PasswordOutcome::Denied(_)), "{changed:?}");
    let told = records(&world).await;
    assert!(!format!("{told:?}").to_lowercase().contains("winter"), "{told:#?}");
    let names = names(&world).await;
    assert_eq!(names[2..4], ["alice", "alice"], "whose name is known is named");
}

#[tokio::test]
async fn in_an_outage_those_are_named_whom_the_store_knows() {
    let mut settings = Settings::default();
    settings.login.deadline = Duration::from_millis(300);
    let world = World::with(settings, |_| {}).await;
    world.granted("alice", "alice-secret").await;
    world.server.directory.faults().always(directory::Kind::Search, directory::Fault::Drop);
    for name in [SECRET, "Alice"] {
        let outcome = world.sign_in(name, "x").await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }
    world.accounts.finish().await;
    let told = records(&world).await;
    let of = |wanted: &str| {
        let names = told.iter().filter(|record| record.audit.outcome.as_deref() == Some("error"));
        names
            .filter(|record| record.audit.username.as_deref().is_some_and(|name| name.starts_with(wanted)))
            .count()
    };
    assert_eq!((of("alice"), of("(not recorded)")), (1, 1), "{told:#?}");
    assert!(!format!("{told:?}").to_lowercase().contains("winter"), "{told:#?}");
}

#[tokio::test]
async fn a_login_that_is_still_under_way_at_the_end_is_settled_and_on_record() {
    let mut settings = Settings::default();
    settings.login.deadline = Duration::from_millis(200);
    settings.login.throttle.person = 1;
    let world = World::with(settings, |_| {}).await;
    world.server.directory.faults().next(directory::Kind::Search, 1, directory::Fault::Drop);
    let outcome = world.sign_in("alice", "alice-secret").await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    world.accounts.finish().await;
    let told = records(&world).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].audit.outcome.as_deref(), Some("error"));
    assert!(world.accounts.blocked().await.unwrap().is_empty(), "no bind was made, so nothing counts");
}
