//! The meaning of every command, as a function on plain values: no lock, no clock, no failure.

mod attempt;
mod audit;
mod group;
mod person;
mod revalidation;
mod session;
mod token;

use std::collections::{BTreeMap, BTreeSet};

use self::revalidation::{Ended, Lease};
use super::{
    AttemptId, Audit, AuditRecord, Counter, CounterKey, Digest, PersonalToken, Reservation, SecretBytes,
    SignedToken, StoredSession, TokenKey,
};
use crate::{Account, Time, UserId};

/// Everything a store holds.
///
/// Each method of [`Store`](super::Store) has its counterpart here; `apply` carries out a
/// [`Command`](super::Command).
#[derive(Debug, Default)]
pub struct State {
    accounts: BTreeMap<UserId, Account>,
    /// What each local group's members may do.
    groups: BTreeMap<group::Key, BTreeSet<String>>,
    sessions: BTreeMap<Digest, StoredSession>,
    counters: BTreeMap<CounterKey, Counter>,
    reservations: BTreeMap<(CounterKey, AttemptId), Reservation>,
    tokens: BTreeMap<Digest, PersonalToken>,
    signed: BTreeMap<String, SignedToken>,
    keys: BTreeMap<String, TokenKey>,
    secrets: BTreeMap<String, SecretBytes>,
    audit: Vec<AuditRecord>,
    audits: i64,
    /// Up to which record [`State::take_written`] has answered.
    told: i64,
    changes: Vec<Change>,
    changed: i64,
    claimed: BTreeMap<UserId, Time>,
    ended: Vec<Ended>,
    leases: BTreeMap<String, Lease>,
    marks: BTreeMap<String, Vec<u8>>,
}

/// A note that an account changed.
#[derive(Clone, Copy, Debug)]
struct Change {
    number: i64,
    user: UserId,
    at: Time,
}

impl State {
    /// The number of the last note of a change.
    pub(super) fn changed(&self) -> i64 {
        self.changed
    }

    fn note_change(&mut self, user: UserId, at: Time) {
        self.changed += 1;
        self.changes.push(Change { number: self.changed, user, at });
    }

    /// What was put on record since the last call.
    pub(super) fn take_written(&mut self) -> Vec<Audit> {
        let old = self.audit.partition_point(|record| record.number <= self.told);
        let new = self.audit[old..].iter().map(|record| record.audit.clone()).collect();
        self.told = self.audits;
        new
    }

    fn write_audit(&mut self, mut audit: Audit) {
        if let Some(account) = audit.user.and_then(|user| self.accounts.get(&user)) {
            audit = audit.about(account);
        }
        self.audits += 1;
        self.audit.push(AuditRecord { number: self.audits, audit });
    }

    fn write_audit_of(&mut self, user: UserId, audit: Audit) {
        self.write_audit(Audit { user: Some(user), ..audit });
    }
}
