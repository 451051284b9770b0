//! What a cookie opens, and when no more.

use std::time::Duration;

use ldapgate_account::{Accounts, Origin, PersonalTokens, Settings, SignIn};

use crate::world::{World, granted};

async fn opens(accounts: &Accounts, cookie: &str) -> bool {
    accounts.session(cookie).await.unwrap().is_some()
}

#[tokio::test]
async fn a_cookie_opens_its_session() {
    let world = World::start().await;
    let signed_in = world.granted("alice", "alice-secret").await;
    let new = signed_in.session.unwrap();
    assert!(new.cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    assert!(!new.persistent);
    let session = world.accounts.session(&new.cookie).await.unwrap().unwrap();
    assert_eq!(session.account, signed_in.account);
    assert_eq!(std::time::SystemTime::from(session.expires), new.expires);
    assert!(!new.cookie.contains(&session.id));
}

#[tokio::test]
async fn a_forged_cookie_costs_no_query() {
    let world = World::start().await;
    let cookie = world.cookie().await;
    let other = World::start().await;
    let before = other.store.asked();
    for forged in ["", ".", "AAAA.AAAA", &cookie[1..], &format!("{cookie}A"), &cookie.replace('.', "")] {
        assert!(!opens(&other.accounts, forged).await, "{forged}");
    }
    assert!(
        !opens(&other.accounts, &other.accounts.seal("session", &[7; 32])).await,
        "made for another purpose"
    );
    assert_eq!(other.store.asked(), before);
}

#[tokio::test]
async fn a_session_that_was_checked_a_moment_ago_costs_neither_query_nor_ldap() {
    let world = World::start().await;
    let cookie = world.cookie().await;
    assert!(opens(&world.accounts, &cookie).await);
    let (asked, operations) = (world.store.asked(), world.server.directory.operations().len());
    for _ in 0..50 {
        assert!(opens(&world.accounts, &cookie).await);
    }
    assert_eq!((world.store.asked(), world.server.directory.operations().len()), (asked, operations));
}

#[tokio::test]
async fn a_session_ends_when_it_was_idle_too_long() {
    let world = World::start().await;
    let cookie = world.cookie().await;
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(29 * 60));
        assert!(opens(&world.accounts, &cookie).await);
    }
    world.clock.advance(Duration::from_secs(30 * 60));
    assert!(!opens(&world.accounts, &cookie).await);
}

#[tokio::test]
async fn a_use_is_noted_in_the_store() {
    let world = World::start().await;
    let cookie = world.cookie().await;
    world.clock.advance(Duration::from_secs(20 * 60));
    assert!(opens(&world.accounts, &cookie).await);
    let used = |sessions: Vec<ldapgate_account::SessionInfo>| sessions[0].last_seen > sessions[0].created;
    while !used(world.accounts.sessions(None).await.unwrap()) {
        tokio::task::yield_now().await;
    }
    world.clock.advance(Duration::from_secs(20 * 60));
    assert!(opens(&world.replica().await, &cookie).await);
}

#[tokio::test]
async fn a_session_ends_in_the_end_however_busy_it_is() {
    let world = World::start().await;
    let cookie = world.cookie().await;
    for _ in 0..(12 * 3 - 1) {
        world.clock.advance(Duration::from_secs(20 * 60));
        assert!(opens(&world.accounts, &cookie).await);
    }
    world.clock.advance(Duration::from_secs(20 * 60));
    assert!(!opens(&world.accounts, &cookie).await);
}

#[tokio::test]
async fn who_is_remembered_may_be_idle() {
    let day = Duration::from_secs(24 * 3600);
    let mut settings = Settings::default();
    settings.session.remember_me = Some(30 * day);
    let world = World::with(settings, |_| {}).await;
    let how = SignIn { session: true, remember_me: true, ..SignIn::default() };
    let outcome = world.accounts.sign_in("alice", "alice-secret".to_owned(), &Origin::default(), how).await;
    let session = granted(outcome).session.unwrap();
    assert!(session.persistent);
    world.clock.advance(29 * day);
    assert!(opens(&world.accounts, &session.cookie).await);
    world.clock.advance(day);
    assert!(!opens(&world.accounts, &session.cookie).await);
}

