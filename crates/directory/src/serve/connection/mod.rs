//! One connection: requests in, answers out, in one task that waits for both at once.

mod request;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::{Buf as _, Bytes, BytesMut};
use proto::{Controls, LdapResult, MessageId, Response, ResultCode, ServerSession};
use tls::Bindings;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Duplex, FAREWELL};
use crate::directory::Shared;
use crate::journal::Line;
use crate::operation::{Exchange, Identity, Pages};

/// Bytes that may wait for a peer to read before nothing more is produced.
const HIGH_WATER: usize = 256 * 1024;
/// Answers that searches may have ready.
const READY: usize = 64;
/// Bytes read at once.
const CHUNK: usize = 16 * 1024;

pub(super) struct Connection {
    shared: Arc<Shared>,
    number: u64,
    /// What its TLS gives to bind to, where it has TLS.
    bindings: Option<Bindings>,
    session: ServerSession,
    who: Identity,
    /// A SASL bind that waits for its next step.
    exchange: Option<Exchange>,
    /// Binds check passwords and bind nobody.
    fast_bind: bool,
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
    pub(super) fn new(shared: Arc<Shared>, number: u64, bindings: Option<Bindings>) -> Self {
        let limits = &shared.settings.limits;
        let session =
            ServerSession::new(proto::Limits { max_frame: limits.frame, ..proto::Limits::server() });
        let pages = Arc::new(Mutex::new(Pages::new(number, limits.paged)));
        let (sender, replies) = mpsc::channel(READY);
        Self {
            shared,
            number,
            bindings,
            session,
            who: Identity::Anonymous,
            exchange: None,
            fast_bind: false,
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
            self.bindings = Some(encrypted.bindings());
            stream = Box::new(encrypted);
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

    fn give_notice(&mut self, result: LdapResult) {
        let bytes = self.session.notice(result);
        self.output.extend_from_slice(&bytes);
    }

    async fn say_all(&mut self, write: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        write.write_all_buf(&mut self.output).await?;
        write.flush().await
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
