//! Connections that are kept: some for look-ups, others for people's binds, never one for both.
//!
//! | | look-up connections | proving connections |
//! |---|---|---|
//! | bound as | the service account, or nobody | whoever was proved last |
//! | used by | everybody at once, pipelined | one login at a time |
//! | given by | [`Server::lookup`], [`Pool::search`], ... | [`Server::prove`] |
//!
//! A login keeps to one server: [`Pool::server`] chooses it. A server that cannot be reached is left alone for a
//! while, twice as long each time; a service account that was refused is, too, so that it is not locked.

mod health;
mod proving;
mod rest;
mod server;
mod shelf;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use proto::Entry;

pub use proving::Proving;
pub use server::Server;

use crate::error::Failures;
use crate::metrics::Metrics;
use crate::options::{Address, Balance, Options};
use crate::search::one_entry;
use crate::stream::Source;
use crate::{Connection, Error, Found, Search, SearchStream};
use rest::Rest;
use server::Slot;

/// A directory's servers and the connections to them. Clones share everything.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    slots: RwLock<Slots>,
    /// Whose turn it is.
    turn: AtomicUsize,
    /// The service account is the same on every server, and so is its being refused.
    rest: Rest,
}

/// The servers, in the order in which they are asked.
struct Slots {
    list: Vec<Arc<Slot>>,
    /// The DNS's answer that they were made of.
    of: Option<Arc<[Address]>>,
}

impl Pool {
    /// A pool whose first look-up connection stands, and whose service account was accepted. Must be called in a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::ServiceBind`] when the service account is refused; otherwise when no server works.
    pub async fn open(options: Options) -> Result<Pool, Error> {
        let pool = Pool::lazy(options);
        pool.connection().await?;
        Ok(pool)
    }

    /// A pool that connects when it is first asked for something.
    pub fn lazy(options: Options) -> Pool {
        let list = options.servers.iter().map(|address| Arc::new(Slot::new(address, &options))).collect();
        let slots = RwLock::new(Slots { list, of: None });
        let shared = Shared { options, slots, turn: AtomicUsize::new(0), rest: Rest::default() };
        Pool { shared: Arc::new(shared) }
    }

    /// The servers' URLs, as they were given, or as the DNS gave them; those of a domain are not known before the pool
    /// was first asked for something.
    pub fn urls(&self) -> Vec<String> {
        self.slots().iter().map(|slot| slot.url().to_owned()).collect()
    }

    /// Chooses the server for one login, a live one: by [`Balance`], and one that failed lately only when no other
    /// works. A server that was down is tried again in the background while another works.
    ///
    /// # Errors
    ///
    /// [`Error::Down`] or, for several servers, [`Error::AllDown`]; [`Error::Discovery`] when the DNS names none.
    pub async fn server(&self) -> Result<Server, Error> {
        let mut failures = Vec::new();
        for server in self.candidates().await? {
            match server.ready().await {
                Ok(()) => return Ok(server),
                Err(error) => failures.push(error),
            }
        }
        Err(Failures::into_error(failures))
    }

    /// A look-up connection of whichever server works.
    ///
    /// # Errors
    ///
    /// As [`Pool::server`] and [`Server::lookup`].
    pub async fn connection(&self) -> Result<Connection, Error> {
        let mut failures = Vec::new();
        for server in self.candidates().await? {
            match server.lookup().await {
                Ok(connection) => return Ok(connection),
                Err(error) if error.is_unreachable() => failures.push(error),
                Err(error) => return Err(error),
            }
        }
        Err(Failures::into_error(failures))
    }

    /// Searches on a look-up connection, and collects what is found. One that dies before anything was found is
    /// replaced once.
    ///
    /// # Errors
    ///
    /// As [`Connection::search`] and [`Pool::connection`].
    pub async fn search(&self, search: impl Into<Search>) -> Result<Found, Error> {
        let source = Source::Pool { pool: self.clone(), again: true };
        self.server().await?.search_from(source, search.into()).await
    }

    /// Searches on a look-up connection, entry by entry. Nothing is sent before the first [`SearchStream::next`]. What
    /// takes several pages is better asked for on a connection of its own, [`Server::dedicated`]: see [`Server::search`].
    pub fn stream(&self, search: impl Into<Search>) -> SearchStream {
        SearchStream::new(Source::Pool { pool: self.clone(), again: true }, search.into())
    }

