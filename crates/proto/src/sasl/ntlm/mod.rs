//! NTLM version 2 (MS-NLMP), for Active Directory where there is no Kerberos.
//!
//! The first version and LAN Manager's responses are not spoken. A listener can try passwords against what NTLM sends, and
//! a server that is asked can pass it on to another one, which only a signature or the channel's binding prevents: inside
//! TLS with its binding it is as good as a simple bind, and elsewhere worse than Kerberos.

mod keys;
mod message;
mod sealing;
mod target_info;

use zeroize::Zeroizing;

use self::keys::Key;
use self::message::{Authenticate, Challenge, flags};
use self::sealing::{ChecksumEncryption, Session};
use self::target_info::TargetInfo;
use super::spnego::SecurityContext;
use super::{Mechanism, Protection, SaslError, SecurityLayer};
use crate::Password;
use crate::value::FileTime;

const NAME: &str = "NTLM";
/// 1.3.6.1.4.1.311.2.2.10
const OID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a];
/// Longer than any name of Windows', in octets of UTF-8.
const MAX_NAME: usize = 1024;

/// What both sides must be able to do.
const ALWAYS: u32 = flags::UNICODE | flags::NTLM | flags::EXTENDED_SESSION_SECURITY | flags::STRONG;

/// The client's side of one exchange: the mechanism `NTLM` by itself, or inside [`Spnego`](super::Spnego).
///
/// ```
/// use std::time::SystemTime;
/// use ldapgate_proto::sasl::{Fresh, Mechanism, Ntlm, Protection};
/// use ldapgate_proto::value::FileTime;
/// use ldapgate_proto::Password;
///
/// let now = FileTime::from_system_time(SystemTime::now()).expect("it is later than 1601");
/// let fresh = Fresh { client_challenge: [1; 8], session_key: [2; 16].into(), now }; // random, in earnest
/// let mut ntlm = Ntlm::new("EXAMPLE", "ada", &Password::new("engine").expect("it is not empty"), fresh)?
///     .service("ldap/dc1.example.com")
///     .protection(Protection::Confidentiality);
/// let first = ntlm.start()?.expect("the client speaks first");
/// assert!(first.starts_with(b"NTLMSSP\0"));
/// # Ok::<(), ldapgate_proto::sasl::SaslError>(())
/// ```
pub struct Ntlm {
    domain: String,
    user: String,
    response_key: Key,
    fresh: Fresh,
    service: String,
    channel_binding: Option<Vec<u8>>,
    protection: Protection,
    state: State,
}

/// What has to be new in every exchange.
pub struct Fresh {
    /// Random.
    pub client_challenge: [u8; 8],
    /// Random, and secret.
    pub session_key: Zeroizing<[u8; 16]>,
    /// The present time, used where the server tells none.
    pub now: FileTime,
}

enum State {
    New,
    /// The first message, which the MIC of the last one covers.
    Asked(Vec<u8>),
    Answered(Box<Session>),
    Over,
}

impl Ntlm {
    /// For the account `domain\user`; `user` may be a user principal name when `domain` is empty.
    ///
    /// # Errors
    ///
    /// When the user name is empty, a name is longer than 1,024 octets, or the password is not UTF-8.
    pub fn new(domain: &str, user: &str, password: &Password, fresh: Fresh) -> Result<Ntlm, SaslError> {
        if user.is_empty() {
            return Err(SaslError::Unfit { mechanism: NAME, what: "user name: it is empty" });
        }
        if user.len() > MAX_NAME || domain.len() > MAX_NAME {
            return Err(SaslError::Unfit { mechanism: NAME, what: "user name: it is too long" });
        }
        Ok(Ntlm {
            response_key: keys::response_key(password, user, domain)?,
            domain: domain.to_owned(),
            user: user.to_owned(),
            fresh,
            service: String::new(),
            channel_binding: None,
            protection: Protection::None,
            state: State::New,
        })
    }

