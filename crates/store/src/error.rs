//! What can go wrong, in the words of the rooms above.

use std::path::PathBuf;

use account::StoreError;
use account::store::BoxError;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no kind of store that there is.
    #[error("{url:?} names no store: there are sqlite:FILE and memory:")]
    Url {
        /// The URL, without what may be secret.
        url: String,
    },
    /// The file cannot be made or opened.
    #[error("cannot open the store {}: does its folder exist, and may this user write there?", path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// The system's own words.
        source: BoxError,
    },
    /// The tables cannot be made or brought up to date.
    #[error("cannot bring the store {} up to date", path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// The driver's own words.
        source: BoxError,
    },
    /// A newer version wrote it.
    #[error("the store {} was written by a newer ldapgate (its version {version} is not known here): upgrade this program, or restore a backup", path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The migration that is not known.
        version: i64,
    },
}

/// Why a command was not carried out, before its task is known.
#[derive(Debug)]
pub(crate) enum Problem {
    Sql(sqlx::Error),
    Corrupt(String),
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl Problem {
    /// The error of the command whose task follows "failed to".
    pub(crate) fn of(self, task: &'static str) -> StoreError {
        match self {
            Self::Corrupt(what) => StoreError::Corrupt { what },
            Self::Sql(error) if is_out_of_reach(&error) => StoreError::Unreachable(Box::new(error)),
            Self::Sql(error) => StoreError::Failed { task, source: Box::new(error) },
        }
    }
}

/// Busy for longer than the busy timeout, or a disk that does not answer, is no fault of the command.
fn is_out_of_reach(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
        // SQLITE_BUSY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_READONLY in the low byte.
        sqlx::Error::Database(error) => error
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            .is_some_and(|code| matches!(code & 0xff, 5 | 8 | 10 | 13 | 14)),
        _ => false,
    }
}
