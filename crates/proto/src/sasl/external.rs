//! EXTERNAL (RFC 4422 appendix A): the server knows already who is there, by a client certificate or the socket's owner.

use zeroize::Zeroizing;

use super::{Mechanism, SaslError};

const NAME: &str = "EXTERNAL";

/// Asks the server to take the connection for whom it sees there.
///
/// ```
/// use ldapgate_proto::sasl::{External, Mechanism};
///
/// assert_eq!(External::new().start()?.as_deref().map(Vec::as_slice), Some(&b""[..]));
/// # Ok::<(), ldapgate_proto::sasl::SaslError>(())
/// ```
#[derive(Debug, Default)]
pub struct External {
    authzid: String,
}

impl External {
    /// As whoever the server sees.
    pub fn new() -> External {
        External::default()
    }

    /// As somebody whom that one may act as: `dn:..` or `u:..` (RFC 4513 section 5.2.1.8).
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> External {
        self.authzid = authzid.into();
        self
    }
}

impl Mechanism for External {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        super::text::check_name(NAME, &self.authzid, "authorization identity: it holds a NUL")?;
        Ok(Some(Zeroizing::new(self.authzid.clone().into_bytes())))
    }

    fn respond(&mut self, _challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        Err(SaslError::OutOfTurn { mechanism: NAME, what: "a challenge, where there is none" })
    }

    fn finish(&mut self, _server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        Ok(())
    }

    /// Nothing secret is sent.
    fn needs_encryption(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_is_whom_to_act_as() {
        assert!(External::new().start().unwrap().unwrap().is_empty());
        let mut other = External::new().authzid("dn:cn=a");
        assert_eq!(other.start().unwrap().unwrap().as_slice(), b"dn:cn=a");
        assert!(External::new().authzid("a\0").start().is_err());
        assert!(other.respond(b"").is_err());
    }
}
