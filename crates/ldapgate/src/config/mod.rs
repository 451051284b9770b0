//! The configuration: TOML, the environment, and secrets in files. One file a section; each checks itself and becomes the
//! settings of one room. Reading order: `read/` is the machinery, `directory.rs` the longest section.

mod access;
mod admin;
mod audit;
mod cache;
mod connection;
mod diagnosis;
mod directory;
mod expression;
mod find;
mod forward_auth;
mod groups;
mod http;
mod log;
mod login;
mod metrics;
mod password;
mod permissions;
mod pool;
mod preset;
mod profile;
mod read;
mod rooms;
mod sasl;
mod search;
mod session;
mod store;
mod sync;
mod tls;
mod token;
mod user;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use read::{Kind, Section, Sheet, Table, lay_over};

pub use read::{ConfigErrors, Problem, Shown, Source, without_newline};
pub(crate) use rooms::Fixed;
pub(crate) use store::hidden;

use crate::error::Error;

/// A checked configuration.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::path::Path;
///
/// let text = r#"
///     [directory]
///     preset = "openldap"
///     url = "ldap://localhost:3890"
///     base = "dc=example,dc=com"
/// "#;
/// let config = ldapgate::Config::parse(text, Path::new("ldapgate.toml"), &BTreeMap::new())?;
/// assert_eq!(config.directories(), ["main"]);
/// let idle = config.show().iter().find(|shown| shown.key == "session.idle").unwrap();
/// assert_eq!((idle.value.as_str(), idle.origin.to_string().as_str()), ("\"30m\"", "default"));
/// # Ok::<(), ldapgate::ConfigErrors>(())
/// ```
#[derive(Debug)]
pub struct Config {
    path: Option<PathBuf>,
    directories: Vec<directory::Directory>,
    permissions: Vec<permissions::Line>,
    login: login::Login,
    cache: cache::Cache,
    sync: account::SyncSettings,
    store: store::Store,
    session: session::Session,
    token: token::Token,
    http: http::Http,
    metrics: Option<SocketAddr>,
    audit_keep: Duration,
    log: log::Log,
    shown: Vec<Shown>,
    warnings: Vec<String>,
}

impl Config {
    /// Finds and reads the configuration: `explicit` (`--config`), else `$LDAPGATE_CONFIG`, `./ldapgate.toml`,
    /// `/etc/ldapgate/ldapgate.toml`. The first that is there is taken whole. Without any, `LDAPGATE_SECTION__KEY` variables
    /// can be a configuration by themselves. `environment` is the process's, handed in.
    ///
    /// # Errors
    /// A file that is named and missing, none at all, and everything that is wrong in it, at once.
    pub fn find(
        explicit: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Config, ConfigErrors> {
        match find::find(explicit, environment)? {
            Some((path, text)) => Self::parse(&text, &path, environment),
            None => Self::parse("", Path::new("environment"), environment)
                .map(|config| Self { path: None, ..config }),
        }
    }

    /// Reads a configuration from text. `path` is the file it came from: messages name it, relative paths start in its folder.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(
        text: &str,
        path: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<Config, ConfigErrors> {
        let sheet = Sheet::new(path, text);
        let (mut table, mistakes) = Table::parse(text);
        // A file whose TOML is broken is told so and no more: what is missing from the broken part would only confuse.
        if !mistakes.is_empty() {
            mistakes.iter().for_each(|(place, message)| sheet.wrong(place, message.as_str()));
            return Err(sheet.finish().expect_err("a mistake was noted"));
        }
        for (place, message) in lay_over(&mut table, environment) {
            sheet.wrong(&place, message);
        }
        let draft = read(Section::root(&sheet, table));
        let (shown, warnings) = sheet.finish()?;
        let draft = draft.expect("a configuration without problems is complete");
        Ok(Config { path: Some(path.to_owned()), shown, warnings, ..draft })
    }

    /// The effective values in the order of the documentation, each with its origin; secrets are hidden. A key whose part is
    /// not built yet says so ([`Source::NotYet`]).
    #[must_use]
    pub fn show(&self) -> &[Shown] {
        &self.shown
    }

    /// What is allowed and yet dangerous, each with its place.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The names of the directories, in the order in which they are asked.
    #[must_use]
    pub fn directories(&self) -> Vec<&str> {
        self.directories.iter().map(|directory| directory.settings.name.as_str()).collect()
    }

    /// How the client reaches a directory (`None`: the first): servers, service account, TLS. Certificate files are read now.
    ///
    /// # Errors
    /// No directory has that name, or a certificate file can no longer be used.
    pub fn client_options(&self, directory: Option<&str>) -> Result<client::Options, Error> {
        self.directory(directory)?.client_options()
    }

    /// Whom a directory's (`None`: the first) connections trust.
    ///
    /// # Errors
    /// No directory has that name.
    pub fn tls_settings(&self, directory: Option<&str>) -> Result<::tls::ClientSettings, Error> {
        Ok(self.directory(directory)?.connection.tls.clone())
    }

    /// A directory's (`None`: the first) base.
    #[must_use]
    pub fn base(&self, directory: Option<&str>) -> Option<String> {
        self.directory(directory).ok().map(|directory| directory.settings.base.to_string())
    }

    /// Joins an application's own kind of groups with those of a directory (`None`: the first).
    ///
    /// # Errors
    /// No directory has that name.
    pub fn add_group_kind(
        &mut self,
        directory: Option<&str>,
        kind: Arc<dyn auth::CustomKind>,
    ) -> Result<(), Error> {
        let name = self.directory(directory)?.settings.name.clone();
        let found = self.directories.iter_mut().filter(|directory| directory.settings.name == name);
        found.for_each(|directory| directory.settings.groups.custom.push(Arc::clone(&kind)));
        Ok(())
    }

    /// `http.listen`.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.http.listen
    }

