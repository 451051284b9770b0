//! What every decision about somebody's password has in common: a task of its own, a deadline, an attempt that is counted
//! before it is made, and a refusal that takes as long as any other.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth::{Answer, Credentials, Denial, Located, Observer, Reason, Silent, Username};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::accounts::{Accounts, Current};
use crate::count::Ended;
use crate::holdback::answer_after;
use crate::outcome::{Denied, Origin, SignIn};
use crate::repeat::LeftOut;
use crate::store::{AttemptId, Audit, CounterKey, Find, Settlement};
use crate::throttle::Permit;
use crate::{Error, Task, Time};

impl Accounts {
    /// The beginning of a decision.
    pub(crate) fn login(&self, task: Task, username: &str, origin: &Origin, how: SignIn) -> Arc<Login> {
        let started = Instant::now();
        let current = self.current();
        let give_up = started + current.settings.login.deadline;
        let typed = crate::audit::shortened(username.trim());
        Arc::new(Login {
            accounts: self.clone(),
            current,
            origin: origin.clone(),
            how,
            started,
            give_up,
            told: Mutex::new(Told { task, typed, name: None, directory: None }),
            attempt: Mutex::default(),
            late: AtomicBool::new(false),
        })
    }
}

/// What a decision comes to, of whichever kind.
pub(crate) trait Ending: From<Error> + Send + Sync + 'static {
    /// Why not, where it is a refusal.
    fn denial(&self) -> Option<&Denial>;

    /// How it is counted; `None` for what is no login.
    fn counted(&self) -> Option<Ended>;
}

/// A decision, to be made in a task of its own.
pub(crate) type Deciding<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// One decision under way.
pub(crate) struct Login {
    accounts: Accounts,
    current: Arc<Current>,
    origin: Origin,
    how: SignIn,
    started: Instant,
    give_up: Instant,
    told: Mutex<Told>,
    attempt: Mutex<Attempt>,
    /// The visitor was told that it took too long: nobody is let in any more.
    late: AtomicBool,
}

/// What the record says: what is going on, and with whom, by the directory's name for them once there is one.
#[derive(Clone)]
pub(crate) struct Told {
    task: Task,
    /// May be a password: neither for the record nor for the log.
    typed: String,
    /// Once it is known that it is one.
    name: Option<String>,
    directory: Option<String>,
}

impl Told {
    /// For who typed it, and for the application.
    fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.typed)
    }
}

/// The attempt that was reserved, and what would become of it if the login broke off now.
#[derive(Clone, Copy, Default)]
pub(crate) struct Attempt {
    pub(crate) id: Option<AttemptId>,
    counts: bool,
}

