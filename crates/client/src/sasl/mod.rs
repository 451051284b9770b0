//! SASL (RFC 4513 section 5.2): who binds by which mechanism. The mechanisms themselves are in `proto::sasl`.

mod exchange;
mod layered;
mod peer;
#[cfg(feature = "ntlm")]
mod sicily;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use proto::Password;
use proto::sasl::{
    Anonymous, CramMd5, DigestMd5, External, Mechanism, OAuthBearer, Offer, Plain, SaslError, Scram,
    ScramHash,
};

use layered::{LayerChoice, Layered};
pub use peer::{Binding, SaslPeer};

use crate::identity::SecretSource;
use crate::{BoxError, Error};

const NO_PLUS: &str = "channel binding: it has no place";
const NO_BINDING: &str = "the connection has no channel binding of the kind";

/// A SASL bind: a mechanism, a name and the source of its secret. It can be used for any number of binds, but for one made
/// of a [`Sasl::mechanism`].
///
/// SASL is for services and for the library's own users. A directory's password policy does not hold for it everywhere:
/// OpenLDAP lets locked and expired people in by SASL.
///
/// ```
/// use ldapgate_client::{Password, Sasl};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sasl = Sasl::scram_sha_256("reader", Password::new("secret")?).authzid("u:ada");
/// assert_eq!(format!("{sasl:?}"), r#"Sasl("SCRAM-SHA-256 as reader for u:ada")"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sasl {
    way: Way,
    user: String,
    authzid: String,
    realm: Option<String>,
    /// Bound to the TLS connection, or no bind at all.
    plus: bool,
    binding: Option<Binding>,
    without_plain: bool,
    layer: LayerChoice,
    secret: Option<Arc<SecretSource>>,
}

