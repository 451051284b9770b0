//! Why a connection ended.

use std::io;

use proto::LdapResult;
use proto::session::SessionError;

use super::told;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// The server hung up without a word.
    #[error("the server closed the connection")]
    ByPeer,
    /// The server said why (notice of disconnection, RFC 4511 section 4.4.1).
    #[error("the server ended the connection: {}", told(.0))]
    Notice(LdapResult),
    /// The network failed.
    #[error("the connection broke")]
    Io(#[source] io::Error),
    /// The server broke the protocol.
    #[error("the server broke the protocol")]
    Protocol(#[source] SessionError),
    /// Bytes came in clear text where the TLS handshake had to begin: somebody on the way may have put them there.
    #[error("clear text arrived where the TLS handshake had to begin")]
    Injected,
    /// The server would not start TLS, or the handshake failed; going on in clear text is not an option.
    #[error("TLS could not be started")]
    NoTls,
    /// An operation that cannot be abandoned was given up, so the connection's state is unknown (RFC 4511 section 4.11).
    #[error("the {0} request was given up, which cannot be told to the server otherwise")]
    GivenUp(&'static str),
    /// Nobody had used it for a while.
    #[error("the connection had been idle for too long")]
    Idle,
    /// This side closed it.
    #[error("the connection was closed by this side")]
    Ours,
}
