//! An installation that is more than one process: a directory, a store that several gateways share, and a look into it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::equipped::Equipped;
use testkit::http::Visitor;
use testkit::postgres::Postgres;
use testkit::process;
use testkit::world::{BASE, READER, READER_PASSWORD};

use crate::gateway::{Gateway, ldapgate};

/// Who keeps what is known of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// One file.
    Sqlite,
    /// A server for all.
    Postgres,
    /// The same, and nobody hears of changes before he asks.
    Unheard,
    /// The same through PgBouncer, in transaction mode.
    Bouncer,
}

/// A `slapd`, a store, and the configuration that all its processes read.
pub(crate) struct Installation {
    pub(crate) directory: Equipped,
    keeper: Keeper,
    url: String,
    config: PathBuf,
    folder: tempfile::TempDir,
}

impl Installation {
    /// With the world's people; `more` comes after the `[directory]` table's own keys.
    pub(crate) async fn start(keeper: Keeper, more: &str) -> Self {
        Self::with_entries(keeper, "", more).await
    }

    /// The same with more people, as LDIF.
    pub(crate) async fn with_entries(keeper: Keeper, entries: &str, more: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("installation")
            .tempdir()
            .expect("a temporary folder can be made");
        let directory = Equipped::start_with_more(entries).await;
        let config = folder.path().join("ldapgate.toml");
        let mut installation = Self { directory, keeper, url: String::new(), config, folder };
        installation.empty_store(0);
        installation.configure(more);
        installation
    }

    /// Gives it a store that nobody has opened yet; a number names it.
    pub(crate) fn empty_store(&mut self, number: usize) {
        let fresh = || Postgres::shared().database();
        self.url = match self.keeper {
            Keeper::Sqlite => format!("sqlite:{}", self.path(&format!("accounts-{number}.db")).display()),
            Keeper::Postgres => fresh(),
            Keeper::Unheard => format!("{}?notify=off", fresh()),
            Keeper::Bouncer => Postgres::shared().bouncer(&fresh()),
        };
    }

    /// Writes the configuration; `more` comes after the `[directory]` table's own keys.
    pub(crate) fn configure(&self, more: &str) {
        self.configure_base(BASE, more);
    }

    /// The same with another base of people and groups.
    pub(crate) fn configure_base(&self, base: &str, more: &str) {
        let (store, directory) = (&self.url, self.directory.ldap_url());
        let text = format!(
            r#"
[http]
listen = "127.0.0.1:0"

[store]
url = "{store}"

[directory]
preset = "openldap"
url = "{directory}"
base = "{base}"
bind_dn = "{READER}"
bind_password = "{READER_PASSWORD}"
{more}
"#
        );
        std::fs::write(&self.config, text).expect("the test folder is writable");
    }

    /// The store's URL.
    pub(crate) fn store_url(&self) -> &str {
        &self.url
    }

    /// The configuration's file.
    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// A file of this installation's own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Two gateways that start at once.
    pub(crate) async fn two_gateways(&self) -> (Gateway, Gateway) {
        tokio::join!(Gateway::start(&self.config), Gateway::start(&self.config))
    }

    /// Runs a command, which has to succeed, and reads its document.
    pub(crate) fn document(&self, arguments: &[&str]) -> Value {
        let done = ldapgate(&self.config, &[&["-q"], arguments, &["--json"]].concat(), "");
        assert_eq!(done.status, 0, "{arguments:?}: {}{}", done.stdout, done.stderr);
        serde_json::from_str(&done.stdout)
            .unwrap_or_else(|error| panic!("no document ({error}): {}{}", done.stdout, done.stderr))
    }

    /// What the database itself answers to a query, a row an object.
    pub(crate) fn sql(&self, query: &str) -> Vec<Value> {
        let rows = match self.keeper {
            Keeper::Sqlite => {
                let file = self.url.trim_start_matches("sqlite:");
                let done = process::run("sqlite3", "sqlite3", &["-json", file, ".timeout 5000", query], "");
                assert!(done.status == 0 && done.stderr.is_empty(), "{query}: {}", done.stderr);
                done.stdout
            }
            Keeper::Postgres | Keeper::Unheard | Keeper::Bouncer => Postgres::shared()
                .sql(&self.url, &format!("select coalesce(json_agg(found), '[]') from ({query}) found")),
        };
        match rows.trim() {
            "" => Vec::new(),
            rows => serde_json::from_str(rows).unwrap_or_else(|error| panic!("{query} ({error}): {rows}")),
        }
    }

    /// The database's own opinion of itself is good.
    pub(crate) fn is_sound(&self) {
        if self.keeper != Keeper::Sqlite {
            return;
        }
        let told = self.sql("pragma integrity_check");
        assert_eq!(told, [serde_json::json!({"integrity_check": "ok"})]);
        assert_eq!(self.sql("pragma foreign_key_check"), [] as [Value; 0]);
    }

    /// The single number that a query asks for.
    pub(crate) fn number(&self, query: &str) -> i64 {
        let rows = self.sql(query);
        let row = rows.first().and_then(Value::as_object).and_then(|row| row.values().next());
        row.and_then(Value::as_i64).unwrap_or_else(|| panic!("{query}: {rows:?}"))
    }
}

/// A session that has just begun, in the jar of a program.
pub(crate) async fn signed_in(gateway: &Gateway, username: &str, password: &str) -> Visitor {
    let mut visitor = gateway.program();
    let body = serde_json::json!({ "username": username, "password": password });
    let answer = visitor.json("/api/login", &body).await;
    assert_eq!(answer.status, 200, "{username}: {}", answer.body);
    visitor
}
