//! A search that has no end of its own: what is sent comes out, silence is questioned, dropping it abandons it.

use std::sync::Arc;
use std::time::Duration;

use proto::message::Request;
use proto::{Controls, Entry, LdapResult};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::connection::{Connection, Guard, Operation};
use crate::driver::{Item, Items, Sink, page};
use crate::{Cancelled, Closed, Error, Search};

/// For the driver, which wants a deadline: about thirty years.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The search, from before it is sent to its end.
pub(crate) struct OpenSearch {
    connection: Connection,
    name: &'static str,
    base: String,
    operation: Option<Operation>,
    running: Option<(Items, Guard)>,
    waits: Waits,
    /// When the bounded part ends, known from the first request on.
    deadline: Option<Instant>,
    pulse: Pulse,
}

/// Whether the server is still there.
struct Pulse {
    /// When it last said something, as far as the reader knows: what came after would be waiting.
    heard: Instant,
    /// The question under way. It is a task, so that a reader who looks in now and then does not begin it anew each time.
    asking: Option<JoinHandle<Result<Option<Entry>, Error>>>,
}

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// For the part with an end: the whole of it. `None` when there is none, or it is over.
    pub(crate) bounded: Option<Duration>,
    /// How long the server may be silent before it is asked whether it is still there.
    pub(crate) heartbeat: Option<Duration>,
}

/// What was sent, the end included.
pub(crate) enum Sent {
    Item(Item),
    End(LdapResult, Controls),
}

impl OpenSearch {
    pub(crate) fn new(
        connection: Connection,
        name: &'static str,
        search: Search,
        control: proto::Control,
        waits: Waits,
    ) -> OpenSearch {
        let Search { request, controls, .. } = search;
        let base = request.base.clone();
        let controls = controls.into_iter().chain([control]).collect();
        let operation = Operation::new(name, Request::Search(request), controls);
        OpenSearch {
            connection,
            name,
            base,
            operation: Some(operation),
            running: None,
            waits,
            deadline: None,
            pulse: Pulse { heard: Instant::now(), asking: None },
        }
    }

    /// The next thing; `None` after the end. Safe to be dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<Option<Sent>, Error> {
        let next = self.advance().await;
        if !matches!(next, Ok(Some(Sent::Item(_)))) {
            self.operation = None;
            // Dropping the guard of what is still under way abandons it.
            self.running = None;
        }
        next
    }

    pub(crate) fn heartbeat(&mut self, silence: Option<Duration>) {
        self.waits.heartbeat = silence;
    }

    /// From now on there is nothing to be waited for.
    pub(crate) fn unbounded(&mut self) {
        self.waits.bounded = None;
    }

    /// Has the server cancel it, and waits until it has.
    pub(crate) async fn cancel(mut self) -> Result<Cancelled, Error> {
        let Some((items, guard)) = self.running.take() else { return Ok(Cancelled::Finished) };
        crate::cancel::cancel(&self.connection, items, guard).await
    }

    pub(crate) fn refused(&self, result: LdapResult) -> Error {
        self.connection.refused(self.name, result)
    }

    pub(crate) fn unexpected(&self) -> Error {
        self.connection.unexpected(self.name)
    }

    async fn advance(&mut self) -> Result<Option<Sent>, Error> {
        self.begin().await?;
        let Some((items, _)) = &mut self.running else { return Ok(None) };
        let item = match (self.waits.bounded, self.deadline, self.waits.heartbeat) {
            (Some(limit), Some(deadline), _) => {
                let silence = self.connection.shared.options.timeout;
                let late = self.pulse.heard + silence;
                let (until, limit) = if late < deadline { (late, silence) } else { (deadline, limit) };
                match timeout_at(until, items.next()).await {
                    Ok(item) => item,
                    Err(_) => return Err(self.late(limit)),
                }
            }
            (_, _, Some(heartbeat)) => self.pulse.listen(&self.connection, items, heartbeat).await?,
            _ => items.next().await,
        };
        self.pulse.heard = Instant::now();
        match item {
            Some(Item::Done(done)) => {
                let (result, controls) = (*done)?;
                if let Some((_, guard)) = self.running.take() {
                    guard.disarm();
                }
                Ok(Some(Sent::End(result, controls)))
            }
            Some(Item::TooMuch) => {
                let limit = self.connection.shared.options.max_bytes;
                Err(Error::TooLarge { base: self.base.clone(), limit })
            }
            Some(item) => Ok(Some(Sent::Item(item))),
            // The task that owned the socket is gone without a word.
            None => Err(self.gone()),
        }
    }

    /// Sends it. Dropped half-way, it has done nothing.
    async fn begin(&mut self) -> Result<(), Error> {
        let Some(operation) = &self.operation else { return Ok(()) };
        let operation = Operation {
            name: operation.name,
            request: operation.request.clone(),
            controls: operation.controls.clone(),
        };
        let options = &self.connection.shared.options;
        let (sink, items) = page(options.max_bytes, false);
        let now = Instant::now();
        let turn = now + options.timeout;
        let guard = self.connection.send_lasting(operation, Sink::Page(sink), turn, now + NEVER).await?;
        self.deadline = self.waits.bounded.map(|limit| now + limit);
        self.pulse.heard = now;
        self.operation = None;
        self.running = Some((items, guard));
        Ok(())
    }

    fn late(&self, limit: Duration) -> Error {
        Error::Timeout { url: self.connection.url().to_owned(), operation: self.name, limit, sent: true }
    }

    fn gone(&self) -> Error {
        let source = match self.connection.is_closed() {
            true => self.connection.shared.state.reason(),
            false => Arc::new(Closed::Ours),
        };
        Error::Closed { url: self.connection.url().to_owned(), operation: self.name, sent: true, source }
    }
}

impl Pulse {
    /// Waits for the next item; a server that is silent for too long is asked for its root entry, so that one that is
    /// gone without a farewell is noticed.
    async fn listen(
        &mut self,
        connection: &Connection,
        items: &mut Items,
        heartbeat: Duration,
    ) -> Result<Option<Item>, Error> {
        loop {
            let Some(asking) = &mut self.asking else {
                if let Ok(item) = timeout_at(self.heard + heartbeat, items.next()).await {
                    return Ok(item);
                }
                let connection = connection.clone();
                self.asking = Some(tokio::spawn(async move { connection.read("", &["1.1"]).await }));
                continue;
            };
            let answer = tokio::select! {
                biased;
                item = items.next() => {
                    self.stop();
                    return Ok(item);
                }
                answer = asking => answer,
            };
            self.asking = None;
            match answer {
                Ok(Err(error)) if !matches!(error, Error::Refused { .. }) => return Err(error),
                // Whatever the server thinks of the question, it is there.
                _ => self.heard = Instant::now(),
            }
        }
    }

    fn stop(&mut self) {
        if let Some(asking) = self.asking.take() {
            asking.abort();
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for OpenSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSearch")
            .field("operation", &self.name)
            .field("base", &self.base)
            .field("running", &self.running.is_some())
            .finish_non_exhaustive()
    }
}
