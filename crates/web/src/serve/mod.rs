//! The serve loop: accepts, hand-shakes, hands requests to a router, and ends what is too slow, too much or over.
//!
//! `axum::serve` never times out a silent or half-sent header; here every wait of a connection has a deadline
//! ([`Activity`] keeps them), the number of connections is limited, and a stop lets running requests finish.

mod activity;
mod stream;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutBody;

use crate::address::Peer;
use crate::rejection::Rejection;
use activity::{Activity, Expired};
use stream::Watched;

/// How long the loop rests when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long no slot is left before resting connections are asked for theirs, and between two such calls.
const ROOM_PAUSE: Duration = Duration::from_millis(100);
/// The most bytes of an HTTP/1 request head.
const HEAD_LIMIT: usize = 64 * 1024;

/// How [`serve()`] serves. Every field has a default.
pub struct ServeOptions {
    /// The certificate to serve with; without one the listener speaks plain http.
    pub tls: Option<tls::ServerTls>,
    /// TLS handshake and the head of a request, each: from the connection's start, or from the first byte of a later request.
    pub header_timeout: Duration,
    /// Between two requests of one connection.
    pub idle_timeout: Duration,
    /// Without a byte of a request's body, or without a byte of the answer being taken.
    pub stall_timeout: Duration,
    /// Connections at the same time; more wait to be accepted.
    pub connections: usize,
    /// How long running requests may go on after `shutdown`.
    pub grace: Duration,
    /// Ends the loop when it is ready.
    pub shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            tls: None,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            connections: 800,
            grace: Duration::from_secs(10),
            shutdown: Box::pin(std::future::pending()),
        }
    }
}

impl ServeOptions {
    /// Stops when `shutdown` is ready.
    #[must_use]
    pub fn until(mut self, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Box::pin(shutdown);
        self
    }
}

impl std::fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeOptions")
            .field("tls", &self.tls)
            .field("header_timeout", &self.header_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("stall_timeout", &self.stall_timeout)
            .field("connections", &self.connections)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// The limits of one connection.
#[derive(Debug, Clone, Copy)]
struct Limits {
    header: Duration,
    idle: Duration,
    stall: Duration,
}

/// Serves `router` on `listener` until `options.shutdown` is ready and the running requests are done or out of grace.
///
/// Every request carries a [`Peer`] and axum's `ConnectInfo<SocketAddr>` as extensions.
///
/// # Errors
/// When the listener's address cannot be read. A single connection's failure ends that connection alone.
pub async fn serve(listener: TcpListener, router: Router, options: ServeOptions) -> io::Result<()> {
    let ServeOptions { tls, header_timeout, idle_timeout, stall_timeout, connections, grace, mut shutdown } =
        options;
    let limits = Limits { header: header_timeout, idle: idle_timeout, stall: stall_timeout };
    let address = listener.local_addr()?;
    tracing::info!(%address, tls = tls.is_some(), "listening");
    let router = router.layer(CatchPanicLayer::custom(panicked));
    let slots = Arc::new(Semaphore::new(connections.max(1)));
    let (stop, stopping) = watch::channel(false);
    let (crowd, crowded) = watch::channel(());
    let mut running = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = running.join_next() => { report(ended); continue }
            accepted = accept(&listener, &slots, &crowd) => accepted,
        };
        let (socket, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (router, tls) = (router.clone(), tls.clone());
        let calls = Calls { stopping: stopping.clone(), crowded: crowded.clone() };
        running.spawn(async move {
            connection(socket, peer, tls, router, limits, calls).await;
            drop(slot);
        });
    }
    drop(listener);
    tracing::info!(%address, connections = running.len(), "stopping");
    let _ = stop.send(true);
    let drained = async { while running.join_next().await.is_some() {} };
    if timeout(grace, drained).await.is_err() {
        tracing::warn!(%address, connections = running.len(), "requests cut off: the grace is over");
        running.shutdown().await;
    }
    Ok(())
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// What every connection listens for besides its peer.
#[derive(Clone)]
struct Calls {
    stopping: watch::Receiver<bool>,
    /// No slot is left: connections that only rest give theirs up.
    crowded: watch::Receiver<()>,
}

/// Waits for a slot first: a future that is dropped here must not have taken a visitor's connection with it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    crowd: &watch::Sender<()>,
) -> io::Result<Accepted> {
    let slot = loop {
        match timeout(ROOM_PAUSE, Arc::clone(slots).acquire_owned()).await {
            Ok(slot) => break slot.map_err(io::Error::other)?,
            Err(_) => crowd.send_replace(()),
        }
    };
    let (socket, peer) = listener.accept().await?;
    Ok((socket, peer, slot))
}

/// A handler's panic is the answer of one request, not the end of everybody's connection.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    tracing::error!("a request's handler panicked");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = Rejection::Internal.status();
    response
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked");
    }
}

async fn connection(
    socket: TcpStream,
    address: SocketAddr,
    tls: Option<tls::ServerTls>,
    router: Router,
    limits: Limits,
    calls: Calls,
) {
    let _ = socket.set_nodelay(true);
    let peer = Peer { address, tls: tls.is_some() };
    let Some(tls) = tls else { return drive(socket, peer, router, limits, calls).await };
    match timeout(limits.header, tls.accept(socket)).await {
        Ok(Ok(stream)) => drive(stream, peer, router, limits, calls).await,
        Ok(Err(error)) => tracing::debug!(peer = %address, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(peer = %address, "TLS handshake timed out"),
    }
}

async fn drive<S>(stream: S, peer: Peer, router: Router, limits: Limits, mut calls: Calls)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new(limits));
    let service = TowerToHyperService::new(tower::service_fn({
        let activity = Arc::clone(&activity);
        move |request| answer(request, router.clone(), peer, Arc::clone(&activity), limits.stall)
    }));
    let builder = builder(limits);
    let serving =
        builder.serve_connection(TokioIo::new(Watched::new(stream, Arc::clone(&activity))), service);
    tokio::pin!(serving);
    let mut closing = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %peer.address, %error, "connection ended");
                }
                return;
            }
            expired = activity.expired() => {
                tracing::debug!(peer = %peer.address, ?expired, "connection closed: too slow");
                if closing || expired != Expired::Idle {
                    return;
                }
                closing = true;
                activity.restart();
                serving.as_mut().graceful_shutdown();
            }
            Ok(()) = calls.stopping.changed(), if !closing => {
                closing = true;
                serving.as_mut().graceful_shutdown();
            }
            Ok(()) = calls.crowded.changed(), if !closing => {
                if activity.is_resting() {
                    closing = true;
                    serving.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn builder(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Activity judges heads and idleness apart, which hyper's one timer cannot.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.header);
    builder
}

async fn answer<B>(
    request: Request<B>,
    router: Router,
    peer: Peer,
    activity: Arc<Activity>,
    stall: Duration,
) -> Result<Response<Body>, Infallible>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let running = activity.begin(request.version());
    let mut request = request.map(|body| Body::new(TimeoutBody::new(stall, body)));
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(ConnectInfo(peer.address));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| running.track(body)))
}
