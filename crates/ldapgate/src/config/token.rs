//! `[token]`: the tokens programs sign in with.

use std::time::Duration;

use account::store::SecretBytes;

use super::read::{Found, Secret, Section, Zero, read_small};

/// `[token]`.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) lifetime: Duration,
    pub(crate) max_lifetime: Duration,
    pub(crate) path: String,
    /// Empty: the public URL.
    pub(crate) issuer: String,
    /// Empty: the public URL.
    pub(crate) audience: String,
    /// The signing key, PKCS#8 as it stands in the file (PEM or DER).
    pub(crate) key: Option<SecretBytes>,
    pub(crate) legacy: bool,
    pub(crate) secret_key: Option<Secret>,
}

pub(super) fn read(section: Section<'_>) -> Token {
    let sheet = section.sheet();
    let lifetime = section.duration("lifetime", "1h", Zero::Wrong);
    let max_lifetime = section.duration("max_lifetime", "24h", Zero::Wrong);
    if lifetime.value > max_lifetime.value {
        let place = if lifetime.is_set() { &lifetime.place } else { &max_lifetime.place };
        sheet.wrong(place, "lifetime is longer than max_lifetime");
    }
    section.choice("algorithm", &[("EdDSA", ())], "EdDSA");
    let path = section.text("path", "/auth");
    if !web::is_token_path(&path.value) {
        let message = format!(
            "path cannot be {:?}: it starts with / and does not end with it, as in \"/auth\"",
            path.value
        );
        sheet.wrong(&path.place, message);
    }
    let issuer = section.text("issuer", "");
    let audience = section.text("audience", "");
    let key = section.path("key_file").and_then(|file| match read_small(&file.value) {
        Ok(key) => Some(SecretBytes::new(key)),
        Err(error) => {
            sheet.wrong(&file.place, format!("key_file: cannot use {}: {error}", file.value.display()));
            None
        }
    });
    let legacy = section.boolean("legacy", false);
    let secret_key = section.secret("secret_key");
    if legacy.value && secret_key.is_none() {
        sheet.wrong_but(
            &legacy.place,
            "legacy tokens are signed with a secret key, and there is none",
            "set secret_key_file",
        );
    }
    section.finish();
    Token {
        lifetime: lifetime.value,
        max_lifetime: max_lifetime.value,
        path: path.value,
        issuer: issuer.value,
        audience: audience.value,
        key,
        legacy: legacy.value,
        secret_key: secret_key.map(|Found { value, .. }| value),
    }
}
