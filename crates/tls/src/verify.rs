//! What is trusted, and which certificate was not.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use crate::certificate::Parts;
use crate::{Certificate, Error};

/// The shortest RSA key with which a signature is verified, in bits: NIST SP 800-131A has allowed no less since 2014.
const LEAST_RSA: usize = 2048;

/// Proves servers, and lets a refusal carry the certificate that was refused.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// `None` when nothing is trusted: the library has no verifier for that.
    chains: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates of files, in any of which the server's very own may be.
    given: Vec<CertificateDer<'static>>,
    accept_anything: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// `roots` holds `given` and the system's.
    ///
    /// # Errors
    /// [`Error::Settings`] when the library refuses the roots.
    pub(crate) fn new(
        roots: RootCertStore,
        given: Vec<CertificateDer<'static>>,
        accept_anything: bool,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let chains = match roots.is_empty() {
            true => None,
            false => Some(
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                    .build()
                    .map_err(|error| Error::Settings { source: error.into() })?,
            ),
        };
        Ok(Verifier { chains, given, accept_anything, provider })
    }

    fn judge(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // Laboratories trust a server's self-signed certificate by naming it as authority. The library takes no
        // certificate marked as CA for a server's own, which is what `openssl req -x509` makes; these very bytes were
        // named, so no chain is left to prove.
        if self.given.iter().any(|given| given == own) {
            dates(own, now)?;
            rustls::client::verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let Some(chains) = &self.chains else { return Err(CertificateError::UnknownIssuer.into()) };
        chains.verify_server_cert(own, intermediates, name, &[], now)
    }

    /// The certificate of this chain whose key is too short to prove anything, and the key's length in bits.
    fn weak_key(&self, own: &CertificateDer<'_>, above: &[CertificateDer<'_>]) -> Option<(String, usize)> {
        let presented = std::iter::once(own).chain(above).filter_map(|der| Parts::read(der));
        let presented: Vec<Parts<'_>> = presented.collect();
        let trusted = self.given.iter().filter_map(|der| Parts::read(der));
        let trusted = trusted.filter(|root| presented.iter().any(|below| below.issuer == root.subject));
        let mut chain = presented.iter().map(Parts::clone).chain(trusted);
        chain.find_map(|parts| {
            let bits = parts.rsa_bits().filter(|bits| *bits < LEAST_RSA)?;
            Some((parts.shown_subject().unwrap_or_default(), bits))
        })
    }

    /// The signature of the handshake itself, judged.
    fn signature(
        &self,
        own: &CertificateDer<'_>,
        judged: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        judged.map_err(|reason| match self.weak_key(own, &[]) {
            Some(weak_key) => refused(Refused {
                reason,
                certificate: Certificate::from_der(own),
                intermediates: 0,
                nothing_trusted: false,
                knows_name_of_issuer: false,
                weak_key: Some(weak_key),
            }),
            None => reason,
        })
    }

    /// Is a certificate trusted that has the issuer's name, though it did not sign?
    fn knows_name_of_issuer(&self, own: &CertificateDer<'_>) -> bool {
        let Some(own) = Parts::read(own) else { return false };
        self.given.iter().filter_map(|given| Parts::read(given)).any(|given| given.subject == own.issuer)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.accept_anything {
            return Ok(ServerCertVerified::assertion());
        }
        self.judge(own, intermediates, name, now).map_err(|reason| {
            refused(Refused {
                reason,
                certificate: Certificate::from_der(own),
                intermediates: intermediates.len(),
                nothing_trusted: self.chains.is_none(),
                knows_name_of_issuer: self.knows_name_of_issuer(own),
                weak_key: self.weak_key(own, intermediates),
            })
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.accept_anything {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signature(own, verify_tls12_signature(message, own, signed, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.accept_anything {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signature(own, verify_tls13_signature(message, own, signed, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a certificate was refused, and which. It travels inside the library's error.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) reason: rustls::Error,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) intermediates: usize,
    pub(crate) nothing_trusted: bool,
    pub(crate) knows_name_of_issuer: bool,
    /// A certificate of the chain with a key that is too short, and its length in bits.
    pub(crate) weak_key: Option<(String, usize)>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Refused {}

fn refused(refused: Refused) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
}

/// A certificate whose dates cannot be read is not valid.
fn dates(own: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let read = Certificate::from_der(own);
    let Some((from, to)) = read.and_then(|own| own.not_before.zip(own.not_after)) else {
        return Err(CertificateError::BadEncoding.into());
    };
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs());
    if time < from {
        return Err(CertificateError::NotValidYetContext { time: now, not_before: unix(from) }.into());
    }
    if time > to {
        return Err(CertificateError::ExpiredContext { time: now, not_after: unix(to) }.into());
    }
    Ok(())
}

fn unix(time: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}