    /// Whom the answer is meant for, `ldap/HOST`: another server refuses it. Cut at 1,024 octets.
    #[must_use]
    pub fn service(mut self, name: &str) -> Ntlm {
        self.service = name.chars().take(MAX_NAME).collect();
        self
    }

    /// Binds the answer to the TLS channel around it: `application_data` begins with the kind of binding, as in
    /// `tls-server-end-point:` (RFC 5056 section 2.1).
    #[must_use]
    pub fn channel_binding(mut self, application_data: &[u8]) -> Ntlm {
        self.channel_binding = Some(application_data.to_vec());
        self
    }

    /// What protects the connection after the bind; signing brings sealing with it over LDAP. None by default.
    #[must_use]
    pub fn protection(mut self, protection: Protection) -> Ntlm {
        self.protection = protection;
        self
    }

    fn wanted(&self) -> u32 {
        match self.protection {
            Protection::None => ALWAYS,
            Protection::Integrity => ALWAYS | flags::KEY_EXCHANGE | flags::SIGN,
            Protection::Confidentiality => ALWAYS | flags::KEY_EXCHANGE | flags::SIGN | flags::SEAL,
        }
    }

    fn answer(&mut self, negotiate: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let challenge = Challenge::read(bytes)?;
        let wanted = self.wanted();
        if challenge.flags & wanted != wanted {
            return Err(SaslError::Unsupported {
                mechanism: NAME,
                what: "the server lacks version 2, keys of 128 bits, or the protection that is asked for",
            });
        }
        if challenge.flags & flags::TARGET_INFO == 0 {
            return Err(malformed("the server says nothing of itself"));
        }
        let target = TargetInfo::read(challenge.target_info)?;
        let time = target.timestamp().unwrap_or_else(|| self.fresh.now.ticks().to_le_bytes());
        let target = target.answered(&self.service, self.channel_binding.as_deref());
        let proof = Proof::new(&self.response_key, &challenge, time, &self.fresh.client_challenge, &target);

        let random = &self.fresh.session_key;
        let (session_key, encryption) = match wanted & flags::KEY_EXCHANGE {
            0 => (proof.session_key.clone(), ChecksumEncryption::Absent),
            _ => (random.clone(), ChecksumEncryption::Rc4),
        };
        let sent_key = match encryption {
            ChecksumEncryption::Absent => Vec::new(),
            ChecksumEncryption::Rc4 => keys::encrypted(&proof.session_key, random).to_vec(),
        };
        let authenticate = Authenticate {
            flags: challenge.flags & (wanted | OFFERED),
            domain: &self.domain,
            user: &self.user,
            response: &proof.response,
            session_key: &sent_key,
        };
        let mut message = authenticate.write();
        let mic = keys::hmac(&session_key[..], &[negotiate, bytes, &message]);
        message::set_mic(&mut message, &mic);
        self.state = State::Answered(Box::new(Session::new(&session_key, encryption)));
        Ok(Zeroizing::new(message))
    }
}

/// What is offered and may be missing in the answer.
const OFFERED: u32 = flags::REQUEST_TARGET | flags::ALWAYS_SIGN | flags::TARGET_INFO | flags::VERSION;

/// The response to a challenge, and the key that follows from it (MS-NLMP section 3.3.2).
struct Proof {
    response: Vec<u8>,
    session_key: Key,
}

impl Proof {
    fn new(
        response_key: &Key,
        challenge: &Challenge<'_>,
        time: [u8; 8],
        client_challenge: &[u8; 8],
        target_info: &[u8],
    ) -> Proof {
        let temp = [&[1, 1, 0, 0, 0, 0, 0, 0], &time[..], client_challenge, &[0; 4], target_info, &[0; 4]];
        let temp = temp.concat();
        let proof = keys::hmac(&response_key[..], &[&challenge.server_challenge, &temp]);
        let session_key = keys::hmac(&response_key[..], &[&proof[..]]);
        Proof { response: [&proof[..], &temp].concat(), session_key }
    }
}

