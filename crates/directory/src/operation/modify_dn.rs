//! Modify DN (RFC 4511 section 4.9).

use proto::message::ModifyDnRequest;
use proto::{Controls, Dn, Rdn, ResultCode, Scope};

use super::{Identity, Recognised, Refusal, attribute, check_entry, missing, name, refuse, target, writer};
use crate::directory::Shared;
use crate::tree::{Attributes, equality_key};

/// Renames an entry, or moves it with everything below it.
pub(super) fn modify_dn(
    shared: &Shared,
    who: Identity,
    request: &ModifyDnRequest,
    controls: &Recognised,
) -> Result<Controls, Refusal> {
    let dn = name(&request.dn)?;
    let rdn = one_rdn(&request.new_rdn)?;
    let superior = request.new_superior.as_deref().map(name).transpose()?;
    let now = shared.timestamp();
    let mut tree = shared.tree_mut();
    let by = writer(shared, &tree, who)?;
    let node = target(&tree, &dn, controls)?;
    controls.check_assertion(&tree, node)?;
    let before = controls.read_before(shared, &tree, node)?;
    let Some(old_parent) = node.parent.and_then(|parent| tree.get(parent)) else {
        return Err(refuse(ResultCode::UNWILLING_TO_PERFORM, "a naming context keeps its name"));
    };
    let parent = match &superior {
        Some(superior) => tree.find(superior).ok_or_else(|| missing(&tree, superior, controls))?,
        None => old_parent,
    };
    if tree.is_within(parent, Some(node.id), Scope::Subtree) {
        return Err(refuse(ResultCode::UNWILLING_TO_PERFORM, "an entry cannot be moved below itself"));
    }
    let new_dn = parent.dn.child(rdn.clone());
    if tree.find(&new_dn).is_some_and(|other| other.id != node.id) {
        return Err(refuse(ResultCode::ENTRY_ALREADY_EXISTS, ""));
    }
    let mut attributes = node.attributes.clone();
    if let Some(old) = node.dn.rdns().first().filter(|_| request.delete_old_rdn) {
        forget(&mut attributes, old);
    }
    attributes.merge_rdn(&rdn);
    check_entry(&attributes)?;
    attributes.set("modifyTimestamp", &now);
    attributes.set("modifiersName", &by);
    let (id, parent) = (node.id, parent.id);
    tree.replace(id, attributes);
    tree.rename(id, new_dn, Some(parent));
    let after = controls.read_after(shared, &tree, tree.get(id))?;
    Ok(before.into_iter().chain(after).collect())
}

fn one_rdn(text: &str) -> Result<Rdn, Refusal> {
    let dn: Dn = name(text)?;
    let [rdn] = dn.rdns() else {
        return Err(refuse(ResultCode::INVALID_DN_SYNTAX, "the new name must have one part"));
    };
    for ava in rdn.avas() {
        let kind = attribute(ava.attribute())?.description;
        if kind.is_secret() || kind.is_frozen() {
            let text = format!("{} cannot name an entry", ava.attribute());
            return Err(refuse(ResultCode::NAMING_VIOLATION, text));
        }
    }
    Ok(rdn.clone())
}

/// Removes the values of the old name; those the new name has too come back with it.
fn forget(attributes: &mut Attributes, rdn: &Rdn) {
    for ava in rdn.avas() {
        let Ok(wanted) = attribute(ava.attribute()) else { continue };
        let Some(position) = attributes.position(&wanted.description) else { continue };
        let attribute = &mut attributes.0[position];
        let kind = &attribute.description.kind;
        let key = equality_key(kind, ava.value());
        attribute.values.retain(|value| equality_key(kind, value) != key);
    }
    attributes.0.retain(|attribute| !attribute.values.is_empty());
}
