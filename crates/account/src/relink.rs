//! An account that is given another of the directory's keys by hand, because its person's entry was made anew.

use auth::Silent;

use crate::accounts::Accounts;
use crate::audit::shortened;
use crate::store::{Audit, Find, Relink, Relinked};
use crate::{Account, Error, Origin};

/// What linking an account anew changes.
#[derive(Clone, Debug)]
pub struct Relinking {
    /// The account as it is.
    pub account: Account,
    /// The key it gets, as the directory has it.
    pub id: String,
    /// The entry that has the key.
    pub dn: String,
    /// So many sessions end.
    pub sessions: usize,
    /// So many personal tokens end; signed tokens end too, uncounted.
    pub tokens: usize,
}

/// Why an account is not linked anew.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelinkRefused {
    /// It has the key already.
    #[error("the account has this id already")]
    Same,
    /// Nobody has the key: a typing error would shut the person out.
    #[error("no entry of directory {directory:?} has the id {id:?}")]
    NoEntry {
        /// The account's directory.
        directory: String,
        /// The key.
        id: String,
    },
    /// The key is another account's.
    #[error("the id belongs to the account {:?}", by.local_name)]
    Taken {
        /// That account.
        by: Box<Account>,
    },
    /// The account is gone, or was linked otherwise meanwhile.
    #[error("the account changed meanwhile")]
    Changed,
}

impl Accounts {
    /// What would change if an account had another key; nothing is written.
    ///
    /// # Errors
    ///
    /// When directory or store do not answer, or the account's directory is not configured any more.
    pub async fn plan_relink(
        &self,
        account: Account,
        id: &str,
    ) -> Result<Result<Relinking, RelinkRefused>, Error> {
        let directory = account.directory.clone();
        let Some(holder) = self.current().directories.holder(&directory, id.trim(), &Silent).await? else {
            return Ok(Err(RelinkRefused::NoEntry { directory, id: id.to_owned() }));
        };
        if holder.id == account.external_id {
            return Ok(Err(RelinkRefused::Same));
        }
        let find = Find::External { directory, external_id: holder.id.clone() };
        if let Some(by) = self.0.store.account(find).await? {
            return Ok(Err(RelinkRefused::Taken { by: Box::new(by) }));
        }
        let sessions = self.sessions(account.id).await?.len();
        let tokens = self.personal_tokens(account.id).await?.len();
        Ok(Ok(Relinking { account, id: holder.id, dn: holder.dn.as_str().to_owned(), sessions, tokens }))
    }

    /// Links an account anew: it keeps what it may do, and everything that was given out ends, as in a change of hands.
    ///
    /// # Errors
    ///
    /// When the store does not answer: nothing changed.
    pub async fn relink(
        &self,
        plan: &Relinking,
        origin: &Origin,
    ) -> Result<Result<(), RelinkRefused>, Error> {
        let Relinking { account, id, .. } = plan;
        let audit = Audit {
            username: Some(shortened(&account.username)),
            directory: Some(account.directory.clone()),
            detail: Some(format!("{} becomes {id}", account.external_id)),
            ..self.audit("relinked", origin)
        };
        let relink = Relink {
            user: account.id,
            from: account.external_id.clone(),
            to: id.clone(),
            at: self.0.ambient.now(),
            audit,
        };
        let relinked = self.0.store.relink(relink).await?;
        self.forget(Some(account.id));
        Ok(match relinked {
            Relinked::Yes => Ok(()),
            Relinked::Unknown => Err(RelinkRefused::Changed),
            Relinked::Taken(by) => Err(RelinkRefused::Taken { by }),
        })
    }
}
