//! The one sign-in that every door uses, in the contract's order.
//!
//! | step | here |
//! |---|---|
//! | 1 parse, 2 the address's budget | [`Login::decide`] |
//! | 3 choose the directory, 4 locate | `auth`, called from [`Login::decide`] |
//! | 5 reserve an attempt | [`Accounts::reserve`] |
//! | 6 prove, 7 state, 8 groups | `auth`, called from [`Login::prove`] |
//! | 9 deny, 10 require | `auth`'s judgement, called from [`Login::decide`] |
//! | 11 link | `link` |
//! | 12 disabled here, 13 new people, 14 the application's say | `admission` |
//! | 15 one transaction, 16 the attempt given back, 17 the record | the store's `admit`, or `settle` for a refusal |

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth::{Answer, Credentials, Denial, Located, Observer, Proven, Reason, Silent, Username, Verdict};
use proto::Password;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::accounts::{Accounts, Current};
use crate::admission::{Coming, Refused, Taken};
use crate::holdback::answer_after;
use crate::outcome::{Origin, Outcome, SignIn, SignedIn};
use crate::repeat::LeftOut;
use crate::store::{AttemptId, Audit, CounterKey, EndSessions, Find, Settlement};
use crate::throttle::Permit;
use crate::{Account, Error, Time};

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
        let started = Instant::now();
        let current = self.current();
        let deadline = current.settings.login.deadline;
        let login = Login {
            accounts: self.clone(),
            current,
            origin: origin.clone(),
            how,
            proved,
            started,
            give_up: started + deadline,
            told: Mutex::new(Told { name: crate::audit::shortened(username.trim()), directory: None }),
            attempt: Mutex::default(),
            late: AtomicBool::new(false),
        };
        let username = username.to_owned();
        let (answer, answered) = oneshot::channel();
        let task = async move { login.run(username, password, answer).await };
        let task = tokio::spawn(task.instrument(tracing::Span::current()));
        match answered.await {
            Ok(outcome) => outcome,
            // The task ended without an answer: it panicked.
            Err(_) => {
                let why = task.await.err().map_or_else(|| "no answer".to_owned(), |error| error.to_string());
                Error::internal("the login broke off", why).into()
            }
        }
    }
}

/// When the password has to have been proved for the login to be granted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proved {
    Now,
    Lately,
}

/// One login under way.
struct Login {
    accounts: Accounts,
    current: Arc<Current>,
    origin: Origin,
    how: SignIn,
    proved: Proved,
    started: Instant,
    give_up: Instant,
    told: Mutex<Told>,
    attempt: Mutex<Attempt>,
    /// The visitor was told that it took too long: nobody is let in any more.
    late: AtomicBool,
}

/// Whom the record names: the directory's name for them, once there is one.
#[derive(Clone)]
struct Told {
    name: String,
    directory: Option<String>,
}

/// The attempt that was reserved, and what would become of it if the login broke off now.
#[derive(Clone, Copy, Default)]
struct Attempt {
    id: Option<AttemptId>,
    counts: bool,
}

