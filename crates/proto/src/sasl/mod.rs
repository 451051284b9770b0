//! SASL (RFC 4422) as a client speaks it: machines that take a challenge and give a response, without IO, clock or
//! randomness.
//!
//! A driver sends what [`Mechanism::start`] gives with the first bind, answers each `saslBindInProgress` with
//! [`Mechanism::respond`], and hands what came with success to [`Mechanism::finish`]. Only when that returns `Ok` has the
//! bind succeeded: mechanisms in which the server proves itself refuse a success without its proof.
//!
//! A client and a server half that talk in memory:
//!
//! ```
//! use ldapgate_proto::Password;
//! use ldapgate_proto::sasl::{Mechanism, Scram, ScramHash, ScramServer, nonce};
//!
//! let mut client = Scram::new(ScramHash::Sha256, "ada", Password::new("engine")?, nonce(&[1; 18]))?;
//! let mut server = ScramServer::new(ScramHash::Sha256, b"salt", 4096, nonce(&[2; 18]));
//!
//! let first = client.start()?.expect("the client speaks first");
//! let challenge = server.first(&first)?;
//! assert_eq!(server.user(), "ada");
//! let last = client.respond(&challenge)?;
//! let proof = server.last(&last, b"engine")?.expect("the password is right");
//! client.finish(Some(&proof))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading order: [`Mechanism`]; one file for each mechanism; `choice` says which is the strongest of those a server offers;
//! `scram_server` is the other half of SCRAM.

mod anonymous;
mod binding;
mod choice;
mod cram_md5;
mod digest_md5;
mod directives;
mod error;
mod external;
mod layer;
#[cfg(feature = "ntlm")]
mod ntlm;
mod oauth_bearer;
mod plain;
mod protection;
mod scram;
mod scram_hash;
mod scram_server;
mod spnego;
mod text;

pub use anonymous::Anonymous;
pub use binding::ChannelBinding;
pub use choice::{Channel, Offer, strongest};
pub use cram_md5::CramMd5;
pub use digest_md5::DigestMd5;
pub use error::{SaslError, SaslFault};
pub use external::External;
pub use layer::{MAX_FRAME, SecurityLayer};
#[cfg(feature = "ntlm")]
pub use ntlm::{Fresh, Ntlm};
pub use oauth_bearer::OAuthBearer;
pub use plain::Plain;
pub use protection::Protection;
pub use scram::{LEAST_ITERATIONS, MOST_ITERATIONS, Scram};
pub use scram_hash::ScramHash;
pub use scram_server::ScramServer;
pub use spnego::{SecurityContext, Spnego};
pub use text::nonce;

/// What responses are kept in, for mechanisms of one's own.
pub use zeroize::Zeroizing;

/// The client's side of one exchange. It is used for one bind and then dropped.
///
/// Implementations keep secrets in [`Zeroizing`] memory, have no `Debug` that shows them, and take nonces and times as
/// arguments of their constructors. Whatever a peer sends is an attack until it was parsed: no input may make them panic,
/// or work or allocate without a limit.
pub trait Mechanism: Send {
    /// The registered name that the bind carries, such as `SCRAM-SHA-256`.
    fn name(&self) -> &str;

    /// What goes with the first request; `None` when the server speaks first.
    ///
    /// # Errors
    ///
    /// When the credentials cannot be sent by this mechanism.
    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError>;

    /// Answers one challenge; an absent one is an empty one.
    ///
    /// # Errors
    ///
    /// When the challenge breaks the mechanism's rules, comes out of turn, or is one that the server could not have sent
    /// if it knew the secret.
    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError>;

    /// Judges a success: `server_credentials` are what came with it, where something came.
    ///
    /// # Errors
    ///
    /// When the exchange was not over, or the server did not prove what the mechanism makes it prove. The caller must
    /// then treat the connection as bound as nobody, and close it.
    fn finish(&mut self, server_credentials: Option<&[u8]>) -> Result<(), SaslError>;

    /// The security layer that was agreed on, after a [`finish`](Mechanism::finish) that succeeded; `None` for none, and
    /// when it was taken already.
    fn layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
        None
    }

    /// Must the connection be encrypted, since a listener would learn the secret or could guess it by trying? A driver
    /// refuses such a mechanism in clear text as it refuses a simple bind. The default is the careful answer.
    fn needs_encryption(&self) -> bool {
        true
    }

    /// What the caller's log should know of the exchange, such as a weak choice of the server's; no secret is in it.
    fn warning(&self) -> Option<String> {
        None
    }
}
