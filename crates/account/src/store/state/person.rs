//! People: link, admit, list, disable, revoke, relink, remove.

use super::State;
use crate::store::{
    AccountQuery, Admit, Admitted, Digest, Find, Link, Linked, Occasion, Relink, Relinked, Remove, Retire,
    Revoke, SetDisabled, Settlement,
};
use crate::{Account, Time, UserId};

impl State {
    /// See [`Store::link`](crate::store::Store::link).
    #[must_use]
    pub fn link(&self, link: Link) -> Linked {
        let known = self.external(&link.directory, &link.external_id);
        let named = self.named(&link.local_name);
        match (known, named) {
            (known, Some(by)) if known.map(|known| known.id) != Some(by.id) => {
                Linked::Taken { by: Box::new(by.clone()), known: known.cloned().map(Box::new) }
            }
            (Some(known), _) => Linked::Known(Box::new(known.clone())),
            (None, _) => Linked::New,
        }
    }

    /// See [`Store::admit`](crate::store::Store::admit).
    pub fn admit(&mut self, admit: Box<Admit>) -> Admitted {
        let known = self.external(&admit.facts.directory, &admit.facts.external_id).cloned();
        let named = self.named(&admit.facts.local_name).cloned();
        let mut admission = match admit.decide(known, named) {
            Ok(admission) => admission,
            Err(refused) => return refused,
        };
        let Admit { at, occasion, retire, audit, .. } = *admit;
        if let Some(retire) = retire.filter(|_| admission.retired.is_some()) {
            self.retire(retire, at);
        }
        let account = self.keep(admission.account);
        if let Occasion::Login { session, attempt, .. } = occasion {
            if let Some(session) = session {
                self.sessions.insert(session.digest, session.begin(account.id, account.generation, at));
            }
            if let Some(attempt) = attempt {
                self.settle(attempt, Settlement::Back, std::time::Duration::ZERO, at);
            }
        }
        self.claimed.remove(&account.id);
        self.note_change(account.id, at);
        self.write_audit_of(account.id, audit);
        admission.account = account;
        Admitted::Yes(Box::new(admission))
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
            Find::Another { directory, than } => self
                .accounts
                .values()
                .filter(|account| account.directory == directory && account.external_id != than)
                .filter(|account| account.may_act())
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
            self.drop_tokens(revoke.user);
        }
        self.note_change(revoke.user, revoke.at);
        self.write_audit_of(revoke.user, revoke.audit);
        true
    }

    /// See [`Store::relink`](crate::store::Store::relink).
    pub fn relink(&mut self, relink: Relink) -> Relinked {
        let Some(account) = self.accounts.get(&relink.user).filter(|found| found.external_id == relink.from)
        else {
            return Relinked::Unknown;
        };
        if let Some(other) = self.external(&account.directory, &relink.to) {
            return Relinked::Taken(Box::new(other.clone()));
        }
        if let Some(account) = self.accounts.get_mut(&relink.user) {
            account.external_id = relink.to;
        }
        self.cut_off(relink.user, None, relink.at);
        self.drop_tokens(relink.user);
        self.note_change(relink.user, relink.at);
        self.write_audit_of(relink.user, relink.audit);
        Relinked::Yes
    }

    /// See [`Store::remove`](crate::store::Store::remove).
    pub fn remove(&mut self, remove: Remove) -> bool {
        if !self.accounts.contains_key(&remove.user) {
            return false;
        }
        self.cut_off(remove.user, None, remove.at);
        self.write_audit_of(remove.user, remove.audit);
        self.erase(remove.user);
        self.note_change(remove.user, remove.at);
        true
    }

    /// Takes an account's names away and shuts it out.
    fn retire(&mut self, retire: Retire, at: Time) {
        if let Some(account) = self.accounts.get_mut(&retire.user) {
            (account.username, account.local_name) = retire.names(account);
            account.disabled = true;
        }
        self.cut_off(retire.user, None, at);
        self.drop_tokens(retire.user);
        self.note_change(retire.user, at);
        self.write_audit_of(retire.user, retire.audit);
    }

    /// Drops an account with everything that is its own, but its sessions.
    pub(super) fn erase(&mut self, user: UserId) {
        self.drop_tokens(user);
        self.signed.retain(|_, token| token.user != user);
        self.claimed.remove(&user);
        self.accounts.remove(&user);
    }

    fn drop_tokens(&mut self, user: UserId) {
        self.tokens.retain(|_, token| token.user != user);
    }

    /// Moves the generation on and ends every session but one, which moves with it.
    pub(super) fn cut_off(&mut self, user: UserId, keep: Option<Digest>, at: Time) {
        let Some(account) = self.accounts.get_mut(&user) else { return };
        account.generation += 1;
        account.generation_at = Some(at);
        let generation = account.generation;
        self.sessions.retain(|digest, session| session.user != user || Some(*digest) == keep);
        if let Some(kept) =
            keep.and_then(|keep| self.sessions.get_mut(&keep)).filter(|kept| kept.user == user)
        {
            kept.generation = generation;
        }
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
