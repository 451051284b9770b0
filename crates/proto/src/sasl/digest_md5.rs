//! DIGEST-MD5 (RFC 2831) for authentication alone: both sides prove that they know the password. Moved to historic by
//! RFC 6331; here for servers that have nothing better.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::directives::{self, Directive, quote};
use super::text::{check_name, check_nonce, message};
use super::{Mechanism, SaslError};
use crate::Password;

const NAME: &str = "DIGEST-MD5";

/// A digest by the password, and the server's in return. Whoever sees it can try passwords at leisure, so it asks for an
/// encrypted connection.
///
/// ```
/// use ldapgate_proto::Password;
/// use ldapgate_proto::sasl::{DigestMd5, Mechanism, nonce};
///
/// let password = Password::new("secret")?;
/// let mut digest = DigestMd5::new("chris", password, "ldap/ldap.example.com", nonce(&[7; 18]))?;
/// assert!(digest.start()?.is_none(), "the server speaks first");
/// let challenge = br#"realm="example.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8"#;
/// let response = digest.respond(challenge)?;
/// assert!(response.starts_with(b"charset=utf-8,username=\"chris\",realm=\"example.com\","));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DigestMd5 {
    user: String,
    password: Password,
    authzid: String,
    realm: Option<String>,
    digest_uri: String,
    cnonce: String,
    state: State,
}

enum State {
    /// The challenge has not come.
    Begun,
    /// What the server has to answer.
    Answered {
        expected: Hex,
    },
    Proved,
}

type Hex = [u8; 32];

/// What a challenge asks for.
struct Challenge<'m> {
    realms: Vec<&'m str>,
    nonce: &'m str,
    utf8: bool,
}

impl DigestMd5 {
    /// As this user, at the server that `digest_uri` names, such as `ldap/ldap.example.com`; `cnonce` is a
    /// [`nonce`](super::nonce).
    ///
    /// # Errors
    ///
    /// When the nonce cannot be one.
    pub fn new(
        user: impl Into<String>,
        password: Password,
        digest_uri: impl Into<String>,
        cnonce: impl Into<String>,
    ) -> Result<DigestMd5, SaslError> {
        let cnonce = cnonce.into();
        check_nonce(NAME, &cnonce)?;
        Ok(DigestMd5 {
            user: user.into(),
            password,
            authzid: String::new(),
            realm: None,
            digest_uri: digest_uri.into(),
            cnonce,
            state: State::Begun,
        })
    }

    /// As somebody whom the user may act as.
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> DigestMd5 {
        self.authzid = authzid.into();
        self
    }

    /// In this realm, whichever the server names. Without it the server's is taken, when it names one.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> DigestMd5 {
        self.realm = Some(realm.into());
        self
    }

    fn answer(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let text = message(NAME, challenge)?;
        let directives = directives::read(text).map_err(malformed)?;
        let challenge = Challenge::read(&directives)?;
        let latin = [self.user.as_bytes(), self.password.expose()].iter().all(|text| text.is_ascii());
        if !challenge.utf8 && !latin {
            return Err(unsupported("the server takes no UTF-8, and the name or the password needs it"));
        }
        let realm = match (&self.realm, challenge.realms.as_slice()) {
            (Some(realm), _) => realm.as_str(),
            (None, []) => "",
            (None, [realm]) => realm,
            (None, _) => return Err(unsupported("the server names several realms: choose one")),
        };
        let a1 = self.a1(realm, challenge.nonce);
        let response = self.digest(&a1, challenge.nonce, "AUTHENTICATE:");
        let expected = self.digest(&a1, challenge.nonce, ":");
        let mut answer = String::new();
        if challenge.utf8 {
            answer.push_str("charset=utf-8,");
        }
        let _ = write!(answer, "username={},", quote(&self.user));
        if !realm.is_empty() {
            let _ = write!(answer, "realm={},", quote(realm));
        }
        let _ = write!(
            answer,
            "nonce={},nc=00000001,cnonce=\"{}\",digest-uri={},response={},qop=auth",
            quote(challenge.nonce),
            self.cnonce,
            quote(&self.digest_uri),
            String::from_utf8_lossy(&response),
        );
        if !self.authzid.is_empty() {
            let _ = write!(answer, ",authzid={}", quote(&self.authzid));
        }
        self.state = State::Answered { expected };
        Ok(Zeroizing::new(answer.into_bytes()))
    }

    /// H(A1) in hexadecimal (section 2.1.2.1).
    fn a1(&self, realm: &str, nonce: &str) -> Zeroizing<Hex> {
        let mut secret = Md5::new();
        secret.update(&*latin1(self.user.as_bytes()));
        secret.update(b":");
        secret.update(&*latin1(realm.as_bytes()));
        secret.update(b":");
        secret.update(&*latin1(self.password.expose()));
        let mut secret: [u8; 16] = secret.finalize().into();
        let mut a1 = Md5::new();
        a1.update(secret);
        secret.zeroize();
        for part in [":", nonce, ":", &self.cnonce] {
            a1.update(part);
        }
        if !self.authzid.is_empty() {
            a1.update(":");
            a1.update(&self.authzid);
        }
        Zeroizing::new(hex(a1.finalize().into()))
    }

    /// The response of either side, whose A2 begins differently.
    fn digest(&self, a1: &Hex, nonce: &str, begin: &str) -> Hex {
        let a2 = hex(Md5::new().chain_update(begin).chain_update(&self.digest_uri).finalize().into());
        let mut digest = Md5::new();
        digest.update(a1);
        for part in [":", nonce, ":00000001:", &self.cnonce, ":auth:"] {
            digest.update(part);
        }
        digest.update(a2);
        hex(digest.finalize().into())
    }

    /// Does the server's answer show that it knows the password?
    fn prove(&mut self, answer: &[u8]) -> Result<(), SaslError> {
        let State::Answered { expected } = &self.state else {
            return Err(SaslError::OutOfTurn { mechanism: NAME, what: "a proof before the challenge" });
        };
        let text = message(NAME, answer)?;
        let directives = directives::read(text).map_err(malformed)?;
        let proof = only(&directives, "rspauth")?
            .ok_or(SaslError::NotProved { mechanism: NAME, what: "it sent no rspauth" })?;
        if !bool::from(proof.to_ascii_lowercase().as_bytes().ct_eq(expected)) {
            return Err(SaslError::NotProved { mechanism: NAME, what: "its rspauth is wrong" });
        }
        self.state = State::Proved;
        Ok(())
    }
}

