//! What was read of the store a moment ago, so that checking a session costs no query.
//!
//! An entry is used while the store was heard within [`FRESH`]: either the entry itself was read so lately, or
//! [`Accounts::follow`](crate::Accounts::follow) was told so lately of everything that changed. Where neither holds,
//! the store is asked, and where it does not answer, nobody gets through.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{Digest, StoredSession};
use crate::{Account, Time, UserId};

/// How long what was read may be used without word from the store.
const FRESH: Duration = Duration::from_secs(1);
/// So many sessions, and so many accounts, are kept; then they are read anew.
const MOST: usize = 10_000;

/// Sessions and accounts, and when the store last said what changed.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sessions: HashMap<Digest, Entry<(StoredSession, Account)>>,
    accounts: HashMap<UserId, Entry<Account>>,
    /// Of an account, the signed tokens that were taken back, sorted.
    revoked: HashMap<UserId, Entry<Arc<[String]>>>,
    heard: Option<Instant>,
    /// Counts what was forgotten: what was read before the last time may be stale and is not kept.
    forgotten: u64,
}

struct Entry<T> {
    value: T,
    read: Instant,
}

/// When a question to the store began.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    forgotten: u64,
    at: Instant,
}

impl Cache {
    pub(crate) fn session(&self, digest: Digest) -> Option<(StoredSession, Account)> {
        let kept = self.kept();
        fresh(kept.sessions.get(&digest)?, kept.heard)
    }

    pub(crate) fn account(&self, id: UserId) -> Option<Account> {
        let kept = self.kept();
        fresh(kept.accounts.get(&id)?, kept.heard)
    }

    pub(crate) fn revoked(&self, id: UserId) -> Option<Arc<[String]>> {
        let kept = self.kept();
        fresh(kept.revoked.get(&id)?, kept.heard)
    }

    /// Call before asking the store for what is to be kept.
    pub(crate) fn asking(&self) -> Asked {
        Asked { forgotten: self.kept().forgotten, at: Instant::now() }
    }

    pub(crate) fn keep_session(&self, asked: Asked, session: StoredSession, account: Account) {
        let mut kept = self.kept();
        if kept.forgotten == asked.forgotten {
            put(&mut kept.sessions, session.digest, (session, account), asked.at);
        }
    }

    pub(crate) fn keep_account(&self, asked: Asked, account: Account) {
        let mut kept = self.kept();
        if kept.forgotten == asked.forgotten {
            put(&mut kept.accounts, account.id, account, asked.at);
        }
    }

    pub(crate) fn keep_revoked(&self, asked: Asked, id: UserId, revoked: Arc<[String]>) {
        let mut kept = self.kept();
        if kept.forgotten == asked.forgotten {
            put(&mut kept.revoked, id, revoked, asked.at);
        }
    }

    /// Notes a use of a session that is kept.
    pub(crate) fn touch(&self, digest: Digest, at: Time) {
        if let Some(entry) = self.kept().sessions.get_mut(&digest) {
            let (session, _) = &mut entry.value;
            session.last_seen = session.last_seen.max(at);
        }
    }

    pub(crate) fn forget(&self, users: &[UserId]) {
        if users.is_empty() {
            return;
        }
        let mut kept = self.kept();
        kept.forgotten += 1;
        kept.sessions.retain(|_, entry| !users.contains(&entry.value.0.user));
        kept.accounts.retain(|id, _| !users.contains(id));
        kept.revoked.retain(|id, _| !users.contains(id));
    }

    pub(crate) fn forget_session(&self, digest: Digest) {
        let mut kept = self.kept();
        kept.forgotten += 1;
        kept.sessions.remove(&digest);
    }

    pub(crate) fn forget_everything(&self) {
        let mut kept = self.kept();
        kept.forgotten += 1;
        kept.sessions.clear();
        kept.accounts.clear();
        kept.revoked.clear();
    }

    /// The store said at that time, or later, what had changed, and it was forgotten.
    pub(crate) fn heard(&self, at: Instant) {
        self.kept().heard = Some(at);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh<T: Clone>(entry: &Entry<T>, heard: Option<Instant>) -> Option<T> {
    let last = heard.map_or(entry.read, |heard| heard.max(entry.read));
    (last.elapsed() < FRESH).then(|| entry.value.clone())
}

fn put<K: Eq + Hash, T>(map: &mut HashMap<K, Entry<T>>, key: K, value: T, read: Instant) {
    if map.len() >= MOST && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, Entry { value, read });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StartSession;

    fn session() -> (StoredSession, Account) {
        let account: Account = serde_json::from_value(serde_json::json!({
            "id": "00000000-0000-4000-8000-00000000000a", "directory": "main", "external_id": "e1",
            "username": "alice", "local_name": "alice", "dn": "", "attributes": {}, "fields": {}, "lists": {}, "flags": {},
            "groups": [], "local_groups": [], "permissions": [], "disabled": false, "generation": 0,
            "generation_at": null, "first_seen": 0, "last_login": null, "checked": 0,
        }))
        .unwrap();
        let start = StartSession {
            digest: Digest::of(b"id"),
            handle: "h".to_owned(),
            expires: Time::from_seconds(1000),
            remembered: false,
            address: None,
            agent: None,
            warnings: Vec::new(),
        };
        (start.begin(account.id, account.generation, Time::from_seconds(0)), account)
    }

    #[test]
    fn what_was_forgotten_is_gone() {
        let (cache, (session, account)) = (Cache::default(), session());
        let digest = session.digest;
        let keep = || {
            cache.keep_session(cache.asking(), session.clone(), account.clone());
            cache.keep_account(cache.asking(), account.clone());
            assert!(cache.session(digest).is_some() && cache.account(account.id).is_some());
        };
        keep();
        cache.forget(&[account.id]);
        assert!(cache.session(digest).is_none() && cache.account(account.id).is_none());
        keep();
        cache.forget_session(digest);
        assert!(cache.session(digest).is_none() && cache.account(account.id).is_some());
        keep();
        cache.forget_everything();
        assert!(cache.session(digest).is_none() && cache.account(account.id).is_none());
    }

    #[test]
    fn what_was_asked_for_before_a_change_is_not_kept_after_it() {
        let (cache, (session, account)) = (Cache::default(), session());
        let asked = cache.asking();
        cache.forget(&[account.id]);
        cache.keep_session(asked, session.clone(), account.clone());
        cache.keep_account(asked, account.clone());
        assert!(cache.session(session.digest).is_none() && cache.account(account.id).is_none());
    }

    #[test]
    fn what_was_read_long_ago_counts_only_while_the_store_is_heard() {
        let (cache, (session, account)) = (Cache::default(), session());
        let long_ago = Instant::now().checked_sub(FRESH).unwrap();
        let asked = Asked { at: long_ago, ..cache.asking() };
        cache.keep_session(asked, session.clone(), account);
        assert!(cache.session(session.digest).is_none());
        cache.heard(long_ago);
        assert!(cache.session(session.digest).is_none());
        cache.heard(Instant::now());
        assert!(cache.session(session.digest).is_some());
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut map = HashMap::new();
        for key in 0..=MOST {
            put(&mut map, key, (), Instant::now());
        }
        assert!(map.len() <= MOST);
    }
}
