//! The directory as its owner sees it.

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use proto::Dn;
use tls::ServerTls;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::builder::{Builder, Clock, Dialect, Limits, PasswordRules};
use crate::fault::Faults;
use crate::journal::{Counters, Journal, Operation};
use crate::serve::{self, Running, Scheme};
use crate::tree::Tree;
use crate::{ListenError, time};

/// Bytes a stream from [`Directory::join`] holds in each direction.
const JOINED: usize = 64 * 1024;
/// Argon2 verifications at the same time: each takes memory and a thread.
const HASHING: usize = 2;

/// An LDAP server's data and rules; clones share them. It listens when [`serve`](Self::serve) is called, on as many
/// listeners and streams as you like.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<Shared>,
}

pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) limits: Limits,
    pub(crate) read_only: bool,
    pub(crate) dialect: Dialect,
    pub(crate) password_rules: PasswordRules,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) journal: Journal,
    pub(crate) open: AtomicUsize,
    pub(crate) hashing: Arc<Semaphore>,
    tree: RwLock<Tree>,
}

impl Directory {
    /// Starts a directory. `clock` tells the time, for account states and timestamps.
    pub fn builder(clock: Clock) -> Builder {
        Builder::new(clock)
    }

    pub(crate) fn new(settings: Settings, tree: Tree) -> Self {
        let journal = Journal::new(settings.limits.log);
        let shared = Shared {
            settings,
            journal,
            open: AtomicUsize::new(0),
            hashing: Arc::new(Semaphore::new(HASHING)),
            tree: RwLock::new(tree),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Listens on a loopback address; port 0 is any free one.
    ///
    /// # Errors
    /// When the address is not loopback, or the system refuses it.
    pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(ListenError::NotLoopback { address });
        }
        Self::danger_listen_anywhere(address).await
    }

    /// Listens on any address. Whoever can reach it may read everything but passwords, and guess those without limit.
    ///
    /// # Errors
    /// When the system refuses the address.
    pub async fn danger_listen_anywhere(address: SocketAddr) -> Result<TcpListener, ListenError> {
        TcpListener::bind(address).await.map_err(|source| ListenError::Io { address, source })
    }

    /// Serves `ldap://` on a listener until the result is stopped or dropped.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn serve(&self, listener: TcpListener) -> Running {
        serve::start(Arc::clone(&self.shared), listener, Scheme::Ldap)
    }

    /// Serves `ldaps://` on a listener until the result is stopped or dropped.
    ///
    /// # Panics
    /// When the directory was built without [`Builder::tls`], and outside a tokio runtime.
    pub async fn serve_ldaps(&self, listener: TcpListener) -> Running {
        let tls =
            self.shared.settings.tls.clone().expect("serve_ldaps needs a directory built with Builder::tls");
        serve::start(Arc::clone(&self.shared), listener, Scheme::Ldaps(tls))
    }

    /// A stream that is connected to this directory, without a socket.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn join(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(JOINED);
        tokio::spawn(serve::stream(Arc::clone(&self.shared), Box::new(ours), None));
        theirs
    }

    /// Serves one connected stream to its end.
    pub async fn serve_stream<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        serve::stream(self.shared, Box::new(stream), None).await;
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.journal.counters()
    }

    /// The latest requests, oldest first.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.shared.journal.operations()
    }

    /// Empties the log of requests; the counters go on.
    pub fn clear_operations(&self) {
        self.shared.journal.clear();
    }

    /// The plan of faults, to be changed while the server runs.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.settings.faults
    }

    /// The naming contexts, in the order they were loaded.
    #[must_use]
    pub fn suffixes(&self) -> Vec<Dn> {
        self.shared.tree().suffixes().cloned().collect()
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("counters", &self.counters()).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn tree(&self) -> RwLockReadGuard<'_, Tree> {
        self.tree.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tree_mut(&self) -> RwLockWriteGuard<'_, Tree> {
        self.tree.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> std::time::SystemTime {
        (self.settings.clock)()
    }

    /// The time in the form that timestamps have.
    pub(crate) fn timestamp(&self) -> String {
        time::generalized(self.now())
    }
}
