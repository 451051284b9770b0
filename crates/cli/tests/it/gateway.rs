//! A configuration for a world, the binary's commands on it, and a gateway that runs.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use testkit::http::Visitor;
use testkit::process::{self, Finished, Server};
use testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ldapgate");

/// What most scenarios want to know of a person.
pub(crate) const USUAL: &str = r#"
[directory.groups]
nested = true

[directory.access]
deny = "cn=suspended,ou=groups,dc=example,dc=com"

[directory.profile]
fields = { first_name = "givenName", last_name = "sn", email = "mail" }
lists = { phones = "telephoneNumber" }
flags = { is_staff = "cn=staff,ou=groups,dc=example,dc=com", is_deep = "cn=level4,ou=groups,dc=example,dc=com" }

[directory.permissions]
from_groups = true

[permissions]
staff = ["reports.view"]
"#;

/// Writes a configuration for the world's plain port; `more` comes after the `[directory]` table's own keys.
pub(crate) fn configure(world: &World, more: &str) -> PathBuf {
    configure_url(world, &world.ldap_url(), more)
}

/// The same for any URL of the world's server.
pub(crate) fn configure_url(world: &World, url: &str, more: &str) -> PathBuf {
    let folder = world.folder();
    let path = folder.join("ldapgate.toml");
    let text = format!(
        r#"
[http]
listen = "127.0.0.1:0"

[store]
url = "sqlite:accounts.db"

[directory]
preset = "openldap"
url = "{url}"
base = "{BASE}"
bind_dn = "{READER}"
bind_password = "{READER_PASSWORD}"
{more}
"#
    );
    std::fs::write(&path, text).expect("the test folder is writable");
    path
}

/// Runs a command of the program with this configuration.
pub(crate) fn ldapgate(config: &std::path::Path, arguments: &[&str], input: &str) -> Finished {
    let config = config.display().to_string();
    let mut all = vec!["--config", &config];
    all.extend(arguments);
    process::run_at(PROGRAM, &all, &[], input)
}

/// One login on the command line: the document and the exit status.
pub(crate) fn login(config: &std::path::Path, user: &str, password: &str) -> (Value, i32) {
    let done = ldapgate(
        config,
        &["-q", "login", "--json", "--password-stdin", "--", user],
        &format!("{password}\n"),
    );
    let document = serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("no document ({error}): {}{}", done.stdout, done.stderr));
    (document, done.status)
}

/// A gateway in a process of its own.
pub(crate) struct Gateway {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    server: Server,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Gateway {
    /// Starts `serve` with a configuration file.
    pub(crate) async fn start(config: &std::path::Path) -> Self {
        Self::run(&["--config".to_owned(), config.display().to_string(), "serve".to_owned()], &[]).await
    }

    /// Starts `serve --demo` on a free port.
    pub(crate) async fn demo() -> Self {
        Self::run(&["serve".to_owned(), "--demo".to_owned()], &[("LDAPGATE_HTTP__LISTEN", "127.0.0.1:0")])
            .await
    }

    /// The same with a folder of its own for temporary files.
    pub(crate) async fn demo_in(folder: &std::path::Path) -> Self {
        let folder = folder.display().to_string();
        let environment = [("LDAPGATE_HTTP__LISTEN", "127.0.0.1:0"), ("TMPDIR", folder.as_str())];
        Self::run(&["serve".to_owned(), "--demo".to_owned()], &environment).await
    }

    /// Begins to start `serve`; nobody waits until it listens.
    pub(crate) fn begin(config: &std::path::Path) -> Self {
        Self::spawn(&["--config".to_owned(), config.display().to_string(), "serve".to_owned()], &[])
    }

    async fn run(arguments: &[String], environment: &[(&str, &str)]) -> Self {
        let mut gateway = Self::spawn(arguments, environment);
        gateway.listens().await;
        gateway
    }

    fn spawn(arguments: &[String], environment: &[(&str, &str)]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("gateway").tempdir().expect("a temporary folder can be made");
        let log = folder.path().join("gateway.log");
        let server = Server::start_at(PROGRAM, arguments, environment, &log);
        Self { url: String::new(), server, log, _folder: folder }
    }

    /// Waits until it says where it listens.
    async fn listens(&mut self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let said = self.said();
            if let Some(url) =
                said.split_whitespace().find(|word| word.starts_with("http://") && !word.contains(":8080"))
            {
                self.url = url.trim_end_matches("/app/").replace("localhost", "127.0.0.1");
                return;
            }
            let late = tokio::time::Instant::now() > deadline || !self.server.alive();
            assert!(!late, "the gateway does not start:\n{said}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Everything it printed so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it shows to whoever keeps watch over it; `metrics.listen` is configured.
    pub(crate) async fn metrics(&self) -> String {
        let said = self.said();
        let url = said.split_whitespace().find(|word| word.ends_with("/metrics"));
        match url {
            Some(url) => Visitor::of(url).get("/metrics").await.body,
            None => String::new(),
        }
    }

    /// A visitor with a browser's manners and an empty jar.
    pub(crate) fn browser(&self) -> Visitor {
        Visitor::browser(&self.url)
    }

    /// A program without a browser's manners.
    pub(crate) fn program(&self) -> Visitor {
        Visitor::of(&self.url)
    }

    /// One login through the API.
    pub(crate) async fn api_login(&self, username: &str, password: &str) -> testkit::http::Answer {
        let body = serde_json::json!({ "username": username, "password": password });
        self.program().json("/api/login", &body).await
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        self.server.signal(name);
    }

    /// Ends it as a crash does, in the middle of whatever it does, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    /// Ends it and waits until it is gone.
    pub(crate) fn stop(&mut self) {
        self.server.stop();
    }
}

/// Who may write: the root of the real server, anybody of the data in the in-memory one.
fn writer(peer: Peer) -> [&'static str; 2] {
    match peer {
        Peer::OpenLdap => ["cn=admin,dc=example,dc=com", "Admin-Pass-0"],
        Peer::Memory => [READER, READER_PASSWORD],
    }
}

/// One of OpenLDAP's own tools that write.
pub(crate) fn write(world: &World, peer: Peer, tool: &str, arguments: &[&str], input: &str) {
    let (url, [who, password]) = (world.ldap_url(), writer(peer));
    let all = [&["-x", "-H", url.as_str(), "-D", who, "-w", password], arguments].concat();
    let done = process::run(tool, "ldap-utils", &all, input);
    assert_eq!(done.status, 0, "{tool}: {}{}", done.stdout, done.stderr);
}
