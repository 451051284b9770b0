//! Requests that bring a password each: one that was proved lately is taken for proved, and nothing else is.

use std::sync::Arc;
use std::time::Duration;

use client::{Connection, Options};
use directory::Kind;
use futures_util::future::{BoxFuture, join_all};
use ldapgate_account::store::{AuditQuery, Store as _};
use ldapgate_account::{
    Accounts, Hook, Origin, Outcome, PasswordOutcome, PersonalTokens, Profile, Refusal, Settings, SignIn,
    SignedIn, UserId,
};
use proto::Change;

use crate::world::{World, directories, from, granted, reason};

const AGE: Duration = Duration::from_secs(60);
const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";

fn remembering() -> Settings {
    Settings { remember_credentials: AGE, ..Settings::default() }
}

async fn world() -> World {
    World::with(remembering(), |_| {}).await
}

async fn ask(world: &World, username: &str, password: &str) -> Outcome {
    ask_from(world, username, password, &Origin::default()).await
}

async fn ask_from(world: &World, username: &str, password: &str, origin: &Origin) -> Outcome {
    world.accounts.check_password(username, password.to_owned(), origin).await
}

async fn let_in(world: &World, username: &str, password: &str) -> SignedIn {
    granted(ask(world, username, password).await)
}

/// Searches and binds since the last call.
fn operations(world: &World) -> usize {
    let all = world.server.directory.operations();
    world.server.directory.clear_operations();
    all.iter().filter(|operation| matches!(operation.kind, Kind::Search | Kind::Bind)).count()
}

async fn change_password(world: &World, password: &str) {
    let editor = Connection::open(&Options::new([world.server.url()]).unwrap()).await.unwrap();
    let alice = proto::Password::new("alice-secret").unwrap();
    assert!(editor.bind(ALICE, &alice).await.unwrap().is_success());
    editor.modify(ALICE, vec![Change::replace("userPassword", [password])]).await.unwrap();
}

#[tokio::test]
async fn a_password_that_was_proved_lately_costs_no_operation_and_no_record() {
    let world = world().await;
    let first = let_in(&world, "alice", "alice-secret").await;
    assert!(operations(&world) > 1);
    let records = || async {
        let query = AuditQuery { limit: 1000, ..AuditQuery::default() };
        world.store.audit(query).await.unwrap().len()
    };
    let before = records().await;
    for _ in 0..10 {
        let next = let_in(&world, "alice", "alice-secret").await;
        assert_eq!(next.account, first.account);
        assert!(next.session.is_none());
    }
    assert_eq!((operations(&world), records().await), (0, before));
}

#[tokio::test]
async fn nothing_is_remembered_unless_that_is_configured() {
    let world = World::start().await;
    for _ in 0..2 {
        let_in(&world, "alice", "alice-secret").await;
        assert!(operations(&world) > 1);
    }
}

#[tokio::test]
async fn a_proof_is_good_for_its_age_and_not_renewed_by_use() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    operations(&world);
    world.clock.advance(AGE - Duration::from_secs(1));
    let_in(&world, "alice", "alice-secret").await;
    assert_eq!(operations(&world), 0);
    world.clock.advance(Duration::from_secs(1));
    let_in(&world, "alice", "alice-secret").await;
    assert!(operations(&world) > 1);
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_counted_however_lately_the_right_one_was_proved() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    for guess in 1..=4 {
        assert_eq!(reason(&ask(&world, "alice", &format!("guess {guess}")).await), "wrong_password");
        assert_eq!(world.server.binds().len(), 1 + guess);
    }
    assert_eq!(reason(&ask(&world, "alice", "alice-secret").await), "throttled");
}

#[tokio::test]
async fn another_name_with_the_same_password_is_another_login() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    assert_eq!(reason(&ask(&world, "bob", "alice-secret").await), "wrong_password");
    assert_eq!(reason(&ask(&world, "alic", "ealice-secret").await), "unknown_user");
}

