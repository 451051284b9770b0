//! SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and neither tells it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::scram_hash::{Keys, Octets};
use super::text::{check_name, check_nonce, message, prepared, sasl_name, words};
use super::{ChannelBinding, Mechanism, SaslError, ScramHash};
use crate::Password;

/// The most iterations that are computed: about a second's work. A server that asks for more would have its clients work
/// for it.
pub const MOST_ITERATIONS: u32 = 2_000_000;
/// Fewer are computed but warned of (RFC 7677 section 4): who asks for few wants to try passwords.
pub const LEAST_ITERATIONS: u32 = 4096;
/// A salt's longest encoding, in octets.
const LONGEST_SALT: usize = 1024;
/// A nonce's, both sides' together.
const LONGEST_NONCE: usize = 1024;

/// Name and password, proved without being told. A listener can still try passwords against what was said, at
/// [`LEAST_ITERATIONS`] hashes or more for each.
///
/// ```
/// use ldapgate_proto::Password;
/// use ldapgate_proto::sasl::{ChannelBinding, Mechanism, Scram, ScramHash, nonce};
///
/// let password = Password::new("pencil")?;
/// let mut scram = Scram::new(ScramHash::Sha256, "user", password, nonce(&[7; 18]))?;
/// assert_eq!(scram.name(), "SCRAM-SHA-256");
/// assert_eq!(scram.start()?.expect("it speaks first").as_slice(), b"n,,n=user,r=BwcHBwcHBwcHBwcHBwcHBwcH");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Scram {
    hash: ScramHash,
    user: String,
    password: Password,
    nonce: String,
    authzid: String,
    binding: Binding,
    state: State,
    iterations: u32,
    overheard: bool,
}

/// What the client says of channel binding (RFC 5802 section 6).
enum Binding {
    /// `n`: it can do none here.
    None,
    /// `y`: it could, and the server did not offer it.
    NotOffered,
    /// `p`: it does.
    Bound(ChannelBinding),
}

enum State {
    Begun,
    /// The first message, without the header of GS2.
    First {
        bare: String,
    },
    /// What the server has to send.
    Last {
        signature: Octets,
    },
    Proved,
    Failed,
}

/// What the server answers to the first message.
struct Challenge<'m> {
    nonce: &'m str,
    salt: Vec<u8>,
    iterations: u32,
}

impl Scram {
    /// As this user; `client_nonce` is a [`nonce`](super::nonce).
    ///
    /// # Errors
    ///
    /// When the nonce cannot be one.
    pub fn new(
        hash: ScramHash,
        user: impl Into<String>,
        password: Password,
        client_nonce: impl Into<String>,
    ) -> Result<Scram, SaslError> {
        let nonce = client_nonce.into();
        check_nonce(hash.mechanism(), &nonce)?;
        Ok(Scram {
            hash,
            user: user.into(),
            password,
            nonce,
            authzid: String::new(),
            binding: Binding::None,
            state: State::Begun,
            iterations: LEAST_ITERATIONS,
            overheard: false,
        })
    }

    /// Somebody could listen: a server that asks for fewer than [`LEAST_ITERATIONS`] is refused before anything is
    /// computed for it, since what it would get is as good for trying passwords as CRAM-MD5's answer.
    #[must_use]
    pub fn overheard(mut self) -> Scram {
        self.overheard = true;
        self
    }

    /// As somebody whom the user may act as.
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> Scram {
        self.authzid = authzid.into();
        self
    }

    /// Bound to the TLS connection: the `-PLUS` mechanism.
    #[must_use]
    pub fn bound(mut self, binding: ChannelBinding) -> Scram {
        self.binding = Binding::Bound(binding);
        self
    }

    /// Tells the server that the client could have bound, and that the server did not offer it. A server that did knows then
    /// that somebody took it out of its offer, and refuses.
    #[must_use]
    pub fn binding_not_offered(mut self) -> Scram {
        self.binding = Binding::NotOffered;
        self
    }

