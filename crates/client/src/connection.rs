//! A handle to one connection: cheap to clone, usable from many tasks at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proto::message::{MessageId, Request, Response};
use proto::{Controls, LdapResult};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::connect::Transport;
use crate::control::beside;
use crate::driver::{Answer, Command, Driver, Sink, Start, State};
use crate::metrics::Open;
use crate::options::{Address, Options};
use crate::referral;
use crate::{Error, Reply};

/// How many operations may wait for their answers on one connection; more wait for their turn.
const MOST_OUTSTANDING: usize = 256;

/// A connection to one server. Clones share it; it is closed, politely, when the last is dropped.
///
/// Calls from many tasks are sent at once and answered in any order. Dropping a call's future abandons the
/// operation; dropping a bind's or StartTLS's, which cannot be abandoned, closes the connection.
#[derive(Clone)]
pub struct Connection {
    pub(crate) shared: Arc<Shared>,
    /// What every operation of this handle carries.
    pub(crate) controls: Controls,
    /// How many writes were sent by this handle and those made of it, for who wants to know.
    pub(crate) written: Option<Arc<AtomicU64>>,
}

pub(crate) struct Shared {
    commands: mpsc::UnboundedSender<Command>,
    slots: Arc<Semaphore>,
    tickets: AtomicU64,
    /// Set once it carries look-ups: nobody binds on it any more.
    sealed: AtomicBool,
    pub(crate) state: Arc<State>,
    pub(crate) address: Address,
    pub(crate) options: Options,
}

/// A request, ready to go.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) request: Arc<Request>,
    pub(crate) controls: Controls,
}

impl Operation {
    pub(crate) fn new(name: &'static str, request: impl Into<Arc<Request>>, controls: Controls) -> Operation {
        Operation { name, request: request.into(), controls }
    }
}

impl Connection {
    /// Starts the task that owns the socket.
    pub(crate) fn start(
        transport: Transport,
        address: &Address,
        options: &Options,
        idle: Option<Duration>,
    ) -> Connection {
        let (commands, receiver) = mpsc::unbounded_channel();
        let state = Arc::new(State::new(&address.text, transport.privacy));
        if let Some(bindings) = &transport.bindings {
            state.bindings.get_or_init(|| bindings.clone());
        }
        if let Some(peer) = &transport.peer {
            state.peer.get_or_init(|| peer.clone());
        }
        let mut driver = Driver::new(transport, receiver, state.clone(), idle);
        driver.open = address.meter.clone().map(Open::new);
        tokio::spawn(driver.run());
        let shared = Shared {
            commands,
            slots: Arc::new(Semaphore::new(MOST_OUTSTANDING)),
            tickets: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
            state,
            address: address.clone(),
            options: options.clone(),
        };
        Connection { shared: Arc::new(shared), controls: Controls::default(), written: None }
    }

    /// The server's URL, as it was given.
    pub fn url(&self) -> &str {
        &self.shared.address.text
    }

    /// Has the connection ended? When it has not, it may still end before the next request arrives.
    pub fn is_closed(&self) -> bool {
        self.shared.state.closed.get().is_some() || self.shared.commands.is_closed()
    }

    /// Is everything on this connection encrypted?
    pub fn is_encrypted(&self) -> bool {
        self.shared.state.encrypted.load(Ordering::Acquire)
    }

    /// What an authentication can bind itself to; `None` without TLS.
    pub fn bindings(&self) -> Option<&tls::Bindings> {
        self.shared.state.bindings.get()
    }

    /// Who the server showed itself to be, and by which protocol; `None` without TLS.
    pub fn tls_peer(&self) -> Option<&tls::Peer> {
        self.shared.state.peer.get()
    }

