//! What every store must do, said one by one; and what happens when several ask at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::store::{
    Admission, Admit, Admitted, AttemptId, Audit, AuditQuery, CounterKey, Digest, EndSessions, Facts, Find,
    IssuePersonal, Limit, LimitQuery, Mirror, Occasion, PersonalToken, Relink, Relinked, Remove, Reserve,
    Reserved, Retire, Revoke, SecretBytes, SetDisabled, Settle, Settlement, StartSession, Store,
    StoredWarning, Sweep, Touch, UsePersonal,
};
use crate::{Account, Attributes, Time, UserId};

const WINDOW: Duration = Duration::from_secs(60);
pub(super) const NOW: Time = Time::from_seconds(1_700_000_000);

pub(super) fn later(seconds: u64) -> Time {
    NOW.after(Duration::from_secs(seconds))
}

fn key() -> CounterKey {
    CounterKey::person("main", "alice")
}

fn reserve(id: i64, at: Time) -> Reserve {
    let limits = vec![Limit { key: key(), most: 3 }];
    Reserve { id: AttemptId(id), limits, window: WINDOW, at, expires: at.after(Duration::from_secs(30)) }
}

fn settle(id: i64, settlement: Settlement, at: Time) -> Settle {
    Settle { id: Some(AttemptId(id)), settlement, window: WINDOW, at, audit: None }
}

pub(super) fn event(event: &str) -> Audit {
    Audit { at: NOW, event: event.to_owned(), username: Some("alice".to_owned()), ..Audit::default() }
}

pub(super) fn login(external_id: &str, local_name: &str, occasion: Occasion) -> Box<Admit> {
    let Digest(digest) = Digest::of(external_id.as_bytes());
    let (bytes, _) = digest.split_first_chunk().expect("a digest is longer than an id");
    let facts = Facts {
        directory: "main".to_owned(),
        external_id: external_id.to_owned(),
        username: local_name.to_owned(),
        local_name: local_name.to_owned(),
        dn: format!("uid={local_name},dc=example,dc=com"),
        attributes: Attributes::default(),
        fields: BTreeMap::from([("mail".to_owned(), format!("{local_name}@example.com"))]),
        lists: BTreeMap::new(),
        flags: BTreeMap::new(),
        groups: Vec::new(),
        permissions: Vec::new(),
    };
    Box::new(Admit {
        at: NOW,
        new_id: UserId::from_random(*bytes),
        facts,
        keep_profile: false,
        create: true,
        mirror: Mirror::Off,
        occasion,
        retire: None,
        audit: event("login"),
    })
}

/// A login after everything else that happens now.
pub(super) fn with_session(secret: &[u8]) -> Occasion {
    begun(later(1), secret)
}

fn begun(began: Time, secret: &[u8]) -> Occasion {
    let session = StartSession {
        digest: Digest::of(secret),
        handle: Digest::of(secret).to_hex()[..16].to_owned(),
        expires: later(3600),
        remembered: false,
        address: Some("192.0.2.1".to_owned()),
        agent: None,
        warnings: vec![StoredWarning::PasswordExpires { at: later(60) }],
    };
    Occasion::Login { began, session: Some(session), attempt: None }
}

pub(super) async fn admitted(store: &dyn Store, admit: Box<Admit>) -> Account {
    match store.admit(admit).await.expect("the store answers") {
        Admitted::Yes(admission) => admission.account,
        other => panic!("not admitted: {other:?}"),
    }
}

