//! What handles ask of the task, and where its answers go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proto::message::{Request, Response};
use proto::{Controls, Entry, LdapResult};
use tls::ClientTls;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

use crate::Error;

/// What handles ask of the task.
pub(crate) enum Command {
    /// Send a request.
    Start(Box<Start>),
    /// Nobody waits for this one any more.
    Cancel(u64),
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
    /// Nobody: the request is a courtesy.
    Nobody,
}

/// An answer that ends an operation.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    pub(crate) controls: Controls,
}

/// The driver's end of a search stream.
pub(crate) struct PageSink {
    pub(crate) items: mpsc::UnboundedSender<Item>,
    /// Bytes sent and not yet taken.
    pub(crate) backlog: Arc<AtomicUsize>,
    pub(crate) max_bytes: usize,
}

/// What a page is made of; a size is the whole message's in bytes, and the item's own.
#[derive(Debug)]
pub(crate) enum Item {
    Entry(Entry, usize),
    Reference(Vec<String>, usize),
    /// More than may wait; nothing comes after it.
    TooMuch,
    Done(Result<(LdapResult, Controls), Error>),
}

impl Sink {
    pub(super) fn fail(self, error: Error) {
        match self {
            Sink::One(reply) | Sink::Tls { reply, .. } => drop(reply.send(Err(error))),
            Sink::Page(page) => page.fail(error),
            Sink::Nobody => {}
        }
    }
}

impl PageSink {
    /// Hands an item over, unless too many bytes wait already.
    pub(super) fn offer(&self, item: Item, size: usize) -> bool {
        if self.backlog.fetch_add(size, Ordering::AcqRel) + size > self.max_bytes {
            return false;
        }
        // A stream that was dropped says so by a command of its own.
        drop(self.items.send(item));
        true
    }

    pub(super) fn end(self, answer: Answer, url: &str, operation: &'static str) {
        let done = match answer.response {
            Response::SearchDone(result) => Ok((result, answer.controls)),
            _ => Err(Error::Unexpected { url: url.to_owned(), operation }),
        };
        drop(self.items.send(Item::Done(done)));
    }

    pub(super) fn too_much(self) {
        drop(self.items.send(Item::TooMuch));
    }

    pub(super) fn fail(self, error: Error) {
        drop(self.items.send(Item::Done(Err(error))));
    }
}
