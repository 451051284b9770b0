//! Changing a password, also an expired one on the way in: the login's own steps up to the proof, then the change, then a
//! sign-in with the new one on the same server.
//!
//! | step | here |
//! |---|---|
//! | parse, the address's budget, locate, reserve an attempt | as for a login |
//! | prove the old password, judge the account | `auth`, called from [`Login::change`] |
//! | disabled here, tell the server | [`Login::tell`] |
//! | take back what the old password opened, whoever may have changed it; give the attempt back | [`Login::changed`] |
//! | prove the new one, groups, deny, require, link, session | as for a login, on the same server |

use std::time::Duration;

use auth::{Answer, Change, Changeable, Changed, NewPassword, Objection, Reason};
use proto::Password;
use zeroize::Zeroizing;

use crate::accounts::Accounts;
use crate::count::Ended;
use crate::login::{Ending, Login};
use crate::outcome::{Origin, Outcome, PasswordOutcome, SignIn};
use crate::store::{Audit, Find, Revoke, Settlement};
use crate::{Denial, Error, Task, Time};

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
        let (located, counted_by) = match self.locate(&credentials.username).await? {
            Ok(found) => found,
            Err(denied) => return Ok(denied.into()),
        };
        let (directory, username) = (located.directory().to_owned(), located.key().to_owned());
        self.about_to_bind()?;
        let changeable = match self.heard(located.prove_for_change(&old, self.observer()).await)? {
            Answer::Yes(changeable) => changeable,
            Answer::No(denial) => {
                self.current().proofs.forget_person(&counted_by);
                return Ok(self.deny(denial).await?.into());
            }
        };
        self.was_right();
        self.note(&directory, Some(&username));
        self.current().proofs.proved(&counted_by, &old);
        let who = match changeable.id() {
            Some(external_id) => Find::External { directory, external_id },
            None => Find::Username { directory, username },
        };
        self.tell(changeable, who, &old, &new).await
    }

    /// The old password is proved: tells the server, unless the account is disabled here.
    async fn tell(
        &self,
        changeable: Changeable,
        who: Find,
        old: &Password,
        new: &NewPassword,
    ) -> Result<PasswordOutcome, Error> {
        let known = self.accounts().store().account(who.clone()).await?;
        if known.is_some_and(|account| account.disabled) {
            let denial = Denial::of(Reason::AccountDisabled).with_detail("disabled in the store");
            return Ok(self.deny(denial.after_proof()).await?.into());
        }
        match changeable.change(old, new, self.observer()).await {
            Ok(Change::Done(changed)) => {
                let signed_in = self.changed(changed, new, who).await;
                let outcome = signed_in.unwrap_or_else(|error| self.failed(error));
                Ok(PasswordOutcome::Changed(Box::new(outcome)))
            }
            Ok(Change::Unfit(objection)) => self.object(objection).await,
            Ok(Change::Denied(denial)) => Ok(self.deny(denial).await?.into()),
            Err(error) => {
                // The visitor is told that nobody knows, whatever becomes of this.
                if error.may_have_changed()
                    && let Err(error) = self.take_back(who).await
                {
                    tracing::error!(%error, "what a password opened that may have changed was not taken back");
                }
                Err(error.into())
            }
        }
    }

    /// The server has taken the new password: nothing that the old one opened stays open, and the attempt was none.
    async fn changed(&self, changed: Changed, new: &NewPassword, who: Find) -> Result<Outcome, Error> {
        let named_only = matches!(who, Find::Username { .. });
        let mut began = self.take_back(who).await;
        let recorded = self.settle(Settlement::Back, self.audit().granted()).await;
        tracing::info!(username = self.recorded(), "the password was changed");
        let proof = changed.prove(new, self.observer()).await;
        if let (Ok(Answer::Yes(proof)), true) = (&proof, named_only) {
            let (directory, external_id) = (proof.directory().to_owned(), proof.id().to_owned());
            began = self.take_back(Find::External { directory, external_id }).await;
        }
        let began = began?;
        recorded?;
        self.goes_on_to(Task::Authenticate);
        match proof? {
            Answer::Yes(proof) => self.judge(proof.person(self.observer()).await?, began).await,
            Answer::No(denial) => Ok(self.deny(denial).await?.into()),
        }
    }

    /// Ends the account's sessions and signed tokens, and forgets what is remembered of the old password. Answers from
    /// when on a login is none of what was taken back.
    async fn take_back(&self, who: Find) -> Result<Time, Error> {
        let named_only = matches!(who, Find::Username { .. });
        let found = self.accounts().store().account(who).await?;
        let at = self.accounts().ambient().now();
        let Some(account) = found else {
            let username = self.recorded();
            match named_only {
                true => {
                    tracing::warn!(username, "nobody was found by that name whose sessions could be ended")
                }
                false => tracing::debug!(username, "not in the store yet: no session to end"),
            }
            return Ok(at);
        };
        let audit = Audit { event: "revoked".to_owned(), user: Some(account.id), ..self.audit() };
        let revoke = Revoke { user: account.id, keep: None, personal_tokens: false, at, audit };
        self.accounts().store().revoke(revoke).await?;
        self.accounts().forget(Some(account.id));
        Ok(at.after(Duration::from_micros(1)))
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
            username = self.recorded(),
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

    fn counted(&self) -> Option<Ended> {
        None
    }
}
