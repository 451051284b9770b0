//! Tokens signed with Ed25519 (RFC 8037).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Claims;
use super::jws::{Parts, encode};
use crate::Error;

/// The one kind of token this key signs; what is made for other readers has a kind of its own.
const KIND: &str = "JWT";

/// A key pair.
pub(super) struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// What tells a token that was signed from a forged one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// The thumbprint of RFC 7638.
    pub(super) id: String,
    pub(super) bytes: [u8; 32],
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
    /// RFC 7515 section 4.1.11: extensions that must be understood; we know none.
    #[serde(default)]
    crit: Option<Value>,
}

impl SigningKey {
    /// The key that grows from 32 random bytes.
    pub(super) fn from_seed(seed: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|error| {
            Error::internal("the token key of the store cannot be used", error.to_string())
        })?;
        Ok(Self::new(pair))
    }

    /// A key of PKCS#8, PEM or DER, with or without its public half (OpenSSL writes it without).
    pub(super) fn from_pkcs8(file: &[u8]) -> Result<Self, Error> {
        let der = match pem(file) {
            Some(der) => der?,
            None => Zeroizing::new(file.to_vec()),
        };
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|error| {
            Error::configuration(format!("token.key_file holds no Ed25519 key in PKCS#8: {error}"))
        })?;
        Ok(Self::new(pair))
    }

    fn new(pair: Ed25519KeyPair) -> Self {
        let bytes = pair.public_key().as_ref().try_into().expect("a key of Ed25519 has 32 bytes");
        Self { pair, public: PublicKey::new(bytes) }
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        let header = json!({ "alg": "EdDSA", "typ": KIND, "kid": self.public.id });
        let payload = serde_json::to_vec(claims).expect("claims are text and numbers");
        let signed = format!("{}.{}", encode(header.to_string()), encode(payload));
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", encode(signature))
    }
}

impl PublicKey {
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(bytes));
        let id = encode(ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes()));
        Self { id, bytes }
    }

    pub(super) fn jwk(&self) -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "kid": self.id, "x": encode(self.bytes),
        })
    }
}

/// What a token says that one of these keys has signed. It names the key itself; no other is tried.
pub(super) fn verify<'k>(parts: &Parts<'_>, mut keys: impl Iterator<Item = &'k PublicKey>) -> Option<Claims> {
    let header: Header = parts.read_header()?;
    if header.alg != "EdDSA" || header.typ != KIND || header.crit.is_some() {
        return None;
    }
    let key = keys.find(|key| key.id == header.kid)?;
    UnparsedPublicKey::new(&ED25519, key.bytes).verify(parts.signed.as_bytes(), &parts.signature).ok()?;
    parts.read_payload()
}

/// The first private key of a PEM file (RFC 7468); `None` when it is no PEM at all.
fn pem(file: &[u8]) -> Option<Result<Zeroizing<Vec<u8>>, Error>> {
    let text = std::str::from_utf8(file).ok().filter(|text| text.contains("-----BEGIN "))?;
    let wrong =
        || Error::configuration("token.key_file is PEM without a private key in PKCS#8 (\"PRIVATE KEY\")");
    let body = text
        .split_once("-----BEGIN PRIVATE KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
        .map(|(body, _)| Zeroizing::new(body.split_whitespace().collect::<String>()));
    let der = body.ok_or_else(wrong).and_then(|body| STANDARD.decode(&*body).map_err(|_| wrong()));
    Some(der.map(Zeroizing::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.1 and A.3: the key, and the thumbprint of its public half.
    const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn seed() -> Vec<u8> {
        super::super::jws::decode(SEED).unwrap()
    }

    #[test]
    fn the_key_of_rfc_8037_has_its_public_half_and_thumbprint() {
        let jwk = SigningKey::from_seed(&seed()).unwrap().public().jwk();
        assert_eq!(jwk["x"], X);
        assert_eq!(jwk["kid"], THUMBPRINT);
    }

    #[test]
    fn a_key_as_openssl_writes_it_is_read() {
        // RFC 8410 section 7: version 1, without the public half.
        let der =
            [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20], &seed()[..]].concat();
        let armour =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&der));
        for file in [der, armour.into_bytes()] {
            assert_eq!(SigningKey::from_pkcs8(&file).unwrap().public().id, THUMBPRINT);
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_the_configuration_s_fault() {
        let certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for file in [&b""[..], b"secret", certificate] {
            let error = SigningKey::from_pkcs8(file).err().unwrap();
            assert_eq!(error.fault(), crate::Fault::Configuration);
        }
    }
}
