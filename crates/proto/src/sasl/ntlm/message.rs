//! The three messages (MS-NLMP section 2.2.1).

use super::keys::utf16;
use super::malformed;
use crate::sasl::SaslError;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const NEGOTIATE: u32 = 1;
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;
/// Says only which revision of NTLM is spoken: the fifteenth, as by everybody (section 2.2.2.10).
const VERSION: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 15];
/// Far longer than any server's; a challenge holds a few names.
const MAX_CHALLENGE: usize = 16 << 10;
/// Where the MIC is in the last message, and where its fixed part ends.
const MIC: std::ops::Range<usize> = 72..88;

/// What both sides can do (section 2.2.2.5).
pub(super) mod flags {
    pub(crate) const UNICODE: u32 = 1;
    pub(crate) const REQUEST_TARGET: u32 = 1 << 2;
    pub(crate) const SIGN: u32 = 1 << 4;
    pub(crate) const SEAL: u32 = 1 << 5;
    pub(crate) const NTLM: u32 = 1 << 9;
    pub(crate) const ALWAYS_SIGN: u32 = 1 << 15;
    pub(crate) const EXTENDED_SESSION_SECURITY: u32 = 1 << 19;
    pub(crate) const TARGET_INFO: u32 = 1 << 23;
    pub(crate) const VERSION: u32 = 1 << 25;
    pub(crate) const STRONG: u32 = 1 << 29;
    pub(crate) const KEY_EXCHANGE: u32 = 1 << 30;
}

/// The first message: what the client can do, and no names.
pub(super) fn negotiate(flags: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&NEGOTIATE.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&VERSION);
    out
}

/// The server's message.
pub(super) struct Challenge<'a> {
    pub(super) flags: u32,
    pub(super) server_challenge: [u8; 8],
    pub(super) target_info: &'a [u8],
}

impl<'a> Challenge<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Challenge<'a>, SaslError> {
        if bytes.len() > MAX_CHALLENGE {
            return Err(malformed("the challenge is too long"));
        }
        if array(bytes, 0)? != *SIGNATURE || u32::from_le_bytes(array(bytes, 8)?) != CHALLENGE {
            return Err(malformed("it is no challenge"));
        }
        Ok(Challenge {
            flags: u32::from_le_bytes(array(bytes, 20)?),
            server_challenge: array(bytes, 24)?,
            target_info: field(bytes, 40)?,
        })
    }
}

/// The last message, whose MIC is written last.
pub(super) struct Authenticate<'a> {
    pub(super) flags: u32,
    pub(super) domain: &'a str,
    pub(super) user: &'a str,
    pub(super) response: &'a [u8],
    /// Empty unless keys are exchanged.
    pub(super) session_key: &'a [u8],
}

impl Authenticate<'_> {
    /// The message with a MIC of zeros.
    pub(super) fn write(&self) -> Vec<u8> {
        let (domain, user) = (utf16(self.domain), utf16(self.user));
        // A response for LAN Manager would be easier to break; its place is filled with zeros (section 3.1.5.1.2).
        let no_response = [0; 24];
        let payload: [&[u8]; 6] = [&no_response, self.response, &domain, &user, &[], self.session_key];
        let mut out = Vec::new();
        out.extend_from_slice(SIGNATURE);
        out.extend_from_slice(&AUTHENTICATE.to_le_bytes());
        let mut offset = MIC.end;
        for part in payload {
            let length = u16::try_from(part.len()).expect("names and challenges have limits");
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&u32::try_from(offset).expect("so has their sum").to_le_bytes());
            offset += part.len();
        }
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&VERSION);
        out.resize(MIC.end, 0);
        payload.iter().for_each(|part| out.extend_from_slice(part));
        out
    }
}

/// Puts the MIC in its place.
pub(super) fn set_mic(authenticate: &mut [u8], mic: &[u8; 16]) {
    authenticate[MIC].copy_from_slice(mic);
}

/// The part of a message that the length and the offset at `at` point to.
fn field(bytes: &[u8], at: usize) -> Result<&[u8], SaslError> {
    let length = usize::from(u16::from_le_bytes(array(bytes, at)?));
    let offset = u32::from_le_bytes(array(bytes, at + 4)?) as usize;
    let end = offset.checked_add(length);
    end.and_then(|end| bytes.get(offset..end)).ok_or_else(|| malformed("a field lies outside of its message"))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], SaslError> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or_else(|| malformed("it is cut off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the domain controller of Samba 4.17 answered to `NTLM` with sealing.
    const SAMBA: &[u8] = include_bytes!("fixtures/samba-4.17-challenge.bin");

    #[test]
    fn a_challenge_of_sambas_is_read() {
        let challenge = Challenge::read(SAMBA).unwrap();
        assert_eq!(challenge.flags, 0x6289_8235);
        assert_eq!(challenge.server_challenge, [0x2f, 0x68, 0xff, 0x1a, 0x0c, 0xf8, 0x46, 0x80]);
        let target = super::super::target_info::TargetInfo::read(challenge.target_info).unwrap();
        assert_eq!(target.timestamp(), Some([0x88, 0x40, 0x46, 0x5d, 0xbe, 0x7d, 0xdd, 0x01]));
    }

    #[test]
    fn a_challenge_that_is_cut_or_points_outside_is_refused() {
        let mut whole = [&SIGNATURE[..], &[2, 0, 0, 0], &[0; 36]].concat();
        assert!(Challenge::read(&whole).is_ok());
        for length in 0..48 {
            assert!(Challenge::read(&whole[..length]).is_err(), "{length} octets");
        }
        whole[40..48].copy_from_slice(&[1, 0, 1, 0, 0xff, 0xff, 0xff, 0xff]);
        assert!(Challenge::read(&whole).is_err());
        whole[8] = 3;
        assert!(Challenge::read(&whole).is_err(), "another message");
        assert!(Challenge::read(&vec![0; MAX_CHALLENGE + 1]).is_err());
    }

    #[test]
    fn the_first_message_names_nobody() {
        let message = negotiate(flags::UNICODE);
        assert_eq!(message.len(), 40);
        assert_eq!(&message[..16], b"NTLMSSP\0\x01\0\0\0\x01\0\0\0");
    }
}
