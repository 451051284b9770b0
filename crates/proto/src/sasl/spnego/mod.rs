//! GSS-SPNEGO: a negotiation (RFC 4178, MS-SPNG) around a mechanism that Active Directory knows, here always one.
//!
//! With one mechanism there is nothing to choose and nothing that somebody on the way could talk the sides out of. The
//! negotiation is spoken because it is what Active Directory offers NTLM in.

mod token;

use bytes::Bytes;
use zeroize::Zeroizing;

use self::token::{Answer, NegotiationState};
use super::{Mechanism, SaslError, SecurityLayer};

const NAME: &str = "GSS-SPNEGO";

/// What can be negotiated: the client's side of a security context (RFC 2743 section 1.1.3).
pub trait SecurityContext: Send {
    /// The content octets of its object identifier.
    fn mechanism(&self) -> &'static [u8];

    /// The first token.
    ///
    /// # Errors
    ///
    /// When the credentials are missing or unfit.
    fn first(&mut self) -> Result<Zeroizing<Vec<u8>>, SaslError>;

    /// Answers a token of the server's; `None` when nothing is left to be said.
    ///
    /// # Errors
    ///
    /// When the token breaks the rules or does not prove what it should.
    fn next(&mut self, token: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError>;

    /// Has this side all that it needs?
    fn is_established(&self) -> bool;

    /// A signature of the negotiation; `None` where none can be made.
    fn sign(&mut self, message: &[u8]) -> Option<Vec<u8>>;

    /// Checks the server's signature of the negotiation.
    ///
    /// # Errors
    ///
    /// When it is wrong.
    fn verify(&mut self, message: &[u8], signature: &[u8]) -> Result<(), SaslError>;

    /// As [`Mechanism::needs_encryption`].
    fn needs_encryption(&self) -> bool {
        true
    }

    /// The security layer that was agreed on; once.
    fn take_layer(&mut self) -> Option<Box<dyn SecurityLayer>>;
}

/// The mechanism `GSS-SPNEGO` around one other.
///
#[cfg_attr(feature = "ntlm", doc = "```")]
#[cfg_attr(not(feature = "ntlm"), doc = "```ignore")]
/// use ldapgate_proto::sasl::{Fresh, Mechanism, Ntlm, Spnego};
/// use ldapgate_proto::value::FileTime;
/// use ldapgate_proto::Password;
///
/// let fresh = Fresh { client_challenge: [1; 8], session_key: [2; 16].into(), now: FileTime::from_ticks(0) };
/// let ntlm = Ntlm::new("EXAMPLE", "ada", &Password::new("engine").expect("it is not empty"), fresh)?;
/// let mut spnego = Spnego::new(ntlm);
/// assert_eq!(spnego.start()?.expect("the client speaks first")[0], 0x60);
/// # Ok::<(), ldapgate_proto::sasl::SaslError>(())
/// ```
pub struct Spnego<C> {
    context: C,
    mechanisms: Bytes,
}

impl<C: SecurityContext> Spnego<C> {
    /// Negotiates for `context` alone.
    pub fn new(context: C) -> Spnego<C> {
        let mechanisms = token::mechanism_list(context.mechanism());
        Spnego { context, mechanisms }
    }

    fn read(&self, message: &[u8]) -> Result<Answer, SaslError> {
        let answer = Answer::read(message)?;
        if answer.state == Some(NegotiationState::Rejected) {
            return Err(token::rejected());
        }
        let ours = self.context.mechanism();
        if answer.mechanism.as_ref().is_some_and(|theirs| theirs != ours) {
            return Err(malformed("it chooses a mechanism that was not offered"));
        }
        Ok(answer)
    }

    /// An empty token is none: some servers send one along with the last message.
    fn take_token(&mut self, answer: &Answer) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        match answer.token.as_deref() {
            None | Some([]) => Ok(None),
            Some(token) => self.context.next(token),
        }
    }
}

