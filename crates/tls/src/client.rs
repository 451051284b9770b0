//! The client's side.
use crate::{Error, Stream};
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncWrite};

/// The lowest protocol version that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

/// A client certificate and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate chain, leaf first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// How servers are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Files with CA certificates.
    pub ca_files: Vec<PathBuf>,
    /// Trust the system's CA certificates as well.
    pub system_roots: bool,
    /// The name to ask for when the URL's host is not the certificate's.
    pub server_name: Option<String>,
    /// A client certificate.
    pub client_identity: Option<Identity>,
    /// The lowest protocol version.
    pub min_version: Version,
    /// Accept anything. For laboratories.
    pub danger_accept_invalid_certificates: bool,
}
impl Default for ClientSettings {
    fn default() -> Self {
        todo!()
    }
}
impl ClientSettings {
    /// Reads the files.
    pub fn load(&self) -> Result<ClientTls, Error> {
        todo!()
    }
}
/// Loaded settings.
#[derive(Clone)]
pub struct ClientTls {}
impl ClientTls {
    /// Trusts exactly the certificates of this PEM text.
    pub fn from_pem(_ca: &[u8]) -> Result<Self, Error> {
        todo!()
    }
    /// Hand-shakes.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin + Send>(&self, _host: &str, _stream: S) -> Result<Stream<S>, Error> {
        todo!()
    }
    /// One line about what is trusted.
    pub fn describe(&self) -> String {
        todo!()
    }
}
impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}
