//! What was read of the store a moment ago, so that checking a session costs no query.
//!
//! An entry is used while the store was heard within [`FRESH`]: either the entry itself was read so lately, or
//! [`Accounts::follow`](crate::Accounts::follow) was told so lately of everything that changed. Where neither holds,
//! the store is asked, and where it does not answer, nobody gets through.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
