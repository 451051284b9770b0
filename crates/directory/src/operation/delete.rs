//! Delete (RFC 4511 section 4.8), alone or with everything below (draft-armijo-ldap-treedelete).

use proto::{Controls, ResultCode};

use super::{Identity, Recognised, Refusal, name, refuse, target, writer};
use crate::directory::Shared;
use crate::tree::{Id, Tree};

/// Takes a leaf, or a branch, out of the tree.
pub(super) fn delete(
    shared: &Shared,
    who: Identity,
    dn: &str,
    controls: &Recognised,
) -> Result<Controls, Refusal> {
    let dn = name(dn)?;
    let mut tree = shared.tree_mut();
    writer(shared, &tree, who)?;
    let node = target(&tree, &dn, controls)?;
    controls.check_assertion(&tree, node)?;
    if !node.children.is_empty() && !controls.tree_delete {
        return Err(refuse(ResultCode::NOT_ALLOWED_ON_NON_LEAF, "there are entries below it"));
    }
    let before = controls.read_before(shared, &tree, node)?;
    for id in branch(&tree, node.id) {
        tree.remove(id);
    }
    Ok(before.into_iter().collect())
}

/// An entry and all below it, each after those below it.
fn branch(tree: &Tree, top: Id) -> Vec<Id> {
    let (mut open, mut branch) = (vec![top], Vec::new());
    while let Some(id) = open.pop() {
        branch.push(id);
        open.extend(tree.get(id).into_iter().flat_map(|node| &node.children));
    }
    branch.reverse();
    branch
}
