//! One connection: requests in, answers out, in one task that waits for both at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use proto::message::{Message, encode};
use proto::{
    Controls, LdapResult, MessageId, PasswordModify, PasswordPolicy, PasswordPolicyError, Request, Response,
    ResultCode, SearchRequest, ServerSession, StartTls,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::searching::{Searching, Wait, lock, pause};
use super::{Duplex, FAREWELL, GARBAGE};
use crate::account_state::Standing;
use crate::directory::Shared;
use crate::journal::Line;
use crate::operation::{self, Identity, Pages, Recognised};
use crate::{Dialect, Fault, Kind, Operation};

/// Bytes that may wait for a peer to read before nothing more is produced.
const HIGH_WATER: usize = 256 * 1024;
/// Answers that searches may have ready.
const READY: usize = 64;
/// Bytes read at once.
const CHUNK: usize = 16 * 1024;
/// Added to the message id by [`Fault::WrongId`].
const ASTRAY: u32 = 1_000_000;

pub(super) struct Connection {
    shared: Arc<Shared>,
    number: u64,
    secure: bool,
    session: ServerSession,
    who: Identity,
    pages: Arc<Mutex<Pages>>,
    input: BytesMut,
    output: BytesMut,
    /// Written to the stream, but maybe not out of its buffers.
    unflushed: bool,
    /// Requests that tasks work on.
    running: HashMap<MessageId, AbortHandle>,
    tasks: JoinSet<MessageId>,
    sender: mpsc::Sender<Reply>,
    replies: mpsc::Receiver<Reply>,
}

/// What a task, or the connection itself, has to say.
pub(super) enum Reply {
    Answer { asked: Asked, response: Response, controls: Controls },
    Close,
}

/// A request that waits for its answer.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    id: MessageId,
    line: Line,
    /// The answer is to carry another message id.
    astray: bool,
}

/// What to do after a request.
#[derive(PartialEq, Eq)]
enum Next {
    Continue,
    Close,
    StartTls,
}

/// Why a stream is not read any more.
enum End {
    /// The peer is gone, or is to be dropped without a word.
    Closed,
    /// What is left to say is said, then the stream is closed.
    Farewell,
    StartTls,
}

