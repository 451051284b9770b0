//! One server of a pool: look-up connections, and the way to proving ones.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proto::{Entry, Password, ResultCode};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::Pool;
use super::health::{Health, Rank};
use super::proving::Proving;
use super::rest::{Attempt, Refusal};
use super::shelf::{Kept, Shelf};
use crate::connect::jitter;
use crate::error::is_passing;
use crate::metrics::{FailureKind, Meter, ServerMetrics, Waiting};
use crate::options::{Address, Options};
use crate::search::one_entry;
use crate::stream::Source;
use crate::{Connection, Error, Found, Identity, PasswordMethod, PasswordReply, Search, SearchStream};

/// One server of a pool. A login chooses one and keeps to it.
#[derive(Clone)]
pub struct Server {
    pool: Pool,
    slot: Arc<Slot>,
}

/// What the pool knows and has of one server.
pub(super) struct Slot {
    /// With the meter.
    address: Address,
    meter: Arc<Meter>,
    pub(super) health: Health,
    shelf: Mutex<Shelf>,
    /// Held while a look-up connection is opened or the server is tried: one at a time, the others wait and see.
    opening: tokio::sync::Mutex<()>,
    growing: AtomicBool,
    leases: Arc<Semaphore>,
}

impl Slot {
    pub(super) fn new(address: &Address, options: &Options) -> Slot {
        let meter = Arc::<Meter>::default();
        Slot {
            address: Address { meter: Some(meter.clone()), ..address.clone() },
            meter,
            health: Health::default(),
            shelf: Mutex::default(),
            opening: tokio::sync::Mutex::new(()),
            growing: AtomicBool::new(false),
            leases: Arc::new(Semaphore::new(options.prove)),
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.address.text
    }

    pub(super) fn tier(&self) -> u32 {
        self.address.tier
    }

    /// Is this its place, and is it spoken to in the same way?
    pub(super) fn is_at(&self, address: &Address) -> bool {
        let own = &self.address;
        (&own.text, own.start_tls, own.tier) == (&address.text, address.start_tls, address.tier)
    }

    pub(super) fn metrics(&self, options: &Options) -> ServerMetrics {
        let now = Instant::now();
        let shelf = self.shelf();
        // The closed before the opened: so none is closed that was not opened.
        let closed = self.meter.closed();
        ServerMetrics {
            url: self.url().to_owned(),
            up: self.health.rank(now) <= Rank::Doubtful,
            lookups: shelf.lookups(now),
            lookups_pending: shelf.pending(now),
            proving_idle: shelf.idle(now),
            proving_in_use: options.prove - self.leases.available_permits(),
            proving_waiting: self.meter.waiting(),
            opened: self.meter.opened(),
            closed,
            failures: self.meter.failures(),
            round_trips: self.meter.round_trips(),
        }
    }

    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    pub(super) fn new(pool: Pool, slot: Arc<Slot>) -> Server {
        Server { pool, slot }
    }

    /// Its URL, as it was given.
    pub fn url(&self) -> &str {
        &self.slot.address.text
    }

    /// A look-up connection: shared with others, bound as the service account or as nobody.
    ///
    /// # Errors
    ///
    /// [`Error::Down`] when the server does not work; [`Error::ServiceBind`] when the service account is refused, or
    /// was a short while ago; [`Error::Secret`] when its secret cannot be read.
    pub async fn lookup(&self) -> Result<Connection, Error> {
        if let Some(connection) = self.pick() {
            return Ok(connection);
        }
        let _one_at_a_time = self.slot.opening.lock().await;
        match self.pick() {
            Some(connection) => Ok(connection),
            None => Box::pin(self.open_lookup()).await,
        }
    }

    /// A connection of the caller's alone, bound as the service account or as nobody: for what takes long, so that
    /// look-ups are not in its way. The pool does not keep it, count it, or close it for its age.
    ///
    /// ```no_run
    /// # async fn example(pool: ldapgate_client::Pool) -> Result<(), ldapgate_client::Error> {
    /// let alone = pool.server().await?.dedicated().await?;
    /// let mut everybody = alone.stream(ldapgate_client::Search::below("ou=people,dc=example,dc=com"));
    /// while let Some(person) = everybody.next().await? {
    ///     println!("{}", person.dn());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Server::lookup`].
    pub async fn dedicated(&self) -> Result<Connection, Error> {
        let _one_at_a_time = self.slot.opening.lock().await;
        Ok(Box::pin(self.open_bound_or_not()).await?.connection)
    }

    /// Searches on a look-up connection, and collects what is found. One that dies before anything was found is
    /// replaced once.
    ///
    /// OpenLDAP keeps one paged search a connection: the next one that begins ends the first. So what would be paged is
    /// asked for at once, and page by page only where the server limits that, on a connection of its own.
    ///
    /// # Errors
    ///
    /// As [`Connection::search`] and [`Server::lookup`].
    pub async fn search(&self, search: impl Into<Search>) -> Result<Found, Error> {
        let source = Source::Server { server: self.clone(), again: true };
        self.search_from(source, search.into()).await
    }

    /// The same from another source, which may choose another server.
    pub(super) async fn search_from(&self, source: Source, search: Search) -> Result<Found, Error> {
        if search.page(self.options().page_size).is_none() {
            return SearchStream::new(source, search).collect().await;
        }
        match SearchStream::new(source, search.clone().page_size(None)).collect().await {
            Ok(found) if is_cut(&found) => {}
            Err(Error::TooLarge { .. }) => {}
            answer => return answer,
        }
        let alone = Source::Connection(self.dedicated().await?);
        SearchStream::new(alone, search).collect().await
    }

    /// Searches on a look-up connection, entry by entry. Nothing is sent before the first [`SearchStream::next`]. What
    /// takes several pages is better asked for on a connection of its own, [`Server::dedicated`]: see [`Server::search`].
    pub fn stream(&self, search: impl Into<Search>) -> SearchStream {
        SearchStream::new(Source::Server { server: self.clone(), again: true }, search.into())
    }

    /// Reads one entry on a look-up connection; `None` when there is none of this name.
    ///
    /// # Errors
    ///
    /// As [`Connection::read`] and [`Server::lookup`].
    #[tracing::instrument(name = "ldap.read", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    pub async fn read(&self, dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error> {
        let search = Search::read(dn).attributes(attributes.iter().copied());
        one_entry(self.stream(search)).await
    }

