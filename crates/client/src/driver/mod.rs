//! The task that owns the socket.
//!
//! Handles send it commands; it writes requests, reads answers and gives each to the caller whose message id it
//! carries. It never waits for one thing alone: reading, writing, deadlines and commands are polled together, so a
//! server that does not read, or a caller that does not listen, holds up nobody else.

mod command;
mod end;
mod page;
mod rest;
mod sasl;
mod sealed;
mod start_tls;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proto::message::{MessageId, Request, Response};
use proto::session::{ClientSession, Event, SessionError};
use proto::{Controls, LdapResult, Limits};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, Sleep, sleep_until};

pub(crate) use command::{Answer, Command, Sink, Start};
pub(crate) use page::{Item, Items, page};
use rest::Rest;
use sasl::Judging;
pub(crate) use sasl::Verdict;
use start_tls::Upgrade;
pub(crate) use state::State;

use crate::connect::{Io, Transport};
use crate::error::{Closed, Error};
use crate::metrics::{FailureKind, Open};

/// Room for reads: little for a connection that hears little, more as long as each read fills it.
const READ: usize = 8 * 1024;
const MOST: usize = 64 * 1024;
/// New room is made when less than this is left.
const LEAST: usize = 4 * 1024;
/// So many commands are obeyed, and so many frames written, at once.
const AT_ONCE: usize = 64;
/// When nothing else is due.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// The task's own things.
pub(crate) struct Driver {
    stream: Box<dyn Io>,
    session: ClientSession,
    inbox: BytesMut,
    /// How much is read at once, and how much could be the last time.
    room: usize,
    asked: usize,
    outbox: VecDeque<Outgoing>,
    flushing: bool,
    commands: mpsc::UnboundedReceiver<Command>,
    /// A command that waits until the socket has been looked at.
    held: Option<Command>,
    waiting: BTreeMap<MessageId, Waiting>,
    /// The page that the entries just read belong to, which are not handed over yet.
    page: Option<MessageId>,
    /// A reader is waited for, and has been since something was read.
    paused: bool,
    rest: Rest,
    /// The handshake that the answer just read asks for.
    upgrade: Option<Upgrade>,
    /// The success of a SASL bind, whose caller has to say whether it is one.
    judging: Option<Judging>,
    state: Arc<State>,
    /// The server's numbers, when a pool counts.
    pub(crate) open: Option<Open>,
    idle: Option<Duration>,
    last_used: Instant,
    last_heard: Instant,
    timer: Pin<Box<Sleep>>,
    /// The last turn read something: look at the rest first, or a flood would starve it.
    just_read: bool,
}

/// A frame on its way out.
struct Outgoing {
    id: Option<MessageId>,
    frame: Bytes,
    written: usize,
}

/// A request whose answer has not come.
struct Waiting {
    ticket: u64,
    operation: &'static str,
    deadline: Instant,
    limit: Duration,
    /// When its first byte was written.
    sent: Option<Instant>,
    /// Bind and StartTLS cannot be abandoned (RFC 4511 section 4.11).
    exclusive: bool,
    sink: Sink,
    _slot: Option<OwnedSemaphorePermit>,
}

enum Turn {
    Read(io::Result<usize>),
    Wrote(io::Result<()>),
    Due,
    Command(Option<Command>),
    Held(Command),
}

/// What went on after a turn.
type Step = Result<(), Closed>;

impl Driver {
    pub(crate) fn new(
        transport: Transport,
        commands: mpsc::UnboundedReceiver<Command>,
        state: Arc<State>,
        idle: Option<Duration>,
    ) -> Driver {
        let now = Instant::now();
        Driver {
            stream: transport.stream,
            session: ClientSession::new(Limits::client()),
            inbox: BytesMut::new(),
            room: READ,
            asked: READ,
            outbox: VecDeque::new(),
            flushing: false,
            commands,
            held: None,
            waiting: BTreeMap::new(),
            page: None,
            paused: false,
            rest: Rest::default(),
            upgrade: None,
            judging: None,
            state,
            open: None,
            idle,
            last_used: now,
            last_heard: now,
            timer: Box::pin(sleep_until(now + FAR)),
            just_read: false,
        }
    }

    /// Works until the connection ends, then tells everybody who waits.
    pub(crate) async fn run(mut self) {
        let reason = loop {
            self.arm();
            let turn = poll_fn(|cx| self.poll_turn(cx)).await;
            if let Err(reason) = self.step(turn).await {
                break reason;
            }
        };
        tracing::debug!(url = self.state.url, reason = %reason, "connection closed");
        self.finish(reason).await;
    }

