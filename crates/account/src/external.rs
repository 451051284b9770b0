//! People whom something else has authenticated.

use auth::{Answer, Denial, Reason, Silent, Verdict};

use crate::accounts::Accounts;
use crate::admission::{Coming, Refused, Taken};
use crate::outcome::Lookup;
use crate::{Error, Origin, Task};

impl Accounts {
    /// The account, and with it the permissions, of somebody whom something else has authenticated: a proxy that says so
    /// in a header, a certificate. Only where the person's directory has `permissions.for_external_users`.
    ///
    /// The name is believed. Who may call this with a name of their choice is whoever they like: a header must come from
    /// the proxy alone, and the proxy must take the visitor's own header away.
    ///
    /// Require, deny and the account's state count as at a login; local groups do not follow, and no session comes of it.
    /// Each call asks the directory and writes to the store: keep the answer for a while.
    ///
    /// # Errors
    ///
    /// When directory or store do not answer.
    pub async fn external(&self, username: &str, origin: &Origin) -> Result<Lookup, Error> {
        let looked = self.look_up_external(username, origin).await;
        self.call_out(Task::Permissions, username, origin, &looked);
        looked
    }

    async fn look_up_external(&self, username: &str, origin: &Origin) -> Result<Lookup, Error> {
        let current = self.current();
        let person = match self.describe(&current, username, &Silent).await? {
            Answer::Yes(person) => person,
            Answer::No(denial) => return Ok(Lookup::Denied(denial)),
        };
        if !current.directory(person.directory()).for_external_users {
            let detail = format!("permissions.for_external_users is off for {:?}", person.directory());
            return Ok(Lookup::Denied(Denial::of(Reason::LogonNotAllowed).with_detail(detail)));
        }
        if let Verdict::Refused(denial) = current.directories.judge(&person, &Silent) {
            return Ok(Lookup::Denied(denial));
        }
        let audit = self.audit("external", origin).of(&person);
        match self.take_in(&current, Coming::External(&person), audit, &Silent).await {
            Ok(Taken { account }) if account.disabled => {
                Ok(Lookup::Denied(Denial::of(Reason::AccountDisabled).with_detail("disabled in the store")))
            }
            Ok(Taken { account }) => Ok(Lookup::Found(Box::new(account))),
            Err(Refused::Denied(denial)) => Ok(Lookup::Denied(denial)),
            Err(Refused::Failed(error)) => Err(error),
        }
    }
}
