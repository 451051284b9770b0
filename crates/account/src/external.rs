//! People whom something else has authenticated.

use auth::{Answer, Denial, Reason, Silent, Verdict};

use crate::accounts::Accounts;
use crate::admission::Coming;
use crate::outcome::Lookup;
use crate::{Error, Origin, Task};

impl Accounts {
    /// The account, and with it the permissions, of somebody whom something else has authenticated: a proxy that says so
    /// in a header, a certificate. Only where the person's directory has `permissions.for_external_users`.
    ///
    /// The name is believed. Who may call this with a name of their choice is whoever they like: a header must come from
    /// the proxy alone, and the proxy must take the visitor's own header away.
    ///
    /// Require and deny count as at a login, and who is disabled here or in the directory, or has ended there, is refused. A
    /// lock or an old password is no refusal: it says nothing about somebody whom another system has signed in. Local groups
    /// do not follow, and no session comes of it. Each call asks the directory and writes to the store: keep the answer for a
    /// while.
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
        self.take_in_without_password(&current, Coming::External(&person), origin, &Silent).await
    }
}
