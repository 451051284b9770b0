//! flask-ldap-auth's tokens: a JWS with HS512 whose times stand in the header.

use ring::hmac;
use serde::{Deserialize, Serialize};

use super::jws::{Parts, encode};
use crate::{Error, Time};

/// The Flask application's `SECRET_KEY`, used as it is.
pub(super) struct LegacyKey(hmac::Key);

/// In the order the original writes them.
#[derive(Serialize)]
struct Header {
    alg: &'static str,
    iat: i64,
    exp: i64,
}

/// What is read of a header; the original writes whole seconds and cuts fractions when it reads.
#[derive(Deserialize)]
struct AnyHeader {
    alg: String,
    iat: serde_json::Number,
    exp: serde_json::Number,
}

/// A token's content, its signature checked; times in seconds since 1970.
pub(super) struct LegacyClaims {
    pub(super) username: String,
    pub(super) issued: i64,
    pub(super) expires: i64,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    username: String,
}

impl LegacyKey {
    pub(super) fn new(secret: &[u8]) -> Result<Self, Error> {
        if secret.is_empty() {
            return Err(Error::configuration("token.secret_key_file is empty"));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA512, secret)))
    }

    pub(super) fn sign(&self, local_name: &str, issued: Time, expires: Time) -> String {
        let header = Header { alg: "HS512", iat: issued.seconds(), exp: expires.seconds() };
        let payload = Payload { username: local_name.to_owned() };
        let json = |part: Result<String, serde_json::Error>| encode(part.expect("text and numbers"));
        let signed =
            format!("{}.{}", json(serde_json::to_string(&header)), json(serde_json::to_string(&payload)));
        let tag = hmac::sign(&self.0, signed.as_bytes());
        format!("{signed}.{}", encode(tag))
    }

    /// What a token with our signature says; its times are still to be judged.
    pub(super) fn verify(&self, parts: &Parts<'_>) -> Option<LegacyClaims> {
        hmac::verify(&self.0, parts.signed.as_bytes(), &parts.signature).ok()?;
        let header: AnyHeader = parts.read_header()?;
        if header.alg != "HS512" {
            return None;
        }
        let Payload { username } = parts.read_payload()?;
        let (issued, expires) = (whole_seconds(&header.iat)?, whole_seconds(&header.exp)?);
        Some(LegacyClaims { username, issued, expires })
    }
}

/// A time that is not negative, its fraction cut off.
fn whole_seconds(number: &serde_json::Number) -> Option<i64> {
    let seconds = number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))?;
    (seconds >= 0).then_some(seconds)
}
