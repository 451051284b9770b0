//! What groups may do, and whose group a name means.

use std::collections::{BTreeMap, BTreeSet};

use auth::Person;
use proto::{Dn, DnError};

/// The longest permission, in bytes.
const LONGEST: usize = 128;

/// Whether the text can be a permission: a word without white space and control characters, of at most 128 bytes.
///
/// ```
/// assert!(ldapgate_account::is_permission("reports.view"));
/// assert!(!ldapgate_account::is_permission("may view"));
/// ```
#[must_use]
pub fn is_permission(text: &str) -> bool {
    let is_of_a_word = |c: char| !c.is_whitespace() && !c.is_control();
    !text.is_empty() && text.len() <= LONGEST && text.chars().all(is_of_a_word)
}

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
#[non_exhaustive]
pub enum PermissionKeyError {
    /// Nothing but white space.
    #[error("a group has a name")]
    Empty,
    /// It looks like a DN and is none.
    #[error("{text:?} is no distinguished name")]
    Dn {
        /// What should be a DN: the key without its directory.
        text: String,
        /// Why.
        source: DnError,
    },
    /// The directory before the colon is not there.
    #[error("no directory is named {name:?}: there is {}", .known.join(", "))]
    NoDirectory {
        /// The name.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The group lies outside its directory, so nobody would ever count as its member.
    #[error("{dn:?} does not lie below the base of directory {directory:?}, {base:?}")]
    Outside {
        /// The group's DN.
        dn: String,
        /// The directory's name.
        directory: String,
        /// The directory's base.
        base: String,
    },
    /// No directory's base lies above the DN.
    #[error("{0:?} lies below no directory's base")]
    Nowhere(String),
    /// Several directories' bases lie above the DN.
    #[error("{dn:?} lies below the bases of {}", .directories.join(" and "))]
    Several {
        /// The group's DN.
        dn: String,
        /// The directories' names.
        directories: Vec<String>,
    },
}

impl PermissionKey {
    /// Reads `staff`, `cn=staff,ou=groups,dc=example,dc=com` or `main:cn=staff,..`, given every directory's name
    /// and base. A DN alone belongs to the only directory, or to the one under whose base it lies. A group counts only
    /// below its own directory's base: one directory cannot speak for another.
    ///
    /// # Errors
    ///
    /// When it is empty, when it holds a `=` and no DN can be read from it, and when its directory is not clear, not there,
    /// or not above it.
    pub fn parse(text: &str, directories: &[(&str, &Dn)]) -> Result<Self, PermissionKeyError> {
        if !text.contains('=') {
            let name = (!text.trim().is_empty()).then(|| Self::Name(text.to_owned()));
            return name.ok_or(PermissionKeyError::Empty);
        }
        let read = |text: &str| {
            Dn::parse(text).map_err(|source| PermissionKeyError::Dn { text: text.to_owned(), source })
        };
        let names = || directories.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let (&(directory, base), dn) = match text.split_once(':').filter(|(name, _)| !name.contains('=')) {
            Some((name, rest)) => {
                let no_directory =
                    || PermissionKeyError::NoDirectory { name: name.to_owned(), known: names() };
                let known = directories.iter().find(|(known, _)| *known == name).ok_or_else(no_directory)?;
                (known, read(rest)?)
            }
            None => {
                let dn = read(text)?;
                (owner(&dn, directories)?, dn)
            }
        };
        if !dn.is_at_or_below(base) {
            let (dn, base) = (dn.to_string(), base.to_string());
            return Err(PermissionKeyError::Outside { dn, directory: directory.to_owned(), base });
        }
        Ok(Self::Group { directory: directory.to_owned(), dn })
    }
}

/// The only directory, or the one under whose base the name lies.
fn owner<'k, 'd>(
    dn: &Dn,
    directories: &'k [(&'d str, &'d Dn)],
) -> Result<&'k (&'d str, &'d Dn), PermissionKeyError> {
    if let [only] = directories {
        return Ok(only);
    }
    let above: Vec<_> = directories.iter().filter(|(_, base)| dn.is_at_or_below(base)).collect();
    match above[..] {
        [one] => Ok(one),
        [] => Err(PermissionKeyError::Nowhere(dn.to_string())),
        _ => {
            let directories = above.iter().map(|(name, _)| (*name).to_owned()).collect();
            Err(PermissionKeyError::Several { dn: dn.to_string(), directories })
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
        let group = |directory: &str, text: &str| {
            Ok(PermissionKey::Group { directory: directory.to_owned(), dn: dn(text) })
        };
        assert_eq!(PermissionKey::parse("staff", &both), Ok(PermissionKey::Name("staff".to_owned())));
        let key = "cn=staff,dc=partner,dc=org";
        assert_eq!(PermissionKey::parse(key, &both), group("partner", key));
        assert_eq!(
            PermissionKey::parse("main:CN=Staff,dc=example,dc=com", &both),
            group("main", "cn=staff,dc=example,dc=com")
        );
        let key = "cn=a:b,dc=example,dc=com";
        assert_eq!(
            PermissionKey::parse(key, &both[..1]),
            group("main", key),
            "a colon behind the = is the name's"
        );
    }

    #[test]
    fn a_key_that_means_no_group_says_why() {
        let (main, below) = (dn("dc=example,dc=com"), dn("ou=partner,dc=example,dc=com"));
        let both = [("main", &main), ("partner", &below)];
        for (key, directories, expected) in [
            (" ", &both[..], "a group has a name"),
            ("a=b=,=", &both, "\"a=b=,=\" is no distinguished name"),
            ("other:cn=a,dc=x", &both, "no directory is named \"other\": there is main, partner"),
            ("cn=a,dc=x", &both, "\"cn=a,dc=x\" lies below no directory's base"),
            (
                "cn=a,ou=partner,dc=example,dc=com",
                &both,
                "\"cn=a,ou=partner,dc=example,dc=com\" lies below the bases of main and partner",
            ),
            (
                "cn=a,dc=x",
                &both[..1],
                "\"cn=a,dc=x\" does not lie below the base of directory \"main\", \"dc=example,dc=com\"",
            ),
            (
                "partner:cn=a,dc=example,dc=com",
                &both,
                "\"cn=a,dc=example,dc=com\" does not lie below the base of directory \"partner\", \"ou=partner,dc=example,dc=com\"",
            ),
        ] {
            let error = PermissionKey::parse(key, directories).unwrap_err();
            assert_eq!(error.to_string(), expected, "{key}");
        }
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
