//! What the task and its handles both see.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use crate::connect::Privacy;
use crate::error::{Closed, Error};

/// One connection's facts.
pub(crate) struct State {
    pub(crate) url: String,
    pub(crate) closed: OnceLock<Arc<Closed>>,
    /// An operation went unanswered while nothing at all came from the server: no new work should go here.
    pub(crate) suspect: AtomicBool,
    pub(crate) private: AtomicBool,
    pub(crate) encrypted: AtomicBool,
    /// A SASL security layer is in place.
    pub(crate) layered: AtomicBool,
    /// What an authentication can bind itself to, once there is TLS.
    pub(crate) bindings: OnceLock<tls::Bindings>,
}

impl State {
    pub(crate) fn new(url: &str, privacy: Privacy) -> State {
        State {
            url: url.to_owned(),
            closed: OnceLock::new(),
            suspect: AtomicBool::new(false),
            private: AtomicBool::new(privacy != Privacy::Open),
            encrypted: AtomicBool::new(privacy == Privacy::Encrypted),
            layered: AtomicBool::new(false),
            bindings: OnceLock::new(),
        }
    }

    /// Why the connection ended; a task that was torn down with its runtime gave no reason.
    pub(crate) fn reason(&self) -> Arc<Closed> {
        self.closed.get().cloned().unwrap_or_else(|| Arc::new(Closed::Ours))
    }

    /// An operation that the end of the connection left without an answer.
    pub(super) fn ended(&self, operation: &'static str, sent: bool) -> Error {
        Error::Closed { url: self.url.clone(), operation, sent, source: self.reason() }
    }
}
