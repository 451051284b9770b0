//! Changing a password, also an expired one on the way in: the login's own steps up to the proof, then the change, then a
//! sign-in with the new one on the same server.
//!
//! | step | here |
//! |---|---|
//! | parse, the address's budget, locate, reserve an attempt | as for a login |
//! | prove the old password, judge the account, tell the server | `auth`, called from [`Login::change`] |
//! | give the attempt back, take back what the old password opened | [`Login::changed`] |
//! | prove the new one, groups, deny, require, link, session | as for a login, on the same server |

use auth::{Answer, Change, Changed, NewPassword, Objection};
use zeroize::Zeroizing;

use crate::accounts::Accounts;
use crate::login::{Ending, Login};
use crate::outcome::{Origin, Outcome, PasswordOutcome, SignIn};
use crate::store::{Audit, Find, Revoke, Settlement};
use crate::{Denial, Error, Task};

impl Accounts {
    /// Changes a password, and signs in with the new one.
    ///
    /// It is counted and answered like a login, and runs in a task of its own in the same way. Afterwards every session and
    /// every signed token of the account has ended; personal tokens stay. The sign-in with the new password is a login with
    /// all its steps, made on the server that took the new password; what it came to is told by
    /// [`PasswordOutcome::Changed`].
    pub async fn change_password(
        &self,
        username: &str,
        old: String,
        new: String,
        origin: &Origin,
        how: SignIn,
    ) -> PasswordOutcome {
        let login = self.login(Task::ChangePassword, username, origin, how);
        let (changing, username) = (login.clone(), username.to_owned());
        let (old, new) = (old, Zeroizing::new(new));
        login.run(Box::pin(async move { changing.change(username, old, new).await })).await
    }
}

impl Login {
    async fn change(
        &self,
        username: String,
        old: String,
        mut new: Zeroizing<String>,
    ) -> Result<PasswordOutcome, Error> {
        let credentials = match self.parse(&username, old).await? {
            Ok(credentials) => credentials,
            Err(denied) => return Ok(denied.into()),
        };
        let old = credentials.password;
        let new = match NewPassword::parse(std::mem::take(&mut *new), &old) {
            Ok(new) => new,
            Err(objection) => return Ok(PasswordOutcome::Unfit(objection)),
        };
        let (located, _) = match self.locate(&credentials.username).await? {
            Ok(found) => found,
            Err(denied) => return Ok(denied.into()),
        };
        let (directory, username) = (located.directory().to_owned(), located.key().to_owned());
        self.about_to_bind()?;
        let change = self.heard(located.change_password(&old, &new, self.observer()).await)?;
        if !matches!(change, Change::Denied(_)) {
            self.was_right();
        }
        match change {
            Change::Done(changed) => {
                let who = Find::Username { directory, username };
                let signed_in = self.changed(changed, &new, who).await;
                let outcome = signed_in.unwrap_or_else(|error| self.failed(error));
                Ok(PasswordOutcome::Changed(Box::new(outcome)))
            }
            Change::Unfit(objection) => self.object(objection).await,
            Change::Denied(denial) => Ok(self.deny(denial).await?.into()),
        }
    }

    /// The server has taken the new password: the attempt was none, and nothing that the old one opened stays open.
    async fn changed(&self, changed: Changed, new: &NewPassword, who: Find) -> Result<Outcome, Error> {
        // Should the record fail, sessions are ended all the same.
        let recorded = self.settle(Settlement::Back, self.audit().granted()).await;
        tracing::info!(username = self.told().name, "the password was changed");
        let proof = changed.prove(new, self.observer()).await;
        let who = match &proof {
            Ok(Answer::Yes(proof)) => {
                Find::External { directory: proof.directory().to_owned(), external_id: proof.id().to_owned() }
            }
            _ => who,
        };
        self.take_back(who).await?;
        recorded?;
        self.goes_on_to(Task::Authenticate);
        match proof? {
            Answer::Yes(proof) => self.judge(proof.person(self.observer()).await?).await,
            Answer::No(denial) => Ok(self.deny(denial).await?.into()),
        }
    }

    /// Ends the account's sessions and signed tokens, and forgets what is remembered of the old password.
    async fn take_back(&self, who: Find) -> Result<(), Error> {
        let Some(account) = self.accounts().store().account(who).await? else { return Ok(()) };
        let audit = Audit { event: "revoked".to_owned(), user: Some(account.id), ..self.audit() };
        let at = self.accounts().ambient().now();
        let revoke = Revoke { user: account.id, keep: None, personal_tokens: false, at, audit };
        self.accounts().store().revoke(revoke).await?;
        self.accounts().forget(Some(account.id));
        Ok(())
    }

    /// The new password is not taken: the old one was right, so the attempt was none.
    async fn object(&self, objection: Objection) -> Result<PasswordOutcome, Error> {
        let audit = Audit {
            outcome: Some("refused".to_owned()),
            reason: Some(objection.unfit().as_str().to_owned()),
            detail: Some(objection.detail()).filter(|detail| !detail.is_empty()).map(str::to_owned),
            ..self.audit()
        };
        self.settle(Settlement::Back, audit).await?;
        tracing::info!(
            username = self.told().name,
            unfit = objection.unfit().as_str(),
            "the new password is refused"
        );
        Ok(PasswordOutcome::Unfit(objection))
    }
}

impl Ending for PasswordOutcome {
    fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denied) => Some(&denied.denial),
            Self::Changed(_) | Self::Unfit(_) | Self::Failed { .. } => None,
        }
    }
}
