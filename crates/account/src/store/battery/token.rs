//! Signed tokens, the keys that sign them, and what the record says of them.

use std::sync::Arc;
use std::time::Duration;

use super::sentences::{NOW, admitted, event, later, login, with_session};
use crate::Time;
use crate::store::{
    Audit, AuditEnd, AuditQuery, Digest, DropTokenKeys, IssueSigned, KeepTokenKey, Remove, Revoke,
    RevokeSigned, SecretBytes, SessionQuery, SignedToken, Store, Sweep, TokenKey,
};

fn key(id: &str, created: Time) -> KeepTokenKey {
    let Digest(public) = Digest::of(id.as_bytes());
    let key = TokenKey { id: id.to_owned(), public, held: true, created, used: created };
    KeepTokenKey { key, first: false, audit: Some(event("token_key_added")) }
}

fn nothing_has_run_out(at: Time) -> Sweep {
    let long_ago = NOW.before(Duration::from_secs(3600));
    Sweep {
        at,
        idle_before: long_ago,
        attempts_before: long_ago,
        keys_before: long_ago,
        audit_before: long_ago,
        changes_before: long_ago,
    }
}

pub(super) async fn signed_tokens(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let user = admitted(&*store, login("t1", "alice", with_session(b"one"))).await.id;
    let other = admitted(&*store, login("t2", "bob", with_session(b"two"))).await.id;
    let issue = |id: &str, user, seconds| {
        let (id, expires) = (id.to_owned(), later(seconds));
        let token = SignedToken { id, user, created: NOW, expires, revoked: None };
        store.issue_signed(IssueSigned { token, audit: event("token_issued") })
    };
    assert!(issue("0.a", user, 60).await.expect("the store answers"));
    assert!(issue("0.b", user, 600).await.expect("the store answers"));
    let revoke = |id: &str, user, at| {
        store.revoke_signed(RevokeSigned { user, id: id.to_owned(), at, audit: event("token_revoked") })
    };
    let number = store.changes_since(None).await.expect("the store answers").number;
    assert!(!revoke("0.b", Some(other), NOW).await.expect("the store answers"), "only one's own");
    assert!(!revoke("0.a", None, later(60)).await.expect("the store answers"), "it has run out");
    assert!(!revoke("0.c", None, NOW).await.expect("the store answers"));
    assert!(revoke("0.b", Some(user), NOW).await.expect("the store answers"));
    assert!(!revoke("0.b", None, NOW).await.expect("the store answers"), "once is enough");
    let changes = store.changes_since(Some(number)).await.expect("the store answers");
    assert_eq!(changes.users, [user], "every process hears of it");
    assert_eq!(store.revoked_tokens(user).await.expect("the store answers"), ["0.b"]);
    assert_eq!(store.revoked_tokens(other).await.expect("the store answers"), <[String; 0]>::default());

    let swept = store.sweep(nothing_has_run_out(later(60))).await.expect("the store answers");
    assert_eq!(swept, 1, "what has run out needs no note");
    let left = store.signed_tokens(None).await.expect("the store answers");
    assert_eq!(left.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["0.b"]);
    let remove = Remove { user, at: NOW, audit: event("removed") };
    assert!(store.remove(remove).await.expect("the store answers"));
    assert_eq!(store.signed_tokens(None).await.expect("the store answers"), [], "they go with the account");
    assert!(!issue("0.d", user, 60).await.expect("the store answers"), "there is no account");
}

pub(super) async fn keys(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let first = |id| KeepTokenKey { first: true, ..key(id, NOW) };
    assert!(store.keep_token_key(first("old")).await.expect("the store answers"));
    assert!(!store.keep_token_key(first("other")).await.expect("the store answers"), "another was first");
    assert!(store.keep_token_key(key("new", later(10))).await.expect("the store answers"));
    assert!(!store.keep_token_key(key("old", later(20))).await.expect("the store answers"), "it is known");
    assert!(!store.keep_token_key(key("old", NOW)).await.expect("the store answers"));
    let ids = async |since| {
        let keys = store.token_keys(since).await.expect("the store answers");
        keys.into_iter().map(|key| (key.id, key.created, key.used)).collect::<Vec<_>>()
    };
    let (old, new) = (("old".to_owned(), NOW, later(20)), ("new".to_owned(), later(10), later(10)));
    assert_eq!(ids(later(10)).await, [old.clone(), new], "a use is never moved back");
    assert_eq!(ids(later(11)).await, [old]);

    let secret = async |id: &str, byte: u8| {
        let candidate = SecretBytes::new(vec![byte; 32]);
        let kept = store.secret(TokenKey::secret_name(id), candidate).await.expect("the store answers");
        kept.expose()[0]
    };
    assert_eq!((secret("old", 1).await, secret("new", 2).await), (1, 2));
    store
        .sweep(Sweep { keys_before: later(15), ..nothing_has_run_out(NOW) })
        .await
        .expect("the store answers");
    assert_eq!((secret("old", 3).await, secret("new", 3).await), (1, 3), "its private half went with it");
    store.keep_token_key(key("newer", later(30))).await.expect("the store answers");
    let drop = DropTokenKeys { keep: "newer".to_owned(), audit: event("token_keys_dropped") };
    assert_eq!(store.drop_token_keys(drop.clone()).await.expect("the store answers"), 1);
    assert_eq!(store.drop_token_keys(drop).await.expect("the store answers"), 0);
    assert_eq!(secret("old", 4).await, 4);
    assert_eq!(ids(NOW).await.len(), 1);
}

pub(super) async fn records(open: &impl AsyncFn() -> Arc<dyn Store>) {
    let store = open().await;
    let user = admitted(&*store, login("r1", "alice", with_session(b"one"))).await.id;
    let keep = Some(Digest::of(b"one"));
    let nameless = Audit { username: None, ..event("revoked") };
    let revoke = Revoke { user, keep, personal_tokens: false, at: NOW, audit: nameless };
    assert!(store.revoke(revoke).await.expect("the store answers"));
    let (session, account) =
        store.session(Digest::of(b"one")).await.expect("the store answers").expect("a session");
    assert_eq!((session.generation, account.generation), (1, 1), "who is kept moves on with the account");
    assert_eq!(store.sessions(SessionQuery::All).await.expect("the store answers").len(), 1);
    let late = Audit { at: later(9), ..event("noted") };
    store.record(late).await.expect("the store answers");
    let events = async |since, limit, end| {
        let query = AuditQuery { after: 0, username: Some("alice".to_owned()), since, limit, end };
        let records = store.audit(query).await.expect("the store answers");
        records.into_iter().map(|record| record.audit.event).collect::<Vec<_>>()
    };
    let all = ["login", "revoked", "noted"];
    assert_eq!(events(None, 9, AuditEnd::Oldest).await, all, "a record of an account bears its name");
    assert_eq!(events(None, 2, AuditEnd::Oldest).await, all[..2]);
    assert_eq!(events(None, 2, AuditEnd::Newest).await, all[1..], "the last ones, the oldest of them first");
    assert_eq!(events(Some(later(9)), 9, AuditEnd::Newest).await, all[2..]);
}
