//! The entries: a tree by name, an index by value. Everything here is done under one lock and waits for nothing.

mod chain;
mod index;
mod load;
mod node;
mod view;

use std::borrow::Cow;
use std::collections::HashMap;

use proto::{Dn, Filter, Rdn, Scope};
use ring::digest;

pub(crate) use node::{Attribute, Attributes, Id, Node, equality_key, owned};
pub(crate) use view::View;

use crate::schema;
use index::Index;

/// All entries.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// By number; `None` where an entry was deleted.
    nodes: Vec<Option<Node>>,
    /// By normalised name.
    by_dn: HashMap<String, Id>,
    /// The entries without a parent.
    suffixes: Vec<Id>,
    index: Index,
    /// `memberOf` is only what the data says.
    member_of_is_stored: bool,
}

impl Tree {
    pub(crate) fn compute_member_of(&mut self, computed: bool) {
        self.member_of_is_stored = !computed;
    }

    /// Whether an entry's `memberOf` comes from the groups.
    pub(crate) fn computes_member_of(&self, node: &Node) -> bool {
        !self.member_of_is_stored && node.attributes.plain("memberof").is_empty()
    }

    /// Whether `memberOf` cannot be written, because it is computed.
    pub(crate) fn owns_member_of(&self) -> bool {
        !self.member_of_is_stored
    }

    pub(crate) fn len(&self) -> usize {
        self.by_dn.len()
    }

    pub(crate) fn suffixes(&self) -> impl Iterator<Item = &Dn> {
        self.suffixes.iter().filter_map(|id| self.get(*id)).map(|node| &node.dn)
    }