impl SecurityContext for Ntlm {
    fn mechanism(&self) -> &'static [u8] {
        OID
    }

    fn first(&mut self) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let message = message::negotiate(self.wanted() | OFFERED & !flags::TARGET_INFO);
        self.state = State::Asked(message.clone());
        Ok(Zeroizing::new(message))
    }

    fn next(&mut self, token: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Asked(negotiate) => self.answer(&negotiate, token).map(Some),
            _ => Err(SaslError::OutOfTurn { mechanism: NAME, what: "another challenge" }),
        }
    }

    fn is_established(&self) -> bool {
        matches!(self.state, State::Answered(_))
    }

    fn sign(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        match &mut self.state {
            State::Answered(session) => Some(session.sign_once(message)),
            _ => None,
        }
    }

    fn verify(&mut self, message: &[u8], signature: &[u8]) -> Result<(), SaslError> {
        match &mut self.state {
            State::Answered(session) => session.verify_once(message, signature),
            _ => Err(SaslError::OutOfTurn { mechanism: NAME, what: "a signature" }),
        }
    }

    fn take_layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Answered(session) if self.protection != Protection::None => Some(session),
            _ => None,
        }
    }
}

impl Mechanism for Ntlm {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        self.first().map(Some)
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        Ok(self.next(challenge)?.unwrap_or_default())
    }

    fn finish(&mut self, server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        if server_credentials.is_some_and(|credentials| !credentials.is_empty()) {
            return Err(malformed("something comes with success"));
        }
        if self.is_established() {
            return Ok(());
        }
        Err(SaslError::OutOfTurn { mechanism: NAME, what: "success before the challenge was answered" })
    }

    fn layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
        self.take_layer()
    }
}

