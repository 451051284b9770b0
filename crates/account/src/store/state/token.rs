//! Tokens, the keys that sign them, and the installation's secrets.

use super::State;
use crate::store::{
    DropTokenKeys, IssuePersonal, IssueSigned, KeepTokenKey, PersonalToken, RevokePersonal, RevokeSigned,
    SecretBytes, SignedToken, TokenKey, UsePersonal,
};
use crate::{Account, Time, UserId};

impl State {
    /// See [`Store::issue_personal`](crate::store::Store::issue_personal).
    pub fn issue_personal(&mut self, issue: IssuePersonal) -> bool {
        let user = issue.token.user;
        let is_given = |account: &Account| account.may_act() && account.generation == issue.generation;
        if !self.accounts.get(&user).is_some_and(is_given) {
            return false;
        }
        self.tokens.insert(issue.token.digest, issue.token);
        self.write_audit_of(user, issue.audit);
        true
    }

    /// See [`Store::personal_tokens`](crate::store::Store::personal_tokens).
    #[must_use]
    pub fn personal_tokens(&self, user: Option<UserId>) -> Vec<PersonalToken> {
        let mut found: Vec<_> = self
            .tokens
            .values()
            .filter(|token| user.is_none_or(|user| user == token.user))
            .cloned()
            .collect();
        found.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        found
    }

    /// See [`Store::use_personal`](crate::store::Store::use_personal).
    pub fn use_personal(&mut self, usage: UsePersonal) -> Option<(PersonalToken, Account)> {
        let token = self.tokens.get_mut(&usage.digest).filter(|token| token.is_valid(usage.at))?;
        let account = self.accounts.get(&token.user)?.clone();
        if token.notes_use(usage.at) {
            token.last_used = Some(usage.at);
        }
        Some((token.clone(), account))
    }

    /// See [`Store::revoke_personal`](crate::store::Store::revoke_personal).
    pub fn revoke_personal(&mut self, revoke: RevokePersonal) -> bool {
        let found = self
            .tokens
            .values()
            .find(|token| token.id == revoke.id && revoke.user.is_none_or(|user| user == token.user))
            .map(|token| (token.digest, token.user));
        let Some((digest, user)) = found else { return false };
        self.tokens.remove(&digest);
        self.write_audit_of(user, revoke.audit);
        true
    }

    /// See [`Store::issue_signed`](crate::store::Store::issue_signed).
    pub fn issue_signed(&mut self, issue: IssueSigned) -> bool {
        let user = issue.token.user;
        if !self.accounts.contains_key(&user) {
            return false;
        }
        self.signed.insert(issue.token.id.clone(), issue.token);
        self.write_audit_of(user, issue.audit);
        true
    }

    /// See [`Store::signed_tokens`](crate::store::Store::signed_tokens).
    #[must_use]
    pub fn signed_tokens(&self, user: Option<UserId>) -> Vec<SignedToken> {
        let whose = |token: &&SignedToken| user.is_none_or(|user| user == token.user);
        let mut found: Vec<_> = self.signed.values().filter(whose).cloned().collect();
        found.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        found
    }

    /// See [`Store::revoked_tokens`](crate::store::Store::revoked_tokens).
    #[must_use]
    pub fn revoked_tokens(&self, user: UserId) -> Vec<String> {
        let revoked = self.signed.values().filter(|token| token.user == user && token.revoked.is_some());
        revoked.map(|token| token.id.clone()).collect()
    }

    /// See [`Store::revoke_signed`](crate::store::Store::revoke_signed).
    pub fn revoke_signed(&mut self, revoke: RevokeSigned) -> bool {
        let RevokeSigned { user, id, at, audit } = revoke;
        let good = |token: &&mut SignedToken| token.revoked.is_none() && token.expires > at;
        let whose = |token: &&mut SignedToken| user.is_none_or(|user| user == token.user);
        let Some(token) = self.signed.get_mut(&id).filter(good).filter(whose) else { return false };
        token.revoked = Some(at);
        let user = token.user;
        self.note_change(user, at);
        self.write_audit_of(user, audit);
        true
    }

    /// See [`Store::token_keys`](crate::store::Store::token_keys).
    #[must_use]
    pub fn token_keys(&self, since: Time) -> Vec<TokenKey> {
        let mut found: Vec<_> = self.keys.values().filter(|key| key.used >= since).cloned().collect();
        found.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        found
    }

    /// See [`Store::keep_token_key`](crate::store::Store::keep_token_key).
    pub fn keep_token_key(&mut self, keep: KeepTokenKey) -> bool {
        let KeepTokenKey { key, first, audit } = keep;
        if first && self.keys.values().any(|key| key.held) {
            return false;
        }
        if let Some(known) = self.keys.get_mut(&key.id) {
            known.used = known.used.max(key.used);
            return false;
        }
        self.keys.insert(key.id.clone(), key);
        if let Some(audit) = audit {
            self.write_audit(audit);
        }
        true
    }

    /// See [`Store::drop_token_keys`](crate::store::Store::drop_token_keys).
    pub fn drop_token_keys(&mut self, drop: DropTokenKeys) -> u64 {
        let dropped = self.forget_keys(|key| key.id != drop.keep);
        if dropped > 0 {
            self.write_audit(drop.audit);
        }
        dropped
    }

    /// Forgets keys and what is held of their private halves.
    pub(super) fn forget_keys(&mut self, falls: impl Fn(&TokenKey) -> bool) -> u64 {
        let doomed: Vec<_> = self.keys.values().filter(|key| falls(key)).map(|key| key.id.clone()).collect();
        for id in &doomed {
            self.keys.remove(id);
            self.secrets.remove(&TokenKey::secret_name(id));
        }
        doomed.len() as u64
    }

    /// See [`Store::secret`](crate::store::Store::secret).
    pub fn secret(&mut self, name: String, candidate: SecretBytes) -> SecretBytes {
        self.secrets.entry(name).or_insert(candidate).duplicate()
    }
}
