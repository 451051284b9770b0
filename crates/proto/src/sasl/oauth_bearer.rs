//! OAUTHBEARER (RFC 7628): a bearer token of an authorization server's.

use zeroize::Zeroizing;

use super::text::{check_name, message, sasl_name, words};
use super::{Mechanism, SaslError};
use crate::Password;

const NAME: &str = "OAUTHBEARER";
const SEPARATOR: u8 = 1;

/// A bearer token (RFC 6750), which the server sees: for encrypted connections only.
///
/// ```
/// use ldapgate_proto::Password;
/// use ldapgate_proto::sasl::{Mechanism, OAuthBearer};
///
/// let mut bearer = OAuthBearer::new(Password::new("vF9dft4qmT")?).at("ldap.example.com", 636);
/// let message = bearer.start()?.expect("the client speaks");
/// assert_eq!(message.as_slice(), b"n,,\x01host=ldap.example.com\x01port=636\x01auth=Bearer vF9dft4qmT\x01\x01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OAuthBearer {
    token: Password,
    authzid: String,
    host: String,
    port: u16,
    /// What the server said against the token.
    refusal: Option<String>,
}

impl OAuthBearer {
    /// With this token.
    pub fn new(token: Password) -> OAuthBearer {
        OAuthBearer { token, authzid: String::new(), host: String::new(), port: 0, refusal: None }
    }

    /// As this user, where the token does not say so.
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> OAuthBearer {
        self.authzid = authzid.into();
        self
    }

    /// To this server, as the client knows it.
    #[must_use]
    pub fn at(mut self, host: impl Into<String>, port: u16) -> OAuthBearer {
        (self.host, self.port) = (host.into(), port);
        self
    }
}

impl Mechanism for OAuthBearer {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        check_name(NAME, &self.authzid, "authorization identity: it holds a NUL")?;
        let token = self.token.expose();
        // RFC 6750 section 2.1: nothing else can be in one, and nothing else can smuggle another field in.
        let body = token.iter().rposition(|&octet| octet != b'=').map_or(&[][..], |last| &token[..=last]);
        let good = |&octet: &u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet);
        if body.is_empty() || !body.iter().all(good) {
            return Err(SaslError::Unfit { mechanism: NAME, what: "token: it is no bearer token" });
        }
        let mut head = match self.authzid.as_str() {
            "" => "n,,\u{1}".to_owned(),
            authzid => format!("n,a={},\u{1}", sasl_name(authzid)),
        };
        let host = self.host.chars().all(|c| c.is_ascii_graphic());
        if !self.host.is_empty() && host {
            head.push_str(&format!("host={}\u{1}", self.host));
        }
        if self.port != 0 {
            head.push_str(&format!("port={}\u{1}", self.port));
        }
        head.push_str("auth=Bearer ");
        let mut message = Zeroizing::new(Vec::with_capacity(head.len() + token.len() + 2));
        message.extend_from_slice(head.as_bytes());
        message.extend_from_slice(token);
        message.extend_from_slice(&[SEPARATOR; 2]);
        Ok(Some(message))
    }

    /// A challenge is the server's reason against the token (section 3.2.2); it is answered with one octet, upon which the
    /// server ends the exchange.
    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        if self.refusal.is_some() {
            return Err(SaslError::OutOfTurn { mechanism: NAME, what: "a second challenge" });
        }
        self.refusal = Some(words(message(NAME, challenge)?));
        Ok(Zeroizing::new(vec![SEPARATOR]))
    }

    fn finish(&mut self, _server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        match &self.refusal {
            Some(_) => Err(SaslError::OutOfTurn { mechanism: NAME, what: "success after a refusal" }),
            None => Ok(()),
        }
    }

    fn warning(&self) -> Option<String> {
        self.refusal.as_ref().map(|reason| format!("the server says of the token: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(token: &str) -> OAuthBearer {
        OAuthBearer::new(Password::new(token).unwrap())
    }

    /// RFC 7628 section 4.1.
    #[test]
    fn the_example_of_the_rfc() {
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        let mut bearer = bearer(token).authzid("user@example.com").at("server.example.com", 143);
        let message = bearer.start().unwrap().unwrap();
        let expected = format!(
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer {token}\x01\x01"
        );
        assert_eq!(message.as_slice(), expected.as_bytes());
        bearer.finish(None).unwrap();
    }

    /// RFC 7628 section 4.3.
    #[test]
    fn a_refusal_is_answered_and_told() {
        let mut bearer = bearer("x");
        bearer.start().unwrap();
        let answer = bearer.respond(br#"{"status":"invalid_token","scope":"example_scope"}"#).unwrap();
        assert_eq!(answer.as_slice(), b"\x01");
        assert!(bearer.warning().unwrap().contains("invalid_token"));
        assert!(bearer.finish(None).is_err(), "success after a refusal");
        assert!(bearer.respond(b"{}").is_err());
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        for bad in ["a b", "a\u{1}auth=x", "===", "tok\u{e4}n", "a=b"] {
            assert!(bearer(bad).start().is_err(), "{bad:?}");
        }
        assert!(bearer("a.b-c_d~e+f/g==").start().is_ok());
    }
}
