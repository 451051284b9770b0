//! The server's half of SCRAM, for directories that live in memory and for tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::scram_hash::{Keys, Octets};
use super::text::{check_nonce, message, prepared};
use super::{ChannelBinding, SaslError, ScramHash};

/// One exchange, as the server sees it: [`first`](ScramServer::first), then [`last`](ScramServer::last).
///
/// The example is at the module's head.
#[derive(Debug)]
pub struct ScramServer {
    hash: ScramHash,
    salt: Vec<u8>,
    iterations: u32,
    nonce: String,
    binding: Option<ChannelBinding>,
    begun: Option<Begun>,
    /// One proof is looked at, not one guess after another.
    judged: bool,
}

/// What the client's first message said.
#[derive(Debug)]
struct Begun {
    user: String,
    authzid: String,
    header: String,
    bare: String,
    challenge: String,
    nonce: String,
    is_bound: bool,
}

impl ScramServer {
    /// With this salt, so many iterations, and a [`nonce`](super::nonce) of the server's own.
    pub fn new(hash: ScramHash, salt: &[u8], iterations: u32, nonce: impl Into<String>) -> ScramServer {
        let (salt, nonce) = (salt.to_vec(), nonce.into());
        ScramServer { hash, salt, iterations, nonce, binding: None, begun: None, judged: false }
    }

    /// On a connection that has this binding, and offers it.
    #[must_use]
    pub fn bound(mut self, binding: ChannelBinding) -> ScramServer {
        self.binding = Some(binding);
        self
    }

    /// Reads the client's first message; gives the challenge.
    ///
    /// # Errors
    ///
    /// When it is malformed, asks for another binding than the connection has, or says that the server offers none.
    pub fn first(&mut self, client_first: &[u8]) -> Result<Vec<u8>, SaslError> {
        let mechanism = self.hash.mechanism();
        let malformed = |what| SaslError::Malformed { mechanism, what };
        let text = message(mechanism, client_first)?;
        let mut parts = text.splitn(3, ',');
        let (flag, authzid) = (parts.next().unwrap_or_default(), parts.next().ok_or(malformed("no header"))?);
        let bare = parts.next().ok_or(malformed("no name"))?;
        let is_bound = match (flag.split_once('='), flag, &self.binding) {
            (None, "n", _) | (None, "y", None) => false,
            (None, "y", Some(_)) => {
                let reason = "server-does-support-channel-binding".to_owned();
                return Err(SaslError::Refused { mechanism, reason });
            }
            (Some(("p", name)), _, Some(binding)) if binding.name == name => true,
            (Some(("p", _)), ..) => {
                let reason = "unsupported-channel-binding-type".to_owned();
                return Err(SaslError::Refused { mechanism, reason });
            }
            _ => return Err(malformed("no channel binding flag")),
        };
        let authzid = match authzid {
            "" => String::new(),
            name => name.strip_prefix("a=").and_then(unescape).ok_or(malformed("no authzid"))?,
        };
        let (user, nonce) = bare.split_once(",r=").ok_or(malformed("no nonce"))?;
        let user = user.strip_prefix("n=").and_then(unescape).ok_or(malformed("no name"))?;
        let nonce = nonce.split(',').next().unwrap_or_default();
        check_nonce(mechanism, nonce)?;
        let nonce = format!("{nonce}{}", self.nonce);
        let challenge = format!("r={nonce},s={},i={}", STANDARD.encode(&self.salt), self.iterations);
        let header = text[..text.len() - bare.len()].to_owned();
        let begun = Begun { user, authzid, header, bare: bare.to_owned(), challenge, nonce, is_bound };
        let challenge = begun.challenge.clone().into_bytes();
        self.begun = Some(begun);
        Ok(challenge)
    }

    /// Whose password [`last`](ScramServer::last) wants; empty before [`first`](ScramServer::first).
    pub fn user(&self) -> &str {
        self.begun.as_ref().map_or("", |begun| &begun.user)
    }

    /// Whom the user wants to act as; empty for nobody else.
    pub fn authzid(&self) -> &str {
        self.begun.as_ref().map_or("", |begun| &begun.authzid)
    }

    /// Reads the client's last message; `None` when the password is another. Otherwise what goes with success.
    ///
    /// # Errors
    ///
    /// When it is malformed, or bound to another connection.
    pub fn last(&mut self, client_last: &[u8], password: &[u8]) -> Result<Option<Vec<u8>>, SaslError> {
        let mechanism = self.hash.mechanism();
        let malformed = |what| SaslError::Malformed { mechanism, what };
        let begun = self.begun.as_ref().ok_or(malformed("the first message has not come"))?;
        if std::mem::replace(&mut self.judged, true) {
            return Err(SaslError::OutOfTurn { mechanism, what: "a second proof" });
        }
        let text = message(mechanism, client_last)?;
        let (unproved, proof) = text.rsplit_once(",p=").ok_or(malformed("no proof"))?;
        let (channel, nonce) = unproved.split_once(",r=").ok_or(malformed("no nonce"))?;
        let channel = channel.strip_prefix("c=").ok_or(malformed("no channel binding"))?;
        let mut expected = begun.header.clone().into_bytes();
        if let (true, Some(binding)) = (begun.is_bound, &self.binding) {
            expected.extend_from_slice(&binding.data);
        }
        if STANDARD.decode(channel).ok() != Some(expected) {
            let reason = "channel-bindings-dont-match".to_owned();
            return Err(SaslError::Refused { mechanism, reason });
        }
        if nonce != begun.nonce {
            return Err(malformed("another nonce"));
        }
        let salted: Octets = self.hash.salted(&prepared(password), &self.salt, self.iterations);
        let keys = Keys::new(self.hash, &salted);
        let auth_message = format!("{},{},{unproved}", begun.bare, begun.challenge);
        let proof = Zeroizing::new(STANDARD.decode(proof).unwrap_or_default());
        if !bool::from(proof.ct_eq(&keys.client_proof(auth_message.as_bytes()))) {
            return Ok(None);
        }
        let signature = keys.server_signature(auth_message.as_bytes());
        Ok(Some(format!("v={}", STANDARD.encode(&*signature)).into_bytes()))
    }
}

/// Reads an `saslname`.
fn unescape(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut pieces = name.split('=');
    plain.push_str(pieces.next()?);
    for piece in pieces {
        match piece.get(..2)? {
            "2C" => plain.push(','),
            "3D" => plain.push('='),
            _ => return None,
        }
        plain.push_str(&piece[2..]);
    }
    Some(plain)
}
