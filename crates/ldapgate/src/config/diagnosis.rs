//! What a diagnosis asks of a configuration besides what the engine is told.

use std::sync::Arc;

use super::Config;
use crate::engine::open_store;
use crate::error::Error;

impl Config {
    /// A directory's (`None`: the first) URLs as they are written.
    ///
    /// # Errors
    /// No directory has that name.
    pub fn urls(&self, directory: Option<&str>) -> Result<&[String], Error> {
        Ok(self.directory(directory)?.connection.urls())
    }

    /// The directory (`None`: the first) is asked as a service account, and not as nobody.
    ///
    /// # Errors
    /// No directory has that name.
    pub fn has_service_account(&self, directory: Option<&str>) -> Result<bool, Error> {
        Ok(self.directory(directory)?.connection.has_service_account())
    }

    /// Each directory's part in the decision, in the order in which they are asked.
    #[must_use]
    pub fn directory_settings(&self) -> Vec<auth::Settings> {
        self.auth_settings()
    }

    /// What sign-in, sessions, tokens and permissions are told. Secret files are read now.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn settings_of_accounts(&self) -> Result<account::Settings, Error> {
        self.account_settings().map_err(|error| Error::because("token.secret_key_file", error))
    }

    /// Where the store is, as text without a secret; for SQLite with the whole path.
    #[must_use]
    pub fn store_place(&self) -> String {
        super::store::hidden(self.store_url())
    }

    /// Looks at the configured store and changes nothing; `None` for `memory:`.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be looked at.
    #[cfg(feature = "sqlite")]
    pub async fn look_at_store(&self) -> Result<Option<store::Looked>, Error> {
        let url = self.store_url();
        store::look(url).await.map_err(|error| Error::Store { url: self.store_place(), source: error.into() })
    }

    /// Opens the configured store, which brings its tables up to date; one in a file is made.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be opened.
    pub async fn open_store(&self) -> Result<Arc<dyn account::Store>, Error> {
        open_store(self.store_url()).await
    }
}
