//! A name in 16 bytes: what is kept of 100,000 members.

use proto::Dn;
use sha2::{Digest, Sha256};

/// The first 128 bits of a SHA-256. Nobody finds two names with one fingerprint, so that it may stand for the name where
/// rights depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fingerprint([u32; 4]);

impl Fingerprint {
    /// Of an entry's name, however it is written.
    pub(crate) fn of_dn(dn: &Dn) -> Fingerprint {
        Fingerprint::of("dn", dn.normalized().as_bytes())
    }

    /// Of something else; what it is keeps it apart from names.
    pub(crate) fn of(what: &str, value: &[u8]) -> Fingerprint {
        let mut hash = Sha256::new();
        hash.update(what.as_bytes());
        hash.update([0]);
        hash.update(value);
        let hash = hash.finalize();
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(hash.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        Fingerprint(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_fingerprint_however_it_is_written() {
        let of = |text| Fingerprint::of_dn(&Dn::parse(text).unwrap());
        assert_eq!(of("uid=Alice, dc=example,DC=com"), of("UID=alice,dc=example,dc=com"));
        assert_ne!(of("uid=alice,dc=example,dc=com"), of("uid=alice,dc=example"));
        assert_ne!(Fingerprint::of("uid", b"7"), Fingerprint::of("gid", b"7"));
        assert_eq!(size_of::<Fingerprint>(), 16);
    }
}
