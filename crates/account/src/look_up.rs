//! People without a password: look one up, list those who are known.

use std::sync::Arc;

use auth::{Answer, Observer, Person, Silent, Username};

use crate::accounts::{Accounts, Current};
use crate::admission::{Coming, Refused};
use crate::outcome::Lookup;
use crate::store::{AccountQuery, Remove, SetDisabled};
use crate::{Account, Error, Origin, Task, UserId};

/// So many accounts are read of the store at once.
const PAGE: u32 = 500;

impl Accounts {
    /// Looks a person up without a password, and creates or refreshes their account; require and deny are passed
    /// over. No session can come of it.
    ///
    /// # Errors
    ///
    /// When directory or store do not answer.
    pub async fn look_up(
        &self,
        username: &str,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Lookup, Error> {
        let looked = self.looked_up(username, observer.as_deref().unwrap_or(&Silent)).await;
        self.call_out(Task::Populate, username, &Origin::default(), &looked);
        looked
    }

    async fn looked_up(&self, username: &str, observer: &dyn Observer) -> Result<Lookup, Error> {
        let current = self.current();
        let person = match self.describe(&current, username, observer).await? {
            Answer::Yes(person) => person,
            Answer::No(denial) => return Ok(Lookup::Denied(denial)),
        };
        self.take_in_without_password(&current, Coming::LookUp(&person), &Origin::default(), observer).await
    }

    /// Takes in somebody who proved nothing here.
    pub(crate) async fn take_in_without_password(
        &self,
        current: &Current,
        coming: Coming<'_>,
        origin: &Origin,
        observer: &dyn Observer,
    ) -> Result<Lookup, Error> {
        let audit = self.audit(coming.task().event(), origin).of(coming.person());
        let hindrance = coming.person().hindrance().cloned();
        match self.take_in(current, coming, audit, observer).await {
            Ok(account) => Ok(Lookup::Found { account: Box::new(account), hindrance }),
            Err(Refused::Denied(denial)) => Ok(Lookup::Denied(denial)),
            Err(Refused::Failed(error)) => Err(error),
        }
    }

    /// What the directory says of a person who is named and proves nothing.
    pub(crate) async fn describe(
        &self,
        current: &Current,
        username: &str,
        observer: &dyn Observer,
    ) -> Result<Answer<Person>, Error> {
        let username = match Username::parse(&self.asked_for(username), current.settings.login.fold) {
            Ok(username) => username,
            Err(denial) => return Ok(Answer::No(denial)),
        };
        match current.directories.locate(&username, observer).await? {
            Answer::Yes(located) => Ok(located.describe(observer).await?),
            Answer::No(denial) => Ok(Answer::No(denial)),
        }
    }

    /// Everybody the store knows, sorted by local name.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn users(&self) -> Result<Vec<Account>, Error> {
        let mut users: Vec<Account> = Vec::new();
        loop {
            let after = users.last().map(|account| account.local_name.clone());
            let page = self.0.store.accounts(AccountQuery { after, limit: PAGE }).await?;
            let last = page.len() < PAGE as usize;
            users.extend(page);
            if last {
                return Ok(users);
            }
        }
    }

    /// Shuts an account out, whatever the directory says, and ends its sessions and tokens. Answers whether the account is
    /// there.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing changed.
    pub async fn disable(&self, user: UserId, origin: &Origin) -> Result<bool, Error> {
        let audit = self.audit("disabled", origin);
        self.set(SetDisabled { user, disabled: true, at: self.0.ambient.now(), audit }).await
    }

    /// Lets an account in again that was shut out. Answers whether it is there.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing changed.
    pub async fn enable(&self, user: UserId, origin: &Origin) -> Result<bool, Error> {
        let audit = self.audit("enabled", origin);
        self.set(SetDisabled { user, disabled: false, at: self.0.ambient.now(), audit }).await
    }

    async fn set(&self, set: SetDisabled) -> Result<bool, Error> {
        let user = set.user;
        let found = self.0.store.set_disabled(set).await?;
        self.forget(Some(user));
        Ok(found)
    }

    /// Drops an account with its sessions and tokens; who may still enter gets a fresh one at the next login. Answers
    /// whether it was there.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing changed.
    pub async fn remove(&self, user: UserId, origin: &Origin) -> Result<bool, Error> {
        let remove = Remove { user, at: self.0.ambient.now(), audit: self.audit("removed", origin) };
        let found = self.0.store.remove(remove).await?;
        self.forget(Some(user));
        Ok(found)
    }
}
