//! Change records in place of requests.

use std::fmt;
use std::io::Write;

use bytes::Bytes;
use proto::{Change, Control};
use serde::Serialize;

use super::forward;
use super::runtime::Runtime;
use crate::{Error, RecordError, Rename, Secrets};

/// Writes the requests that change something as LDIF and sends nothing, as [`crate::Recorder`].
pub struct Recorder<W> {
    inner: crate::Recorder<W>,
    runtime: Runtime,
}

impl<W: Write> Recorder<W> {
    /// Writes to anything that can be written to.
    ///
    /// # Errors
    ///
    /// [`Error::Thread`] when the thread behind all blocking calls cannot be started.
    pub fn new(out: W) -> Result<Self, Error> {
        Ok(Recorder { inner: crate::Recorder::new(out), runtime: Runtime::shared()? })
    }

    /// What becomes of passwords, as [`Recorder::secrets`](crate::Recorder::secrets).
    #[must_use]
    pub fn secrets(self, secrets: Secrets) -> Self {
        Recorder { inner: self.inner.secrets(secrets), ..self }
    }

    /// For `slapadd`, as [`Recorder::for_slapadd`](crate::Recorder::for_slapadd).
    #[must_use]
    pub fn for_slapadd(self) -> Self {
        Recorder { inner: self.inner.for_slapadd(), ..self }
    }

    /// Another handle, whose every record has these controls.
    #[must_use]
    pub fn with_controls(&self, controls: impl IntoIterator<Item = Control>) -> Self {
        Recorder { inner: self.inner.with_controls(controls), runtime: self.runtime.clone() }
    }

    forward! { "Recorder",
        fn add[N: Into<String>, V: Into<Bytes>](
            dn: &str,
            attributes: impl IntoIterator<Item = (N, Vec<V>)>
        ) -> Result<(), RecordError>;
        fn add_entry[T: Serialize + ?Sized](entry: &T) -> Result<(), RecordError>;
        fn modify(dn: &str, changes: Vec<Change>) -> Result<(), RecordError>;
        fn modify_entry[T: Serialize + ?Sized](before: &T, after: &T) -> Result<(), RecordError>;
        fn delete(dn: &str) -> Result<(), RecordError>;
        fn delete_tree(dn: &str) -> Result<(), RecordError>;
        fn rename(dn: &str, rename: &Rename) -> Result<(), RecordError>;
    }

    /// The output, from the last handle.
    pub fn into_inner(self) -> Option<W> {
        self.inner.into_inner()
    }
}

impl<W> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}
