//! A throwaway Samba domain controller: Active Directory's LDAP with the world's people, on an address of its own.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::OnceCell;

use crate::certificate::{Authority, Flaw};
use crate::people::{GROUPS, PEOPLE, State};
use crate::process::{self, Finished, Server};
use crate::rendering;
use crate::world::BASE;

/// The domain's administrator.
pub const ADMINISTRATOR: &str = "CN=Administrator,CN=Users,DC=example,DC=com";
/// The administrator's password.
pub const ADMINISTRATOR_PASSWORD: &str = "Admin-Pass-0";
/// LDAP, ldaps, and the global catalogue's two: the server takes no others.
const PORTS: [u16; 4] = [389, 636, 3268, 3269];
const PACKAGES: &str = "samba-ad-dc";
/// Lets an attribute be written as it is; the server itself never lets the age of a password be set.
const AS_IT_IS: &str = "local_oid:1.3.6.1.4.1.7165.4.3.12:0";

/// A running (or stopped) domain controller. It needs root: its ports lie below 1024, and files get other owners.
pub struct Samba {
    folder: tempfile::TempDir,
    address: Ipv4Addr,
    server: Option<Server>,
}

impl Samba {
    /// The one that all tests of this process share; it ends with the process. Making one takes five to fifteen seconds.
    ///
    /// # Panics
    /// As [`Samba::start`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Samba> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let mut samba = Self::empty(&Authority::new("Example Test CA")).await;
                let folder = samba.folder.path().to_owned();
                samba.server.as_mut().expect("it was started").leaves_nothing_of(&folder);
                samba.fill();
                samba
            })
            .await
    }

    /// The one of this process that demands signing or sealing in the clear, and gives Kerberos tickets.
    ///
    /// # Panics
    /// As [`Samba::start`].
    pub async fn strict() -> &'static Self {
        static STRICT: OnceCell<Samba> = OnceCell::const_new();
        STRICT
            .get_or_init(|| async {
                let mut samba = Self::start(&Authority::new("Example Test CA")).await;
                // What a domain controller gives itself some time after its first start, and its address.
                samba.administer(&format!(
                    "dn: CN=DC1,OU=Domain Controllers,{BASE}\nchangetype: modify\nadd: servicePrincipalName\n\
                     servicePrincipalName: ldap/dc1.example.com\nservicePrincipalName: ldap/{}\n",
                    samba.address
                ));
                samba
                    .configure(&[
                        ("server services = ldap", "server services = ldap kdc"),
                        ("require strong auth = no", "require strong auth = allow_sasl_over_tls"),
                    ])
                    .await;
                let folder = samba.folder.path().to_owned();
                samba.server.as_mut().expect("it was started").leaves_nothing_of(&folder);
                samba
            })
            .await
    }

    /// Makes a domain that holds the world, and starts its controller with a certificate signed by `authority`.
    ///
    /// # Panics
    /// When the process is not root's, Samba is missing, refuses the data or does not answer within 30 seconds.
    pub async fn start(authority: &Authority) -> Self {
        let samba = Self::empty(authority).await;
        samba.fill();
        samba
    }

    /// A domain of its own that holds nobody yet.
    async fn empty(authority: &Authority) -> Self {
        let id = process::run("id", "coreutils", &["-u"], "");
        assert_eq!(id.stdout.trim(), "0", "Samba needs root: its ports lie below 1024");
        let folder =
            tempfile::Builder::new().prefix("samba").tempdir().expect("a temporary folder can be made");
        let path = folder.path();
        let address = own_address();
        let pair = authority.server_at(&[&address.to_string()], Flaw::None);
        let _files = pair.write(path, "server");
        std::fs::write(path.join("ca.crt"), authority.pem()).expect("the test folder is writable");
        for name in ["private", "state/sysvol", "run"] {
            std::fs::create_dir_all(path.join(name)).expect("the test folder is writable");
        }
        std::fs::write(path.join("smb.conf"), settings(path, address)).expect("the test folder is writable");
        provision(path, address);
        let mut samba = Self { folder, address, server: None };
        samba.resume().await;
        samba
    }

    /// Starts it again with the same data.
    ///
    /// # Panics
    /// When it does not answer within 30 seconds.
    pub async fn resume(&mut self) {
        // It ends its whole process group, which must not be the test's.
        let mut arguments = vec![process::find("samba", PACKAGES)];
        arguments.extend(["-F", "-M", "single", "--debug-stdout", "-s"].map(str::to_owned));
        arguments.push(self.folder.path().join("smb.conf").display().to_string());
        let mut server = Server::start("setsid", "util-linux", &arguments, &self.log());
        server.listens(IpAddr::V4(self.address), &PORTS, &self.log()).await;
        self.server = Some(server);
    }

    /// Stops it; its ports refuse connections afterwards.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// `ldap://127.x.y.z`; StartTLS is offered.
    #[must_use]
    pub fn ldap_url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// `ldaps://127.x.y.z`.
    #[must_use]
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://{}", self.address)
    }

    /// The address it listens on; its name is `dc1.example.com`.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Changes settings, each a text for a text, which it reads when it starts again.
    async fn configure(&mut self, changes: &[(&str, &str)]) {
        let file = self.folder.path().join("smb.conf");
        let mut settings = std::fs::read_to_string(&file).expect("the settings were written");
        for (from, to) in changes {
            assert!(settings.contains(from), "no {from} in {settings}");
            settings = settings.replace(from, to);
        }
        self.stop();
        std::fs::write(file, settings).expect("the test folder is writable");
        self.resume().await;
    }

    /// The authority's certificate file.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// How many binds with a password it has judged since it first started, by its own log: all that it counts.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn binds(&self) -> usize {
        let log = std::fs::read(self.log()).expect("the server writes a log");
        String::from_utf8_lossy(&log).matches("Auth: [LDAP,simple bind").count()
    }

    /// Makes changes, as LDIF, as the administrator.
    ///
    /// # Panics
    /// When the server refuses one.
    pub fn administer(&self, changes: &str) {
        let done = self.as_administrator("ldapmodify", &[], changes);
        assert_eq!(done.status, 0, "Samba refused a change: {}{changes}", done.stderr);
    }

    /// Makes the password of an entry one from long ago.
    ///
    /// # Panics
    /// When the database refuses it.
    pub fn expire(&self, dn: &str) {
        self.write(&rendering::replacing(dn, "pwdLastSet", [rendering::LONG_AGO_TICKS]));
    }

    fn as_administrator(&self, tool: &str, arguments: &[&str], input: &str) -> Finished {
        let url = self.ldap_url();
        let identity = ["-x", "-H", &url, "-D", ADMINISTRATOR, "-w", ADMINISTRATOR_PASSWORD];
        process::run(tool, "ldap-utils", &[&identity, arguments].concat(), input)
    }

    fn fill(&self) {
        self.administer(&rendering::replacing(BASE, "lockoutThreshold", ["5"]));
        self.administer(&rendering::replacing(BASE, "minPwdAge", ["0"]));
        let added = self.as_administrator("ldapadd", &[], &rendering::active_directory());
        assert_eq!(added.status, 0, "Samba refused the world: {}", added.stderr);
        self.administer(&rendering::active_directory_members());
        for person in PEOPLE.iter().filter(|person| rendering::active_directory_has(person)) {
            let dn = person.active_directory_dn();
            if let Some(group) = GROUPS.iter().find(|group| person.primary == Some(group.name)) {
                let token = self.primary_group_token(group.dn().as_str());
                self.administer(&rendering::replacing(&dn, "primaryGroupID", [token]));
            }
            if person.state == State::PasswordExpired {
                self.expire(&dn);
            }
        }
    }

    fn primary_group_token(&self, group: &str) -> String {
        let found = self.as_administrator(
            "ldapsearch",
            &["-LLL", "-s", "base", "-b", group, "primaryGroupToken"],
            "",
        );
        let token = found.stdout.lines().find_map(|line| line.strip_prefix("primaryGroupToken: "));
        token.unwrap_or_else(|| panic!("no primaryGroupToken: {}{}", found.stdout, found.stderr)).to_owned()
    }

    /// Writes past the server into its database.
    fn write(&self, changes: &str) {
        let database = self.folder.path().join("private/sam.ldb").display().to_string();
        let control = format!("--controls={AS_IT_IS}");
        let done = process::run("ldbmodify", "ldb-tools", &["-H", &database, &control], changes);
        assert_eq!(done.status, 0, "the database refused a change: {}{changes}", done.stderr);
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("samba.log")
    }
}

