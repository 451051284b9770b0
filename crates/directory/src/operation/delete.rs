//! Delete (RFC 4511 section 4.8).

use proto::ResultCode;

use super::{Identity, Recognised, Refusal, name, refuse, target, writer};
use crate::directory::Shared;

/// Takes a leaf out of the tree.
pub(super) fn delete(shared: &Shared, who: Identity, dn: &str, controls: &Recognised) -> Result<(), Refusal> {
    let dn = name(dn)?;
    let mut tree = shared.tree_mut();
    writer(shared, &tree, who)?;
    let node = target(&tree, &dn, controls)?;
    if !node.children.is_empty() {
        return Err(refuse(ResultCode::NOT_ALLOWED_ON_NON_LEAF, "there are entries below it"));
    }
    let id = node.id;
    tree.remove(id);
    Ok(())
}
