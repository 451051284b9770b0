//! Signed or sealed frames under a Kerberos context.

use bytes::{Bytes, BytesMut};
use cross_krb5::{ClientCtx, K5Ctx};
use proto::sasl::{MAX_FRAME, Protection, SaslError, SecurityLayer};

use super::{NAME, failed, unwrapped};

/// The layer that was agreed on.
pub(super) struct Layer {
    context: ClientCtx,
    protection: Protection,
    max_plain: usize,
    order: Order,
}

impl Layer {
    pub(super) fn new(context: ClientCtx, protection: Protection, max_plain: usize, order: Order) -> Layer {
        Layer { context, protection, max_plain, order }
    }
}

impl SecurityLayer for Layer {
    fn wrap(&mut self, plain: &[u8], sealed: &mut BytesMut) -> Result<(), SaslError> {
        let encrypt = self.protection == Protection::Confidentiality;
        let frame = self.context.wrap(encrypt, plain).map_err(|error| failed(&error))?;
        sealed.extend_from_slice(&frame);
        Ok(())
    }

    fn unwrap(&mut self, sealed: &[u8]) -> Result<Bytes, SaslError> {
        self.order.check(sealed, self.protection)?;
        unwrapped(&mut self.context, sealed)
    }

    fn max_plain(&self) -> usize {
        self.max_plain
    }

    fn max_sealed(&self) -> usize {
        MAX_FRAME
    }

    fn is_confidential(&self) -> bool {
        self.protection == Protection::Confidentiality
    }
}

/// Which frame is due. The library is not asked to look at that, so it is done here: the number stands in the frame's
/// header, which the checksum covers (RFC 4121 section 4.2.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    next: Option<u64>,
}

/// The token's kind, and the flags in its third octet (section 4.2.2).
const WRAPPED: [u8; 2] = [5, 4];
const SENT_BY_ACCEPTOR: u8 = 1;
const SEALED: u8 = 2;

impl Order {
    /// What follows after this frame; it was found good already.
    pub(super) fn after(frame: &[u8]) -> Option<Order> {
        Some(Order { next: Some(header(frame)?.1.wrapping_add(1)) })
    }

    /// What follows after the first frame, whatever its number: where the server has wrapped nothing yet.
    pub(super) fn from_the_first() -> Order {
        Order { next: None }
    }

    fn check(&mut self, frame: &[u8], protection: Protection) -> Result<(), SaslError> {
        let wrong = |what| SaslError::NotProved { mechanism: NAME, what };
        let Some((flags, number)) = header(frame) else {
            return Err(wrong("the frame is none of RFC 4121's"));
        };
        if flags & SENT_BY_ACCEPTOR == 0 || self.next.is_some_and(|next| number != next) {
            return Err(wrong("a frame is repeated, missing or out of order"));
        }
        if protection == Protection::Confidentiality && flags & SEALED == 0 {
            return Err(wrong("a frame is not sealed"));
        }
        self.next = Some(number.wrapping_add(1));
        Ok(())
    }
}

/// Flags and number.
fn header(frame: &[u8]) -> Option<(u8, u64)> {
    let header = frame.first_chunk::<16>()?;
    let number = header[8..].try_into().map(u64::from_be_bytes).ok()?;
    (header[..2] == WRAPPED).then_some((header[2], number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(flags: u8, number: u64) -> Vec<u8> {
        [&[5, 4, flags, 0xff, 0, 0, 0, 0][..], &number.to_be_bytes(), b"text"].concat()
    }

    #[test]
    fn frames_come_in_their_order_once_each() {
        let mut order = Order::after(&frame(1, 41)).unwrap();
        order.check(&frame(1, 42), Protection::Integrity).unwrap();
        assert!(order.check(&frame(1, 42), Protection::Integrity).is_err(), "repeated");
        assert!(order.check(&frame(1, 44), Protection::Integrity).is_err(), "one is missing");
        order.check(&frame(3, 43), Protection::Integrity).unwrap();
    }

    #[test]
    fn the_first_frame_may_set_the_order() {
        let mut order = Order::from_the_first();
        order.check(&frame(1, 7), Protection::Integrity).unwrap();
        assert!(order.check(&frame(1, 7), Protection::Integrity).is_err());
        order.check(&frame(1, 8), Protection::Integrity).unwrap();
    }

    #[test]
    fn a_frame_of_the_clients_own_an_open_one_or_another_kind_is_refused() {
        let mut order = Order::after(&frame(1, 0)).unwrap();
        assert!(order.check(&frame(2, 1), Protection::Confidentiality).is_err(), "sent back");
        assert!(order.check(&frame(1, 1), Protection::Confidentiality).is_err(), "not sealed");
        assert!(order.check(&frame(3, 1)[..15], Protection::Confidentiality).is_err());
        assert!(Order::after(b"\x60\x10of another kind").is_none());
    }
}
