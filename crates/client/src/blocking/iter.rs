//! Streams as iterators. After an error or the end there is no more.

use std::fmt;

use bytes::Bytes;
use proto::{Controls, Entry};

use super::runtime::Runtime;
use crate::{Cancelled, Changed, End, Error, Notification, SearchAnswer, SyncEvent, TypedEntry};

macro_rules! iterator {
    ($(#[$doc:meta])* $name:ident, $stream:ident, $item:ty) => {
        $(#[$doc])*
        pub struct $name {
            pub(super) inner: crate::$stream,
            pub(super) runtime: Runtime,
        }

        impl Iterator for $name {
            type Item = Result<$item, Error>;

            fn next(&mut self) -> Option<Self::Item> {
                self.runtime.wait(self.inner.next()).transpose()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

iterator! {
    /// A running search, as [`crate::SearchStream`]. Dropping it abandons the search.
    SearchIter, SearchStream, Entry
}

impl SearchIter {
    /// The next entry or continuation reference, as [`SearchStream::next_answer`](crate::SearchStream::next_answer).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn next_answer(&mut self) -> Result<Option<SearchAnswer>, Error> {
        self.runtime.wait(self.inner.next_answer())
    }

    /// The next entry with the controls that came with it, as
    /// [`SearchStream::next_with_controls`](crate::SearchStream::next_with_controls).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn next_with_controls(&mut self) -> Result<Option<(Entry, Controls)>, Error> {
        self.runtime.wait(self.inner.next_with_controls())
    }

    /// How the search ended. Entries that were not read are read and dropped.
    ///
    /// # Errors
    ///
    /// As [`SearchStream::finish`](crate::SearchStream::finish).
    pub fn finish(self) -> Result<End, Error> {
        self.runtime.wait(self.inner.finish())
    }

    /// Ends it, and waits until the server says so, as [`SearchStream::cancel`](crate::SearchStream::cancel).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn cancel(self) -> Result<Cancelled, Error> {
        self.runtime.wait(self.inner.cancel())
    }
}

iterator! {
    /// Entries by class, as [`crate::TypedStream`].
    TypedIter, TypedStream, TypedEntry
}

impl TypedIter {
    /// How the search ended. Entries that were not read are read and dropped.
    ///
    /// # Errors
    ///
    /// As [`TypedStream::finish`](crate::TypedStream::finish).
    pub fn finish(self) -> Result<End, Error> {
        self.runtime.wait(self.inner.finish())
    }
}

iterator! {
    /// A search that is begun again until its first entry has come, as [`crate::RestartableStream`].
    RestartableIter, RestartableStream, Entry
}

impl RestartableIter {
    /// How the search ended. Entries that were not read are read and dropped.
    ///
    /// # Errors
    ///
    /// As [`RestartableStream::finish`](crate::RestartableStream::finish).
    pub fn finish(self) -> Result<End, Error> {
        self.runtime.wait(self.inner.finish())
    }
}

iterator! {
    /// A copy that is kept up to date, as [`crate::SyncStream`].
    SyncIter, SyncStream, SyncEvent
}

impl SyncIter {
    /// Ends it, and waits until the server says so.
    ///
    /// # Errors
    ///
    /// As [`SyncStream::cancel`](crate::SyncStream::cancel).
    pub fn cancel(self) -> Result<Cancelled, Error> {
        self.runtime.wait(self.inner.cancel())
    }
}

iterator! {
    /// Changes as they happen, as [`crate::ChangeStream`].
    ChangeIter, ChangeStream, Changed
}

impl ChangeIter {
    /// Ends it, and waits until the server says so.
    ///
    /// # Errors
    ///
    /// As [`ChangeStream::cancel`](crate::ChangeStream::cancel).
    pub fn cancel(self) -> Result<Cancelled, Error> {
        self.runtime.wait(self.inner.cancel())
    }
}

iterator! {
    /// What changed since a cookie, as [`crate::DirSyncStream`].
    DirSyncIter, DirSyncStream, Entry
}

impl DirSyncIter {
    /// The cookie for the next time. Entries that were not read are read and dropped.
    ///
    /// # Errors
    ///
    /// As [`DirSyncStream::finish`](crate::DirSyncStream::finish).
    pub fn finish(self) -> Result<Bytes, Error> {
        self.runtime.wait(self.inner.finish())
    }
}

/// What the server says unasked, as [`crate::Notifications`]; it ends with the connection.
pub struct NotificationIter {
    pub(super) inner: crate::Notifications,
    pub(super) runtime: Runtime,
}

impl Iterator for NotificationIter {
    type Item = Notification;

    fn next(&mut self) -> Option<Notification> {
        self.runtime.wait(self.inner.next())
    }
}

impl fmt::Debug for NotificationIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotificationIter").finish_non_exhaustive()
    }
}
