//! Listening: connections come in, each gets a task of its own.

mod connection;
mod searching;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proto::{LdapResult, ResultCode};
use tls::ServerTls;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::directory::Shared;
use crate::{Fault, Kind};
use connection::Connection;

/// How long a last word may take to be written.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long to wait when the system cannot accept, out of file descriptors for instance.
const RESPITE: Duration = Duration::from_millis(50);
/// No LDAP message begins like this.
pub(super) const GARBAGE: &[u8] = b"\xff\x00HTTP/1.1 400 Bad Request\r\n\r\n";

/// How a listener's connections begin.
pub(crate) enum Scheme {
    Ldap,
    Ldaps(ServerTls),
}

/// A socket, an encrypted socket, or a pipe.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// A listening server. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    scheme: &'static str,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// `ldap://127.0.0.1:PORT`, or `ldaps://`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and closes all connections that came in here; returns when that is done.
    pub async fn stop(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

pub(crate) fn start(shared: Arc<Shared>, listener: TcpListener, scheme: Scheme) -> Running {
    let address = listener.local_addr().expect("a bound listener has an address");
    let (name, tls) = match scheme {
        Scheme::Ldap => ("ldap", None),
        Scheme::Ldaps(tls) => ("ldaps", Some(tls)),
    };
    // Nothing is ever sent: the channel closes when `Running` is stopped or dropped.
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(accept(shared, listener, tls, stopped));
    Running { address, scheme: name, stop, task }
}

async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    tls: Option<ServerTls>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    // Answers are small and somebody waits for each.
                    let _ = socket.set_nodelay(true);
                    connections.spawn(stream(Arc::clone(&shared), Box::new(socket), tls.clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot accept");
                    sleep(RESPITE).await;
                }
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Serves one stream to its end, within the limit on connections. It is counted, and takes its fault, at once.
pub(crate) fn stream(
    shared: Arc<Shared>,
    stream: Box<dyn Duplex>,
    tls: Option<ServerTls>,
) -> impl Future<Output = ()> + Send + 'static {
    let fault = shared.settings.faults.take(Kind::Connect);
    serve(Guest::enter(shared), stream, tls, fault)
}

async fn serve(guest: Guest, mut stream: Box<dyn Duplex>, tls: Option<ServerTls>, fault: Option<Fault>) {
    let shared = &guest.shared;
    match fault {
        None | Some(Fault::WrongId) => {}
        Some(Fault::Delay(time)) => sleep(time).await,
        Some(Fault::Close | Fault::CloseAfter(_)) => return,
        Some(Fault::Drop) => return ignore(shared, stream).await,
        Some(Fault::Garbage) => return last_words(stream, GARBAGE).await,
        Some(Fault::Answer(result)) => return last_words(stream, &connection::notice(result)).await,
    }
    if guest.is_too_many {
        let result = LdapResult::new(ResultCode::BUSY, "too many connections");
        return last_words(stream, &connection::notice(result)).await;
    }
    let mut bindings = None;
    if let Some(tls) = tls {
        let Ok(Ok(encrypted)) = timeout(shared.settings.limits.frame_time, tls.accept(stream)).await else {
            return;
        };
        bindings = Some(encrypted.bindings());
        stream = Box::new(encrypted);
    }
    Connection::new(Arc::clone(shared), guest.number, bindings).serve(stream).await;
}

/// Reads and never answers.
async fn ignore(shared: &Shared, mut stream: Box<dyn Duplex>) {
    let mut buffer = [0; 1024];
    let idle = shared.settings.limits.idle;
    while matches!(timeout(idle, stream.read(&mut buffer)).await, Ok(Ok(1..))) {}
}

async fn last_words(mut stream: Box<dyn Duplex>, words: &[u8]) {
    let _ = timeout(FAREWELL, async {
        stream.write_all(words).await?;
        stream.shutdown().await
    })
    .await;
}

/// A connection that is counted as long as it is open.
struct Guest {
    shared: Arc<Shared>,
    number: u64,
    is_too_many: bool,
}

impl Guest {
    fn enter(shared: Arc<Shared>) -> Self {
        let before = shared.open.fetch_add(1, Ordering::Relaxed);
        let is_too_many = before >= shared.settings.limits.connections;
        Self { number: shared.journal.connected(), shared, is_too_many }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
        self.shared.journal.disconnected();
    }
}
