//! The one sign-in that every door uses, in the contract's order.
//!
//! | step | here |
//! |---|---|
//! | 1 parse, 2 the address's budget | [`Login::parse`] |
//! | 3 choose the directory, 4 locate, 5 reserve an attempt | [`Login::locate`] |
//! | 6 prove, 7 state, 8 groups | `auth`, called from [`Login::prove`] |
//! | 9 deny, 10 require | `auth`'s judgement, called from [`Login::judge`] |
//! | 11 link | `link` |
//! | 12 disabled here, 13 new people, 14 the application's say | `admission` |
//! | 15 one transaction, 16 the attempt given back, 17 the record | the store's `admit`, or `settle` for a refusal |

use auth::{Answer, Credentials, Located, Proven, Verdict};
use proto::Password;

use crate::accounts::Accounts;
use crate::admission::{Coming, Refused};
use crate::count::Ended;
use crate::login::{Ending, Login};
use crate::outcome::{Origin, Outcome, SignIn, SignedIn};
use crate::store::{Audit, CounterKey, EndSessions};
use crate::{Account, Error, Task, Time};

impl Accounts {
    /// Decides a login.
    ///
    /// It runs in a task of its own: a visitor who hangs up changes nothing. The answer comes within
    /// `login.deadline`; a bind that was written by then is still waited for in the background, so that a wrong
    /// password counts and a right one does not.
    pub async fn sign_in(&self, username: &str, password: String, origin: &Origin, how: SignIn) -> Outcome {
        self.log_in(username, password, origin, how, Proved::Now).await
    }

    /// Whose name and password these are, for a door where each request brings both and starts no session: a sign-in,
    /// unless just these were proved within `cache.credentials` and the account is still what it was. Neither the
    /// directory nor the application is asked then, and nothing is put on record.
    pub async fn check_password(&self, username: &str, password: String, origin: &Origin) -> Outcome {
        self.log_in(username, password, origin, SignIn::default(), Proved::Lately).await
    }

    async fn log_in(
        &self,
        username: &str,
        password: String,
        origin: &Origin,
        how: SignIn,
        proved: Proved,
    ) -> Outcome {
        let login = self.login(Task::Authenticate, username, origin, how);
        let (deciding, username) = (login.clone(), username.to_owned());
        login.run(Box::pin(async move { deciding.decide(username, password, proved).await })).await
    }
}

/// When the password has to have been proved for the login to be granted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proved {
    Now,
    Lately,
}

impl Login {
    async fn decide(&self, username: String, password: String, proved: Proved) -> Result<Outcome, Error> {
        let credentials = match self.parse(&username, password).await? {
            Ok(credentials) => credentials,
            Err(denied) => return Ok(denied.into()),
        };
        if let Some(account) = self.proved_lately(proved, &credentials).await? {
            let signed_in = SignedIn { account, session: None, warnings: Vec::new() };
            return Ok(Outcome::Granted(Box::new(signed_in)));
        }
        let began = self.accounts().ambient().now();
        let (located, who) = match self.locate(&credentials.username).await? {
            Ok(found) => found,
            Err(denied) => return Ok(denied.into()),
        };
        let person = match self.prove(located, &credentials.password).await? {
            Answer::Yes(person) => person,
            Answer::No(denial) => {
                self.current().proofs.forget_person(&who);
                return Ok(self.deny(denial).await?.into());
            }
        };
        self.current().proofs.proved(&who, &credentials.password);
        let outcome = self.judge(person, began).await?;
        match (&outcome, proved) {
            (Outcome::Granted(signed_in), Proved::Lately) => {
                self.remember(&credentials, who, began, &signed_in.account);
            }
            (Outcome::Denied { .. }, _) => self.current().proofs.forget_person(&who),
            _ => {}
        }
        Ok(outcome)
    }

