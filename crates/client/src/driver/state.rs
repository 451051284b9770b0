//! What the task and its handles both see.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use proto::sasl::SecurityLayer;

use crate::connect::Privacy;
use crate::error::{Closed, Error};
use crate::notification::Notices;

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
    /// Who the server showed itself to be, once there is TLS.
    pub(crate) peer: OnceLock<tls::Peer>,
    pub(crate) notices: Notices,
    /// The id of the last request.
    pub(crate) last_id: AtomicU32,
    /// Who was proved last.
    bound: Mutex<Option<String>>,
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
            peer: OnceLock::new(),
            notices: Notices::default(),
            last_id: AtomicU32::new(0),
            bound: Mutex::default(),
        }
    }

    /// A layer is about to begin: whatever is asked of the task from now on goes through it.
    pub(crate) fn begin_layer(&self, layer: &dyn SecurityLayer) {
        self.layered.store(true, Ordering::Release);
        if layer.is_confidential() {
            self.encrypted.store(true, Ordering::Release);
            self.private.store(true, Ordering::Release);
        }
    }

    /// A bind was answered: from now on the connection is this one's, or nobody's.
    pub(crate) fn bind(&self, name: Option<String>) {
        *self.bound.lock().unwrap_or_else(PoisonError::into_inner) = name.filter(|name| !name.is_empty());
    }

    /// Who was proved last.
    pub(crate) fn bound(&self) -> Option<String> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
