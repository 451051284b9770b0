//! What people are called here, where an application has names of its own.

use auth::{Fold, MAX_USERNAME, Username};

use crate::accounts::Accounts;
use crate::store::{BoxError, Find};
use crate::{Account, Error};

/// Translates between the names that people type and the directory's, and between the directory's and the store's.
///
/// The two ways belong together: [`Naming::asked_for`] of a [`Naming::local_name`] must name the same person again, or
/// nobody can be looked up by the name they have here. The defaults change nothing.
///
/// ```
/// use ldapgate_account::Naming;
///
/// /// Here everybody has a prefix that the directory does not know.
/// struct Prefixed;
///
/// impl Naming for Prefixed {
///     fn asked_for(&self, typed: &str) -> String {
///         let typed = typed.trim();
///         typed.strip_prefix("corp-").unwrap_or(typed).to_owned()
///     }
///
///     fn local_name(&self, _directory: &str, username: &str, _configured: &str) -> String {
///         format!("corp-{username}")
///     }
/// }
/// assert_eq!(Prefixed.asked_for(&Prefixed.local_name("main", "alice", "alice")), "alice");
/// ```
pub trait Naming: Send + Sync {
    /// The name to ask the directories for, from the name as it was typed, before anything else is done with it. It is
    /// judged as if it had been typed: an unusable one is `bad_username`.
    fn asked_for(&self, typed: &str) -> String {
        typed.to_owned()
    }

    /// The name in the store, from the directory and its canonical user name; `configured` is what `profile.local_name`
    /// makes of it. Two people must not get one name: the second would be `duplicate_account`.
    fn local_name(&self, directory: &str, username: &str, configured: &str) -> String {
        let _ = (directory, username);
        configured.to_owned()
    }
}

/// A name that does not say which account is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOne {
    /// Nobody has it.
    #[error("the store has no account {0:?}")]
    Nobody(String),
    /// Several directories' people have it.
    #[error("{name:?} may be any of {}: say which", .accounts.join(", "))]
    Several {
        /// The name.
        name: String,
        /// The local names of the accounts, which are unambiguous.
        accounts: Vec<String>,
    },
}

/// Nothing is translated.
pub(crate) struct AsConfigured;

impl Naming for AsConfigured {}

impl Accounts {
    /// The name to ask for. What is too long for any name is not shown to the application: it is refused as it stands.
    pub(crate) fn asked_for(&self, typed: &str) -> String {
        match typed.len() > MAX_USERNAME {
            true => typed.to_owned(),
            false => self.naming().asked_for(typed),
        }
    }

    /// The account that a person at a command line means by a name: its local name, as it is or folded, which is unique;
    /// where no account has that, its name in the directory, as long as one account alone has it.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn account_named(&self, name: &str) -> Result<Result<Account, NotOne>, Error> {
        let name = name.trim();
        let nobody = || NotOne::Nobody(name.to_owned());
        if let Some(found) = self.0.store.account(Find::LocalName(name.to_owned())).await? {
            return Ok(Ok(found));
        }
        let current = self.current();
        let Ok(typed) = Username::parse(name, current.settings.login.fold) else { return Ok(Err(nobody())) };
        if let Some(found) = self.0.store.account(Find::LocalName(typed.folded().to_owned())).await? {
            return Ok(Ok(found));
        }
        let mut found = Vec::new();
        for directory in current.directories.names() {
            let find = Find::Username { directory, username: typed.folded().to_owned() };
            found.extend(self.0.store.account(find).await?);
        }
        Ok(match <[Account; 1]>::try_from(found) {
            Ok([account]) => Ok(account),
            Err(none) if none.is_empty() => Err(nobody()),
            Err(several) => {
                let accounts = several.into_iter().map(|account| account.local_name).collect();
                Err(NotOne::Several { name: name.to_owned(), accounts })
            }
        })
    }

    /// As [`Accounts::account_named`], without the reason where it is none.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub async fn account_called(&self, name: &str) -> Result<Option<Account>, Error> {
        Ok(self.account_named(name).await?.ok())
    }

    /// A name for a form, which leads back to this very person when it is sent: with several directories it names theirs, and
    /// where the application has names of its own it is the one they have here. `None` where no name is sure to.
    #[must_use]
    pub fn name_to_type(&self, account: &Account) -> Option<String> {
        let theirs = self.directories().name_to_type(&account.directory, &account.username);
        let is_translated = |name: &String| self.asked_for(name) != *name;
        theirs
            .filter(|name| !is_translated(name))
            .or_else(|| Some(account.local_name.clone()).filter(is_translated))
    }

    /// The local name of a person.
    pub(crate) fn local_name(
        &self,
        directory: &str,
        username: &str,
        configured: String,
    ) -> Result<String, Error> {
        let name = self.naming().local_name(directory, username, &configured);
        let usable = || Username::parse(&name, Fold::Keep).is_ok_and(|parsed| parsed.as_typed() == name);
        if name == configured || usable() {
            return Ok(name);
        }
        let why: BoxError = format!("{name:?} is no name").into();
        Err(Error::internal(format!("the application has no name for {username:?}"), why))
    }
}
