//! The store that stays: [`account::store`]'s commands in SQL, each one transaction, on SQLite or PostgreSQL.
//!
//! [`open`] takes a URL: `sqlite:FILE` keeps everything in one file (made with mode 0600), `postgres://USER@HOST/DATABASE`
//! in a database that several gateways share, `memory:` keeps nothing. It knows nothing of HTTP, of LDAP or of policy:
//! what a command means is written in [`account::store::State`], and the battery that ships with it compares this store
//! with that, answer by answer.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let url = format!("sqlite:{}", folder.path().join("accounts.db").display());
//! let store = ldapgate_store::open(&url).await?;
//! store.ping().await?;
//! # Ok(()) }
//! ```
//!
//! # How a command is written
//!
//! 1. Its function is in its theme's file (`person`, `group`, `session`, `token`, `attempt`, `audit`), takes
//!    `c: &mut Connection<'_>` and its arguments, and answers `Result<_, Problem>`.
//! 2. SQL is written once, in what both databases understand: `c.query("..$1..").bind(value).execute()`, or `fetch_all`,
//!    `fetch_optional`,
//!    `fetch_one`, `fetch_scalars`. Portable are `on conflict (key) do update set a = excluded.a`,
//!    `returning`, `true` and `false`, `limit $1`; not `insert or replace`, `max(a, b)`, arrays, JSON operators. Where the
//!    two must differ: `c.query_in(sqlite, postgres)`.
//! 3. Values are `i64`, `bool`, text, bytes, and options of them; times are microseconds, ids text, maps and lists JSON
//!    text (`row`'s `to_json`). Rows are read by `row.of("table", first column, key column)`, whose `get`, `time`,
//!    `user`, `json` make a value that cannot be read an error that names table, column and row.
//! 4. `store` has one line for each command: `read!`, or `write!` with its `database::Purpose`. `Alone` is
//!    right unless there is a reason: no other command that writes alone runs meanwhile, so look, decide, write. The line may
//!    be carried out again, so it clones what it gives away.
//! 5. Who loses or gains something is noted by `audit::note_change`, records go through `audit::write`; in PostgreSQL both
//!    lock the row of `numbers` until the commit, so they come last.
//! 6. Tables are made in `migrations/sqlite` and `migrations/postgres` by files of the same number, which [`migrate`]
//!    lists, and in the list of `table`, or a copy would leave them behind (a test says so). In PostgreSQL: `bigint`, `boolean`, `bytea`, and `text collate "C"` for whatever is sorted or compared.
//!
//! Reading order: `store`, `person`, `sql`, `row`, `database`, `sqlite`, `postgres`, `migrate`.

mod attempt;
mod audit;
mod copy;
mod database;
mod error;
mod group;
mod look;
mod migrate;
mod person;
mod postgres;
mod revalidation;
mod row;
mod session;
mod signed;
mod sql;
mod sqlite;
mod store;
mod table;
mod text;
mod token;

use std::path::Path;
use std::sync::Arc;

use account::store::{MemoryStore, Stirred, Store};

pub use copy::{CopyError, copy};
pub use error::OpenError;
pub use look::Looked;
pub use migrate::Migrated;

/// Opens the store at a URL, making and migrating it where needed.
///
/// `sqlite:PATH` (a relative path is relative to the working directory), `postgres://USER:PASSWORD@HOST:PORT/DATABASE` or
/// `memory:`.
///
/// # Errors
/// When the URL is of another kind, the file or server cannot be opened, or was written by a newer version.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    if url.starts_with("memory:") {
        return Ok(Arc::new(MemoryStore::new()));
    }
    Ok(Arc::new(open_sql(url).await?.0))
}

/// Brings the store at a URL up to date, as [`open`] does, and says what that was; `None` for `memory:`.
///
/// # Errors
/// As [`open`].
pub async fn migrate(url: &str) -> Result<Option<Migrated>, OpenError> {
    match url.starts_with("memory:") {
        true => Ok(None),
        false => Ok(Some(open_sql(url).await?.1)),
    }
}

/// Looks at the store of a URL and changes nothing: `None` for `memory:`.
///
/// # Errors
/// As [`open`]; a file that is not there is one that cannot be opened.
pub async fn look(url: &str) -> Result<Option<Looked>, OpenError> {
    match url.split_once(':') {
        Some(("memory", _)) => Ok(None),
        Some(("sqlite", path)) if !path.is_empty() => {
            look::sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))).await.map(Some)
        }
        Some(("postgres" | "postgresql", _)) => look::postgres(url).await.map(Some),
        _ => Err(OpenError::Url { url: without_secrets(url) }),
    }
}

async fn open_sql(url: &str) -> Result<(store::SqlStore, Migrated), OpenError> {
    let stirred = Arc::new(Stirred::default());
    match url.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => {
            let path = path.strip_prefix("//").unwrap_or(path);
            let (database, migrated) = sqlite::open(Path::new(path)).await?;
            Ok((store::SqlStore { database, stirred, _listener: None }, migrated))
        }
        Some(("postgres" | "postgresql", _)) => {
            let (database, listener, migrated) = postgres::open(url, &stirred).await?;
            Ok((store::SqlStore { database, stirred, _listener: listener }, migrated))
        }
        _ => Err(OpenError::Url { url: without_secrets(url) }),
    }
}

/// Whether what a URL of PostgreSQL leads to is spoken to in clear text across a network.
///
/// # Errors
/// When the URL cannot be read.
pub fn is_in_the_clear(url: &str) -> Result<bool, OpenError> {
    postgres::is_in_the_clear(url)
}

/// A URL's scheme and no more: what follows may hold a password.
fn without_secrets(url: &str) -> String {
    url.split_once(':').map_or_else(|| url.to_owned(), |(scheme, _)| format!("{scheme}:.."))
}
