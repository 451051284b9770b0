//! What an application hears of, and names of its own.

use std::sync::Arc;

use directory::{Fault, Kind};
use ldapgate_account::{Event, Events, Heard, Lookup, Naming, Origin, Settings, SignIn, Task};

use crate::world::{World, from, reason};

/// The next event, which has happened already.
async fn next(events: &mut Events) -> Arc<Event> {
    match events.next().await.expect("there are accounts") {
        Heard::Event(event) => event,
        Heard::Missed(missed) => panic!("missed {missed}"),
    }
}

#[tokio::test]
async fn an_application_hears_of_everybody_who_is_saved() {
    let world = World::start().await;
    let mut events = world.accounts.events();
    world.granted("alice", "alice-secret").await;
    match &*next(&mut events).await {
        Event::Populated { task, account, created } => {
            assert_eq!((*task, account.username.as_str(), *created), (Task::Authenticate, "alice", true));
            assert_eq!(account.fields["first_name"], "Alice");
        }
        other => panic!("{other:?}"),
    }
    world.accounts.look_up("alice", None).await.unwrap();
    let event = next(&mut events).await;
    assert!(matches!(&*event, Event::Populated { task: Task::Populate, created: false, .. }), "{event:?}");
}

#[tokio::test]
async fn an_application_hears_why_somebody_was_refused_and_what_failed() {
    let world = World::start().await;
    let mut events = world.accounts.events();
    world.sign_in_from("Alice", "wrong", &from("192.0.2.7")).await;
    match &*next(&mut events).await {
        Event::Denied { task, username, origin, denial } => {
            assert_eq!((*task, username.as_str()), (Task::Authenticate, "alice"));
            assert_eq!((origin, denial.reason().as_str()), (&from("192.0.2.7"), "wrong_password"));
        }
        other => panic!("{other:?}"),
    }
    let (old, new) = ("wrong".to_owned(), "another-secret".to_owned());
    world.accounts.change_password("bob", old, new, &Origin::default(), SignIn::default()).await;
    let event = next(&mut events).await;
    assert!(matches!(&*event, Event::Denied { task: Task::ChangePassword, .. }), "{event:?}");
    world.accounts.external("bob", &Origin::default()).await.unwrap();
    let event = next(&mut events).await;
    assert!(matches!(&*event, Event::Denied { task: Task::Permissions, .. }), "{event:?}");

    world.server.directory.faults().always(Kind::Search, Fault::unavailable());
    world.sign_in("alice", "alice-secret").await;
    let event = next(&mut events).await;
    assert!(matches!(&*event, Event::Failed { task: Task::Authenticate, .. }), "{event:?}");
    assert!(world.accounts.look_up("alice", None).await.is_err());
    match &*next(&mut events).await {
        Event::Failed { task, username, fault, causes, .. } => {
            assert_eq!((*task, username.as_str(), fault.as_str()), (Task::Populate, "alice", "directory"));
            assert!(!causes.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_listener_that_never_listens_holds_nobody_up_and_is_told_what_it_missed() {
    let world = World::start().await;
    let mut events = world.accounts.events();
    for _ in 0..1030 {
        assert_eq!(reason(&world.sign_in("alice", "").await), "empty_password");
    }
    assert!(matches!(events.next().await, Some(Heard::Missed(6))));
    assert!(matches!(&*next(&mut events).await, Event::Denied { .. }));
}

#[tokio::test]
async fn nothing_can_happen_any_more_when_the_accounts_are_gone() {
    let world = World::start().await;
    let mut events = world.accounts.events();
    drop(world);
    assert!(events.next().await.is_none());
}

struct Prefixed;

impl Naming for Prefixed {
    fn asked_for(&self, typed: &str) -> String {
        typed.trim().strip_prefix("corp-").unwrap_or(typed).to_owned()
    }

    fn local_name(&self, directory: &str, username: &str, configured: &str) -> String {
        assert_eq!((directory, configured), ("main", username), "it is told what is configured");
        match username {
            "bob" => "b\u{0}b".to_owned(),
            _ => format!("corp-{username}"),
        }
    }
}

#[tokio::test]
async fn an_application_may_have_names_of_its_own_both_ways() {
    let world = World::start().await;
    world.accounts.set_naming(Arc::new(Prefixed));
    let alice = world.granted("corp-alice", "alice-secret").await.account;
    assert_eq!((alice.username.as_str(), alice.local_name.as_str()), ("alice", "corp-alice"));
    match world.accounts.look_up(&alice.local_name, None).await.unwrap() {
        Lookup::Found { account, .. } => {
            assert_eq!(account.id, alice.id, "the name here leads back to the person")
        }
        Lookup::Denied(denial) => panic!("not found: {denial}"),
    }
}

#[tokio::test]
async fn a_name_that_no_person_can_have_is_the_application_s_failure() {
    let world = World::with(Settings::default(), |_| {}).await;
    world.accounts.set_naming(Arc::new(Prefixed));
    match world.sign_in("bob", "bob-secret").await {
        ldapgate_account::Outcome::Failed { fault, .. } => assert_eq!(fault.as_str(), "internal"),
        other => panic!("not failed: {other:?}"),
    }
    assert_eq!(world.accounts.users().await.unwrap(), []);
}
