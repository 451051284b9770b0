//! SASL (RFC 4422) as a client speaks it: machines that take a challenge and give a response, without IO, clock or
//! randomness.
//!
//! A driver sends what [`Mechanism::start`] gives with the first bind, answers each `saslBindInProgress` with
//! [`Mechanism::respond`], and hands what came with success to [`Mechanism::finish`]. Only when that returns `Ok` has the
//! bind succeeded: mechanisms in which the server proves itself refuse a success without its proof.

mod error;
mod layer;
#[cfg(feature = "ntlm")]
mod ntlm;
mod protection;
mod spnego;

pub use error::{SaslError, SaslFault};
pub use layer::{MAX_FRAME, SecurityLayer};
#[cfg(feature = "ntlm")]
pub use ntlm::{Fresh, Ntlm};
pub use protection::Protection;
pub use spnego::{SecurityContext, Spnego};

use zeroize::Zeroizing;

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
}
