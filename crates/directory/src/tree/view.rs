//! An entry as filters and account states see it: computed attributes present, secrets absent.

use bytes::Bytes;
use proto::Dn;

use super::Tree;
use super::node::{Id, Node};
use crate::operation::SUBSCHEMA;

/// An entry together with the tree it stands in.
#[derive(Clone, Copy)]
pub(crate) struct View<'t> {
    pub(super) tree: &'t Tree,
    pub(super) node: &'t Node,
}

impl<'t> View<'t> {
    pub(crate) fn node(&self) -> &'t Node {
        self.node
    }

    /// The first value of an attribute (in canonical form), as text.
    pub(crate) fn text(&self, attribute: &str) -> Option<&'t str> {
        self.find(attribute).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// What a bind checks against. Nothing else may look here.
    pub(crate) fn passwords(&self) -> &'t [Bytes] {
        self.node.attributes.plain("userpassword")
    }

    /// The identifiers of this entry's groups, as Active Directory computes them.
    pub(crate) fn token_groups(&self) -> Vec<&'t [u8]> {
        self.tree.token_groups(self.node)
    }

    /// The values of an attribute and its subtypes, computed ones included, secret ones never.
    pub(crate) fn find<'n>(&self, wanted: &'n str) -> impl Iterator<Item = &'t [u8]> + use<'t, 'n> {
        let (kind, options) =
            wanted.split_once(';').map_or((wanted, None), |(kind, options)| (kind, Some(options)));
        let node = self.node;
        let stored = node.attributes.0.iter().filter(move |attribute| {
            let options = options.into_iter().flat_map(|options| options.split(';'));
            !attribute.description.is_secret() && attribute.description.is_subtype_of(kind, options)
        });
        let implied: &[&'static str] = if wanted == "objectclass" { &node.implied } else { &[] };
        stored
            .flat_map(|attribute| attribute.values.iter().map(|value| &value[..]))
            .chain(implied.iter().map(|class| class.as_bytes()))
            .chain(self.computed(wanted))
            .chain(self.groups(wanted))
    }

    /// The single values that are nowhere stored.
    fn computed(&self, wanted: &str) -> Option<&'t [u8]> {
        match wanted {
            "entrydn" => Some(self.node.dn.as_str().as_bytes()),
            "subschemasubentry" => Some(SUBSCHEMA.as_bytes()),
            "hassubordinates" if self.node.children.is_empty() => Some(b"FALSE"),
            "hassubordinates" => Some(b"TRUE"),
            _ => None,
        }
    }

    /// The names of the groups this entry is a member of, for `memberof`.
    fn groups(&self, wanted: &str) -> impl Iterator<Item = &'t [u8]> + use<'t> {
        let wants = wanted == "memberof" && self.tree.computes_member_of(self.node);
        let dn = &self.node.dn;
        let of = |attribute| if wants { self.tree.index.naming(attribute, dn) } else { &[] };
        let (members, unique): (&'t [Id], &'t [Id]) = (of("member"), of("uniquemember"));
        let tree = self.tree;
        let only_unique = unique.iter().filter(move |id| members.binary_search(id).is_err());
        members
            .iter()
            .chain(only_unique)
            .filter_map(move |id| tree.get(*id))
            .map(|group| group.dn.as_str().as_bytes())
    }
}

impl proto::filter::Attributes for View<'_> {
    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.find(name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let stored = self.node.attributes.0.iter().filter(|attribute| !attribute.description.is_secret());
        stored.map(|attribute| attribute.description.kind.as_str())
    }

    fn dn(&self) -> Option<Dn> {
        Some(self.node.dn.clone())
    }
}
