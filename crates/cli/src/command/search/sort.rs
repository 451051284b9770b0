//! `-S`: entries in the order of an attribute's values, or of their names.

use std::cmp::Ordering;

use client::SearchAnswer;
use proto::{Controls, Entry};

use super::friendly;

/// What sorting keeps in memory, in bytes on the wire.
const MOST: usize = 256 << 20;

/// Answers that wait until all are there.
pub(super) struct Sorter {
    /// Empty: by names.
    attribute: String,
    entries: Vec<(Vec<Vec<u8>>, Entry, Controls)>,
    others: Vec<SearchAnswer>,
    bytes: usize,
}

impl Sorter {
    pub(super) fn by(attribute: &str) -> Sorter {
        Sorter { attribute: attribute.to_owned(), entries: Vec::new(), others: Vec::new(), bytes: 0 }
    }

    /// Keeps an answer.
    pub(super) fn take(&mut self, answer: SearchAnswer) -> anyhow::Result<()> {
        match answer {
            SearchAnswer::Entry(entry, controls) => {
                self.bytes += entry.size();
                let keys = self.keys(&entry);
                self.entries.push((keys, entry.compact(), controls));
            }
            other => self.others.push(other),
        }
        anyhow::ensure!(self.bytes <= MOST, "more than {} MiB are too much to sort with -S", MOST >> 20);
        Ok(())
    }

    /// Everything: entries in order, then the rest as it came.
    pub(super) fn sorted(&mut self) -> impl Iterator<Item = SearchAnswer> + use<> {
        let mut entries = std::mem::take(&mut self.entries);
        self.bytes = 0;
        entries.sort_by(|(one, ..), (other, ..)| order(one, other));
        let entries = entries.into_iter().map(|(_, entry, controls)| SearchAnswer::Entry(entry, controls));
        entries.chain(std::mem::take(&mut self.others))
    }

    fn keys(&self, entry: &Entry) -> Vec<Vec<u8>> {
        if self.attribute.is_empty() {
            let parts = entry.parse_dn().map(|dn| friendly::parts(&dn)).unwrap_or_default();
            return parts.into_iter().map(|part| part.into_bytes().to_ascii_lowercase()).collect();
        }
        // As strings of C have it, a NUL ends a value.
        let value =
            |value: &[u8]| value.split(|byte| *byte == 0).next().unwrap_or_default().to_ascii_lowercase();
        entry.values(&self.attribute).map(value).collect()
    }
}

/// Value by value; whoever has none, or no more, is first.
fn order(one: &[Vec<u8>], other: &[Vec<u8>]) -> Ordering {
    one.cmp(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_the_order_of_their_values_and_the_rest_behind_them() {
        let mut sorter = Sorter::by("UID");
        let elsewhere = SearchAnswer::Reference(vec!["ldap://x".to_owned()], Controls::default());
        sorter.take(elsewhere.clone()).unwrap();
        for (dn, uids) in [("cn=b", &["b"][..]), ("cn=A2", &["A", "z"]), ("cn=a1", &["a"]), ("cn=none", &[])]
        {
            let entry = Entry::builder(dn).attribute("uid", uids).build();
            sorter.take(SearchAnswer::Entry(entry, Controls::default())).unwrap();
        }
        let told: Vec<_> = sorter
            .sorted()
            .map(|answer| match answer {
                SearchAnswer::Entry(entry, _) => entry.dn().to_owned(),
                other => format!("{}", other == elsewhere),
            })
            .collect();
        assert_eq!(told, ["cn=none", "cn=a1", "cn=A2", "cn=b", "true"]);
    }
}