    /// Changes a password as the service account, on a look-up connection. One that had died unnoticed is replaced once;
    /// what may have been written is never sent again.
    ///
    /// # Errors
    ///
    /// As [`Connection::change_password`] and [`Server::lookup`].
    pub async fn change_password(
        &self,
        method: PasswordMethod,
        dn: &str,
        old: &Password,
        new: &Password,
    ) -> Result<PasswordReply, Error> {
        let connection = self.lookup().await?;
        match connection.change_password(method, dn, old, new).await {
            Err(error @ Error::Closed { .. }) if !error.sent() => {
                tracing::debug!(%error, causes = ?error.causes(), "changing the password on another connection");
                self.lookup().await?.change_password(method, dn, old, new).await
            }
            answered => answered,
        }
    }

    /// A connection for people's binds, the caller's alone until it is dropped. Who asks first gets it first.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when all were in use for the options' timeout; [`Error::Down`] when the server does not work.
    pub async fn prove(&self) -> Result<Proving, Error> {
        let options = self.options();
        let waiting = Waiting::new(&self.slot.meter);
        let leased = self.slot.leases.clone().acquire_owned();
        let leased = timeout_at(Instant::now() + options.timeout, leased).await;
        drop(waiting);
        let Ok(Ok(lease)) = leased else {
            let url = self.url().to_owned();
            return Err(Error::Busy { url, connections: options.prove, limit: options.timeout });
        };
        let kept = self.slot.shelf().proving(Instant::now());
        let kept = match kept {
            Some(kept) => kept,
            None => Box::pin(self.fresh()).await?,
        };
        Ok(Proving::new(self.clone(), kept, lease))
    }

