//! A configuration of a preset, a URL, a base and a service account, and nothing else, for each real server.

use std::path::PathBuf;

use testkit::certificate::{Authority, Flaw};
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;
use testkit::people::Person;
use testkit::samba::Samba;
use testkit::world::{BASE, LDIF, READER, READER_PASSWORD};

/// A server that runs, and a folder for a configuration.
pub(crate) struct Live {
    server: Server,
    preset: &'static str,
    folder: tempfile::TempDir,
}

enum Server {
    /// A `slapd` of this test's own.
    OpenLdap(Box<OpenLdap>),
    /// The one 389 Directory Server of these tests.
    Ds389(&'static Ds389),
    /// The one domain controller of these tests.
    Samba(&'static Samba),
}

impl Live {
    pub(crate) async fn openldap() -> Self {
        Self::slapd("openldap").await
    }

    /// OpenLDAP with one of its three presets.
    pub(crate) async fn slapd(preset: &'static str) -> Self {
        let authority = Authority::new("Example Test CA");
        let server = OpenLdap::start(&LDIF, &authority, Flaw::None).await;
        Self::of(Server::OpenLdap(Box::new(server)), preset)
    }

    pub(crate) async fn ds389() -> Self {
        Self::of(Server::Ds389(Ds389::shared().await), "389ds")
    }

    pub(crate) async fn samba() -> Self {
        Self::of(Server::Samba(Samba::shared().await), "active-directory")
    }

    fn of(server: Server, preset: &'static str) -> Self {
        let folder =
            tempfile::Builder::new().prefix("live").tempdir().expect("a temporary folder can be made");
        Self { server, preset, folder }
    }

    /// The preset that is configured.
    pub(crate) fn preset(&self) -> &'static str {
        self.preset
    }

    /// How this server names a person, as it writes it.
    pub(crate) fn dn(&self, person: &Person) -> String {
        match &self.server {
            Server::OpenLdap(_) | Server::Ds389(_) => person.dn().to_string(),
            Server::Samba(_) => person.active_directory_dn().replace("dc=", "DC="),
        }
    }

    /// Configures every kind of group that the world has.
    pub(crate) fn every_kind_of_group(&self) -> &'static str {
        match &self.server {
            Server::OpenLdap(_) | Server::Ds389(_) => {
                "[directory.groups]\nkind = [\"group-of-names\", \"group-of-unique-names\", \"posix\"]\nnested = true"
            }
            Server::Samba(_) => "",
        }
    }

    /// What this server adds to everybody's groups.
    pub(crate) fn groups_of_everybody(&self) -> Vec<String> {
        match &self.server {
            Server::OpenLdap(_) | Server::Ds389(_) => Vec::new(),
            Server::Samba(_) => vec!["Domain Users".to_owned(), "Users".to_owned()],
        }
    }

    /// The contract's text form of this server's ids.
    ///
    /// # Panics
    /// When it is not.
    pub(crate) fn assert_id(&self, id: &str) {
        let parts: &[usize] = match &self.server {
            Server::OpenLdap(_) | Server::Samba(_) => &[8, 4, 4, 4, 12],
            Server::Ds389(_) => &[8, 8, 8, 8],
        };
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        let hexadecimal = |letter| matches!(letter, '0'..='9' | 'a'..='f' | '-');
        assert!(lengths == parts && id.chars().all(hexadecimal), "{id}");
    }

    /// Gives a person's entry another name.
    pub(crate) fn rename(&self, person: &Person, rdn: &str) {
        let change = |dn: &str| format!("dn: {dn}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\n");
        match &self.server {
            Server::OpenLdap(server) => server.administer(&change(person.dn().as_str())),
            Server::Ds389(server) => server.administer(&change(person.dn().as_str())),
            Server::Samba(server) => server.administer(&change(&person.active_directory_dn())),
        }
    }

    /// Makes changes, as LDIF, as the server's administrator.
    pub(crate) fn administer(&self, changes: &str) {
        match &self.server {
            Server::OpenLdap(server) => server.administer(changes),
            Server::Ds389(server) => server.administer(changes),
            Server::Samba(server) => server.administer(changes),
        }
    }

    fn url(&self) -> String {
        match &self.server {
            Server::OpenLdap(server) => server.ldaps_url(),
            Server::Ds389(server) => server.ldaps_url(),
            Server::Samba(server) => server.ldaps_url(),
        }
    }

    fn authority(&self) -> PathBuf {
        match &self.server {
            Server::OpenLdap(server) => server.ca_file(),
            Server::Ds389(server) => server.ca_file(),
            Server::Samba(server) => server.ca_file(),
        }
    }

    /// Writes a configuration; `more` comes after its last table.
    pub(crate) fn configure(&self, more: &str) -> PathBuf {
        self.write("", more)
    }

    /// Writes a configuration; `more` comes after the `[directory]` table's own keys.
    pub(crate) fn configure_directory(&self, more: &str) -> PathBuf {
        self.write(more, "")
    }

    fn write(&self, directory: &str, more: &str) -> PathBuf {
        let path = self.folder.path().join("ldapgate.toml");
        let (preset, url, authority) = (self.preset(), self.url(), self.authority());
        let authority = authority.display();
        let text = format!(
            r#"
[store]
url = "sqlite:accounts.db"

[directory]
preset = "{preset}"
url = "{url}"
base = "{BASE}"
bind_dn = "{READER}"
bind_password = "{READER_PASSWORD}"
{directory}

[directory.tls]
ca_files = ["{authority}"]

{more}
"#
        );
        std::fs::write(&path, text).expect("the test folder is writable");
        path
    }
}
