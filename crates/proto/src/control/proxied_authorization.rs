use super::Control;
use crate::ber::{Error, ErrorKind};
use bytes::Bytes;

/// Proxied authorization, version 2 (RFC 4370): one operation in the name of somebody else.
///
/// The server decides whether whoever is bound may speak for them, and ends the operation with authorizationDenied (123)
/// when not.
///
/// ```
/// use ldapgate_proto::control::ProxiedAuthorization;
///
/// let ada = ProxiedAuthorization::dn("uid=ada,dc=example,dc=com");
/// assert_eq!(ada.identity, "dn:uid=ada,dc=example,dc=com");
/// assert!(ada.to_control().critical, "or a server without it would act as whoever is bound");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProxiedAuthorization {
    /// An authorization identity (RFC 4513 section 5.2.1.8): `dn:...` or `u:...`; empty is nobody.
    pub identity: String,
}

impl ProxiedAuthorization {
    /// The control's OID.
    pub const OID: &'static str = "2.16.840.1.113730.3.4.18";

    /// As the entry of this name.
    pub fn dn(dn: &str) -> ProxiedAuthorization {
        ProxiedAuthorization { identity: format!("dn:{dn}") }
    }

    /// As the user whom the server knows by this name.
    pub fn user(name: &str) -> ProxiedAuthorization {
        ProxiedAuthorization { identity: format!("u:{name}") }
    }

    /// As nobody.
    pub fn anonymous() -> ProxiedAuthorization {
        ProxiedAuthorization { identity: String::new() }
    }

    /// The control that asks for this: always critical and always with a value (RFC 4370 section 3).
    pub fn to_control(&self) -> Control {
        let value = Bytes::copy_from_slice(self.identity.as_bytes());
        Control::new(ProxiedAuthorization::OID, Some(value)).critical()
    }

    /// Reads the control's value, which is text and no BER; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing, or not UTF-8, or no authorization identity.
    pub fn parse(control: &Control) -> Result<ProxiedAuthorization, Error> {
        let identity = control.content(crate::ber::Tag::OCTETS)?.as_text("authorization identity")?;
        if !(identity.is_empty() || identity.starts_with("dn:") || identity.starts_with("u:")) {
            return Err(Error::new(ErrorKind::Invalid("an identity that is neither dn: nor u:"), 0));
        }
        Ok(ProxiedAuthorization { identity: identity.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(value: Option<&'static [u8]>) -> Result<ProxiedAuthorization, ErrorKind> {
        let control = Control::new(ProxiedAuthorization::OID, value.map(Bytes::from_static));
        ProxiedAuthorization::parse(&control).map_err(|error| error.kind)
    }

    #[test]
    fn the_value_is_the_bare_identity_as_ldapsearch_sends_it() {
        let control = ProxiedAuthorization::dn("uid=a").to_control();
        assert_eq!((control.critical, control.value.as_deref()), (true, Some(&b"dn:uid=a"[..])));
        assert_eq!(ProxiedAuthorization::anonymous().to_control().value.as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        assert_eq!(parse(Some(b"")), Ok(ProxiedAuthorization::anonymous()));
        assert!(parse(Some(b"ada")).is_err());
        assert!(parse(Some(b"\x04\x03u:a")).is_err(), "the form of a draft");
        assert!(parse(Some(b"u:\xff")).is_err());
        assert!(parse(None).is_err());
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in ".{0,200}") {
            for asked in [ProxiedAuthorization::dn(&name), ProxiedAuthorization::user(&name)] {
                prop_assert_eq!(ProxiedAuthorization::parse(&asked.to_control()), Ok(asked));
            }
        }
    }
}
