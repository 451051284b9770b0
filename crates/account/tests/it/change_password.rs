//! Changing a password: counted like a login, and what the old one opened is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use auth::Trace;
use directory::{Builder, Directory, Fault as Broken, Kind, PasswordRules};
use futures_util::future::BoxFuture;
use ldapgate_account::store::{AuditQuery, AuditRecord, Store as _};
use ldapgate_account::{
    Clock as _, Denied, DirectorySettings, Event, Fault, Heard, Hook, LocalName, Origin, Outcome,
    PasswordOutcome, Profile, Refusal, Settings, SignIn, Task, Unfit,
};
use tokio::sync::Notify;

use crate::hold_back::{given_after, held_back};
use crate::world::{PEOPLE, Server, Still, World, directories, from, granted, group, reason, until};

const NEW: &str = "alice-and-the-rabbit";

/// Somebody who must change the password first.
const MAX: &str = "\ndn: uid=max,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: max\ncn: Max\nsn: M\n\
    pwdReset: TRUE\nuserPassword: max-secret\n";

fn builder() -> Builder {
    let clock = Still::new();
    let rules = PasswordRules { shortest: 8, ..PasswordRules::default() };
    let builder = Directory::builder(Arc::new(move || clock.now())).ldif(format!("{PEOPLE}{MAX}")).unwrap();
    builder.password_rules(rules)
}

async fn world() -> World {
    with(Settings::default(), |_| {}).await
}

async fn with(settings: Settings, change: impl FnOnce(&mut auth::Settings)) -> World {
    let server = Server::of(builder()).await;
    let directories = directories(vec![server.entry("main", change)]);
    World::over(server, directories, settings).await
}

async fn change(world: &World, username: &str, old: &str, new: &str) -> PasswordOutcome {
    change_from(world, username, old, new, &Origin::default()).await
}

async fn change_from(
    world: &World,
    username: &str,
    old: &str,
    new: &str,
    origin: &Origin,
) -> PasswordOutcome {
    let how = SignIn { session: true, ..SignIn::default() };
    world.accounts.change_password(username, old.to_owned(), new.to_owned(), origin, how).await
}

/// What the sign-in with the new password came to.
fn changed(outcome: PasswordOutcome) -> Outcome {
    match outcome {
        PasswordOutcome::Changed(signed_in) => *signed_in,
        other => panic!("not changed: {other:?}"),
    }
}

fn denied(outcome: &PasswordOutcome) -> &'static str {
    match outcome {
        PasswordOutcome::Denied(denied) => denied.denial.reason().as_str(),
        other => panic!("not denied: {other:?}"),
    }
}

fn unfit(outcome: &PasswordOutcome) -> Unfit {
    match outcome {
        PasswordOutcome::Unfit(objection) => objection.unfit(),
        other => panic!("not unfit: {other:?}"),
    }
}

/// Events of the record with their outcomes and reasons.
async fn record(world: &World) -> Vec<String> {
    let query = AuditQuery { limit: 100, ..AuditQuery::default() };
    let records = world.store.audit(query).await.unwrap();
    let line = |record: AuditRecord| {
        let audit = record.audit;
        let parts = [Some(audit.event), audit.username, audit.outcome, audit.reason];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    records.into_iter().map(line).collect()
}

#[tokio::test]
async fn a_change_signs_in_with_the_new_password_and_ends_what_the_old_one_opened() {
    let world = world().await;
    let before = world.granted("alice", "alice-secret").await;
    let cookie = before.session.unwrap().cookie;
    let token = world.accounts.issue_token(&before.account, None, &Origin::default()).await.unwrap();
    let signed_in = granted(changed(change(&world, " Alice", "alice-secret", NEW).await));
    assert_eq!(signed_in.account.username, "alice");
    let new = signed_in.session.unwrap().cookie;
    assert!(world.accounts.session(&new).await.unwrap().is_some());
    assert!(world.accounts.session(&cookie).await.unwrap().is_none());
    assert!(world.accounts.check_token(&token.text).await.unwrap().is_none());
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "wrong_password");
    world.granted("alice", NEW).await;
}

