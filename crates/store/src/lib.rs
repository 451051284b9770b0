//! The store that stays: [`account::store`]'s commands in SQL, each one transaction.
//!
//! [`open`] takes a URL: `sqlite:FILE` keeps everything in one file (made with mode 0600), `memory:` keeps nothing.
//! It knows nothing of HTTP, of LDAP or of policy: what a command means is written in [`account::store::State`], and
//! the battery that ships with it compares this store with that, answer by answer.
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
//! SQLite runs in WAL mode with one writer and several readers. The commands live in one file a theme: `person`,
//! `session`, `token`, `attempt`, `audit`; `sqlite` opens, `row` turns rows into values.

mod attempt;
mod audit;
mod error;
mod person;
mod row;
mod session;
mod sqlite;
mod token;

use std::path::Path;
use std::sync::Arc;

use account::store::{MemoryStore, Store};

pub use error::OpenError;

/// Opens the store at a URL, making and migrating it where needed.
///
/// `sqlite:PATH` (a relative path is relative to the working directory) or `memory:`.
///
/// # Errors
/// When the URL is of another kind, the file cannot be made or opened, or was written by a newer version.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    match url.split_once(':') {
        Some(("memory", _)) => Ok(Arc::new(MemoryStore::new())),
        Some(("sqlite", path)) if !path.is_empty() => {
            let path = path.strip_prefix("//").unwrap_or(path);
            Ok(Arc::new(sqlite::Sqlite::open(Path::new(path)).await?))
        }
        _ => Err(OpenError::Url { url: without_secrets(url) }),
    }
}

/// A URL's scheme and no more: what follows may hold a password.
fn without_secrets(url: &str) -> String {
    url.split_once(':').map_or_else(|| url.to_owned(), |(scheme, _)| format!("{scheme}:.."))
}
