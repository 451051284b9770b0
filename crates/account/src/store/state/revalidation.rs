//! Looking at people again: whose turn it is, what came of it, leases and marks.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::State;
use crate::store::{
    Admit, Admitted, Census, CensusQuery, ClaimDue, ENDED_KEPT, EndAccess, Ending, Enrolled, Leased, Loss,
    Mark, NoteChecked, PeopleQuery, ReleaseLeases, RollQuery, SetMark, SignedInPerson, SignedInQuery,
    TakeLease,
};
use crate::{Account, Time, UserId};

/// Who does something, and until when.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    holder: String,
    until: Time,
}

/// Somebody's access was ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    directory: String,
    at: Time,
}

impl State {
    /// See [`Store::claim_due`](crate::store::Store::claim_due).
    pub fn claim_due(&mut self, claim: ClaimDue) -> Vec<Account> {
        let used = |account: &Account| {
            self.has_session(account.id, claim.at, claim.idle_before)
                || self.used_token(account.id, claim.at, account.checked)
        };
        let free = |user: UserId| self.claimed.get(&user).is_none_or(|until| *until <= claim.at);
        let mut due: Vec<_> = self
            .accounts
            .values()
            .filter(|account| account.directory == claim.directory && !account.disabled)
            .filter(|account| claim.is_due(account.id, account.checked) && free(account.id) && used(account))
            .cloned()
            .collect();
        due.sort_by_key(|account| (account.checked, account.id));
        due.truncate(most(claim.limit));
        self.claimed.extend(due.iter().map(|account| (account.id, claim.until)));
        due
    }

    /// See [`Store::people`](crate::store::Store::people).
    #[must_use]
    pub fn people(&self, query: PeopleQuery) -> Vec<Account> {
        let all = || self.accounts.values();
        let mut found: Vec<&Account> = match query {
            PeopleQuery::Keys { directory, external_ids } => {
                let wanted: BTreeSet<_> = external_ids.into_iter().collect();
                let of = |account: &&Account| account.directory == directory;
                let mut found: Vec<_> =
                    all().filter(of).filter(|account| wanted.contains(&account.external_id)).collect();
                found.sort_by(|one, other| one.external_id.cmp(&other.external_id));
                found
            }
            PeopleQuery::Names { local_names } => {
                let wanted: BTreeSet<_> = local_names.into_iter().collect();
                let mut found: Vec<_> =
                    all().filter(|account| wanted.contains(&account.local_name)).collect();
                found.sort_by(|one, other| one.local_name.cmp(&other.local_name));
                found
            }
            PeopleQuery::LookedAtLast { directory, limit } => {
                let mut found: Vec<_> =
                    all().filter(|account| account.directory == directory && account.may_act()).collect();
                found.sort_by_key(|account| Reverse((account.checked, account.id)));
                found.truncate(most(limit));
                found
            }
        };
        found.drain(..).cloned().collect()
    }

    /// See [`Store::roll`](crate::store::Store::roll).
    #[must_use]
    pub fn roll(&self, query: RollQuery) -> Vec<Enrolled> {
        let RollQuery { directory, after, limit } = query;
        let mut found: Vec<_> = self
            .accounts
            .values()
            .filter(|account| account.directory == directory)
            .filter(|account| after.as_ref().is_none_or(|after| account.external_id > *after))
            .map(|account| Enrolled {
                user: account.id,
                external_id: account.external_id.clone(),
                username: account.username.clone(),
                may_act: account.may_act(),
            })
            .collect();
        found.sort_by(|one, other| one.external_id.cmp(&other.external_id));
        found.truncate(most(limit));
        found
    }

    /// See [`Store::signed_in`](crate::store::Store::signed_in).
    #[must_use]
    pub fn signed_in(&self, query: SignedInQuery) -> Vec<SignedInPerson> {
        let SignedInQuery { directory, at, idle_before, token_used_after, after, limit } = query;
        let found = self
            .accounts
            .values()
            .filter(|account| account.directory == directory && !account.disabled)
            .filter(|account| after.is_none_or(|after| account.id > after))
            .filter(|account| {
                self.has_session(account.id, at, idle_before)
                    || self.used_token(account.id, at, token_used_after)
            })
            .map(|account| SignedInPerson {
                user: account.id,
                external_id: account.external_id.clone(),
                dn: account.dn.clone(),
            });
        found.take(most(limit)).collect()
    }

