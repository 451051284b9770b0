//! The façade through its public door: configuration texts in, messages and values out; engines started and reloaded.

mod book;
mod defaults;
mod engine;
mod environment;
mod files;
mod log;
mod metrics;
mod shown;
mod wrong;

use std::collections::BTreeMap;
use std::path::Path;

use ldapgate::{Config, ConfigErrors};

/// A whole configuration.
const SMALL: &str = "\
[directory]
preset = \"openldap\"
url = \"ldap://localhost:3890\"
base = \"dc=example,dc=com\"
";

/// Reads a text as `ldapgate.toml` of the working directory, without an environment.
fn parse(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse(text, Path::new("ldapgate.toml"), &BTreeMap::new())
}

/// Reads a text with an environment.
fn parse_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(text, Path::new("ldapgate.toml"), &environment)
}

/// [`SMALL`] and more sections.
fn with(more: &str) -> String {
    format!("{SMALL}{more}")
}

/// The effective value of a key.
fn value(config: &Config, key: &str) -> String {
    let shown = config.show().iter().find(|shown| shown.key == key);
    shown.unwrap_or_else(|| panic!("{key} is not shown")).value.clone()
}

/// Where a key's value comes from.
fn origin(config: &Config, key: &str) -> String {
    let shown = config.show().iter().find(|shown| shown.key == key);
    shown.unwrap_or_else(|| panic!("{key} is not shown")).origin.to_string()
}
