//! A throwaway MIT Kerberos realm on loopback, a `slapd` that takes its tickets, and tickets for clients of either.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

use crate::equipped::Equipped;
use crate::people::PEOPLE;
use crate::process::{self, Server};
use crate::samba::Samba;

/// The realm of [`Kdc`].
pub const REALM: &str = "EXAMPLE.TEST";
const KRB5_KDC: &str = "krb5-kdc";

/// A realm and a `slapd` in it.
pub struct Realm {
    /// Who gives tickets.
    pub kdc: Kdc,
    /// Who takes them.
    pub slapd: Equipped,
}

impl Realm {
    /// The one that all tests of this process share; it ends with the process.
    ///
    /// # Panics
    /// As [`Kdc::start`] and [`Equipped::start`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Realm> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let mut kdc = Kdc::start().await;
                let mut slapd = kdc.slapd().await;
                kdc.server.leaves_nothing_of(kdc.client.folder.path());
                slapd.leave_nothing();
                Realm { kdc, slapd }
            })
            .await
    }
}

/// A running key distribution centre with a principal for everybody whose name is plain ASCII.
pub struct Kdc {
    client: Client,
    server: Server,
}

/// What a client of a realm needs: its configuration, and a folder for tickets.
pub struct Client {
    folder: tempfile::TempDir,
}

impl Kdc {
    /// Makes a realm and starts it.
    ///
    /// # Panics
    /// When MIT Kerberos is missing or does not answer within 30 seconds.
    pub async fn start() -> Self {
        let port = process::free_port();
        let client = Client::of(REALM, "127.0.0.1", port, &["localhost", "127.0.0.1"]);
        let folder = client.folder.path();
        std::fs::write(folder.join("kdc.conf"), settings(folder, port)).expect("the test folder is writable");
        std::fs::create_dir(folder.join("db")).expect("the test folder is writable");
        let environment = server_environment(folder);
        let environment = as_pairs(&environment);
        let arguments = ["create", "-s", "-r", REALM, "-P", "Master-Pass-0"];
        let made = process::run_at(&process::find("kdb5_util", KRB5_KDC), &arguments, &environment, "");
        assert_eq!(made.status, 0, "no realm was made: {}", made.stderr);
        let kadmin = process::find("kadmin.local", "krb5-admin-server");
        let filled = process::run_at(&kadmin, &["-r", REALM], &environment, &principals(folder));
        assert!(folder.join("alice.keytab").exists(), "no keytab: {}{}", filled.stdout, filled.stderr);

        let log = folder.join("krb5kdc.log");
        let arguments = ["-n", "-r", REALM].map(str::to_owned);
        let program = process::find("krb5kdc", KRB5_KDC);
        let mut server = Server::start_at(&program, &arguments, &environment, &log);
        server.listens(IpAddr::V4(Ipv4Addr::LOCALHOST), &[port], &log).await;
        Self { client, server }
    }

    /// The equipped `slapd` with a key of this realm for `ldap/localhost`.
    ///
    /// # Panics
    /// As [`Equipped::start`].
    pub async fn slapd(&self) -> Equipped {
        Equipped::start_with(&as_pairs(&server_environment(self.client.folder.path()))).await
    }

    /// What its clients need.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A file with the key of `alice` or of the service account `reader`.
    #[must_use]
    pub fn keytab(&self, name: &str) -> PathBuf {
        self.client.folder.path().join(format!("{name}.keytab"))
    }

    /// Stops it; its port refuses connections afterwards.
    pub fn stop(&mut self) {
        self.server.stop();
    }
}

impl Client {
    /// Of a Samba domain, whose realm has its key distribution centre in the domain controller.
    #[must_use]
    pub fn of_samba(samba: &Samba) -> Self {
        Self::of("EXAMPLE.COM", &samba.address().to_string(), 88, &["dc1.example.com"])
    }

    fn of(realm: &str, address: &str, port: u16, hosts: &[&str]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("krb5").tempdir().expect("a temporary folder can be made");
        let mut text = format!(
            "[libdefaults]\ndefault_realm = {realm}\ndns_lookup_realm = false\ndns_lookup_kdc = false\nrdns = false\n\
             dns_canonicalize_hostname = false\nignore_acceptor_hostname = true\n\
             [realms]\n{realm} = {{\nkdc = {address}:{port}\n}}\n[domain_realm]\n"
        );
        for host in hosts {
            writeln!(text, "{host} = {realm}").expect("text grows");
        }
        std::fs::write(folder.path().join("krb5.conf"), text).expect("the test folder is writable");
        Self { folder }
    }

    /// The folder, for whatever the test writes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The variables of a process that has no tickets.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let folder = self.folder.path().display();
        vec![("KRB5_CONFIG", format!("{folder}/krb5.conf")), ("KRB5CCNAME", format!("FILE:{folder}/none"))]
    }

    /// The variables of a process that holds a ticket of `name`'s.
    ///
    /// # Panics
    /// When the key distribution centre gives none.
    #[must_use]
    pub fn ticket(&self, name: &str, password: &str) -> Vec<(&'static str, String)> {
        let mut environment = self.environment();
        environment[1].1 = format!("FILE:{}/ticket-{name}", self.folder.path().display());
        let kinit = process::find("kinit", "krb5-user");
        let done = process::run_at(&kinit, &[name], &as_pairs(&environment), &format!("{password}\n"));
        assert_eq!(done.status, 0, "no ticket for {name}: {}", done.stderr);
        environment
    }
}

fn as_pairs<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn server_environment(folder: &Path) -> Vec<(&'static str, String)> {
    let folder = folder.display();
    vec![
        ("KRB5_CONFIG", format!("{folder}/krb5.conf")),
        ("KRB5_KDC_PROFILE", format!("{folder}/kdc.conf")),
        ("KRB5_KTNAME", format!("FILE:{folder}/ldap.keytab")),
        ("KRB5RCACHETYPE", "none".to_owned()),
    ]
}

/// The commands that fill the realm. Names and passwords that would need quoting are left out.
fn principals(folder: &Path) -> String {
    let mut commands = String::new();
    let plain = |text: &str| text.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    for person in PEOPLE.iter().filter(|person| plain(person.name) && plain(person.password)) {
        writeln!(commands, "add_principal -pw {} {}", person.password, person.name).expect("text grows");
    }
    let folder = folder.display();
    write!(
        commands,
        "add_principal -pw Reader-Pass-1 reader\nadd_principal -pw Proxy-Pass-2 proxy\n\
         add_principal -randkey ldap/localhost\nadd_principal -randkey ldap/127.0.0.1\n\
         ktadd -k {folder}/ldap.keytab ldap/localhost ldap/127.0.0.1\n\
         ktadd -norandkey -k {folder}/alice.keytab alice\nktadd -norandkey -k {folder}/reader.keytab reader\n"
    )
    .expect("text grows");
    commands
}

fn settings(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "[kdcdefaults]\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n\
         [realms]\n{REALM} = {{\ndatabase_name = {folder}/db/principal\nkey_stash_file = {folder}/db/stash\n\
         acl_file = {folder}/kadm5.acl\n\
         supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal\nmax_life = 10h\n}}\n\
         [logging]\nkdc = FILE:{folder}/events.log\n"
    )
}
