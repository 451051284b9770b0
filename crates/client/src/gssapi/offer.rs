//! The security layers that a server offers, and the one that is taken (RFC 4752 section 3.1).

use proto::sasl::{MAX_FRAME, Protection, SaslError};

use super::{NAME, malformed};

/// What wrapping adds, and a little: a header, a confounder, a copy of the header and a checksum, each of at most 32
/// octets.
const OVERHEAD: usize = 128;
/// Whole requests nearly always.
const MOST_PLAIN: usize = 64 << 10;

const fn bit(protection: Protection) -> u8 {
    match protection {
        Protection::None => 1,
        Protection::Integrity => 2,
        Protection::Confidentiality => 4,
    }
}

/// A server's offer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    layers: u8,
    /// The longest frame it takes.
    max_frame: usize,
}

impl Offer {
    pub(super) fn read(message: &[u8]) -> Result<Offer, SaslError> {
        let [layers, high, middle, low] = *message else {
            return Err(malformed("the offer of layers is not of four octets"));
        };
        let max_frame = u32::from_be_bytes([0, high, middle, low]) as usize;
        Ok(Offer { layers, max_frame })
    }

    /// The answer that takes one layer and asks to act as `authorization`, where that is not empty.
    pub(super) fn take(&self, wanted: Protection, authorization: &str) -> Result<Taken, SaslError> {
        if self.layers & bit(wanted) == 0 {
            return Err(SaslError::Unsupported { mechanism: NAME, what: self.why_not(wanted) });
        }
        let layered = wanted != Protection::None;
        let max_plain = self.max_frame.saturating_sub(OVERHEAD).min(MOST_PLAIN);
        if layered && max_plain == 0 {
            return Err(malformed("the server takes no frame that holds anything"));
        }
        // Without a layer the size must be 0.
        let ours = if layered { MAX_FRAME as u32 } else { 0 };
        let [_, size @ ..] = ours.to_be_bytes();
        let answer = [&[bit(wanted)], &size[..], authorization.as_bytes()].concat();
        Ok(Taken { answer, max_plain })
    }

    fn why_not(&self, wanted: Protection) -> &'static str {
        match wanted {
            Protection::None => "the server demands that the connection be signed or sealed",
            Protection::Integrity => "the server does not offer signing",
            Protection::Confidentiality => "the server does not offer sealing",
        }
    }
}

/// What is answered, and how much plain text one frame may hold from then on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) answer: Vec<u8>,
    pub(super) max_plain: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(message: &[u8]) -> Offer {
        Offer::read(message).unwrap()
    }

    #[test]
    fn the_layer_that_is_wanted_is_taken_with_the_largest_frame() {
        let all = offer(&[7, 0, 0xff, 0xff]);
        let taken = all.take(Protection::Confidentiality, "").unwrap();
        assert_eq!(taken, Taken { answer: vec![4, 0xff, 0xff, 0xff], max_plain: 0xffff - OVERHEAD });
        assert_eq!(all.take(Protection::Integrity, "").unwrap().answer, [2, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn no_layer_goes_with_no_size_and_the_name_follows() {
        let taken = offer(&[1, 0, 0, 0]).take(Protection::None, "dn:cn=ä").unwrap();
        assert_eq!(taken.answer, [&[1, 0, 0, 0][..], "dn:cn=ä".as_bytes()].concat());
    }

    #[test]
    fn a_layer_that_is_not_offered_is_not_taken() {
        let signed = offer(&[2, 0, 0xff, 0xff]);
        assert!(signed.take(Protection::None, "").is_err());
        assert!(signed.take(Protection::Confidentiality, "").is_err(), "nor a weaker one in its place");
        assert!(signed.take(Protection::Integrity, "").is_ok());
    }

    #[test]
    fn an_offer_of_another_length_or_without_room_is_refused() {
        for message in [&[][..], &[7], &[7, 0, 0], &[7, 0, 0, 0, 0]] {
            assert!(Offer::read(message).is_err(), "{message:?}");
        }
        assert!(offer(&[7, 0, 0, OVERHEAD as u8]).take(Protection::Integrity, "").is_err());
    }
}
