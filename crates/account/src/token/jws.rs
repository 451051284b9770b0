//! The three parts of a compact JWS (RFC 7515 section 3.1), and base64url without padding.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// No token is longer, in bytes; judged before anything is decoded.
const LONGEST: usize = 4096;

/// A token taken apart; nothing of it is to be believed before its signature was checked.
pub(super) struct Parts<'a> {
    /// What the signature covers.
    pub(super) signed: &'a str,
    /// The header, decoded.
    pub(super) header: Vec<u8>,
    /// The payload, decoded.
    pub(super) payload: Vec<u8>,
    /// The signature, decoded.
    pub(super) signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        Some(Self {
            signed,
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// The algorithm that the header names, to choose the key that belongs to it.
    pub(super) fn algorithm(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
        }
        self.read_header::<Header>().map(|header| header.alg)
    }

    pub(super) fn read_header<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.header).ok()
    }

    pub(super) fn read_payload<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.payload).ok()
    }
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