impl Login {
    /// Decides in a task of its own and answers in time.
    pub(crate) async fn run<T: Ending>(self: Arc<Self>, deciding: Deciding<T>) -> T {
        let (answer, answered) = oneshot::channel();
        let under_way = self.accounts.0.under_way.begin();
        let task = async move {
            self.answer(deciding, answer).await;
            drop(under_way);
        };
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

    /// Answers in time, and goes on until the attempt is settled.
    async fn answer<T: Ending>(&self, mut deciding: Deciding<T>, answer: oneshot::Sender<T>) {
        let deadline = self.current.settings.login.deadline;
        let decided = tokio::select! {
            biased;
            decided = &mut deciding => decided,
            () = tokio::time::sleep_until(self.give_up) => {
                self.late.store(true, Ordering::Relaxed);
                self.end(Error::Deadline { after: deadline }.into(), answer);
                // Whoever reserves knows that an attempt may go on for this long: see `throttle`.
                let decided = tokio::select! {
                    decided = tokio::time::timeout(deadline, deciding) => decided.ok(),
                    () = self.accounts.0.under_way.ending() => None,
                };
                match decided {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => drop(self.failed::<T>(error)),
                    None => drop(self.failed::<T>(Error::Deadline { after: deadline })),
                }
                return;
            }
        };
        let outcome = match decided {
            Ok(outcome) => outcome,
            Err(error) => self.failed(error),
        };
        self.hold_back(&outcome).await;
        self.end(outcome, answer);
    }

    /// Counts it, and tells whoever still waits.
    fn end<T: Ending>(&self, outcome: T, answer: oneshot::Sender<T>) {
        if let Some(ended) = outcome.counted() {
            self.accounts.0.meter.login(&ended, self.started.elapsed());
        }
        let _ = answer.send(outcome);
    }

    /// What was typed, unless it is nobody's or the address has used up its budget.
    pub(crate) async fn parse(
        &self,
        username: &str,
        password: String,
    ) -> Result<Result<Credentials, Denied>, Error> {
        let asked = self.accounts.asked_for(username);
        let credentials = match Credentials::parse(&asked, password, self.current.settings.login.fold) {
            Ok(credentials) => credentials,
            Err(denial) => return self.turn_away(denial).await.map(Err),
        };
        self.step("parse", credentials.username.folded(), "a name and a password");
        match self.accounts.address_blocked(&self.current, &self.origin).await? {
            Some(until) => self.throttled(until, &self.address()).await.map(Err),
            None => Ok(Ok(credentials)),
        }
    }

    /// Who is meant, with an attempt reserved for them, and by whom it is counted.
    pub(crate) async fn locate(
        &self,
        username: &Username,
    ) -> Result<Result<(Located, CounterKey), Denied>, Error> {
        let located = match self.current.directories.locate(username, self.observer()).await? {
            Answer::Yes(located) => located,
            Answer::No(denial) => {
                self.heard_from_directory();
                return self.nobody(username, denial).await.map(Err);
            }
        };
        let (who, known) = self.counted_by(&located).await?;
        self.note(located.directory(), known.then_some(located.key()));
        Ok(match self.reserve(who.clone()).await? {
            Some(denied) => Err(denied),
            None => Ok((located, who)),
        })
    }

    /// Now comes a bind. Should it break off, the attempt counts.
    pub(crate) fn about_to_bind(&self) -> Result<(), Error> {
        self.in_time()?;
        self.attempt().counts = true;
        Ok(())
    }

    /// What came of it: after a failure the attempt counts unless it is known to be none; once the password is proved,
    /// [`Login::was_right`] says so.
    pub(crate) fn heard<T>(&self, answer: Result<T, auth::Error>) -> Result<T, Error> {
        match &answer {
            Ok(_) => self.heard_from_directory(),
            Err(error) => self.attempt().counts = error.bound() && !error.proved(),
        }
        Ok(answer?)
    }

    /// Nobody bears the name, or several do: counted like a wrong password.
    async fn nobody(&self, username: &Username, denial: Denial) -> Result<Denied, Error> {
        if let Some(refused) =
            self.reserve(self.accounts.unknown_place(self.current.directories.bare_name(username))).await?
        {
            return Ok(refused);
        }
        self.attempt().counts = true;
        self.finish(denial, Settlement::Wrong).await
    }

    /// What was typed cannot be anybody's: no budget is touched.
    async fn turn_away(&self, denial: Denial) -> Result<Denied, Error> {
        self.step("parse", self.told().shown(), denial.reason().as_str());
        self.finish_cheaply(denial, &self.address()).await
    }

    async fn throttled(&self, until: Time, counted_by: &str) -> Result<Denied, Error> {
        let retry_after = until.since(self.accounts.0.ambient.now()).max(Duration::from_secs(1));
        let denial = Denial::of(Reason::Throttled).with_detail(format!("until {}", until.rounded()));
        self.step("throttle", self.told().shown(), "refused");
        let denied = self.finish_cheaply(denial, counted_by).await?;
        Ok(Denied { retry_after: Some(retry_after), ..denied })
    }

    /// A refusal after the attempt was reserved.
    pub(crate) async fn deny(&self, denial: Denial) -> Result<Denied, Error> {
        let settlement = match denial.bound() && !denial.proved() {
            true => Settlement::Wrong,
            false => Settlement::Back,
        };
        self.finish(denial, settlement).await
    }

    /// A refusal that touched no budget, so that nothing keeps it from coming a thousand times a second: the record has
    /// one a minute of each reason and whom it is counted by.
    async fn finish_cheaply(&self, denial: Denial, counted_by: &str) -> Result<Denied, Error> {
        let Some(left_out) = self.accounts.recorded(denial.reason(), counted_by) else {
            tracing::debug!(username = self.recorded(), reason = denial.reason().as_str(), "denied again");
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

    async fn finish(&self, denial: Denial, settlement: Settlement) -> Result<Denied, Error> {
        self.recognise().await;
        self.settle(settlement, self.audit().denied(&denial)).await?;
        Ok(self.denied(denial))
    }

    /// Ends the attempt, if one was reserved, and writes the audit record.
    pub(crate) async fn settle(&self, settlement: Settlement, audit: Audit) -> Result<(), Error> {
        let id = self.attempt().id;
        self.accounts.settle(&self.current, id, settlement, audit).await?;
        *self.attempt() = Attempt::default();
        Ok(())
    }

    fn denied(&self, denial: Denial) -> Denied {
        let told = self.told();
        self.accounts.0.crier.denied(told.task, told.shown(), &self.origin, &denial);
        let message = denial.public_message(self.current.settings.login.show_account_state);
        Denied { denial, message, retry_after: None }
    }

    /// Lets a refusal that says nothing wait for the instant that all of them share. What was there to settle is settled.
    async fn hold_back(&self, outcome: &impl Ending) {
        let Some(denial) = outcome.denial() else { return };
        if !denial.is_general(self.current.settings.login.show_account_state) {
            return;
        }
        let hold_back = &self.accounts.0.hold_back;
        let (usual, spent) = (hold_back.usual(), self.started.elapsed());
        if denial.bound() && !denial.proved() {
            hold_back.saw(spent);
        }
        let after = answer_after(usual, spent);
        self.step("answer", &format!("a refusal takes {usual:.0?}"), &format!("given after {after:.0?}"));
        tokio::time::sleep_until(self.give_up.min(self.started + after)).await;
    }

    /// A failure: the attempt is settled in the background, since the store may be what failed.
    pub(crate) fn failed<T: From<Error>>(&self, error: Error) -> T {
        let Attempt { id, counts } = *self.attempt();
        let settlement = if counts { Settlement::Wrong } else { Settlement::Back };
        let (told, audit) = (self.told(), self.audit().failed(&error));
        self.accounts.0.crier.failed(told.task, told.shown(), &self.origin, &error);
        let event = told.task.event();
        let loud = self.accounts.0.logged.tell(0, self.accounts.0.ambient.now());
        match loud {
            Some(LeftOut { count: left_out, .. }) => {
                tracing::error!(event, fault = %error.fault(), %error, causes = ?error.causes(), left_out, "the login failed");
            }
            None => {
                tracing::debug!(event, fault = %error.fault(), %error, causes = ?error.causes(), "the login failed");
            }
        }
        let (accounts, current) = (self.accounts.clone(), Arc::clone(&self.current));
        let under_way = accounts.0.under_way.begin();
        let settling = async move {
            let within = current.settings.login.deadline;
            let settling = async {
                let whose = match told.name {
                    Some(_) => None,
                    None => accounts.borne(&current, &told.typed).await,
                };
                let audit = match whose {
                    Some((directory, name)) => {
                        Audit { username: Some(name), directory: Some(directory), ..audit }
                    }
                    None => audit,
                };
                accounts.settle(&current, id, settlement, audit).await
            };
            match tokio::time::timeout(within, settling).await {
                Ok(Err(error)) if loud.is_some() => {
                    tracing::error!(%error, "a failed login is missing in the record");
                }
                Ok(Err(error)) => tracing::debug!(%error, "a failed login is missing in the record"),
                _ => {}
            }
            drop(under_way);
        };
        tokio::spawn(settling.instrument(tracing::Span::current()));
        error.into()
    }

    async fn reserve(&self, who: CounterKey) -> Result<Option<Denied>, Error> {
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

    /// By the directory's name for the person, and whether it is somebody's. Where the directory was not searched the name is
    /// whatever was typed: only one that is in the store has a counter of its own, so that made-up names cannot fill the store.
    async fn counted_by(&self, located: &Located) -> Result<(CounterKey, bool), Error> {
        let (directory, key) = (located.directory().to_owned(), located.key().to_owned());
        let known = located.was_searched() || {
            let find = Find::Username { directory: directory.clone(), username: key.clone() };
            self.accounts.0.store.account(find).await?.is_some()
        };
        let place = || self.accounts.unknown_place(&key);
        Ok((if known { CounterKey::person(&directory, &key) } else { place() }, known))
    }

    /// The password was right: the attempt is none, whatever comes.
    pub(crate) fn was_right(&self) {
        self.attempt().counts = false;
    }

    /// Nothing new is begun after the visitor was told that it took too long.
    pub(crate) fn in_time(&self) -> Result<(), Error> {
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

    pub(crate) fn observer(&self) -> &dyn Observer {
        self.how.observer.as_deref().unwrap_or(&Silent)
    }

    fn step(&self, step: &'static str, what: &str, result: &str) {
        crate::admission::tell(self.observer(), step, what, result, Duration::ZERO);
    }

    /// A record of what is going on.
    pub(crate) fn audit(&self) -> Audit {
        let Told { task, directory, .. } = self.told();
        let username = Some(self.recorded());
        Audit { username, directory, ..self.accounts.audit(task.event(), &self.origin) }
    }

    /// The person's name where it is known; else a mark, since what was typed may be a password.
    pub(crate) fn recorded(&self) -> String {
        let Told { typed, name, .. } = self.told();
        name.unwrap_or_else(|| self.accounts.0.marks.of(&typed))
    }

    /// From now on the record names the directory so, and the person if the name is known to be one.
    pub(crate) fn note(&self, directory: &str, name: Option<&str>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.name = name.map(str::to_owned).or_else(|| told.name.take());
        told.directory = Some(directory.to_owned());
    }

    /// Asks the store whether what was typed is somebody's name, where the directory did not say: an outage must not make
    /// everybody nameless, nor a person's end in the directory.
    async fn recognise(&self) {
        let told = self.told();
        if told.name.is_none()
            && let Some((directory, name)) = self.accounts.borne(&self.current, &told.typed).await
        {
            self.note(&directory, Some(&name));
        }
    }

    /// From now on this is what is being done, for the record and for events.
    pub(crate) fn goes_on_to(&self, task: Task) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).task = task;
    }

    pub(crate) fn told(&self) -> Told {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub(crate) fn current(&self) -> &Current {
        &self.current
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn how(&self) -> &SignIn {
        &self.how
    }

    pub(crate) fn attempt(&self) -> std::sync::MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
