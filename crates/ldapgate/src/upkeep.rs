//! What an operator does to a store while no gateway runs on it.

use crate::config::Config;
#[cfg(feature = "sqlite")]
use crate::config::hidden;
use crate::error::Error;

/// What bringing a store up to date came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version that was found; `None`: the store was empty.
    pub from: Option<i64>,
    /// The version that it has now.
    pub to: i64,
}

/// What came of copying a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// Everything is there: how many rows of which table.
    Yes(Vec<(&'static str, u64)>),
    /// Nothing was written: the target is not empty. The reason in words.
    No(String),
}

/// Brings the configured store up to date, which [`Engine::start`](crate::Engine::start) does too; `None` for `memory:`.
///
/// # Errors
/// When the store cannot be opened, or was written by a newer version.
pub async fn migrate(config: &Config) -> Result<Option<Migrated>, Error> {
    sql::migrate(config.store_url()).await
}

/// Copies everything that the configured store holds into an empty one: accounts, sessions, tokens, keys, counters, the audit
/// record. `to` is a URL as `store.url` has it, its paths relative to the working directory.
///
/// # Errors
/// When one of the two cannot be opened, or reading or writing fails; the target is empty then.
pub async fn copy_store(config: &Config, to: &str) -> Result<Copied, Error> {
    sql::copy(config.store_url(), to).await
}

/// The store that cannot be opened, its password left out.
#[cfg(feature = "sqlite")]
pub(crate) fn unopened(url: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Store { url: hidden(url), source: source.into() }
}

#[cfg(feature = "sqlite")]
mod sql {
    use store::CopyError;

    use super::{Copied, Error, Migrated, unopened};

    pub(super) async fn migrate(url: &str) -> Result<Option<Migrated>, Error> {
        let migrated = store::migrate(url).await.map_err(|error| unopened(url, error))?;
        Ok(migrated.map(|store::Migrated { from, to }| Migrated { from, to }))
    }

    pub(super) async fn copy(from: &str, to: &str) -> Result<Copied, Error> {
        match store::copy(from, to).await {
            Ok(counts) => Ok(Copied::Yes(counts)),
            Err(refused @ CopyError::NotEmpty { .. }) => Ok(Copied::No(refused.to_string())),
            Err(error @ CopyError::Memory) => Err(Error::because("copying a store", error)),
            Err(error) => Err(unopened(if error.is_of_source() { from } else { to }, error)),
        }
    }
}

#[cfg(not(feature = "sqlite"))]
mod sql {
    use super::{Copied, Error, Migrated};

    fn without() -> Error {
        let what =
            "this program was built without the feature \"sqlite\", so there is memory alone".to_owned();
        Error::Configuration { what, source: None }
    }

    pub(super) async fn migrate(url: &str) -> Result<Option<Migrated>, Error> {
        if url == "memory:" { Ok(None) } else { Err(without()) }
    }

    pub(super) async fn copy(_: &str, _: &str) -> Result<Copied, Error> {
        Err(without())
    }
}
