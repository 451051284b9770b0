//! What the server says of itself, and what the client adds before it signs all of it (MS-NLMP section 2.2.2.1).

use md5::{Digest, Md5};

use super::keys::utf16;
use super::malformed;
use crate::sasl::SaslError;

const END: u16 = 0;
const FLAGS: u16 = 6;
const TIMESTAMP: u16 = 7;
const TARGET_NAME: u16 = 9;
const CHANNEL_BINDINGS: u16 = 10;

/// "The message carries a MIC."
const HAS_MIC: u32 = 2;
/// More than there are kinds of pairs.
const MAX_PAIRS: usize = 64;

/// The pairs in their order, without the last one, which only ends them.
pub(super) struct TargetInfo<'a>(Vec<(u16, &'a [u8])>);

impl<'a> TargetInfo<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<TargetInfo<'a>, SaslError> {
        let mut pairs = Vec::new();
        let mut rest = bytes;
        loop {
            let Some((header, after)) = rest.split_first_chunk::<4>() else {
                return Err(malformed("the target information has no end"));
            };
            let [id0, id1, length0, length1] = *header;
            let (id, length) = (u16::from_le_bytes([id0, id1]), u16::from_le_bytes([length0, length1]));
            if id == END {
                return Ok(TargetInfo(pairs));
            }
            let Some((value, after)) = after.split_at_checked(usize::from(length)) else {
                return Err(malformed("the target information is cut off"));
            };
            if pairs.len() == MAX_PAIRS {
                return Err(malformed("too much target information"));
            }
            pairs.push((id, value));
            rest = after;
        }
    }

    /// The server's time, in units of 100 nanoseconds since 1601.
    pub(super) fn timestamp(&self) -> Option<[u8; 8]> {
        self.value(TIMESTAMP)?.try_into().ok()
    }

    /// The same with what the client adds: that there is a MIC, whom it means to talk to, and over which channel.
    pub(super) fn answered(&self, service: &str, channel_binding: Option<&[u8]>) -> Vec<u8> {
        let flags = self.value(FLAGS).and_then(|value| value.try_into().ok()).map_or(0, u32::from_le_bytes);
        let mut out = Vec::new();
        let mut put = |id: u16, value: &[u8]| {
            let length =
                u16::try_from(value.len()).expect("names are short, and pairs were read from as much");
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(value);
        };
        let ours = [FLAGS, TARGET_NAME, CHANNEL_BINDINGS];
        self.0.iter().filter(|(id, _)| !ours.contains(id)).for_each(|(id, value)| put(*id, value));
        put(FLAGS, &(flags | HAS_MIC).to_le_bytes());
        put(CHANNEL_BINDINGS, &channel_binding.map_or([0; 16], hashed));
        put(TARGET_NAME, &utf16(service));
        put(END, &[]);
        out
    }

    fn value(&self, wanted: u16) -> Option<&'a [u8]> {
        self.0.iter().find(|(id, _)| *id == wanted).map(|(_, value)| *value)
    }
}

/// MD5 of GSSAPI's channel binding structure without addresses (RFC 2744 section 3.11), as the pair holds it.
fn hashed(application_data: &[u8]) -> [u8; 16] {
    let length = u32::try_from(application_data.len()).expect("channel bindings are short");
    let hash =
        Md5::new().chain_update([0; 16]).chain_update(length.to_le_bytes()).chain_update(application_data);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: u16, value: &[u8]) -> Vec<u8> {
        [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat()
    }

    #[test]
    fn the_servers_pairs_stay_and_the_clients_are_added() {
        let sent = [pair(2, &utf16("D")), pair(TIMESTAMP, &[7; 8]), pair(TARGET_NAME, b"XX"), pair(END, b"")];
        let sent = sent.concat();
        let info = TargetInfo::read(&sent).unwrap();
        assert_eq!(info.timestamp(), Some([7; 8]));
        let answered = info.answered("ldap/a", None);
        let expected = [
            pair(2, &utf16("D")),
            pair(TIMESTAMP, &[7; 8]),
            pair(FLAGS, &[2, 0, 0, 0]),
            pair(CHANNEL_BINDINGS, &[0; 16]),
            pair(TARGET_NAME, &utf16("ldap/a")),
            pair(END, b""),
        ];
        assert_eq!(answered, expected.concat());
    }

    #[test]
    fn a_channel_binding_is_hashed_with_its_length_and_without_addresses() {
        let data = b"tls-server-end-point:x";
        let by_hand = [&[0; 16][..], &[22, 0, 0, 0], data].concat();
        let expected: [u8; 16] = Md5::digest(by_hand).into();
        assert_eq!(hashed(data), expected);
    }

    #[test]
    fn pairs_without_an_end_or_beyond_it_are_refused() {
        let endless = pair(2, b"ab").repeat(MAX_PAIRS + 1);
        for bytes in [&b""[..], &[2, 0], &pair(2, b"ab"), &[2, 0, 9, 0, 1], &endless] {
            assert!(TargetInfo::read(bytes).is_err(), "{bytes:?}");
        }
    }
}
