//! PLAIN (RFC 4616): name and password as they are.

use zeroize::Zeroizing;

use super::text::check_name;
use super::{Mechanism, SaslError};
use crate::Password;

const NAME: &str = "PLAIN";

/// Name and password, which the server sees: for encrypted connections only.
///
/// ```
/// use ldapgate_proto::Password;
/// use ldapgate_proto::sasl::{Mechanism, Plain};
///
/// let mut plain = Plain::new("tim", Password::new("tanstaaftanstaaf")?);
/// assert_eq!(plain.start()?.expect("the client speaks").as_slice(), b"\0tim\0tanstaaftanstaaf");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plain {
    user: String,
    password: Password,
    authzid: String,
}

impl Plain {
    /// As this user.
    pub fn new(user: impl Into<String>, password: Password) -> Plain {
        Plain { user: user.into(), password, authzid: String::new() }
    }

    /// As somebody whom the user may act as.
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> Plain {
        self.authzid = authzid.into();
        self
    }
}

impl Mechanism for Plain {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        check_name(NAME, &self.authzid, "authorization identity: it holds a NUL")?;
        check_name(NAME, &self.user, "user name: it holds a NUL")?;
        if self.user.is_empty() {
            return Err(SaslError::Unfit { mechanism: NAME, what: "user name: it is empty" });
        }
        let password = self.password.expose();
        // Sized before it is filled: a vector that grows leaves its old content behind.
        let mut message =
            Zeroizing::new(Vec::with_capacity(2 + self.authzid.len() + self.user.len() + password.len()));
        message.extend_from_slice(self.authzid.as_bytes());
        message.push(0);
        message.extend_from_slice(self.user.as_bytes());
        message.push(0);
        message.extend_from_slice(password);
        Ok(Some(message))
    }

    fn respond(&mut self, _challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        Err(SaslError::OutOfTurn { mechanism: NAME, what: "a challenge, where there is none" })
    }

    fn finish(&mut self, _server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4616 section 4.
    #[test]
    fn the_examples_of_the_rfc() {
        let tim = || Plain::new("tim", Password::new("tanstaaftanstaaf").unwrap());
        assert_eq!(tim().start().unwrap().unwrap().as_slice(), b"\0tim\0tanstaaftanstaaf");
        let mut kurt = Plain::new("Kurt", Password::new("xipj3plmq").unwrap()).authzid("Ursel");
        assert_eq!(kurt.start().unwrap().unwrap().as_slice(), b"Ursel\0Kurt\0xipj3plmq");
        assert!(tim().needs_encryption());
    }

    #[test]
    fn a_nul_cannot_shift_the_parts() {
        let password = || Password::new("x").unwrap();
        assert!(Plain::new("a\0b", password()).start().is_err());
        assert!(Plain::new("a", password()).authzid("b\0").start().is_err());
        assert!(Plain::new("", password()).start().is_err());
    }
}