/// The bytes of a notice of disconnection.
pub(super) fn notice(result: LdapResult) -> Bytes {
    ServerSession::new(proto::Limits::server()).notice(result)
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, number: u64, secure: bool) -> Self {
        let limits = &shared.settings.limits;
        let session =
            ServerSession::new(proto::Limits { max_frame: limits.frame, ..proto::Limits::server() });
        let pages = Arc::new(Mutex::new(Pages::new(number, limits.paged)));
        let (sender, replies) = mpsc::channel(READY);
        Self {
            shared,
            number,
            secure,
            session,
            who: Identity::Anonymous,
            pages,
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            running: HashMap::new(),
            tasks: JoinSet::new(),
            sender,
            replies,
        }
    }

    /// Serves a stream, and the encrypted one that StartTLS makes of it.
    pub(super) async fn serve(mut self, mut stream: Box<dyn Duplex>) {
        loop {
            let (mut read, mut write) = tokio::io::split(stream);
            match self.converse(&mut read, &mut write).await {
                End::Closed => return,
                End::Farewell => {
                    let _ = timeout(FAREWELL, self.say_all(&mut write)).await;
                    let _ = timeout(FAREWELL, write.shutdown()).await;
                    return;
                }
                End::StartTls => {}
            }
            let Some(tls) = self.shared.settings.tls.clone() else { return };
            let patience = self.shared.settings.limits.frame_time;
            let Ok(Ok(())) = timeout(patience, self.say_all(&mut write)).await else { return };
            let plain = read.unsplit(write);
            let Ok(Ok(encrypted)) = timeout(patience, tls.accept(plain)).await else { return };
            stream = Box::new(encrypted);
            self.secure = true;
        }
    }

    async fn converse(
        &mut self,
        read: &mut (impl AsyncRead + Unpin),
        write: &mut (impl AsyncWrite + Unpin),
    ) -> End {
        let limits = self.shared.settings.limits.clone();
        let mut active = Instant::now();
        let mut partial_since: Option<Instant> = None;
        loop {
            match self.take_requests().await {
                Next::Continue => {}
                Next::Close => return End::Farewell,
                Next::StartTls => return End::StartTls,
            }
            let may_read = self.may_read();
            let now = Instant::now();
            partial_since = partial_since.or(Some(now)).filter(|_| may_read && !self.input.is_empty());
            let late = partial_since.map_or(active + limits.idle, |since| since + limits.frame_time);
            self.input.reserve(CHUNK);
            tokio::select! {
                count = read.read_buf(&mut self.input), if may_read => match count {
                    Ok(0) | Err(_) => return End::Closed,
                    Ok(_) => active = Instant::now(),
                },
                count = push(write, &self.output), if self.unflushed || !self.output.is_empty() => {
                    let Ok(count) = count else { return End::Closed };
                    self.unflushed = count > 0;
                    self.output.advance(count);
                    active = Instant::now();
                }
                Some(reply) = self.replies.recv(), if self.output.len() < HIGH_WATER => match reply {
                    Reply::Answer { asked, response, controls } => self.answer(asked, &response, &controls),
                    Reply::Close => return End::Farewell,
                },
                Some(done) = self.tasks.join_next() => {
                    // Aborted tasks were taken off the list by whoever aborted them.
                    done.into_iter().for_each(|id| drop(self.running.remove(&id)));
                }
                () = sleep_until(late) => {
                    // Who does not read what is there will not read a notice.
                    if !self.output.is_empty() {
                        return End::Closed;
                    }
                    // A search that takes its time is no silence.
                    if partial_since.is_none() && !self.running.is_empty() {
                        active = Instant::now();
                        continue;
                    }
                    let text = "nothing was heard for too long";
                    self.give_notice(LdapResult::new(ResultCode::UNAVAILABLE, text));
                    return End::Farewell;
                }
            }
        }
    }

    /// Takes whole requests off the input.
    async fn take_requests(&mut self) -> Next {
        while self.may_read() {
            match self.session.receive(&mut self.input) {
                Ok(None) => break,
                Ok(Some(message)) => match self.handle(message).await {
                    Next::Continue => {}
                    next => return next,
                },
                Err(error) => {
                    tracing::debug!(connection = self.number, %error, "not LDAP");
                    self.give_notice(LdapResult::new(ResultCode::PROTOCOL_ERROR, error.to_string()));
                    return Next::Close;
                }
            }
        }
        Next::Continue
    }

    fn may_read(&self) -> bool {
        self.running.len() < self.shared.settings.limits.outstanding && self.output.len() < HIGH_WATER
    }

    async fn handle(&mut self, message: Message<Request>) -> Next {
        let Message { id, operation: request, controls } = message;
        let kind = operation::kind(&request);
        let line = self.shared.journal.asked(self.describe(kind, &request));
        let mut asked = Asked { id, line, astray: false };
        match &request {
            Request::Unbind => return Next::Close,
            Request::Abandon(abandoned) => {
                self.abandon(*abandoned);
                return Next::Continue;
            }
            _ => {}
        }
        let (mut delay, mut most) = (Duration::ZERO, None);
        match self.shared.settings.faults.take(kind) {
            None => {}
            Some(Fault::Delay(time)) => delay = time,
            Some(Fault::WrongId) => asked.astray = true,
            Some(Fault::CloseAfter(entries)) if kind == Kind::Search => most = Some(entries),
            Some(Fault::Drop) => return Next::Continue,
            Some(Fault::Close | Fault::CloseAfter(_)) => return Next::Close,
            Some(Fault::Garbage) => {
                self.output.extend_from_slice(GARBAGE);
                return Next::Continue;
            }
            Some(Fault::Answer(result)) => return self.refuse(asked, kind, result, &Recognised::default()),
        }
        let controls = match Recognised::read(kind, &controls) {
            Ok(controls) => controls,
            Err(refusal) => return self.refuse(asked, kind, refusal, &Recognised::default()),
        };
        match request {
            Request::Bind(request) => {
                self.quit_tasks();
                pause(delay).await;
                self.bind(asked, request, &controls).await;
                Next::Continue
            }
            Request::Extended(_) if kind == Kind::StartTls => {
                pause(delay).await;
                self.start_tls(asked)
            }
            request if !self.is_allowed(&request) => {
                let text = "the password must be changed first";
                let result = LdapResult::new(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, text);
                self.refuse(asked, kind, result, &controls)
            }
            Request::Search(request) => {
                self.search(asked, request, controls, Wait { delay, most });
                Next::Continue
            }
            Request::Extended(request)
                if request.oid == PasswordModify::OID && self.knows_password_modify() =>
            {
                pause(delay).await;
                let answer = operation::modify_password(&self.shared, self.who, &request).await;
                self.answer_password(asked, &answer, &controls);
                Next::Continue
            }
            Request::Modify(request) if operation::is_unicode_pwd(&self.shared, &request) => {
                pause(delay).await;
                let answer = operation::modify_unicode_pwd(&self.shared, self.who, &request).await;
                self.answer_password(asked, &answer, &controls);
                Next::Continue
            }
            request if delay.is_zero() => {
                // Done at once, so that changes happen in the order they were asked for.
                let response = operation::perform(&self.shared, self.who, &request, &controls);
                self.answer(asked, &response, &Controls::default());
                Next::Continue
            }
            request => {
                let (shared, who, sender) = (Arc::clone(&self.shared), self.who, self.sender.clone());
                self.spawn(asked.id, async move {
                    pause(delay).await;
                    let response = operation::perform(&shared, who, &request, &controls);
                    let _ =
                        sender.send(Reply::Answer { asked, response, controls: Controls::default() }).await;
                });
                Next::Continue
            }
        }
    }

    async fn bind(&mut self, asked: Asked, request: proto::BindRequest, controls: &Recognised) {
        // RFC 4511 section 4.2.1: whatever becomes of the bind, the old identity is gone.
        self.who = Identity::Anonymous;
        lock(&self.pages).clear();
        let bound = operation::bind(&self.shared, request).await;
        self.who = bound.who;
        let Standing { result, policy, control } = bound.standing;
        let policy = controls.policy.then(|| policy.to_control());
        let told = policy.into_iter().chain(control).collect();
        self.answer(asked, &operation::answer(Kind::Bind, result), &told);
    }

    fn knows_password_modify(&self) -> bool {
        self.shared.settings.dialect != Dialect::ActiveDirectory
    }

    fn answer_password(&mut self, asked: Asked, answer: &operation::PasswordAnswer, controls: &Recognised) {
        let error = answer.policy.filter(|_| controls.policy);
        let policy = error.map(|_| PasswordPolicy { error, ..PasswordPolicy::default() }.to_control());
        self.answer(asked, &answer.response, &policy.into_iter().collect());
    }

    fn start_tls(&mut self, asked: Asked) -> Next {
        let problem = if self.shared.settings.tls.is_none() {
            Some((ResultCode::PROTOCOL_ERROR, "StartTLS is not offered"))
        } else if self.secure {
            Some((ResultCode::OPERATIONS_ERROR, "TLS is there already"))
        } else if !self.running.is_empty() {
            Some((ResultCode::OPERATIONS_ERROR, "other operations are outstanding"))
        } else {
            None
        };
        let result = problem.map_or_else(LdapResult::success, |(code, text)| LdapResult::new(code, text));
        self.answer(asked, &Response::Extended(StartTls::response(result)), &Controls::default());
        if problem.is_none() { Next::StartTls } else { Next::Continue }
    }

    fn search(&mut self, asked: Asked, request: SearchRequest, controls: Recognised, wait: Wait) {
        let task = Searching {
            shared: Arc::clone(&self.shared),
            pages: Arc::clone(&self.pages),
            sender: self.sender.clone(),
            asked,
            wait,
        };
        self.spawn(asked.id, task.run(request, controls));
    }

    fn spawn(&mut self, id: MessageId, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(async move {
            work.await;
            id
        });
        self.running.insert(id, task);
    }

    /// Whether the one who is bound may ask this: somebody who must change their password may only do that.
    fn is_allowed(&self, request: &Request) -> bool {
        let own = match request {
            Request::Modify(request) => operation::is_own_password(&self.shared, self.who, request),
            Request::Extended(_) => true,
            _ => false,
        };
        own || !operation::must_change(&self.shared.tree(), self.who)
    }

    fn refuse(&mut self, asked: Asked, kind: Kind, result: LdapResult, controls: &Recognised) -> Next {
        if kind == Kind::Bind {
            self.quit_tasks();
            self.who = Identity::Anonymous;
            lock(&self.pages).clear();
        }
        let error = Some(PasswordPolicyError::ChangeAfterReset);
        let policy =
            controls.policy.then(|| PasswordPolicy { error, ..PasswordPolicy::default() }.to_control());
        self.answer(asked, &operation::answer(kind, result), &policy.into_iter().collect());
        Next::Continue
    }

    fn answer(&mut self, asked: Asked, response: &Response, controls: &Controls) {
        let bytes = self.session.reply(asked.id, response, controls);
        if bytes.is_empty() {
            return; // abandoned meanwhile
        }
        if let Some(result) = response.result() {
            self.shared.journal.answered(asked.line, result.code);
        }
        if asked.astray {
            let astray = MessageId(asked.id.0.saturating_add(ASTRAY).min(i32::MAX as u32));
            self.output.extend_from_slice(&encode(astray, response, controls));
        } else {
            self.output.extend_from_slice(&bytes);
        }
    }

    fn give_notice(&mut self, result: LdapResult) {
        let bytes = self.session.notice(result);
        self.output.extend_from_slice(&bytes);
    }

    fn abandon(&mut self, id: MessageId) {
        if let Some(task) = self.running.remove(&id) {
            task.abort();
        }
    }

    /// RFC 4511 section 4.2.1: a bind abandons what is outstanding.
    fn quit_tasks(&mut self) {
        self.tasks.abort_all();
        self.running.clear();
    }

    async fn say_all(&mut self, write: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        write.write_all_buf(&mut self.output).await?;
        write.flush().await
    }

    fn describe(&self, kind: Kind, request: &Request) -> Operation {
        let (dn, filter) = match request {
            Request::Bind(request) => (request.name.clone(), None),
            Request::Search(request) => (request.base.clone(), Some(request.filter.to_string())),
            Request::Modify(request) => (request.dn.clone(), None),
            Request::Add(request) => (request.dn.clone(), None),
            Request::Delete(dn) => (dn.clone(), None),
            Request::ModifyDn(request) => (request.dn.clone(), None),
            Request::Compare(request) => (request.dn.clone(), None),
            Request::Extended(request) => (request.oid.clone(), None),
            Request::Unbind | Request::Abandon(_) => (String::new(), None),
        };
        tracing::debug!(connection = self.number, %kind, dn, filter, "asked");
        Operation { connection: self.number, kind, dn, filter, code: None }
    }
}

/// Writes some of the output; when there is none, makes sure that all is out. Nothing is lost when this is dropped.
async fn push(write: &mut (impl AsyncWrite + Unpin), output: &[u8]) -> std::io::Result<usize> {
    if output.is_empty() {
        return write.flush().await.map(|()| 0);
    }
    match write.write(output).await? {
        0 => Err(std::io::ErrorKind::WriteZero.into()),
        count => Ok(count),
    }
}
