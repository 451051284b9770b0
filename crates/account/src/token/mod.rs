//! Tokens that say who somebody is without a question to the store: signed, short-lived, and dead when the
//! account's generation moves on.

mod eddsa;
mod jws;
mod keys;
mod legacy;
mod personal;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use self::keys::{Keys, Source, lasts};
use self::legacy::{LegacyClaims, LegacyKey};
pub use self::personal::{NewPersonal, PERSONAL_PREFIX};
pub(crate) use self::personal::{digest as personal_digest, make as personal_text};
use crate::{Account, Ambient, Error, Time, TokenSettings, UserId};

/// So far clocks of those who sign may be ahead, in seconds.
const SKEW: i64 = 60;

/// A token that was issued just now.
pub struct Token {
    /// What the application is to bring.
    pub text: String,
    /// What it is revoked by, the claim `jti`; flask-ldap-auth's tokens have none.
    pub id: Option<String>,
    /// When it ends.
    pub expires: Time,
}

/// The token stays out of logs.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("id", &self.id).field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What a token says of itself, its signature and times checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// An account, the generation the token was issued under, and the token's own id.
    Account { id: UserId, generation: i64, token: String },
    /// A local name, and when the token was issued: all that flask-ldap-auth's tokens say.
    LocalName { name: String, issued: Time },
}

impl Claimed {
    /// Whether the token still speaks for this account.
    pub(crate) fn speaks_for(&self, account: &Account) -> bool {
        let current = match self {
            Self::Account { id, generation, .. } => *id == account.id && *generation == account.generation,
            Self::LocalName { name, issued } => {
                *name == account.local_name && issued.seconds() >= earliest(account)
            }
        };
        current && account.may_act()
    }
}

/// The first second whose tokens by name speak for an account. A name passes from hand to hand: a token from before
/// the account was made, or before its generation moved (which it does with the name), means somebody else. Such tokens
/// know whole seconds only, so one of the second in which the generation moved is dead too.
fn earliest(account: &Account) -> i64 {
    let moved = account.generation_at.map(|moved| moved.seconds().saturating_add(1));
    moved.unwrap_or(i64::MIN).max(account.first_seen.seconds())
}

/// The claims of the contract.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    username: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Makes and reads tokens.
pub(crate) struct Tokens {
    keys: RwLock<Arc<Keys>>,
    legacy: Option<LegacyKey>,
    issuer: String,
    audience: String,
    lifetime: Duration,
    longest: Duration,
}

impl Tokens {
    /// With the keys of the moment.
    pub(crate) fn new(settings: &TokenSettings, keys: Keys) -> Result<Self, Error> {
        let legacy = match (settings.legacy, &settings.secret) {
            (false, _) => None,
            (true, Some(secret)) => Some(LegacyKey::new(secret.expose())?),
            (true, None) => return Err(Error::configuration("token.legacy needs token.secret_key_file")),
        };
        Ok(Self {
            keys: RwLock::new(Arc::new(keys)),
            legacy,
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            lifetime: settings.lifetime,
            longest: settings.max_lifetime,
        })
    }

    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these are the keys.
    pub(crate) fn exchange(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// A token for an account; a lifetime that is too long is cut.
    pub(crate) fn issue(&self, account: &Account, lifetime: Option<Duration>, ambient: &Ambient) -> Token {
        let now = ambient.now();
        let lifetime = lifetime.unwrap_or(self.lifetime).min(self.longest);
        let expires = Time::from_seconds(now.after(lifetime).seconds());
        if let Some(legacy) = &self.legacy {
            // In the second in which the generation moved it is dated a second on, or it would be born dead.
            let issued = Time::from_seconds(now.seconds().max(earliest(account)));
            let text = legacy.sign(&account.local_name, issued, expires);
            return Token { text, id: None, expires };
        }
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: account.id,
            username: account.username.clone(),
            iat: now.seconds(),
            exp: expires.seconds(),
            jti: format!("{}.{}", account.generation, jws::encode(ambient.random::<16>())),
        };
        Token { text: self.keys().sign(&claims), id: Some(claims.jti), expires }
    }

