//! What has to be known of groups to notice that somebody came or went.

use proto::{Dn, Entry, Filter, Scope};

use super::kind;
use crate::Settings;
use crate::ask::covers;
use crate::fingerprint::Fingerprint;
use crate::settings::GroupKind;

/// What makes an entry a group, and what is kept of it.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    members: Vec<String>,
    posix: Option<String>,
    name: String,
}

/// A group as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) dn: Fingerprint,
    /// Sorted, each once: 16 bytes for each member.
    pub(crate) members: Box<[Fingerprint]>,
    /// What is in it by user name or number.
    pub(crate) posix: Option<Fingerprint>,
    /// What it is called.
    pub(crate) name: Fingerprint,
}

pub(crate) fn watched(settings: &Settings) -> Watched {
    let has_posix = settings.groups.kinds.contains(&GroupKind::Posix);
    Watched {
        members: kind::member_attributes(settings).into_iter().map(str::to_owned).collect(),
        posix: has_posix.then(|| kind::posix_attribute(settings).to_owned()),
        name: settings.groups.name_attribute.clone(),
    }
}

/// Where groups lie that count: everywhere, unless only those of the configured searches do.
pub(crate) fn places_of_groups(settings: &Settings) -> Vec<(Dn, Scope)> {
    let searches = settings.groups.searches.iter().map(|search| (search.base.clone(), search.scope));
    let places: Vec<_> = searches.collect();
    let is_covered = |group: &&Dn| places.iter().any(|(base, scope)| covers(base, *scope, group));
    let told = kind::person_attribute(settings).is_some();
    if settings.groups.nested || told || !settings.rule_groups().iter().all(is_covered) {
        return vec![(settings.base.clone(), Scope::Subtree)];
    }
    places
}

impl Watched {
    /// What every group matches; `None` when there are no groups.
    pub(crate) fn filter(&self) -> Option<Filter> {
        let members = self.members.iter().map(Filter::present);
        let posix = self.posix.iter().map(|_| Filter::equal("objectClass", "posixGroup"));
        let all: Vec<_> = members.chain(posix).collect();
        (!all.is_empty()).then(|| Filter::any(all))
    }

    pub(crate) fn attributes(&self) -> Vec<String> {
        let posix = self.posix.iter().flat_map(|attribute| [attribute.clone(), "gidNumber".to_owned()]);
        self.members.iter().cloned().chain(posix).chain([self.name.clone()]).collect()
    }

    /// Does it have members?
    pub(crate) fn is_group(&self, entry: &Entry) -> bool {
        self.members.iter().chain(&self.posix).any(|attribute| entry.has(attribute))
    }

    /// What is kept of a group. One whose name is none is known by what was written.
    pub(crate) fn see(&self, entry: &Entry) -> Seen {
        let members = self.members.iter().flat_map(|attribute| entry.texts(attribute));
        let mut members: Vec<_> =
            members.filter_map(|text| Dn::parse(text).ok()).map(|dn| Fingerprint::of_dn(&dn)).collect();
        members.sort_unstable();
        members.dedup();
        let posix = self.posix.as_ref().map(|attribute| {
            let mut values: Vec<&[u8]> = entry.values(attribute).collect();
            values.sort_unstable();
            let numbers = entry.values("gidNumber");
            digest(values.into_iter().chain([&b""[..]]).chain(numbers))
        });
        Seen {
            dn: place_of(entry),
            members: members.into_boxed_slice(),
            posix,
            name: digest(entry.values(&self.name)),
        }
    }
}

/// The name of an entry.
pub(crate) fn place_of(entry: &Entry) -> Fingerprint {
    match entry.parse_dn() {
        Ok(dn) => Fingerprint::of_dn(&dn),
        Err(_) => Fingerprint::of("no dn", entry.dn().as_bytes()),
    }
}

fn digest<'v>(values: impl Iterator<Item = &'v [u8]>) -> Fingerprint {
    let mut all = Vec::new();
    for value in values {
        all.extend((value.len() as u64).to_be_bytes());
        all.extend(value);
    }
    Fingerprint::of("values", &all)
}
