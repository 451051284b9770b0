//! Entries by class.

use std::fmt;

use proto::Filter;
use proto::schema::ClassAttributes;

use super::runtime::Runtime;
use super::{Connection, TypedIter, forward, pass};
use crate::{Error, Reply, Search, TypedEntry, TypedFound, Writer};

/// Entries of some classes, as [`crate::Reader`].
#[derive(Clone)]
pub struct Reader {
    inner: crate::Reader,
    runtime: Runtime,
}

impl Connection {
    /// Waits for [`Connection::reader`](crate::Connection::reader).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reader(&self, classes: impl IntoIterator<Item = impl Into<String>>) -> Result<Reader, Error> {
        let inner = self.runtime.wait(self.inner.reader(classes))?;
        Ok(Reader { inner, runtime: self.runtime.clone() })
    }

    /// Sends an entry's pending changes: waits for [`Writer::commit`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn commit(&self, writer: &mut Writer) -> Result<Option<Reply>, Error> {
        self.runtime.wait(writer.commit(&self.inner))
    }

    /// Reads an entry again and forgets its pending changes: waits for [`Writer::refresh`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh(&self, writer: &mut Writer) -> Result<bool, Error> {
        self.runtime.wait(writer.refresh(&self.inner))
    }
}

impl Reader {
    /// As [`Reader::below`](crate::Reader::below).
    #[must_use]
    pub fn below(self, base: impl Into<String>) -> Reader {
        Reader { inner: self.inner.below(base), ..self }
    }

    /// As [`Reader::one`](crate::Reader::one).
    #[must_use]
    pub fn one(self, base: impl Into<String>) -> Reader {
        Reader { inner: self.inner.one(base), ..self }
    }

    /// As [`Reader::matching`](crate::Reader::matching).
    #[must_use]
    pub fn matching(self, filter: Filter) -> Reader {
        Reader { inner: self.inner.matching(filter), ..self }
    }

    /// As [`Reader::and_attributes`](crate::Reader::and_attributes).
    #[must_use]
    pub fn and_attributes(self, names: impl IntoIterator<Item = impl Into<String>>) -> Reader {
        Reader { inner: self.inner.and_attributes(names), ..self }
    }

    /// As [`Reader::with`](crate::Reader::with).
    #[must_use]
    pub fn with(self, change: impl FnOnce(Search) -> Search) -> Reader {
        Reader { inner: self.inner.with(change), ..self }
    }

    pass! { "Reader",
        fn classes() -> &ClassAttributes;
        fn attributes() -> Vec<String>;
    }

    forward! { "Reader",
        fn search() -> Result<TypedFound, Error>;
        fn get(dn: &str) -> Result<Option<TypedEntry>, Error>;
    }

    /// Searches, entry by entry.
    pub fn stream(&self) -> TypedIter {
        TypedIter { inner: self.inner.stream(), runtime: self.runtime.clone() }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
