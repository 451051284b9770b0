//! Groups in groups, as Active Directory follows them: to any depth, through circles, in both directions.

use proto::Dn;

use super::index;
use super::{Id, Node, Tree};

/// The bit of `groupType` that makes a security group (MS-ADTS section 2.2.12). A group that says nothing is one.
const SECURITY: i64 = 0x8000_0000;

impl Tree {
    /// The groups that have this member at any depth, ascending: what `(member:1.2.840.113556.1.4.1941:=dn)` finds.
    pub(crate) fn chain_above(&self, dn: &Dn) -> Vec<Id> {
        self.climb(self.index.naming("member", dn).to_vec(), |_| true)
    }

    /// The members of this group at any depth, ascending: what `(memberOf:1.2.840.113556.1.4.1941:=dn)` finds.
    pub(crate) fn chain_below(&self, dn: &Dn) -> Vec<Id> {
        let members = |node: &Node| {
            let names = node.attributes.plain("member").iter();
            let names = names.filter_map(|value| Dn::parse(std::str::from_utf8(value).ok()?).ok());
            names.filter_map(|dn| Some(self.find(&dn)?.id)).collect::<Vec<_>>()
        };
        let mut found = Vec::new();
        let mut waiting = self.find(dn).map(members).unwrap_or_default();
        while let Some(id) = waiting.pop() {
            if found.contains(&id) {
                continue;
            }
            found.push(id);
            waiting.extend(self.get(id).map(members).unwrap_or_default());
        }
        index::union([&found[..]])
    }

    /// The identifiers of the security groups an entry is in, the primary group included: `tokenGroups`.
    pub(crate) fn token_groups<'t>(&'t self, node: &Node) -> Vec<&'t [u8]> {
        let mut direct = self.index.naming("member", &node.dn).to_vec();
        direct.extend(self.primary_group(node).map(|group| group.id));
        let is_security = |node: &Node| {
            let kind = node.attributes.plain("grouptype").first();
            let kind = kind.and_then(|kind| std::str::from_utf8(kind).ok()?.parse::<i64>().ok());
            kind.is_none_or(|kind| kind & SECURITY != 0)
        };
        let groups = self.climb(direct, is_security);
        let sids = groups.iter().filter_map(|id| self.get(*id)?.attributes.plain("objectsid").first());
        sids.map(|sid| &sid[..]).collect()
    }

    /// All groups above these, these included, as far as they `count`.
    fn climb(&self, mut waiting: Vec<Id>, counts: impl Fn(&Node) -> bool) -> Vec<Id> {
        let mut found = Vec::new();
        while let Some(id) = waiting.pop() {
            let Some(node) = self.get(id).filter(|node| !found.contains(&id) && counts(node)) else {
                continue;
            };
            found.push(id);
            waiting.extend(self.index.naming("member", &node.dn));
        }
        index::union([&found[..]])
    }

    /// The group with the entry's identifier, its last number replaced by `primaryGroupID` (MS-DTYP section 2.4.2.2).
    fn primary_group(&self, node: &Node) -> Option<&Node> {
        let number = std::str::from_utf8(node.attributes.plain("primarygroupid").first()?).ok()?;
        let sid = node.attributes.plain("objectsid").first()?;
        let sid = proto::value::Sid::from_wire(sid).ok()?.sibling(number.parse().ok()?)?.to_wire();
        self.nodes
            .iter()
            .flatten()
            .find(|node| node.attributes.plain("objectsid").first().is_some_and(|own| *own == sid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` is in `b`, `b` in `c`, `c` in `b`; `d` is a distribution group between `a` and `e`.
    const GROUPS: &str = "\
dn: cn=a,dc=example\ncn: a\nprimaryGroupID: 513\nobjectSid:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAA9AEAAA==\n
dn: cn=users,dc=example\ncn: users\nobjectSid:: AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAAQIAAA==\n
dn: cn=b,dc=example\ncn: b\nobjectSid: b\nmember: cn=a,dc=example\nmember: CN=C,dc=example\n
dn: cn=c,dc=example\ncn: c\nobjectSid: c\ngroupType: -2147483646\nmember: cn=b,dc=example\nmember: cn=users,dc=example\n
dn: cn=d,dc=example\ncn: d\nobjectSid: d\ngroupType: 2\nmember: cn=a,dc=example\n
dn: cn=e,dc=example\ncn: e\nobjectSid: e\nmember: cn=d,dc=example\n";

    fn names(tree: &Tree, ids: &[Id]) -> Vec<String> {
        ids.iter().map(|id| tree.get(*id).unwrap().dn.as_str().to_owned()).collect()
    }

    #[test]
    fn chains_are_followed_to_any_depth_and_through_circles() {
        let mut tree = Tree::default();
        tree.load(GROUPS.as_bytes(), "20260101000000Z", 100).unwrap();
        let dn = |text| Dn::parse(text).unwrap();
        let above = tree.chain_above(&dn("CN=A,dc=example"));
        assert_eq!(
            names(&tree, &above),
            ["cn=b,dc=example", "cn=c,dc=example", "cn=d,dc=example", "cn=e,dc=example"]
        );
        let below = tree.chain_below(&dn("cn=c,dc=example"));
        let all = ["cn=a,dc=example", "cn=users,dc=example", "cn=b,dc=example", "cn=c,dc=example"];
        assert_eq!(names(&tree, &below), all);
        assert!(tree.chain_below(&dn("cn=gone,dc=example")).is_empty());
    }

    #[test]
    fn a_token_has_the_primary_group_and_ends_at_distribution_groups() {
        let mut tree = Tree::default();
        tree.load(GROUPS.as_bytes(), "20260101000000Z", 100).unwrap();
        let token = tree.token_groups(tree.find(&Dn::parse("cn=a,dc=example").unwrap()).unwrap());
        assert_eq!(token.len(), 3);
        assert!(token.contains(&&b"b"[..]) && token.contains(&&b"c"[..]));
    }
}
