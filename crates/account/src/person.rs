//! People as they are kept between logins.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use proto::Dn;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Attributes, Time};

/// The local account's own number: random, never reused, independent of the directory's id.
///
/// Its text form is a UUID in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Uuid);

impl UserId {
    /// An id made of 16 random bytes (UUID version 4).
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Its first byte, which is random: spreads over time what is done for everybody.
    #[must_use]
    pub fn slot(self) -> u8 {
        self.0.as_bytes()[0]
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account's id is a UUID")]
pub struct UserIdError;

impl FromStr for UserId {
    type Err = UserIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| UserIdError)
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A group of the directory that a person is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group {
    /// The value of the directory's name attribute.
    pub name: String,
    /// Where it lies, as the directory writes it.
    pub dn: String,
}

/// A local group that somebody is in, and which group of the directory put them there.
///
/// Two directories, or two places of one, may have groups of one name: the name alone says nothing about what its members may
/// do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalGroup {
    /// The directory's name for it.
    pub name: String,
    /// Where it lies, in the normal form; empty where a version wrote it that did not keep it.
    pub dn: String,
}

impl LocalGroup {
    /// The longest name of a local group, in bytes.
    pub const LONGEST: usize = 255;

    /// The local group that follows one of the directory; `None` where its name is none for a local group: empty, too long,
    /// or with control characters in it.
    #[must_use]
    pub fn of(group: &Group) -> Option<Self> {
        let Group { name, dn } = group;
        if name.trim().is_empty() || name.len() > Self::LONGEST || name.chars().any(char::is_control) {
            return None;
        }
        let dn = Dn::parse(dn).ok()?.normalized().to_owned();
        Some(Self { name: name.clone(), dn })
    }
}

/// One person as the store knows them: what the directory said at the last login or look-up, and what is local.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The local id.
    pub id: UserId,
    /// The name of the directory that vouches for the person.
    pub directory: String,
    /// The directory's stable key; with `directory` it says who this is, whatever the name.
    pub external_id: String,
    /// The canonical name in the directory, folded.
    pub username: String,
    /// The name in this store, unique over all directories.
    pub local_name: String,
    /// Where the entry was last seen.
    pub dn: String,
    /// The entry's attributes at the last login or look-up; a look-up reads them anew.
    pub attributes: Attributes,
    /// Profile fields, one value each.
    pub fields: BTreeMap<String, String>,
    /// Profile lists, every value.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Flags given by group rules.
    pub flags: BTreeMap<String, bool>,
    /// Groups of the directory, sorted by name, then DN.
    pub groups: Vec<Group>,
    /// Local groups, sorted by name, then DN: those that mirror the directory's.
    pub local_groups: Vec<LocalGroup>,
    /// What the directory's groups gave at the last login or look-up, by `[permissions]` and by what an application made of
    /// it; sorted, each once.
    #[serde(default)]
    pub given: Vec<String>,
    /// What an operator gave the person here; sorted, each once.
    #[serde(default)]
    pub granted: Vec<String>,
    /// What the person may do: what was given, what was granted, and what the local groups are granted; sorted, each once.
    pub permissions: Vec<String>,
    /// Shut out by an operator here, whatever the directory says.
    pub disabled: bool,
    /// Why the directory does not stand behind the person any more, in one word, as the last look at them said: `gone`, or
    /// the reason a login would be denied for. Until the directory admits them again nothing they were given works.
    pub out: Option<String>,
    /// Counts revocations and new names: a token carries the number it was issued under and dies when this one moves on.
    pub generation: i64,
    /// When the generation last moved; `None` before the first time.
    pub generation_at: Option<Time>,
    /// When the person was first seen.
    pub first_seen: Time,
    /// The last granted login; `None` for people who were only looked up.
    pub last_login: Option<Time>,
    /// When the directory last told of the person, by login or look-up.
    pub checked: Time,
}

impl Account {
    /// Where the groups of the directory lie that the person was in at the last look.
    pub fn group_dns(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.dn.as_str())
    }

    /// What the groups of the directory are called that the person was in at the last look.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// What the local groups are called, each once.
    pub fn local_group_names(&self) -> impl Iterator<Item = &str> {
        let mut last = None;
        let names = self.local_groups.iter().map(|group| group.name.as_str());
        names.filter(move |name| last.replace(*name) != Some(*name))
    }

    /// Whether what the account was given works: it is neither shut out here nor out in the directory.
    #[must_use]
    pub fn may_act(&self) -> bool {
        !self.disabled && self.out.is_none()
    }

    /// Whether the person may do this.
    #[must_use]
    pub fn has_permission(&self, name: &str) -> bool {
        self.permissions.iter().any(|permission| permission == name)
    }

    /// Whether the person may do anything at all below a name: `reports` for `reports.view`.
    #[must_use]
    pub fn has_permission_below(&self, name: &str) -> bool {
        let rest =
            |permission: &String| permission.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.permissions.iter().any(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_what_it_prints() {
        let id = UserId::from_random([7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::to_value(id).unwrap(), id.to_string());
        assert_eq!("alice".parse::<UserId>(), Err(UserIdError));
    }

    #[test]
    fn a_local_group_keeps_where_it_comes_from_and_has_a_name_for_people() {
        let of = |name: &str| {
            LocalGroup::of(&Group { name: name.to_owned(), dn: "CN=Staff, dc=example,dc=com".to_owned() })
        };
        let dn = "cn=staff,dc=example,dc=com".to_owned();
        assert_eq!(of("Staff"), Some(LocalGroup { name: "Staff".to_owned(), dn }));
        for name in ["", " ", "a\nb", "a\u{9b}b", &"x".repeat(256)] {
            assert_eq!(of(name), None, "{name:?}");
        }
        assert!(of(&"x".repeat(255)).is_some());
    }
}
