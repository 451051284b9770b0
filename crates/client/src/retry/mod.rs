//! What is made again when a connection or a server fails (ldap3's RESTARTABLE), and what never is.
//!
//! | | when nothing was sent | when the request may have arrived |
//! |---|---|---|
//! | search, read, compare, who-am-I | again | again |
//! | add, modify, delete, rename | again | only with [`Retry::writes`] |
//! | a person's bind | never | never |
//!
//! A stream that has given an entry is not begun again: its reader would see entries twice, and no server promises to go
//! on with another connection's page (RFC 2696 section 2). A search that is collected is, for nobody has seen its entries.

mod attempts;
mod stream;

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use proto::{Change, Entry};
use tokio::time::{Instant, timeout_at};

use attempts::{Attempts, Kind};
pub use stream::RestartableStream;

use crate::extended::WHO_AM_I;
use crate::search::one_entry;
use crate::{Connection, Error, Found, Options, Pool, Rename, Reply, Search};

/// How often, how soon and for how long something is tried again.
///
/// ```
/// use std::time::Duration;
/// use ldapgate_client::Retry;
///
/// let patient = Retry::default().attempts(10).pauses(Duration::from_millis(50), Duration::from_secs(5));
/// # let _ = patient.deadline(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct Retry {
    attempts: u32,
    first: Duration,
    longest: Duration,
    deadline: Duration,
    writes: bool,
}

impl Default for Retry {
    /// As many attempts as fit into 30 s, with pauses of about 100 ms, then twice as long each time up to 2 s; no writes. A
    /// pool is asked again no sooner than it tries its servers again.
    fn default() -> Retry {
        Retry {
            attempts: u32::MAX,
            first: Duration::from_millis(100),
            longest: Duration::from_secs(2),
            deadline: Duration::from_secs(30),
            writes: false,
        }
    }
}

impl Retry {
    /// At most so many attempts, the first included (by default the deadline alone ends them; at least 1).
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Retry {
        self.attempts = attempts.max(1);
        self
    }

    /// The first pause, and the longest: each is twice as long as the one before (100 ms, 2 s). Chance takes up to half of
    /// it away, so that many clients do not come back in the same moment.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Retry {
        self.first = first;
        self.longest = longest;
        self
    }

    /// The limit for everything together, pauses included (30 s). No attempt begins that would come after it: what the last
    /// one said is told at once.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Retry {
        self.deadline = limit;
        self
    }

    /// Send writes again, too, even when they may have been done already. A repeated add may then be told that the entry
    /// exists, a repeated delete that there is none; values that are added or counted up twice are the caller's business.
    #[must_use]
    pub fn writes(mut self) -> Retry {
        self.writes = true;
        self
    }
}

/// A directory whose operations are made again as [`Retry`] allows, on a pool or on one connection that is opened anew
/// and bound again as its options say. Clones share it.
///
/// Nobody can bind on it: whose connection it is must not depend on when it last broke. People are proved on
/// [`Server::prove`](crate::Server::prove) or a connection of their own.
///
/// ```
/// # use std::{sync::Arc, time::SystemTime};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # const LDIF: &str = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n";
/// # let directory = directory::Directory::builder(Arc::new(SystemTime::now)).ldif(LDIF)?.build();
/// # let running = directory.serve(tokio::net::TcpListener::bind("127.0.0.1:0").await?).await;
/// use ldapgate_client::{Options, Restartable, Retry, Search};
///
/// let directory = Restartable::open(Options::new([running.url()])?, Retry::default()).await?;
/// let found = directory.search(Search::below("dc=example,dc=com")).await?;
/// assert_eq!(found.entries.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Restartable {
    source: Source,
    retry: Retry,
}

#[derive(Clone)]
enum Source {
    Pool(Pool),
    Single(Arc<Single>),
}

/// One connection, and how to make it again.
struct Single {
    options: Options,
    current: Mutex<Option<Connection>>,
    /// Held while a connection is opened: the others wait for it.
    opening: tokio::sync::Mutex<()>,
}

impl Restartable {
    /// On the look-up connections of a pool.
    pub fn pool(pool: Pool, retry: Retry) -> Restartable {
        Restartable { source: Source::Pool(pool), retry }
    }

    /// On one connection, which is opened now.
    ///
    /// # Errors
    ///
    /// As [`Connection::open`], after as many attempts as are allowed.
    pub async fn open(options: Options, retry: Retry) -> Result<Restartable, Error> {
        let single = Single { options, current: Mutex::default(), opening: tokio::sync::Mutex::new(()) };
        let this = Restartable { source: Source::Single(Arc::new(single)), retry };
        this.again("connect", Kind::Read, |_| async { Ok(()) }).await?;
        Ok(this)
    }

    /// Searches, and collects what is found; from the beginning when it breaks off.
    ///
    /// # Errors
    ///
    /// As [`Connection::search`]: the last attempt's error.
    pub async fn search(&self, search: impl Into<Search>) -> Result<Found, Error> {
        let search = &search.into();
        self.again("search", Kind::Read, |connection| async move { connection.search(search).await }).await
    }

    /// Searches, entry by entry. Nothing is sent before the first [`RestartableStream::next`], and nothing is made again
    /// after the first entry.
    pub fn stream(&self, search: impl Into<Search>) -> RestartableStream {
        RestartableStream::new(self.clone(), search.into())
    }

