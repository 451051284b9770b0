//! What stands in the way of starting.

use std::path::PathBuf;

/// The gate cannot be made. The operator has to act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the theme.
    #[error("theme file {}: {problem}", path.display())]
    Theme {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, with the line where there is one.
        problem: String,
    },
    /// A setting.
    #[error("{key}: {problem}")]
    Setting {
        /// The configuration file's name for it.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}
