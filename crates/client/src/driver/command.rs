//! What handles ask of the task, and where its answers go.

use std::sync::Arc;
use std::time::Duration;

use proto::Controls;
use proto::message::{MessageId, Request, Response};
use tls::ClientTls;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::page::PageSink;
use super::sasl::Verdict;
use crate::Error;

/// What handles ask of the task.
pub(crate) enum Command {
    /// Send a request.
    Start(Box<Start>),
    /// Nobody waits for this one any more.
    Cancel(u64),
    /// Under which message id does this one wait?
    Identify(u64, oneshot::Sender<Option<MessageId>>),
    /// Say farewell and close.
    Close(oneshot::Sender<()>),
}

/// One request.
pub(crate) struct Start {
    /// The handle's own number for it: message ids are the session's.
    pub(crate) ticket: u64,
    pub(crate) operation: &'static str,
    pub(crate) request: Arc<Request>,
    pub(crate) controls: Controls,
    pub(crate) deadline: Instant,
    /// What the deadline was made of, for the message.
    pub(crate) limit: Duration,
    pub(crate) sink: Sink,
    /// Held until the operation is over.
    pub(crate) slot: Option<OwnedSemaphorePermit>,
}

/// Who gets the answers.
pub(crate) enum Sink {
    /// One answer.
    One(oneshot::Sender<Result<Answer, Error>>),
    /// A page of a search.
    Page(PageSink),
    /// StartTLS: the handshake follows the answer.
    Tls { reply: oneshot::Sender<Result<Answer, Error>>, tls: ClientTls, host: String },
    /// A step of a SASL bind: after success nothing is read before the caller has judged it.
    Sasl { reply: oneshot::Sender<Result<Answer, Error>>, verdict: oneshot::Receiver<Verdict> },
    /// Nobody: the request is a courtesy.
    Nobody,
}

/// An answer that ends an operation.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    pub(crate) controls: Controls,
}

impl Command {
    /// Would another connection do as well, should this one turn out to be dead?
    pub(super) fn can_be_repeated(&self) -> bool {
        matches!(self, Command::Start(start) if matches!(&start.sink, Sink::Page(page) if page.can_be_repeated))
    }
}

impl Sink {
    pub(super) fn fail(self, error: Error) {
        match self {
            Sink::One(reply) | Sink::Tls { reply, .. } | Sink::Sasl { reply, .. } => {
                drop(reply.send(Err(error)))
            }
            Sink::Page(page) => page.fail(error),
            Sink::Nobody => {}
        }
    }
}
