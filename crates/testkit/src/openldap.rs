//! A throwaway OpenLDAP `slapd` on loopback: plain, StartTLS and ldaps, the world's people loaded.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::certificate::{Authority, Flaw};
use crate::process::{self, Server};

/// The server's administrator.
pub const ADMINISTRATOR: &str = "cn=admin,dc=example,dc=com";
/// The administrator's password.
pub const ADMINISTRATOR_PASSWORD: &str = "Admin-Pass-0";
const SLAPD: &str = "slapd";

/// A running (or stopped) `slapd` with a database of its own.
pub struct OpenLdap {
    folder: tempfile::TempDir,
    port: u16,
    tls_port: u16,
    /// Variables that it is started with.
    environment: Vec<(String, String)>,
    server: Option<Server>,
    /// Connections that this kit made to see whether the server answers.
    probes: usize,
}

impl OpenLdap {
    /// Starts a server that holds `ldif` and shows a certificate with `flaw`, signed by `authority`.
    ///
    /// # Panics
    /// When `slapd` is missing, refuses the data or does not answer within 20 seconds.
    pub async fn start(ldif: &str, authority: &Authority, flaw: Flaw) -> Self {
        Self::guarded(ldif, authority, flaw, OPEN_TO_THE_READER).await
    }

    /// Starts a server with access rules of the caller's, `access to ...` as in slapd.access(5).
    ///
    /// # Panics
    /// As [`OpenLdap::start`].
    pub async fn guarded(ldif: &str, authority: &Authority, flaw: Flaw, access: &str) -> Self {
        Self::configured(ldif, authority, flaw, &[], |folder| settings(folder, access)).await
    }

    /// Starts a server whose whole `slapd.conf` is the caller's, made for its folder, with variables in its environment.
    pub(crate) async fn configured(
        ldif: &str,
        authority: &Authority,
        flaw: Flaw,
        environment: &[(&str, &str)],
        settings: impl FnOnce(&Path) -> String,
    ) -> Self {
        let folder =
            tempfile::Builder::new().prefix("slapd").tempdir().expect("a temporary folder can be made");
        let path = folder.path();
        let _files = authority.server(flaw).write(path, "server");
        std::fs::write(path.join("ca.crt"), authority.pem()).expect("the test folder is writable");
        std::fs::create_dir(path.join("db")).expect("the test folder is writable");
        std::fs::write(path.join("slapd.conf"), settings(path)).expect("the test folder is writable");
        std::fs::write(path.join("world.ldif"), ldif).expect("the test folder is writable");
        let conf = path.join("slapd.conf").display().to_string();
        let data = path.join("world.ldif").display().to_string();
        let loaded = process::run("slapadd", SLAPD, &["-q", "-w", "-f", &conf, "-l", &data], "");
        assert_eq!(loaded.status, 0, "slapadd refused the world: {}", loaded.stderr);
        let mut this = Self {
            folder,
            port: process::free_port(),
            tls_port: process::free_port(),
            environment: environment
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            server: None,
            probes: 0,
        };
        this.resume().await;
        this
    }

    /// Starts it again on the same ports with the same data.
    ///
    /// # Panics
    /// When it does not answer within 20 seconds.
    pub async fn resume(&mut self) {
        let path = self.folder.path();
        let arguments = [
            "-d".to_owned(),
            "stats".to_owned(),
            "-f".to_owned(),
            path.join("slapd.conf").display().to_string(),
            "-h".to_owned(),
            format!(
                "ldap://127.0.0.1:{} ldaps://127.0.0.1:{} {}",
                self.port,
                self.tls_port,
                self.ldapi_url()
            ),
        ];
        let environment: Vec<_> = self.environment.iter().map(|(name, value)| (&**name, &**value)).collect();
        let program = process::find("slapd", SLAPD);
        self.server = Some(Server::start_at(&program, &arguments, &environment, &self.log()));
        self.answers().await;
    }

