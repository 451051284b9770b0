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

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use proto::{Change, Entry};
use tls::HandshakeFault;
use tokio::time::{Instant, sleep, timeout_at};

use crate::connect::jitter;
use crate::search::one_entry;
use crate::stream::SearchStream;
use crate::{Connection, End, Error, Found, Options, Pool, Rename, Reply, Search};

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
    /// Three attempts within 30 s, with pauses of about 100 ms, then twice as long each time up to 2 s; no writes.
    fn default() -> Retry {
        Retry {
            attempts: 3,
            first: Duration::from_millis(100),
            longest: Duration::from_secs(2),
            deadline: Duration::from_secs(30),
            writes: false,
        }
    }
}

impl Retry {
    /// At most so many attempts, the first included (3; at least 1).
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

    /// The limit for everything together, pauses included (30 s).
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

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
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
        let attempts = None;
        RestartableStream {
            directory: self.clone(),
            search: search.into(),
            running: None,
            attempts,
            given: false,
        }
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
        self.again("extended", Kind::Read, |connection| async move { connection.who_am_i().await }).await
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

    /// Any other operation that changes something; sent again as the table says.
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
            let attempt = async { call(self.connection().await?).await };
            let error = match timeout_at(attempts.deadline, attempt).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => return Err(self.late(operation)),
            };
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
        current.as_ref().map(|connection| connection.url().to_owned()).unwrap_or_default()
    }
}

/// A search that is begun again until its first entry has come. Dropping it abandons the search.
pub struct RestartableStream {
    directory: Restartable,
    search: Search,
    running: Option<SearchStream>,
    /// From the first call on.
    attempts: Option<Attempts>,
    /// An entry was given, or an error was told.
    given: bool,
}

impl RestartableStream {
    /// The next entry; `None` when there are no more. Safe to be dropped and called again.
    ///
    /// # Errors
    ///
    /// As [`SearchStream::next`]: before the first entry that of the last attempt, after it that of the only one.
    pub async fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let retry = &self.directory.retry;
            let attempts = self.attempts.get_or_insert_with(|| Attempts::begin(retry, Instant::now()));
            let deadline = attempts.deadline;
            if self.given {
                return match &mut self.running {
                    Some(running) => running.next().await,
                    None => Ok(None),
                };
            }
            let attempt = async {
                let running = match &mut self.running {
                    Some(running) => running,
                    none => none.insert(self.directory.connection().await?.stream(&self.search)),
                };
                running.next().await
            };
            let error = match timeout_at(deadline, attempt).await {
                Ok(Ok(entry)) => {
                    self.given = true;
                    return Ok(entry);
                }
                Ok(Err(error)) => error,
                Err(_) => self.directory.late("search"),
            };
            self.running = None;
            // Should the last attempt's error be told below, the stream is over.
            self.given = true;
            attempts.wait(error, Kind::Read).await?;
            self.given = false;
        }
    }

    /// How the search ended. Entries that were not read are read and dropped.
    ///
    /// # Errors
    ///
    /// As [`RestartableStream::next`] and [`SearchStream::finish`].
    pub async fn finish(mut self) -> Result<End, Error> {
        while self.next().await?.is_some() {}
        match self.running.take() {
            Some(running) => running.finish().await,
            None => Err(self.directory.late("search")),
        }
    }
}

impl fmt::Debug for RestartableStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestartableStream").field("search", &self.search).finish_non_exhaustive()
    }
}

/// How far one operation's attempts have come.
struct Attempts {
    retry: Retry,
    deadline: Instant,
    made: u32,
}

impl Attempts {
    fn begin(retry: &Retry, now: Instant) -> Attempts {
        Attempts { retry: retry.clone(), deadline: now + retry.deadline, made: 0 }
    }

    /// Waits until the next attempt is due, or gives the error back when there is none.
    async fn wait(&mut self, error: Error, kind: Kind) -> Result<(), Error> {
        let Some(pause) = self.pause(&error, kind, Instant::now(), jitter) else { return Err(error) };
        tracing::debug!(%error, causes = ?error.causes(), attempt = self.made, ?pause, "trying again");
        sleep(pause).await;
        Ok(())
    }