    /// `metrics.listen`; `None`: no metrics are shown.
    #[must_use]
    pub fn metrics_listen(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// The gateway's own listener speaks TLS.
    #[must_use]
    pub fn tls_listener(&self) -> bool {
        self.http.tls.is_some()
    }

    /// `http.public_url`, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.http.public_url.as_deref()
    }

    /// `log.format` is `json`.
    #[must_use]
    pub fn log_json(&self) -> bool {
        self.log.json
    }

    /// `log.level`: a level, or a list of `target=level`.
    #[must_use]
    pub fn log_level(&self) -> &str {
        &self.log.level
    }

    /// The file it was read from; `None` where the environment alone is the configuration.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    fn directory(&self, name: Option<&str>) -> Result<&directory::Directory, Error> {
        let found =
            self.directories.iter().find(|directory| name.is_none_or(|name| directory.settings.name == name));
        found.ok_or_else(|| Error::NoDirectory {
            name: name.unwrap_or_default().to_owned(),
            known: self.directories().join(", "),
        })
    }
}

/// Reads every section. `None` only where something was wrong.
fn read(root: Section<'_>) -> Option<Config> {
    let starts: Vec<_> = directories(&root).into_iter().map(directory::start).collect();
    let known: Vec<_> = starts.iter().map(|start| start.known.clone()).collect();
    check_directories(&root, &starts);
    // Names are folded alike in every directory, so this section is read first and still shown after them.
    let fold = login::fold(&root.section("login"));
    let directories: Vec<_> = starts.into_iter().map(|start| start.finish(fold)).collect();
    let permissions = permissions::read(root.section("permissions"), &known);
    let login = login::read(root.section("login"));
    let cache = cache::read(root.section("cache"));
    let sync = sync::read(root.section("sync"));
    let store = store::read(root.section("store"));
    let session = session::read(root.section("session"));
    let token = token::read(root.section("token"));
    let http = http::read(root.section("http"));
    forward_auth::read(root.section("forward_auth"), &known);
    let metrics = metrics::read(root.section("metrics"));
    let audit_keep = audit::read(root.section("audit"));
    let log = log::read(root.section("log"));
    admin::read(root.section("admin"), &known);
    root.finish();
    let directories = directories.into_iter().collect::<Option<Vec<_>>>()?;
    let (path, shown, warnings) = Default::default();
    Some(Config {
        path,
        directories,
        permissions,
        login,
        cache,
        sync,
        store,
        session,
        token,
        http,
        metrics,
        audit_keep,
        log,
        shown,
        warnings,
    })
}

/// `[directory]`, or each of `[[directory]]`.
fn directories<'s>(root: &Section<'s>) -> Vec<Section<'s>> {
    match root.value("directory").map(|value| value.kind) {
        Some(Kind::List(values)) if !values.is_empty() => root.tables("directory"),
        Some(Kind::List(_)) | None => {
            let message = "no directory is configured";
            root.sheet().wrong_but(
                root.place(),
                message,
                "a [directory] with preset, url and base is enough",
            );
            Vec::new()
        }
        Some(_) => vec![root.section("directory")],
    }
}

/// What has to hold between several directories.
fn check_directories(root: &Section<'_>, starts: &[directory::Start<'_>]) {
    let sheet = root.sheet();
    let mut domains: BTreeMap<String, String> = BTreeMap::new();
    for (index, start) in starts.iter().enumerate() {
        let name = &start.known.name;
        if starts[..index].iter().any(|other| other.known.name == *name) {
            sheet.wrong_but(
                &start.place(),
                format!("two directories are named {name:?}"),
                "give each its own name",
            );
        }
        start.check_template(index + 1 == starts.len());
        for domain in start.domains() {
            if let Some(other) = domains.insert(domain.value.clone(), name.clone()) {
                let message = format!("domains: {:?} belongs to directory {other:?} already", domain.value);
                sheet.wrong(&domain.place, message);
            }
        }
    }
}

/// Reads a duration as the configuration writes it: `"30s"`, `"12h"`, `"30d"`; not zero.
///
/// # Errors
/// What it should look like.
pub fn duration(text: &str) -> Result<Duration, String> {
    read::parse_duration(text, read::Zero::Wrong)
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
