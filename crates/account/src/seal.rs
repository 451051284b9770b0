//! Values that leave the house and must come back unchanged: signed, not hidden.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

/// No sealed text is longer, in bytes; judged before anything is decoded.
const LONGEST: usize = 8192;

/// The key of a seal, HMAC-SHA-256.
pub(crate) struct Seal(hmac::Key);

impl Seal {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The bytes and their MAC as text of letters, digits, `-`, `_` and one `.`.
    pub(crate) fn seal(&self, purpose: &str, bytes: &[u8]) -> String {
        let tag = hmac::sign(&self.0, &message(purpose, bytes));
        format!("{}.{}", URL_SAFE_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(tag))
    }

    /// The bytes of a text that was sealed for this purpose, compared in constant time.
    pub(crate) fn unseal(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        if text.len() > LONGEST {
            return None;
        }
        let (bytes, tag) = text.split_once('.')?;
        let bytes = URL_SAFE_NO_PAD.decode(bytes).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.0, &message(purpose, &bytes), &tag).ok()?;
        Some(bytes)
    }

    /// A number that only this installation can tell from a text.
    pub(crate) fn place(&self, purpose: &str, text: &str) -> u16 {
        let tag = hmac::sign(&self.0, &message(purpose, text.as_bytes()));
        u16::from_be_bytes([tag.as_ref()[0], tag.as_ref()[1]])
    }
}

/// The purpose with its length before it, so that no two pairs make the same message.
fn message(purpose: &str, bytes: &[u8]) -> Vec<u8> {
    let length = (purpose.len() as u64).to_be_bytes();
    [&length, purpose.as_bytes(), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_comes_back_for_its_purpose_only() {
        let seal = Seal::new(&[1; 32]);
        let text = seal.seal("session", b"abc");
        assert_eq!(seal.unseal("session", &text).as_deref(), Some(&b"abc"[..]));
        assert_eq!(seal.unseal("form", &text), None);
        assert_eq!(Seal::new(&[2; 32]).unseal("session", &text), None);
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let seal = Seal::new(&[1; 32]);
        let text = seal.seal("form", b"abc");
        for place in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(seal.unseal("form", std::str::from_utf8(&forged).unwrap()), None, "byte {place}");
        }
        for text in ["", ".", "abc", "YWJj.", &"A".repeat(LONGEST + 1)] {
            assert_eq!(seal.unseal("form", text), None);
        }
    }

    #[test]
    fn a_purpose_and_its_bytes_cannot_be_divided_otherwise() {
        let seal = Seal::new(&[1; 32]);
        let (_, tag) =
            seal.seal("ab", b"c").split_once('.').map(|(b, t)| (b.to_owned(), t.to_owned())).unwrap();
        let (_, other) =
            seal.seal("a", b"bc").split_once('.').map(|(b, t)| (b.to_owned(), t.to_owned())).unwrap();
        assert_ne!(tag, other);
    }
}
