//! A pool, its servers, and its connections for people's binds.

use std::fmt;
use std::sync::Arc;

use proto::{Entry, Password, Schema};

use super::runtime::Runtime;
use super::{Connection, SearchIter, forward, forward_mut, pass};
use crate::{BindReply, Error, Found, Metrics, Options, PasswordMethod, PasswordReply, RootDse, Search};

/// A directory's servers and the connections to them, as [`crate::Pool`]. Clones share everything.
#[derive(Clone)]
pub struct Pool {
    pub(super) inner: crate::Pool,
    runtime: Runtime,
}

impl Pool {
    /// Waits for [`Pool::open`](crate::Pool::open).
    ///
    /// # Errors
    ///
    /// As there; [`Error::Thread`] when the thread behind all blocking calls cannot be started.
    pub fn open(options: Options) -> Result<Pool, Error> {
        let runtime = Runtime::shared()?;
        let inner = runtime.wait(crate::Pool::open(options))?;
        Ok(Pool { inner, runtime })
    }

    /// A pool that connects when it is first asked for something.
    ///
    /// # Errors
    ///
    /// [`Error::Thread`] when the thread behind all blocking calls cannot be started.
    pub fn lazy(options: Options) -> Result<Pool, Error> {
        Ok(Pool { inner: crate::Pool::lazy(options), runtime: Runtime::shared()? })
    }

    pass! { "Pool",
        fn urls() -> Vec<String>;
        fn metrics() -> Metrics;
    }

    forward! { "Pool",
        fn search(search: impl Into<Search>) -> Result<Found, Error>;
        fn read(dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error>;
        fn check() -> Result<(), Error>;
        fn warm(connections: usize) -> Result<(), Error>;
        fn root_dse() -> Result<RootDse, Error>;
        fn schema() -> Result<Arc<Schema>, Error>;
    }

    /// Waits for [`Pool::server`](crate::Pool::server).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn server(&self) -> Result<Server, Error> {
        let inner = self.runtime.wait(self.inner.server())?;
        Ok(Server { inner, runtime: self.runtime.clone() })
    }

    /// Waits for [`Pool::connection`](crate::Pool::connection).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connection(&self) -> Result<Connection, Error> {
        let inner = self.runtime.wait(self.inner.connection())?;
        Ok(Connection { inner, runtime: self.runtime.clone() })
    }

    /// Searches on a look-up connection, entry by entry.
    pub fn stream(&self, search: impl Into<Search>) -> SearchIter {
        SearchIter { inner: self.inner.stream(search), runtime: self.runtime.clone() }
    }

    /// As [`Pool::report_dead`](crate::Pool::report_dead).
    pub fn report_dead(&self, server: &Server) {
        self.inner.report_dead(&server.inner);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// One server of a pool, as [`crate::Server`]. A login chooses one and keeps to it.
#[derive(Clone)]
pub struct Server {
    inner: crate::Server,
    runtime: Runtime,
}

impl Server {
    pass! { "Server",
        fn url() -> &str;
    }

    forward! { "Server",
        fn search(search: impl Into<Search>) -> Result<Found, Error>;
        fn read(dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error>;
        fn change_password(
            method: PasswordMethod,
            dn: &str,
            old: &Password,
            new: &Password
        ) -> Result<PasswordReply, Error>;
    }

    /// Waits for [`Server::lookup`](crate::Server::lookup).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn lookup(&self) -> Result<Connection, Error> {
        let inner = self.runtime.wait(self.inner.lookup())?;
        Ok(Connection { inner, runtime: self.runtime.clone() })
    }

    /// Waits for [`Server::prove`](crate::Server::prove).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn prove(&self) -> Result<Proving, Error> {
        let inner = self.runtime.wait(self.inner.prove())?;
        Ok(Proving { inner, runtime: self.runtime.clone() })
    }

    /// Searches on a look-up connection, entry by entry.
    pub fn stream(&self, search: impl Into<Search>) -> SearchIter {
        SearchIter { inner: self.inner.stream(search), runtime: self.runtime.clone() }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A connection that only ever carries people's binds, as [`crate::Proving`].
pub struct Proving {
    inner: crate::Proving,
    runtime: Runtime,
}

impl Proving {
    pass! { "Proving",
        fn url() -> &str;
    }

    forward_mut! { "Proving",
        fn bind(dn: &str, password: &Password) -> Result<BindReply, Error>;
        fn read(dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error>;
        fn search(search: impl Into<Search>) -> Result<Found, Error>;
        fn change_password(
            method: PasswordMethod,
            dn: &str,
            old: &Password,
            new: &Password
        ) -> Result<PasswordReply, Error>;
    }
}

impl fmt::Debug for Proving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