#[tokio::test]
async fn a_throttled_person_is_refused_the_password_that_was_proved_too() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    let elsewhere = world.replica().await;
    for _ in 0..4 {
        // At another process, so that what was proved stays remembered.
        let outcome = elsewhere.check_password("alice", "wrong".to_owned(), &Origin::default()).await;
        assert_eq!(reason(&outcome), "wrong_password");
    }
    let binds = world.server.binds().len();
    assert_eq!(reason(&ask(&world, "alice", "alice-secret").await), "throttled");
    assert_eq!(world.server.binds().len(), binds);
}

#[tokio::test]
async fn a_throttled_address_is_refused_the_password_that_was_proved_too() {
    let mut settings = remembering();
    settings.login.throttle.address = 3;
    let world = World::with(settings, |_| {}).await;
    granted(ask_from(&world, "alice", "alice-secret", &from("192.0.2.1")).await);
    for name in ["bob", "carol", "nobody"] {
        ask_from(&world, name, "wrong", &from("192.0.2.1")).await;
    }
    assert_eq!(reason(&ask_from(&world, "alice", "alice-secret", &from("192.0.2.1")).await), "throttled");
    operations(&world);
    granted(ask_from(&world, "alice", "alice-secret", &from("192.0.2.2")).await);
    assert_eq!(operations(&world), 0);
}

#[tokio::test]
async fn of_a_hundred_guesses_at_once_no_more_are_tried_than_the_limit() {
    let world = Arc::new(world().await);
    let_in(&world, "alice", "alice-secret").await;
    let guesses = (0..100).map(|guess| {
        let world = Arc::clone(&world);
        let password = if guess == 50 { "alice-secret".to_owned() } else { format!("guess {guess}") };
        async move { ask(&world, "alice", &password).await }
    });
    let outcomes = join_all(guesses).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Denied(_))));
    assert_eq!(world.server.binds().len(), 1 + 4);
}

#[tokio::test]
async fn an_account_that_was_disabled_here_is_refused_at_once() {
    let world = world().await;
    let alice = let_in(&world, "alice", "alice-secret").await.account.id;
    world.accounts.disable(alice, &Origin::default()).await.unwrap();
    assert_eq!(reason(&ask(&world, "alice", "alice-secret").await), "account_disabled");
}

#[tokio::test]
async fn what_was_taken_back_has_to_be_proved_again() {
    let world = world().await;
    let alice = let_in(&world, "alice", "alice-secret").await.account.id;
    world.accounts.revoke(alice, None, PersonalTokens::Keep, &Origin::default()).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    operations(&world);
    let_in(&world, "alice", "alice-secret").await;
    assert!(operations(&world) > 1);
    let_in(&world, "alice", "alice-secret").await;
    assert_eq!(operations(&world), 0);
}

/// Takes back what an account was given while its login is under way.
struct Revokes(Accounts, UserId);

impl Hook for Revokes {
    fn admit<'a>(&'a self, _: &'a mut Profile) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            self.0.revoke(self.1, None, PersonalTokens::Keep, &Origin::default()).await.unwrap();
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_login_during_which_everything_was_taken_back_is_not_remembered() {
    let world = world().await;
    let alice = world.granted("alice", "alice-secret").await.account.id;
    world.accounts.add_hook(Arc::new(Revokes(world.accounts.clone(), alice)));
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(1));
        let outcome = ask(&world, "alice", "alice-secret").await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
        assert!(operations(&world) > 1);
    }
}

#[tokio::test]
async fn a_wrong_password_at_any_door_ends_what_is_remembered_of_the_person_by_every_name() {
    let change = async |world: &World| {
        let (wrong, new, how) = ("wrong".to_owned(), "alice-and-the-rabbit".to_owned(), SignIn::default());
        let outcome = world.accounts.change_password("alice", wrong, new, &Origin::default(), how).await;
        assert!(matches!(outcome, PasswordOutcome::Denied { .. }), "{outcome:?}");
    };
    for door in ["basic", "login", "password"] {
        let world = world().await;
        let_in(&world, "alice", "alice-secret").await;
        let_in(&world, "ALICE", "alice-secret").await;
        let_in(&world, "bob", "bob-secret").await;
        match door {
            "basic" => drop(ask(&world, "Alice", "wrong").await),
            "login" => drop(world.sign_in("alice", "wrong").await),
            _ => change(&world).await,
        }
        for (name, password, costs) in
            [("ALICE", "alice-secret", true), ("alice", "alice-secret", true), ("bob", "bob-secret", false)]
        {
            operations(&world);
            let_in(&world, name, password).await;
            assert_eq!(operations(&world) > 1, costs, "{name} after a wrong password at {door}");
        }
    }
}

