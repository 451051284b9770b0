//! Personal access tokens and the installation's secrets.

use super::State;
use crate::store::{IssuePersonal, PersonalToken, RevokePersonal, SecretBytes, UsePersonal};
use crate::{Account, UserId};

impl State {
    /// See [`Store::issue_personal`](crate::store::Store::issue_personal).
    pub fn issue_personal(&mut self, issue: IssuePersonal) -> bool {
        let user = issue.token.user;
        if !self.accounts.contains_key(&user) {
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

    /// See [`Store::secret`](crate::store::Store::secret).
    pub fn secret(&mut self, name: String, candidate: SecretBytes) -> SecretBytes {
        self.secrets.entry(name).or_insert(candidate).duplicate()
    }
}
