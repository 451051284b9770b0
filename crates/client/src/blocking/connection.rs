//! One connection.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use proto::control::PersistentSearch;
use proto::ldif::{ChangeRecord, LdifError};
use proto::{Change, Control, Entry, Password, PasswordModify, Schema};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::runtime::Runtime;
use super::{ChangeIter, DirSyncIter, NotificationIter, SearchIter, SyncIter, forward, pass};
use crate::{
    Applied, BindReply, ContentSync, DirSyncSearch, Error, ExtendedReply, Found, Group, Lockout, OnFailure,
    Options, PasswordMethod, PasswordReply, Rename, Reply, RootDse, Sasl, Search, Status,
};

/// A connection to one server, as [`crate::Connection`]. Clones share it; it is closed when the last is dropped.
#[derive(Clone)]
pub struct Connection {
    pub(super) inner: crate::Connection,
    pub(super) runtime: Runtime,
}

impl Connection {
    /// Waits for [`Connection::open`](crate::Connection::open).
    ///
    /// # Errors
    ///
    /// As there; [`Error::Thread`] when the thread behind all blocking calls cannot be started.
    pub fn open(options: &Options) -> Result<Connection, Error> {
        let runtime = Runtime::shared()?;
        let inner = runtime.wait(crate::Connection::open(options))?;
        Ok(Connection { inner, runtime })
    }

    /// Waits for [`Connection::over`](crate::Connection::over). A socket of the system must have been registered with a runtime
    /// by whoever made it; streams in memory need none.
    ///
    /// # Errors
    ///
    /// As for [`Connection::open`].
    pub fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        options: &Options,
    ) -> Result<Connection, Error> {
        let runtime = Runtime::shared()?;
        let inner = runtime.wait(crate::Connection::over(stream, options))?;
        Ok(Connection { inner, runtime })
    }

    pass! { "Connection",
        fn url() -> &str;
        fn is_closed() -> bool;
        fn is_encrypted() -> bool;
        fn bindings() -> Option<&tls::Bindings>;
        fn status() -> Status;
    }

    forward! { "Connection",
        fn close() -> ();
        fn start_tls() -> Result<(), Error>;

        fn bind(dn: &str, password: &Password) -> Result<BindReply, Error>;
        fn bind_anonymous() -> Result<BindReply, Error>;
        fn sasl_bind(sasl: impl Borrow<Sasl> + Send) -> Result<BindReply, Error>;
        fn fast_bind() -> Result<(), Error>;
        fn who_am_i() -> Result<String, Error>;

        fn search(search: impl Into<Search>) -> Result<Found, Error>;
        fn read(dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error>;
        fn compare(dn: &str, attribute: &str, value: impl AsRef<[u8]>) -> Result<bool, Error>;

        fn add[N: Into<String>, V: Into<Bytes>](
            dn: &str,
            attributes: impl IntoIterator<Item = (N, Vec<V>)>
        ) -> Result<Reply, Error>;
        fn add_entry[T: Serialize + ?Sized](entry: &T) -> Result<Reply, Error>;
        fn modify(dn: &str, changes: Vec<Change>) -> Result<Reply, Error>;
        fn modify_entry[T: Serialize + ?Sized](before: &T, after: &T) -> Result<Option<Reply>, Error>;
        fn delete(dn: &str) -> Result<Reply, Error>;
        fn delete_tree(dn: &str) -> Result<Reply, Error>;
        fn rename(dn: &str, rename: &Rename) -> Result<Reply, Error>;
        fn apply(record: &ChangeRecord) -> Result<Reply, Error>;
        fn apply_all(
            changes: impl IntoIterator<Item = Result<ChangeRecord, LdifError>>,
            on_failure: OnFailure
        ) -> Applied;

        fn modify_password(modify: &PasswordModify) -> Result<PasswordReply, Error>;
        fn change_password(
            method: PasswordMethod,
            dn: &str,
            old: &Password,
            new: &Password
        ) -> Result<PasswordReply, Error>;
        fn reset_password(method: PasswordMethod, dn: &str, new: &Password) -> Result<PasswordReply, Error>;
        fn unlock(lockout: Lockout, dn: &str) -> Result<(), Error>;
        fn add_to_group[M: Into<String>](
            group: impl Into<Group>,
            members: impl IntoIterator<Item = M>
        ) -> Result<(), Error>;
        fn remove_from_group[M: Into<String>](
            group: impl Into<Group>,
            members: impl IntoIterator<Item = M>
        ) -> Result<(), Error>;
        fn root_dse() -> Result<RootDse, Error>;
        fn schema() -> Result<Arc<Schema>, Error>;
        fn schema_for(dn: &str) -> Result<Arc<Schema>, Error>;
        fn extended(oid: &str, value: Option<Bytes>) -> Result<ExtendedReply, Error>;
    }

    #[cfg(feature = "ntlm")]
    forward! { "Connection",
        fn bind_sicily(domain: &str, user: &str, password: &Password) -> Result<BindReply, Error>;
    }

    /// A handle of the same connection whose every operation carries these controls, as
    /// [`Connection::with_controls`](crate::Connection::with_controls).
    #[must_use]
    pub fn with_controls(&self, controls: impl IntoIterator<Item = Control>) -> Connection {
        Connection { inner: self.inner.with_controls(controls), runtime: self.runtime.clone() }
    }

    /// Searches, entry by entry. Nothing is sent before the first [`SearchIter::next`](Iterator::next).
    pub fn stream(&self, search: impl Into<Search>) -> SearchIter {
        SearchIter { inner: self.inner.stream(search), runtime: self.runtime.clone() }
    }

    /// Entries as they change, as [`Connection::sync`](crate::Connection::sync).
    pub fn sync(&self, sync: ContentSync) -> SyncIter {
        SyncIter { inner: self.inner.sync(sync), runtime: self.runtime.clone() }
    }

    /// Changes as they happen, as [`Connection::persistent_search`](crate::Connection::persistent_search).
    pub fn persistent_search(&self, search: impl Into<Search>, asked: PersistentSearch) -> ChangeIter {
        ChangeIter { inner: self.inner.persistent_search(search, asked), runtime: self.runtime.clone() }
    }

    /// What changed since a cookie, as [`Connection::dir_sync`](crate::Connection::dir_sync).
    pub fn dir_sync(&self, sync: DirSyncSearch) -> DirSyncIter {
        DirSyncIter { inner: self.inner.dir_sync(sync), runtime: self.runtime.clone() }
    }

    /// What the server says unasked, as [`Connection::notifications`](crate::Connection::notifications).
    pub fn notifications(&self) -> NotificationIter {
        NotificationIter { inner: self.inner.notifications(), runtime: self.runtime.clone() }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
