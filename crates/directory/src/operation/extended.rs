//! Extended operations (RFC 4511 section 4.12): who-am-I. StartTLS is the connection's own affair.

use proto::message::{ExtendedRequest, ExtendedResponse};
use proto::{ResultCode, WhoAmI};

use super::{Identity, refuse};
use crate::tree::Tree;

/// Answers an extended request.
pub(super) fn extended(tree: &Tree, who: Identity, request: &ExtendedRequest) -> ExtendedResponse {
    if request.oid != WhoAmI::OID {
        let text = format!("the extended operation {} is not known", request.oid);
        return ExtendedResponse::new(refuse(ResultCode::PROTOCOL_ERROR, text));
    }
    if request.value.is_some() {
        return ExtendedResponse::new(refuse(ResultCode::PROTOCOL_ERROR, "who-am-I takes no value"));
    }
    let node = match who {
        Identity::Anonymous => None,
        Identity::Entry(id) => tree.get(id),
    };
    let identity = node.map_or_else(String::new, |node| format!("dn:{}", node.dn.as_str()));
    WhoAmI::response(&identity)
}
