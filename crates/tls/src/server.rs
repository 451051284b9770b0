//! The server's side.
use crate::{Error, Stream};
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncWrite};
/// A server's certificate and key files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The certificate chain.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}
impl ServerSettings {
    /// Reads the files.
    pub fn load(&self) -> Result<ServerTls, Error> {
        todo!()
    }
}
/// Loaded settings.
#[derive(Clone)]
pub struct ServerTls {}
impl ServerTls {
    /// From PEM texts.
    pub fn from_pem(_cert: &[u8], _key: &[u8]) -> Result<Self, Error> {
        todo!()
    }
    /// Hand-shakes.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin + Send>(&self, _stream: S) -> Result<Stream<S>, Error> {
        todo!()
    }
}
impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}
