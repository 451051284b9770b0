//! People: link, admit, list, disable, revoke.

use super::State;
use crate::store::{
    AccountQuery, Admission, Admit, Admitted, Digest, Find, Link, Linked, Occasion, Revoke, SetDisabled,
    Settlement,
};
use crate::{Account, Time, UserId};

impl State {
    /// See [`Store::link`](crate::store::Store::link).
    #[must_use]
    pub fn link(&self, link: Link) -> Linked {
        let known = self.external(&link.directory, &link.external_id);
        let named = self.named(&link.local_name);
        match (known, named) {
            (Some(known), Some(named)) if known.id != named.id => Linked::Taken(Box::new(named.clone())),
            (Some(known), _) => Linked::Known(Box::new(known.clone())),
            (None, Some(named)) => Linked::Taken(Box::new(named.clone())),
            (None, None) => Linked::New,
        }
    }

    /// See [`Store::admit`](crate::store::Store::admit).
    pub fn admit(&mut self, admit: Box<Admit>) -> Admitted {
        let known = self.external(&admit.facts.directory, &admit.facts.external_id).cloned();
        let named = self.named(&admit.facts.local_name).map(|named| named.id);
        let Admission { account, created } = match admit.decide(known, named) {
            Ok(admission) => admission,
            Err(refused) => return refused,
        };
        let Admit { at, occasion, audit, .. } = *admit;
        if let Occasion::Login { session, attempt } = occasion {
            if let Some(session) = session {
                self.sessions.insert(session.digest, session.begin(account.id, at));
            }
            if let Some(attempt) = attempt {
                self.settle(attempt, Settlement::Back, std::time::Duration::ZERO, at);
            }
        }
        self.accounts.insert(account.id, account.clone());
        self.note_change(account.id, at);
        self.write_audit_of(account.id, audit);
        Admitted::Yes(Box::new(Admission { account, created }))
    }

    /// See [`Store::account`](crate::store::Store::account).
    #[must_use]
    pub fn account(&self, find: Find) -> Option<Account> {
        match find {
            Find::Id(id) => self.accounts.get(&id),
            Find::LocalName(name) => self.named(&name),
            Find::External { directory, external_id } => self.external(&directory, &external_id),
            Find::Username { directory, username } => self
                .accounts
                .values()
                .filter(|account| account.directory == directory && account.username == username)
                .max_by_key(|account| (account.checked, account.id)),
        }
        .cloned()
    }

    /// See [`Store::accounts`](crate::store::Store::accounts).
    #[must_use]
    pub fn accounts(&self, query: AccountQuery) -> Vec<Account> {
        let mut found: Vec<_> = self
            .accounts
            .values()
            .filter(|account| query.after.as_ref().is_none_or(|after| account.local_name > *after))
            .cloned()
            .collect();
        found.sort_by(|one, other| one.local_name.cmp(&other.local_name));
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        found
    }

    /// See [`Store::set_disabled`](crate::store::Store::set_disabled).
    pub fn set_disabled(&mut self, set: SetDisabled) -> bool {
        let Some(account) = self.accounts.get_mut(&set.user) else { return false };
        account.disabled = set.disabled;
        if set.disabled {
            self.cut_off(set.user, None, set.at);
        }
        self.note_change(set.user, set.at);
        self.write_audit_of(set.user, set.audit);
        true
    }

    /// See [`Store::revoke`](crate::store::Store::revoke).
    pub fn revoke(&mut self, revoke: Revoke) -> bool {
        if !self.accounts.contains_key(&revoke.user) {
            return false;
        }
        self.cut_off(revoke.user, revoke.keep, revoke.at);
        if revoke.personal_tokens {
            self.tokens.retain(|_, token| token.user != revoke.user);
        }
        self.note_change(revoke.user, revoke.at);
        self.write_audit_of(revoke.user, revoke.audit);
        true
    }

    /// Moves the generation on and ends every session but one.
    fn cut_off(&mut self, user: UserId, keep: Option<Digest>, at: Time) {
        if let Some(account) = self.accounts.get_mut(&user) {
            account.generation += 1;
            account.generation_at = Some(at);
        }
        self.sessions.retain(|digest, session| session.user != user || Some(*digest) == keep);
    }

    fn external(&self, directory: &str, external_id: &str) -> Option<&Account> {
        self.accounts
            .values()
            .find(|account| account.directory == directory && account.external_id == external_id)
    }

    fn named(&self, local_name: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.local_name == local_name)
    }
}