pub(super) async fn attempts(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let ask = |id| store.reserve_attempt(reserve(id, NOW));
    let answers = join_all((0..20).map(ask)).await;
    let yes = answers.iter().filter(|answer| matches!(answer, Ok(Reserved::Yes))).count();
    let wait = answers.iter().filter(|answer| matches!(answer, Ok(Reserved::UnderWay))).count();
    let failed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!((yes, wait), (3, 17), "twenty at once get no more than the limit, the others wait");

    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("the store answers")).collect();
    let granted: Vec<_> = (0..20).filter(|id| answers[*id as usize] == Reserved::Yes).collect();
    let settled = |id, settlement| store.settle_attempt(settle(id, settlement, NOW));
    settled(granted[0], Settlement::Back).await.expect("the store answers");
    assert_eq!(ask(20).await.expect("the store answers"), Reserved::Yes, "what was given back is free again");
    for id in [granted[1], granted[2], 20] {
        settled(id, Settlement::Wrong).await.expect("the store answers");
    }
    let blocked = Reserved::Blocked { until: later(60) };
    assert_eq!(
        ask(21).await.expect("the store answers"),
        blocked,
        "wrong ones block until the window has passed"
    );
    let query = LimitQuery { limit: Limit { key: key(), most: 3 }, window: WINDOW, at: later(59) };
    let until = store.blocked_until(query.clone()).await.expect("the store answers");
    assert_eq!(until, Some(later(60)));
    let until = store.blocked_until(LimitQuery { at: later(60), ..query }).await.expect("the store answers");
    assert_eq!(until, None, "and not longer");

    let store = open().await;
    for id in 0..3 {
        store.reserve_attempt(reserve(id, NOW)).await.expect("the store answers");
    }
    let answer = store.reserve_attempt(reserve(3, later(30))).await.expect("the store answers");
    assert_eq!(answer, blocked, "attempts that nobody settles count as wrong, from when they were made");
}

pub(super) async fn people(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let at_once = join_all((0..8).map(|_| store.admit(login("a", "alice", Occasion::LookUp)))).await;
    let created = |answer: &Result<Admitted, _>| match answer {
        Ok(Admitted::Yes(admission)) => admission.created,
        other => panic!("not admitted: {other:?}"),
    };
    assert_eq!(at_once.iter().filter(|answer| created(answer)).count(), 1, "one person is one account");

    let stranger = store.admit(login("b", "alice", with_session(b"b"))).await.expect("the store answers");
    assert_eq!(stranger, Admitted::Taken, "a name belongs to one id");
    let found = store.session(Digest::of(b"b")).await.expect("the store answers");
    assert_eq!(found, None, "and who is refused gets no session");
    let unknown = Admit { create: false, ..*login("c", "carol", Occasion::LookUp) };
    let unknown = store.admit(Box::new(unknown)).await.expect("the store answers");
    assert_eq!(unknown, Admitted::Unknown);

    let renamed = admitted(&*store, login("a", "alicia", Occasion::LookUp)).await;
    let found = store.account(Find::LocalName("alicia".to_owned())).await.expect("the store answers");
    assert_eq!(found, Some(renamed.clone()), "who is renamed in the directory stays the same account");
    let gone = store.account(Find::LocalName("alice".to_owned())).await.expect("the store answers");
    assert_eq!(gone, None);
    assert_eq!(
        (renamed.generation, renamed.generation_at),
        (1, Some(NOW)),
        "what was signed by name is void"
    );

    let set = SetDisabled { user: renamed.id, disabled: true, at: NOW, audit: event("disabled") };
    assert!(store.set_disabled(set).await.expect("the store answers"));
    for entering in [with_session(b"a"), Occasion::External] {
        let answer = store.admit(login("a", "alicia", entering)).await.expect("the store answers");
        assert_eq!(answer, Admitted::Disabled, "who is disabled here does not enter");
    }
    let answer = store.admit(login("a", "alicia", Occasion::LookUp)).await.expect("the store answers");
    assert!(
        matches!(answer, Admitted::Yes(admission) if matches!(*admission, Admission { created: false, .. })),
        "but is refreshed by a look-up"
    );
}

