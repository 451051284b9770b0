//! Modify (RFC 4511 section 4.6), with increment (RFC 4525): all changes or none.

use std::borrow::Cow;

use bytes::Bytes;
use proto::message::{Change, ChangeOp, ModifyRequest};
use proto::{Controls, Rdn, ResultCode};

use super::{
    Identity, Recognised, Refusal, attribute, check_entry, check_writable, must_change, name, refuse, target,
    writer,
};
use crate::directory::Shared;
use crate::schema;
use crate::tree::{Attribute, Attributes, equality_key, owned};

/// Changes an entry's attributes.
pub(super) fn modify(
    shared: &Shared,
    who: Identity,
    request: &ModifyRequest,
    controls: &Recognised,
) -> Result<Controls, Refusal> {
    let dn = name(&request.dn)?;
    let now = shared.timestamp();
    let mut tree = shared.tree_mut();
    let by = writer(shared, &tree, who)?;
    let node = target(&tree, &dn, controls)?;
    controls.check_assertion(&tree, node)?;
    let before = controls.read_before(shared, &tree, node)?;
    let mut attributes = node.attributes.clone();
    for change in &request.changes {
        let attribute = attribute(&change.attribute)?;
        check_writable(&tree, &attribute)?;
        let change = if controls.permissive {
            needed(&attributes, &attribute, change)
        } else {
            Some(Cow::Borrowed(change))
        };
        if let Some(change) = change {
            apply(&mut attributes, attribute, &change)?;
        }
    }
    attributes.0.retain(|attribute| !attribute.values.is_empty());
    check_entry(&attributes)?;
    if !node.dn.rdns().first().is_some_and(|rdn: &Rdn| attributes.have_rdn(rdn)) {
        return Err(refuse(ResultCode::NOT_ALLOWED_ON_RDN, "the value is part of the entry's name"));
    }
    let own = who == Identity::Entry(node.id);
    if own && must_change(&tree, who) && sets_password(request) {
        attributes.0.retain(|attribute| attribute.description.kind != "pwdreset");
    }
    let class = schema::structural_class(attributes.classes()).map(str::to_owned);
    if let Some(class) = class {
        attributes.set("structuralObjectClass", class);
    }
    attributes.set("modifyTimestamp", &now);
    attributes.set("modifiersName", &by);
    let id = node.id;
    tree.replace(id, attributes);
    let after = controls.read_after(shared, &tree, tree.get(id))?;
    Ok(before.into_iter().chain(after).collect())
}

/// The part of a change that changes something, for whoever does not mind the rest; `None` when there is none.
fn needed<'c>(attributes: &Attributes, attribute: &Attribute, change: &'c Change) -> Option<Cow<'c, Change>> {
    let there = attributes.get(&attribute.description).filter(|there| !there.values.is_empty());
    let wants_there = match change.op {
        ChangeOp::Add => false,
        ChangeOp::Delete => true,
        ChangeOp::Replace | ChangeOp::Increment => return Some(Cow::Borrowed(change)),
    };
    if change.values.is_empty() {
        return (there.is_some() || !wants_there).then_some(Cow::Borrowed(change));
    }
    let keys = there.map(Attribute::keys).unwrap_or_default();
    let kind = &attribute.description.kind;
    let is_needed = |value: &&Bytes| keys.contains(&equality_key(kind, value)) == wants_there;
    let values: Vec<Bytes> = change.values.iter().filter(is_needed).cloned().collect();
    (!values.is_empty()).then(|| Cow::Owned(Change { values, ..change.clone() }))
}

/// Whether a request does nothing but change the password of the one who sends it, which is all that somebody may do who
/// must change it.
pub(crate) fn is_own_password(shared: &Shared, who: Identity, request: &ModifyRequest) -> bool {
    let Identity::Entry(id) = who else { return false };
    let tree = shared.tree();
    let own = tree.get(id).is_some_and(|node| name(&request.dn).is_ok_and(|dn| dn == node.dn));
    own && sets_password(request)
        && request
            .changes
            .iter()
            .all(|change| attribute(&change.attribute).is_ok_and(|a| a.description.is_secret()))
}