#[tokio::test]
async fn personal_tokens_outlive_a_change() {
    let world = world().await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let token = world.accounts.issue_personal(&alice, None, None, &Origin::default()).await.unwrap();
    changed(change(&world, "alice", "alice-secret", NEW).await);
    assert!(world.accounts.check_personal(&token.text).await.unwrap().is_some());
}

#[tokio::test]
async fn who_must_change_comes_in_in_the_same_go() {
    let world = world().await;
    assert_eq!(reason(&world.sign_in("max", "max-secret").await), "password_must_change");
    let mut events = world.accounts.events();
    granted(changed(change(&world, "max", "max-secret", NEW).await));
    assert_eq!(
        record(&world).await,
        ["login max denied password_must_change", "password_change max granted", "login max granted"]
    );
    match events.next().await {
        Some(Heard::Event(event)) => {
            assert!(matches!(&*event, Event::Populated { task: Task::Authenticate, .. }), "{event:?}");
        }
        other => panic!("nothing was called out: {other:?}"),
    }
}

#[tokio::test]
async fn a_change_by_somebody_who_may_not_enter_is_made_and_starts_no_session() {
    let world =
        with(Settings::default(), |settings| settings.require = Some(auth::Rule::Group(group("staff"))))
            .await;
    let outcome = changed(change(&world, "bob", "bob-secret", NEW).await);
    assert_eq!(reason(&outcome), "not_in_required_group");
    assert_eq!(
        record(&world).await,
        ["password_change bob granted", "login bob denied not_in_required_group"]
    );
}

#[tokio::test]
async fn wrong_old_passwords_count_with_wrong_logins_and_the_right_one_is_then_not_tried() {
    let world = world().await;
    for _ in 0..2 {
        assert_eq!(denied(&change(&world, "alice", "wrong", NEW).await), "wrong_password");
        assert_eq!(reason(&world.sign_in("alice", "wrong").await), "wrong_password");
    }
    world.server.directory.clear_operations();
    let outcome = change(&world, "alice", "alice-secret", NEW).await;
    assert_eq!(denied(&outcome), "throttled");
    assert!(matches!(outcome, PasswordOutcome::Denied(Denied { retry_after: Some(_), .. })));
    assert!(world.server.binds().is_empty());
}

#[tokio::test]
async fn an_address_and_unknown_names_are_counted_too() {
    let mut settings = Settings::default();
    settings.login.throttle.address = 3;
    let world = with(settings, |_| {}).await;
    let origin = from("192.0.2.7");
    for name in ["nobody", "nobody else", "alice"] {
        change_from(&world, name, "wrong", NEW, &origin).await;
    }
    assert_eq!(denied(&change_from(&world, "bob", "bob-secret", NEW, &origin).await), "throttled");
}

#[tokio::test]
async fn a_new_password_that_is_not_taken_counts_nothing() {
    let mut settings = Settings::default();
    settings.login.throttle.person = 1;
    let world = with(settings, |_| {}).await;
    for _ in 0..3 {
        assert_eq!(unfit(&change(&world, "alice", "alice-secret", "short").await), Unfit::TooShort);
    }
    world.granted("alice", "alice-secret").await;
    assert_eq!(record(&world).await[0], "password_change alice refused too_short");
}

#[tokio::test]
async fn what_no_server_would_take_is_refused_without_asking_one() {
    let world = world().await;
    for (new, expected) in [("", Unfit::Empty), ("a\0b", Unfit::Empty), ("alice-secret", Unfit::Same)] {
        assert_eq!(unfit(&change(&world, "alice", "alice-secret", new).await), expected);
    }
    assert_eq!(denied(&change(&world, "alice", "", NEW).await), "empty_password");
    assert_eq!(denied(&change(&world, "a\u{202e}", "x", NEW).await), "bad_username");
    assert!(world.server.directory.operations().is_empty());
}