impl Login {
    /// Answers in time, and goes on until the attempt is settled.
    async fn run(self, username: String, password: String, answer: oneshot::Sender<Outcome>) {
        let deadline = self.current.settings.login.deadline;
        let mut deciding = std::pin::pin!(self.decide(username, password));
        let decided = tokio::select! {
            biased;
            decided = &mut deciding => decided,
            () = tokio::time::sleep_until(self.give_up) => {
                self.late.store(true, Ordering::Relaxed);
                let _ = answer.send(Error::Deadline { after: deadline }.into());
                // Whoever reserves knows that an attempt may go on for this long: see `throttle`.
                match tokio::time::timeout(deadline, deciding).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => drop(self.fail(error)),
                    Err(_) => drop(self.fail(Error::Deadline { after: deadline })),
                }
                return;
            }
        };
        let outcome = match decided {
            Ok(outcome) => outcome,
            Err(error) => self.fail(error),
        };
        self.hold_back(&outcome).await;
        let _ = answer.send(outcome);
    }

    async fn decide(&self, username: String, password: String) -> Result<Outcome, Error> {
        let Credentials { username, password } =
            match Credentials::parse(&username, password, self.current.settings.login.fold) {
                Ok(credentials) => credentials,
                Err(denial) => return self.turn_away(denial).await,
            };
        self.step("parse", username.folded(), "a name and a password");
        if let Some(until) = self.accounts.address_blocked(&self.current, &self.origin).await? {
            return self.throttled(until, &self.address()).await;
        }
        if let Some(account) = self.proved_lately(&username, &password).await? {
            let signed_in = SignedIn { account, session: None, warnings: Vec::new() };
            return Ok(Outcome::Granted(Box::new(signed_in)));
        }
        let asked = self.accounts.0.ambient.now();
        let located = match self.current.directories.locate(&username, self.observer()).await? {
            Answer::Yes(located) => located,
            Answer::No(denial) => {
                self.heard_from_directory();
                return self.nobody(&username, denial).await;
            }
        };
        self.note(located.directory(), located.key());
        let who = self.counted_by(&located).await?;
        if let Some(refused) = self.reserve(who.clone()).await? {
            return Ok(refused);
        }
        let person = match self.prove(located, &password).await? {
            Answer::Yes(person) => person,
            Answer::No(denial) => return self.deny(denial).await,
        };
        match self.current.directories.judge(&person, self.observer()) {
            Verdict::Admitted => {
                let outcome = self.enter(person).await?;
                if let Outcome::Granted(signed_in) = &outcome {
                    self.remember((&username, &password), who, asked, &signed_in.account);
                }
                Ok(outcome)
            }
            Verdict::Refused(denial) => self.deny(denial.after_proof()).await,
        }
    }

    async fn proved_lately(
        &self,
        username: &Username,
        password: &Password,
    ) -> Result<Option<Account>, Error> {
        match self.proved {
            Proved::Now => Ok(None),
            Proved::Lately => self.accounts.proved_lately(&self.current, username, password).await,
        }
    }

    /// For the next request with the same name and password; not where guesses at this name are counted elsewhere than by
    /// the person, as before a template's first login.
    fn remember(&self, typed: (&Username, &Password), who: CounterKey, asked: Time, account: &Account) {
        let person = CounterKey::person(&account.directory, &account.username);
        if self.proved == Proved::Lately && who == person {
            self.current.proofs.keep(typed, who, asked, account);
        }
    }

    /// The password, the account's state and the groups.
    async fn prove(&self, located: Located, password: &Password) -> Result<Answer<Proven>, Error> {
        self.in_time()?;
        self.attempt().counts = true;
        let proof = match located.prove(password, self.observer()).await {
            Ok(Answer::Yes(proof)) => proof,
            Ok(Answer::No(denial)) => {
                self.heard_from_directory();
                return Ok(Answer::No(denial));
            }
            Err(error) => {
                self.attempt().counts = error.bound() && !error.proved();
                return Err(error.into());
            }
        };
        self.heard_from_directory();
        self.attempt().counts = false;
        self.note(proof.directory(), proof.username());
        Ok(Answer::Yes(proof.person(self.observer()).await?))
    }

    /// Lets somebody in whose password was right and whom the directory admits, unless the store or the application will
    /// not have them.
    async fn enter(&self, person: Proven) -> Result<Outcome, Error> {
        self.in_time()?;
        let (start, session) = match self.how.session {
            true => {
                let (start, session) = self.accounts.new_session(self.how.remember_me, &self.origin);
                (Some(start), Some(session))
            }
            false => (None, None),
        };
        let attempt = self.attempt().id;
        let coming = Coming::Login { person: &person, session: start, attempt };
        let audit = self.audit().granted();
        let taken = self.accounts.take_in(&self.current, coming, audit, self.observer()).await;
        match taken {
            Ok(Taken { account }) => {
                self.accounts.0.settled.notify_waiters();
                self.end_replaced().await;
                let warnings = person.warnings().to_vec();
                Ok(Outcome::Granted(Box::new(SignedIn { account, session, warnings })))
            }
            Err(Refused::Denied(denial)) => self.deny(denial.after_proof()).await,
            Err(Refused::Failed(error)) => Err(error),
        }
    }

    /// Nobody bears the name, or several do: counted like a wrong password.
    async fn nobody(&self, username: &Username, denial: Denial) -> Result<Outcome, Error> {
        if let Some(refused) =
            self.reserve(self.accounts.unknown_place(self.current.directories.bare_name(username))).await?
        {
            return Ok(refused);
        }
        self.attempt().counts = true;
        self.finish(denial, Settlement::Wrong).await
    }

    /// What was typed cannot be anybody's: no budget is touched.
    async fn turn_away(&self, denial: Denial) -> Result<Outcome, Error> {
        self.step("parse", &self.told().name, denial.reason().as_str());
        self.finish_cheaply(denial, &self.address()).await
    }

    async fn throttled(&self, until: Time, counted_by: &str) -> Result<Outcome, Error> {
        let retry_after = until.since(self.accounts.0.ambient.now()).max(Duration::from_secs(1));
        let denial = Denial::of(Reason::Throttled).with_detail(format!("until {until}"));
        self.step("throttle", &self.told().name, "refused");
        let outcome = self.finish_cheaply(denial, counted_by).await?;
        match outcome {
            Outcome::Denied { denial, message, .. } => {
                Ok(Outcome::Denied { denial, message, retry_after: Some(retry_after) })
            }
            other => Ok(other),
        }
    }

    /// A refusal after the attempt was reserved.
    async fn deny(&self, denial: Denial) -> Result<Outcome, Error> {
        let settlement = match denial.bound() && !denial.proved() {
            true => Settlement::Wrong,
            false => Settlement::Back,
        };
        self.finish(denial, settlement).await
    }

    /// A refusal that touched no budget, so that nothing keeps it from coming a thousand times a second: the record has
    /// one a minute of each reason and whom it is counted by.
    async fn finish_cheaply(&self, denial: Denial, counted_by: &str) -> Result<Outcome, Error> {
        let Some(left_out) = self.accounts.recorded(denial.reason(), counted_by) else {
            tracing::debug!(username = self.told().name, reason = denial.reason().as_str(), "denied again");
            return Ok(self.denied(denial));
        };
        let denial = match left_out.count {
            0 => denial,
            _ => {
                let detail = format!("{}; {left_out}", denial.detail());
                denial.with_detail(detail.trim_start_matches("; "))
            }
        };
        self.finish(denial, Settlement::Back).await
    }

    async fn finish(&self, denial: Denial, settlement: Settlement) -> Result<Outcome, Error> {
        let id = self.attempt().id;
        let audit = self.audit().denied(&denial);
        self.accounts.settle(&self.current, id, settlement, audit).await?;
        self.attempt().id = None;
        tracing::info!(username = self.told().name, reason = denial.reason().as_str(), "denied");
        tracing::debug!(detail = denial.detail(), "denied");
        Ok(self.denied(denial))
    }

    fn denied(&self, denial: Denial) -> Outcome {
        let message = denial.public_message(self.current.settings.login.show_account_state);
        Outcome::Denied { denial, message, retry_after: None }
    }

    /// Lets a refusal that says nothing wait for the instant that all of them share. What was there to settle is settled.
    async fn hold_back(&self, outcome: &Outcome) {
        let Outcome::Denied { denial, .. } = outcome else { return };
        if denial.proved() || matches!(denial.reason(), Reason::Throttled | Reason::EmptyPassword) {
            return;
        }
        let hold_back = &self.accounts.0.hold_back;
        let (usual, spent) = (hold_back.usual(), self.started.elapsed());
        if denial.bound() {
            hold_back.saw(spent);
        }
        let after = answer_after(usual, spent);
        self.step("answer", &format!("a refusal takes {usual:?}"), &format!("given after {after:?}"));
        tokio::time::sleep_until(self.give_up.min(self.started + after)).await;
    }

    /// A failure: the attempt is settled in the background, since the store may be what failed.
    fn fail(&self, error: Error) -> Outcome {
        let Attempt { id, counts } = *self.attempt();
        let settlement = if counts { Settlement::Wrong } else { Settlement::Back };
        let audit = self.audit().failed(&error);
        let loud = self.accounts.0.logged.tell(0, self.accounts.0.ambient.now());
        match loud {
            Some(LeftOut { count: left_out, .. }) => {
                tracing::error!(fault = %error.fault(), %error, causes = ?error.causes(), left_out, "the login failed");
            }
            None => {
                tracing::debug!(fault = %error.fault(), %error, causes = ?error.causes(), "the login failed");
            }
        }
        let (accounts, current) = (self.accounts.clone(), Arc::clone(&self.current));
        tokio::spawn(async move {
            let within = current.settings.login.deadline;
            let settling = accounts.settle(&current, id, settlement, audit);
            match tokio::time::timeout(within, settling).await {
                Ok(Err(error)) if loud.is_some() => {
                    tracing::error!(%error, "a failed login is missing in the record");
                }
                Ok(Err(error)) => tracing::debug!(%error, "a failed login is missing in the record"),
                _ => {}
            }
        });
        error.into()
    }

    async fn reserve(&self, who: CounterKey) -> Result<Option<Outcome>, Error> {
        self.in_time()?;
        let permit = self.accounts.reserve(&self.current, who.clone(), &self.origin, self.give_up).await?;
        match permit {
            Permit::Go(id) => {
                *self.attempt() = Attempt { id, counts: false };
                Ok(None)
            }
            Permit::Blocked(until) => self.throttled(until, who.as_str()).await.map(Some),
        }
    }

    /// By the directory's name for the person. Where the directory was not searched the name is whatever was typed:
    /// only one that is in the store has a counter of its own, so that made-up names cannot fill the store.
    async fn counted_by(&self, located: &Located) -> Result<CounterKey, Error> {
        let (directory, key) = (located.directory().to_owned(), located.key().to_owned());
        let known = located.was_searched() || {
            let find = Find::Username { directory: directory.clone(), username: key.clone() };
            self.accounts.0.store.account(find).await?.is_some()
        };
        Ok(if known { CounterKey::person(&directory, &key) } else { self.accounts.unknown_place(&key) })
    }

    /// The session that the browser came with ends; should that fail it ends by itself later.
    async fn end_replaced(&self) {
        let Some(digest) = self.how.replaces.as_deref().and_then(|old| self.accounts.cookie_digest(old))
        else {
            return;
        };
        let audit = Audit { event: "session_replaced".to_owned(), ..self.audit() };
        if let Err(error) = self.accounts.0.store.end_sessions(EndSessions::Cookie { digest, audit }).await {
            tracing::warn!(%error, "the session before this login was not ended");
        }
        self.accounts.0.cache.forget_session(digest);
    }

    /// Nothing new is begun after the visitor was told that it took too long.
    fn in_time(&self) -> Result<(), Error> {
        match self.late.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(Error::Deadline { after: self.current.settings.login.deadline }),
        }
    }

    /// What the visitor's address is counted by.
    fn address(&self) -> String {
        self.origin.address.map_or_else(String::new, |address| CounterKey::address(address).to_string())
    }

    fn heard_from_directory(&self) {
        self.accounts.0.answered.store(true, Ordering::Relaxed);
    }

    fn observer(&self) -> &dyn Observer {
        self.how.observer.as_deref().unwrap_or(&Silent)
    }

    fn step(&self, step: &'static str, what: &str, result: &str) {
        crate::admission::tell(self.observer(), step, what, result, Duration::ZERO);
    }

    fn audit(&self) -> Audit {
        let Told { name, directory } = self.told();
        Audit { username: Some(name), directory, ..self.accounts.audit("login", &self.origin) }
    }

    fn note(&self, directory: &str, name: &str) {
        let told = Told { name: name.to_owned(), directory: Some(directory.to_owned()) };
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn told(&self) -> Told {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn attempt(&self) -> std::sync::MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
