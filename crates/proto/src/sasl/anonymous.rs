//! ANONYMOUS (RFC 4505): nobody, with a trace for the server's log.

use zeroize::Zeroizing;

use super::{Mechanism, SaslError};

const NAME: &str = "ANONYMOUS";
/// Characters of a trace (RFC 4505 section 2).
const LONGEST_TRACE: usize = 255;

/// A bind as nobody.
///
/// ```
/// use ldapgate_proto::sasl::{Anonymous, Mechanism};
///
/// let mut nobody = Anonymous::new("sirhc")?;
/// assert_eq!(nobody.start()?.as_deref().map(Vec::as_slice), Some(&b"sirhc"[..]));
/// assert!(Anonymous::new("a@b@c").is_err());
/// # Ok::<(), ldapgate_proto::sasl::SaslError>(())
/// ```
#[derive(Debug)]
pub struct Anonymous {
    trace: String,
}

impl Anonymous {
    /// Nobody, with a trace that may be empty: an e-mail address, or a token without an `@`.
    ///
    /// # Errors
    ///
    /// When it is neither, or longer than 255 characters.
    pub fn new(trace: impl Into<String>) -> Result<Anonymous, SaslError> {
        let trace = trace.into();
        let short = trace.chars().nth(LONGEST_TRACE).is_none();
        let token = !trace.chars().any(char::is_control) && trace.matches('@').count() <= 1;
        if short && token {
            return Ok(Anonymous { trace });
        }
        Err(SaslError::Unfit { mechanism: NAME, what: "trace: it is neither an e-mail address nor a token" })
    }
}

impl Mechanism for Anonymous {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        Ok(Some(Zeroizing::new(self.trace.clone().into_bytes())))
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