impl Mechanism for DigestMd5 {
    fn name(&self) -> &str {
        NAME
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        check_name(NAME, &self.user, "user name: it holds a NUL")?;
        check_name(NAME, &self.authzid, "authorization identity: it holds a NUL")?;
        check_name(NAME, self.realm.as_deref().unwrap_or_default(), "realm: it holds a NUL")?;
        if self.user.is_empty() {
            return Err(SaslError::Unfit { mechanism: NAME, what: "user name: it is empty" });
        }
        Ok(None)
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        match self.state {
            State::Begun => self.answer(challenge),
            State::Answered { .. } => self.prove(challenge).map(|()| Zeroizing::default()),
            State::Proved => Err(SaslError::OutOfTurn { mechanism: NAME, what: "a third challenge" }),
        }
    }

    fn finish(&mut self, server_credentials: Option<&[u8]>) -> Result<(), SaslError> {
        match (&self.state, server_credentials) {
            (State::Begun, _) => {
                Err(SaslError::OutOfTurn { mechanism: NAME, what: "success without a challenge" })
            }
            (State::Answered { .. }, Some(proof)) => self.prove(proof),
            (State::Answered { .. }, None) => {
                Err(SaslError::NotProved { mechanism: NAME, what: "it sent no rspauth" })
            }
            (State::Proved, _) => Ok(()),
        }
    }
}

impl<'m> Challenge<'m> {
    fn read(directives: &'m [Directive<'m>]) -> Result<Challenge<'m>, SaslError> {
        let nonce = only(directives, "nonce")?.filter(|nonce| !nonce.is_empty());
        let nonce = nonce.ok_or(malformed("it has no nonce"))?;
        match only(directives, "algorithm")? {
            Some(algorithm) if algorithm.eq_ignore_ascii_case("md5-sess") => {}
            Some(_) => return Err(unsupported("the server asks for an unknown algorithm")),
            None => return Err(malformed("it has no algorithm")),
        }
        let qop = only(directives, "qop")?.unwrap_or("auth");
        if !qop.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")) {
            return Err(unsupported("the server insists on a security layer"));
        }
        let utf8 = match only(directives, "charset")? {
            Some(charset) if charset.eq_ignore_ascii_case("utf-8") => true,
            Some(_) => return Err(malformed("its charset is not utf-8")),
            None => false,
        };
        let realms = all(directives, "realm").collect();
        Ok(Challenge { realms, nonce, utf8 })
    }
}

