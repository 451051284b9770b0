//! A throwaway 389 Directory Server on loopback: plain, StartTLS and ldaps, the world's people loaded.
//!
//! Its own `dscreate` wants systemd and fixed places, so the packaged template of its configuration is filled in here.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

use crate::certificate::{Authority, Flaw};
use crate::process::{self, Finished, Server};
use crate::rendering;
use crate::world::BASE;

/// The server's administrator.
pub const MANAGER: &str = "cn=Directory Manager";
/// The administrator's password.
pub const MANAGER_PASSWORD: &str = "Admin-Pass-0";
/// The same as the configuration wants it: hashed.
const MANAGER_HASH: &str = "{SSHA512}W26Vv9feXu9IDjPw3o0w/aS6ja7WF83PwR24hSTfvp+zUOw3aNXFWOLxwybBBJW/8P+EKWg/eNNTo+zPoy2ghWxkYXBnYXRl";
const TEMPLATE: &str = "/usr/share/dirsrv/data/template-dse.ldif";
const PACKAGE: &str = "389-ds-base";

/// A running (or stopped) server.
pub struct Ds389 {
    folder: tempfile::TempDir,
    port: u16,
    tls_port: u16,
    server: Option<Server>,
    /// Connections and requests that this kit itself made.
    own: (usize, usize),
}