#[tokio::test]
async fn who_is_not_let_in_any_more_at_another_door_is_not_remembered_either() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    let no = || Arc::new(Refuses) as Arc<dyn Hook>;
    world.accounts.add_hook(no());
    let_in(&world, "alice", "alice-secret").await;
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "refused_by_application");
    assert_eq!(reason(&ask(&world, "alice", "alice-secret").await), "refused_by_application");
}

struct Refuses;

impl Hook for Refuses {
    fn admit<'a>(&'a self, _: &'a mut Profile) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async { Err(Refusal::Refused("not today".to_owned())) })
    }
}

#[tokio::test]
async fn a_password_that_was_changed_here_is_not_taken_any_more() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    let (old, new) = ("alice-secret".to_owned(), "alice-and-the-rabbit".to_owned());
    let how = SignIn::default();
    let changed = world.accounts.change_password("alice", old, new, &Origin::default(), how).await;
    assert!(matches!(changed, PasswordOutcome::Changed(_)), "{changed:?}");
    assert_eq!(reason(&ask(&world, "alice", "alice-secret").await), "wrong_password");
    let_in(&world, "alice", "alice-and-the-rabbit").await;
}

#[tokio::test]
async fn a_reload_forgets_every_proof() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    let again = directories(vec![world.server.entry("main", |_| {})]);
    world.accounts.reconfigure(remembering(), again).await.unwrap();
    operations(&world);
    let_in(&world, "alice", "alice-secret").await;
    assert!(operations(&world) > 1);
}

#[tokio::test]
async fn a_sign_in_is_always_asked_and_proves_nothing_for_later() {
    let world = world().await;
    world.granted("alice", "alice-secret").await;
    operations(&world);
    let_in(&world, "alice", "alice-secret").await;
    assert!(operations(&world) > 1);
    world.granted("alice", "alice-secret").await;
    assert!(operations(&world) > 1);
}

#[tokio::test]
async fn an_old_password_is_taken_until_its_age_has_passed_or_the_new_one_was_proved() {
    for proved in [None, Some("basic"), Some("login")] {
        let world = world().await;
        let_in(&world, "alice", "alice-secret").await;
        change_password(&world, "new-secret").await;
        let_in(&world, "alice", "alice-secret").await;
        match proved {
            Some("basic") => drop(let_in(&world, "Alice", "new-secret").await),
            Some(_) => drop(world.granted("alice", "new-secret").await),
            None => world.clock.advance(AGE),
        }
        assert_eq!(reason(&ask(&world, "alice", "alice-secret").await), "wrong_password");
    }
}

#[tokio::test]
async fn only_who_was_let_in_is_remembered() {
    let world = world().await;
    for binds in 1..=3 {
        assert_eq!(reason(&ask(&world, "carol", "carol-secret").await), "account_expired");
        assert_eq!(world.server.binds().len(), binds);
    }
}

#[tokio::test]
async fn with_the_store_down_nobody_is_let_in() {
    let world = world().await;
    let_in(&world, "alice", "alice-secret").await;
    world.store.set_down(true);
    assert!(matches!(ask(&world, "alice", "alice-secret").await, Outcome::Failed { .. }));
    world.store.set_down(false);
    operations(&world);
    let_in(&world, "alice", "alice-secret").await;
    assert_eq!(operations(&world), 0);
}

#[tokio::test]
async fn with_a_template_a_person_is_remembered_once_guesses_at_them_have_a_counter() {
    let world = World::with(remembering(), |settings| {
        let template = "uid={username},ou=people,dc=example,dc=com";
        settings.user.template = Some(auth::UserTemplate::parse(template).unwrap());
    })
    .await;
    for costs in [true, true, false] {
        operations(&world);
        let_in(&world, "alice", "alice-secret").await;
        assert_eq!(operations(&world) > 0, costs);
    }
}
