//! Names of entries that are known by their fingerprints alone.

use proto::Dn;

use crate::fingerprint::Fingerprint;

/// Names of entries. Who has left a group is known by a fingerprint only, so that a name can be looked for and not listed.
///
/// ```
/// use ldapgate_auth::DnSet;
///
/// let left: DnSet = ["uid=ada,dc=example,dc=com".parse()?].into_iter().collect();
/// assert!(left.contains("UID=Ada, dc=example,dc=com"));
/// assert!(!left.contains("uid=bob,dc=example,dc=com") && !left.contains("no name"));
/// # Ok::<(), proto::DnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DnSet(Vec<Fingerprint>);

impl DnSet {
    pub(super) fn new(mut names: Vec<Fingerprint>) -> DnSet {
        names.sort_unstable();
        names.dedup();
        DnSet(names)
    }

    /// Is this name, however it is written, among them? What is no name is not.
    pub fn contains(&self, dn: &str) -> bool {
        Dn::parse(dn).is_ok_and(|dn| self.0.binary_search(&Fingerprint::of_dn(&dn)).is_ok())
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Dn> for DnSet {
    fn from_iter<I: IntoIterator<Item = Dn>>(names: I) -> DnSet {
        DnSet::new(names.into_iter().map(|dn| Fingerprint::of_dn(&dn)).collect())
    }
}