pub(super) async fn logins_under_way(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let alice = admitted(&*store, login("a", "alice", with_session(b"first"))).await;
    let revoke =
        Revoke { user: alice.id, keep: None, personal_tokens: false, at: later(10), audit: event("revoked") };
    assert!(store.revoke(revoke).await.expect("the store answers"));
    let entering = async |began, at| {
        let admit = Admit { at, ..*login("a", "alice", begun(began, b"second")) };
        store.admit(Box::new(admit)).await.expect("the store answers")
    };
    for began in [later(9), later(10)] {
        assert_eq!(
            entering(began, later(11)).await,
            Admitted::Overtaken,
            "what it proved may be out of date"
        );
    }
    let found = store.session(Digest::of(b"second")).await.expect("the store answers");
    assert_eq!(found, None, "and nothing is written");
    let refreshed = Admit { at: later(11), ..*login("a", "alice", Occasion::LookUp) };
    admitted(&*store, Box::new(refreshed)).await;
    let set_back = entering(later(7), later(8)).await;
    assert!(matches!(set_back, Admitted::Yes(_)), "a clock that was set back shuts nobody out");
}

pub(super) async fn retirement(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let old = admitted(&*store, login("a", "alice", with_session(b"old"))).await;
    admitted(&*store, login("b", "bob", Occasion::LookUp)).await;
    issue(&*store, &old, b"token").await;
    let retire = Retire {
        user: old.id,
        directory: "main".to_owned(),
        external_id: "a".to_owned(),
        mark: "#retired-1".to_owned(),
        audit: event("retired"),
    };
    let newcomer = |retire| Admit { retire: Some(retire), ..*login("c", "alice", with_session(b"new")) };
    let answer = |admit| store.admit(Box::new(admit));
    for other in [
        Retire { external_id: "b".to_owned(), ..retire.clone() },
        Retire { directory: "partner".to_owned(), ..retire.clone() },
        Retire { user: UserId::from_random([9; 16]), ..retire.clone() },
    ] {
        let refused = answer(newcomer(other)).await.expect("the store answers");
        assert_eq!(refused, Admitted::Taken, "only who was asked about gives up the name");
    }
    let stranger = Admit { create: false, ..newcomer(retire.clone()) };
    let refused = answer(stranger).await.expect("the store answers");
    assert_eq!(refused, Admitted::Unknown, "nobody is retired for somebody who may not enter");
    let found = store.session(Digest::of(b"old")).await.expect("the store answers");
    assert!(found.is_some());

    let Admitted::Yes(admission) = answer(newcomer(retire.clone())).await.expect("the store answers") else {
        panic!("who is gone gives up the name")
    };
    let Admission { account: new, created, retired } = *admission;
    assert_eq!((created, retired), (true, Some(old.id)));
    assert!(new.id != old.id && new.generation_at == Some(NOW), "what was signed by the name alone is void");
    let find = |id| store.account(Find::Id(id));
    let old = find(old.id).await.expect("the store answers").expect("a retired account stays");
    assert_eq!((old.local_name.as_str(), old.username.as_str()), ("alice#retired-1", "alice#retired-1"));
    assert!(old.disabled && old.generation == 1, "it is shut out, and what was signed for it is void");
    let found = store.session(Digest::of(b"old")).await.expect("the store answers");
    assert_eq!(found, None, "its sessions are over");
    assert_eq!(
        store.personal_tokens(Some(old.id)).await.expect("the store answers"),
        [],
        "so are its tokens"
    );
    let again = answer(newcomer(retire)).await.expect("the store answers");
    assert!(
        matches!(again, Admitted::Yes(admission) if admission.retired.is_none()),
        "a login that comes second finds it done"
    );
    let another = Find::Another { directory: "main".to_owned(), than: "c".to_owned() };
    let another = store.account(another).await.expect("the store answers").expect("there is Bob");
    assert_eq!(another.local_name, "bob", "who is disabled speaks for nobody's presence");
}

