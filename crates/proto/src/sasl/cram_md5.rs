//! CRAM-MD5 (RFC 2195): a keyed digest of the server's challenge. The server proves nothing.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use zeroize::Zeroizing;

use super::text::{check_name, message};
use super::{Mechanism, SaslError};
use crate::Password;

const NAME: &str = "CRAM-MD5";

/// A digest by the password. Whoever sees it can try passwords at leisure, so it asks for an encrypted connection.
///
/// ```
/// use ldapgate_proto::Password;
/// use ldapgate_proto::sasl::{CramMd5, Mechanism};
///
/// let mut tim = CramMd5::new("tim", Password::new("tanstaaftanstaaf")?);
/// assert!(tim.start()?.is_none(), "the server speaks first");
/// let response = tim.respond(b"<1896.697170952@postoffice.reston.mci.net>")?;
/// assert_eq!(response.as_slice(), b"tim b913a602c7eda7a495b4e6e7334d3890");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CramMd5 {
    user: String,
    password: Password,
    answered: bool,
}

impl CramMd5 {
    /// As this user. There is no way to name another to act as.
    pub fn new(user: impl Into<String>, password: Password) -> CramMd5 {
        CramMd5 { user: user.into(), password, answered: false }
    }
}

impl Mechanism for CramMd5 {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        check_name(NAME, &self.user, "user name: it holds a NUL")?;
        if self.user.is_empty() {
            return Err(SaslError::Unfit { mechanism: NAME, what: "user name: it is empty" });
        }
        Ok(None)
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        if std::mem::replace(&mut self.answered, true) {
            return Err(SaslError::OutOfTurn { mechanism: NAME, what: "a second challenge" });
        }
        if message(NAME, challenge)?.is_empty() {
            return Err(SaslError::Malformed { mechanism: NAME, what: "the challenge is empty" });
        }
        let mut mac = Hmac::<Md5>::new_from_slice(self.password.expose())
            .map_err(|_| SaslError::Unfit { mechanism: NAME, what: "password" })?;
        mac.update(challenge);
        let mut response = format!("{} ", self.user);
        for octet in mac.finalize().into_bytes() {
            let _ = write!(response, "{octet:02x}");
        }
        Ok(Zeroizing::new(response.into_bytes()))
    }

    fn finish(&mut self, _server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        if !self.answered {
            return Err(SaslError::OutOfTurn { mechanism: NAME, what: "success without a challenge" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tim() -> CramMd5 {
        CramMd5::new("tim", Password::new("tanstaaftanstaaf").unwrap())
    }

    /// RFC 2195 section 2.
    #[test]
    fn the_example_of_the_rfc() {
        let mut tim = tim();
        assert!(tim.start().unwrap().is_none());
        let response = tim.respond(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
        assert_eq!(response.as_slice(), b"tim b913a602c7eda7a495b4e6e7334d3890");
        tim.finish(None).unwrap();
    }

    #[test]
    fn one_challenge_is_answered_and_it_has_to_come() {
        assert!(matches!(tim().finish(None), Err(SaslError::OutOfTurn { .. })));
        let mut tim = tim();
        tim.respond(b"<a>").unwrap();
        assert!(matches!(tim.respond(b"<b>"), Err(SaslError::OutOfTurn { .. })));
    }

    #[test]
    fn a_challenge_that_is_none_is_refused() {
        for challenge in [&b""[..], b"\xff", &[b'x'; 70_000]] {
            assert!(matches!(tim().respond(challenge), Err(SaslError::Malformed { .. })));
        }
    }
}