    /// Ends the connection: unbind, then the socket. Operations that wait for answers fail.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.shared.commands.send(Command::Close(done)).is_ok() {
            drop(closed.await);
        }
    }

    /// Ends the connection without waiting for it.
    pub(crate) fn hang_up(&self) {
        let (done, _) = oneshot::channel();
        drop(self.shared.commands.send(Command::Close(done)));
    }

    /// Can nobody but this machine, or nobody at all, listen?
    pub(crate) fn is_private(&self) -> bool {
        self.shared.state.private.load(Ordering::Acquire)
    }

    /// From now on nobody binds on it, whoever has a handle.
    pub(crate) fn seal(&self) {
        self.shared.sealed.store(true, Ordering::Release);
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.shared.sealed.load(Ordering::Acquire)
    }

    /// May new work be given to it?
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_closed() && !self.is_suspect()
    }

    /// Did an operation go unanswered while the server said nothing at all?
    pub(crate) fn is_suspect(&self) -> bool {
        self.shared.state.suspect.load(Ordering::Acquire)
    }

    /// Operations that wait for answers.
    pub(crate) fn load(&self) -> usize {
        MOST_OUTSTANDING - self.shared.slots.available_permits()
    }

    /// Sends a request and waits for its one answer, under the options' timeout. A referral is followed where the options
    /// say so.
    pub(crate) async fn call(&self, operation: Operation) -> Result<Answer, Error> {
        let referrals = self.shared.options.referrals.as_ref();
        let Some(referrals) = referrals.filter(|_| referral::may_follow(&operation.request)) else {
            return self.call_once(operation).await;
        };
        // What this handle carries goes wherever the operation goes: an assertion that is lost on the way asserts nothing.
        let controls = beside(&self.controls, operation.controls);
        let operation = Operation { controls, ..operation };
        let Operation { name, request, controls } = &operation;
        let answer = self.call_once(Operation::new(name, request.clone(), controls.clone())).await?;
        if answer.response.result().is_some_and(|result| result.code.is_referral()) {
            return Box::pin(referral::follow(self, referrals, &operation, answer)).await;
        }
        Ok(answer)
    }

    /// The same on this connection alone.
    pub(crate) async fn call_once(&self, operation: Operation) -> Result<Answer, Error> {
        let limit = self.shared.options.timeout;
        let (reply, answer) = oneshot::channel();
        self.call_by(operation, Sink::One(reply), answer, Instant::now() + limit, limit).await
    }

    /// The same with a sink and a deadline of the caller's; `answer` is the sink's other end.
    pub(crate) async fn call_by(
        &self,
        operation: Operation,
        sink: Sink,
        answer: oneshot::Receiver<Result<Answer, Error>>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Answer, Error> {
        let name = operation.name;
        let written = self.written.as_ref().filter(|_| operation.request.may_write());
        let guard = self.send(operation, sink, deadline, limit).await?;
        let answer = answer.await;
        guard.disarm();
        let answer = answer.unwrap_or_else(|_| Err(self.ended(name)));
        if let (Some(written), Err(error)) = (written, &answer)
            && !error.sent()
        {
            written.fetch_sub(1, Ordering::AcqRel);
        }
        answer
    }

    /// Sends a request whose answers go to a sink. Dropping the guard gives the operation up.
    pub(crate) async fn send(
        &self,
        operation: Operation,
        sink: Sink,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Guard, Error> {
        let name = operation.name;
        let slot = self.slot(name, deadline, limit).await?;
        self.send_now(operation, sink, deadline, limit, Some(slot))
    }

    /// The same for an operation that may go on after the deadline by which its turn has to come.
    pub(crate) async fn send_lasting(
        &self,
        operation: Operation,
        sink: Sink,
        turn: Instant,
        deadline: Instant,
    ) -> Result<Guard, Error> {
        let limit = self.shared.options.timeout;
        let slot = self.slot(operation.name, turn, limit).await?;
        self.send_now(operation, sink, deadline, limit, Some(slot))
    }

    /// Sends a request that nobody waits for.
    pub(crate) fn send_courtesy(&self, operation: Operation) {
        let limit = self.shared.options.timeout;
        if let Ok(guard) = self.send_now(operation, Sink::Nobody, Instant::now() + limit, limit, None) {
            guard.disarm();
        }
    }

    fn send_now(
        &self,
        operation: Operation,
        sink: Sink,
        deadline: Instant,
        limit: Duration,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Result<Guard, Error> {
        let Operation { name, request, controls } = operation;
        if self.shared.options.read_only && request.may_write() {
            return Err(Error::ReadOnly { url: self.url().to_owned(), operation: name });
        }
        let controls = beside(&self.controls, controls);
        let written = self.written.as_ref().filter(|_| request.may_write());
        let ticket = self.shared.tickets.fetch_add(1, Ordering::Relaxed);
        let start = Start { ticket, operation: name, request, controls, deadline, limit, sink, slot };
        match self.shared.commands.send(Command::Start(Box::new(start))) {
            Ok(()) => {
                // Counted now: who drops the call does not learn whether it arrived.
                if let Some(written) = written {
                    written.fetch_add(1, Ordering::AcqRel);
                }
                Ok(Guard { ticket, commands: Some(self.shared.commands.clone()) })
            }
            Err(_) => Err(self.ended(name)),
        }
    }

    async fn slot(
        &self,
        operation: &'static str,
        deadline: Instant,
        limit: Duration,
    ) -> Result<OwnedSemaphorePermit, Error> {
        match timeout_at(deadline, self.shared.slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(self.ended(operation)),
            Err(_) => Err(Error::Timeout { url: self.url().to_owned(), operation, limit, sent: false }),
        }
    }

    /// The connection ended before the request was written.
    fn ended(&self, operation: &'static str) -> Error {
        let source = self.shared.state.reason();
        Error::Closed { url: self.url().to_owned(), operation, sent: false, source }
    }

    pub(crate) fn refused(&self, operation: &'static str, result: LdapResult) -> Error {
        self.refused_with(operation, result, Controls::default())
    }

    /// The same, with what came along.
    pub(crate) fn refused_with(
        &self,
        operation: &'static str,
        result: LdapResult,
        controls: Controls,
    ) -> Error {
        Error::Refused {
            url: self.url().to_owned(),
            operation,
            dn: String::new(),
            result: Box::new(result),
            controls,
        }
    }

    pub(crate) fn unexpected(&self, operation: &'static str) -> Error {
        Error::Unexpected { url: self.url().to_owned(), operation }
    }

    /// For operations whose only good answer is success.
    pub(crate) async fn perform(&self, operation: Operation) -> Result<Reply, Error> {
        let (name, dn) = (operation.name, referral::name(&operation.request).to_owned());
        let answer = self.call(operation).await?;
        match answer.response {
            Response::Add(result)
            | Response::Delete(result)
            | Response::Modify(result)
            | Response::ModifyDn(result) => {
                if result.is_success() {
                    return Ok(Reply { result, controls: answer.controls });
                }
                Err(self.refused_with(name, result, answer.controls).about(&dn))
            }
            _ => Err(self.unexpected(name)),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("url", &self.url())
            .field("encrypted", &self.is_encrypted())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Gives an operation up when it is dropped, unless it has been answered.
///
/// It holds the way to the driver itself: a stream that is dropped together with the last handle abandons first.
pub(crate) struct Guard {
    ticket: u64,
    commands: Option<mpsc::UnboundedSender<Command>>,
}

impl Guard {
    pub(crate) fn disarm(mut self) {
        self.commands = None;
    }

    /// The id under which the operation waits for its answer; `None` when it does not wait any more.
    pub(crate) async fn message_id(&self) -> Option<MessageId> {
        let (reply, id) = oneshot::channel();
        self.commands.as_ref()?.send(Command::Identify(self.ticket, reply)).ok()?;
        id.await.ok().flatten()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(commands) = self.commands.take() {
            drop(commands.send(Command::Cancel(self.ticket)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Privacy;
    use tokio::io::AsyncReadExt;

    fn pooled(idle: Duration) -> (Connection, tokio::io::DuplexStream) {
        let (client, server) = tokio::io::duplex(1024);
        let options = Options::new(["ldap://localhost"]).unwrap();
        let transport =
            Transport { stream: Box::new(client), privacy: Privacy::Local, bindings: None, peer: None };
        (Connection::start(transport, &options.servers[0].clone(), &options, Some(idle)), server)
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_says_farewell_at_its_time() {
        let began = Instant::now();
        let (connection, mut server) = pooled(Duration::from_secs(300));
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 300);
        assert_eq!(bytes, b"\x30\x05\x02\x01\x01\x42\x00", "an unbind request");
        assert!(connection.is_closed());
        assert!(matches!(*connection.shared.state.reason(), crate::Closed::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_under_way_is_not_idleness() {
        let (connection, _server) = pooled(Duration::from_secs(3));
        let error = connection.read("cn=a", &[]).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        assert!(connection.is_suspect() && !connection.is_usable(), "the server said nothing at all");
    }
}
