//! Sessions: read, list, touch, end.

use std::collections::BTreeSet;

use super::State;
use crate::store::{Digest, EndSessions, SessionQuery, Sessions, StoredSession, Touch};
use crate::{Account, UserId};

impl State {
    /// See [`Store::session`](crate::store::Store::session).
    #[must_use]
    pub fn session(&self, digest: Digest) -> Option<(StoredSession, Account)> {
        let session = self.sessions.get(&digest)?;
        let account = self.whose(session)?;
        Some((session.clone(), account.clone()))
    }

    /// See [`Store::sessions`](crate::store::Store::sessions).
    #[must_use]
    pub fn sessions(&self, query: SessionQuery) -> Vec<Sessions> {
        let mut found: Vec<_> = self
            .sessions
            .values()
            .filter(|session| match query {
                SessionQuery::All => true,
                SessionQuery::Of(user) => session.user == user,
            })
            .filter_map(|session| {
                let local_name = self.whose(session)?.local_name.clone();
                Some(Sessions { session: session.clone(), local_name })
            })
            .collect();
        found.sort_by(|one, other| {
            let key = |line: &Sessions| (line.session.created, line.session.handle.clone());
            key(one).cmp(&key(other))
        });
        found
    }

    /// See [`Store::touch_session`](crate::store::Store::touch_session).
    pub fn touch_session(&mut self, touch: Touch) -> bool {
        let Some(session) = self.sessions.get_mut(&touch.digest) else { return false };
        session.last_seen = session.last_seen.max(touch.at);
        true
    }

    /// See [`Store::end_sessions`](crate::store::Store::end_sessions).
    pub fn end_sessions(&mut self, end: EndSessions) -> u64 {
        let (doomed, audit) = match end {
            EndSessions::Cookie { digest, audit } => (self.doomed(|session| session.digest == digest), audit),
            EndSessions::Handle { user, handle, audit } => (
                self.doomed(|session| session.handle == handle && user.is_none_or(|u| u == session.user)),
                audit,
            ),
            EndSessions::Of { user, keep, audit } => {
                (self.doomed(|session| session.user == user && Some(session.digest) != keep), audit)
            }
        };
        let users: BTreeSet<UserId> = doomed.iter().map(|(_, user)| *user).collect();
        for (digest, _) in &doomed {
            self.sessions.remove(digest);
        }
        for user in users {
            self.note_change(user, audit.at);
            self.write_audit_of(user, audit.clone());
        }
        doomed.len() as u64
    }

    /// The account of a session, unless its generation has moved on.
    fn whose(&self, session: &StoredSession) -> Option<&Account> {
        self.accounts.get(&session.user).filter(|account| account.generation == session.generation)
    }

    fn doomed(&self, falls: impl Fn(&StoredSession) -> bool) -> Vec<(Digest, UserId)> {
        self.sessions
            .values()
            .filter(|session| falls(session))
            .map(|session| (session.digest, session.user))
            .collect()
    }
}