    /// How long to wait after a failure; `None`: it is final. `chance` takes a part of a span.
    fn pause(
        &mut self,
        error: &Error,
        kind: Kind,
        now: Instant,
        chance: impl Fn(Duration) -> Duration,
    ) -> Option<Duration> {
        self.made += 1;
        let may_repeat = match kind {
            Kind::Read => true,
            Kind::Write => self.retry.writes || !error.sent(),
        };
        if self.made >= self.retry.attempts || !may_repeat || !may_pass(error) {
            return None;
        }
        let doubled = self.retry.first.saturating_mul(1 << (self.made - 1).min(16));
        let whole = doubled.min(self.retry.longest);
        let pause = (whole - chance(whole / 2)).max(left_alone(error));
        (now + pause < self.deadline).then_some(pause)
    }
}

/// Could a later attempt do better?
fn may_pass(error: &Error) -> bool {
    match error {
        // A certificate does not heal.
        Error::Tls { source, .. } => {
            matches!(source.fault(), Some(HandshakeFault::Closed | HandshakeFault::Broken))
        }
        error => error.is_unreachable(),
    }
}

/// How long a pool leaves the servers alone anyhow.
fn left_alone(error: &Error) -> Duration {
    match error {
        Error::Down { retry, .. } => *retry,
        Error::AllDown { failures } => failures.iter().map(left_alone).min().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Closed;
    use proto::{LdapResult, ResultCode};

    const NONE: fn(Duration) -> Duration = |_| Duration::ZERO;

    fn closed(sent: bool) -> Error {
        Error::Closed { url: String::new(), operation: "x", sent, source: Arc::new(Closed::ByPeer) }
    }

    fn refused(code: ResultCode) -> Error {
        let result = Box::new(LdapResult::new(code, ""));
        Error::Refused { url: String::new(), operation: "x", result, controls: proto::Controls::default() }
    }

    fn is_repeated(retry: &Retry, error: &Error, kind: Kind) -> bool {
        let now = Instant::now();
        Attempts::begin(retry, now).pause(error, kind, now, NONE).is_some()
    }

    #[test]
    fn reads_are_repeated_and_writes_when_nothing_was_sent_or_when_asked_to() {
        let (plain, eager) = (Retry::default(), Retry::default().writes());
        for (error, read, write, eager_write) in [
            (closed(false), true, true, true),
            (closed(true), true, false, true),
            (refused(ResultCode::BUSY), true, false, true),
            (refused(ResultCode::UNAVAILABLE), true, false, true),
            (refused(ResultCode::NO_SUCH_OBJECT), false, false, false),
            (Error::NoUrl, false, false, false),
            (Error::NotBound, false, false, false),
        ] {
            assert_eq!(is_repeated(&plain, &error, Kind::Read), read, "{error:?}");
            assert_eq!(is_repeated(&plain, &error, Kind::Write), write, "{error:?}");
            assert_eq!(is_repeated(&eager, &error, Kind::Write), eager_write, "{error:?}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_chance_takes_up_to_half() {
        let now = Instant::now();
        let retry = Retry::default().attempts(8);
        let pauses = |chance: fn(Duration) -> Duration| {
            let mut attempts = Attempts::begin(&retry, now);
            std::iter::from_fn(|| attempts.pause(&closed(true), Kind::Read, now, chance))
                .map(|pause| pause.as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(pauses(NONE), [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(pauses(|half| half), [50, 100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn no_attempt_begins_after_the_deadline() {
        let now = Instant::now();
        let retry = Retry::default().attempts(u32::MAX).deadline(Duration::from_secs(1));
        let mut attempts = Attempts::begin(&retry, now);
        assert!(attempts.pause(&closed(true), Kind::Read, now, NONE).is_some());
        let late = now + Duration::from_millis(900);
        assert!(attempts.pause(&closed(true), Kind::Read, late, NONE).is_none());
        for _ in 0..100 {
            attempts.pause(&closed(true), Kind::Read, now, NONE);
        }
    }

    #[test]
    fn a_server_that_is_left_alone_is_waited_for() {
        let now = Instant::now();
        let down = |seconds| Error::Down {
            url: String::new(),
            retry: Duration::from_secs(seconds),
            source: Arc::new(closed(false)),
        };
        let all = crate::error::Failures::into_error(vec![down(9), down(4), closed(false)]);
        let wait =
            |error: &Error| Attempts::begin(&Retry::default(), now).pause(error, Kind::Read, now, NONE);
        assert_eq!(wait(&down(5)), Some(Duration::from_secs(5)));
        assert_eq!(wait(&down(60)), None, "beyond the deadline");
        assert_eq!(wait(&all), Some(Duration::from_millis(100)), "one of them may be asked");
    }
}
