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
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proto::Entry;

pub use proving::Proving;
pub use server::Server;

use crate::error::Failures;
use crate::options::{Balance, Options};
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
    slots: Vec<Arc<Slot>>,
    /// Whose turn it is.
    turn: AtomicUsize,
    /// The service account is the same on every server, and so is its being refused.
    rest: Rest,
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
        let slots = options.servers.iter().map(|address| Arc::new(Slot::new(address, &options))).collect();
        let shared = Shared { options, slots, turn: AtomicUsize::new(0), rest: Rest::default() };
        Pool { shared: Arc::new(shared) }
    }

    /// The servers' URLs, as they were given.
    pub fn urls(&self) -> Vec<String> {
        self.shared.options.servers.iter().map(|address| address.text.clone()).collect()
    }

    /// Chooses the server for one login, a live one: by [`Balance`], and one that failed lately only when no other
    /// works. A server that was down is tried again in the background while another works.
    ///
    /// # Errors
    ///
    /// [`Error::Down`] or, for several servers, [`Error::AllDown`].
    pub async fn server(&self) -> Result<Server, Error> {
        let mut failures = Vec::new();
        for server in self.candidates() {
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
        for server in self.candidates() {
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
        SearchStream::new(Source::Pool { pool: self.clone(), again: true }, search.into()).collect().await
    }

    /// Searches on a look-up connection, entry by entry. Nothing is sent before the first [`SearchStream::next`].
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

    /// A server disappointed its caller: its connections go, and others are preferred for a while.
    pub fn report_dead(&self, server: &Server) {
        server.distrust();
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Every server, best first.
    fn candidates(&self) -> Vec<Server> {
        let slots = &self.shared.slots;
        let first = match self.shared.options.balance {
            Balance::Failover => 0,
            Balance::RoundRobin => self.shared.turn.fetch_add(1, Ordering::Relaxed) % slots.len(),
        };
        let in_turn = slots[first..].iter().chain(&slots[..first]);
        let mut servers: Vec<Server> = in_turn.map(|slot| Server::new(self.clone(), slot.clone())).collect();
        servers.sort_by_cached_key(Server::rank);
        if servers.first().is_some_and(Server::seems_up) {
            servers.iter().filter(|server| server.is_due()).for_each(Server::probe);
        }
        servers
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("urls", &self.urls()).finish_non_exhaustive()
    }
}
