//! What failed, told by who must act.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use crate::store::{BoxError, StoreError};

/// Something failed; nobody was denied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory, or what the configuration says of it.
    #[error(transparent)]
    Directory(#[from] auth::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The login was not decided in time.
    #[error("the login was not decided within {} s", after.as_secs_f32())]
    Deadline {
        /// `login.deadline`.
        after: Duration,
    },
    /// The server cut a person's list of groups short, and local groups are to follow it.
    #[error("the server cut the list of groups of {dn} short: local groups cannot follow it")]
    Incomplete {
        /// The person's entry.
        dn: String,
    },
    /// A setting.
    #[error("{message}")]
    Configuration {
        /// Which, and what is wrong with it.
        message: String,
    },
    /// This program, or what the application hung into it.
    #[error("{message}")]
    Internal {
        /// What was being done.
        message: String,
        /// What went wrong.
        source: Option<BoxError>,
    },
}

impl Error {
    /// Who must act.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Directory(error) => error.fault().into(),
            Self::Store(_) => Fault::Store,
            Self::Deadline { .. } | Self::Incomplete { .. } => Fault::Directory,
            Self::Configuration { .. } => Fault::Configuration,
            Self::Internal { .. } => Fault::Internal,
        }
    }

    /// The causes below this error, nearest first.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        if let Self::Directory(error) = self {
            return error.causes();
        }
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }

    /// May a password that was being changed be the new one already?
    pub(crate) fn may_have_changed(&self) -> bool {
        match self {
            Self::Directory(error) => error.may_have_changed(),
            // What goes on after the answer is told to nobody.
            Self::Deadline { .. } => true,
            Self::Store(_) | Self::Incomplete { .. } | Self::Configuration { .. } | Self::Internal { .. } => {
                false
            }
        }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::Configuration { message: message.into() }
    }

    pub(crate) fn internal(message: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Internal { message: message.into(), source: Some(source.into()) }
    }
}

/// Who must act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Whoever runs the directory, or the network before it.
    Directory,
    /// Whoever runs the store.
    Store,
    /// Whoever wrote the configuration.
    Configuration,
    /// Whoever wrote this program, or the application around it.
    Internal,
}

impl Fault {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Store => "store",
            Self::Configuration => "configuration",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<auth::Fault> for Fault {
    fn from(fault: auth::Fault) -> Self {
        match fault {
            auth::Fault::Directory => Self::Directory,
            auth::Fault::Configuration => Self::Configuration,
            auth::Fault::Internal => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_level_by_level() {
        let error = Error::from(StoreError::Unreachable("disk full".into()));
        assert_eq!(error.fault(), Fault::Store);
        assert_eq!(error.to_string(), "the store cannot be reached");
        assert_eq!(error.causes(), ["disk full"]);
    }
}