#[tokio::test]
async fn an_unknown_name_is_refused_after_as_long_as_a_wrong_password() {
    let world = world().await;
    let delay = Broken::Delay(Duration::from_millis(110));
    world.server.directory.faults().always(Kind::Bind, delay);
    assert_eq!(denied(&change(&world, "alice", "wrong", NEW).await), "wrong_password");
    let trace = Arc::new(Trace::new());
    let how = SignIn { observer: Some(Arc::clone(&trace) as _), ..SignIn::default() };
    let (old, new) = ("wrong".to_owned(), NEW.to_owned());
    let refused = world.accounts.change_password("nobody", old, new, &Origin::default(), how).await;
    assert_eq!(denied(&refused), "unknown_user");
    let (_, given) = held_back(&trace).expect("it was held back");
    assert!(given_after(&given) >= 110, "{given}");
}

#[tokio::test]
async fn an_outage_is_a_failure_that_says_whether_anything_may_have_changed() {
    let world = world().await;
    let failed = |outcome: PasswordOutcome| match outcome {
        PasswordOutcome::Failed { fault, may_have_changed, .. } => (fault, may_have_changed),
        other => panic!("not failed: {other:?}"),
    };
    world.server.directory.faults().next(Kind::Extended, 1, Broken::Close);
    assert_eq!(failed(change(&world, "alice", "alice-secret", NEW).await), (Fault::Directory, true));
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Close);
    assert_eq!(failed(change(&world, "alice", "alice-secret", NEW).await), (Fault::Directory, false));
    world.store.set_down(true);
    assert_eq!(failed(change(&world, "alice", "alice-secret", NEW).await), (Fault::Store, false));
}

#[tokio::test]
async fn a_directory_that_goes_away_after_the_change_leaves_it_changed() {
    let world = world().await;
    let cookie = world.cookie().await;
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Delay(Duration::ZERO));
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Close);
    let outcome = changed(change(&world, "alice", "alice-secret", NEW).await);
    assert!(matches!(outcome, Outcome::Failed { fault: Fault::Directory, .. }), "{outcome:?}");
    assert!(world.accounts.session(&cookie).await.unwrap().is_none(), "the old password opened it");
    world.granted("alice", NEW).await;
}

#[tokio::test]
async fn a_visitor_who_hangs_up_changes_nothing_about_the_change() {
    let world = Arc::new(world().await);
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Delay(Duration::from_millis(50)));
    let visit = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { change(&world, "alice", "alice-secret", NEW).await })
    };
    until(async || !world.server.binds().is_empty()).await;
    visit.abort();
    until(async || record(&world).await.len() == 2).await;
    world.granted("alice", NEW).await;
}

/// Takes the visitor's time to let the first one in.
#[derive(Default)]
struct Ponders {
    asked: AtomicBool,
    reached: Notify,
    go_on: Notify,
}

impl Hook for Ponders {
    fn admit<'a>(&'a self, _: &'a mut Profile) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            if !self.asked.swap(true, Ordering::SeqCst) {
                self.reached.notify_one();
                self.go_on.notified().await;
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_login_with_the_old_password_that_is_under_way_opens_nothing() {
    let world = Arc::new(world().await);
    world.cookie().await;
    let hook = Arc::new(Ponders::default());
    world.accounts.add_hook(Arc::clone(&hook) as Arc<dyn Hook>);
    world.clock.advance(Duration::from_secs(1));
    let slow = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.sign_in("alice", "alice-secret").await }
    });
    hook.reached.notified().await;
    let signed_in = granted(changed(change(&world, "alice", "alice-secret", NEW).await));
    hook.go_on.notify_one();
    let outcome = slow.await.unwrap();
    assert!(matches!(outcome, Outcome::Failed { fault: Fault::Internal, .. }), "{outcome:?}");
    let sessions = world.accounts.sessions(signed_in.account.id).await.unwrap();
    assert_eq!(sessions.len(), 1, "the one of the new password");
}

