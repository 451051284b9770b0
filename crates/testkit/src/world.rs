//! One small world of people, held by a real server or by the in-memory one.

use std::path::PathBuf;
use std::sync::LazyLock;

use crate::certificate::{Authority, Flaw};
use crate::memory::Memory;
use crate::openldap::OpenLdap;
use crate::rendering;

/// The world's data as LDIF for OpenLDAP: the people and groups of [`crate::people`], a service account.
pub static LDIF: LazyLock<String> = LazyLock::new(rendering::openldap);
/// The suffix.
pub const BASE: &str = "dc=example,dc=com";
/// The service account.
pub const READER: &str = "cn=reader,ou=services,dc=example,dc=com";
/// Its password.
pub const READER_PASSWORD: &str = "Reader-Pass-1";

/// Who holds the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A real `slapd`.
    OpenLdap,
    /// The in-memory directory.
    Memory,
}

/// A running server with the world in it.
pub struct World {
    held: Held,
    authority: Authority,
    folder: tempfile::TempDir,
}

enum Held {
    OpenLdap(Box<OpenLdap>),
    Memory(Box<Memory>),
}

impl World {
    /// Starts `peer` with a good certificate.
    pub async fn start(peer: Peer) -> Self {
        Self::with_flaw(peer, Flaw::None).await
    }

    /// Starts `peer` with a certificate that has `flaw`.
    ///
    /// # Panics
    /// When the server does not start.
    pub async fn with_flaw(peer: Peer, flaw: Flaw) -> Self {
        let authority = Authority::new("Example Test CA");
        let folder =
            tempfile::Builder::new().prefix("world").tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("ca.crt"), authority.pem()).expect("the test folder is writable");
        let held = match peer {
            Peer::OpenLdap => Held::OpenLdap(Box::new(OpenLdap::start(&LDIF, &authority, flaw).await)),
            Peer::Memory => Held::Memory(Box::new(Memory::start(&LDIF, &authority, flaw).await)),
        };
        Self { held, authority, folder }
    }

    /// The suffix.
    #[must_use]
    pub fn base(&self) -> &'static str {
        BASE
    }

    /// `ldap://localhost:PORT`; StartTLS is offered.
    #[must_use]
    pub fn ldap_url(&self) -> String {
        match &self.held {
            Held::OpenLdap(server) => server.ldap_url(),
            Held::Memory(memory) => memory.ldap_url(),
        }
    }

    /// `ldaps://localhost:PORT`.
    #[must_use]
    pub fn ldaps_url(&self) -> String {
        match &self.held {
            Held::OpenLdap(server) => server.ldaps_url(),
            Held::Memory(memory) => memory.ldaps_url(),
        }
    }

    /// A file with the certificate of the authority that signed the server's.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// A folder of this world's own, for whatever the test writes.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The authority that signed the server's certificate.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// How many connections the server has accepted, by its own count.
    #[must_use]
    pub fn connections(&self) -> usize {
        match &self.held {
            Held::OpenLdap(server) => server.connections(),
            Held::Memory(memory) => memory.connections(),
        }
    }

    /// How many requests (binds, searches, ...) the server has seen, by its own count.
    #[must_use]
    pub fn requests(&self) -> usize {
        match &self.held {
            Held::OpenLdap(server) => server.requests(),
            Held::Memory(memory) => memory.requests(),
        }
    }

    /// Takes the server away; its ports refuse connections.
    pub async fn stop(&mut self) {
        match &mut self.held {
            Held::OpenLdap(server) => server.stop(),
            Held::Memory(memory) => memory.stop().await,
        }
    }

    /// Brings it back on the same ports.
    pub async fn resume(&mut self) {
        match &mut self.held {
            Held::OpenLdap(server) => server.resume().await,
            Held::Memory(memory) => memory.resume().await,
        }
    }
}
