//! What groups may do, and whose group a name means.

use std::collections::{BTreeMap, BTreeSet};

use auth::Person;
use proto::Dn;

/// A key of `[permissions]`: which group is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PermissionKey {
    /// The one group of that name among the groups that are shown.
    Name(String),
    /// The group of that directory and DN.
    Group {
        /// The directory's name.
        directory: String,
        /// The group's DN.
        dn: Dn,
    },
}

/// A key that does not say which group it means.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionKeyError {
    /// It looks like a DN and is none.
    #[error("not a group's DN: {0:?}")]
    Dn(String),
    /// No directory's base lies above the DN, or several do.
    #[error("{0:?} lies below the base of {1} directories: write \"directory:cn=..\"")]
    Directory(String, usize),
}

impl PermissionKey {
    /// Reads `staff`, `cn=staff,ou=groups,dc=example,dc=com` or `main:cn=staff,..`, given every directory's name
    /// and base. A DN alone belongs to the only directory, or to the one under whose base it lies.
    ///
    /// # Errors
    ///
    /// When it holds a `=` and no DN can be read from it, or when its directory is not clear.
    pub fn parse(text: &str, directories: &[(&str, &Dn)]) -> Result<Self, PermissionKeyError> {
        let not_a_dn = |_| PermissionKeyError::Dn(text.to_owned());
        if !text.contains('=') {
            return Ok(Self::Name(text.to_owned()));
        }
        let named =
            text.split_once(':').filter(|(name, _)| directories.iter().any(|(other, _)| other == name));
        if let Some((directory, dn)) = named {
            let dn = Dn::parse(dn).map_err(not_a_dn)?;
            return Ok(Self::Group { directory: directory.to_owned(), dn });
        }
        let dn = Dn::parse(text).map_err(not_a_dn)?;
        let above: Vec<_> = match directories {
            [only] => vec![only],
            several => several.iter().filter(|(_, base)| dn.is_at_or_below(base)).collect(),
        };
        match above[..] {
            [(directory, _)] => Ok(Self::Group { directory: (*directory).to_owned(), dn }),
            _ => Err(PermissionKeyError::Directory(text.to_owned(), above.len())),
        }
    }
}

/// Which group each name among the keys means, as far as the directories have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(BTreeMap<String, BTreeSet<(String, Dn)>>);

impl Names {
    /// Takes note of every group of that name.
    pub(crate) fn learn(&mut self, name: &str, groups: BTreeSet<(String, Dn)>) {
        match groups.len() {
            1 => {}
            0 => tracing::error!(name, "no group has the name that [permissions] gives permissions to"),
            several => {
                tracing::error!(name, several, "[permissions] names a group by a name that several have")
            }
        }
        self.0.insert(name.to_owned(), groups);
    }

    /// Whether a name means this one group. A name that several groups have means none of them.
    fn means(&self, name: &str, directory: &str, dn: &Dn) -> bool {
        let Some(groups) = self.0.get(name) else { return false };
        groups.len() == 1 && groups.iter().all(|(d, other)| d == directory && other == dn)
    }
}

/// What a person may do by their groups: sorted, each once.
pub(crate) fn permissions(
    person: &Person,
    table: &BTreeMap<PermissionKey, Vec<String>>,
    names: &Names,
) -> Vec<String> {
    let directory = person.directory();
    let gives = |key: &PermissionKey| match key {
        PermissionKey::Group { directory: other, dn } => other == directory && person.is_in(dn),
        PermissionKey::Name(name) => {
            person.groups().iter().any(|group| group.name == *name && names.means(name, directory, &group.dn))
        }
    };
    let given: BTreeSet<_> = table
        .iter()
        .filter(|(key, _)| gives(key))
        .flat_map(|(_, permissions)| permissions)
        .cloned()
        .collect();
    given.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text).unwrap()
    }

    #[test]
    fn a_key_is_a_name_or_a_group_of_a_directory() {
        let (main, partner) = (dn("dc=example,dc=com"), dn("dc=partner,dc=org"));
        let both = [("main", &main), ("partner", &partner)];
        let group = |directory: &str, text: &str| PermissionKey::Group {
            directory: directory.to_owned(),
            dn: dn(text),
        };
        assert_eq!(PermissionKey::parse("staff", &both), Ok(PermissionKey::Name("staff".to_owned())));
        assert_eq!(
            PermissionKey::parse("cn=staff,dc=partner,dc=org", &both),
            Ok(group("partner", "cn=staff,dc=partner,dc=org"))
        );
        assert_eq!(
            PermissionKey::parse("main:CN=Staff,dc=elsewhere", &both),
            Ok(group("main", "cn=staff,dc=elsewhere"))
        );
        assert_eq!(
            PermissionKey::parse("cn=staff,dc=elsewhere", &both),
            Err(PermissionKeyError::Directory("cn=staff,dc=elsewhere".to_owned(), 0))
        );
        assert_eq!(
            PermissionKey::parse("cn=staff,dc=elsewhere", &both[..1]),
            Ok(group("main", "cn=staff,dc=elsewhere"))
        );
        assert!(matches!(PermissionKey::parse("a=b=,=", &both), Err(PermissionKeyError::Dn(_))));
    }

    #[test]
    fn a_name_that_two_groups_have_means_neither() {
        let one = ("main".to_owned(), dn("cn=staff,ou=groups,dc=example,dc=com"));
        let other = ("partner".to_owned(), dn("cn=staff,dc=partner,dc=org"));
        let mut names = Names::default();
        names.learn("staff", BTreeSet::from([one.clone()]));
        assert!(names.means("staff", "main", &one.1));
        assert!(!names.means("staff", "partner", &other.1));
        names.learn("staff", BTreeSet::from([one.clone(), other]));
        assert!(!names.means("staff", "main", &one.1));
        assert!(!Names::default().means("staff", "main", &one.1));
    }
}
