//! Certificates and a key out of PKCS#12 (RFC 7292), archives that no password protects.
//!
//! A MAC under an empty password proves nothing that a plain file would not, so one without any is read as well.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Fault;
use zeroize::Zeroizing;

use crate::der::{self, Der};

/// The largest archive that is read: the trust stores of operating systems have a quarter of a megabyte.
const MAX_SIZE: usize = 4 << 20;
/// Encrypted parts that an archive may show. Each may take a million rounds of hashing, which the reader sees to.
const MAX_ENCRYPTED: usize = 32;

/// The schemes of PKCS#5 (RFC 8018), those of PKCS#12 itself, and scrypt (RFC 7914).
const PBES2: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBES1: &[u8] = &[0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
const SCRYPT: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];

/// What was found.
pub(crate) struct Archive {
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) keys: Vec<Key>,
    /// Would a change have been noticed?
    pub(crate) has_mac: bool,
}

/// One certificate.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    /// Ties it to a key.
    pub(crate) id: Option<Vec<u8>>,
}

/// One private key.
pub(crate) struct Key {
    /// PKCS#8.
    pub(crate) der: Zeroizing<Vec<u8>>,
    /// Ties it to its certificate.
    pub(crate) id: Option<Vec<u8>>,
}

/// Why an archive cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A password protects it.
    Locked,
    /// Its encryption or MAC is of a kind that is not supported.
    Unsupported,
    /// It is larger, or costlier to read, than any that is honest.
    TooMuch,
    /// Its structure is broken, in these words.
    Damaged(String),
}

impl Archive {
    pub(crate) fn read(bytes: &[u8]) -> Result<Archive, Problem> {
        if bytes.len() > MAX_SIZE || count(bytes, PBES2) + count(bytes, PBES1) > MAX_ENCRYPTED {
            return Err(Problem::TooMuch);
        }
        // It may ask for a gigabyte of memory, and no program writes archives with it.
        if count(bytes, SCRYPT) > 0 {
            return Err(Problem::Unsupported);
        }
        let Some(has_mac) = has_mac(bytes) else {
            return Err(Problem::Damaged("its structure cannot be read".to_owned()));
        };
        let read = Pkcs12Archive::from_pkcs12(bytes, "").map_err(|fault| problem(&fault))?;
        let certificates = read
            .certs
            .into_iter()
            .map(|bag| Certificate { der: bag.cert.as_der().to_vec(), id: bag.local_key_id });
        let keys = read.keys.iter().map(|bag| Key {
            der: Zeroizing::new(bag.key.as_der().to_vec()),
            id: bag.local_key_id.as_ref().map(|id| id.0.clone()),
        });
        Ok(Archive { certificates: certificates.collect(), keys: keys.collect(), has_mac })
    }
}

fn problem(fault: &Fault) -> Problem {
    match fault {
        // Without a MAC a wrong password shows in the padding only.
        Fault::MacError(_) | Fault::UnpadError | Fault::Pkcs5Error(_) => Problem::Locked,
        Fault::UnsupportedEncryptionScheme
        | Fault::UnsupportedMacAlgorithm
        | Fault::UnsupportedContentType => Problem::Unsupported,
        Fault::InvalidParameters => Problem::TooMuch,
        other => Problem::Damaged(other.to_string()),
    }
}

/// PFX is a version, the content and an optional MAC; `None` when it is none of that.
fn has_mac(bytes: &[u8]) -> Option<bool> {
    let mut pfx = Der::new(bytes).enter(der::SEQUENCE)?;
    pfx.expect(der::INTEGER)?;
    pfx.expect(der::SEQUENCE)?;
    match pfx.is_empty() {
        true => Some(false),
        false => pfx.expect(der::SEQUENCE).map(|_| true),
    }
}

/// How often an object identifier is named.
fn count(bytes: &[u8], oid: &[u8]) -> usize {
    bytes.windows(oid.len()).filter(|window| *window == oid).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_of_countless_encrypted_parts_is_not_even_tried() {
        let mut bytes = vec![0x30, 0x82, 0x10, 0x00, 2, 1, 3];
        for _ in 0..=MAX_ENCRYPTED {
            bytes.extend(PBES2);
        }
        assert_eq!(Archive::read(&bytes).err(), Some(Problem::TooMuch));
        assert_eq!(Archive::read(&vec![0x30; MAX_SIZE + 1]).err(), Some(Problem::TooMuch));
    }

    #[test]
    fn what_is_no_archive_is_damaged() {
        for bytes in [&b""[..], &[0x30, 0x03, 2, 1, 3], &[0x30, 0x05, 2, 1, 3, 0x30, 0]] {
            assert!(matches!(Archive::read(bytes), Err(Problem::Damaged(_))), "{bytes:x?}");
        }
    }
}
