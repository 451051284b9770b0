//! Mechanisms that can sign and seal by themselves: Kerberos, and what Active Directory offers beside it.

use proto::Password;
use proto::sasl::{Mechanism, Protection, SaslError};

#[cfg(any(feature = "gssapi", feature = "ntlm"))]
use super::{Binding, Way};
use super::{Sasl, SaslPeer};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layered {
    Gssapi,
    Ntlm,
    /// Around NTLM with a password, around Kerberos without one.
    Spnego,
}

/// What may be chosen of these mechanisms alone.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerChoice {
    protection: Option<Protection>,
    service: Option<String>,
}

impl Sasl {
    /// GSSAPI: Kerberos by the system's library (RFC 4752). The ticket, or the key that a ticket is asked for with, is found
    /// where `KRB5CCNAME`, `KRB5_CLIENT_KTNAME` and the library's configuration say. [`Sasl::user`] chooses among several
    /// tickets by their principal.
    ///
    /// ```no_run
    /// use ldapgate_client::{Connection, Options, Sasl};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let connection = Connection::open(&Options::new(["ldap://dc1.example.com"])?).await?;
    /// let reply = connection.sasl_bind(Sasl::gssapi()).await?;
    /// assert!(reply.is_success() && connection.is_encrypted(), "it is sealed by the ticket's key");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "gssapi")]
    pub fn gssapi() -> Sasl {
        Sasl::new(Way::Layered(Layered::Gssapi), "")
    }

    /// NTLM version 2 as a mechanism of its own, which Samba has and Windows has not: see [`Sasl::gss_spnego`].
    ///
    /// ```no_run
    /// use ldapgate_client::{Password, Sasl};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sasl = Sasl::ntlm("EXAMPLE", "reader", Password::new("secret")?);
    /// # let _ = sasl;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "ntlm")]
    pub fn ntlm(domain: &str, user: &str, password: Password) -> Sasl {
        Sasl::new(Way::Layered(Layered::Ntlm), account(domain, user)).password(password)
    }

    /// GSS-SPNEGO with NTLM version 2 inside, for Active Directory where there is no Kerberos. `domain` may be empty when
    /// `user` is a user principal name. A listener can try passwords, so the connection must be private.
    ///
    /// ```
    /// use ldapgate_client::{Password, Sasl};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sasl = Sasl::gss_spnego("EXAMPLE", "reader", Password::new("secret")?);
    /// assert_eq!(format!("{sasl:?}"), r#"Sasl("GSS-SPNEGO as EXAMPLE\\reader")"#);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "ntlm")]
    pub fn gss_spnego(domain: &str, user: &str, password: Password) -> Sasl {
        Sasl::new(Way::Layered(Layered::Spnego), account(domain, user)).password(password)
    }

    /// GSS-SPNEGO with Kerberos inside: as [`Sasl::gssapi`], but not inside TLS, where only that works.
    ///
    /// ```no_run
    /// use ldapgate_client::Sasl;
    /// let sasl = Sasl::gss_spnego_kerberos();
    /// # let _ = sasl;
    /// ```
    #[cfg(feature = "gssapi")]
    pub fn gss_spnego_kerberos() -> Sasl {
        Sasl::new(Way::Layered(Layered::Spnego), "")
    }

    /// What protects the connection after a bind by GSSAPI, NTLM or GSS-SPNEGO: this, or the bind fails. Signing brings sealing
    /// with it but for GSSAPI. Without a choice: nothing inside TLS, where Active Directory takes no other; sealing
    /// everywhere else.
    ///
    /// ```
    /// use ldapgate_client::{Protection, Sasl};
    /// let sasl = Sasl::named("GSSAPI").map(|sasl| sasl.protection(Protection::Integrity));
    /// # assert!(sasl.is_some());
    /// ```
    #[must_use]
    pub fn protection(mut self, protection: Protection) -> Sasl {
        self.layer.protection = Some(protection);
        self
    }

    /// The service's name in Kerberos, and for NTLM: `ldap/HOST` or `ldap/HOST@REALM`. Without it the URL's host, as it was
    /// written, and the realm of [`Sasl::realm`] or the library's default one.
    ///
    /// ```
    /// use ldapgate_client::Sasl;
    /// let sasl = Sasl::named("GSSAPI").map(|sasl| sasl.service("ldap/dc1.example.com"));
    /// # assert!(sasl.is_some());
    /// ```
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Sasl {
        self.layer.service = Some(name.into());
        self
    }
}

impl Layered {
    pub(super) fn named(name: &str) -> Option<Layered> {
        [Layered::Gssapi, Layered::Ntlm, Layered::Spnego].into_iter().find(|layered| layered.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Layered::Gssapi => "GSSAPI",
            Layered::Ntlm => "NTLM",
            Layered::Spnego => "GSS-SPNEGO",
        }
    }

    pub(super) fn make(
        self,
        sasl: &Sasl,
        peer: &SaslPeer<'_>,
        password: Option<Password>,
    ) -> Result<Box<dyn Mechanism>, SaslError> {
        let mechanism = self.name();
        match (self, password) {
            (Layered::Gssapi, None) => kerberos::gssapi(sasl, peer),
            (Layered::Gssapi, Some(_)) => {
                Err(SaslError::Unfit { mechanism, what: "password: it takes a ticket, as kinit gets one" })
            }
            (Layered::Spnego, None) => kerberos::spnego(sasl, peer),
            (Layered::Ntlm, None) => Err(SaslError::Unfit { mechanism, what: "secret: there is none" }),
            (Layered::Ntlm | Layered::Spnego, Some(_)) if !sasl.authzid.is_empty() => {
                Err(SaslError::Unfit { mechanism, what: "authorization identity: it has no place" })
            }
            (Layered::Ntlm, Some(password)) => ntlm::alone(sasl, peer, &password),
            (Layered::Spnego, Some(password)) => ntlm::negotiated(sasl, peer, &password),
        }
    }
}

