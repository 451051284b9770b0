//! The smallest changes from one set of attributes to another.

use std::collections::HashSet;

use bytes::Bytes;
use proto::{Change, ChangeOp, Entry};

/// What has to be done to the entry `before` for its attributes to be those of `after`, as
/// [`changes_between`](crate::changes_between) does it; the names of the two are not looked at.
///
/// Both should have been read with the same list of attributes: what `before` has and `after` has not is deleted.
///
/// ```
/// use ldapgate_client::{Change, Entry, changes_between_entries};
///
/// let before = Entry::builder("uid=ada").attribute("cn", ["Ada"]).attribute("SN", ["L"]).build();
/// let after = Entry::builder("uid=ada").attribute("cn", ["Ada King"]).attribute("sn", ["L"]).build();
/// assert_eq!(changes_between_entries(&before, &after), [Change::replace("cn", ["Ada King"])]);
/// ```
pub fn changes_between_entries(before: &Entry, after: &Entry) -> Vec<Change> {
    changes(&attributes_of(before), &attributes_of(after))
}

type Attributes = [(String, Vec<Bytes>)];

/// An entry's attributes, in its order.
pub(crate) fn attributes_of(entry: &Entry) -> Vec<(String, Vec<Bytes>)> {
    let attributes = entry.attributes();
    attributes
        .map(|attribute| {
            (attribute.name().to_owned(), attribute.values().map(Bytes::copy_from_slice).collect())
        })
        .collect()
}

/// Those that go in the order of `before`, then the others in the order of `after`.
pub(super) fn changes(before: &Attributes, after: &Attributes) -> Vec<Change> {
    let (before, after) = (joined(before), joined(after));
    let find = |attributes: &[Joined], key: &str| attributes.iter().position(|one| one.key == key);
    let gone = before.iter().filter(|one| find(&after, &one.key).is_none());
    let mut changes: Vec<Change> = gone.map(|one| Change::delete_all(&one.name)).collect();
    for one in &after {
        match find(&before, &one.key) {
            None => changes.push(of(ChangeOp::Add, &one.name, one.values.clone())),
            Some(place) => changes.extend(between(&before[place], one)),
        }
    }
    changes
}

/// An attribute and its values, each once.
struct Joined {
    /// What makes two names the same: lower case, options in their order.
    key: String,
    name: String,
    values: Vec<Bytes>,
}

/// Attributes of the same name made one; those without values are not there.
fn joined(attributes: &Attributes) -> Vec<Joined> {
    let mut all: Vec<Joined> = Vec::new();
    for (name, values) in attributes.iter().filter(|(_, values)| !values.is_empty()) {
        let key = key(name);
        let place = all.iter().position(|one| one.key == key).unwrap_or_else(|| {
            all.push(Joined { key, name: name.clone(), values: Vec::new() });
            all.len() - 1
        });
        let one = &mut all[place];
        one.values.extend(values.iter().cloned());
        let mut seen = HashSet::new();
        one.values.retain(|value| seen.insert(value.clone()));
    }
    all
}

fn key(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut parts = lower.split(';');
    let kind = parts.next().unwrap_or_default();
    let mut options: Vec<&str> = parts.collect();
    options.sort_unstable();
    options.dedup();
    std::iter::once(kind).chain(options).collect::<Vec<_>>().join(";")
}

/// What went and what came, deletions first, since the same value in other letters is the same to a server; or all values,
/// where that is shorter.
fn between(before: &Joined, after: &Joined) -> Vec<Change> {
    let without = |one: &Joined, other: &Joined| -> Vec<Bytes> {
        let other: HashSet<&Bytes> = other.values.iter().collect();
        one.values.iter().filter(|value| !other.contains(value)).cloned().collect()
    };
    let (went, came) = (without(before, after), without(after, before));
    let single = [(ChangeOp::Delete, went), (ChangeOp::Add, came)];
    let single: Vec<Change> = single
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(op, values)| of(op, &after.name, values))
        .collect();
    let whole = of(ChangeOp::Replace, &after.name, after.values.clone());
    if single.iter().map(size).sum::<usize>() > size(&whole) { vec![whole] } else { single }
}

fn of(op: ChangeOp, name: &str, values: Vec<Bytes>) -> Change {
    Change { op, attribute: name.to_owned(), values }
}

/// Roughly the bytes on the wire.
fn size(change: &Change) -> usize {
    12 + change.attribute.len() + change.values.iter().map(|value| value.len() + 2).sum::<usize>()
}