impl Ds389 {
    /// The one that all tests of this process share; it ends with the process. Making one takes two to four seconds.
    ///
    /// # Panics
    /// As [`Ds389::start`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Ds389> = OnceCell::const_new();
        SHARED
            .get_or_init(|| async {
                let mut ds389 = Self::empty(&Authority::new("Example Test CA")).await;
                let folder = ds389.folder.path().to_owned();
                ds389.server.as_mut().expect("it was started").leaves_nothing_of(&folder);
                ds389.fill();
                ds389
            })
            .await
    }

    /// Starts a server that holds the world and shows a certificate signed by `authority`.
    ///
    /// # Panics
    /// When 389-ds is missing, refuses the data or does not answer within 30 seconds.
    pub async fn start(authority: &Authority) -> Self {
        let mut ds389 = Self::empty(authority).await;
        ds389.fill();
        ds389
    }

    /// A server that holds nobody yet.
    async fn empty(authority: &Authority) -> Self {
        let folder =
            tempfile::Builder::new().prefix("ds389").tempdir().expect("a temporary folder can be made");
        let mut this = Self {
            folder,
            port: process::free_port(),
            tls_port: process::free_port(),
            server: None,
            own: (0, 0),
        };
        this.configure(authority);
        this.resume().await;
        this
    }

    fn fill(&mut self) {
        let added = self.as_manager("ldapadd", &rendering::ds389());
        assert_eq!(added.status, 0, "389-ds refused the world: {}", added.stderr);
        self.administer(&rendering::ds389_states());
        self.own = (self.accepted(), self.asked());
    }

    /// Starts it again on the same ports with the same data.
    ///
    /// # Panics
    /// When it does not answer within 30 seconds.
    pub async fn resume(&mut self) {
        let path = self.folder.path();
        let file = |name: &str| path.join(name).display().to_string();
        let arguments =
            ["-D".to_owned(), file("config"), "-i".to_owned(), file("pid"), "-d".to_owned(), "0".to_owned()];
        let errors = path.join("log/errors");
        let before = self.accepted();
        let mut server = Server::start("ns-slapd", PACKAGE, &arguments, &path.join("ns-slapd.log"));
        server.listens(IpAddr::V4(Ipv4Addr::LOCALHOST), &[self.port, self.tls_port], &errors).await;
        self.server = Some(server);
        // It listens before it is ready; an answer says that the connections above are in its log too.
        let ready = self.as_manager("ldapwhoami", "");
        assert_eq!(ready.status, 0, "389-ds does not answer: {}", ready.stderr);
        self.own.0 += self.accepted() - before;
        self.own.1 += 2;
    }

    /// Stops it; its ports refuse connections afterwards.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// `ldap://localhost:PORT`; StartTLS is offered.
    #[must_use]
    pub fn ldap_url(&self) -> String {
        format!("ldap://localhost:{}", self.port)
    }

    /// `ldaps://localhost:PORT`.
    #[must_use]
    pub fn ldaps_url(&self) -> String {
        format!("ldaps://localhost:{}", self.tls_port)
    }

    /// The authority's certificate file.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// How many connections of clients it has accepted since it first started, by its own log.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.accepted() - self.own.0
    }

    /// How many requests of clients it has seen since it first started, by its own log.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.asked() - self.own.1
    }

    /// The lines of its log that contain `needle`: `BIND dn=`, `SRCH base=`, ...
    #[must_use]
    pub fn log_lines(&self, needle: &str) -> Vec<String> {
        let log = std::fs::read(self.folder.path().join("log/access")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        log.lines().filter(|line| line.contains(needle)).map(ToOwned::to_owned).collect()
    }

    /// Makes changes, as LDIF, as the server's administrator.
    ///
    /// # Panics
    /// When the server refuses one.
    pub fn administer(&self, changes: &str) {
        let done = self.as_manager("ldapmodify", changes);
        assert_eq!(done.status, 0, "389-ds refused a change: {}{changes}", done.stderr);
    }

    fn as_manager(&self, tool: &str, input: &str) -> Finished {
        let url = self.ldap_url();
        process::run(tool, "ldap-utils", &["-x", "-H", &url, "-D", MANAGER, "-w", MANAGER_PASSWORD], input)
    }

    fn accepted(&self) -> usize {
        self.log_lines(" connection from ").len()
    }

    fn asked(&self) -> usize {
        [" BIND dn=", " SRCH base=", " CMP dn=", " MOD dn=", " ADD dn=", " DEL dn=", " EXT oid="]
            .iter()
            .map(|kind| self.log_lines(kind).len())
            .sum()
    }

    fn configure(&self, authority: &Authority) {
        let path = self.folder.path();
        for name in ["config/schema", "lock", "tmp", "ldif", "bak", "run", "inst", "log", "db", "nss"] {
            std::fs::create_dir_all(path.join(name)).expect("the test folder is writable");
        }
        let write = |name: &str, text: &str| {
            std::fs::write(path.join(name), text).expect("the test folder is writable");
        };
        write("ca.crt", &authority.pem());
        write("config/slapd-collations.conf", "");
        write("config/certmap.conf", "certmap default default\n");
        write("config/schema/99user.ldif", OWN_SCHEMA);
        write("config/dse.ldif", &self.settings());
        let _files = authority.server(Flaw::None).write(path, "server");
        certificates(path);
    }

    /// The template with its places filled, what this kit needs changed, and a database for the world.
    fn settings(&self) -> String {
        let template = std::fs::read_to_string(TEMPLATE)
            .unwrap_or_else(|error| panic!("no {TEMPLATE} ({error}): install Debian's package {PACKAGE}"));
        let path = self.folder.path().display().to_string();
        let user = process::run("id", "coreutils", &["-un"], "").stdout;
        let (port, tls_port) = (self.port.to_string(), self.tls_port.to_string());
        let filled = ["schema_dir", "lock_dir", "tmp_dir", "cert_dir", "ldif_dir", "bak_dir", "run_dir"]
            .into_iter()
            .zip(["config/schema", "lock", "tmp", "nss", "ldif", "bak", "run"])
            .chain([("inst_dir", "inst"), ("log_dir", "log"), ("config_dir", "config"), ("db_dir", "db")])
            .chain([("db_home_dir", "db"), ("ldapi", "ldapi")])
            .fold(template, |text, (place, name)| {
                text.replace(&format!("%{place}%"), &format!("{path}/{name}"))
            });
        let filled = [
            ("fqdn", "localhost"),
            ("ds_port", &port),
            ("ds_user", user.trim()),
            ("rootdn", MANAGER),
            ("ds_passwd", MANAGER_HASH),
            ("ds_suffix", BASE),
            ("db_lib", "mdb"),
            ("ldapi_enabled", "off"),
            ("ldapi_autobind", "off"),
        ]
        .iter()
        .fold(filled, |text, (place, value)| text.replace(&format!("%{place}%"), value));
        let secure = [("nsslapd-security", "on"), ("nsslapd-secureport", tls_port.as_str())];
        let changes = SETTINGS.iter().map(|(entry, settings)| (*entry, *settings));
        let changed = changes.chain([("cn=config", &secure[..])]).fold(filled, set);
        format!("{}\n\n{}", changed.trim_end(), DATABASE.replace("%path%", &path))
    }
}