#[cfg(feature = "ntlm")]
fn account(domain: &str, user: &str) -> String {
    if domain.is_empty() { user.to_owned() } else { format!("{domain}\\{user}") }
}

/// What these mechanisms are told of the connection.
#[cfg(any(feature = "gssapi", feature = "ntlm"))]
impl Sasl {
    fn layer_on(&self, peer: &SaslPeer<'_>) -> Protection {
        let fitting = if peer.is_encrypted { Protection::None } else { Protection::Confidentiality };
        self.layer.protection.unwrap_or(fitting)
    }

    fn service_at(&self, peer: &SaslPeer<'_>) -> String {
        let named = || match &self.realm {
            Some(realm) => format!("ldap/{}@{realm}", peer.host),
            None => format!("ldap/{}", peer.host),
        };
        self.layer.service.clone().unwrap_or_else(named)
    }

    /// By default the server's certificate: the one binding that Active Directory knows.
    fn bound_to(&self, peer: &SaslPeer<'_>) -> Option<Vec<u8>> {
        let binding = peer.channel_binding(Some(self.binding.unwrap_or(Binding::ServerEndPoint)))?;
        Some([binding.name().as_bytes(), b":", binding.data()].concat())
    }
}

#[cfg(feature = "gssapi")]
mod kerberos {
    use super::{Mechanism, Sasl, SaslError, SaslPeer};
    use crate::gssapi::Request;

    pub(super) fn gssapi(sasl: &Sasl, peer: &SaslPeer<'_>) -> Result<Box<dyn Mechanism>, SaslError> {
        Ok(Box::new(request(sasl, peer).gssapi(peer.limit)?))
    }

    pub(super) fn spnego(sasl: &Sasl, peer: &SaslPeer<'_>) -> Result<Box<dyn Mechanism>, SaslError> {
        if !sasl.authzid.is_empty() {
            let what = "authorization identity: it has no place";
            return Err(SaslError::Unfit { mechanism: "GSS-SPNEGO", what });
        }
        Ok(Box::new(request(sasl, peer).spnego(peer.limit)?))
    }

    fn request(sasl: &Sasl, peer: &SaslPeer<'_>) -> Request {
        Request {
            service: sasl.service_at(peer),
            principal: Some(sasl.user.clone()).filter(|user| !user.is_empty()),
            authorization: sasl.authzid.clone(),
            protection: sasl.layer_on(peer),
            channel_binding: sasl.bound_to(peer),
        }
    }
}

#[cfg(not(feature = "gssapi"))]
mod kerberos {
    use super::{Mechanism, Sasl, SaslError, SaslPeer};

    pub(super) fn gssapi(_sasl: &Sasl, _peer: &SaslPeer<'_>) -> Result<Box<dyn Mechanism>, SaslError> {
        Err(SaslError::Configuration(
            "Kerberos is not in this build: it needs the one with GSSAPI".to_owned(),
        ))
    }

    pub(super) use gssapi as spnego;
}

#[cfg(feature = "ntlm")]
pub(super) mod ntlm {
    use std::time::SystemTime;

    use proto::sasl::{Fresh, Ntlm, Spnego};
    use proto::value::FileTime;
    use zeroize::Zeroizing;

    use super::{Mechanism, Password, Sasl, SaslError, SaslPeer};

    pub(super) fn alone(
        sasl: &Sasl,
        peer: &SaslPeer<'_>,
        password: &Password,
    ) -> Result<Box<dyn Mechanism>, SaslError> {
        Ok(Box::new(ntlm(sasl, peer, password)?))
    }

    pub(super) fn negotiated(
        sasl: &Sasl,
        peer: &SaslPeer<'_>,
        password: &Password,
    ) -> Result<Box<dyn Mechanism>, SaslError> {
        Ok(Box::new(Spnego::new(ntlm(sasl, peer, password)?)))
    }

    pub(in crate::sasl) fn ntlm(
        sasl: &Sasl,
        peer: &SaslPeer<'_>,
        password: &Password,
    ) -> Result<Ntlm, SaslError> {
        let (domain, user) = sasl.user.split_once('\\').unwrap_or(("", &sasl.user));
        let ntlm = Ntlm::new(domain, user, password, fresh()?)?
            .service(&sasl.service_at(peer))
            .protection(sasl.layer_on(peer));
        Ok(match sasl.bound_to(peer) {
            Some(binding) => ntlm.channel_binding(&binding),
            None => ntlm,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "NTLM wants both, and nothing else looks at them")]
    fn fresh() -> Result<Fresh, SaslError> {
        let mut fresh = Fresh {
            client_challenge: [0; 8],
            session_key: Zeroizing::new([0; 16]),
            now: FileTime::from_system_time(SystemTime::now()).unwrap_or(FileTime::from_ticks(0)),
        };
        getrandom::fill(&mut fresh.client_challenge)
            .and_then(|()| getrandom::fill(&mut fresh.session_key[..]))
            .map_err(|error| SaslError::Library { mechanism: "NTLM", reason: error.to_string() })?;
        Ok(fresh)
    }
}

#[cfg(not(feature = "ntlm"))]
mod ntlm {
    use super::{Mechanism, Password, Sasl, SaslError, SaslPeer};

    pub(super) fn alone(
        _sasl: &Sasl,
        _peer: &SaslPeer<'_>,
        _password: &Password,
    ) -> Result<Box<dyn Mechanism>, SaslError> {
        Err(SaslError::Configuration("NTLM is not in this build".to_owned()))
    }

    pub(super) use alone as negotiated;
}
