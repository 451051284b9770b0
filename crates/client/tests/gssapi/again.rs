//! A test in two processes: the first starts servers, the second is the client with Kerberos's variables set.

use std::path::Path;

use ldapgate_client::{Connection, Options};
use testkit::equipped::Equipped;
use testkit::process;
use testkit::samba::Samba;
use tls::{ClientSettings, ClientTls};

const URL: &str = "TEST_LDAP_URL";
const TLS_URL: &str = "TEST_LDAPS_URL";
const CA: &str = "TEST_CA";

/// A server as the second process sees it.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) tls_url: String,
    ca: String,
}

/// The server, in the second process.
pub(crate) fn server() -> Option<Server> {
    Some(Server { url: variable(URL)?, tls_url: variable(TLS_URL)?, ca: variable(CA)? })
}

#[expect(clippy::disallowed_methods, reason = "it is how the two processes speak")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs this test again with these variables, and the server at hand.
pub(crate) fn run(test: &str, server: &Server, environment: &[(&str, String)]) {
    let program = std::env::current_exe().unwrap();
    let facts = [(URL, &server.url), (TLS_URL, &server.tls_url), (CA, &server.ca)];
    let pairs = environment.iter().map(|(name, value)| (*name, value.as_str()));
    let pairs: Vec<_> = pairs.chain(facts.iter().map(|(name, value)| (*name, value.as_str()))).collect();
    let done = process::run_at(program.to_str().unwrap(), &["--exact", test, "--nocapture"], &pairs, "");
    assert!(done.status == 0, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("1 passed"), "no test has the name {test}: {}", done.stdout);
}

impl Server {
    pub(crate) fn options(&self) -> Options {
        Options::new([&self.url]).unwrap()
    }

    /// Inside TLS.
    pub(crate) fn private(&self) -> Options {
        Options::new([&self.tls_url]).unwrap().tls(trusting(Path::new(&self.ca)))
    }

    pub(crate) async fn open(&self) -> Connection {
        Connection::open(&self.options()).await.unwrap()
    }

    /// By a name that is not this machine's, as a server elsewhere has it.
    pub(crate) async fn open_as(&self, host: &str) -> Connection {
        let address = self.url.trim_start_matches("ldap://");
        #[expect(clippy::disallowed_methods, reason = "the name leads nowhere")]
        let stream = tokio::net::TcpStream::connect((address, 389)).await.unwrap();
        Connection::over(stream, &Options::new([format!("ldap://{host}")]).unwrap()).await.unwrap()
    }

    pub(crate) async fn open_private(&self) -> Connection {
        Connection::open(&self.private()).await.unwrap()
    }
}

impl From<&Equipped> for Server {
    fn from(slapd: &Equipped) -> Server {
        let ca = slapd.ca_file().display().to_string();
        Server { url: slapd.ldap_url(), tls_url: slapd.ldaps_url(), ca }
    }
}

impl From<&Samba> for Server {
    fn from(samba: &Samba) -> Server {
        let ca = samba.ca_file().display().to_string();
        Server { url: samba.ldap_url(), tls_url: samba.ldaps_url(), ca }
    }
}

fn trusting(ca: &Path) -> ClientTls {
    let settings =
        ClientSettings { ca_files: vec![ca.to_owned()], system_roots: false, ..ClientSettings::default() };
    settings.load().unwrap()
}
