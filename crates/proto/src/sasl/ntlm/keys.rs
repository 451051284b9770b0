//! Keys out of keys (MS-NLMP sections 3.3.2 and 3.4.5).

use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use rc4::StreamCipher;
use zeroize::Zeroizing;

use crate::Password;
use crate::sasl::SaslError;

pub(super) type Key = Zeroizing<[u8; 16]>;

/// Whose key of a direction it is, and what it is for.
pub(super) const CLIENT_SIGNS: &[u8] = b"session key to client-to-server signing key magic constant\0";
pub(super) const CLIENT_SEALS: &[u8] = b"session key to client-to-server sealing key magic constant\0";
pub(super) const SERVER_SIGNS: &[u8] = b"session key to server-to-client signing key magic constant\0";
pub(super) const SERVER_SEALS: &[u8] = b"session key to server-to-client sealing key magic constant\0";

/// NTOWFv2: what both sides keep in place of the password.
pub(super) fn response_key(password: &Password, user: &str, domain: &str) -> Result<Key, SaslError> {
    let Ok(text) = std::str::from_utf8(password.expose()) else {
        return Err(SaslError::Unfit { mechanism: super::NAME, what: "password: it is not UTF-8" });
    };
    // Sized before it is filled: a vector that grows leaves its old content behind.
    let mut units = Zeroizing::new(Vec::with_capacity(2 * text.len()));
    text.encode_utf16().for_each(|unit| units.extend_from_slice(&unit.to_le_bytes()));
    let hash: Key = Zeroizing::new(Md4::digest(&*units).into());
    Ok(hmac(&hash[..], &[&utf16(&upper(user)), &utf16(domain)]))
}

/// The key that signs or seals one direction.
pub(super) fn derived(session_key: &Key, purpose: &[u8]) -> Key {
    let hash = Md5::new().chain_update(&session_key[..]).chain_update(purpose);
    Zeroizing::new(hash.finalize().into())
}

/// HMAC-MD5 of the parts, one after the other.
pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> Key {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes keys of every length");
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The random session key as it travels, encrypted with a key that both sides know.
pub(super) fn encrypted(key: &Key, random: &Key) -> [u8; 16] {
    let mut out = **random;
    cipher(key).apply_keystream(&mut out);
    out
}

pub(super) fn cipher(key: &Key) -> rc4::Rc4 {
    <rc4::Rc4 as rc4::KeyInit>::new_from_slice(&key[..]).expect("RC4 takes keys of 16 octets")
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Upper case as Windows knows it, where one character stays one: `ß` does not become `SS`.
fn upper(text: &str) -> String {
    let one = |character: char| {
        let mut upper = character.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(single), None) => single,
            _ => character,
        }
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_becomes_the_key_of_ms_nlmp_4_2_4_1_1() {
        let key = response_key(&Password::new("Password").unwrap(), "User", "Domain").unwrap();
        let expected =
            [0x0c, 0x86, 0x8a, 0x40, 0x3b, 0xfd, 0x7a, 0x93, 0xa3, 0x00, 0x1e, 0xf2, 0x2e, 0xf0, 0x2e, 0x3f];
        assert_eq!(*key, expected);
    }

    #[test]
    fn the_case_of_a_user_name_does_not_matter_that_of_a_password_does() {
        let key = |password, user| *response_key(&Password::new(password).unwrap(), user, "D").unwrap();
        assert_eq!(key("pass", "Jürgen"), key("pass", "JÜRGEN"));
        assert_ne!(key("pass", "ada"), key("Pass", "ada"));
        assert_eq!(upper("straße"), "STRAßE");
    }
}
