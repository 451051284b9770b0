//! Personal access tokens: random text that the store knows the digest of.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::store::Digest;
use crate::{Ambient, Time};

/// Every personal token begins so: scanners for leaked secrets find it, and no password manager takes it for a name.
pub const PERSONAL_PREFIX: &str = "ldg_";
/// A whole token's length in bytes: the prefix, and 32 random bytes in base64url.
const LENGTH: usize = PERSONAL_PREFIX.len() + 43;

/// A personal token that was issued just now; its text is shown once.
pub struct NewPersonal {
    /// What its owner is to keep.
    pub text: String,
    /// What it is listed and revoked by.
    pub id: String,
    /// When it ends; `None`: when it is revoked.
    pub expires: Option<Time>,
}

/// The token stays out of logs.
impl std::fmt::Debug for NewPersonal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPersonal")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A fresh token's text.
pub(crate) fn make(ambient: &Ambient) -> String {
    format!("{PERSONAL_PREFIX}{}", URL_SAFE_NO_PAD.encode(ambient.random::<32>()))
}

/// What the store knows it by; `None` for text that cannot be one, which costs no query.
pub(crate) fn digest(text: &str) -> Option<Digest> {
    (text.len() == LENGTH && text.starts_with(PERSONAL_PREFIX)).then(|| Digest::of(text.as_bytes()))
}
