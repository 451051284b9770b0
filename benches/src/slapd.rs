//! A throwaway `slapd` on a core of its own, and what it has counted.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use client::{Connection, Options};
use testkit::certificate::{Authority, Flaw};
use testkit::process::{self, Server};
use tokio::time::{Instant, sleep};

use crate::cores::SERVERS;
use crate::world::{PASSWORD, Size, WRITER};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server with the world in it.
pub(crate) struct Slapd {
    folder: tempfile::TempDir,
    secure: u16,
    plain: u16,
    monitor: Connection,
    _server: Server,
}

/// What a server has counted since it started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counters {
    pub(crate) connections: u64,
    /// Binds and searches; those that read these numbers are left out.
    pub(crate) requests: u64,
}

impl Slapd {
    pub(crate) async fn start(size: &Size) -> anyhow::Result<Slapd> {
        let folder = tempfile::Builder::new().prefix("bench").tempdir()?;
        let path = folder.path();
        let authority = Authority::new("Example Bench CA");
        let _files = authority.server(Flaw::None).write(path, "server");
        fs::write(path.join("ca.crt"), authority.pem())?;
        fs::create_dir(path.join("db"))?;
        fs::write(path.join("slapd.conf"), settings(path))?;
        fs::write(path.join("world.ldif"), size.ldif())?;
        let conf = path.join("slapd.conf").display().to_string();
        let data = path.join("world.ldif").display().to_string();
        let loaded = process::run("slapadd", "slapd", &["-q", "-w", "-f", &conf, "-l", &data], "");
        ensure!(loaded.status == 0, "slapadd refused the world: {}", loaded.stderr);
        fs::remove_file(path.join("world.ldif"))?;

        let (secure, plain) = (process::free_port(), process::free_port());
        let socket = format!("ldapi://{}", path.join("ldapi").display().to_string().replace('/', "%2F"));
        let urls = format!("ldaps://127.0.0.1:{secure} ldap://127.0.0.1:{plain} {socket}");
        let arguments =
            ["-c", SERVERS, &process::find("slapd", "slapd"), "-d", "0", "-f", &conf, "-h", &urls]
                .map(str::to_owned);
        let server = Server::start("taskset", "util-linux", &arguments, &path.join("slapd.log"));
        let monitor =
            monitor(&socket).await.with_context(|| format!("slapd does not answer; {}", log(path)))?;
        Ok(Slapd { folder, secure, plain, monitor, _server: server })
    }

    /// By address: libldap takes `localhost` for the machine's own name, which is not in the certificate.
    pub(crate) fn secure_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.secure)
    }

    /// Without TLS, for listening in.
    pub(crate) fn plain_port(&self) -> u16 {
        self.plain
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has counted so far.
    pub(crate) async fn counters(&self) -> anyhow::Result<Counters> {
        let searches = self.counter("cn=Search,cn=Operations,cn=Monitor", "monitorOpInitiated").await?;
        let binds = self.counter("cn=Bind,cn=Operations,cn=Monitor", "monitorOpInitiated").await?;
        let connections = self.counter("cn=Total,cn=Connections,cn=Monitor", "monitorCounter").await?;
        Ok(Counters { connections, requests: searches + binds })
    }

    async fn counter(&self, dn: &str, attribute: &str) -> anyhow::Result<u64> {
        let entry =
            self.monitor.read(dn, &[attribute]).await?.with_context(|| format!("there is no {dn}"))?;
        let value = entry.text(attribute).with_context(|| format!("{dn} shows no {attribute}"))?;
        Ok(value.parse()?)
    }
}

/// A connection over the server's own socket, which its counters are read by.
async fn monitor(socket: &str) -> anyhow::Result<Connection> {
    let options = Options::new([socket])?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Connection::open(&options).await {
            Ok(connection) => return Ok(connection),
            Err(error) if Instant::now() > deadline => bail!(error),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("slapd.log")).unwrap_or_default()
}

fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload back_monitor
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.crt
TLSCertificateFile {folder}/server.crt
TLSCertificateKeyFile {folder}/server.key
sizelimit unlimited
tool-threads 2

database mdb
suffix "dc=example,dc=com"
directory {folder}/db
rootdn "{WRITER}"
rootpw {PASSWORD}
maxsize 2147483648
dbnosync
index objectClass,uid,member eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,ou=services,dc=example,dc=com" read by self read by anonymous auth by * none

database monitor
access to * by * read
"#
    )
}