    /// What a token says, if it is one of ours and has not run out. The algorithm is ours to choose: each key
    /// belongs to one, and a token that names another is none.
    pub(crate) fn read(&self, text: &str, now: Time) -> Option<Claimed> {
        let parts = jws::Parts::split(text)?;
        match parts.algorithm()?.as_str() {
            "EdDSA" => self.read_claims(self.keys().verify(&parts)?, now),
            "HS512" => self.read_legacy(self.legacy.as_ref()?.verify(&parts)?, now),
            _ => None,
        }
    }

    /// The public keys as a JWK set (RFC 7517, RFC 8037), the one that signs first.
    pub(crate) fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self.keys().public().map(eddsa::PublicKey::jwk).collect();
        serde_json::json!({ "keys": keys })
    }

    fn read_claims(&self, claims: Claims, now: Time) -> Option<Claimed> {
        if claims.iss != self.issuer || claims.aud != self.audience {
            return None;
        }
        if claims.exp <= now.seconds() || !self.is_plausible(claims.iat, claims.exp, now) {
            return None;
        }
        let generation = claims.jti.split_once('.')?.0.parse().ok()?;
        Some(Claimed::Account { id: claims.sub, generation, token: claims.jti })
    }

    /// The original counts the second in which a token ends as valid.
    fn read_legacy(&self, claims: LegacyClaims, now: Time) -> Option<Claimed> {
        let LegacyClaims { username, issued, expires } = claims;
        let valid = expires >= now.seconds() && self.is_plausible(issued, expires, now);
        valid.then(|| Claimed::LocalName { name: username, issued: Time::from_seconds(issued) })
    }

    /// Whoever holds a key may sign any times: none lies ahead, where it would outlive a revocation, and nothing lasts
    /// longer than is allowed now. In seconds since 1970.
    fn is_plausible(&self, issued: i64, expires: i64, now: Time) -> bool {
        let whole = self.longest.as_secs() + u64::from(self.longest.subsec_nanos() > 0);
        let longest = i64::try_from(whole).unwrap_or(i64::MAX);
        issued <= now.seconds().saturating_add(SKEW) && expires.saturating_sub(issued) <= longest
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::store::SecretBytes;
    use crate::{Clock, Entropy};

    struct Fixed(Time);

    impl Clock for Fixed {
        fn now(&self) -> SystemTime {
            self.0.into()
        }
    }

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(9);
        }
    }

    const NOW: Time = Time::from_seconds(1_700_000_000);

    fn ambient() -> Ambient {
        Ambient { clock: Arc::new(Fixed(NOW)), entropy: Arc::new(Fixed(NOW)) }
    }

    fn settings() -> TokenSettings {
        TokenSettings {
            issuer: "https://gate.example.com".to_owned(),
            audience: "https://gate.example.com".to_owned(),
            ..TokenSettings::default()
        }
    }

    fn legacy_settings(secret: &[u8]) -> TokenSettings {
        TokenSettings { legacy: true, secret: Some(SecretBytes::new(secret.to_vec())), ..settings() }
    }

    fn tokens(settings: &TokenSettings) -> Tokens {
        Tokens::new(settings, Keys::of_seed(&[3; 32])).unwrap()
    }

    fn alice() -> Account {
        serde_json::from_value(serde_json::json!({
            "id": "00000000-0000-4000-8000-00000000000a", "directory": "main", "external_id": "e1",
            "username": "alice", "local_name": "alice", "dn": "uid=alice,dc=example,dc=com",
            "attributes": {}, "fields": {}, "lists": {}, "flags": {}, "groups": [], "local_groups": [], "permissions": [],
            "disabled": false, "generation": 2, "generation_at": NOW.before(Duration::from_secs(60)),
            "first_seen": NOW, "last_login": NOW, "checked": NOW,
        }))
        .unwrap()
    }

    fn later(seconds: u64) -> Time {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_token_speaks_for_its_account_until_it_ends() {
        let tokens = tokens(&settings());
        let token = tokens.issue(&alice(), None, &ambient());
        assert_eq!(token.expires, later(3600));
        let claimed = tokens.read(&token.text, later(3599)).unwrap();
        assert!(claimed.speaks_for(&alice()));
        assert_eq!(tokens.read(&token.text, later(3600)), None);
    }

    #[test]
    fn a_token_dies_with_the_generation_it_was_issued_under() {
        let tokens = tokens(&settings());
        let claimed = tokens.read(&tokens.issue(&alice(), None, &ambient()).text, NOW).unwrap();
        assert!(!claimed.speaks_for(&Account { generation: 3, ..alice() }));
        assert!(!claimed.speaks_for(&Account { disabled: true, ..alice() }));
    }

    #[test]
    fn a_lifetime_that_is_too_long_is_cut() {
        let token = tokens(&settings()).issue(&alice(), Some(Duration::MAX), &ambient());
        assert_eq!(token.expires, later(24 * 3600));
    }

    #[test]
    fn a_token_of_another_issuer_audience_or_key_is_none() {
        let ours = tokens(&settings());
        let elsewhere = TokenSettings { issuer: "https://other.example.com".to_owned(), ..settings() };
        let other_audience = TokenSettings { audience: "wiki.example.com".to_owned(), ..settings() };
        for other in [tokens(&elsewhere), tokens(&other_audience)] {
            assert_eq!(ours.read(&other.issue(&alice(), None, &ambient()).text, NOW), None);
        }
        let other_key = Tokens::new(&settings(), Keys::of_seed(&[4; 32])).unwrap();
        assert_eq!(ours.read(&other_key.issue(&alice(), None, &ambient()).text, NOW), None);
    }

    #[test]
    fn a_token_that_lasts_longer_than_is_allowed_now_is_none() {
        let token = tokens(&settings()).issue(&alice(), Some(Duration::from_secs(7200)), &ambient());
        let shorter = TokenSettings { max_lifetime: Duration::from_secs(3600), ..settings() };
        assert_eq!(tokens(&shorter).read(&token.text, NOW), None);
    }

    #[test]
    fn a_changed_token_is_none() {
        let tokens = tokens(&settings());
        let text = tokens.issue(&alice(), None, &ambient()).text;
        for place in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(tokens.read(std::str::from_utf8(&forged).unwrap(), NOW), None, "byte {place}");
        }
        for text in ["", ".", "..", "...", "a.b.c", &format!("{text}."), &format!("{text}=")] {
            assert_eq!(tokens.read(text, NOW), None);
        }
    }

    #[test]
    fn the_public_key_is_no_secret_for_hmac() {
        let tokens = tokens(&legacy_settings(b"secret key"));
        let x = tokens.jwks()["keys"][0]["x"].as_str().unwrap().to_owned();
        let forger = LegacyKey::new(&jws::decode(&x).unwrap()).unwrap();
        let forged = forger.sign("alice", NOW, later(60));
        assert_eq!(tokens.read(&forged, NOW), None);
    }

    #[test]
    fn a_token_from_before_the_account_bore_its_name_means_somebody_else() {
        let by_name = |issued| Claimed::LocalName { name: "alice".to_owned(), issued };
        let before = NOW.before(Duration::from_secs(1));
        let fresh = Account { generation_at: None, ..alice() };
        assert!(!by_name(before).speaks_for(&fresh), "it is older than the account");
        assert!(by_name(NOW).speaks_for(&fresh));
        let moved = Account { generation_at: Some(later(10)), ..alice() };
        assert!(!by_name(later(10)).speaks_for(&moved));
        assert!(by_name(later(11)).speaks_for(&moved));
    }

    #[test]
    fn a_legacy_token_of_the_second_of_a_revocation_is_not_born_dead() {
        let tokens = tokens(&legacy_settings(b"secret key"));
        let moved = Account { generation_at: Some(NOW), ..alice() };
        let text = tokens.issue(&moved, None, &ambient()).text;
        assert!(tokens.read(&text, NOW).is_some_and(|claimed| claimed.speaks_for(&moved)));
    }

    #[test]
    fn a_token_that_is_dated_ahead_or_lasts_too_long_is_none_whoever_signed_it() {
        let tokens = tokens(&legacy_settings(b"secret key"));
        let legacy = LegacyKey::new(b"secret key").unwrap();
        let day = 24 * 3600;
        let good = |issued: u64, lasts: u64| {
            let (issued, expires) = (later(issued), later(issued + lasts));
            let mut claims = Claims {
                iss: settings().issuer,
                aud: settings().audience,
                sub: alice().id,
                username: "alice".to_owned(),
                iat: issued.seconds(),
                exp: expires.seconds(),
                jti: "2.x".to_owned(),
            };
            let signed = tokens.read(&tokens.keys().sign(&claims), NOW).is_some();
            assert_eq!(tokens.read(&legacy.sign("alice", issued, expires), NOW).is_some(), signed);
            claims.iat = i64::MIN;
            assert_eq!(tokens.read(&tokens.keys().sign(&claims), NOW), None, "no end of a lifetime");
            signed
        };
        assert!(good(0, day) && good(60, day));
        assert!(!good(0, day + 1) && !good(0, 1_000_000_000));
        assert!(!good(61, 60) && !good(100_000_000, 60));
    }

    #[test]
    fn an_unsigned_token_is_none() {
        let tokens = tokens(&settings());
        let text = tokens.issue(&alice(), None, &ambient()).text;
        let (_, payload) = text.split_once('.').unwrap();
        let (payload, signature) = payload.split_once('.').unwrap();
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"none","typ":"JWT"}"#, r#"{"typ":"JWT"}"#] {
            let header = jws::encode(header);
            assert_eq!(tokens.read(&format!("{header}.{payload}."), NOW), None);
            assert_eq!(tokens.read(&format!("{header}.{payload}.{signature}"), NOW), None);
        }
    }

    /// Made by hand with Python's hmac, as flask-ldap-auth's library makes it.
    #[test]
    fn a_legacy_token_made_elsewhere_is_read() {
        let text = include_str!("../../tests/fixtures/flask-ldap-auth.token").trim();
        let tokens = tokens(&legacy_settings(b"not so secret"));
        let claimed = tokens.read(text, NOW).unwrap();
        assert_eq!(claimed, Claimed::LocalName { name: "alice".to_owned(), issued: NOW });
        assert!(claimed.speaks_for(&alice()));
        assert!(!claimed.speaks_for(&Account { generation_at: Some(NOW), ..alice() }));
        assert!(tokens.read(text, later(3600)).is_some());
        assert_eq!(tokens.read(text, later(3601)), None);
        assert_eq!(self::tokens(&settings()).read(text, NOW), None);
    }

    #[test]
    fn a_legacy_token_is_made_to_the_byte() {
        let tokens = tokens(&legacy_settings(b"not so secret"));
        let text = tokens.issue(&alice(), None, &ambient()).text;
        assert_eq!(text, include_str!("../../tests/fixtures/flask-ldap-auth.token").trim());
    }

    #[test]
    fn legacy_without_a_secret_is_an_error() {
        for secret in [None, Some(SecretBytes::new(Vec::new()))] {
            let settings = TokenSettings { legacy: true, secret, ..settings() };
            assert!(Tokens::new(&settings, Keys::of_seed(&[3; 32])).is_err());
        }
    }
}