    pub(crate) fn get(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id as usize)?.as_ref()
    }

    pub(crate) fn find(&self, dn: &Dn) -> Option<&Node> {
        self.get(*self.by_dn.get(dn.normalized())?)
    }

    pub(crate) fn view<'t>(&'t self, node: &'t Node) -> View<'t> {
        View { tree: self, node }
    }

    /// The name of the lowest entry that exists above a name that does not: what a `noSuchObject` tells.
    pub(crate) fn matched(&self, dn: &Dn) -> String {
        let mut above = dn.parent();
        while let Some(dn) = above {
            if let Some(node) = self.find(&dn) {
                return node.dn.as_str().to_owned();
            }
            above = dn.parent();
        }
        String::new()
    }

    /// The entries that may match, ascending; `None` when all have to be looked at. The filter has canonical names.
    pub(crate) fn candidates(&self, filter: &Filter) -> Option<Cow<'_, [Id]>> {
        match filter {
            Filter::Equal { attribute, value } => match attribute.as_str() {
                "entrydn" => {
                    let dn = Dn::parse(std::str::from_utf8(value).ok()?).ok()?;
                    Some(Cow::Owned(self.find(&dn).map(|node| node.id).into_iter().collect()))
                }
                "memberof" if !self.member_of_is_stored => self.members(value).map(Cow::Owned),
                _ => self.index.candidates(attribute, value),
            },
            Filter::And(parts) => {
                parts.iter().filter_map(|part| self.candidates(part)).min_by_key(|ids| ids.len())
            }
            Filter::Or(parts) => {
                let lists: Option<Vec<_>> = parts.iter().map(|part| self.candidates(part)).collect();
                Some(Cow::Owned(index::union(lists?.iter().map(|ids| &ids[..]))))
            }
            _ => None,
        }
    }

    /// The entries whose `attribute` names a member; `None` when some values are no names, so that nobody can tell.
    pub(crate) fn groups_of(&self, attribute: &str, member: &Dn) -> Option<&[Id]> {
        (!self.index.has_odd_values(attribute)).then(|| self.index.naming(attribute, member))
    }

    /// The entries whose `memberOf` may name a group, be it stored or computed.
    fn members(&self, group: &[u8]) -> Option<Vec<Id>> {
        let stored = self.index.candidates("memberof", group)?;
        let dn = Dn::parse(std::str::from_utf8(group).ok()?).ok()?;
        let Some(group) = self.find(&dn) else { return Some(stored.into_owned()) };
        let named = group
            .attributes
            .0
            .iter()
            .filter(|a| matches!(&a.description.kind[..], "member" | "uniquemember"));
        let computed: Vec<Id> = named
            .flat_map(|attribute| &attribute.values)
            .filter_map(|value| Dn::parse(std::str::from_utf8(value).ok()?).ok())
            .filter_map(|dn| self.by_dn.get(dn.normalized()).copied())
            .collect();
        Some(index::union([&stored[..], &computed]))
    }

    /// The entry with the lowest number after `after` that `wanted` (or everything) has.
    pub(crate) fn next(&self, after: Option<Id>, wanted: Option<&[Id]>) -> Option<&Node> {
        let first = after.map_or(0, |id| id as usize + 1);
        match wanted {
            None => self.nodes.get(first..)?.iter().flatten().next(),
            Some(ids) => {
                let start = ids.partition_point(|id| (*id as usize) < first);
                ids[start..].iter().find_map(|id| self.get(*id))
            }
        }
    }

    /// Whether an entry is in a scope. `None` as base is the empty name above all naming contexts.
    pub(crate) fn is_within(&self, node: &Node, base: Option<Id>, scope: Scope) -> bool {
        match scope {
            Scope::Base => base == Some(node.id),
            Scope::One => node.parent == base,
            Scope::Subtree => self.is_at_or_below(node, base),
            Scope::Subordinate => base != Some(node.id) && self.is_at_or_below(node, base),
        }
    }

    fn is_at_or_below(&self, node: &Node, base: Option<Id>) -> bool {
        let Some(base) = base else { return true };
        let mut next = Some(node.id);
        while let Some(id) = next {
            if id == base {
                return true;
            }
            next = self.get(id).and_then(|node| node.parent);
        }
        false
    }

    /// Puts a new entry into the tree; its name must be free.
    pub(crate) fn insert(&mut self, dn: Dn, parent: Option<Id>, attributes: Attributes) -> Id {
        let id = Id::try_from(self.nodes.len()).expect("fewer entries than 32 bits count");
        self.by_dn.insert(dn.normalized().to_owned(), id);
        let node = Node::new(id, dn, parent, attributes);
        self.index.insert(&node);
        self.nodes.push(Some(node));
        self.adopt(parent, id);
        id
    }

    /// Takes a leaf out of the tree.
    pub(crate) fn remove(&mut self, id: Id) {
        let Some(node) = self.nodes.get_mut(id as usize).and_then(Option::take) else { return };
        self.index.remove(&node);
        self.by_dn.remove(node.dn.normalized());
        self.disown(node.parent, id);
    }

    /// Gives an entry other attributes.
    pub(crate) fn replace(&mut self, id: Id, attributes: Attributes) {
        let Some(node) = self.nodes.get_mut(id as usize).and_then(Option::as_mut) else { return };
        self.index.remove(node);
        node.set_attributes(attributes);
        self.index.insert(node);
    }

    /// Moves an entry, and everything below it, to another name and parent.
    pub(crate) fn rename(&mut self, id: Id, dn: Dn, parent: Option<Id>) {
        let Some(before) = self.get(id).map(|node| node.parent) else { return };
        if before != parent {
            self.disown(before, id);
            self.adopt(parent, id);
            self.node_mut(id).parent = parent;
        }
        let mut names = vec![(id, dn)];
        let mut moved = Vec::new();
        while let Some((id, dn)) = names.pop() {
            let Some(node) = self.get(id) else { continue };
            for child in node.children.iter().filter_map(|child| self.get(*child)) {
                let rdn = child.dn.rdns().first().cloned();
                names.extend(rdn.map(|rdn| (child.id, dn.child(rdn))));
            }
            moved.push((id, dn));
        }
        for (id, _) in &moved {
            let old = self.node_mut(*id).dn.normalized().to_owned();
            self.by_dn.remove(&old);
        }
        for (id, dn) in moved {
            self.by_dn.insert(dn.normalized().to_owned(), id);
            self.node_mut(id).dn = dn;
        }
    }

    /// An `entryUUID` for an entry added by a request: another one each time, so that a name that is used again is not
    /// taken for the old entry.
    pub(crate) fn fresh_uuid(&self, dn: &Dn) -> String {
        uuid(dn, self.nodes.len() as u64 + 1)
    }

    fn adopt(&mut self, parent: Option<Id>, child: Id) {
        match parent {
            Some(parent) => self.node_mut(parent).children.push(child),
            None => self.suffixes.push(child),
        }
    }

    fn disown(&mut self, parent: Option<Id>, child: Id) {
        let siblings = match parent {
            Some(parent) => &mut self.node_mut(parent).children,
            None => &mut self.suffixes,
        };
        siblings.retain(|sibling| *sibling != child);
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        self.nodes[id as usize].as_mut().expect("parents and children are never deleted before each other")
    }
}

/// The attributes the server writes into an entry that is new, where they are missing.
pub(crate) fn complete(attributes: &mut Attributes, rdn: Option<&Rdn>, uuid: &str, now: &str) {
    if let Some(rdn) = rdn {
        attributes.merge_rdn(rdn);
    }
    let class = schema::structural_class(attributes.classes()).map(str::to_owned);
    let server = [
        ("structuralObjectClass", class.as_deref()),
        ("entryUUID", Some(uuid)),
        ("createTimestamp", Some(now)),
        ("modifyTimestamp", Some(now)),
    ];
    for (name, value) in server {
        let Some(value) = value else { continue };
        if attributes.plain(&name.to_ascii_lowercase()).is_empty() {
            attributes.set(name, value);
        }
    }
}

/// A UUID (RFC 9562 version 8) from a name and a number: the same ones give the same UUID.
fn uuid(dn: &Dn, number: u64) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"ldapgate entryUUID\0");
    context.update(&number.to_be_bytes());
    context.update(dn.normalized().as_bytes());
    let digest = context.finish();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
