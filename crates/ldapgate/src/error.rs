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
    /// A directory was asked for by a name that none has.
    #[error("no directory is named {name:?}: there is {known}")]
    NoDirectory {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
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

    /// The causes below this error, nearest first.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let causes = std::iter::successors(self.source(), |cause| (*cause).source());
        causes.map(ToString::to_string).collect()
    }

    /// The error and its causes in one line.
    pub(crate) fn chain(&self) -> String {
        let told = std::iter::once(self.to_string()).chain(self.causes());
        told.collect::<Vec<_>>().join(": ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_causes_are_those_below_the_error() {
        let error = Error::because("token.secret_key_file", std::io::Error::other("gone"));
        assert_eq!(error.causes(), ["gone"]);
        assert_eq!(error.chain(), "the configuration does not work: token.secret_key_file: gone");
        let alone = Error::Configuration { what: "x".to_owned(), source: None };
        assert_eq!(alone.causes(), Vec::<String>::new());
    }
}
