//! What cannot be asked denies nobody and counts nothing.

use std::time::Duration;

use directory::{Fault as Broken, Kind};
use ldapgate_account::{Fault, Outcome, Settings};

use crate::world::{Server, World, directories, reason};

fn fault(outcome: &Outcome) -> Fault {
    match outcome {
        Outcome::Failed { fault, .. } => *fault,
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_directory_that_is_down_is_a_failure_and_counts_nothing() {
    let world = World::start().await;
    world.server.directory.faults().always(Kind::Connect, Broken::Close);
    for _ in 0..6 {
        assert_eq!(fault(&world.sign_in("alice", "alice-secret").await), Fault::Directory);
    }
    world.server.directory.faults().clear();
    // Somebody else's server: the pool may still be backing off from the first.
    let server = Server::start(crate::world::PEOPLE).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    world.accounts.reconfigure(Settings::default(), directories).await.unwrap();
    world.granted("alice", "alice-secret").await;
}

#[tokio::test]
async fn a_bind_that_was_written_and_not_answered_counts() {
    let mut settings = Settings::default();
    settings.login.throttle.person = 1;
    let world = World::with(settings, |_| {}).await;
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Drop);
    assert_eq!(fault(&world.sign_in("alice", "guess").await), Fault::Directory);
    // Written in the background: the store may be what failed.
    loop {
        let outcome = world.sign_in("alice", "alice-secret").await;
        if matches!(outcome, Outcome::Denied(_)) {
            assert_eq!(reason(&outcome), "throttled");
            break;
        }
    }
}

#[tokio::test]
async fn a_store_that_is_down_lets_nobody_in_and_tries_no_password() {
    let world = World::start().await;
    world.granted("alice", "alice-secret").await;
    world.server.directory.clear_operations();
    world.store.set_down(true);
    let outcome = world.sign_in("alice", "alice-secret").await;
    assert_eq!(fault(&outcome), Fault::Store);
    let Outcome::Failed { message, causes, .. } = outcome else { unreachable!("it failed") };
    assert_eq!(
        (message.as_str(), causes.as_slice()),
        ("the store cannot be reached", &["the disk is gone".to_owned()][..])
    );
    assert!(world.server.binds().is_empty());
}

#[tokio::test]
async fn readiness_tells_the_store_from_the_directories() {
    let world = World::start().await;
    world.store.set_down(true);
    let ready = world.accounts.ready().await;
    assert_eq!((ready.ready, ready.store, ready.directory["main"]), (false, "unreachable", "ok"));

    let world = World::start().await;
    world.server.directory.faults().always(Kind::Connect, Broken::Close);
    let ready = world.accounts.ready().await;
    assert_eq!((ready.ready, ready.store, ready.directory["main"]), (false, "ok", "unreachable"));

    let world = World::start().await;
    let ready = world.accounts.ready().await;
    assert_eq!((ready.ready, ready.store, ready.directory["main"]), (true, "ok", "ok"));
}

#[tokio::test]
async fn a_directory_that_hangs_is_unreachable_alone() {
    let (hanging, good) =
        (Server::start(crate::world::PEOPLE).await, Server::start(crate::world::PEOPLE).await);
    hanging.directory.faults().always(Kind::Search, Broken::Drop);
    // Longer than readiness waits: otherwise the client would give up in time for both.
    let pool = hanging.pool(Duration::from_secs(60));
    let (settings, _) = hanging.entry("hanging", |_| {});
    let directories = directories(vec![(settings, pool), good.entry("good", |_| {})]);
    let world = World::over(good, directories, Settings::default()).await;
    let ready = world.accounts.ready().await;
    assert_eq!((ready.ready, ready.store), (true, "ok"));
    assert_eq!(
        ready.directory,
        [("good", "ok"), ("hanging", "unreachable")].map(|(name, is)| (name.to_owned(), is)).into()
    );
}

#[tokio::test]
async fn a_directory_that_is_lost_later_does_not_make_the_gateway_unready() {
    let world = World::start().await;
    world.granted("alice", "alice-secret").await;
    let gone = Server::start(crate::world::PEOPLE).await;
    gone.directory.faults().always(Kind::Connect, Broken::Close);
    let directories = directories(vec![gone.entry("main", |_| {})]);
    world.accounts.reconfigure(Settings::default(), directories).await.unwrap();
    let ready = world.accounts.ready().await;
    assert_eq!((ready.ready, ready.directory["main"]), (true, "unreachable"));
}
