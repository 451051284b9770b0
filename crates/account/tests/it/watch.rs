//! Changes are heard of as they happen, by one replica at a time.

use std::time::Duration;

use auth::Rule;
use ldapgate_account::{Accounts, Settings, SyncSettings, Watching};

use crate::world::{PEOPLE, Server, World, directories, group, until};

fn settings() -> Settings {
    Settings { sync: SyncSettings { watch: true, ..SyncSettings::default() }, ..Settings::default() }
}

fn writers(settings: &mut auth::Settings) {
    settings.require = Some(Rule::Group(group("writers")));
}

fn watches(accounts: &Accounts) -> bool {
    matches!(accounts.revalidation()[0].watch, Watching::Live | Watching::Polling)
}

#[tokio::test]
async fn one_of_two_replicas_watches_and_the_other_takes_over() {
    let world = World::with(settings(), writers).await;
    let bob = world.granted("bob", "bob-secret").await.session.unwrap().cookie;
    let both = [world.accounts.clone(), world.replica().await];
    let server = Server::start(&PEOPLE.replace("member: uid=bob,ou=people,dc=example,dc=com\n", "")).await;
    for accounts in &both {
        let directories = directories(vec![server.entry("main", writers)]);
        accounts.reconfigure(settings(), directories).await.unwrap();
    }
    let run = |accounts: &Accounts| {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.revalidate().await })
    };
    let tasks = both.each_ref().map(run);
    // Nothing is known of the time before, so everybody is looked at once, long before their turn.
    until(async || world.accounts.session(&bob).await.unwrap().is_none()).await;
    until(async || both.iter().any(watches)).await;
    let first = both.iter().position(watches).unwrap();
    assert!(!watches(&both[1 - first]), "one is enough");

    tasks[first].abort();
    world.clock.advance(Duration::from_secs(16));
    until(async || watches(&both[1 - first])).await;
    tasks[1 - first].abort();
}