#[tokio::test]
async fn a_change_that_nobody_heard_of_ends_what_the_old_password_opened() {
    let world = world().await;
    let cookie = world.cookie().await;
    world.server.directory.faults().next(Kind::Extended, 1, Broken::WrongId);
    let outcome = change(&world, "alice", "alice-secret", NEW).await;
    assert!(matches!(outcome, PasswordOutcome::Failed { may_have_changed: true, .. }), "{outcome:?}");
    assert!(world.accounts.session(&cookie).await.unwrap().is_none());
}

#[tokio::test]
async fn a_change_whose_proof_takes_too_long_has_ended_what_the_old_password_opened() {
    let mut settings = Settings::default();
    settings.login.deadline = Duration::from_millis(300);
    let world = with(settings, |_| {}).await;
    let cookie = world.cookie().await;
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Delay(Duration::ZERO));
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Drop);
    let outcome = change(&world, "alice", "alice-secret", NEW).await;
    assert!(matches!(outcome, PasswordOutcome::Failed { may_have_changed: true, .. }), "{outcome:?}");
    assert!(world.accounts.session(&cookie).await.unwrap().is_none());
}

#[tokio::test]
async fn the_account_is_found_by_its_key_where_another_name_is_typed() {
    let world = with(Settings::default(), |settings| {
        let template = "uid={username},ou=people,dc=example,dc=com";
        settings.user.template = Some(auth::UserTemplate::parse(template).unwrap());
        settings.user.username_attribute = "mail".to_owned();
    })
    .await;
    let cookie = world.cookie().await;
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Delay(Duration::ZERO));
    world.server.directory.faults().next(Kind::Bind, 1, Broken::Close);
    let outcome = changed(change(&world, "alice", "alice-secret", NEW).await);
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert!(world.accounts.session(&cookie).await.unwrap().is_none());
}

#[tokio::test]
async fn who_is_disabled_here_changes_nothing() {
    let world = world().await;
    let alice = world.granted("alice", "alice-secret").await.account.id;
    world.accounts.disable(alice, &Origin::default()).await.unwrap();
    assert_eq!(denied(&change(&world, "alice", "wrong", NEW).await), "wrong_password");
    let outcome = change(&world, "alice", "alice-secret", NEW).await;
    assert_eq!(denied(&outcome), "account_disabled");
    assert!(matches!(outcome, PasswordOutcome::Denied(Denied { message: "this account is disabled", .. })));
    assert_eq!(world.server.directory.counters().extended, 0, "the server was told nothing");
}

#[tokio::test]
async fn the_name_on_the_form_leads_back_to_the_same_person() {
    let (main, partner) = (Server::of(builder()).await, Server::of(builder()).await);
    let of_each = |name: &str| {
        let local_name = LocalName::parse(&format!("{{username}} of {name}")).unwrap();
        (name.to_owned(), DirectorySettings { local_name, ..DirectorySettings::default() })
    };
    let with_domains = |domains: &[&str]| {
        let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        directories(vec![
            main.entry("main", |_| {}),
            partner.entry("partner", |settings| settings.domains = domains),
        ])
    };
    let settings =
        || Settings { directories: ["main", "partner"].map(of_each).into(), ..Settings::default() };
    let world = World::over(Server::of(builder()).await, with_domains(&["PARTNER"]), settings()).await;
    let theirs = world.granted("PARTNER\\alice", "alice-secret").await.account;
    let ours = world.granted("alice", "alice-secret").await.account;
    let typed = world.accounts.name_to_type(&theirs).unwrap();
    assert_eq!(typed, "alice@PARTNER");
    assert_eq!(world.granted(&typed, "alice-secret").await.account.id, theirs.id);
    assert_eq!(world.accounts.name_to_type(&ours), None, "nothing says that main is meant");
    world.accounts.reconfigure(settings(), with_domains(&[])).await.unwrap();
    assert_eq!(world.accounts.name_to_type(&theirs), None, "the first alice is somebody else");
}
