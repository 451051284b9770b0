use bytes::{Bytes, BytesMut};

use super::SaslError;

/// The longest frame that is accepted under a security layer, whatever was agreed on: 16 MiB less one, the most that
/// GSSAPI's three octets of length can name (RFC 4752 section 3.1).
pub const MAX_FRAME: usize = 0x00ff_ffff;

/// What signs or seals everything after a bind (RFC 4422 section 3.7). Each frame travels behind its length in four
/// octets, which the driver writes and reads.
pub trait SecurityLayer: Send {
    /// Signs or seals one frame, whose plain text is at most [`max_plain`](SecurityLayer::max_plain) octets.
    ///
    /// # Errors
    ///
    /// When the layer cannot go on; the connection is then closed.
    fn wrap(&mut self, plain: &[u8], sealed: &mut BytesMut) -> Result<(), SaslError>;

    /// Checks and opens one frame, without its length.
    ///
    /// # Errors
    ///
    /// When it was changed, repeated or taken out of order; the connection is then closed.
    fn unwrap(&mut self, sealed: &[u8]) -> Result<Bytes, SaslError>;

    /// The most plain text in one frame to the server, at least 1. The driver cuts longer texts.
    fn max_plain(&self) -> usize;

    /// The longest frame that the server may send, without its length. The driver refuses longer ones by their length
    /// alone, and whatever exceeds [`MAX_FRAME`].
    fn max_sealed(&self) -> usize;

    /// Does it hide what it carries, or sign only?
    fn is_confidential(&self) -> bool {
        false
    }
}