    async fn proved_lately(
        &self,
        proved: Proved,
        Credentials { username, password }: &Credentials,
    ) -> Result<Option<Account>, Error> {
        match proved {
            Proved::Now => Ok(None),
            Proved::Lately => self.accounts().proved_lately(self.current(), username, password).await,
        }
    }

    /// For the next request with the same name and password; not where guesses at this name are counted elsewhere than by
    /// the person, as before a template's first login.
    fn remember(&self, typed: &Credentials, who: CounterKey, began: Time, account: &Account) {
        let person = CounterKey::person(&account.directory, &account.username);
        if who == person {
            self.current().proofs.keep((&typed.username, &typed.password), who, began, account);
        }
    }

    /// The password, the account's state and the groups.
    async fn prove(&self, located: Located, password: &Password) -> Result<Answer<Proven>, Error> {
        self.about_to_bind()?;
        let proof = match self.heard(located.prove(password, self.observer()).await)? {
            Answer::Yes(proof) => proof,
            Answer::No(denial) => return Ok(Answer::No(denial)),
        };
        self.was_right();
        self.note(proof.directory(), Some(proof.username()));
        Ok(Answer::Yes(proof.person(self.observer()).await?))
    }

    /// May they enter, with a password that was sent after `began`?
    pub(crate) async fn judge(&self, person: Proven, began: Time) -> Result<Outcome, Error> {
        match self.current().directories.judge(&person, self.observer()) {
            Verdict::Admitted => self.enter(person, began).await,
            Verdict::Refused(denial) => Ok(self.deny(denial.after_proof()).await?.into()),
        }
    }

    /// Lets somebody in whose password was right and whom the directory admits, unless the store or the application will
    /// not have them.
    async fn enter(&self, person: Proven, began: Time) -> Result<Outcome, Error> {
        self.in_time()?;
        let (start, session) = match self.how().session {
            true => {
                let (remember_me, warnings) = (self.how().remember_me, person.warnings());
                let (start, session) = self.accounts().new_session(remember_me, warnings, self.origin());
                (Some(start), Some(session))
            }
            false => (None, None),
        };
        let attempt = self.attempt().id;
        let coming = Coming::Login { person: &person, began, session: start, attempt };
        let audit = self.audit().granted();
        let taken = self.accounts().take_in(self.current(), coming, audit, self.observer()).await;
        match taken {
            Ok(account) => {
                self.accounts().0.settled.notify_waiters();
                if session.is_some() {
                    self.accounts().0.meter.session_started();
                }
                self.end_replaced().await;
                let warnings = person.warnings().to_vec();
                Ok(Outcome::Granted(Box::new(SignedIn { account, session, warnings })))
            }
            Err(Refused::Denied(denial)) => Ok(self.deny(denial.after_proof()).await?.into()),
            Err(Refused::Failed(error)) => Err(error),
        }
    }

    /// The session that the browser came with ends; should that fail it ends by itself later.
    async fn end_replaced(&self) {
        let Some(digest) = self.how().replaces.as_deref().and_then(|old| self.accounts().cookie_digest(old))
        else {
            return;
        };
        let audit = Audit { event: "session_replaced".to_owned(), ..self.audit() };
        if let Err(error) = self.accounts().0.store.end_sessions(EndSessions::Cookie { digest, audit }).await
        {
            tracing::warn!(%error, "the session before this login was not ended");
        }
        self.accounts().0.cache.forget_session(digest);
    }
}

impl Ending for Outcome {
    fn denial(&self) -> Option<&auth::Denial> {
        match self {
            Self::Denied(denied) => Some(&denied.denial),
            Self::Granted(_) | Self::Failed { .. } => None,
        }
    }

    fn counted(&self) -> Option<Ended> {
        Some(match self {
            Self::Granted(_) => Ended::Granted,
            Self::Denied(denied) => Ended::Denied(denied.denial.reason()),
            Self::Failed { fault, .. } => Ended::Failed(*fault),
        })
    }
}