    /// Reads one entry; `None` when there is none of this name.
    ///
    /// # Errors
    ///
    /// As [`Connection::read`].
    pub async fn read(&self, dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error> {
        let search = &Search::read(dn).attributes(attributes.iter().copied());
        let read = |connection: Connection| async move { one_entry(connection.stream(search)).await };
        self.again("read", Kind::Read, read).await
    }

    /// Compares one value.
    ///
    /// # Errors
    ///
    /// As [`Connection::compare`].
    pub async fn compare(&self, dn: &str, attribute: &str, value: impl AsRef<[u8]>) -> Result<bool, Error> {
        let value = value.as_ref();
        let compare = |connection: Connection| async move { connection.compare(dn, attribute, value).await };
        self.again("compare", Kind::Read, compare).await
    }

    /// Who the server says that the connection is bound as (RFC 4532).
    ///
    /// # Errors
    ///
    /// As [`Connection::who_am_i`].
    pub async fn who_am_i(&self) -> Result<String, Error> {
        self.again(WHO_AM_I, Kind::Read, |connection| async move { connection.who_am_i().await }).await
    }

    /// Adds an entry; sent again as the table says.
    ///
    /// # Errors
    ///
    /// As [`Connection::add`].
    pub async fn add<N: Into<String>, V: Into<Bytes>>(
        &self,
        dn: &str,
        attributes: impl IntoIterator<Item = (N, Vec<V>)>,
    ) -> Result<Reply, Error> {
        let attributes: &Vec<(String, Vec<Bytes>)> = &attributes
            .into_iter()
            .map(|(name, values)| (name.into(), values.into_iter().map(Into::into).collect()))
            .collect();
        let add = |connection: Connection| async move { connection.add(dn, attributes.clone()).await };
        self.again("add", Kind::Write, add).await
    }

    /// Changes an entry; sent again as the table says.
    ///
    /// # Errors
    ///
    /// As [`Connection::modify`].
    pub async fn modify(&self, dn: &str, changes: Vec<Change>) -> Result<Reply, Error> {
        let changes = &changes;
        let modify = |connection: Connection| async move { connection.modify(dn, changes.clone()).await };
        self.again("modify", Kind::Write, modify).await
    }

    /// Deletes an entry that has none below it; sent again as the table says.
    ///
    /// # Errors
    ///
    /// As [`Connection::delete`].
    pub async fn delete(&self, dn: &str) -> Result<Reply, Error> {
        self.again("delete", Kind::Write, |connection| async move { connection.delete(dn).await }).await
    }

    /// Renames or moves an entry; sent again as the table says.
    ///
    /// # Errors
    ///
    /// As [`Connection::rename`].
    pub async fn rename(&self, dn: &str, rename: &Rename) -> Result<Reply, Error> {
        let call = |connection: Connection| async move { connection.rename(dn, rename).await };
        self.again("modify DN", Kind::Write, call).await
    }

    /// Any other operation that changes nothing, as often as is allowed.
    ///
    /// ```no_run
    /// # async fn example(directory: ldapgate_client::Restartable) -> Result<(), ldapgate_client::Error> {
    /// let reply = directory.reading(async |connection| connection.extended("1.3.6.1.1.13.3", None).await).await?;
    /// # let _ = reply;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What the call said last.
    pub async fn reading<T, F>(&self, call: impl Fn(Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.again("reading", Kind::Read, call).await
    }

    /// Any other operation that changes something; sent again as the table says. A call of several writes is made again
    /// only while none of them was sent, unless [`Retry::writes`] allows it.
    ///
    /// # Errors
    ///
    /// What the call said last.
    pub async fn writing<T, F>(&self, call: impl Fn(Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.again("writing", Kind::Write, call).await
    }

    async fn again<T, F>(
        &self,
        operation: &'static str,
        kind: Kind,
        call: impl Fn(Connection) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut attempts = Attempts::begin(&self.retry, Instant::now());
        loop {
            let written = Arc::new(AtomicU64::new(0));
            let watched =
                |connection: Connection| Connection { written: Some(written.clone()), ..connection };
            let attempt = async { call(watched(self.connection().await?)).await };
            let error = match timeout_at(attempts.deadline, attempt).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => return Err(self.late(operation)),
            };
            // The error is the last one's: what came before it may have been done.
            if kind == Kind::Write && !self.retry.writes && written.load(Ordering::Acquire) > 0 {
                return Err(error);
            }
            attempts.wait(error, kind).await?;
        }
    }

    /// A connection that stands, as far as is known.
    async fn connection(&self) -> Result<Connection, Error> {
        match &self.source {
            Source::Pool(pool) => pool.connection().await,
            Source::Single(single) => single.connection().await,
        }
    }

    /// Everything together took too long. The last attempt was under way, and nobody knows what became of it.
    fn late(&self, operation: &'static str) -> Error {
        let url = match &self.source {
            Source::Pool(pool) => pool.urls().join(" "),
            Source::Single(single) => single.url(),
        };
        Error::Timeout { url, operation, limit: self.retry.deadline, sent: true }
    }
}

impl fmt::Debug for Restartable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restartable").field("retry", &self.retry).finish_non_exhaustive()
    }
}

impl Single {
    async fn connection(&self) -> Result<Connection, Error> {
        let _one_at_a_time = self.opening.lock().await;
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(connection) = current.filter(Connection::is_usable) {
            return Ok(connection);
        }
        let connection = Connection::open(&self.options).await?;
        connection.seal();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        Ok(connection)
    }

    fn url(&self) -> String {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match current.as_ref() {
            Some(connection) => connection.url().to_owned(),
            // It never stood.
            None => {
                let servers = self.options.servers.iter().map(|address| address.text.as_str());
                servers.collect::<Vec<_>>().join(" ")
            }
        }
    }
}