fn sets_password(request: &ModifyRequest) -> bool {
    request.changes.iter().any(|change| {
        let sets = matches!(change.op, ChangeOp::Add | ChangeOp::Replace) && !change.values.is_empty();
        sets && attribute(&change.attribute)
            .is_ok_and(|attribute| attribute.description.kind == "userpassword")
    })
}

fn apply(attributes: &mut Attributes, attribute: Attribute, change: &Change) -> Result<(), Refusal> {
    let position = attributes.position(&attribute.description);
    match change.op {
        ChangeOp::Add => add(attributes, attribute, &change.values),
        ChangeOp::Replace => replace(attributes, attribute, &change.values),
        ChangeOp::Delete => match position {
            Some(position) => delete(&mut attributes.0[position], &change.values),
            None => Err(no_attribute(&attribute)),
        },
        ChangeOp::Increment => match position {
            Some(position) => increment(&mut attributes.0[position], &change.values),
            None => Err(no_attribute(&attribute)),
        },
    }
}

fn add(attributes: &mut Attributes, attribute: Attribute, values: &[Bytes]) -> Result<(), Refusal> {
    if values.is_empty() {
        return Err(refuse(ResultCode::PROTOCOL_ERROR, "add needs a value"));
    }
    let (description, name) = (attribute.description.clone(), attribute.name.clone());
    let count =
        |attributes: &Attributes| attributes.get(&description).map_or(0, |attribute| attribute.values.len());
    let before = count(attributes);
    attributes.merge(attribute, values);
    if count(attributes) != before + values.len() {
        return Err(refuse(ResultCode::ATTRIBUTE_OR_VALUE_EXISTS, format!("{name} has this value already")));
    }
    Ok(())
}

/// Without values it deletes, and is content where nothing was there.
fn replace(attributes: &mut Attributes, attribute: Attribute, values: &[Bytes]) -> Result<(), Refusal> {
    match attributes.position(&attribute.description) {
        Some(position) => attributes.0[position].values.clear(),
        None if values.is_empty() => return Ok(()),
        None => {}
    }
    if values.is_empty() { Ok(()) } else { add(attributes, attribute, values) }
}

fn delete(attribute: &mut Attribute, values: &[Bytes]) -> Result<(), Refusal> {
    if attribute.values.is_empty() {
        return Err(no_attribute(attribute));
    }
    if values.is_empty() {
        attribute.values.clear();
        return Ok(());
    }
    let kind = &attribute.description.kind;
    let mut gone = std::collections::HashSet::new();
    let there = attribute.keys();
    for value in values {
        let key = equality_key(kind, value);
        if !there.contains(&key) || !gone.insert(key) {
            return Err(refuse(
                ResultCode::NO_SUCH_ATTRIBUTE,
                format!("{} has no such value", attribute.name),
            ));
        }
    }
    attribute.values.retain(|value| !gone.contains(&equality_key(kind, value)));
    Ok(())
}

fn increment(attribute: &mut Attribute, values: &[Bytes]) -> Result<(), Refusal> {
    let [by] = values else {
        return Err(refuse(ResultCode::PROTOCOL_ERROR, "increment needs exactly one value"));
    };
    let no_integer = || refuse(ResultCode::INVALID_ATTRIBUTE_SYNTAX, "increment needs integers of 64 bits");
    let by = integer(by).ok_or_else(no_integer)?;
    if attribute.values.is_empty() {
        return Err(no_attribute(attribute));
    }
    for value in &mut attribute.values {
        let sum = integer(value).and_then(|value| value.checked_add(by)).ok_or_else(no_integer)?;
        *value = owned(sum.to_string().as_bytes());
    }
    Ok(())
}

fn integer(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn no_attribute(attribute: &Attribute) -> Refusal {
    refuse(ResultCode::NO_SUCH_ATTRIBUTE, format!("there is no {}", attribute.name))
}
