//! The two messages of the negotiation (RFC 4178 section 4.2).

use bytes::Bytes;
use zeroize::Zeroizing;

use super::{NAME, malformed};
use crate::ber::{Error, Reader, Tag, Writer};
use crate::sasl::SaslError;

/// 1.3.6.1.5.5.2, in front of the first message (RFC 2743 section 3.1).
const OID: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
const OBJECT_IDENTIFIER: Tag = Tag(0x06);
const FRAMED: Tag = Tag::application(0).constructed();
const INIT: Tag = Tag::context(0).constructed();
const RESPONSE: Tag = Tag::context(1).constructed();
/// Far longer than any ticket; one with a large PAC has some 64 KiB.
const MAX_TOKEN: usize = 1 << 20;

const fn field(number: u8) -> Tag {
    Tag::context(number).constructed()
}

/// The list of mechanisms as it is sent and signed.
pub(super) fn mechanism_list(mechanism: &[u8]) -> Bytes {
    let mut writer = Writer::new();
    writer.constructed(Tag::SEQUENCE, |writer| writer.octets(OBJECT_IDENTIFIER, mechanism));
    writer.finish()
}

/// The client's first message: the mechanisms, and what the first of them begins with.
pub(super) fn init(mechanism_list: &[u8], token: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut writer = Writer::secret();
    writer.constructed(FRAMED, |writer| {
        writer.octets(OBJECT_IDENTIFIER, OID);
        writer.constructed(INIT, |writer| {
            writer.constructed(Tag::SEQUENCE, |writer| {
                writer.constructed(field(0), |writer| writer.raw(mechanism_list));
                writer.constructed(field(2), |writer| writer.octets(Tag::OCTETS, token));
            });
        });
    });
    Zeroizing::new(writer.finish().to_vec())
}

/// The client's later messages.
pub(super) fn response(token: Option<&[u8]>, list_signature: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let mut writer = Writer::secret();
    writer.constructed(RESPONSE, |writer| {
        writer.constructed(Tag::SEQUENCE, |writer| {
            if let Some(token) = token {
                writer.constructed(field(2), |writer| writer.octets(Tag::OCTETS, token));
            }
            if let Some(signature) = list_signature {
                writer.constructed(field(3), |writer| writer.octets(Tag::OCTETS, signature));
            }
        });
    });
    Zeroizing::new(writer.finish().to_vec())
}

/// What the server says; everything in it may be missing.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub(super) state: Option<NegotiationState>,
    pub(super) mechanism: Option<Bytes>,
    pub(super) token: Option<Bytes>,
    pub(super) list_signature: Option<Bytes>,
}

/// How the negotiation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NegotiationState {
    Completed,
    Incomplete,
    Rejected,
    /// Goes on, and wants the list signed.
    RequestsSignature,
}

impl Answer {
    pub(super) fn read(bytes: &[u8]) -> Result<Answer, SaslError> {
        if bytes.len() > MAX_TOKEN {
            return Err(malformed("it is too long"));
        }
        read(&Bytes::copy_from_slice(bytes)).map_err(|_| malformed("it is no answer to a negotiation"))
    }
}

fn read(frame: &Bytes) -> Result<Answer, Error> {
    let mut outer = Reader::new(frame);
    let mut fields = outer.enter(RESPONSE)?.enter(Tag::SEQUENCE)?;
    outer.finish()?;
    let state = match fields.enter_if(field(0))? {
        Some(mut content) => Some(match content.integer(Tag::ENUMERATED)? {
            0 => NegotiationState::Completed,
            1 => NegotiationState::Incomplete,
            2 => NegotiationState::Rejected,
            3 => NegotiationState::RequestsSignature,
            _ => return Err(content.error(crate::ber::ErrorKind::Invalid("unknown state"))),
        }),
        None => None,
    };
    let mut next = |number, tag| match fields.enter_if(field(number))? {
        Some(mut content) => content.shared(tag).map(Some),
        None => Ok(None),
    };
    let answer = Answer {
        state,
        mechanism: next(1, OBJECT_IDENTIFIER)?,
        token: next(2, Tag::OCTETS)?,
        list_signature: next(3, Tag::OCTETS)?,
    };
    fields.finish()?;
    Ok(answer)
}

/// A refusal in the negotiation's own words, of which it has one.
pub(super) fn rejected() -> SaslError {
    SaslError::Refused { mechanism: NAME, reason: "the negotiation is rejected".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_names_the_negotiation_and_its_only_mechanism() {
        let message = init(&mechanism_list(&[0x2a, 0x03]), b"T");
        let expected = [
            0x60, 0x19, 0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02, 0xa0, 0x0f, 0x30, 0x0d, 0xa0, 0x06,
            0x30, 0x04, 0x06, 0x02, 0x2a, 0x03, 0xa2, 0x03, 0x04, 0x01, b'T',
        ];
        assert_eq!(message[..], expected);
    }

    #[test]
    fn an_answer_is_read_with_all_its_fields_and_with_none() {
        let whole = [
            0xa1, 0x1a, 0x30, 0x18, 0xa0, 0x03, 0x0a, 0x01, 0x01, 0xa1, 0x04, 0x06, 0x02, 0x2a, 0x03, 0xa2,
            0x04, 0x04, 0x02, b'h', b'i', 0xa3, 0x05, 0x04, 0x03, 1, 2, 3,
        ];
        let answer = Answer::read(&whole).unwrap();
        assert_eq!(answer.state, Some(NegotiationState::Incomplete));
        assert_eq!(answer.mechanism.as_deref(), Some(&[0x2a, 0x03][..]));
        assert_eq!(answer.token.as_deref(), Some(&b"hi"[..]));
        assert_eq!(answer.list_signature.as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(Answer::read(&[0xa1, 0x02, 0x30, 0x00]).unwrap(), Answer::default());
    }

    #[test]
    fn what_is_cut_doubled_or_unknown_is_refused() {
        for bytes in [
            &[][..],
            &[0xa1, 0x00],
            &[0xa1, 0x02, 0x30, 0x00, 0x00],
            &[0xa1, 0x80, 0x30, 0x00],
            &[0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x09],
            &[0xa1, 0x05, 0x30, 0x03, 0xa0, 0x03, 0x0a],
            &[0xa1, 0x04, 0x30, 0x02, 0xa2, 0x00],
            &[0x60, 0x02, 0x30, 0x00],
        ] {
            assert!(Answer::read(bytes).is_err(), "{bytes:x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0_u8.., 0..64)) {
            drop(Answer::read(&bytes));
            drop(Answer::read(&[&[0xa1, bytes.len() as u8][..], &bytes].concat()));
        }

        #[test]
        fn what_a_client_says_a_server_can_read(token in proptest::collection::vec(0_u8.., 0..300)) {
            let answer = Answer::read(&response(Some(&token), Some(b"s"))).unwrap();
            proptest::prop_assert_eq!(answer.token.as_deref(), Some(&token[..]));
            proptest::prop_assert_eq!(answer.list_signature.as_deref(), Some(&b"s"[..]));
        }
    }
}
