//! The audit record, changes, and what has run out.

use std::collections::BTreeSet;

use super::State;
use crate::store::{Audit, AuditEnd, AuditQuery, AuditRecord, Changes, Sweep};

impl State {
    /// See [`Store::record`](crate::store::Store::record).
    pub fn record(&mut self, audit: Audit) {
        self.write_audit(audit);
    }

    /// See [`Store::audit`](crate::store::Store::audit).
    #[must_use]
    pub fn audit(&self, query: AuditQuery) -> Vec<AuditRecord> {
        let mut found: Vec<_> = self
            .audit
            .iter()
            .filter(|record| record.number > query.after)
            .filter(|record| query.username.is_none() || record.audit.username == query.username)
            .filter(|record| query.since.is_none_or(|since| record.audit.at >= since))
            .cloned()
            .collect();
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        match query.end {
            AuditEnd::Oldest => found.truncate(limit),
            AuditEnd::Newest => drop(found.drain(..found.len().saturating_sub(limit))),
        }
        found
    }

    /// See [`Store::changes_since`](crate::store::Store::changes_since).
    #[must_use]
    pub fn changes_since(&self, number: Option<i64>) -> Changes {
        let Some(since) = number else {
            return Changes { number: self.changed, lost: false, users: Vec::new() };
        };
        let swept = self.changes.first().map_or(self.changed, |oldest| oldest.number - 1);
        let users: BTreeSet<_> =
            self.changes.iter().filter(|change| change.number > since).map(|change| change.user).collect();
        Changes {
            number: self.changed,
            lost: since < swept || since > self.changed,
            users: users.into_iter().collect(),
        }
    }

    /// See [`Store::sweep`](crate::store::Store::sweep).
    ///
    /// Notes of changes go up to the last one that is old enough, so that what stays has no holes.
    pub fn sweep(&mut self, sweep: Sweep) -> u64 {
        let before = self.sessions.len() + self.tokens.len() + self.signed.len();
        self.sessions.retain(|_, session| {
            session.expires > sweep.at && (session.remembered || session.last_seen >= sweep.idle_before)
        });
        self.tokens.retain(|_, token| token.is_valid(sweep.at));
        self.signed.retain(|_, token| token.expires > sweep.at);
        let dropped = before - self.sessions.len() - self.tokens.len() - self.signed.len();
        self.forget_keys(|key| key.used < sweep.keys_before);

        self.counters.retain(|_, counter| counter.last >= sweep.attempts_before);
        self.reservations.retain(|_, reservation| reservation.expires >= sweep.attempts_before);
        self.audit.retain(|record| record.audit.at >= sweep.audit_before);
        let old = self.changes.iter().rposition(|change| change.at < sweep.changes_before);
        self.changes.drain(..old.map_or(0, |last| last + 1));
        dropped as u64
    }
}