    /// One thing that can be done now. Reading comes first: a server that has hung up must be noticed before another
    /// request is written to it.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if !self.just_read
            && let Poll::Ready(read) = self.poll_read(cx)
        {
            return Poll::Ready(Turn::Read(read));
        }
        if let Poll::Ready(wrote) = self.poll_write(cx) {
            return Poll::Ready(Turn::Wrote(wrote));
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Turn::Due);
        }
        if let Some(command) = self.held.take() {
            return Poll::Ready(Turn::Held(command));
        }
        if let Poll::Ready(command) = self.commands.poll_recv(cx) {
            return Poll::Ready(Turn::Command(command));
        }
        if self.just_read {
            return self.poll_read(cx).map(Turn::Read);
        }
        Poll::Pending
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.may_wait(cx) {
            self.paused = true;
            return Poll::Pending;
        }
        if self.waiting.len() != 1 {
            self.rest.cancel();
        }
        if !self.rest.is_over(cx) {
            return Poll::Pending;
        }
        if self.inbox.capacity() - self.inbox.len() < LEAST {
            self.inbox.reserve(self.room);
        }
        let room = self.inbox.capacity() - self.inbox.len();
        self.asked = room;
        let read = ready!(pin!(self.stream.read_buf(&mut self.inbox)).poll(cx));
        if read.as_ref().is_ok_and(|count| *count == room) {
            self.room = MOST.min(self.room * 2);
        }
        Poll::Ready(read)
    }

    /// Lets the next read rest for a moment, where a page alone flows in small pieces.
    fn rest_after(&mut self, count: usize, gap: Duration) {
        if self.waiting.len() != 1 {
            return;
        }
        if let Some(Waiting { sink: Sink::Page(page), .. }) = self.waiting.values().next() {
            self.rest.after(count, self.asked, gap, page.progress());
        }
    }

    /// May the socket wait? LDAP has no flow control but TCP's, which is for the connection as a whole: a connection that
    /// serves one search alone goes at its reader's pace.
    fn may_wait(&self, cx: &Context<'_>) -> bool {
        if self.waiting.len() != 1 {
            return false;
        }
        let page = self.waiting.values().next().map(|waiting| &waiting.sink);
        matches!(page, Some(Sink::Page(page)) if page.is_plenty(cx))
    }

    /// Ready when something was written or flushed; pending when there is nothing to write, too.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outbox.is_empty() {
            if !self.flushing {
                return Poll::Pending;
            }
            let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
            self.flushing = false;
            return Poll::Ready(flushed);
        }
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let frames = self.outbox.iter().map(|out| IoSlice::new(&out.frame[out.written..]));
        let count = slices.iter_mut().zip(frames).map(|(slice, frame)| *slice = frame).count();
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count]));
        match written {
            Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => {
                self.written(count);
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// So many bytes of what goes out were taken.
    fn written(&mut self, mut count: usize) {
        let now = Instant::now();
        while count > 0
            && let Some(out) = self.outbox.front_mut()
        {
            if out.written == 0
                && let Some(waiting) = out.id.and_then(|id| self.waiting.get_mut(&id))
            {
                waiting.sent = Some(now);
            }
            let part = count.min(out.frame.len() - out.written);
            (out.written, count) = (out.written + part, count - part);
            if out.written == out.frame.len() {
                self.flushing = true;
                self.outbox.pop_front();
            }
        }
    }

    async fn step(&mut self, turn: Turn) -> Step {
        self.just_read = matches!(turn, Turn::Read(_));
        match turn {
            Turn::Read(Ok(0)) => Err(Closed::ByPeer),
            Turn::Read(Err(error)) | Turn::Wrote(Err(error)) => Err(broken(error)),
            Turn::Read(Ok(count)) => {
                let before = self.last_heard;
                self.receive().await?;
                self.rest_after(count, self.last_heard - before);
                Ok(())
            }
            Turn::Wrote(Ok(())) => Ok(()),
            Turn::Due => self.expire(Instant::now()),
            Turn::Command(Some(command)) if self.waiting.is_empty() && !command.can_be_repeated() => {
                // The connection was at rest. Let the runtime look at the socket before anything is written: a
                // request written to a server that has hung up counts as sent, one not written can go elsewhere. A
                // search that is sent again anyhow need not wait for that.
                self.held = Some(command);
                tokio::task::yield_now().await;
                Ok(())
            }
            Turn::Command(Some(command)) | Turn::Held(command) => self.obey_all(command),
            Turn::Command(None) => Err(Closed::Ours),
        }
    }

    /// What else was asked meanwhile goes out in the same write.
    fn obey_all(&mut self, first: Command) -> Step {
        self.obey(first)?;
        for _ in 1..AT_ONCE {
            // A connection at rest is looked at before the next request is written.
            if self.waiting.is_empty() {
                break;
            }
            let Ok(command) = self.commands.try_recv() else { break };
            self.obey(command)?;
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Start(start) => {
                self.start(*start);
                Ok(())
            }
            Command::Cancel(ticket) => self.cancel(ticket),
            Command::Identify(ticket, reply) => {
                // Who asked may have left.
                let _ = reply.send(self.id_of(ticket));
                Ok(())
            }
            Command::Close(done) => {
                self.held = Some(Command::Close(done));
                Err(Closed::Ours)
            }
        }
    }

    fn start(&mut self, start: Start) {
        let Start { ticket, operation, request, controls, deadline, limit, sink, slot } = start;
        let now = Instant::now();
        if deadline <= now {
            sink.fail(Error::Timeout { url: self.state.url.clone(), operation, limit, sent: false });
            return;
        }
        let exclusive = matches!(*request, Request::Bind(_)) || matches!(sink, Sink::Tls { .. });
        let (id, frame) = match self.session.send(&request, &controls) {
            Ok(sent) => sent,
            Err(source) => {
                if source == SessionError::IdsUsedUp {
                    self.state.suspect.store(true, Ordering::Release);
                }
                return sink.fail(Error::Request { operation, source });
            }
        };
        self.last_used = now;
        self.state.last_id.store(id.0, Ordering::Relaxed);
        self.outbox.push_back(Outgoing { id: Some(id), frame, written: 0 });
        let waiting =
            Waiting { ticket, operation, deadline, limit, sent: None, exclusive, sink, _slot: slot };
        self.waiting.insert(id, waiting);
    }

    fn cancel(&mut self, ticket: u64) -> Step {
        let Some(id) = self.id_of(ticket) else { return Ok(()) };
        self.give_up(id).map(drop)
    }

    fn id_of(&self, ticket: u64) -> Option<MessageId> {
        self.waiting.iter().find(|(_, waiting)| waiting.ticket == ticket).map(|(id, _)| *id)
    }

    /// Stops waiting for an answer and tells the server so.
    fn give_up(&mut self, id: MessageId) -> Result<Option<Waiting>, Closed> {
        let Some(waiting) = self.waiting.remove(&id) else { return Ok(None) };
        if waiting.exclusive {
            let operation = waiting.operation;
            self.waiting.insert(id, waiting);
            return Err(Closed::GivenUp(operation));
        }
        let abandon = self.session.abandon(id);
        let queued = self.outbox.iter().position(|out| out.id == Some(id));
        match queued.filter(|at| self.outbox[*at].written == 0) {
            // What was never written need not be abandoned.
            Some(at) => drop(self.outbox.remove(at)),
            None if abandon.is_empty() => {}
            None => self.outbox.push_back(Outgoing { id: None, frame: abandon, written: 0 }),
        }
        Ok(Some(waiting))
    }

    async fn receive(&mut self) -> Step {
        self.last_heard = Instant::now();
        if std::mem::take(&mut self.paused) {
            self.excuse_readers(self.last_heard);
        }
        loop {
            let before = self.inbox.len();
            let Some(event) = self.session.receive(&mut self.inbox).map_err(broken_rules)? else {
                self.hand_over();
                return Ok(());
            };
            let size = before.saturating_sub(self.inbox.len()) + size_of::<Item>();
            match event {
                Event::Response { id, response, controls, last } => {
                    self.deliver(id, response, controls, last, size)?;
                }
                Event::Disconnected(result) => return Err(Closed::Notice(result)),
                Event::Unsolicited(notice) => {
                    self.refuse_during_start_tls()?;
                    self.state.notices.tell(notice);
                }
            }
            if let Some(upgrade) = self.upgrade.take() {
                self.upgrade(upgrade).await?;
            }
            if let Some(judging) = self.judging.take() {
                self.judge(judging).await?;
            }
        }
    }

    fn deliver(
        &mut self,
        id: MessageId,
        response: Response,
        controls: Controls,
        last: bool,
        size: usize,
    ) -> Step {
        if !last {
            return self.deliver_part(id, response, controls, size);
        }
        self.last_used = Instant::now();
        let Some(waiting) = self.waiting.remove(&id) else { return Ok(()) };
        if let (Some(open), Some(sent)) = (&self.open, waiting.sent) {
            open.meter().answered(self.last_used - sent);
        }
        let answer = Answer { response, controls };
        match waiting.sink {
            Sink::One(reply) => drop(reply.send(Ok(answer))),
            Sink::Page(page) => page.end(answer, &self.state.url, waiting.operation),
            Sink::Nobody => {}
            Sink::Sasl { reply, verdict } => {
                let ended = answer.response.result().is_some_and(LdapResult::is_success);
                self.judging = ended.then_some(Judging { verdict, deadline: waiting.deadline });
                drop(reply.send(Ok(answer)));
            }
            Sink::Tls { reply, tls, host } => {
                let (deadline, limit) = (waiting.deadline, waiting.limit);
                self.upgrade = Some(Upgrade { reply, answer, tls, host, deadline, limit });
            }
        }
        Ok(())
    }

    fn deliver_part(&mut self, id: MessageId, response: Response, controls: Controls, size: usize) -> Step {
        if self.page != Some(id) {
            self.hand_over();
            self.page = Some(id);
        }
        let Some(waiting) = self.waiting.get_mut(&id) else { return Ok(()) };
        if let Sink::Tls { .. } = waiting.sink {
            return Err(Closed::Injected);
        }
        let Sink::Page(page) = &mut waiting.sink else { return Ok(()) };
        let item = match response {
            Response::SearchEntry(entry) if controls.is_empty() => Item::Entry(entry),
            Response::SearchReference(urls) if controls.is_empty() => Item::Reference(urls, size),
            response => Item::Controlled(Box::new((response, controls)), size),
        };
        if page.offer(item, size) {
            return Ok(());
        }
        if let Some(Waiting { sink: Sink::Page(page), .. }) = self.give_up(id)? {
            page.too_much();
        }
        Ok(())
    }

    /// Lets a page's reader have what was read for it. A page that has ended meanwhile has done so itself.
    fn hand_over(&mut self) {
        let waiting = self.page.take().and_then(|id| self.waiting.get_mut(&id));
        if let Some(Waiting { sink: Sink::Page(page), .. }) = waiting {
            page.hand_over();
        }
    }

    /// Between the StartTLS request and the handshake nothing but its answer may come.
    fn refuse_during_start_tls(&self) -> Step {
        let starting = self.waiting.values().any(|waiting| matches!(waiting.sink, Sink::Tls { .. }));
        if starting { Err(Closed::Injected) } else { Ok(()) }
    }

    /// Ends what has waited too long.
    fn expire(&mut self, now: Instant) -> Step {
        if self.paused {
            self.excuse_readers(now);
        }
        let due: Vec<MessageId> =
            self.waiting.iter().filter(|(_, waiting)| waiting.deadline <= now).map(|(id, _)| *id).collect();
        for id in due {
            let gone = self.waiting.get(&id).is_some_and(|waiting| waiting.exclusive);
            let waiting = if gone { self.waiting.remove(&id) } else { self.give_up(id)? };
            let Some(waiting) = waiting else { continue };
            self.count(FailureKind::Timeout);
            if waiting.sent.is_none_or(|sent| self.last_heard <= sent) {
                self.state.suspect.store(true, Ordering::Release);
            }
            let Waiting { operation, limit, sent, sink, .. } = waiting;
            let url = self.state.url.clone();
            sink.fail(Error::Timeout { url, operation, limit, sent: sent.is_some() });
            if gone {
                return Err(Closed::GivenUp(operation));
            }
        }
        match self.idle {
            Some(idle) if self.waiting.is_empty() && self.last_used + idle <= now => Err(Closed::Idle),
            _ => Ok(()),
        }
    }

    fn count(&self, failure: FailureKind) {
        if let Some(open) = &self.open {
            open.meter().failed(failure);
        }
    }

    /// The server has the time again that was its reader's.
    fn excuse_readers(&mut self, now: Instant) {
        for waiting in self.waiting.values_mut() {
            if let Sink::Page(page) = &waiting.sink
                && page.excludes_reader
            {
                waiting.deadline = now + waiting.limit;
            }
        }
    }

    /// Sees to it that the timer rings when something is due. It may ring before: moving it with every operation would
    /// cost more than looking in vain now and then.
    fn arm(&mut self) {
        let first = self.waiting.values().map(|waiting| waiting.deadline).min();
        let idle = self.idle.filter(|_| self.waiting.is_empty()).map(|idle| self.last_used + idle);
        let rings = Some(self.timer.deadline()).filter(|_| !self.timer.is_elapsed());
        match (first.or(idle), rings) {
            (Some(due), Some(rings)) if rings <= due => {}
            (None, Some(_)) => {}
            (due, _) => self.timer.as_mut().reset(due.unwrap_or_else(|| Instant::now() + FAR)),
        }
    }
}

fn broken_rules(error: SessionError) -> Closed {
    match error {
        SessionError::ClearTextAfterStartTls(_) => Closed::Injected,
        error => Closed::Protocol(error),
    }
}

/// A peer that went away without TLS's farewell has closed the connection like any other.
fn broken(error: io::Error) -> Closed {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Closed::ByPeer,
        _ => Closed::Io(error),
    }
}
