use crate::message::{ExtendedResponse, LdapResult};

/// Notice of Disconnection (RFC 4511 section 4.4.1): a server's last words, sent with the message id 0.
#[derive(Debug, Clone, Copy)]
pub struct NoticeOfDisconnection;

impl NoticeOfDisconnection {
    /// The notice's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.1466.20036";

    /// The notice; the result says why.
    pub fn response(result: LdapResult) -> ExtendedResponse {
        ExtendedResponse { result, oid: Some(NoticeOfDisconnection::OID.to_owned()), value: None }
    }

    /// Is it one?
    pub fn is(response: &ExtendedResponse) -> bool {
        response.oid.as_deref() == Some(NoticeOfDisconnection::OID)
    }
}