/// The line of a record that gives somebody a password.
#[must_use]
pub fn password_line(password: &str) -> String {
    format!("unicodePwd:: {}\n", STANDARD.encode(rendering::unicode_pwd(password)))
}

/// A loopback address that nobody else uses: the number of this process, below 2^22, is in it.
fn own_address() -> Ipv4Addr {
    static TAKEN: AtomicU8 = AtomicU8::new(0);
    let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
    assert!(taken < 3, "one test process may have three domain controllers");
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 * (taken + 1) + high, middle, low)
}

fn provision(folder: &Path, address: Ipv4Addr) {
    let settings = folder.join("smb.conf").display().to_string();
    let password = format!("--adminpass={ADMINISTRATOR_PASSWORD}");
    let address = format!("--host-ip={address}");
    let arguments = [
        "domain",
        "provision",
        "-s",
        &settings,
        "--realm=EXAMPLE.COM",
        "--domain=EXAMPLE",
        "--server-role=dc",
        "--dns-backend=SAMBA_INTERNAL",
        "--host-name=dc1",
        &address,
        &password,
    ];
    assert!(
        Path::new("/usr/share/samba/setup").exists(),
        "Samba's templates are not on this machine: install Debian's package samba-ad-provision"
    );
    let done = process::run("samba-tool", "samba-common-bin", &arguments, "");
    assert_eq!(done.status, 0, "no domain was made: {}{}", done.stdout, done.stderr);
}

fn settings(folder: &Path, address: Ipv4Addr) -> String {
    let folder = folder.display();
    // Extended attributes are kept in a file, since the file system may take none of security's. A changed password stops
    // working at once, not after an hour.
    format!(
        r"[global]
netbios name = DC1
realm = EXAMPLE.COM
workgroup = EXAMPLE
server role = active directory domain controller
server services = ldap
private dir = {folder}/private
lock directory = {folder}/run
state directory = {folder}/state
cache directory = {folder}/run
pid directory = {folder}/run
ncalrpc dir = {folder}/run/ncalrpc
binddns dir = {folder}/run/binddns
winbindd socket directory = {folder}/run/winbindd
ntp signd socket directory = {folder}/run/ntp
log file = {folder}/log.%m
log level = 1 auth_audit:3
interfaces = {address}/8
bind interfaces only = yes
posix:eadb = {folder}/state/eadb.tdb
old password allowed period = 0
ldap server require strong auth = no
tls enabled = yes
tls certfile = {folder}/server.crt
tls keyfile = {folder}/server.key
tls cafile = {folder}/ca.crt
[sysvol]
path = {folder}/state/sysvol
[netlogon]
path = {folder}/state/sysvol/scripts
"
    )
}
