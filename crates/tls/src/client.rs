//! The client's side.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::explain::{self, Asked};
use crate::file::{Format, Found, Source};
use crate::looks::Wanted;
use crate::server::key_error;
use crate::verify::Verifier;
use crate::{Error, Stream};

/// The lowest protocol version that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

/// A client certificate and its key, told apart by content; both may be in one file, PEM or PKCS#12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate chain, leaf first.
    pub cert: PathBuf,
    /// The private key, without a passphrase. A PKCS#12 archive has an empty one.
    pub key: PathBuf,
}

/// A file whose certificates are trusted, and what it turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedFile {
    /// The file, as it was named.
    pub file: String,
    /// How it holds its certificates, by its content; its name is not looked at.
    pub format: Format,
    /// How many it holds.
    pub certificates: usize,
}

/// How servers are proved.
///
/// ```
/// use ldapgate_tls::{ClientSettings, Version};
///
/// let settings = ClientSettings { min_version: Version::Tls13, ..ClientSettings::default() };
/// assert!(settings.system_roots);
/// assert!(!settings.danger_accept_invalid_certificates);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Files with CA certificates: PEM bundles, DER, PKCS#7 (`.p7b`) or, with the feature `pkcs12`, PKCS#12 (`.pfx`)
    /// without a password; which one is seen by its content. A server's own certificate may be named as well: it is then
    /// trusted for the hosts it names.
    pub ca_files: Vec<PathBuf>,
    /// Trust the system's CA certificates as well. `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    pub system_roots: bool,
    /// The name to ask for when the URL's host is not the certificate's.
    pub server_name: Option<String>,
    /// A client certificate.
    pub client_identity: Option<Identity>,
    /// The lowest protocol version.
    pub min_version: Version,
    /// Accept anything. For laboratories: whoever is between here and the server reads every password.
    pub danger_accept_invalid_certificates: bool,
}

impl Default for ClientSettings {
    /// The system's CA certificates, TLS 1.2 and 1.3.
    fn default() -> Self {
        ClientSettings {
            ca_files: Vec::new(),
            system_roots: true,
            server_name: None,
            client_identity: None,
            min_version: Version::default(),
            danger_accept_invalid_certificates: false,
        }
    }
}

impl ClientSettings {
    /// Reads the files.
    ///
    /// A system without CA certificates is no error here, since not every directory is reached by TLS: a handshake then
    /// fails and says so, and [`ClientTls::trusted`] is 0.
    ///
    /// # Errors
    /// A file that is missing or holds something else, a key that does not belong to its certificate, a server name
    /// that cannot be one.
    pub fn load(&self) -> Result<ClientTls, Error> {
        let sources = self.ca_files.iter().map(|path| Source::read(path)).collect::<Result<Vec<_>, _>>()?;
        self.build(&sources)
    }

    fn build(&self, authorities: &[Source]) -> Result<ClientTls, Error> {
        let server_name = self.server_name.as_deref().map(parse_name).transpose()?;
        let mut roots = RootCertStore::empty();
        let (mut given, mut files) = (Vec::new(), Vec::new());
        for source in authorities {
            let Found { format, certificates } = trust(source, &mut roots)?;
            let (file, count) = (source.name().to_owned(), certificates.len());
            tracing::debug!(file, %format, certificates = count, "CA certificates read");
            files.push(TrustedFile { file, format, certificates: count });
            given.extend(certificates);
        }
        let system = if self.system_roots { trust_system(&mut roots) } else { 0 };
        if self.danger_accept_invalid_certificates {
            tracing::warn!("TLS accepts any certificate: whoever is on the way can read every password");
        }
        let trusted = roots.len();
        let words = self.words(&files, system);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            Verifier::new(roots, given, self.danger_accept_invalid_certificates, provider.clone())?;
        let versions: &[_] = match self.min_version {
            Version::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            Version::Tls13 => &[&rustls::version::TLS13],
        };
        // Never without a provider: where two are compiled in, the library panics.
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|error| Error::Settings { source: error.into() })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match &self.client_identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let (cert, key) = (Source::read(&identity.cert)?, Source::read(&identity.key)?);
                config
                    .with_client_auth_cert(cert.certificates(Wanted::Chain)?.certificates, key.key()?)
                    .map_err(|error| key_error(error, &cert, &key))?
            }
        };
        Ok(ClientTls {
            config: Arc::new(config),
            server_name,
            min_version: self.min_version,
            has_identity: self.client_identity.is_some(),
            trusted,
            files: files.into(),
            words: words.into(),
        })
    }

    fn words(&self, files: &[TrustedFile], system: usize) -> String {
        let given: usize = files.iter().map(|file| file.certificates).sum();
        let of_files = || {
            let each: Vec<_> = files.iter().map(|file| format!("{} {}", file.format, file.file)).collect();
            format!("{given} of its files ({})", each.join(", "))
        };
        let mut words = match (self.danger_accept_invalid_certificates, given, system) {
            (true, _, _) => "accepts ANY certificate".to_owned(),
            (false, 0, 0) => "trusts no CA certificate at all".to_owned(),
            (false, _, 0) => format!("trusts {}", of_files()),
            (false, 0, system) => format!("trusts {system} of the system"),
            (false, _, system) => format!("trusts {} and {system} of the system", of_files()),
        };
        if let Some(name) = &self.server_name {
            words.push_str(&format!(", asks for {name}"));
        }
        if let Some(identity) = &self.client_identity {
            words.push_str(&format!(", presents {}", identity.cert.display()));
        }
        words.push_str(match self.min_version {
            Version::Tls12 => ", TLS 1.2 or later",
            Version::Tls13 => ", TLS 1.3",
        });
        words
    }
}