/// Makes a mechanism when a bind begins.
type Maker = dyn Fn(&SaslPeer<'_>, Option<&Password>) -> Result<Box<dyn Mechanism>, SaslError> + Send + Sync;

#[derive(Clone)]
enum Way {
    External,
    Anonymous,
    Password(Offer),
    Strongest,
    OAuthBearer,
    Layered(Layered),
    Made { name: String, maker: Arc<Maker> },
    Once { name: String, mechanism: Arc<Mutex<Option<Box<dyn Mechanism>>>> },
}

impl Sasl {
    /// EXTERNAL: whoever the server sees at the other end, by the client certificate or, over `ldapi`, by the process's
    /// user.
    pub fn external() -> Sasl {
        Sasl::new(Way::External, "")
    }

    /// ANONYMOUS: nobody, with a trace for the server's log, which may be empty.
    pub fn anonymous(trace: impl Into<String>) -> Sasl {
        Sasl::new(Way::Anonymous, trace)
    }

    /// PLAIN: the server sees the password, so the connection must be private.
    pub fn plain(user: impl Into<String>, password: Password) -> Sasl {
        Sasl::new(Way::Password(Offer::Plain), user).password(password)
    }

    /// CRAM-MD5: the server proves nothing, and a listener can try passwords, so the connection must be private.
    pub fn cram_md5(user: impl Into<String>, password: Password) -> Sasl {
        Sasl::new(Way::Password(Offer::CramMd5), user).password(password)
    }

    /// DIGEST-MD5: a listener can try passwords, so the connection must be private.
    pub fn digest_md5(user: impl Into<String>, password: Password) -> Sasl {
        Sasl::new(Way::Password(Offer::DigestMd5), user).password(password)
    }

    /// SCRAM-SHA-1.
    pub fn scram_sha_1(user: impl Into<String>, password: Password) -> Sasl {
        Sasl::scram(ScramHash::Sha1, user).password(password)
    }

    /// SCRAM-SHA-256.
    pub fn scram_sha_256(user: impl Into<String>, password: Password) -> Sasl {
        Sasl::scram(ScramHash::Sha256, user).password(password)
    }

    /// SCRAM-SHA-512.
    pub fn scram_sha_512(user: impl Into<String>, password: Password) -> Sasl {
        Sasl::scram(ScramHash::Sha512, user).password(password)
    }

    /// OAUTHBEARER: a bearer token; the server sees it, so the connection must be private.
    pub fn oauth_bearer(token: Password) -> Sasl {
        Sasl::new(Way::OAuthBearer, "").password(token)
    }

    /// The strongest mechanism for a name and a password that the server names in its root entry. That is asked on the
    /// connection that will be bound. Where somebody could listen only SCRAM will do: never CRAM-MD5, DIGEST-MD5 or PLAIN,
    /// whatever the server names.
    pub fn strongest(user: impl Into<String>, password: Password) -> Sasl {
        Sasl::strongest_for(user).password(password)
    }

    /// The same, whose password comes by [`Sasl::reading`] or [`Sasl::password`].
    ///
    /// ```
    /// use ldapgate_client::{Password, Sasl};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sasl = Sasl::strongest_for("reader").reading(|| Ok(Password::new(std::fs::read_to_string("/run/secret")?)?));
    /// # let _ = sasl;
    /// # Ok(())
    /// # }
    /// ```
    pub fn strongest_for(user: impl Into<String>) -> Sasl {
        Sasl::new(Way::Strongest, user)
    }

    /// A mechanism by its registered name, such as `SCRAM-SHA-256-PLUS`, without name or secret yet; `None` for one that is
    /// not known.
    ///
    /// ```
    /// use ldapgate_client::Sasl;
    /// assert!(Sasl::named("digest-md5").is_some() && Sasl::named("X-NEW").is_none());
    /// ```
    pub fn named(mechanism: &str) -> Option<Sasl> {
        let name = mechanism.to_ascii_uppercase();
        let hashes = [ScramHash::Sha1, ScramHash::Sha256, ScramHash::Sha512];
        let scram = hashes.into_iter().flat_map(|hash| [false, true].map(|plus| Offer::Scram { hash, plus }));
        let mut offers = scram.chain([Offer::DigestMd5, Offer::CramMd5, Offer::Plain]);
        let way = match (name.as_str(), offers.find(|offer| offer.name() == name)) {
            (_, Some(offer)) => Way::Password(offer),
            ("EXTERNAL", None) => Way::External,
            ("ANONYMOUS", None) => Way::Anonymous,
            ("OAUTHBEARER", None) => Way::OAuthBearer,
            (name, None) => Way::Layered(Layered::named(name)?),
        };
        Some(Sasl::new(way, ""))
    }

    /// A mechanism of the caller's own, for one bind.
    pub fn mechanism(mechanism: Box<dyn Mechanism>) -> Sasl {
        let name = mechanism.name().to_owned();
        Sasl::new(Way::Once { name, mechanism: Arc::new(Mutex::new(Some(mechanism))) }, "")
    }

    /// A mechanism of the caller's own, made anew for each bind: from what is known of the connection, and the secret when
    /// [`Sasl::password`] or [`Sasl::reading`] gave one. It is called where it may block.
    pub fn made_by(
        name: impl Into<String>,
        maker: impl Fn(&SaslPeer<'_>, Option<&Password>) -> Result<Box<dyn Mechanism>, SaslError>
        + Send
        + Sync
        + 'static,
    ) -> Sasl {
        Sasl::new(Way::Made { name: name.into(), maker: Arc::new(maker) }, "")
    }

    /// The user's name, as the mechanism has it; mostly no DN.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Sasl {
        self.user = user.into();
        self
    }

    /// The user's password.
    #[must_use]
    pub fn password(self, password: Password) -> Sasl {
        self.reading(move || Ok(password.duplicate()))
    }

    /// A source of the secret that is asked at every bind: a secret that was changed on disk needs no restart.
    #[must_use]
    pub fn reading(
        mut self,
        secret: impl Fn() -> Result<Password, BoxError> + Send + Sync + 'static,
    ) -> Sasl {
        self.secret = Some(Arc::new(secret));
        self
    }

    /// Of the strongest: rather none than PLAIN, by which the server sees the password.
    ///
    /// ```
    /// use ldapgate_client::{Password, Sasl};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sasl = Sasl::strongest("reader", Password::new("secret")?).without_plain();
    /// # let _ = sasl;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn without_plain(mut self) -> Sasl {
        self.without_plain = true;
        self
    }

    /// Whom to act as, where the server allows it: `dn:` and a DN, or `u:` and a name (RFC 4513 section 5.2.1.8).
    #[must_use]
    pub fn authzid(mut self, authzid: impl Into<String>) -> Sasl {
        self.authzid = authzid.into();
        self
    }

    /// The realm, for DIGEST-MD5; without it the server's is taken.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Sasl {
        self.realm = Some(realm.into());
        self
    }

    /// Binds a SCRAM mechanism to the TLS connection: its `-PLUS` form, with the best binding that the connection has; of the
    /// strongest only such a form is taken. A mechanism that has none fails before anything is sent.
    #[must_use]
    pub fn plus(mut self) -> Sasl {
        self.plus = true;
        if let Way::Password(Offer::Scram { plus, .. }) = &mut self.way {
            *plus = true;
        }
        self
    }

    /// Binds to the connection by this and no other binding: servers know mostly one. It goes with [`Sasl::plus`], with the
    /// strongest, and with GSSAPI, NTLM and GSS-SPNEGO, which are bound inside TLS anyway; where nothing is bound the bind
    /// fails before its mechanism begins.
    #[must_use]
    pub fn channel_binding(mut self, binding: Binding) -> Sasl {
        self.binding = Some(binding);
        self
    }

    fn new(way: Way, user: impl Into<String>) -> Sasl {
        let (user, authzid) = (user.into(), String::new());
        let layer = LayerChoice::default();
        let (realm, binding, secret) = (None, None, None);
        Sasl { way, user, authzid, realm, plus: false, binding, without_plain: false, layer, secret }
    }

    fn scram(hash: ScramHash, user: impl Into<String>) -> Sasl {
        Sasl::new(Way::Password(Offer::Scram { hash, plus: false }), user)
    }

    /// The mechanism's name, or what stands for it until it is chosen.
    fn name(&self) -> &str {
        match &self.way {
            Way::External => "EXTERNAL",
            Way::Anonymous => "ANONYMOUS",
            Way::Password(offer) => offer.name(),
            Way::Strongest => "SASL",
            Way::OAuthBearer => "OAUTHBEARER",
            Way::Layered(layered) => layered.name(),
            Way::Made { name, .. } | Way::Once { name, .. } => name,
        }
    }

    /// "SCRAM-SHA-256 as reader for u:ada".
    pub(crate) fn describe(&self) -> String {
        let mut words = self.name().to_owned();
        if !self.user.is_empty() {
            words.push_str(&format!(" as {}", self.user));
        }
        if !self.authzid.is_empty() {
            words.push_str(&format!(" for {}", self.authzid));
        }
        words
    }

    /// The secret, read now.
    pub(crate) fn secret(&self) -> Result<Option<Password>, Error> {
        let Some(source) = &self.secret else { return Ok(None) };
        source().map(Some).map_err(|source| Error::Secret { dn: self.describe(), source })
    }

    /// Whoever asks for a channel binding believes that the bind has one.
    fn asks_for_binding(&self) -> bool {
        self.plus || self.binding.is_some()
    }

    /// May the strongest be this one?
    fn allows(&self, mechanism: &str) -> bool {
        let bound = !self.asks_for_binding() || is_plus(mechanism);
        bound && !(self.without_plain && mechanism.eq_ignore_ascii_case("PLAIN"))
    }

    /// What would go without the channel binding that was asked for is not tried.
    fn check_binding(&self, peer: &SaslPeer<'_>) -> Result<(), SaslError> {
        let mechanism = "the mechanism";
        if !self.asks_for_binding() {
            return Ok(());
        }
        match &self.way {
            // Of the strongest no other was chosen.
            Way::Password(Offer::Scram { plus: true, .. }) | Way::Strongest => Ok(()),
            Way::Layered(_) if self.plus => Err(SaslError::Unfit { mechanism, what: NO_PLUS }),
            Way::Layered(_) if peer.channel_binding(self.binding).is_some() => Ok(()),
            Way::Layered(_) => Err(SaslError::Unsupported { mechanism, what: NO_BINDING }),
            _ => Err(SaslError::Unfit { mechanism, what: NO_PLUS }),
        }
    }

    /// The mechanism for one bind. `chosen` says of a strongest one what the server offers.
    fn make(
        &self,
        chosen: Option<Chosen>,
        peer: &SaslPeer<'_>,
        secret: Option<&Password>,
    ) -> Result<Box<dyn Mechanism>, SaslError> {
        self.check_binding(peer)?;
        let secret = |mechanism| {
            secret
                .map(Password::duplicate)
                .ok_or(SaslError::Unfit { mechanism, what: "secret: there is none" })
        };
        let digest_uri = || format!("ldap/{}", peer.host());
        let (user, authzid) = (self.user.as_str(), self.authzid.as_str());
        let chosen = match (&self.way, chosen) {
            (Way::Password(offer), _) => Chosen { offer: *offer, without_plus: false },
            (Way::Strongest, Some(chosen)) => chosen,
            (Way::Strongest, None) => {
                return Err(SaslError::Configuration("no mechanism was chosen".to_owned()));
            }
            (Way::External, _) => return Ok(Box::new(External::new().authzid(authzid))),
            (Way::Anonymous, _) => return Ok(Box::new(Anonymous::new(user)?)),
            (Way::OAuthBearer, _) => {
                let bearer = OAuthBearer::new(secret("OAUTHBEARER")?).at(peer.host(), peer.port());
                return Ok(Box::new(bearer.authzid(if authzid.is_empty() { user } else { authzid })));
            }
            (Way::Layered(layered), _) => return layered.make(self, peer, secret(layered.name()).ok()),
            (Way::Made { maker, .. }, _) => return maker(peer, secret("the mechanism").ok().as_ref()),
            (Way::Once { mechanism, .. }, _) => {
                let mechanism = mechanism.lock().unwrap_or_else(PoisonError::into_inner).take();
                let used =
                    || SaslError::Configuration("the mechanism was used for a bind already".to_owned());
                return mechanism.ok_or_else(used);
            }
        };
        let name = chosen.offer.name();
        let secret = secret(name)?;
        Ok(match chosen.offer {
            Offer::Plain => Box::new(Plain::new(user, secret).authzid(authzid)),
            Offer::CramMd5 if authzid.is_empty() => Box::new(CramMd5::new(user, secret)),
            Offer::CramMd5 => {
                return Err(SaslError::Unfit {
                    mechanism: name,
                    what: "authorization identity: it has no place",
                });
            }
            Offer::DigestMd5 => {
                let digest = DigestMd5::new(user, secret, digest_uri(), fresh_nonce()?)?.authzid(authzid);
                match &self.realm {
                    Some(realm) => Box::new(digest.realm(realm)),
                    None => Box::new(digest),
                }
            }
            Offer::Scram { hash, plus } => {
                let scram = Scram::new(hash, user, secret, fresh_nonce()?)?.authzid(authzid);
                let scram = if peer.is_overheard { scram.overheard() } else { scram };
                let binding = peer.channel_binding(self.binding);
                match (plus, binding) {
                    (true, Some(binding)) => Box::new(scram.bound(binding)),
                    (true, None) => {
                        return Err(SaslError::Unsupported { mechanism: name, what: NO_BINDING });
                    }
                    (false, Some(_)) if chosen.without_plus => Box::new(scram.binding_not_offered()),
                    (false, _) => Box::new(scram),
                }
            }
        })
    }
}

/// What was chosen of a server's offer.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    offer: Offer,
    /// No `-PLUS` was among it, which the server is told.
    without_plus: bool,
}

/// Is this the name of a mechanism that is bound to the connection (RFC 5802 section 4)?
fn is_plus(mechanism: &str) -> bool {
    mechanism.to_ascii_uppercase().ends_with("-PLUS")
}

fn fresh_nonce() -> Result<String, SaslError> {
    let mut random = [0; 18];
    #[expect(clippy::disallowed_methods, reason = "a nonce is what randomness is for")]
    let filled = getrandom::fill(&mut random);
    filled.map_err(|error| SaslError::Library { mechanism: "SASL", reason: error.to_string() })?;
    Ok(proto::sasl::nonce(&random))
}

impl fmt::Debug for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sasl").field(&self.describe()).finish()
    }
}
