//! Signatures and encryption after the bind (MS-NLMP section 3.4).

use bytes::{Bytes, BytesMut};
use rc4::StreamCipher;
use subtle::ConstantTimeEq;

use super::NAME;
use super::keys::{self, CLIENT_SEALS, CLIENT_SIGNS, Key, SERVER_SEALS, SERVER_SIGNS, cipher, derived};
use crate::sasl::{MAX_FRAME, SaslError, SecurityLayer};

/// In front of every frame.
const SIGNATURE: usize = 16;
/// Whole requests nearly always; the server takes more.
const MAX_PLAIN: usize = (64 << 10) - SIGNATURE;

/// Both directions of what was agreed on.
///
/// What is wrapped is sealed even where only signing was agreed on: over LDAP that is what Windows means by it, and Samba
/// after it, which closes the connection when it is taken at its word.
pub(super) struct Session {
    client: Direction,
    server: Direction,
}

/// One direction: it signs for the side that sends, and knows what the next signature must be for the other.
pub(super) struct Direction {
    signing: Key,
    sealing: Key,
    cipher: rc4::Rc4,
    sequence: u32,
    encryption: ChecksumEncryption,
}

/// Checksums are encrypted where the random session key was sent, and travel as they are otherwise (section 3.4.4.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ChecksumEncryption {
    Rc4,
    Absent,
}

impl Session {
    pub(super) fn new(session_key: &Key, encryption: ChecksumEncryption) -> Session {
        Session {
            client: Direction::new(session_key, CLIENT_SIGNS, CLIENT_SEALS, encryption),
            server: Direction::new(session_key, SERVER_SIGNS, SERVER_SEALS, encryption),
        }
    }

    /// Signs the list of mechanisms, after which the cipher starts anew (MS-SPNG section 3.3.5.1).
    pub(super) fn sign_once(&mut self, message: &[u8]) -> Vec<u8> {
        let signature = self.client.signature(message);
        self.client.restart();
        signature.to_vec()
    }

    /// Checks the server's signature of the same.
    pub(super) fn verify_once(&mut self, message: &[u8], signature: &[u8]) -> Result<(), SaslError> {
        let right = bool::from(self.server.signature(message).ct_eq(signature));
        self.server.restart();
        if right { Ok(()) } else { Err(wrong()) }
    }
}

impl Direction {
    fn new(session_key: &Key, signs: &[u8], seals: &[u8], encryption: ChecksumEncryption) -> Direction {
        let sealing = derived(session_key, seals);
        Direction {
            signing: derived(session_key, signs),
            cipher: cipher(&sealing),
            sealing,
            sequence: 0,
            encryption,
        }
    }

    fn restart(&mut self) {
        self.cipher = cipher(&self.sealing);
    }

    /// The signature of the next message, whose number it uses up.
    fn signature(&mut self, plain: &[u8]) -> [u8; SIGNATURE] {
        let sequence = self.sequence.to_le_bytes();
        self.sequence = self.sequence.wrapping_add(1);
        let mac = keys::hmac(&self.signing[..], &[&sequence, plain]);
        let mut signature = [0; SIGNATURE];
        signature[0] = 1;
        signature[4..12].copy_from_slice(&mac[..8]);
        if self.encryption == ChecksumEncryption::Rc4 {
            self.cipher.apply_keystream(&mut signature[4..12]);
        }
        signature[12..].copy_from_slice(&sequence);
        signature
    }
}

impl SecurityLayer for Session {
    fn wrap(&mut self, plain: &[u8], sealed: &mut BytesMut) -> Result<(), SaslError> {
        let start = sealed.len();
        sealed.extend_from_slice(&[0; SIGNATURE]);
        sealed.extend_from_slice(plain);
        // The text goes through the cipher before its checksum does.
        self.client.cipher.apply_keystream(&mut sealed[start + SIGNATURE..]);
        let signature = self.client.signature(plain);
        sealed[start..start + SIGNATURE].copy_from_slice(&signature);
        Ok(())
    }

