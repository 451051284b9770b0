//! The configuration (bodies follow; these signatures stay).
use std::collections::BTreeMap;
use std::path::Path;

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    shown: Vec<Shown>,
    warnings: Vec<String>,
}

/// One effective setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// `session.idle`, `directory.main.user.match`.
    pub key: String,
    /// The value as TOML; `(hidden)` for a secret.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from; prints as `default`, `preset openldap`, `ldapgate.toml:12`, `$LDAPGATE_SESSION__IDLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The directory's preset.
    Preset(String),
    /// A line of the file.
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
}

/// Everything that is wrong with a configuration, in the file's order; displays one problem a line.
#[derive(Debug, thiserror::Error)]
#[error("bad configuration")]
pub struct ConfigErrors {
    problems: Vec<Problem>,
}

/// One thing that is wrong; displays as `ldapgate.toml:3:5: unknown key "iddle"; did you mean "idle"?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `FILE:LINE:COLUMN`, or the variable's name.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do, where there is something to say.
    pub suggestion: Option<String>,
}

impl ConfigErrors {
    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Config {
    /// Finds and reads the configuration: `explicit` (`--config`), `$LDAPGATE_CONFIG`, `./ldapgate.toml`, `/etc/ldapgate/ldapgate.toml`;
    /// `environment` is the process's, passed in.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn find(_explicit: Option<&Path>, _environment: &BTreeMap<String, String>) -> Result<Config, ConfigErrors> {
        todo!()
    }

    /// Reads a configuration from text; `path` is the file it came from (messages, and the base of relative paths).
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(_text: &str, _path: &Path, _environment: &BTreeMap<String, String>) -> Result<Config, ConfigErrors> {
        todo!()
    }

    /// The effective values with their origin.
    pub fn show(&self) -> &[Shown] {
        &self.shown
    }

    /// What is allowed and yet dangerous.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The names of the directories, in order.
    pub fn directories(&self) -> Vec<&str> {
        todo!()
    }

    /// `http.listen`.
    pub fn listen(&self) -> std::net::SocketAddr {
        todo!()
    }

    /// `log.format` is `json`.
    pub fn log_json(&self) -> bool {
        todo!()
    }

    /// `log.level`, as `tracing-subscriber`'s filter reads it.
    pub fn log_level(&self) -> &str {
        todo!()
    }

    /// The file it was read from, if any.
    pub fn path(&self) -> Option<&Path> {
        todo!()
    }
}