/// Loaded settings. Clones share them, and the sessions that are resumed.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    min_version: Version,
    has_identity: bool,
    trusted: usize,
    files: Arc<[TrustedFile]>,
    words: Arc<str>,
}

impl ClientTls {
    /// Trusts exactly the certificates of this PEM text (or of another format that files may have).
    ///
    /// # Errors
    /// When it holds none, or a damaged one.
    pub fn from_pem(ca: &[u8]) -> Result<Self, Error> {
        let settings = ClientSettings { system_roots: false, ..ClientSettings::default() };
        settings.build(&[Source::given("the CA certificate", ca)])
    }

    /// Hand-shakes with `host`, which is a name or an address, IPv6 with or without brackets. A `server_name` of the
    /// settings goes before it.
    ///
    /// There is no deadline here: the caller has one for name lookup, TCP and TLS together.
    ///
    /// # Errors
    /// [`Error::HostName`] when `host` cannot be in a certificate, else [`Error::Handshake`].
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<Stream<S>, Error> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => parse_name(host)?,
        };
        match TlsConnector::from(self.config.clone()).connect(name.clone(), stream).await {
            Ok(stream) => Ok(Stream::new(stream)),
            Err(error) => {
                let asked =
                    Asked { name: &name, min_version: self.min_version, has_identity: self.has_identity };
                Err(explain::client(&asked, &error))
            }
        }
    }

    /// The files with CA certificates, and which of the formats each has.
    #[must_use]
    pub fn files(&self) -> &[TrustedFile] {
        &self.files
    }

    /// One line about what is trusted: `trusts 2 of its files (PKCS#7 corp-ca.p7b), TLS 1.2 or later`.
    #[must_use]
    pub fn describe(&self) -> String {
        self.words.to_string()
    }

    /// How many CA certificates are trusted. With 0 every handshake fails.
    #[must_use]
    pub fn trusted(&self) -> usize {
        self.trusted
    }

    /// The same trust for another server: without the client certificate, without the name to ask for, and without
    /// sessions to resume, which could carry the certificate's identity on.
    ///
    /// ```no_run
    /// # fn example(settings: &ldapgate_tls::ClientSettings) -> Result<(), ldapgate_tls::Error> {
    /// let elsewhere = settings.load()?.for_another_server();
    /// # let _ = elsewhere;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn for_another_server(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = Arc::new(NoIdentity);
        config.resumption = Resumption::default();
        let words = format!("{}, for another server", self.words).into();
        ClientTls { config: Arc::new(config), server_name: None, has_identity: false, words, ..self.clone() }
    }
}

/// Shows no certificate to anybody.
#[derive(Debug)]
struct NoIdentity;

impl ResolvesClientCert for NoIdentity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientTls({})", self.words)
    }
}

fn trust(source: &Source, roots: &mut RootCertStore) -> Result<Found, Error> {
    let found = source.certificates(Wanted::Authorities)?;
    for (index, certificate) in found.certificates.iter().enumerate() {
        roots
            .add(certificate.clone())
            .map_err(|error| source.damaged(format!("certificate {}", index + 1), error.to_string()))?;
    }
    Ok(found)
}

/// How many were found. Single files of the system's folder that cannot be read are no reason to give up.
fn trust_system(roots: &mut RootCertStore) -> usize {
    let found = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    for error in &found.errors {
        tracing::warn!(%error, "a CA certificate of the system cannot be read");
    }
    if ignored > 0 {
        tracing::debug!(ignored, "CA certificates of the system that cannot be used");
    }
    if added == 0 {
        tracing::warn!("the system has no CA certificates");
    }
    added
}

fn parse_name(name: &str) -> Result<ServerName<'static>, Error> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    // DNS allows a dot at the end; no certificate has it.
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    ServerName::try_from(bare.to_owned()).map_err(|_| Error::HostName { name: name.to_owned() })
}