    fn unwrap(&mut self, sealed: &[u8]) -> Result<Bytes, SaslError> {
        let Some((signature, text)) = sealed.split_first_chunk::<SIGNATURE>() else {
            return Err(wrong());
        };
        let mut plain = text.to_vec();
        self.server.cipher.apply_keystream(&mut plain);
        if bool::from(self.server.signature(&plain).ct_eq(signature)) {
            return Ok(Bytes::from(plain));
        }
        Err(wrong())
    }

    fn max_plain(&self) -> usize {
        MAX_PLAIN
    }

    fn max_sealed(&self) -> usize {
        MAX_FRAME
    }

    fn is_confidential(&self) -> bool {
        true
    }
}

fn wrong() -> SaslError {
    SaslError::NotProved { mechanism: NAME, what: "the signature is wrong" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn client() -> Session {
        Session::new(&Zeroizing::new([0x55; 16]), ChecksumEncryption::Rc4)
    }

    /// The other end: its directions are exchanged.
    fn server() -> Session {
        let Session { client, server } = client();
        Session { client: server, server: client }
    }

    #[test]
    fn a_message_is_sealed_as_in_ms_nlmp_4_2_4_4() {
        let mut sealed = BytesMut::new();
        client().wrap(&keys::utf16("Plaintext"), &mut sealed).unwrap();
        let signature = [1, 0, 0, 0, 0x7f, 0xb3, 0x8e, 0xc5, 0xc5, 0x5d, 0x49, 0x76, 0, 0, 0, 0];
        let text = [
            0x54, 0xe5, 0x01, 0x65, 0xbf, 0x19, 0x36, 0xdc, 0x99, 0x60, 0x20, 0xc1, 0x81, 0x1b, 0x0f, 0x06,
            0xfb, 0x5f,
        ];
        assert_eq!(&sealed[..16], signature);
        assert_eq!(&sealed[16..], text);
    }

    #[test]
    fn what_one_side_wraps_the_other_reads_in_order() {
        let (mut client, mut server) = (client(), server());
        for text in [&b"one"[..], b"", &[7; 1000]] {
            let mut sealed = BytesMut::new();
            client.wrap(text, &mut sealed).unwrap();
            assert_eq!(server.unwrap(&sealed).unwrap(), text);
        }
        assert!(client.is_confidential(), "what is wrapped is always sealed");
    }

    #[test]
    fn the_signature_of_the_negotiation_leaves_the_cipher_as_it_was_and_uses_a_number() {
        let (mut client, mut server) = (client(), server());
        let signature = client.sign_once(b"mechanisms");
        server.verify_once(b"mechanisms", &signature).unwrap();
        let mut sealed = BytesMut::new();
        client.wrap(b"one", &mut sealed).unwrap();
        assert_eq!(sealed[12..16], [1, 0, 0, 0]);
        assert_eq!(server.unwrap(&sealed).unwrap(), &b"one"[..]);
        assert!(super::tests::server().verify_once(b"others", &signature).is_err());
    }

    #[test]
    fn a_frame_that_was_changed_repeated_left_out_or_cut_is_refused() {
        let mut client = client();
        let (mut first, mut second) = (BytesMut::new(), BytesMut::new());
        client.wrap(b"one", &mut first).unwrap();
        client.wrap(b"two", &mut second).unwrap();
        let refuses = |frames: &[&[u8]]| {
            let mut server = server();
            let (last, before) = frames.split_last().unwrap();
            before.iter().for_each(|frame| assert!(server.unwrap(frame).is_ok()));
            assert!(server.unwrap(last).is_err(), "{frames:?}");
        };
        refuses(&[&first, &first]);
        refuses(&[&second]);
        refuses(&[&first[..15]]);
        for changed in 0..first.len() {
            let mut frame = first.to_vec();
            frame[changed] ^= 1;
            refuses(&[&frame]);
        }
    }
}