/// Sets attributes of one entry of a configuration.
fn set(text: String, (dn, settings): (&str, &[(&str, &str)])) -> String {
    let head = format!("dn: {dn}\n");
    let entry = |entry: &str| {
        if !entry.starts_with(&head) {
            return entry.to_owned();
        }
        let is_set = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default();
            settings.iter().any(|(set, _)| set.eq_ignore_ascii_case(name))
        };
        let kept = entry.lines().filter(|line| !is_set(line)).map(str::to_owned);
        let new = settings.iter().map(|(name, value)| format!("{name}: {value}"));
        kept.chain(new).collect::<Vec<_>>().join("\n")
    };
    text.trim_end().split("\n\n").map(entry).collect::<Vec<_>>().join("\n\n")
}

/// The server reads certificates from an NSS database only.
fn certificates(folder: &Path) {
    let file = |name: &str| folder.join(name).display().to_string();
    let (nss, bundle) = (format!("sql:{}", file("nss")), file("server.p12"));
    let (certificate, key, authority) = (file("server.crt"), file("server.key"), file("ca.crt"));
    let export = ["pkcs12", "-export", "-name", "Server-Cert", "-passout", "pass:"];
    let export = [&export[..], &["-in", &certificate, "-inkey", &key, "-out", &bundle]].concat();
    let steps: [(&str, &str, &[&str]); 4] = [
        ("openssl", "openssl", &export),
        ("certutil", "libnss3-tools", &["-N", "-d", &nss, "--empty-password"]),
        ("pk12util", "libnss3-tools", &["-i", &bundle, "-d", &nss, "-W", ""]),
        ("certutil", "libnss3-tools", &["-A", "-d", &nss, "-n", "ca", "-t", "CT,C,", "-i", &authority]),
    ];
    for (program, package, arguments) in steps {
        let done = process::run(program, package, arguments, "");
        assert_eq!(done.status, 0, "{program} failed: {}{}", done.stdout, done.stderr);
    }
}

/// What differs from the template, by entry.
const SETTINGS: [(&str, &[(&str, &str)]); 5] = [
    (
        "cn=config",
        &[
            ("nsslapd-listenhost", "127.0.0.1"),
            ("nsslapd-securelistenhost", "127.0.0.1"),
            ("nsslapd-minssf", "0"),
            ("nsslapd-return-exact-case", "on"),
            ("nsslapd-accesslog-logbuffering", "off"),
            ("nsslapd-pwpolicy-local", "on"),
            ("passwordStorageScheme", "SSHA512"),
            ("passwordLockout", "on"),
            ("passwordMaxFailure", "5"),
            ("passwordUnlock", "off"),
            ("passwordExp", "on"),
            ("passwordMaxAge", "315360000"),
        ],
    ),
    (
        "cn=MemberOf Plugin,cn=plugins,cn=config",
        &[
            ("nsslapd-pluginEnabled", "on"),
            ("memberOfGroupAttr", "member"),
            ("memberOfGroupAttr", "uniqueMember"),
            ("memberOfAutoAddOC", "nsMemberOf"),
        ],
    ),
    // It would refuse names that are not ASCII.
    ("cn=7-bit check,cn=plugins,cn=config", &[("nsslapd-pluginEnabled", "off")]),
    ("cn=Account Policy Plugin,cn=plugins,cn=config", &[("nsslapd-pluginEnabled", "on")]),
    (
        "cn=config,cn=Account Policy Plugin,cn=plugins,cn=config",
        &[
            ("alwaysRecordLogin", "no"),
            ("stateAttrName", "lastLoginTime"),
            ("altStateAttrName", "createTimestamp"),
            ("specAttrName", "acctPolicySubentry"),
            ("limitAttrName", "accountInactivityLimit"),
        ],
    ),
];

const OWN_SCHEMA: &str =
    "dn: cn=schema\nobjectClass: top\nobjectClass: ldapSubentry\nobjectClass: subschema\ncn: schema\n";

const DATABASE: &str = r#"dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: dc=example,dc=com
nsslapd-directory: %path%/db/userRoot

dn: cn="dc=example,dc=com",cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: dc=example,dc=com
cn: "dc=example,dc=com"
nsslapd-state: backend
nsslapd-backend: userRoot
"#;
