//! The end of a SASL bind (RFC 4422 section 3.7): whether it was one, and the layer that begins with it.

use proto::sasl::SecurityLayer;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::sealed::Sealed;
use super::{Driver, Step};
use crate::error::Closed;

/// The caller's word that the server has proved itself, with the layer that was agreed on.
pub(crate) type Verdict = Option<Box<dyn SecurityLayer>>;

/// A success that waits for it.
pub(super) struct Judging {
    pub(super) verdict: oneshot::Receiver<Verdict>,
    pub(super) deadline: Instant,
}

impl Driver {
    /// Waits for the verdict. Without one the connection ends: nobody knows who the server is, or how to read what it sends.
    pub(super) async fn judge(&mut self, judging: Judging) -> Step {
        let Ok(Ok(verdict)) = timeout_at(judging.deadline, judging.verdict).await else {
            return Err(Closed::GivenUp("SASL bind"));
        };
        match verdict {
            None => Ok(()),
            Some(layer) => self.seal(layer),
        }
    }

    /// Puts the layer between socket and session. What was read beyond the answer belongs to it already.
    fn seal(&mut self, layer: Box<dyn SecurityLayer>) -> Step {
        if !self.outbox.is_empty() {
            // A server that answered before it had the whole request.
            return Err(Closed::GivenUp("SASL bind"));
        }
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        self.stream = Box::new(Sealed::new(plain, layer, self.inbox.split()));
        Ok(())
    }
}
