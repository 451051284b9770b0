//! Commands about sessions.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Audit, StoredWarning};
use crate::{Time, UserId};

/// SHA-256 of a secret that somebody else holds: the store never has what would open the door.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of a secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, secret);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(digest))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}..)", &self.to_hex()[..8])
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("a digest has 64 hexadecimal digits"))
    }
}

/// A session that a login starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartSession {
    /// Of what the cookie holds.
    pub digest: Digest,
    /// The name operators and people use for it; random, tells nothing of the cookie.
    pub handle: String,
    /// When it ends whatever happens.
    pub expires: Time,
    /// The person asked to be remembered: it does not end for idleness.
    pub remembered: bool,
    /// Where it came from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// What the directory had to say to the person at the login.
    pub warnings: Vec<StoredWarning>,
}

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSession {
    /// Of what the cookie holds.
    pub digest: Digest,
    /// The name operators and people use for it.
    pub handle: String,
    /// Whose it is.
    pub user: UserId,
    /// The account's generation that it belongs to: once the account has another it stands for nobody.
    pub generation: i64,
    /// When it began.
    pub created: Time,
    /// When it was last used, to within a minute or so.
    pub last_seen: Time,
    /// When it ends whatever happens.
    pub expires: Time,
    /// It does not end for idleness.
    pub remembered: bool,
    /// Where it came from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// What the directory had to say to the person at the login.
    pub warnings: Vec<StoredWarning>,
}

impl StartSession {
    /// The session as it is kept, of that account in that generation, from that time on.
    #[must_use]
    pub fn begin(self, user: UserId, generation: i64, at: Time) -> StoredSession {
        let Self { digest, handle, expires, remembered, address, agent, warnings } = self;
        StoredSession {
            digest,
            handle,
            user,
            generation,
            created: at,
            last_seen: at,
            expires,
            remembered,
            address,
            agent,
            warnings,
        }
    }
}

/// Which sessions to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionQuery {
    /// All.
    All,
    /// One account's.
    Of(UserId),
}

/// One line of a list of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// The session.
    pub session: StoredSession,
    /// Its account's local name.
    pub local_name: String,
}

/// A session was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// Which.
    pub digest: Digest,
    /// When.
    pub at: Time,
}

/// Which sessions to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndSessions {
    /// The one a cookie stands for.
    Cookie {
        /// Of what the cookie holds.
        digest: Digest,
        /// Written with `user` set, if it was there.
        audit: Audit,
    },
    /// One by its handle.
    Handle {
        /// Only if it is this account's; `None`: an operator asks.
        user: Option<UserId>,
        /// Its handle.
        handle: String,
        /// Written with `user` set, if it was there.
        audit: Audit,
    },
    /// Every one of an account.
    Of {
        /// Whose.
        user: UserId,
        /// But this.
        keep: Option<Digest>,
        /// Written with `user` set, if there was one.
        audit: Audit,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_what_it_prints() {
        let digest = Digest::of(b"secret");
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        assert_eq!(Digest::from_hex("00"), None);
        assert_eq!(Digest::from_hex(&"+1".repeat(32)), None);
    }
}
