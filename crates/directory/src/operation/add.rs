//! Add (RFC 4511 section 4.7).

use proto::message::AddRequest;
use proto::{Controls, ResultCode};

use super::{
    Identity, Recognised, Refusal, attribute, check_entry, check_writable, missing, name, refuse, writer,
};
use crate::directory::Shared;
use crate::tree::{self, Attributes};

/// Puts a new entry below an existing one.
pub(super) fn add(
    shared: &Shared,
    who: Identity,
    request: &AddRequest,
    controls: &Recognised,
) -> Result<Controls, Refusal> {
    let dn = name(&request.dn)?;
    let now = shared.timestamp();
    let mut tree = shared.tree_mut();
    let by = writer(shared, &tree, who)?;
    let Some(rdn) = dn.rdns().first().cloned() else {
        return Err(refuse(ResultCode::ENTRY_ALREADY_EXISTS, "the empty name is the server's own"));
    };
    if tree.find(&dn).is_some() {
        return Err(refuse(ResultCode::ENTRY_ALREADY_EXISTS, ""));
    }
    let Some(parent) = dn.parent().as_ref().and_then(|parent| tree.find(parent)).map(|parent| parent.id)
    else {
        return Err(missing(&tree, &dn, controls));
    };
    if tree.len() >= shared.settings.limits.entries {
        return Err(refuse(ResultCode::ADMIN_LIMIT_EXCEEDED, "the directory is full"));
    }
    let mut attributes = Attributes::default();
    for (name, values) in &request.attributes {
        let attribute = attribute(name)?;
        check_writable(&tree, &attribute)?;
        if values.is_empty() {
            return Err(refuse(ResultCode::INVALID_ATTRIBUTE_SYNTAX, format!("{name} has no value")));
        }
        let before = attributes.get(&attribute.description).map_or(0, |attribute| attribute.values.len());
        let description = attribute.description.clone();
        attributes.merge(attribute, values);
        let after = attributes.get(&description).map_or(0, |attribute| attribute.values.len());
        if after != before + values.len() {
            let text = format!("{name} has the same value twice");
            return Err(refuse(ResultCode::ATTRIBUTE_OR_VALUE_EXISTS, text));
        }
    }
    if !attributes.have_rdn(&rdn) {
        return Err(refuse(
            ResultCode::NAMING_VIOLATION,
            "the value in the name is not among the attributes",
        ));
    }
    check_entry(&attributes)?;
    tree::complete(&mut attributes, None, &tree.fresh_uuid(&dn), &now);
    attributes.set("creatorsName", &by);
    attributes.set("modifiersName", &by);
    let id = tree.insert(dn, Some(parent), attributes);
    let after = controls.read_after(shared, &tree, tree.get(id))?;
    Ok(after.into_iter().collect())
}
