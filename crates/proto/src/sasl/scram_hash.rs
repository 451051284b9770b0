//! What SCRAM computes with each hash.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

/// The hash of a SCRAM mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScramHash {
    /// SHA-1 (RFC 5802).
    Sha1,
    /// SHA-256 (RFC 7677).
    Sha256,
    /// SHA-512 (draft-melnikov-scram-sha-512, as servers have it).
    Sha512,
}

/// Octets that are overwritten when they are dropped.
pub(super) type Octets = Zeroizing<Vec<u8>>;

/// Runs the same lines with each hash.
macro_rules! with {
    ($hash:expr, |$digest:ident| $body:expr) => {
        match $hash {
            ScramHash::Sha1 => {
                type $digest = Sha1;
                $body
            }
            ScramHash::Sha256 => {
                type $digest = Sha256;
                $body
            }
            ScramHash::Sha512 => {
                type $digest = Sha512;
                $body
            }
        }
    };
}

impl ScramHash {
    /// The mechanism's registered name, without channel binding.
    pub fn mechanism(self) -> &'static str {
        match self {
            ScramHash::Sha1 => "SCRAM-SHA-1",
            ScramHash::Sha256 => "SCRAM-SHA-256",
            ScramHash::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The mechanism's registered name, with channel binding.
    pub fn mechanism_plus(self) -> &'static str {
        match self {
            ScramHash::Sha1 => "SCRAM-SHA-1-PLUS",
            ScramHash::Sha256 => "SCRAM-SHA-256-PLUS",
            ScramHash::Sha512 => "SCRAM-SHA-512-PLUS",
        }
    }

    pub(super) fn hash(self, octets: &[u8]) -> Octets {
        with!(self, |D| Zeroizing::new(D::digest(octets).to_vec()))
    }

    pub(super) fn hmac(self, key: &[u8], message: &[u8]) -> Octets {
        with!(self, |D| {
            // A key of any length is fit.
            let mac =
                Hmac::<D>::new_from_slice(key).map(|mac| mac.chain_update(message).finalize().into_bytes());
            Zeroizing::new(mac.map(|mac| mac.to_vec()).unwrap_or_default())
        })
    }

    /// `Hi` (RFC 5802 section 2.2), which is PBKDF2.
    pub(super) fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Octets {
        let mut salted = Zeroizing::new(vec![0; self.length()]);
        // A key of any length is fit, so this cannot fail.
        let _ = with!(self, |D| pbkdf2::pbkdf2::<Hmac<D>>(password, salt, iterations, &mut salted));
        salted
    }

    fn length(self) -> usize {
        match self {
            ScramHash::Sha1 => 20,
            ScramHash::Sha256 => 32,
            ScramHash::Sha512 => 64,
        }
    }
}

/// What both sides have in common, by the salted password.
pub(super) struct Keys {
    hash: ScramHash,
    client: Octets,
    server: Octets,
}

impl Keys {
    pub(super) fn new(hash: ScramHash, salted: &[u8]) -> Keys {
        Keys { hash, client: hash.hmac(salted, b"Client Key"), server: hash.hmac(salted, b"Server Key") }
    }

    /// What the client sends: its key, hidden by a signature that a server can undo.
    pub(super) fn client_proof(&self, auth_message: &[u8]) -> Octets {
        let signature = self.hash.hmac(&self.hash.hash(&self.client), auth_message);
        Zeroizing::new(self.client.iter().zip(signature.iter()).map(|(key, mask)| key ^ mask).collect())
    }

    pub(super) fn server_signature(&self, auth_message: &[u8]) -> Octets {
        self.hash.hmac(&self.server, auth_message)
    }
}
