use crate::message::{ExtendedRequest, ExtendedResponse, LdapResult};

/// StartTLS (RFC 4511 section 4.14): from the answer on, the connection speaks TLS.
#[derive(Debug, Clone, Copy)]
pub struct StartTls;

impl StartTls {
    /// The operation's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.1466.20037";

    /// Asks for TLS.
    pub fn request() -> ExtendedRequest {
        ExtendedRequest { oid: StartTls::OID.to_owned(), value: None }
    }

    /// The answer, which carries the operation's name.
    pub fn response(result: LdapResult) -> ExtendedResponse {
        ExtendedResponse { result, oid: Some(StartTls::OID.to_owned()), value: None }
    }
}