    /// See [`Store::note_checked`](crate::store::Store::note_checked).
    pub fn note_checked(&mut self, note: NoteChecked) {
        for user in note.users {
            self.claimed.remove(&user);
            if let Some(account) = self.accounts.get_mut(&user) {
                account.checked = account.checked.max(note.at);
            }
        }
    }

    /// See [`Store::admit_all`](crate::store::Store::admit_all).
    pub fn admit_all(&mut self, admits: Vec<Admit>) -> Vec<Admitted> {
        admits.into_iter().map(|admit| self.admit(Box::new(admit))).collect()
    }

    /// See [`Store::census`](crate::store::Store::census).
    #[must_use]
    pub fn census(&self, query: CensusQuery) -> Census {
        let of = |account: &&Account| account.directory == query.directory && account.may_act();
        let lately = |ended: &&Ended| ended.directory == query.directory && ended.at >= query.ended_since;
        Census {
            with_access: self.accounts.values().filter(of).count() as u64,
            ended: self.ended.iter().filter(lately).count() as u64,
        }
    }

    /// See [`Store::end_access`](crate::store::Store::end_access).
    pub fn end_access(&mut self, end: EndAccess) -> Vec<UserId> {
        let EndAccess { directory, looked, at, losses, ending, counted } = end;
        let mut ended = Vec::new();
        for Loss { user, external_id, reason, audit } in losses {
            let means = |account: &&mut Account| {
                account.directory == directory
                    && account.external_id == external_id
                    && account.checked <= looked
                    && (ending == Ending::Remove || account.may_act())
            };
            let Some(account) = self.accounts.get_mut(&user).filter(means) else { continue };
            let had_access = account.may_act();
            account.out = Some(reason);
            account.checked = looked;
            self.claimed.remove(&user);
            self.cut_off(user, None, at);
            if counted && had_access {
                self.ended.push(Ended { directory: directory.clone(), at });
            }
            self.note_change(user, at);
            self.write_audit_of(user, audit);
            if ending == Ending::Remove {
                self.erase(user);
            }
            ended.push(user);
        }
        self.ended.retain(|ended| ended.at >= at.before(ENDED_KEPT));
        ended
    }

    /// See [`Store::take_lease`](crate::store::Store::take_lease).
    pub fn take_lease(&mut self, take: TakeLease) -> Leased {
        let TakeLease { name, holder, at, until } = take;
        let other = |lease: &&Lease| lease.holder != holder && lease.until > at;
        match self.leases.get(&name).filter(other) {
            Some(lease) => Leased::Held { by: lease.holder.clone(), until: lease.until },
            None => {
                self.leases.insert(name, Lease { holder, until });
                Leased::Yes
            }
        }
    }

    /// See [`Store::release_leases`](crate::store::Store::release_leases).
    pub fn release_leases(&mut self, release: ReleaseLeases) -> u64 {
        let before = self.leases.len();
        let ReleaseLeases { holder, name } = release;
        self.leases
            .retain(|known, lease| lease.holder != holder || name.as_ref().is_some_and(|name| name != known));
        (before - self.leases.len()) as u64
    }

    /// See [`Store::marks`](crate::store::Store::marks).
    #[must_use]
    pub fn marks(&self, start: String) -> Vec<Mark> {
        let marks = self.marks.range(start.clone()..).take_while(|(name, _)| name.starts_with(&start));
        marks.map(|(name, value)| Mark { name: name.clone(), value: value.clone() }).collect()
    }

    /// See [`Store::set_mark`](crate::store::Store::set_mark).
    pub fn set_mark(&mut self, set: SetMark) {
        match set.value {
            Some(value) => self.marks.insert(set.name, value),
            None => self.marks.remove(&set.name),
        };
    }

    fn has_session(&self, user: UserId, at: Time, idle_before: Time) -> bool {
        self.sessions.values().any(|session| {
            session.user == user
                && session.expires > at
                && (session.remembered || session.last_seen > idle_before)
        })
    }

    fn used_token(&self, user: UserId, at: Time, after: Time) -> bool {
        self.tokens.values().any(|token| {
            token.user == user && token.is_valid(at) && token.last_used.is_some_and(|used| used > after)
        })
    }
}

fn most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