pub(super) async fn relinking(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let alice = admitted(&*store, login("a", "alice", with_session(b"one"))).await;
    let bob = admitted(&*store, login("b", "bob", Occasion::LookUp)).await;
    issue(&*store, &alice, b"token").await;
    let relink = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        store.relink(Relink { user: alice.id, from, to, at: NOW, audit: event("relinked") })
    };
    let taken = relink("a", "b").await.expect("the store answers");
    assert_eq!(taken, Relinked::Taken(Box::new(bob.clone())), "one key is one person's");
    assert_eq!(relink("z", "c").await.expect("the store answers"), Relinked::Unknown, "from what it is");
    assert_eq!(relink("a", "c").await.expect("the store answers"), Relinked::Yes);
    let found = store.session(Digest::of(b"one")).await.expect("the store answers");
    assert_eq!(found, None, "an account in other hands has no sessions");
    assert_eq!(store.personal_tokens(Some(alice.id)).await.expect("the store answers"), [], "and no tokens");
    let again = admitted(&*store, login("c", "alice", Occasion::LookUp)).await;
    assert_eq!((again.id, again.generation), (alice.id, 1), "and is the same account");

    let remove = || store.remove(Remove { user: bob.id, at: NOW, audit: event("removed") });
    assert!(remove().await.expect("the store answers"));
    assert!(!remove().await.expect("the store answers"), "what is gone is gone");
    assert_eq!(store.account(Find::Id(bob.id)).await.expect("the store answers"), None);
}

async fn issue(store: &dyn Store, account: &Account, secret: &[u8]) {
    let token = PersonalToken {
        digest: Digest::of(secret),
        id: "t".to_owned(),
        user: account.id,
        name: None,
        created: NOW,
        expires: None,
        last_used: None,
    };
    let issue = IssuePersonal { token, generation: account.generation, audit: event("issued") };
    assert!(store.issue_personal(issue).await.expect("the store answers"));
}

pub(super) async fn sessions(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    store.reserve_attempt(reserve(1, NOW)).await.expect("the store answers");
    let mut admit = login("a", "alice", with_session(b"one"));
    if let Occasion::Login { attempt, .. } = &mut admit.occasion {
        *attempt = Some(AttemptId(1));
    }
    let alice = admitted(&*store, admit).await;
    let (session, account) = store
        .session(Digest::of(b"one"))
        .await
        .expect("the store answers")
        .expect("a login starts a session");
    assert_eq!((session.user, session.created, account), (alice.id, NOW, alice.clone()));
    let free = join_all((2..5).map(|id| store.reserve_attempt(reserve(id, NOW)))).await;
    assert!(free.iter().all(|answer| matches!(answer, Ok(Reserved::Yes))), "a login gives its attempt back");

    let touch = |at| store.touch_session(Touch { digest: Digest::of(b"one"), at });
    assert!(touch(later(60)).await.expect("the store answers"));
    assert!(touch(later(10)).await.expect("the store answers"));
    let (session, _) =
        store.session(Digest::of(b"one")).await.expect("the store answers").expect("the session is there");
    assert_eq!(session.last_seen, later(60), "a use that is told late does not turn time back");

    admitted(&*store, login("a", "alice", with_session(b"two"))).await;
    let bob = admitted(&*store, login("b", "bob", with_session(b"bob"))).await;
    let handle = session.handle.clone();
    let end = |user| EndSessions::Handle { user: Some(user), handle: handle.clone(), audit: event("ended") };
    assert_eq!(store.end_sessions(end(bob.id)).await.expect("the store answers"), 0, "one's own only");
    assert_eq!(store.end_sessions(end(alice.id)).await.expect("the store answers"), 1);

    let keep = Some(Digest::of(b"bob"));
    let revoke = Revoke { user: bob.id, keep, personal_tokens: false, at: NOW, audit: event("revoked") };
    assert!(store.revoke(revoke).await.expect("the store answers"));
    let (_, bob) = store
        .session(Digest::of(b"bob"))
        .await
        .expect("the store answers")
        .expect("the session to keep is kept");
    assert_eq!(bob.generation, 1, "what was signed before is void");
    let sweep = Sweep {
        at: later(3600),
        idle_before: NOW,
        attempts_before: NOW,
        keys_before: NOW.before(Duration::from_secs(3600)),
        audit_before: NOW,
        changes_before: NOW,
    };
    assert_eq!(store.sweep(sweep).await.expect("the store answers"), 2, "what has run out is swept");
}

