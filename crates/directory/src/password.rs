//! Checking a password against what an entry stores (RFC 2307 section 5.3 and its successors).

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::digest;
use subtle::ConstantTimeEq as _;

/// Memory one Argon2 verification may take, in KiB.
const ARGON2_MEMORY: u32 = 64 * 1024;
/// Memory times passes of one Argon2 verification: what bounds its time.
const ARGON2_WORK: u32 = 4 * ARGON2_MEMORY;
/// Lanes of one Argon2 verification.
const ARGON2_LANES: u32 = 8;
/// Bytes of the longest salted value that is looked at.
const LONGEST: usize = 4096;

/// Servers write base64 with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Whether checking against this value takes long enough to need a thread of its own.
pub(crate) fn is_slow(stored: &[u8]) -> bool {
    matches!(scheme(stored), Some((name, _)) if name.eq_ignore_ascii_case("ARGON2"))
}

/// Whether `password` is the one that `stored` was made from. An unknown scheme matches nothing.
pub(crate) fn matches(stored: &[u8], password: &[u8]) -> bool {
    let Some((scheme, rest)) = scheme(stored) else { return bool::from(stored.ct_eq(password)) };
    match scheme.to_ascii_uppercase().as_str() {
        "CLEARTEXT" => bool::from(rest.ct_eq(password)),
        "SHA" | "SSHA" => digested(&digest::SHA1_FOR_LEGACY_USE_ONLY, rest, password),
        "SHA256" | "SSHA256" => digested(&digest::SHA256, rest, password),
        "SHA384" | "SSHA384" => digested(&digest::SHA384, rest, password),
        "SHA512" | "SSHA512" => digested(&digest::SHA512, rest, password),
        "ARGON2" => argon2(rest, password).unwrap_or(false),
        _ => false,
    }
}

/// `{SCHEME}rest`.
fn scheme(stored: &[u8]) -> Option<(&str, &[u8])> {
    let inner = stored.strip_prefix(b"{")?;
    let end = inner.iter().position(|byte| *byte == b'}').filter(|end| *end > 0)?;
    Some((std::str::from_utf8(&inner[..end]).ok()?, &inner[end + 1..]))
}

/// The digest of password and salt, followed by the salt, which is empty in the unsalted schemes.
fn digested(algorithm: &'static digest::Algorithm, encoded: &[u8], password: &[u8]) -> bool {
    if encoded.len() > LONGEST {
        return false;
    }
    let Ok(raw) = BASE64.decode(encoded) else { return false };
    let Some((expected, salt)) = raw.split_at_checked(algorithm.output_len()) else { return false };
    let mut context = digest::Context::new(algorithm);
    context.update(password);
    context.update(salt);
    bool::from(context.finish().as_ref().ct_eq(expected))
}

/// `$argon2id$v=19$m=65536,t=2,p=1$SALT$HASH`. The cost in the text is obeyed only up to the limits above: whoever may
/// write a password must not be able to stop the server with it.
fn argon2(encoded: &[u8], password: &[u8]) -> Option<bool> {
    if encoded.len() > LONGEST {
        return None;
    }
    let text = std::str::from_utf8(encoded).ok()?;
    let mut fields = text.strip_prefix('$')?.split('$');
    let algorithm = match fields.next()? {
        "argon2d" => Algorithm::Argon2d,
        "argon2i" => Algorithm::Argon2i,
        "argon2id" => Algorithm::Argon2id,
        _ => return None,
    };
    let mut field = fields.next()?;
    let mut version = Version::V0x10;
    if let Some(number) = field.strip_prefix("v=") {
        version = match number {
            "16" => Version::V0x10,
            "19" => Version::V0x13,
            _ => return None,
        };
        field = fields.next()?;
    }
    let (memory, passes, lanes) = argon2_cost(field)?;
    let salt = BASE64.decode(fields.next()?).ok()?;
    let expected = BASE64.decode(fields.next()?).ok()?;
    if fields.next().is_some() {
        return None;
    }
    let params = Params::new(memory, passes, lanes, Some(expected.len())).ok()?;
    let mut computed = vec![0; expected.len()];
    Argon2::new(algorithm, version, params).hash_password_into(password, &salt, &mut computed).ok()?;
    Some(bool::from(computed.ct_eq(&expected)))
}

/// `m=..,t=..,p=..`, refused where it is out of bounds.
fn argon2_cost(field: &str) -> Option<(u32, u32, u32)> {
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for part in field.split(',') {
        let (key, value) = part.split_once('=')?;
        let value = value.parse::<u32>().ok()?;
        match key {
            "m" => memory = Some(value),
            "t" => passes = Some(value),
            "p" => lanes = Some(value),
            _ => return None,
        }
    }
    let (memory, passes, lanes) = (memory?, passes?, lanes?);
    let allowed = memory <= ARGON2_MEMORY
        && memory.checked_mul(passes).is_some_and(|work| work <= ARGON2_WORK)
        && lanes <= ARGON2_LANES;
    allowed.then_some((memory, passes, lanes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_knows_its_password_and_no_other() {
        // Made by slappasswd and openssl from "secret" and "Green-Garden-33".
        for (stored, password) in [
            ("secret", "secret"),
            ("{CLEARTEXT}secret", "secret"),
            ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret"),
            ("{sha}5en6G6MezRroT3XKqkdPOmY/BfQ", "secret"),
            ("{SSHA}WPlThJYzRgbCSlje4gBeLci7merAuXdx", "Red-Apple-11"),
            (
                "{SSHA512}EhgrFaSWzCgMscpcc/D/E1bLUZGUEfIrCwyNxFMmg/dNASq8nh/+kXrdDHWXYlTKxM5prQHqipOujJuP5B0gStFXi9DRhDO1",
                "Blue-Boat-22",
            ),
            (
                "{ARGON2}$argon2i$v=19$m=1024,t=2,p=1$VFxCn8NQVOdNtAs9IwAroQ$yG3Mr+JZJ+iP79lAE6qsh9qRAM8fDyL372Z4TU8zhHY",
                "Green-Garden-33",
            ),
        ] {
            assert!(matches(stored.as_bytes(), password.as_bytes()), "{stored}");
            assert!(!matches(stored.as_bytes(), b"wrong"), "{stored}");
            assert!(!matches(stored.as_bytes(), b""), "{stored}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_not_taken_for_a_clear_password() {
        assert!(!matches(b"{CRYPT}x", b"{CRYPT}x"));
        assert!(!matches(b"{SSHA}not base64", b"{SSHA}not base64"));
        assert!(!matches(b"{SSHA}", b""));
        assert!(matches(b"{}x", b"{}x"));
    }

    #[test]
    fn an_argon2_cost_beyond_the_limits_is_refused_before_it_is_paid() {
        for cost in
            ["m=4194304,t=1,p=1", "m=65536,t=4294967295,p=1", "m=64,t=1,p=9", "m=64,t=1", "m=-1,t=1,p=1"]
        {
            assert_eq!(argon2_cost(cost), None, "{cost}");
        }
        assert_eq!(argon2_cost("m=65536,t=3,p=4"), Some((65536, 3, 4)));
    }
}