fn malformed(what: &'static str) -> SaslError {
    SaslError::Malformed { mechanism: NAME, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags of MS-NLMP section 4.2.4, which offer everything.
    const SERVER_FLAGS: u32 = 0xe28a_8233 | flags::SEAL;
    const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    /// "Domain" and "Server".
    const TARGET_INFO: &[u8] = b"\x02\0\x0c\0D\0o\0m\0a\0i\0n\0\x01\0\x0c\0S\0e\0r\0v\0e\0r\0\0\0\0\0";

    fn password() -> Password {
        Password::new("Password").unwrap()
    }

    fn ntlm(protection: Protection) -> Ntlm {
        let fresh = Fresh {
            client_challenge: [0xaa; 8],
            session_key: [0x55; 16].into(),
            now: FileTime::from_ticks(0),
        };
        Ntlm::new("Domain", "User", &password(), fresh).unwrap().protection(protection)
    }

    fn challenge(flags: u32, target_info: &[u8]) -> Vec<u8> {
        let length = (target_info.len() as u16).to_le_bytes();
        let fields = [&length[..], &length, &48_u32.to_le_bytes()].concat();
        [
            b"NTLMSSP\0\x02\0\0\0",
            &[0; 8][..],
            &flags.to_le_bytes(),
            &SERVER_CHALLENGE,
            &[0; 8],
            &fields,
            target_info,
        ]
        .concat()
    }

    #[test]
    fn the_proof_and_the_keys_are_those_of_ms_nlmp_4_2_4() {
        let key = keys::response_key(&password(), "User", "Domain").unwrap();
        let bytes = challenge(SERVER_FLAGS, TARGET_INFO);
        let challenge = Challenge::read(&bytes).unwrap();
        let proof = Proof::new(&key, &challenge, [0; 8], &[0xaa; 8], challenge.target_info);
        let expected =
            [0x68, 0xcd, 0x0a, 0xb8, 0x51, 0xe5, 0x1c, 0x96, 0xaa, 0xbc, 0x92, 0x7b, 0xeb, 0xef, 0x6a, 0x1c];
        assert_eq!(&proof.response[..16], expected);
        let expected =
            [0x8d, 0xe4, 0x0c, 0xca, 0xdb, 0xc1, 0x4a, 0x82, 0xf1, 0x5c, 0xb0, 0xad, 0x0d, 0xe9, 0x5c, 0xa3];
        assert_eq!(*proof.session_key, expected);
        let expected =
            [0xc5, 0xda, 0xd2, 0x54, 0x4f, 0xc9, 0x79, 0x90, 0x94, 0xce, 0x1c, 0xe9, 0x0b, 0xc9, 0xd0, 0x3e];
        assert_eq!(keys::encrypted(&proof.session_key, &Zeroizing::new([0x55; 16])), expected);
    }

    #[test]
    fn the_last_message_carries_a_mic_over_all_three() {
        let mut ntlm = ntlm(Protection::Confidentiality);
        let negotiate = ntlm.start().unwrap().unwrap();
        let challenge = challenge(SERVER_FLAGS, TARGET_INFO);
        let mut authenticate = ntlm.respond(&challenge).unwrap();
        let mic: [u8; 16] = authenticate[72..88].try_into().unwrap();
        authenticate[72..88].fill(0);
        assert_eq!(mic, *keys::hmac(&[0x55; 16], &[&negotiate, &challenge, &authenticate]));
        ntlm.finish(None).unwrap();
        assert!(ntlm.layer().is_some());
        assert!(ntlm.layer().is_none(), "it is taken once");
    }

    #[test]
    fn without_protection_there_is_no_layer_and_no_key_is_sent() {
        let mut ntlm = ntlm(Protection::None);
        ntlm.start().unwrap();
        let authenticate = ntlm.respond(&challenge(SERVER_FLAGS, TARGET_INFO)).unwrap();
        assert_eq!(&authenticate[52..54], &[0, 0], "the session key's length");
        ntlm.finish(Some(b"")).unwrap();
        assert!(ntlm.layer().is_none());
    }

    #[test]
    fn a_server_that_takes_something_away_is_refused() {
        for missing in [
            flags::SEAL,
            flags::SIGN,
            flags::KEY_EXCHANGE,
            flags::STRONG,
            flags::EXTENDED_SESSION_SECURITY,
            flags::UNICODE,
            flags::TARGET_INFO,
        ] {
            let mut ntlm = ntlm(Protection::Confidentiality);
            ntlm.start().unwrap();
            assert!(ntlm.respond(&challenge(SERVER_FLAGS & !missing, TARGET_INFO)).is_err(), "{missing:#x}");
            assert!(ntlm.finish(None).is_err());
            assert!(ntlm.layer().is_none());
        }
    }

    #[test]
    fn success_out_of_turn_and_a_second_challenge_are_refused() {
        let mut early = ntlm(Protection::None);
        early.start().unwrap();
        assert!(early.finish(None).is_err());
        let mut twice = ntlm(Protection::None);
        twice.start().unwrap();
        let challenge = challenge(SERVER_FLAGS, TARGET_INFO);
        twice.respond(&challenge).unwrap();
        assert!(twice.respond(&challenge).is_err());
    }

    #[test]
    fn an_account_without_a_name_cannot_be_asked_for() {
        let fresh =
            || Fresh { client_challenge: [0; 8], session_key: [0; 16].into(), now: FileTime::from_ticks(0) };
        assert!(Ntlm::new("Domain", "", &password(), fresh()).is_err());
        assert!(Ntlm::new(&"x".repeat(1025), "a", &password(), fresh()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_challenge_makes_it_panic(bytes in proptest::collection::vec(0_u8.., 0..200), cut in 0_usize..120) {
            let mut rubbish = ntlm(Protection::Confidentiality);
            rubbish.start().unwrap();
            drop(rubbish.respond(&bytes));
            let mut broken = ntlm(Protection::Confidentiality);
            broken.start().unwrap();
            let whole = challenge(SERVER_FLAGS, &bytes);
            drop(broken.respond(&whole[..cut.min(whole.len())]));
        }
    }
}