pub(super) async fn tokens_and_secrets(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let alice = admitted(&*store, login("a", "alice", Occasion::LookUp)).await;
    let token = PersonalToken {
        digest: Digest::of(b"token"),
        id: "t1".to_owned(),
        user: alice.id,
        name: Some("laptop".to_owned()),
        created: NOW,
        expires: Some(later(600)),
        last_used: None,
    };
    let issue = IssuePersonal { token: token.clone(), generation: alice.generation, audit: event("issued") };
    assert!(store.issue_personal(issue).await.expect("the store answers"));
    let stranger =
        PersonalToken { user: UserId::from_random([9; 16]), digest: Digest::of(b"x"), ..token.clone() };
    let issue = IssuePersonal { token: stranger, generation: 0, audit: event("issued") };
    assert!(!store.issue_personal(issue).await.expect("the store answers"), "nobody's token is not kept");

    let usage = |at| UsePersonal { digest: Digest::of(b"token"), at };
    for (at, noted) in [(later(1), later(1)), (later(30), later(1)), (later(61), later(61))] {
        let used = store.use_personal(usage(at)).await.expect("the store answers");
        let (used, account) = used.expect("the token is good");
        assert_eq!((used.last_used, account.id), (Some(noted), alice.id), "its use is noted once a minute");
    }
    let late = store.use_personal(usage(later(600))).await.expect("the store answers");
    assert_eq!(late, None, "a token that has run out is none");

    let secret = |byte| store.secret("key".to_owned(), SecretBytes::new(vec![byte; 32]));
    let at_once = join_all((1..9).map(secret)).await;
    let first = secret(9).await.expect("the store answers");
    for answer in at_once {
        let answer = answer.expect("the store answers");
        assert_eq!(answer.expose(), first.expose(), "all get the same secret, whoever asked first");
    }
    let other = store.secret("other".to_owned(), SecretBytes::new(vec![7])).await.expect("the store answers");
    assert_eq!(other.expose(), [7]);
    store.ping().await.expect("the store answers");
}

pub(super) async fn changes(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let start = store.changes_since(None).await.expect("the store answers").number;
    let alice = admitted(&*store, login("a", "alice", with_session(b"one"))).await;
    let bob = admitted(&*store, login("b", "bob", Occasion::LookUp)).await;
    let seen = store.changes_since(Some(start)).await.expect("the store answers");
    let mut both = vec![alice.id, bob.id];
    both.sort();
    assert_eq!((seen.users, seen.lost), (both, false), "who was admitted has changed");

    let end = EndSessions::Cookie { digest: Digest::of(b"one"), audit: event("logout") };
    assert_eq!(store.end_sessions(end).await.expect("the store answers"), 1);
    let seen = store.changes_since(Some(seen.number)).await.expect("the store answers");
    assert_eq!(seen.users, [alice.id], "and so has who lost a session");

    let records = AuditQuery { username: Some("alice".to_owned()), limit: 10, ..AuditQuery::default() };
    let records = store.audit(records).await.expect("the store answers");
    let events: Vec<_> = records.iter().map(|record| record.audit.event.as_str()).collect();
    assert_eq!(events, ["login", "login", "logout"], "all of it is on record, in order");
    assert_eq!(records[2].audit.user, Some(alice.id));

    let sweep = Sweep {
        at: NOW,
        idle_before: NOW,
        attempts_before: NOW,
        keys_before: NOW.before(Duration::from_secs(3600)),
        audit_before: NOW,
        changes_before: later(1),
    };
    store.sweep(sweep).await.expect("the store answers");
    let late = store.changes_since(Some(start)).await.expect("the store answers");
    assert!(late.lost, "who asks too late is told to forget everything");
    let seen = store.changes_since(Some(seen.number)).await.expect("the store answers");
    assert!(!seen.lost && seen.users.is_empty(), "who is up to date is not");
}
