//! What can go wrong.
use std::time::SystemTime;
/// What a peer's certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The subject.
    pub subject: String,
    /// The names it is good for.
    pub names: Vec<String>,
    /// Start of validity.
    pub not_before: Option<SystemTime>,
    /// End of validity.
    pub not_after: Option<SystemTime>,
    /// The issuer.
    pub issuer: String,
}
/// TLS errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A handshake failed.
    #[error("TLS with {host} failed: {problem}")]
    Handshake {
        /// The host asked for.
        host: String,
        /// The problem.
        problem: String,
        /// The peer's certificate.
        certificate: Option<Box<Certificate>>,
        /// What to do.
        advice: String,
    },
}
