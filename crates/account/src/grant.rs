//! Tokens in the hands of people and applications: issue, check, list, revoke.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::store::{
    Audit, Digest, Find, IssuePersonal, IssueSigned, PersonalToken, RevokePersonal, RevokeSigned,
    SignedToken, UsePersonal,
};
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

/// One line of a list of signed tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTokenInfo {
    /// The claim `jti`, which it is revoked by.
    pub id: String,
    /// The local name of whom it belongs to.
    pub username: String,
    /// When it was issued.
    pub created: Time,
    /// When it ends.
    pub expires: Time,
}

impl Accounts {
    /// A signed token for somebody who proved their password just now; a lifetime above `token.max_lifetime` is
    /// cut to that.
    ///
    /// # Errors
    ///
    /// When the store does not take the audit record: no token without one. When the account is gone.
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
        let Some(id) = token.id.clone() else {
            self.0.store.record(audit).await?;
            return Ok(token);
        };
        audit.detail = Some(format!("token {id}"));
        let signed = SignedToken {
            id,
            user: account.id,
            created: self.0.ambient.now(),
            expires: token.expires,
            revoked: None,
        };
        match self.0.store.issue_signed(IssueSigned { token: signed, audit }).await? {
            true => Ok(token),
            false => Err(gone()),
        }
    }

    /// Whose signed token this is; a trailing colon, as the token endpoint hands it out, is fine. `None` when it is
    /// none of ours, has run out or was revoked, or its account was revoked or disabled. A forged token costs no query.
    ///
    /// # Errors
    ///
    /// When the store must be asked and does not answer.
    pub async fn check_token(&self, text: &str) -> Result<Option<Account>, Error> {
        let found = self.account_of_token(text).await;
        let meter = &self.0.meter;
        meter.checked(&meter.tokens, &found);
        found
    }

    async fn account_of_token(&self, text: &str) -> Result<Option<Account>, Error> {
        let text = text.strip_suffix(':').unwrap_or(text);
        let Some(claimed) = self.current().tokens.read(text, self.0.ambient.now()) else { return Ok(None) };
        let account = match &claimed {
            Claimed::Account { id, .. } => self.account(*id).await?,
            Claimed::LocalName { name, .. } => self.0.store.account(Find::LocalName(name.clone())).await?,
        };
        let Some(account) = account.filter(|account| claimed.speaks_for(account)) else { return Ok(None) };
        if let Claimed::Account { token, .. } = &claimed
            && self.is_revoked(account.id, token).await?
        {
            return Ok(None);
        }
        Ok(Some(account))
    }

    async fn is_revoked(&self, user: UserId, token: &String) -> Result<bool, Error> {
        let revoked = match self.0.cache.revoked(user) {
            Some(revoked) => revoked,
            None => {
                let asked = self.0.cache.asking();
                let revoked: Arc<[String]> = self.0.store.revoked_tokens(user).await?.into();
                self.0.cache.keep_revoked(asked, user, Arc::clone(&revoked));
                revoked
            }
        };
        Ok(revoked.binary_search(token).is_ok())
    }

    /// Signed tokens that are good, of one account or of all, the oldest first. flask-ldap-auth's are not among them.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn signed_tokens(
        &self,
        user: impl Into<Option<UserId>>,
    ) -> Result<Vec<SignedTokenInfo>, Error> {
        let now = self.0.ambient.now();
        let mut tokens = self.0.store.signed_tokens(user.into()).await?;
        tokens.retain(|token| token.revoked.is_none() && token.expires > now);
        let mut found = Vec::with_capacity(tokens.len());
        let mut accounts = BTreeMap::new();
        for SignedToken { id, user, created, expires, .. } in tokens {
            let account = match accounts.entry(user) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.account(user).await?),
            };
            let generation = id.split_once('.').and_then(|(generation, _)| generation.parse::<i64>().ok());
            // One of another generation went with everything else that was taken back.
            let speaks = |account: &&Account| account.may_act() && Some(account.generation) == generation;
            if let Some(account) = account.as_ref().filter(speaks) {
                found.push(SignedTokenInfo { id, username: account.local_name.clone(), created, expires });
            }
        }
        Ok(found)
    }

    /// Takes one token back by its id, a personal one or a signed one: one of the account's own, or any where an operator asks
    /// with `None`. Answers whether it was there.
    ///
    /// # Errors
    ///
    /// When the store does not answer: the token may go on.
    pub async fn revoke_token(
        &self,
        user: impl Into<Option<UserId>>,
        id: &str,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let user = user.into();
        if self.revoke_personal(user, id, origin).await? {
            return Ok(true);
        }
        let audit = Audit { detail: Some(format!("token {id}")), ..self.audit("token_revoked", origin) };
        let at = self.0.ambient.now();
        let revoked = self.0.store.revoke_signed(RevokeSigned { user, id: id.to_owned(), at, audit }).await?;
        // Whose it was is not said.
        self.forget(user);
        Ok(revoked)
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
    /// When the store does not answer, or the account is gone, may not act, or everything it was given was taken back since
    /// it was read.
    pub async fn issue_personal(
        &self,
        account: &Account,
        name: Option<String>,
        lifetime: Option<Duration>,
        origin: &Origin,
    ) -> Result<NewPersonal, Error> {
        let text = personal_text(&self.0.ambient);
        let now = self.0.ambient.now();
        let token = PersonalToken {
            digest: Digest::of(text.as_bytes()),
            id: crate::session::handle(&self.0.ambient),
            user: account.id,
            name: name.as_deref().map(crate::audit::shortened),
            created: now,
            expires: lifetime.map(|lifetime| now.after(lifetime)),
            last_used: None,
        };
        let (id, expires) = (token.id.clone(), token.expires);
        let mut audit = self.audit("personal_token_issued", origin);
        audit.detail = Some(format!("token {id}"));
        match self
            .0
            .store
            .issue_personal(IssuePersonal { token, generation: account.generation, audit })
            .await?
        {
            true => Ok(NewPersonal { text, id, expires }),
            false => Err(gone()),
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
        let mut audit = self.audit("personal_token_revoked", origin);
        audit.detail = Some(format!("token {id}"));
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
        let found = self.account_of_personal(text).await;
        let meter = &self.0.meter;
        meter.checked(&meter.tokens, &found);
        found
    }

    async fn account_of_personal(&self, text: &str) -> Result<Option<Account>, Error> {
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

fn gone() -> Error {
    Error::internal("no token can be issued", "the account is gone")
}
