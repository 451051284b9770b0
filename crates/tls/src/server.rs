//! The server's side.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::file::Source;
use crate::looks::Wanted;
use crate::{Error, Stream, explain};

/// A server's certificate and key files, told apart by content; both may be in one file, PEM or PKCS#12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The certificate, followed by its authorities' but the root's.
    pub cert: PathBuf,
    /// The private key, without a passphrase.
    pub key: PathBuf,
}

impl ServerSettings {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that is missing or holds something else, or a key that does not belong to the certificate.
    pub fn load(&self) -> Result<ServerTls, Error> {
        ServerTls::build(&Source::read(&self.cert)?, &Source::read(&self.key)?)
    }
}

/// Loaded settings. Clones share them.
#[derive(Clone)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// From PEM texts (or DER).
    ///
    /// # Errors
    /// A text that holds something else, or a key that does not belong to the certificate.
    pub fn from_pem(cert: &[u8], key: &[u8]) -> Result<Self, Error> {
        ServerTls::build(&Source::given("the certificate", cert), &Source::given("the private key", key))
    }

    fn build(cert: &Source, key: &Source) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Settings { source: error.into() })?
            .with_no_client_auth()
            .with_single_cert(cert.certificates(Wanted::Chain)?.certificates, key.key()?)
            .map_err(|error| key_error(error, cert, key))?;
        Ok(ServerTls { config: Arc::new(config) })
    }

    /// The same certificate, offering these protocols by ALPN (RFC 7301), best first, such as `h2` and `http/1.1`.
    #[must_use]
    pub fn offering<'a>(&self, protocols: impl IntoIterator<Item = &'a str>) -> Self {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = protocols.into_iter().map(|name| name.as_bytes().to_vec()).collect();
        ServerTls { config: Arc::new(config) }
    }

    /// Hand-shakes.
    ///
    /// There is no deadline here: the caller has one.
    ///
    /// # Errors
    /// [`Error::Accept`].
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        stream: S,
    ) -> Result<Stream<S>, Error> {
        match TlsAcceptor::from(self.config.clone()).accept(stream).await {
            Ok(stream) => Ok(Stream::new(stream)),
            Err(error) => Err(explain::server(error)),
        }
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

/// What the library says when certificate and key do not go together.
pub(crate) fn key_error(error: rustls::Error, cert: &Source, key: &Source) -> Error {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            Error::KeyMismatch { cert: cert.name().to_owned(), key: key.name().to_owned() }
        }
        rustls::Error::InvalidCertificate(problem) => {
            cert.damaged("certificate 1".to_owned(), problem.to_string())
        }
        rustls::Error::General(problem) => key.damaged("the private key".to_owned(), problem),
        other => Error::Settings { source: other.into() },
    }
}