    /// Reads one entry on a look-up connection; `None` when there is none of this name.
    ///
    /// # Errors
    ///
    /// As [`Connection::read`] and [`Pool::connection`].
    #[tracing::instrument(name = "ldap.read", level = "debug", skip_all, fields(dn = dn))]
    pub async fn read(&self, dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error> {
        let search = Search::read(dn).attributes(attributes.iter().copied());
        one_entry(self.stream(search)).await
    }

    /// Does the directory answer? Asks a look-up connection for the root entry, which every server has.
    ///
    /// # Errors
    ///
    /// As [`Pool::read`].
    pub async fn check(&self) -> Result<(), Error> {
        self.read("", &["1.1"]).await.map(drop)
    }

    /// Opens connections before they are needed, to the server that is asked first, or to each with
    /// [`Balance::RoundRobin`]: so many for look-ups and so many for people's binds, but no more than the options allow.
    /// Those that stand already count.
    ///
    /// ```
    /// # use std::{sync::Arc, time::SystemTime};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = directory::Directory::builder(Arc::new(SystemTime::now)).build();
    /// # let running = directory.serve(tokio::net::TcpListener::bind("127.0.0.1:0").await?).await;
    /// use ldapgate_client::{Options, Pool};
    ///
    /// let pool = Pool::open(Options::new([running.url()])?).await?;
    /// pool.warm(4).await?;
    /// assert_eq!(pool.metrics().servers[0].open(), 8);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Pool::connection`], when it can be done on no server.
    pub async fn warm(&self, connections: usize) -> Result<(), Error> {
        let mut failures = Vec::new();
        let mut warmed = false;
        for server in self.candidates().await? {
            match server.warm(connections).await {
                Ok(()) if self.shared.options.balance == Balance::Failover => return Ok(()),
                Ok(()) => warmed = true,
                Err(error) if error.is_unreachable() => failures.push(error),
                Err(error) => return Err(error),
            }
        }
        if warmed { Ok(()) } else { Err(Failures::into_error(failures)) }
    }

    /// What the pool has done and holds, in numbers. Cheap: it counts along.
    ///
    /// ```
    /// # use std::{sync::Arc, time::SystemTime};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = directory::Directory::builder(Arc::new(SystemTime::now)).build();
    /// # let running = directory.serve(tokio::net::TcpListener::bind("127.0.0.1:0").await?).await;
    /// use ldapgate_client::{FailureKind, Options, Pool};
    ///
    /// let pool = Pool::open(Options::new([running.url()])?).await?;
    /// pool.check().await?;
    /// let metrics = pool.metrics();
    /// let server = &metrics.servers[0];
    /// assert_eq!((server.opened, server.closed, server.round_trips.count), (1, 0, 1));
    /// assert_eq!(server.failed(FailureKind::Timeout), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics(&self) -> Metrics {
        let servers = self.slots().into_iter().map(|slot| slot.metrics(&self.shared.options)).collect();
        Metrics { servers }
    }

    /// A server disappointed its caller: its connections go, and others are preferred for a while.
    pub fn report_dead(&self, server: &Server) {
        server.distrust();
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Every server, best first.
    async fn candidates(&self) -> Result<Vec<Server>, Error> {
        self.look_round().await?;
        let slots = self.slots();
        let slots = match self.shared.options.balance {
            Balance::Failover => slots,
            Balance::RoundRobin => in_turn(&slots, self.shared.turn.fetch_add(1, Ordering::Relaxed)),
        };
        let mut servers: Vec<Server> =
            slots.into_iter().map(|slot| Server::new(self.clone(), slot)).collect();
        servers.sort_by_cached_key(Server::rank);
        if servers.first().is_some_and(Server::seems_up) {
            servers.iter().filter(|server| server.is_due()).for_each(Server::probe);
        }
        Ok(servers)
    }

    /// Takes in what the DNS says now. Servers that it still names keep their connections.
    async fn look_round(&self) -> Result<(), Error> {
        let options = &self.shared.options;
        let Some(found) = options.discovered().await? else { return Ok(()) };
        let is_known = |slots: &Slots| slots.of.as_ref().is_some_and(|known| Arc::ptr_eq(known, &found));
        if is_known(&self.shared.slots.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let mut slots = self.shared.slots.write().unwrap_or_else(PoisonError::into_inner);
        let mut list = Vec::with_capacity(found.len() + options.servers.len());
        for address in found.iter().chain(&options.servers) {
            let known = slots.list.iter().find(|slot| slot.is_at(address));
            list.push(known.cloned().unwrap_or_else(|| Arc::new(Slot::new(address, options))));
        }
        *slots = Slots { list, of: Some(found) };
        Ok(())
    }

    fn slots(&self) -> Vec<Arc<Slot>> {
        self.shared.slots.read().unwrap_or_else(PoisonError::into_inner).list.clone()
    }
}

/// Each in its turn, but only among those of one priority.
fn in_turn(slots: &[Arc<Slot>], turn: usize) -> Vec<Arc<Slot>> {
    let tiers = slots.chunk_by(|one, next| one.tier() == next.tier());
    let rotated = tiers.flat_map(|tier| {
        let (before, after) = tier.split_at(turn % tier.len());
        after.iter().chain(before)
    });
    rotated.cloned().collect()
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("urls", &self.urls()).finish_non_exhaustive()
    }
}