fn all<'m>(directives: &'m [Directive<'m>], name: &str) -> impl Iterator<Item = &'m str> {
    directives.iter().filter(move |one| one.name.eq_ignore_ascii_case(name)).map(|one| &*one.value)
}

/// The value of what may come once.
fn only<'m>(directives: &'m [Directive<'m>], name: &str) -> Result<Option<&'m str>, SaslError> {
    let mut values = all(directives, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(malformed("a directive comes twice")),
    }
}

fn malformed(what: &'static str) -> SaslError {
    SaslError::Malformed { mechanism: NAME, what }
}

fn unsupported(what: &'static str) -> SaslError {
    SaslError::Unsupported { mechanism: NAME, what }
}

/// What is hashed of a text: its ISO 8859-1 form when it has one, else its UTF-8 (section 2.1.2.1).
fn latin1(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let narrow =
        |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>();
    let narrowed = std::str::from_utf8(text).ok().and_then(narrow);
    Zeroizing::new(narrowed.unwrap_or_else(|| text.to_vec()))
}

fn hex(octets: [u8; 16]) -> Hex {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 32];
    for (pair, octet) in hex.chunks_exact_mut(2).zip(octets) {
        pair.copy_from_slice(&[DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHALLENGE: &[u8] =
        br#"realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8"#;

    fn chris(uri: &str, cnonce: &str) -> DigestMd5 {
        DigestMd5::new("chris", Password::new("secret").unwrap(), uri, cnonce).unwrap()
    }

    fn imap() -> DigestMd5 {
        let mut chris = chris("imap/elwood.innosoft.com", "OA6MHXh6VqTrRk");
        chris.start().unwrap();
        chris
    }

    /// RFC 2831 section 4, over IMAP and over ACAP.
    #[test]
    fn the_examples_of_the_rfc() {
        let mut one = imap();
        let expected = concat!(
            r#"charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh","#,
            r#"nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com","#,
            "response=d388dad90d4bbd760a152321f2143af7,qop=auth"
        );
        assert_eq!(String::from_utf8_lossy(&one.respond(CHALLENGE).unwrap()), expected);
        one.finish(Some(b"rspauth=ea40f60335c427b5527b84dbabcdfffd")).unwrap();

        let mut other = chris("acap/elwood.innosoft.com", "OA9BSuZWMSpW8m");
        let challenge = String::from_utf8_lossy(CHALLENGE).replace("OA6MG9tEQGm2hh", "OA9BSXrbuRhWay");
        let response = other.respond(challenge.as_bytes()).unwrap();
        assert!(String::from_utf8_lossy(&response).contains("response=6084c6db3fede7352c551284490fd0fc,"));
        assert!(other.respond(b"rspauth=2f0b3d7c3c2e486600ef710726aa2eae").unwrap().is_empty());
        other.finish(None).unwrap();
    }

    #[test]
    fn success_without_the_servers_proof_is_none() {
        assert!(matches!(imap().finish(None), Err(SaslError::OutOfTurn { .. })));
        for proof in [
            None,
            Some(&b""[..]),
            Some(b"rspauth=ea40f60335c427b5527b84dbabcdfffe"),
            Some(b"rspauth=ea40f603"),
            Some(b"rspauth=\"\""),
        ] {
            let mut digest = imap();
            digest.respond(CHALLENGE).unwrap();
            assert!(matches!(digest.finish(proof), Err(SaslError::NotProved { .. })), "{proof:?}");
        }
        let mut digest = imap();
        digest.respond(CHALLENGE).unwrap();
        assert!(digest.respond(CHALLENGE).is_err(), "a second challenge proves nothing");
    }

    #[test]
    fn challenges_that_cannot_be_answered() {
        for challenge in [
            r#"realm="a",qop="auth",algorithm=md5-sess,charset=utf-8"#,
            r#"nonce="a",nonce="b",algorithm=md5-sess"#,
            r#"nonce="a",algorithm=md5-sess,qop="auth-int,auth-conf""#,
            r#"nonce="a",algorithm=md5"#,
            r#"nonce="a""#,
            r#"nonce="a",algorithm=md5-sess,charset=latin1"#,
            r#"nonce="a",algorithm=md5-sess,realm="x",realm="y""#,
            "",
        ] {
            assert!(imap().respond(challenge.as_bytes()).is_err(), "{challenge}");
        }
        let mut chosen = imap().realm("y");
        let challenge = br#"nonce="a",algorithm=md5-sess,realm="x",realm="y""#;
        assert!(String::from_utf8_lossy(&chosen.respond(challenge).unwrap()).contains(r#"realm="y""#));
    }

    #[test]
    fn texts_are_hashed_in_latin_1_where_they_have_it() {
        assert_eq!(latin1("Ünï".as_bytes()).as_slice(), [0xdc, b'n', 0xef]);
        assert_eq!(latin1("\u{142}".as_bytes()).as_slice(), "\u{142}".as_bytes());
        let password = Password::new("\u{142}").unwrap();
        let mut digest = DigestMd5::new("a", password, "ldap/h", "n").unwrap();
        assert!(matches!(
            digest.respond(br#"nonce="a",algorithm=md5-sess"#),
            Err(SaslError::Unsupported { .. })
        ));
    }

    #[test]
    fn whom_to_act_as_is_named_and_hashed() {
        let answer = |digest: &mut DigestMd5| {
            String::from_utf8_lossy(&digest.respond(CHALLENGE).unwrap()).into_owned()
        };
        let (plain, acting) = (answer(&mut imap()), answer(&mut imap().authzid("u:\"x\"")));
        assert!(acting.ends_with(r#",qop=auth,authzid="u:\"x\"""#), "{acting}");
        let response = |text: &str| text.split("response=").nth(1).map(|rest| rest[..32].to_owned());
        assert_ne!(response(&plain), response(&acting));
    }

    proptest! {
        #[test]
        fn nothing_that_a_server_sends_panics(challenge: Vec<u8>, text in r#"[a-z=",\\ ]{0,60}"#) {
            let _ = imap().respond(&challenge);
            let _ = imap().respond(text.as_bytes());
            let mut digest = imap();
            digest.respond(CHALLENGE).unwrap();
            prop_assert!(digest.finish(Some(&challenge)).is_err());
        }
    }
}
