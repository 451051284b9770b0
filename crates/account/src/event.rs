//! What an application may hear of: who was taken in, who was refused, what failed. Nobody waits for who listens.

use std::fmt;
use std::sync::Arc;

use auth::Denial;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::accounts::Accounts;
use crate::{Account, Error, Fault, Lookup, Origin};

/// So many events wait for a listener that is slow; then the oldest are dropped.
const WAITING: usize = 1024;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Task {
    /// Somebody signed in, also with a password that they had just changed: [`Accounts::sign_in`],
    /// [`Accounts::check_password`].
    Authenticate,
    /// Somebody changed the password: [`Accounts::change_password`]. The sign-in that follows is one by itself.
    ChangePassword,
    /// Somebody was looked up without a password: [`Accounts::look_up`].
    Populate,
    /// Somebody was looked at again: [`Accounts::revalidate`], [`Accounts::sync`].
    Revalidate,
    /// The permissions of somebody whom something else signed in: [`Accounts::external`].
    Permissions,
}

impl Task {
    /// What the audit record calls it.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::Authenticate => "login",
            Self::ChangePassword => "password_change",
            Self::Populate => "look_up",
            Self::Revalidate => "refresh",
            Self::Permissions => "external",
        }
    }
}

/// Something that happened to a person here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// What the directory said of a person is in the store now.
    Populated {
        /// What was being done.
        task: Task,
        /// The account as it is now.
        account: Box<Account>,
        /// It was made just now.
        created: bool,
    },
    /// Somebody was refused, and their account is as it was. Of a sign-in or a change of password it is in the audit record
    /// too; of the others nothing is written.
    Denied {
        /// What was being done.
        task: Task,
        /// The directory's name for the person where it is known, else what was typed.
        username: String,
        /// Where it came from.
        origin: Origin,
        /// Why, for the operator: a visitor must not read it.
        denial: Denial,
    },
    /// Something could not be decided: nobody was denied.
    Failed {
        /// What was being done.
        task: Task,
        /// As in a denial.
        username: String,
        /// Where it came from.
        origin: Origin,
        /// Who must act.
        fault: Fault,
        /// What failed.
        message: String,
        /// Why, nearest cause first.
        causes: Vec<String>,
    },
}

/// What [`Events::next`] brings.
#[derive(Clone, Debug)]
pub enum Heard {
    /// This happened.
    Event(Arc<Event>),
    /// The listener was too slow: so many events before the next one were dropped.
    Missed(u64),
}

/// A listener's end. Events are kept from the moment it was made, at most 1,024 of them: when more wait, the oldest are
/// dropped, and [`Heard::Missed`] says how many. The audit record drops nothing.
pub struct Events(broadcast::Receiver<Arc<Event>>);

impl Events {
    /// The next event, in the order in which they happened; `None` once nothing can happen any more, because the last
    /// [`Accounts`] is gone.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(event) => Some(Heard::Event(event)),
            Err(RecvError::Lagged(missed)) => Some(Heard::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("waiting", &self.0.len()).finish()
    }
}

/// Where events are called out.
pub(crate) struct Crier(broadcast::Sender<Arc<Event>>);

impl Default for Crier {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl Crier {
    /// Calls an event out, if anybody listens. Never waits.
    pub(crate) fn call(&self, event: impl FnOnce() -> Event) {
        if self.0.receiver_count() > 0 {
            // A listener that left meanwhile has missed nothing.
            let _ = self.0.send(Arc::new(event()));
        }
    }

    pub(crate) fn denied(&self, task: Task, username: &str, origin: &Origin, denial: &Denial) {
        self.call(|| Event::Denied {
            task,
            username: username.to_owned(),
            origin: origin.clone(),
            denial: denial.clone(),
        });
    }

    pub(crate) fn failed(&self, task: Task, username: &str, origin: &Origin, error: &Error) {
        self.call(|| Event::Failed {
            task,
            username: username.to_owned(),
            origin: origin.clone(),
            fault: error.fault(),
            message: error.to_string(),
            causes: error.causes(),
        });
    }
}

impl Accounts {
    /// Listens to what happens to people from now on. Whatever a listener does, no login fails or waits for it.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.0.crier.0.subscribe())
    }

    /// Calls out what a look-up came to, unless it was saved: that was called out where it was.
    pub(crate) fn call_out(
        &self,
        task: Task,
        username: &str,
        origin: &Origin,
        looked: &Result<Lookup, Error>,
    ) {
        let username = crate::audit::shortened(username.trim());
        match looked {
            Ok(Lookup::Found { .. }) => {}
            Ok(Lookup::Denied(denial)) => self.0.crier.denied(task, &username, origin, denial),
            Err(error) => self.0.crier.failed(task, &username, origin, error),
        }
    }
}
