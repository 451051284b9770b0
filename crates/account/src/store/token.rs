//! Commands about tokens, the keys that sign them, and the installation's secrets.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Audit, Digest};
use crate::{Time, UserId};

/// A personal access token as it is kept: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalToken {
    /// Of the token's text.
    pub digest: Digest,
    /// The name operators and people use for it; random, tells nothing of the token.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// What the person calls it.
    pub name: Option<String>,
    /// When it was issued.
    pub created: Time,
    /// When it ends; `None`: when it is revoked.
    pub expires: Option<Time>,
    /// When it was last used, to within a minute.
    pub last_used: Option<Time>,
}

impl PersonalToken {
    /// How far apart notes of its use are, at least, in microseconds.
    pub const USE_EVERY: i64 = 60_000_000;

    /// Whether it has not run out.
    #[must_use]
    pub fn is_valid(&self, at: Time) -> bool {
        self.expires.is_none_or(|expires| at < expires)
    }

    /// Whether its use at that time is to be noted.
    #[must_use]
    pub fn notes_use(&self, at: Time) -> bool {
        self.last_used.is_none_or(|last| at.micros().saturating_sub(last.micros()) >= Self::USE_EVERY)
    }
}

/// Keeps a new personal token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuePersonal {
    /// The token.
    pub token: PersonalToken,
    /// The account's generation as whoever asks knew it: what was taken back meanwhile gives nothing out any more.
    pub generation: i64,
    /// Written if the token is kept.
    pub audit: Audit,
}

/// A personal token was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsePersonal {
    /// Of the token's text.
    pub digest: Digest,
    /// The present time.
    pub at: Time,
}

/// Drops one personal token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokePersonal {
    /// Only if it is this account's; `None`: an operator asks.
    pub user: Option<UserId>,
    /// Its id.
    pub id: String,
    /// Written with `user` set, if it was there.
    pub audit: Audit,
}

/// A signed token as it is kept: that it was issued, for whom, and whether it was taken back. The token is not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedToken {
    /// The claim `jti`.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// When it was issued.
    pub created: Time,
    /// When it ends; nobody needs to know of it any more then.
    pub expires: Time,
    /// When it was taken back.
    pub revoked: Option<Time>,
}

/// Keeps note of a signed token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueSigned {
    /// The token.
    pub token: SignedToken,
    /// Written if the account is there.
    pub audit: Audit,
}

/// Takes one signed token back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeSigned {
    /// Only if it is this account's; `None`: an operator asks.
    pub user: Option<UserId>,
    /// Its id.
    pub id: String,
    /// The present time: one that has run out is not there any more.
    pub at: Time,
    /// Written with `user` set, if it was there and good.
    pub audit: Audit,
}

/// A key that tokens are signed with, as everybody may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// The thumbprint of RFC 7638, which tokens name it by.
    pub id: String,
    /// The public half, Ed25519.
    pub public: [u8; 32],
    /// The private half is among the installation's secrets, as [`TokenKey::secret_name`] has it; else it is in a file.
    pub held: bool,
    /// When it came.
    pub created: Time,
    /// When a process last said that it signs with it.
    pub used: Time,
}

impl TokenKey {
    /// What the private half is called among the installation's secrets, where the store holds it.
    #[must_use]
    pub fn secret_name(id: &str) -> String {
        format!("token-key {id}")
    }
}

/// Says that a process signs with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepTokenKey {
    /// The key; of one that is known only [`TokenKey::used`] counts, and is never moved back.
    pub key: TokenKey,
    /// Keeps it only where no private half of any key is held: of processes that start at once each makes a first key, and
    /// one of them decides.
    pub first: bool,
    /// Written if the key was not known.
    pub audit: Option<Audit>,
}

/// Forgets every key but one, and what the store holds of their private halves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropTokenKeys {
    /// The id of the one that stays.
    pub keep: String,
    /// Written if there were any.
    pub audit: Audit,
}

/// Bytes that must not leak: wiped when dropped, hidden in debug output, never copied in passing.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// A second copy, on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}
