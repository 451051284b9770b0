//! Server-side sorting (RFC 2891): the entries that a search will find, in the order asked for.

use std::cmp::Ordering;

use bytes::Bytes;
use proto::ResultCode;
use proto::control::{SortKey, SortResult};
use proto::filter::{Matching as _, Rule, StandardRules};

use crate::schema::Description;
use crate::tree::{Id, Node, Tree};

/// Entries sorted for one search.
const MOST: usize = 20_000;

/// A key whose attribute and rule are known.
struct Key {
    attribute: String,
    rule: Rule,
    reverse: bool,
}

/// Brings the entries that `found` yields in order.
pub(super) fn sort<'t>(
    tree: &'t Tree,
    keys: &[SortKey],
    found: impl Iterator<Item = &'t Node>,
) -> Result<Vec<Id>, SortResult> {
    let keys: Vec<Key> = keys.iter().map(known).collect::<Result<_, _>>()?;
    let mut rows: Vec<(Vec<Option<Bytes>>, Id)> = Vec::new();
    for node in found {
        if rows.len() == MOST {
            return Err(SortResult { code: ResultCode::ADMIN_LIMIT_EXCEEDED, attribute: None });
        }
        rows.push((keys.iter().map(|key| key.value(tree, node)).collect(), node.id));
    }
    rows.sort_by(|(one, _), (other, _)| {
        let pairs = keys.iter().zip(one.iter().zip(other));
        pairs
            .map(|(key, (one, other))| key.compare(one, other))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    Ok(rows.into_iter().map(|(_, id)| id).collect())
}

fn known(key: &SortKey) -> Result<Key, SortResult> {
    let unknown = |code| SortResult { code, attribute: Some(key.attribute.clone()) };
    let description =
        Description::parse(&key.attribute).ok_or_else(|| unknown(ResultCode::NO_SUCH_ATTRIBUTE))?;
    let rule = match &key.rule {
        None => StandardRules.rule(&description.kind),
        Some(rule) => ordering(rule).ok_or_else(|| unknown(ResultCode::INAPPROPRIATE_MATCHING))?,
    };
    Ok(Key { attribute: description.canonical(), rule, reverse: key.reverse })
}

/// The ordering rules (RFC 4517 section 4.2); that of equality will do as well.
fn ordering(rule: &str) -> Option<Rule> {
    match rule.to_ascii_lowercase().as_str() {
        "caseignoreorderingmatch" | "2.5.13.3" => Some(Rule::CaseIgnore),
        "caseexactorderingmatch" | "2.5.13.6" => Some(Rule::CaseExact),
        "numericstringorderingmatch" | "2.5.13.9" => Some(Rule::Telephone),
        "integerorderingmatch" | "2.5.13.15" => Some(Rule::Integer),
        "octetstringorderingmatch" | "2.5.13.18" => Some(Rule::Octet),
        "generalizedtimeorderingmatch" | "2.5.13.28" => Some(Rule::Time),
        other => Rule::named(other),
    }
}

impl Key {
    /// The value that decides: the smallest.
    fn value(&self, tree: &Tree, node: &Node) -> Option<Bytes> {
        let view = tree.view(node);
        let smallest = |one: &&[u8], other: &&[u8]| self.order(one, other);
        view.find(&self.attribute).min_by(smallest).map(Bytes::copy_from_slice)
    }

    /// No value is larger than any other (RFC 2891 section 2.2).
    fn compare(&self, one: &Option<Bytes>, other: &Option<Bytes>) -> Ordering {
        let order = match (one, other) {
            (Some(one), Some(other)) => self.order(one, other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        };
        if self.reverse { order.reverse() } else { order }
    }

    fn order(&self, one: &[u8], other: &[u8]) -> Ordering {
        self.rule.compare(one, other).unwrap_or_else(|| one.cmp(other))
    }
}
