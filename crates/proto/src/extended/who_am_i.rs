use crate::ber::{Error, ErrorKind};
use crate::message::{ExtendedRequest, ExtendedResponse, LdapResult};
use bytes::Bytes;

/// Who am I? (RFC 4532): the identity that the server takes the connection for.
#[derive(Debug, Clone, Copy)]
pub struct WhoAmI;

impl WhoAmI {
    /// The operation's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.1.11.3";

    /// Asks.
    pub fn request() -> ExtendedRequest {
        ExtendedRequest { oid: WhoAmI::OID.to_owned(), value: None }
    }

    /// Answers with an authorisation identity: `dn:uid=ada,dc=example,dc=com`, `u:ada`, or "" for nobody.
    pub fn response(identity: &str) -> ExtendedResponse {
        let value = Some(Bytes::copy_from_slice(identity.as_bytes()));
        ExtendedResponse { result: LdapResult::success(), oid: None, value }
    }

    /// The identity in an answer; "" is nobody. Look at the result first.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8.
    pub fn parse(response: &ExtendedResponse) -> Result<&str, Error> {
        std::str::from_utf8(response.value.as_deref().unwrap_or_default())
            .map_err(|error| Error::new(ErrorKind::NotUtf8 { what: "identity" }, error.valid_up_to()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_an_empty_or_a_missing_value() {
        assert_eq!(WhoAmI::parse(&WhoAmI::response("")), Ok(""));
        assert_eq!(WhoAmI::parse(&ExtendedResponse::new(LdapResult::success())), Ok(""));
        assert_eq!(WhoAmI::parse(&WhoAmI::response("dn:uid=ada")), Ok("dn:uid=ada"));
    }
}
