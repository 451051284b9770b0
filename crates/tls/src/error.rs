//! What can go wrong, and who must act.

use std::io;

use crate::Certificate;

/// A cause whose type is nobody's business.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Certificate files that are none, and handshakes that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {file}: {problem}")]
    Read {
        /// The file.
        file: String,
        /// Missing, a folder, not allowed, too large, or what the system says.
        problem: String,
        /// What the system said.
        source: Option<io::Error>,
    },
    /// A file holds something else.
    #[error("{file} is {looks}, not {wanted}; {advice}")]
    WrongFile {
        /// The file.
        file: String,
        /// What it looks like, with its article.
        looks: &'static str,
        /// What was expected, with its article.
        wanted: &'static str,
        /// What to do.
        advice: String,
    },
    /// A file holds the right thing, damaged.
    #[error("{file}: {part} is damaged: {problem}; copy the file again from where it came from")]
    Damaged {
        /// The file.
        file: String,
        /// "certificate 3", "the private key".
        part: String,
        /// What does not fit.
        problem: String,
    },
    /// A private key belongs to another certificate.
    #[error(
        "the private key in {key} does not belong to the first certificate in {cert}; the server's own certificate must come first, its authorities after it"
    )]
    KeyMismatch {
        /// The certificate's file.
        cert: String,
        /// The key's file.
        key: String,
    },
    /// A name that no certificate can carry.
    #[error(
        "{name:?} is no host name or address that a certificate can carry; international names are written in their xn-- form"
    )]
    HostName {
        /// The name.
        name: String,
    },
    /// The settings cannot be used.
    #[error("these TLS settings cannot be used")]
    Settings {
        /// Why not.
        source: Cause,
    },
    /// A handshake as client failed.
    #[error("TLS with {host} failed: {problem}{}; {advice}", shown(.certificate.as_deref()))]
    Handshake {
        /// The host asked for.
        host: String,
        /// What went wrong, for programs.
        fault: HandshakeFault,
        /// What went wrong, in words.
        problem: String,
        /// The peer's certificate, when one came.
        certificate: Option<Box<Certificate>>,
        /// What to do.
        advice: String,
    },
    /// A handshake as server failed.
    #[error("TLS with a client failed: {problem}")]
    Accept {
        /// What went wrong, in words.
        problem: String,
        /// What the connection said.
        source: io::Error,
    },
    /// The peer ended an established connection with a TLS alert; it is the inner error of an [`io::Error`].
    #[error("the TLS peer ended the connection: {problem}")]
    Alert {
        /// What it said, in words.
        problem: String,
    },
}

impl Error {
    /// The handshake's fault, when a handshake failed.
    #[must_use]
    pub fn fault(&self) -> Option<HandshakeFault> {
        match self {
            Error::Handshake { fault, .. } => Some(*fault),
            _ => None,
        }
    }
}

/// Why a handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HandshakeFault {
    /// The certificate is for other names.
    WrongHost,
    /// A certificate of the chain has ended.
    Expired,
    /// A certificate of the chain has not begun.
    NotYetValid,
    /// Nobody who is trusted signed the certificate.
    UnknownIssuer,
    /// The certificate signed itself and is not trusted.
    SelfSigned,
    /// No certificate is trusted at all.
    NothingTrusted,
    /// The certificate is not acceptable for another reason.
    Unacceptable,
    /// The server wants a client certificate, or another one.
    ClientCertificate,
    /// The peer does not speak TLS.
    NoTls,
    /// The peer speaks only versions that are not allowed here.
    OldProtocol,
    /// The peer closed the connection.
    Closed,
    /// The peer refused for another reason.
    Refused,
    /// The connection broke, or the peer did not follow the protocol.
    Broken,
}

fn shown(certificate: Option<&Certificate>) -> String {
    certificate.map(|certificate| format!("; it presented {certificate}")).unwrap_or_default()
}