    /// Stops it; its ports refuse connections afterwards.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Lets it do nothing, and yet hold its connections, until [`OpenLdap::thaw`].
    pub fn freeze(&self) {
        self.server.iter().for_each(|server| server.signal("STOP"));
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.server.iter().for_each(|server| server.signal("CONT"));
    }

    /// For a server that lives as long as the test process: its folder goes when the process ends.
    pub(crate) fn leave_nothing(&mut self) {
        let folder = self.folder.path().to_owned();
        if let Some(server) = &mut self.server {
            server.leaves_nothing_of(&folder);
        }
    }

    /// The folder with its configuration, data and certificates.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `ldap://localhost:PORT`.
    #[must_use]
    pub fn ldap_url(&self) -> String {
        format!("ldap://localhost:{}", self.port)
    }

    /// `ldaps://localhost:PORT`.
    #[must_use]
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://localhost:{}", self.tls_port)
    }

    /// `ldapi://%2F...`, the socket in the server's folder.
    #[must_use]
    pub fn ldapi_url(&self) -> String {
        format!("ldapi://{}", self.folder.path().join("ldapi").display().to_string().replace('/', "%2F"))
    }

    /// The authority's certificate file.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Makes changes, as LDIF, as the server's administrator.
    ///
    /// # Panics
    /// When the server refuses one.
    pub fn administer(&self, changes: &str) {
        let url = self.ldap_url();
        let identity = ["-x", "-H", &url, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD];
        let done = process::run("ldapmodify", "ldap-utils", &identity, changes);
        assert_eq!(done.status, 0, "slapd refused a change: {}{changes}", done.stderr);
    }

    /// How many connections of clients it has accepted over TCP since it first started, by its own log.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.accepted() - self.probes
    }

    /// How many requests it has seen since it first started, by its own log.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn requests(&self) -> usize {
        [" BIND dn=", " SRCH base=", " CMP dn=", " MOD dn=", " ADD dn=", " DEL dn=", " EXT oid="]
            .iter()
            .map(|kind| self.log_lines(kind).iter().filter(|line| !line.contains(" mech=")).count())
            .sum()
    }

    /// The lines of its log that contain `needle`: `BIND dn=`, `SRCH base=`, ...
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn log_lines(&self, needle: &str) -> Vec<String> {
        let log = std::fs::read(self.log()).expect("the server writes a log");
        String::from_utf8_lossy(&log)
            .lines()
            .filter(|line| line.contains(needle))
            .map(ToOwned::to_owned)
            .collect()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("slapd.log")
    }

    async fn answers(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let before = self.accepted();
        for port in [self.port, self.tls_port] {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                self.wait_a_little(deadline).await;
            }
            self.probes += 1;
        }
        while self.accepted() < before + 2 {
            self.wait_a_little(deadline).await;
        }
    }

    async fn wait_a_little(&mut self, deadline: Instant) {
        let alive = self.server.as_mut().is_some_and(Server::alive);
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        assert!(alive && Instant::now() < deadline, "slapd does not answer; its log:\n{log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    fn accepted(&self) -> usize {
        self.log_lines(" ACCEPT from IP=").len()
    }
}

/// The service account reads everything but passwords, people read themselves.
const OPEN_TO_THE_READER: &str = r#"access to attrs=userPassword by self =xw by anonymous auth by * none
access to * by dn.exact="cn=reader,ou=services,dc=example,dc=com" read by self read by anonymous auth by * none"#;

fn settings(folder: &Path, access: &str) -> String {
    let folder = folder.display();
    format!(
        r#"include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.crt
TLSCertificateFile {folder}/server.crt
TLSCertificateKeyFile {folder}/server.key
password-hash {{CLEARTEXT}}
sizelimit 500

access to dn.base="" by * read
access to dn.base="cn=Subschema" by * read

database mdb
suffix "dc=example,dc=com"
rootdn "{ADMINISTRATOR}"
rootpw {ADMINISTRATOR_PASSWORD}
directory {folder}/db
dbnosync
index objectClass,uid,member,memberUid eq
{access}
overlay memberof
overlay ppolicy
ppolicy_use_lockout
"#
    )
}
