//! Operations that are made again.

use std::fmt;

use bytes::Bytes;
use proto::{Change, Entry};

use super::runtime::Runtime;
use super::{Connection, Pool, RestartableIter, forward};
use crate::{Error, Found, Options, Rename, Reply, Retry, Search};

/// A directory whose operations are made again as [`Retry`] allows, as [`crate::Restartable`].
#[derive(Clone)]
pub struct Restartable {
    inner: crate::Restartable,
    runtime: Runtime,
}

impl Restartable {
    /// On the look-up connections of a pool.
    ///
    /// # Errors
    ///
    /// [`Error::Thread`] when the thread behind all blocking calls cannot be started.
    pub fn pool(pool: Pool, retry: Retry) -> Result<Restartable, Error> {
        Ok(Restartable { inner: crate::Restartable::pool(pool.inner, retry), runtime: Runtime::shared()? })
    }

    /// Waits for [`Restartable::open`](crate::Restartable::open).
    ///
    /// # Errors
    ///
    /// As there; [`Error::Thread`] when the thread behind all blocking calls cannot be started.
    pub fn open(options: Options, retry: Retry) -> Result<Restartable, Error> {
        let runtime = Runtime::shared()?;
        let inner = runtime.wait(crate::Restartable::open(options, retry))?;
        Ok(Restartable { inner, runtime })
    }

    forward! { "Restartable",
        fn search(search: impl Into<Search>) -> Result<Found, Error>;
        fn read(dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error>;
        fn compare(dn: &str, attribute: &str, value: impl AsRef<[u8]>) -> Result<bool, Error>;
        fn who_am_i() -> Result<String, Error>;
        fn add[N: Into<String>, V: Into<Bytes>](
            dn: &str,
            attributes: impl IntoIterator<Item = (N, Vec<V>)>
        ) -> Result<Reply, Error>;
        fn modify(dn: &str, changes: Vec<Change>) -> Result<Reply, Error>;
        fn delete(dn: &str) -> Result<Reply, Error>;
        fn rename(dn: &str, rename: &Rename) -> Result<Reply, Error>;
    }

    /// Searches, entry by entry, begun again until the first has come.
    pub fn stream(&self, search: impl Into<Search>) -> RestartableIter {
        RestartableIter { inner: self.inner.stream(search), runtime: self.runtime.clone() }
    }

    /// Any other operation that changes nothing, as [`Restartable::reading`](crate::Restartable::reading). The deadline of the
    /// whole is looked at between attempts; each call has its own.
    ///
    /// # Errors
    ///
    /// What the call said last.
    pub fn reading<T>(&self, call: impl Fn(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let call = |inner| {
            let connection = Connection { inner, runtime: self.runtime.clone() };
            std::future::ready(call(&connection))
        };
        self.runtime.wait(self.inner.reading(call))
    }

    /// Any other operation that changes something, as [`Restartable::writing`](crate::Restartable::writing).
    ///
    /// # Errors
    ///
    /// What the call said last.
    pub fn writing<T>(&self, call: impl Fn(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let call = |inner| {
            let connection = Connection { inner, runtime: self.runtime.clone() };
            std::future::ready(call(&connection))
        };
        self.runtime.wait(self.inner.writing(call))
    }
}

impl fmt::Debug for Restartable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
