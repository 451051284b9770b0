//! Tokens in the hands of people and applications: issue, check, list, revoke.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::store::{Digest, Find, IssuePersonal, PersonalToken, RevokePersonal, UsePersonal};
use crate::token::{Claimed, NewPersonal, Token, personal_digest, personal_text};
use crate::{Account, Error, Origin, Time, UserId};

/// One line of a list of personal tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalTokenInfo {
    /// What it is revoked by; tells nothing of the token.
    pub id: String,
    /// The local name of whom it belongs to.
    pub username: String,
    /// What its owner calls it.
    pub name: Option<String>,
    /// When it was issued.
    pub created: Time,
    /// When it ends; `None`: when it is revoked.
    pub expires: Option<Time>,
    /// When it was last used, to within a minute.
    pub last_used: Option<Time>,
}

impl Accounts {
    /// A signed token for somebody who proved their password just now; a lifetime above `token.max_lifetime` is
    /// cut to that.
    ///
    /// # Errors
    ///
    /// When the store does not take the audit record: no token without one.
    pub async fn issue_token(
        &self,
        account: &Account,
        lifetime: Option<Duration>,
        origin: &Origin,
    ) -> Result<Token, Error> {
        let token = self.current().tokens.issue(account, lifetime, &self.0.ambient);
        let mut audit = self.audit("token_issued", origin);
        audit.user = Some(account.id);
        audit.directory = Some(account.directory.clone());
        audit.username = Some(account.username.clone());
        self.0.store.record(audit).await?;
        Ok(token)
    }

    /// Whose signed token this is; a trailing colon, as the token endpoint hands it out, is fine. `None` when it is
    /// none of ours, has run out, or its account was revoked or disabled. A forged token costs no query.
    ///
    /// # Errors
    ///
    /// When the store must be asked and does not answer.
    pub async fn check_token(&self, text: &str) -> Result<Option<Account>, Error> {
        let text = text.strip_suffix(':').unwrap_or(text);
        let Some(claimed) = self.current().tokens.read(text, self.0.ambient.now()) else { return Ok(None) };
        let account = match &claimed {
            Claimed::Account { id, .. } => self.account(*id).await?,
            Claimed::LocalName { name, .. } => self.0.store.account(Find::LocalName(name.clone())).await?,
        };
        Ok(account.filter(|account| claimed.speaks_for(account)))
    }

    /// The keys that tell a signed token from a forged one, as the document of `/.well-known/jwks.json`.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        self.current().tokens.jwks()
    }

    /// A personal access token, which lasts until it is revoked or as long as it was asked for.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or the account is gone.
    pub async fn issue_personal(
        &self,
        user: UserId,
        name: Option<String>,
        lifetime: Option<Duration>,
        origin: &Origin,
    ) -> Result<NewPersonal, Error> {
        let text = personal_text(&self.0.ambient);
        let now = self.0.ambient.now();
        let token = PersonalToken {
            digest: Digest::of(text.as_bytes()),
            id: crate::session::handle(&self.0.ambient),
            user,
            name: name.as_deref().map(crate::audit::shortened),
            created: now,
            expires: lifetime.map(|lifetime| now.after(lifetime)),
            last_used: None,
        };
        let (id, expires) = (token.id.clone(), token.expires);
        let audit = self.audit("personal_token_issued", origin);
        match self.0.store.issue_personal(IssuePersonal { token, audit }).await? {
            true => Ok(NewPersonal { text, id, expires }),
            false => Err(Error::internal("no token can be issued", "the account is gone")),
        }
    }

    /// Personal tokens that have not run out, of one account or of all, the oldest first.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn personal_tokens(
        &self,
        user: impl Into<Option<UserId>>,
    ) -> Result<Vec<PersonalTokenInfo>, Error> {
        let now = self.0.ambient.now();
        let mut tokens = self.0.store.personal_tokens(user.into()).await?;
        tokens.retain(|token| token.is_valid(now));
        let mut names = BTreeMap::new();
        for token in &tokens {
            if let Entry::Vacant(unknown) = names.entry(token.user) {
                let name = self.account(token.user).await?.map(|account| account.local_name);
                unknown.insert(name.unwrap_or_default());
            }
        }
        let info = |token: PersonalToken| {
            let PersonalToken { id, user, name, created, expires, last_used, .. } = token;
            let username = names.get(&user).cloned().unwrap_or_default();
            PersonalTokenInfo { id, username, name, created, expires, last_used }
        };
        Ok(tokens.into_iter().map(info).collect())
    }

    /// Drops one personal token: one of the account's own, or any where an operator asks with `None`. Answers
    /// whether it was there.
    ///
    /// # Errors
    ///
    /// When the store does not answer: the token may go on.
    pub async fn revoke_personal(
        &self,
        user: impl Into<Option<UserId>>,
        id: &str,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let audit = self.audit("personal_token_revoked", origin);
        let revoke = RevokePersonal { user: user.into(), id: id.to_owned(), audit };
        Ok(self.0.store.revoke_personal(revoke).await?)
    }

    /// Whose personal token this is; `None` when it is none, has run out or was revoked, or its account is
    /// disabled. Text that cannot be one costs no query.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn check_personal(&self, text: &str) -> Result<Option<Account>, Error> {
        let Some(digest) = personal_digest(text) else { return Ok(None) };
        let at = self.0.ambient.now();
        let found = self.0.store.use_personal(UsePersonal { digest, at }).await?;
        Ok(found.map(|(_, account)| account).filter(Account::may_act))
    }

    /// An account by its id, as it was a moment ago.
    ///
    /// # Errors
    ///
    /// When the store must be asked and does not answer.
    pub async fn account(&self, id: UserId) -> Result<Option<Account>, Error> {
        if let Some(account) = self.0.cache.account(id) {
            return Ok(Some(account));
        }
        let asked = self.0.cache.asking();
        let found = self.0.store.account(Find::Id(id)).await?;
        if let Some(account) = &found {
            self.0.cache.keep_account(asked, account.clone());
        }
        Ok(found)
    }
}
