//! Texts that mechanisms share: preparation, nonces, a peer's words for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::SaslError;

/// The longest message of a server that a mechanism reads; real ones stay below 2 KiB.
const LONGEST: usize = 64 * 1024;

/// A nonce made of random octets, of which there should be at least 16: printable and without a comma, as every mechanism
/// needs it.
///
/// ```
/// assert_eq!(ldapgate_proto::sasl::nonce(&[0xff; 18]), "////////////////////////");
/// ```
pub fn nonce(random: &[u8]) -> String {
    STANDARD_NO_PAD.encode(random)
}

/// Can it be a nonce in every mechanism?
pub(super) fn check_nonce(mechanism: &'static str, nonce: &str) -> Result<(), SaslError> {
    let good = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b',' | b'"' | b'\\');
    if nonce.is_empty() || !nonce.bytes().all(good) {
        return Err(SaslError::Unfit { mechanism, what: "nonce: it is empty or not printable" });
    }
    Ok(())
}

/// A name for a mechanism in which a NUL would end it.
pub(super) fn check_name(mechanism: &'static str, name: &str, what: &'static str) -> Result<(), SaslError> {
    if name.contains('\0') {
        return Err(SaslError::Unfit { mechanism, what });
    }
    Ok(())
}

/// A text prepared by SASLprep (RFC 4013), or as it is where that prohibits it or leaves nothing of it: a server that
/// stores such a password can only have taken its octets.
pub(super) fn prepared(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let prepared = std::str::from_utf8(text).ok().and_then(|text| stringprep::saslprep(text).ok());
    match prepared {
        Some(prepared) if !prepared.is_empty() => Zeroizing::new(prepared.into_owned().into_bytes()),
        _ => Zeroizing::new(text.to_vec()),
    }
}

/// A server's message as text, unless it is too long or none.
pub(super) fn message<'m>(mechanism: &'static str, message: &'m [u8]) -> Result<&'m str, SaslError> {
    if message.len() > LONGEST {
        return Err(SaslError::Malformed { mechanism, what: "it is longer than 64 KiB" });
    }
    std::str::from_utf8(message).map_err(|_| SaslError::Malformed { mechanism, what: "it is not UTF-8" })
}

/// A peer's words, cut and freed of what could break a line or turn it round.
pub(super) fn words(words: &str) -> String {
    const SHOWN: usize = 300;
    let safe = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    words.chars().filter(safe).take(SHOWN).collect()
}

/// An `saslname` of GS2 (RFC 5801 section 4).
pub(super) fn sasl_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_prepared_as_rfc_4013_says_or_left_alone() {
        for (text, expected) in [
            ("I\u{ad}X", "IX"),
            ("user", "user"),
            ("USER", "USER"),
            ("\u{aa}", "a"),
            ("\u{2168}", "IX"),
            // Prohibited, or nothing left: the octets as they are.
            ("\u{7}", "\u{7}"),
            ("\u{627}1", "\u{627}1"),
            ("\u{ad}", "\u{ad}"),
        ] {
            assert_eq!(prepared(text.as_bytes()).as_slice(), expected.as_bytes(), "{text:?}");
        }
        assert_eq!(prepared(b"\xff").as_slice(), b"\xff");
    }

    #[test]
    fn a_nonce_is_printable_and_has_no_comma() {
        assert!(check_nonce("X", &nonce(&[7; 18])).is_ok());
        for bad in ["", "a,b", "a b", "a\"", "\u{e4}", "a\\"] {
            assert!(check_nonce("X", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_peers_words_keep_to_their_line() {
        assert_eq!(words("a\n\u{202e}b\0"), "ab");
        assert_eq!(words(&"x".repeat(1000)).len(), 300);
    }
}