    pub(crate) fn options(&self) -> &Options {
        self.pool.options()
    }

    pub(super) fn health(&self) -> &Health {
        &self.slot.health
    }

    pub(super) fn give_back(&self, kept: Kept) {
        self.slot.shelf().give_back(Instant::now(), kept);
    }

    /// A connection on which nobody has bound.
    pub(super) async fn fresh(&self) -> Result<Kept, Error> {
        let kept = self.slot.shelf().fresh(Instant::now());
        if let Some(kept) = kept {
            return Ok(kept);
        }
        if self.rank() <= Rank::Doubtful {
            return Box::pin(self.connect()).await;
        }
        let _one_at_a_time = self.slot.opening.lock().await;
        self.admit()?;
        Box::pin(self.connect()).await
    }

    /// Sees to it that the server is there.
    pub(super) async fn ready(&self) -> Result<(), Error> {
        if self.shows_life() {
            return Ok(());
        }
        self.admit()?;
        let _one_at_a_time = self.slot.opening.lock().await;
        if self.shows_life() {
            return Ok(());
        }
        self.admit()?;
        let kept = Box::pin(self.connect()).await?;
        self.slot.shelf().add_fresh(kept);
        Ok(())
    }

    /// Sees to it that so many connections of each kind stand.
    pub(super) async fn warm(&self, connections: usize) -> Result<(), Error> {
        let options = self.options();
        // Counted beforehand: a connection may be too old at once.
        let lookups = self.slot.shelf().lookups(Instant::now());
        for _ in lookups..connections.min(options.lookup) {
            let _one_at_a_time = self.slot.opening.lock().await;
            Box::pin(self.open_lookup()).await?;
        }
        for _ in self.proving()..connections.min(options.prove) {
            let _one_at_a_time = self.slot.opening.lock().await;
            self.admit()?;
            let kept = Box::pin(self.connect()).await?;
            self.give_back(kept);
        }
        Ok(())
    }

    /// Proving connections, idle and in use.
    fn proving(&self) -> usize {
        let in_use = self.options().prove - self.slot.leases.available_permits();
        self.slot.shelf().idle(Instant::now()) + in_use
    }

    pub(super) fn rank(&self) -> Rank {
        if self.slot.shelf().has_suspect() {
            self.distrust();
        }
        self.slot.health.rank(Instant::now())
    }

    pub(super) fn seems_up(&self) -> bool {
        self.slot.health.rank(Instant::now()) <= Rank::Doubtful
    }

    pub(super) fn is_due(&self) -> bool {
        self.slot.health.rank(Instant::now()) == Rank::Due
    }

    /// Tries the server again, while others do its work.
    pub(super) fn probe(&self) {
        if self.slot.opening.try_lock().is_err() {
            return;
        }
        let server = self.clone();
        tokio::spawn(async move {
            // A failure is in the server's health.
            drop(server.ready().await);
        });
    }

    /// Lets all connections go; those in use go when their users have done with them.
    pub(super) fn distrust(&self) {
        *self.slot.shelf() = Shelf::default();
        // A server that could not even be reached is tried before it is used; it needs no doubt beyond that.
        if self.seems_up() {
            self.slot.health.doubted(Instant::now());
        }
    }

    fn pick(&self) -> Option<Connection> {
        let picked = self.slot.shelf().lookup(Instant::now(), self.options().lookup)?;
        if picked.crowded {
            self.grow();
        }
        Some(picked.connection)
    }

    /// Opens one more look-up connection for those who come later.
    fn grow(&self) {
        if self.slot.growing.swap(true, Ordering::AcqRel) {
            return;
        }
        let server = self.clone();
        tokio::spawn(async move {
            let one_at_a_time = server.slot.opening.lock().await;
            if let Err(error) = Box::pin(server.open_lookup()).await {
                tracing::debug!(%error, causes = ?error.causes(), "no further look-up connection");
            }
            drop(one_at_a_time);
            server.slot.growing.store(false, Ordering::Release);
        });
    }

