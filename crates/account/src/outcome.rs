//! What a login comes to.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth::{Denial, Objection, Observer, Warning};

use crate::{Account, Error, Fault};

/// Where a request came from, for throttling and the audit record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The visitor's address, after trusted proxies; `None` on the command line, which is counted by person only.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// The request's own id, which the log carries too.
    pub request_id: Option<String>,
}

/// What a door wants of a login.
#[derive(Clone, Default)]
pub struct SignIn {
    /// Starts a session.
    pub session: bool,
    /// The visitor asked to stay signed in; counts only where that is offered.
    pub remember_me: bool,
    /// The cookie the visitor came with: its session ends when the login is granted.
    pub replaces: Option<String>,
    /// Is told every step.
    pub observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("session", &self.session)
            .field("remember_me", &self.remember_me)
            .finish_non_exhaustive()
    }
}

/// What a login comes to. A wrong password is an answer; a directory that cannot be asked is a failure.
#[derive(Debug)]
pub enum Outcome {
    /// Come in.
    Granted(Box<SignedIn>),
    /// No.
    Denied(Denied),
    /// It could not be decided.
    Failed {
        /// Who must act.
        fault: Fault,
        /// What failed.
        message: String,
        /// Why, nearest cause first.
        causes: Vec<String>,
    },
}

/// What changing a password comes to.
#[derive(Debug)]
pub enum PasswordOutcome {
    /// It is changed, and what signing in with the new one came to.
    Changed(Box<Outcome>),
    /// The new one is not taken.
    Unfit(Objection),
    /// The old one is not proved, or the account may not.
    Denied(Denied),
    /// It could not be decided.
    Failed {
        /// Who must act.
        fault: Fault,
        /// What failed.
        message: String,
        /// Why, nearest cause first.
        causes: Vec<String>,
        /// The server may have taken the new password all the same: nobody knows.
        may_have_changed: bool,
    },
}

/// A refusal.
#[derive(Debug)]
pub struct Denied {
    /// Why, for the operator.
    pub denial: Denial,
    /// All a visitor is told.
    pub message: &'static str,
    /// When it makes sense to try again, if that is known: the attempt was throttled.
    pub retry_after: Option<Duration>,
}

impl From<Denied> for Outcome {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Denied> for PasswordOutcome {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Error> for PasswordOutcome {
    fn from(error: Error) -> Self {
        let may_have_changed = error.may_have_changed();
        let (fault, message, causes) = (error.fault(), error.to_string(), error.causes());
        Self::Failed { fault, message, causes, may_have_changed }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::Failed { fault: error.fault(), message: error.to_string(), causes: error.causes() }
    }
}

/// Somebody who signed in just now.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub account: Account,
    /// The session, if the door wanted one.
    pub session: Option<NewSession>,
    /// What the directory has to say to the person.
    pub warnings: Vec<Warning>,
}

/// A session that was started just now.
pub struct NewSession {
    /// What the browser is to bring: a random id and its MAC, of letters, digits, `-`, `_` and `.` only.
    pub cookie: String,
    /// When it ends whatever happens.
    pub expires: SystemTime,
    /// The cookie is to outlive the browser's window.
    pub persistent: bool,
}

/// The cookie stays out of logs.
impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What a look-up without a password comes to.
#[derive(Debug)]
pub enum Lookup {
    /// The person, whose account is up to date now.
    Found {
        /// Who.
        account: Box<Account>,
        /// What a login would fail for at the moment although nobody shut the person out: a lock, or the password's age.
        hindrance: Option<Denial>,
    },
    /// Nobody, or nobody who may be in the store.
    Denied(Denial),
}