impl<C: SecurityContext> Mechanism for Spnego<C> {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        let first = self.context.first()?;
        Ok(Some(token::init(&self.mechanisms, &first)))
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let answer = self.read(challenge)?;
        let token = self.take_token(&answer)?;
        if let Some(signature) = &answer.list_signature {
            self.context.verify(&self.mechanisms, signature)?;
        }
        let established = self.context.is_established();
        let signature = if established { self.context.sign(&self.mechanisms) } else { None };
        if token.is_none() && signature.is_none() {
            return Err(SaslError::OutOfTurn {
                mechanism: NAME,
                what: "a message that leaves nothing to say",
            });
        }
        Ok(token::response(token.as_deref().map(|token| &token[..]), signature.as_deref()))
    }

    fn finish(&mut self, server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        if let Some(message) = server_credentials.filter(|message| !message.is_empty()) {
            let answer = self.read(message)?;
            if answer.state.is_some_and(|state| state != NegotiationState::Completed) {
                return Err(malformed("it goes on where the bind has ended"));
            }
            if self.take_token(&answer)?.is_some() {
                return Err(malformed("it asks for an answer where the bind has ended"));
            }
            if let Some(signature) = &answer.list_signature {
                self.context.verify(&self.mechanisms, signature)?;
            }
        }
        if self.context.is_established() {
            return Ok(());
        }
        Err(SaslError::OutOfTurn { mechanism: NAME, what: "success before the negotiation was over" })
    }

    fn layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
        self.context.take_layer()
    }

    fn needs_encryption(&self) -> bool {
        self.context.needs_encryption()
    }
}

fn malformed(what: &'static str) -> SaslError {
    SaslError::Malformed { mechanism: NAME, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says what it was told, and signs by naming.
    struct Parrot {
        heard: usize,
    }

    impl SecurityContext for Parrot {
        fn mechanism(&self) -> &'static [u8] {
            &[0x2a, 0x03]
        }

        fn first(&mut self) -> Result<Zeroizing<Vec<u8>>, SaslError> {
            Ok(Zeroizing::new(b"hello".to_vec()))
        }

        fn next(&mut self, token: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
            self.heard += 1;
            Ok((self.heard == 1).then(|| Zeroizing::new(token.to_vec())))
        }

        fn is_established(&self) -> bool {
            self.heard > 0
        }

        fn sign(&mut self, _message: &[u8]) -> Option<Vec<u8>> {
            Some(b"client".to_vec())
        }

        fn verify(&mut self, _message: &[u8], signature: &[u8]) -> Result<(), SaslError> {
            if signature == b"server" { Ok(()) } else { Err(malformed("the signature is wrong")) }
        }

        fn take_layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
            None
        }
    }

    /// A message of the server's: state, mechanism, token, signature.
    fn says(state: u8, mechanism: Option<&[u8]>, token: Option<&[u8]>, signature: Option<&[u8]>) -> Vec<u8> {
        let element = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let optional = |outer, inner, content: Option<&[u8]>| {
            content.map(|content| element(outer, &element(inner, content))).unwrap_or_default()
        };
        let fields = [
            element(0xa0, &[0x0a, 1, state]),
            optional(0xa1, 0x06, mechanism),
            optional(0xa2, 0x04, token),
            optional(0xa3, 0x04, signature),
        ];
        element(0xa1, &element(0x30, &fields.concat()))
    }

    const OURS: Option<&[u8]> = Some(&[0x2a, 0x03]);

    fn begun() -> Spnego<Parrot> {
        let mut spnego = Spnego::new(Parrot { heard: 0 });
        spnego.start().unwrap();
        spnego
    }

    #[test]
    fn two_rounds_and_both_signatures_establish_it() {
        let mut spnego = begun();
        let answer = spnego.respond(&says(1, OURS, Some(b"challenge"), None)).unwrap();
        assert_eq!(answer, token::response(Some(b"challenge"), Some(b"client")));
        spnego.finish(Some(&says(0, None, None, Some(b"server")))).unwrap();
    }

    #[test]
    fn a_wrong_signature_of_the_server_is_refused() {
        let mut spnego = begun();
        spnego.respond(&says(1, OURS, Some(b"challenge"), None)).unwrap();
        assert!(spnego.finish(Some(&says(0, None, None, Some(b"robber")))).is_err());
    }

    #[test]
    fn success_before_the_mechanism_is_done_is_refused() {
        for credentials in [None, Some(&b""[..]), Some(&says(0, OURS, None, None))] {
            assert!(begun().finish(credentials).is_err());
        }
        assert!(
            begun().finish(Some(&says(0, OURS, Some(b"challenge"), None))).is_err(),
            "nobody can answer it"
        );
    }

    #[test]
    fn a_rejection_and_another_mechanism_end_it() {
        let rejected = begun().respond(&says(2, None, None, None)).unwrap_err();
        assert!(matches!(rejected, SaslError::Refused { .. }), "{rejected}");
        assert!(begun().respond(&says(1, Some(&[0x2a, 0x04]), Some(b"challenge"), None)).is_err());
    }

    #[test]
    fn a_message_that_leaves_nothing_to_say_is_refused() {
        assert!(begun().respond(&says(1, OURS, None, None)).is_err());
    }
}