    /// Opens and binds a connection for look-ups; the caller holds `opening`. Its type says nothing of what goes on in it,
    /// which the compiler would follow in every future that may open a connection.
    fn open_bound_or_not(&self) -> Pin<Box<dyn Future<Output = Result<Kept, Error>> + Send + '_>> {
        Box::pin(async move {
            self.admit()?;
            match &self.options().service {
                None => {
                    let kept = self.fresh_or_connect().await?;
                    self.slot.health.proved();
                    Ok(kept)
                }
                Some(service) => {
                    let attempt = self.pool.shared.rest.enter(Instant::now())?;
                    self.open_bound(service, attempt).await
                }
            }
        })
    }

    /// Opens and binds a look-up connection; the caller holds `opening`.
    async fn open_lookup(&self) -> Result<Connection, Error> {
        let kept = self.open_bound_or_not().await?;
        let connection = kept.connection.clone();
        self.slot.shelf().add_lookup(kept);
        Ok(connection)
    }

    async fn open_bound(&self, service: &Identity, attempt: Attempt<'_>) -> Result<Kept, Error> {
        // Read anew each time: it may have been changed on disk, most likely when it was refused.
        let secret = service.secret()?;
        let mut kept = self.fresh_or_connect().await?;
        let mut bound = kept.connection.bind_as(service, secret.as_ref()).await;
        if matches!(&bound, Err(error @ Error::Closed { .. }) if !error.sent()) {
            // It had died while it waited.
            kept = Box::pin(self.connect()).await?;
            bound = kept.connection.bind_as(service, secret.as_ref()).await;
        }
        let reply = bound.map_err(|error| self.unreachable(error))?;
        if reply.is_success() {
            attempt.succeeded();
            self.slot.health.proved();
            return Ok(kept);
        }
        let (url, dn, result) = (self.url().to_owned(), service.name(), reply.result);
        if is_passing(result.code) {
            self.slot.meter.failed(FailureKind::Other);
            return Err(self.failed(kept.connection.refused("bind", result)));
        }
        self.slot.meter.failed(FailureKind::ServiceBind);
        Err(attempt.refused(Instant::now(), Refusal { url, dn, result }))
    }

    async fn fresh_or_connect(&self) -> Result<Kept, Error> {
        let kept = self.slot.shelf().fresh(Instant::now());
        match kept {
            Some(kept) => Ok(kept),
            None => Box::pin(self.connect()).await,
        }
    }

    async fn connect(&self) -> Result<Kept, Error> {
        let options = self.options();
        let idle = Some(options.idle).filter(|idle| !idle.is_zero());
        let connection = Connection::to(&self.slot.address, options, idle).await.map_err(|error| {
            if let Some(kind) = FailureKind::of_connecting(&error) {
                self.slot.meter.failed(kind);
            }
            self.failed(error)
        })?;
        self.slot.health.connected();
        let age = options.max_age.saturating_sub(jitter(options.max_age / 10));
        Ok(Kept { connection, expires: Instant::now() + age })
    }

    fn shows_life(&self) -> bool {
        let now = Instant::now();
        self.slot.health.rank(now) <= Rank::Doubtful && self.slot.shelf().shows_life(now)
    }

    fn admit(&self) -> Result<(), Error> {
        self.slot.health.admit(self.url(), Instant::now())
    }

    fn unreachable(&self, error: Error) -> Error {
        if error.is_unreachable() { self.failed(error) } else { error }
    }

    fn failed(&self, error: Error) -> Error {
        self.slot.health.failed(self.url(), Instant::now(), error)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// More was found than the server gives at once, which it may give page by page.
fn is_cut(found: &Found) -> bool {
    found.truncated.as_ref().is_some_and(|result| result.code == ResultCode::SIZE_LIMIT_EXCEEDED)
}
