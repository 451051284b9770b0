//! What can go wrong, in the words of the rooms above.

use std::path::PathBuf;

use account::StoreError;
use account::store::{BoxError, Damage};

/// Why a store cannot be opened. A store is named by its file, or by its server and database, never by a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no kind of store that there is.
    #[error("{url:?} names no store: there are sqlite:FILE, postgres://USER@HOST/DATABASE and memory:")]
    Url {
        /// The URL, without what may be secret.
        url: String,
    },
    /// The URL is one of PostgreSQL, but not well-formed.
    #[error("the PostgreSQL URL cannot be read: {what}")]
    Malformed {
        /// What is wrong with it; nothing of the URL itself.
        what: String,
    },
    /// The file cannot be made or opened.
    #[error("cannot open the store {}: does its folder exist, and may this user write there?", path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// The system's own words.
        source: BoxError,
    },
    /// The server does not answer.
    #[error("the store {store} cannot be reached")]
    Unreachable {
        /// Server and database.
        store: String,
        /// The system's own words.
        source: BoxError,
    },
    /// The server answers, and will not have this user or has no such database.
    #[error("the store {store} does not let this program in: {hint}")]
    Refused {
        /// Server and database.
        store: String,
        /// What to look at.
        hint: &'static str,
        /// The server's own words.
        source: BoxError,
    },
    /// The server's certificate or the connection's encryption is not what the URL asks for.
    #[error("the store {store} cannot be spoken to over TLS as its URL asks for (sslmode, sslrootcert)")]
    Tls {
        /// Server and database.
        store: String,
        /// The driver's own words.
        source: BoxError,
    },
    /// The tables cannot be made or brought up to date.
    #[error("cannot bring the store {store} up to date")]
    Migrate {
        /// The database file, or server and database.
        store: String,
        /// The driver's own words.
        source: BoxError,
    },
    /// A newer version wrote it.
    #[error(
        "the store {store} was written by a newer ldapgate (its version {version} is not known here): upgrade this program, or restore a backup"
    )]
    Newer {
        /// The database file, or server and database.
        store: String,
        /// The migration that is not known.
        version: i64,
    },
}

impl OpenError {
    /// Whether the server may answer later with nothing changed here.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Why a command was not carried out, before its task is known.
#[derive(Debug)]
pub(crate) enum Problem {
    Sql(sqlx::Error),
    Corrupt(Damage),
    /// No answer in time.
    Late,
    /// A connection that had lain in the pool was dead; nothing was begun.
    Stale(sqlx::Error),
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// For what is no command of the store.
impl From<Problem> for BoxError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Sql(error) | Problem::Stale(error) => error.into(),
            Problem::Corrupt(damage) => damage.to_string().into(),
            Problem::Late => "it did not answer in time".into(),
        }
    }
}

impl Problem {
    /// The error of the command whose task follows "failed to".
    pub(crate) fn of(self, task: &'static str) -> StoreError {
        match self {
            Self::Corrupt(damage) => StoreError::Corrupt(damage),
            Self::Late => StoreError::Unreachable("it did not answer in time".into()),
            Self::Stale(error) => StoreError::Unreachable(Box::new(error)),
            Self::Sql(error) if is_out_of_reach(&error) => StoreError::Unreachable(Box::new(error)),
            Self::Sql(error) => StoreError::Failed { task, source: Box::new(error) },
        }
    }

    /// Whether the same command may be tried again: another transaction was in the way, and PostgreSQL rolled this one back;
    /// or it was never begun. A key that is taken, or gone, is such a case too: commands look before they write, so somebody was faster.
    pub(crate) fn passes(&self) -> bool {
        let error = match self {
            Self::Stale(_) => return true,
            Self::Sql(sqlx::Error::Database(error)) => error,
            _ => return false,
        };
        // serialization_failure, deadlock_detected, unique_violation, foreign_key_violation
        matches!(error.code().as_deref(), Some("40001" | "40P01" | "23505" | "23503"))
    }
}

/// Busy for longer than the busy timeout, or a disk or server that does not answer, is no fault of the command.
pub(crate) fn is_out_of_reach(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
        _ => false,
    }
}

fn is_passing(code: &str) -> bool {
    // PostgreSQL's have five characters: connection exception, insufficient resources, operator intervention (57014
    // is statement_timeout), lock_not_available, idle in transaction, read only, an I/O error of the system, and
    // PgBouncer's own 08P01.
    if code.len() == 5 {
        return ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
            || matches!(code, "55P03" | "25P03" | "25006" | "40001" | "40P01");
    }
    // SQLITE_BUSY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_READONLY in the low byte.
    code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 5 | 8 | 10 | 13 | 14))
}
