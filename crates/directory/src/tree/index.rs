//! Which entries may hold a value. It finds a few candidates quickly; the filter then decides about each.

use std::borrow::Cow;
use std::collections::HashMap;

use proto::Dn;
use proto::filter::{Matching as _, Rule, StandardRules};

use super::node::{Id, Node};

/// The attributes that people are looked up by, in canonical form.
const INDEXED: &[&str] = &[
    "objectclass",
    "uid",
    "cn",
    "mail",
    "member",
    "uniquemember",
    "memberof",
    "memberuid",
    "entryuuid",
    "uidnumber",
    "gidnumber",
    "samaccountname",
    "userprincipalname",
];
/// The key of values whose equality only the filter's rules can tell.
const ODD: &str = "\0";

/// Keys to entries for each indexed attribute. Invariant: values that a filter finds equal have the same key, or the
/// stored one's is [`ODD`].
#[derive(Debug, Default)]
pub(crate) struct Index {
    attributes: HashMap<&'static str, HashMap<String, Vec<Id>>>,
}

impl Index {
    pub(crate) fn insert(&mut self, node: &Node) {
        for (attribute, key) in keys(node) {
            let entries = self.attributes.entry(attribute).or_default().entry(key).or_default();
            if let Err(position) = entries.binary_search(&node.id) {
                entries.insert(position, node.id);
            }
        }
    }

    pub(crate) fn remove(&mut self, node: &Node) {
        for (attribute, key) in keys(node) {
            let Some(values) = self.attributes.get_mut(attribute) else { continue };
            let Some(entries) = values.get_mut(&key) else { continue };
            if let Ok(position) = entries.binary_search(&node.id) {
                entries.remove(position);
            }
            if entries.is_empty() {
                values.remove(&key);
            }
        }
    }

    /// All entries that may hold a value, ascending; `None` when the index cannot tell.
    pub(crate) fn candidates(&self, attribute: &str, value: &[u8]) -> Option<Cow<'_, [Id]>> {
        if !INDEXED.contains(&attribute) {
            return None;
        }
        let key = key(attribute, value);
        if key == ODD {
            return None;
        }
        let sure = self.exactly(attribute, &key);
        let odd = self.exactly(attribute, ODD);
        Some(if odd.is_empty() { Cow::Borrowed(sure) } else { Cow::Owned(union([sure, odd])) })
    }

    /// The entries whose `attribute` (`member`, `uniquemember`) names a DN, ascending.
    pub(crate) fn naming(&self, attribute: &str, dn: &Dn) -> &[Id] {
        self.exactly(attribute, dn.normalized())
    }

    /// Whether some values of an attribute are such that only a filter can compare them.
    pub(crate) fn has_odd_values(&self, attribute: &str) -> bool {
        !self.exactly(attribute, ODD).is_empty()
    }

    fn exactly(&self, attribute: &str, key: &str) -> &[Id] {
        self.attributes.get(attribute).and_then(|values| values.get(key)).map_or(&[], Vec::as_slice)
    }
}

/// Sorted, each once.
pub(crate) fn union<'i>(lists: impl IntoIterator<Item = &'i [Id]>) -> Vec<Id> {
    let mut all: Vec<Id> = lists.into_iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn keys(node: &Node) -> impl Iterator<Item = (&'static str, String)> {
    let stored = node.attributes.0.iter().filter_map(|attribute| {
        let indexed = INDEXED.iter().find(|indexed| **indexed == attribute.description.kind)?;
        Some(attribute.values.iter().map(|value| (*indexed, key(indexed, value))))
    });
    let implied = node.implied.iter().map(|class| ("objectclass", key("objectclass", class.as_bytes())));
    stored.flatten().chain(implied)
}

fn key(attribute: &str, value: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(value) else { return ODD.to_owned() };
    if StandardRules.rule(attribute) == Rule::Dn {
        return Dn::parse(text).map_or_else(|_| ODD.to_owned(), |dn| dn.normalized().to_owned());
    }
    // Beyond ASCII, Unicode's equivalences decide: a full-width letter equals a plain one.
    if !text.is_ascii() {
        return ODD.to_owned();
    }
    // Coarser than any rule: what some rule ignores (case, spaces, hyphens, controls, leading zeros) is left out.
    let kept = text.bytes().filter(|byte| byte.is_ascii_graphic() && *byte != b'-');
    let key: String = kept.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let shorter = key.trim_start_matches('0');
    if shorter.len() == key.len() { key } else { shorter.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_a_rule_finds_equal_share_a_key() {
        for (attribute, one, other) in [
            ("uid", "Alice", " alice "),
            ("cn", "Alice  B. Adams", "alice b. ADAMS"),
            ("uidnumber", "007", "7"),
            ("member", "uid=alice,dc=example", "UID=Alice, DC=example"),
        ] {
            assert_eq!(key(attribute, one.as_bytes()), key(attribute, other.as_bytes()));
        }
        assert_ne!(key("uid", b"alice"), key("uid", b"bob"));
        assert_eq!(key("uid", "ａlice".as_bytes()), ODD);
        assert_eq!(key("uid", b"\xff"), ODD);
    }
}
