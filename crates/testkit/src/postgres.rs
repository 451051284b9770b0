//! A throwaway PostgreSQL on loopback, with TLS, and a PgBouncer in transaction mode before it.
//!
//! The cluster sorts names by the rules of English, so that whoever relies on the order of bytes has to say so. It keeps
//! nothing when the machine stops: `fsync` is off.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::certificate::{Authority, Flaw};
use crate::process::{self, Server};

const PACKAGE: &str = "postgresql-15";
/// Who owns the databases: no superuser.
pub const ROLE: &str = "gate";
/// The role's password as it stands in a URL; it is `p@ss:w/rd%`.
pub const PASSWORD_IN_URL: &str = "p%40ss%3Aw%2Frd%25";
const PASSWORD: &str = "p@ss:w/rd%";

/// A running (or stopped) cluster.
pub struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
    /// For the whole life of the test process.
    lasting: bool,
    server: Mutex<Option<Server>>,
    bouncer: OnceLock<Bouncer>,
    databases: AtomicU32,
}

struct Bouncer {
    port: u16,
    _server: Server,
}

impl Postgres {
    /// The one cluster that every test of this process shares. The first call starts it, which takes about two seconds.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(true))
    }

    /// A cluster for one test: one that stops and starts it.
    ///
    /// # Panics
    /// When the package is missing or the server does not start; the message has its log.
    #[must_use]
    pub fn start() -> Self {
        Self::new(false)
    }

    fn new(lasting: bool) -> Self {
        let folder =
            tempfile::Builder::new().prefix("postgres").tempdir().expect("a temporary folder can be made");
        let this = Self {
            folder,
            port: process::free_port(),
            lasting,
            server: Mutex::new(None),
            bouncer: OnceLock::new(),
            databases: AtomicU32::new(0),
        };
        let path = this.folder.path();
        let authority = Authority::new("PostgreSQL Test CA");
        let _files = authority.server(Flaw::None).write(path, "server");
        std::fs::write(path.join("ca.crt"), authority.pem()).expect("the test folder is writable");
        this.give_away();
        let data = path.join("data").display().to_string();
        this.run(
            "initdb",
            &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
                .into_iter()
                .chain(["--locale-provider=icu", "--icu-locale=en-US"])
                .collect::<Vec<_>>(),
            "",
        );
        std::fs::write(path.join("data/pg_hba.conf"), HOSTS).expect("the test folder is writable");
        std::fs::write(path.join("data/postgresql.conf"), this.settings())
            .expect("the test folder is writable");
        this.give_away();
        this.resume();
        this.sql("postgres", &format!("create role {ROLE} login password '{PASSWORD}'"));
        this
    }

    /// The URL of a fresh, empty database that [`ROLE`] owns.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name} owner {ROLE}"));
        format!("postgres://{ROLE}:{PASSWORD_IN_URL}@127.0.0.1:{}/{name}", self.port)
    }

    /// The same database, its server's certificate checked.
    ///
    /// # Panics
    /// When `url` is not one of [`Postgres::database`].
    #[must_use]
    pub fn with_tls(&self, url: &str) -> String {
        let database = database_of(url);
        format!(
            "postgres://{ROLE}:{PASSWORD_IN_URL}@localhost:{}/{database}?sslmode=verify-full&sslrootcert={}",
            self.port,
            self.folder.path().join("ca.crt").display()
        )
    }

    /// The same database through a PgBouncer in transaction mode: of two transactions each may go to another connection.
    ///
    /// # Panics
    /// When Debian's package pgbouncer is missing or does not start, and when `url` is not one of [`Postgres::database`].
    #[must_use]
    pub fn bouncer(&self, url: &str) -> String {
        let bouncer = self.bouncer.get_or_init(|| self.start_bouncer());
        format!("postgres://{ROLE}:{PASSWORD_IN_URL}@127.0.0.1:{}/{}", bouncer.port, database_of(url))
    }

    /// Runs statements in a database as the superuser; answers what `psql -At` prints.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let socket = self.folder.path().display().to_string();
        let port = self.port.to_string();
        let database = if database.contains("://") { database_of(database) } else { database };
        let arguments =
            ["-h", &socket, "-p", &port, "-U", "postgres", "-d", database, "-AtqX", "-v", "ON_ERROR_STOP=1"];
        self.run("psql", &arguments, statements)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server, its clients' connections cut; its port refuses connections afterwards.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop(&self) {
        let data = self.folder.path().join("data").display().to_string();
        self.run("pg_ctl", &["stop", "-D", &data, "-m", "fast", "-w", "-t", "20"], "");
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Starts it, again on the same port with the same data.
    ///
    /// # Panics
    /// When it does not answer within 30 seconds.
    pub fn resume(&self) {
        let path = self.folder.path();
        let data = path.join("data").display().to_string();
        let mut server = self.spawn(&program("postgres"), &["-D", &data]);
        if self.lasting {
            server.leaves_nothing_of(path);
        }
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        let port = self.port.to_string();
        self.answers(|| process::run_at(&program("pg_isready"), &["-h", "127.0.0.1", "-p", &port], &[], ""));
    }

    fn start_bouncer(&self) -> Bouncer {
        let port = process::free_port();
        let path = self.folder.path();
        let users = format!("\"{ROLE}\" \"{PASSWORD}\"\n");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 5\nmax_client_conn = 200\nserver_tls_sslmode = disable\n",
            self.port,
            path.join("users.txt").display()
        );
        std::fs::write(path.join("users.txt"), users).expect("the test folder is writable");
        std::fs::write(path.join("pgbouncer.ini"), settings).expect("the test folder is writable");
        self.give_away();
        let program_path = process::find("pgbouncer", "pgbouncer");
        let server = self.spawn(&program_path, &[&path.join("pgbouncer.ini").display().to_string()]);
        let number = port.to_string();
        self.answers(|| {
            process::run_at(&program("pg_isready"), &["-h", "127.0.0.1", "-p", &number], &[], "")
        });
        Bouncer { port, _server: server }
    }

    fn settings(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{folder}'\nmax_connections = 200\n\
             fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nshared_buffers = 32MB\n\
             ssl = on\nssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'\n\
             timezone = 'UTC'\nlog_timezone = 'UTC'\n",
            self.port
        )
    }

    /// Waits until a probe succeeds.
    fn answers(&self, probe: impl Fn() -> process::Finished) {
        for _ in 0..600 {
            if probe().status == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        panic!("PostgreSQL does not answer: {log}");
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Gives the folder to the user that the server runs as.
    fn give_away(&self) {
        if is_root() {
            let folder = self.folder.path().display().to_string();
            let given = process::run("chown", "coreutils", &["-R", "postgres:postgres", &folder], "");
            assert_eq!(given.status, 0, "{}", given.stderr);
        }
    }

    fn spawn(&self, program: &str, arguments: &[&str]) -> Server {
        let (program, arguments) = as_nobody_special(program, arguments);
        Server::start_at(&program, &arguments, &[], &self.log())
    }

    fn run(&self, name: &str, arguments: &[&str], input: &str) -> String {
        let (program, arguments) = as_nobody_special(&program(name), arguments);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let done = process::run_at(&program, &arguments, &[], input);
        assert_eq!(
            done.status,
            0,
            "{name}: {}{}",
            done.stderr,
            std::fs::read_to_string(self.log()).unwrap_or_default()
        );
        done.stdout
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Otherwise it would wait for its clients to go.
        if self.server.get_mut().unwrap_or_else(PoisonError::into_inner).is_some() {
            self.stop();
        }
    }
}

/// Unix sockets are for the kit, which looks into databases by them.
const HOSTS: &str = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// The name of the database in a URL.
fn database_of(url: &str) -> &str {
    let place = url.split_once('?').map_or(url, |(place, _)| place);
    place.rsplit_once('/').expect("a URL of a database has a path").1
}

/// PostgreSQL and PgBouncer do not run as root.
fn as_nobody_special(program: &str, arguments: &[&str]) -> (String, Vec<String>) {
    let arguments = arguments.iter().map(ToString::to_string);
    if !is_root() {
        return (program.to_owned(), arguments.collect());
    }
    let become_postgres = ["--reuid=postgres", "--regid=postgres", "--clear-groups", program];
    let arguments = become_postgres.into_iter().map(ToOwned::to_owned).chain(arguments).collect();
    (process::find("setpriv", "util-linux"), arguments)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The path of one of PostgreSQL's programs, of the newest version there is.
fn program(name: &str) -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort_by_key(|path| version(path));
    let newest = found.pop().unwrap_or_else(|| {
        panic!("PostgreSQL's {name} is not on this machine: install Debian's package {PACKAGE}")
    });
    newest.display().to_string()
}

fn version(program: &Path) -> Option<u32> {
    program.parent()?.parent()?.file_name()?.to_str()?.parse().ok()
}
