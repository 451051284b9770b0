//! How a search goes about it: the filter in the form that is evaluated, and the entries worth a look.

use proto::filter::IN_CHAIN;
use proto::{Dn, Filter, Scope};

use super::search::Base;
use crate::Dialect;
use crate::schema::Description;
use crate::tree::{Id, Tree};

/// Comparisons made in one go, before others get their turn.
const COMPARISONS: usize = 20_000;
/// Entries looked at in one go, at most.
const EXAMINED: usize = 2_000;
/// Groups of one member that are looked up beforehand, at most.
const GROUPS: usize = 32;

/// A filter, and the entries to try it on.
pub(super) struct Plan {
    pub(super) filter: Filter,
    /// The entries to look at, ascending; `None`: all.
    pub(super) candidates: Option<Vec<Id>>,
    /// Entries to look at in one go.
    pub(super) examined: usize,
}

impl Plan {
    pub(super) fn new(tree: &Tree, dialect: Dialect, base: &Base, scope: Scope, filter: Filter) -> Self {
        let filter = look_up_groups(tree, dialect, canonical(filter));
        let candidates = candidates(tree, base, scope, &filter);
        let examined = (COMPARISONS / clauses(&filter).max(1)).clamp(1, EXAMINED);
        Self { filter, candidates, examined }
    }
}

/// The shortest list of entries that is sure to hold all matches.
fn candidates(tree: &Tree, base: &Base, scope: Scope, filter: &Filter) -> Option<Vec<Id>> {
    let Base::Entry(Some(base)) = base else {
        return tree.candidates(filter).map(|ids| with_referrals(tree, &ids));
    };
    if scope == Scope::Base {
        return Some(vec![*base]);
    }
    let indexed = tree.candidates(filter).map(|ids| with_referrals(tree, &ids));
    let children = tree.get(*base).filter(|_| scope == Scope::One).map(|node| &node.children);
    match (indexed, children) {
        (Some(indexed), Some(children)) if children.len() >= indexed.len() => Some(indexed),
        (_, Some(children)) => {
            let mut children = children.clone();
            children.sort_unstable();
            Some(children)
        }
        (indexed, None) => indexed,
    }
}

/// Referrals are found whatever the filter says.
fn with_referrals(tree: &Tree, ids: &[Id]) -> Vec<Id> {
    let referrals = tree.candidates(&Filter::equal("objectclass", "referral")).unwrap_or_default();
    if referrals.is_empty() {
        return ids.to_vec();
    }
    let mut all = [ids, &referrals].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// The filter with attribute names in canonical form, so that aliases and OIDs find what they name. Its depth was
/// limited when it was read.
pub(super) fn canonical(filter: Filter) -> Filter {
    let all = |parts: Vec<Filter>| parts.into_iter().map(canonical).collect();
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(canonical(*part))),
        Filter::Equal { attribute, value } => Filter::Equal { attribute: renamed(attribute), value },
        Filter::GreaterOrEqual { attribute, value } => {
            Filter::GreaterOrEqual { attribute: renamed(attribute), value }
        }
        Filter::LessOrEqual { attribute, value } => {
            Filter::LessOrEqual { attribute: renamed(attribute), value }
        }
        Filter::Approximate { attribute, value } => {
            Filter::Approximate { attribute: renamed(attribute), value }
        }
        Filter::Present(attribute) => Filter::Present(renamed(attribute)),
        Filter::Substrings { attribute, initial, any, last } => {
            Filter::Substrings { attribute: renamed(attribute), initial, any, last }
        }
        Filter::Extensible { rule, attribute, value, dn_attributes } => {
            Filter::Extensible { rule, attribute: attribute.map(renamed), value, dn_attributes }
        }
    }
}

fn renamed(attribute: String) -> String {
    Description::parse(&attribute).map_or(attribute, |description| description.canonical())
}

/// `(member=X)` becomes `(|(entryDN=group)...)` with the groups the index knows: otherwise a group of thousands would have
/// all its members compared for every search. Active Directory's rule for chains is looked up the same way.
fn look_up_groups(tree: &Tree, dialect: Dialect, filter: Filter) -> Filter {
    let look_up = |part| look_up_groups(tree, dialect, part);
    match filter {
        Filter::And(parts) => Filter::And(parts.into_iter().map(look_up).collect()),
        Filter::Or(parts) => Filter::Or(parts.into_iter().map(look_up).collect()),
        Filter::Not(part) => Filter::Not(Box::new(look_up(*part))),
        Filter::Equal { attribute, value } if matches!(&attribute[..], "member" | "uniquemember") => {
            match groups(tree, &attribute, &value) {
                Some(groups) => Filter::Or(groups),
                None => Filter::Equal { attribute, value },
            }
        }
        Filter::Extensible { rule: Some(rule), attribute: Some(attribute), value, dn_attributes }
            if rule == IN_CHAIN && dialect == Dialect::ActiveDirectory =>
        {
            match chain(tree, &attribute, &value) {
                Some(entries) => Filter::Or(entries),
                None => {
                    Filter::Extensible { rule: Some(rule), attribute: Some(attribute), value, dn_attributes }
                }
            }
        }
        other => other,
    }
}

fn chain(tree: &Tree, attribute: &str, value: &[u8]) -> Option<Vec<Filter>> {
    let dn = Dn::parse(std::str::from_utf8(value).ok()?).ok()?;
    let entries = match attribute {
        "member" => tree.chain_above(&dn),
        "memberof" => tree.chain_below(&dn),
        _ => return None,
    };
    Some(named(tree, &entries))
}

fn named(tree: &Tree, entries: &[Id]) -> Vec<Filter> {
    let entries = entries.iter().filter_map(|id| tree.get(*id));
    entries.map(|entry| Filter::equal("entrydn", entry.dn.as_str())).collect()
}

fn groups(tree: &Tree, attribute: &str, member: &[u8]) -> Option<Vec<Filter>> {
    let member = Dn::parse(std::str::from_utf8(member).ok()?).ok()?;
    let groups = tree.groups_of(attribute, &member).filter(|groups| groups.len() <= GROUPS)?;
    Some(named(tree, groups))
}

fn clauses(filter: &Filter) -> usize {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().map(clauses).sum(),
        Filter::Not(part) => clauses(part),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_filter_are_brought_to_one_form() {
        let filter = Filter::parse("(&(userID=a)(!(2.5.4.3=b))(surName:=c)(|(MAIL=*)))").unwrap();
        assert_eq!(canonical(filter), Filter::parse("(&(uid=a)(!(cn=b))(sn:=c)(|(mail=*)))").unwrap());
    }

    #[test]
    fn the_groups_of_a_member_are_looked_up_once() {
        let mut tree = Tree::default();
        let text = "dn: cn=a,dc=example\nmember: uid=x,dc=example\n\ndn: cn=b,dc=example\nmember: uid=y,dc=example\n";
        tree.load(text.as_bytes(), "20260101000000Z", 10).unwrap();
        let looked_up =
            |text: &str| look_up_groups(&tree, Dialect::OpenLdap, Filter::parse(text).unwrap()).to_string();
        assert_eq!(looked_up("(!(member=UID=x, dc=example))"), "(!(|(entrydn=cn=a,dc=example)))");
        assert_eq!(looked_up("(member=uid=z,dc=example)"), "(|)");
        assert_eq!(looked_up("(member=nobody)"), "(member=nobody)");
    }
}
