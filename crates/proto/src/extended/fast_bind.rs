use crate::message::ExtendedRequest;

/// Fast bind (MS-ADTS section 3.1.1.3.4.2.1): from the answer on, binds on this connection check a password and nothing more.
///
/// Nobody is bound by them: the connection stays anonymous, the server gathers no groups, and binds may overlap.
///
/// ```
/// use ldapgate_proto::extended::FastBind;
///
/// assert_eq!(FastBind::request().oid, "1.2.840.113556.1.4.1781");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FastBind;

impl FastBind {
    /// The operation's OID.
    pub const OID: &'static str = "1.2.840.113556.1.4.1781";

    /// Asks for it.
    pub fn request() -> ExtendedRequest {
        ExtendedRequest { oid: FastBind::OID.to_owned(), value: None }
    }
}
