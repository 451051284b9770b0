//! Why an engine does not start, or does not take a new configuration.

use std::error::Error as StdError;

/// What went wrong with an engine, by who must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot work as it is.
    #[error("the configuration does not work: {what}")]
    Configuration {
        /// What cannot work.
        what: String,
        /// Why.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The store cannot be opened.
    #[error("the store {url:?} cannot be opened")]
    Store {
        /// The configured store.
        url: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The accounts do not start: the store, or this program.
    #[error("the accounts do not start")]
    Accounts {
        /// Why.
        source: account::Error,
    },
}

impl Error {
    /// Whether the operator has to change the configuration; otherwise something it names does not work at the moment.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Configuration { .. })
    }

    /// The error and what caused it, outermost first.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut causes = vec![self.to_string()];
        let mut next = self.source();
        while let Some(error) = next {
            causes.push(error.to_string());
            next = error.source();
        }
        causes
    }

    pub(crate) fn configuration(what: impl Into<String>) -> Self {
        Self::Configuration { what: what.into(), source: None }
    }

    pub(crate) fn because(
        what: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Configuration { what: what.into(), source: Some(source.into()) }
    }
}

impl From<auth::SettingsError> for Error {
    fn from(error: auth::SettingsError) -> Self {
        Self::because("a directory", error)
    }
}

impl From<account::Error> for Error {
    fn from(source: account::Error) -> Self {
        match source.fault() {
            account::Fault::Configuration => Self::because("accounts", source),
            _ => Self::Accounts { source },
        }
    }
}

impl From<web::Error> for Error {
    fn from(error: web::Error) -> Self {
        Self::because("pages", error)
    }
}