    fn mechanism(&self) -> &'static str {
        match self.binding {
            Binding::Bound(_) => self.hash.mechanism_plus(),
            Binding::None | Binding::NotOffered => self.hash.mechanism(),
        }
    }

    fn gs2_header(&self) -> String {
        let flag = match &self.binding {
            Binding::None => "n".to_owned(),
            Binding::NotOffered => "y".to_owned(),
            Binding::Bound(binding) => format!("p={}", binding.name),
        };
        match self.authzid.as_str() {
            "" => format!("{flag},,"),
            authzid => format!("{flag},a={},", sasl_name(authzid)),
        }
    }

    fn answer(&mut self, bare: &str, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let mechanism = self.mechanism();
        let server_first = message(mechanism, challenge)?;
        let Challenge { nonce, salt, iterations } = self.read(server_first)?;
        self.iterations = iterations;
        let mut channel = self.gs2_header().into_bytes();
        if let Binding::Bound(binding) = &self.binding {
            channel.extend_from_slice(&binding.data);
        }
        let last = format!("c={},r={nonce}", STANDARD.encode(&channel));
        let auth_message = format!("{bare},{server_first},{last}");
        let password = prepared(self.password.expose());
        let keys = Keys::new(self.hash, &self.hash.salted(&password, &salt, iterations));
        let proof = keys.client_proof(auth_message.as_bytes());
        self.state = State::Last { signature: keys.server_signature(auth_message.as_bytes()) };
        Ok(Zeroizing::new(format!("{last},p={}", STANDARD.encode(&*proof)).into_bytes()))
    }

    /// `r=..,s=..,i=..` and perhaps extensions, which may be ignored when they are not mandatory (section 5.1).
    fn read<'m>(&self, server_first: &'m str) -> Result<Challenge<'m>, SaslError> {
        let mechanism = self.mechanism();
        let malformed = |what| SaslError::Malformed { mechanism, what };
        if server_first.starts_with("m=") {
            return Err(SaslError::Unsupported {
                mechanism,
                what: "the server asks for an unknown extension",
            });
        }
        let mut fields = server_first.split(',');
        let mut field = |name: &str, what| {
            fields.next().and_then(|field| field.strip_prefix(name)).ok_or(malformed(what))
        };
        let nonce = field("r=", "it has no nonce")?;
        let salt = field("s=", "it has no salt")?;
        let iterations = field("i=", "it has no iterations")?;
        let added = nonce.strip_prefix(self.nonce.as_str()).unwrap_or_default();
        if added.is_empty() || nonce.len() > LONGEST_NONCE || check_nonce(mechanism, nonce).is_err() {
            return Err(malformed("its nonce does not continue the client's"));
        }
        let salt = Some(salt).filter(|salt| salt.len() <= LONGEST_SALT);
        let salt = salt.and_then(|salt| STANDARD.decode(salt).ok()).filter(|salt| !salt.is_empty());
        let digits = !iterations.is_empty() && iterations.bytes().all(|octet| octet.is_ascii_digit());
        let iterations = iterations.parse::<u32>().ok().filter(|&count| digits && count > 0);
        let iterations = iterations.ok_or(malformed("its iterations are no number"))?;
        if self.overheard && iterations < LEAST_ITERATIONS {
            return Err(SaslError::Unsupported {
                mechanism,
                what: "the server asks for so few iterations that a listener could try passwords: use TLS",
            });
        }
        if iterations > MOST_ITERATIONS {
            return Err(SaslError::Unsupported {
                mechanism,
                what: "the server asks for too many iterations",
            });
        }
        Ok(Challenge { nonce, salt: salt.ok_or(malformed("its salt cannot be read"))?, iterations })
    }

    /// Does the server's last message show that it knows the password?
    fn prove(&mut self, server_last: &[u8]) -> Result<(), SaslError> {
        let mechanism = self.mechanism();
        let State::Last { signature } = std::mem::replace(&mut self.state, State::Failed) else {
            return Err(SaslError::OutOfTurn { mechanism, what: "a signature before the proof" });
        };
        let text = message(mechanism, server_last)?;
        if let Some(reason) = text.strip_prefix("e=") {
            return Err(SaslError::Refused { mechanism, reason: words(reason) });
        }
        let sent = text.strip_prefix("v=").and_then(|rest| rest.split(',').next());
        let sent = sent.ok_or(SaslError::NotProved { mechanism, what: "it sent no signature" })?;
        let sent = STANDARD.decode(sent).unwrap_or_default();
        if !bool::from(sent.ct_eq(&signature)) {
            return Err(SaslError::NotProved { mechanism, what: "its signature is wrong" });
        }
        self.state = State::Proved;
        Ok(())
    }
}

impl Mechanism for Scram {
    fn name(&self) -> &str {
        self.mechanism()
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        let mechanism = self.mechanism();
        check_name(mechanism, &self.user, "user name: it holds a NUL")?;
        check_name(mechanism, &self.authzid, "authorization identity: it holds a NUL")?;
        if self.user.is_empty() {
            return Err(SaslError::Unfit { mechanism, what: "user name: it is empty" });
        }
        if let Binding::Bound(binding) = &self.binding {
            let good = |octet: u8| octet.is_ascii_alphanumeric() || b".-".contains(&octet);
            if binding.name.is_empty() || !binding.name.bytes().all(good) {
                return Err(SaslError::Unfit { mechanism, what: "channel binding's name" });
            }
        }
        let user = prepared(self.user.as_bytes());
        let bare = format!("n={},r={}", sasl_name(&String::from_utf8_lossy(&user)), self.nonce);
        let first = format!("{}{bare}", self.gs2_header());
        self.state = State::First { bare };
        Ok(Some(Zeroizing::new(first.into_bytes())))
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let mechanism = self.mechanism();
        match std::mem::replace(&mut self.state, State::Failed) {
            State::First { bare } => self.answer(&bare, challenge),
            // A server that sends its signature apart from success is owed an empty answer.
            last @ State::Last { .. } => {
                self.state = last;
                self.prove(challenge).map(|()| Zeroizing::default())
            }
            State::Begun | State::Proved | State::Failed => {
                Err(SaslError::OutOfTurn { mechanism, what: "a challenge that is not due" })
            }
        }
    }

    fn finish(&mut self, server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        let mechanism = self.mechanism();
        match (&self.state, server_credentials) {
            (State::Proved, _) => Ok(()),
            (State::Last { .. }, Some(last)) => self.prove(last),
            (State::Last { .. }, None) => {
                Err(SaslError::NotProved { mechanism, what: "it sent no signature" })
            }
            _ => Err(SaslError::OutOfTurn { mechanism, what: "success before the proof" }),
        }
    }

    /// The password is not told.
    fn needs_encryption(&self) -> bool {
        false
    }

    fn warning(&self) -> Option<String> {
        let few = self.iterations < LEAST_ITERATIONS;
        few.then(|| {
            format!(
                "the server asks for {} iterations; fewer than {LEAST_ITERATIONS} are weak",
                self.iterations
            )
        })
    }
}

#[cfg(test)]
#[path = "scram_tests.rs"]
mod tests;