#[tokio::test]
async fn remember_me_counts_only_where_it_is_offered() {
    let world = World::start().await;
    let how = SignIn { session: true, remember_me: true, ..SignIn::default() };
    let outcome = world.accounts.sign_in("alice", "alice-secret".to_owned(), &Origin::default(), how).await;
    assert!(!granted(outcome).session.unwrap().persistent);
}

#[tokio::test]
async fn each_login_has_a_cookie_of_its_own_and_ends_the_session_it_replaces() {
    let world = World::start().await;
    let (first, other) = (world.cookie().await, world.cookie().await);
    let how = SignIn { session: true, replaces: Some(first.clone()), ..SignIn::default() };
    let outcome = world.accounts.sign_in("alice", "alice-secret".to_owned(), &Origin::default(), how).await;
    let second = granted(outcome).session.unwrap().cookie;
    assert!(!opens(&world.accounts, &first).await);
    assert!(opens(&world.accounts, &other).await && opens(&world.accounts, &second).await);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_no_other() {
    let world = World::start().await;
    let (one, other) = (world.cookie().await, world.cookie().await);
    assert!(opens(&world.accounts, &one).await);
    assert!(world.accounts.sign_out(&one, &Origin::default()).await.unwrap());
    assert!(!world.accounts.sign_out(&one, &Origin::default()).await.unwrap());
    assert!(!opens(&world.accounts, &one).await);
    assert!(opens(&world.accounts, &other).await);
}

#[tokio::test]
async fn people_end_their_own_sessions_only() {
    let world = World::start().await;
    let alice = world.granted("alice", "alice-secret").await;
    let bob = world.granted("bob", "bob-secret").await;
    let sessions = world.accounts.sessions(alice.account.id).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].username, "alice");
    let id = &sessions[0].id;
    let origin = Origin::default();
    assert!(!world.accounts.end_session(bob.account.id, id, &origin).await.unwrap());
    assert!(opens(&world.accounts, &alice.session.as_ref().unwrap().cookie).await);
    assert!(world.accounts.end_session(alice.account.id, id, &origin).await.unwrap());
    assert!(!opens(&world.accounts, &alice.session.unwrap().cookie).await);
}

#[tokio::test]
async fn who_is_disabled_here_is_out_at_once_and_stays_out() {
    let world = World::start().await;
    let signed_in = world.granted("alice", "alice-secret").await;
    let cookie = signed_in.session.unwrap().cookie;
    assert!(opens(&world.accounts, &cookie).await);
    let origin = Origin::default();
    assert!(world.accounts.disable(signed_in.account.id, &origin).await.unwrap());
    assert!(!opens(&world.accounts, &cookie).await);
    assert_eq!(crate::world::reason(&world.sign_in("alice", "alice-secret").await), "account_disabled");
    assert!(world.accounts.enable(signed_in.account.id, &origin).await.unwrap());
    assert!(!opens(&world.accounts, &cookie).await);
    world.granted("alice", "alice-secret").await;
}

#[tokio::test]
async fn revoking_keeps_the_one_session_that_asked_for_it() {
    let world = World::start().await;
    let (mine, stolen) = (world.cookie().await, world.cookie().await);
    let user = world.accounts.session(&mine).await.unwrap().unwrap().account.id;
    let keep = PersonalTokens::Keep;
    assert!(world.accounts.revoke(user, Some(&mine), keep, &Origin::default()).await.unwrap());
    assert!(opens(&world.accounts, &mine).await);
    assert!(!opens(&world.accounts, &stolen).await);
}

#[tokio::test]
async fn another_process_hears_of_it() {
    let world = World::start().await;
    let replica = world.replica().await;
    let following = tokio::spawn({
        let replica = replica.clone();
        async move { replica.follow().await }
    });
    let cookie = world.cookie().await;
    assert!(opens(&replica, &cookie).await);
    world.accounts.sign_out(&cookie, &Origin::default()).await.unwrap();
    let ended = async {
        while opens(&replica, &cookie).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
    following.abort();
}

#[tokio::test]
async fn a_store_that_is_down_opens_nothing_that_is_not_known_already() {
    let world = World::start().await;
    let cookie = world.cookie().await;
    world.store.set_down(true);
    assert!(world.accounts.session(&cookie).await.is_err());
}
