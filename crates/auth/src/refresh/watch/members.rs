//! Groups as they were, and who a change of one is about.

use std::collections::{HashMap, HashSet};

use proto::value::Guid;

use super::news::News;
use crate::Settings;
use crate::fingerprint::Fingerprint;
use crate::groups::Seen;

/// What is known of the directory from what it told: by which key an entry is known again is the caller's affair.
#[derive(Debug)]
pub(super) struct Known {
    /// For each stream.
    groups: Vec<HashMap<Fingerprint, Seen>>,
    /// The names of the groups, and how many have it: a rename may be seen before what it was before.
    places: HashMap<Fingerprint, usize>,
    /// For each stream, where the server tells by which identifier it knows them.
    people: Vec<HashSet<Guid>>,
    nested: bool,
    /// Everything was read once.
    pub(super) is_begun: bool,
}

impl Known {
    pub(super) fn new(settings: &Settings, streams: usize) -> Known {
        Known {
            groups: vec![HashMap::new(); streams],
            places: HashMap::new(),
            people: vec![HashSet::new(); streams],
            nested: settings.groups.nested,
            is_begun: false,
        }
    }

    /// A group as it is now.
    pub(super) fn group(&mut self, stream: usize, key: Fingerprint, now: Seen, news: &mut News) {
        *self.places.entry(now.dn).or_default() += 1;
        let before = self.groups[stream].insert(key, now.clone());
        match &before {
            Some(before) if *before == now => {}
            Some(before) if before.dn == now.dn && before.name == now.name => {
                self.changed(different(&before.members, &now.members), news);
                if before.posix != now.posix {
                    news.everybody();
                }
            }
            // What it is called has changed, for everybody in it.
            Some(before) => {
                self.changed(before.members.iter().chain(&now.members).copied().collect(), news);
                if self.nested || now.posix.is_some() {
                    news.everybody();
                }
            }
            None => {
                self.changed(now.members.to_vec(), news);
                if now.posix.is_some() {
                    news.everybody();
                }
            }
        }
        if let Some(before) = before {
            self.leave(before.dn);
        }
    }

    /// A group that is not there any more, or not seen.
    pub(super) fn no_group(&mut self, stream: usize, key: Fingerprint, news: &mut News) {
        let Some(before) = self.groups[stream].remove(&key) else { return };
        self.changed(before.members.to_vec(), news);
        if before.posix.is_some() {
            news.everybody();
        }
        self.leave(before.dn);
    }

    pub(super) fn is_group(&self, stream: usize, key: &Fingerprint) -> bool {
        self.groups[stream].contains_key(key)
    }

    /// False when the person was known.
    pub(super) fn person(&mut self, stream: usize, key: Guid) -> bool {
        self.people[stream].insert(key)
    }

    pub(super) fn no_person(&mut self, stream: usize, key: &Guid) {
        self.people[stream].remove(key);
    }

    pub(super) fn groups_of(&self, stream: usize) -> usize {
        self.groups[stream].len()
    }

    pub(super) fn people_of(&self, stream: usize) -> usize {
        self.people[stream].len()
    }

    /// The groups that are not among these.
    pub(super) fn groups_but(&self, stream: usize, named: &HashSet<Fingerprint>) -> Vec<Fingerprint> {
        self.groups[stream].keys().filter(|key| !named.contains(key)).copied().collect()
    }

    /// The people who are not among these.
    pub(super) fn people_but(&self, stream: usize, named: &HashSet<Guid>) -> Vec<Guid> {
        self.people[stream].difference(named).copied().collect()
    }

    /// A member that is a group itself stands for people who are not named.
    fn changed(&self, members: Vec<Fingerprint>, news: &mut News) {
        if self.nested && members.iter().any(|member| self.places.contains_key(member)) {
            news.everybody();
        }
        news.at(members);
    }

    fn leave(&mut self, place: Fingerprint) {
        if let Some(count) = self.places.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.places.remove(&place);
            }
        }
    }
}

/// What is in one of two sorted lists only.
fn different(before: &[Fingerprint], now: &[Fingerprint]) -> Vec<Fingerprint> {
    let only = |these: &[Fingerprint], those: &[Fingerprint]| {
        let missing = these.iter().filter(|one| those.binary_search(one).is_err());
        missing.copied().collect::<Vec<_>>()
    };
    [only(before, now), only(now, before)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vendor;
    use crate::refresh::watch::Hint;
    use proto::{Dn, Entry};

    const STREAM: usize = 0;

    struct World {
        known: Known,
        watched: crate::groups::Watched,
    }

    impl World {
        fn new(change: impl FnOnce(&mut Settings)) -> World {
            let mut settings = Settings::preset("main", Vendor::OpenLdap, "dc=example".parse().unwrap());
            change(&mut settings);
            World { known: Known::new(&settings, 1), watched: crate::groups::watched(&settings) }
        }

        fn group(&mut self, key: u8, name: &str, members: &[&str]) -> Vec<Hint> {
            let members = members.iter().map(|member| format!("cn={member},dc=example"));
            let entry = Entry::builder(format!("cn={name},dc=example")).attribute("cn", [name]);
            let seen = self.watched.see(&entry.attribute("member", members).build());
            let mut news = News::default();
            self.known.group(STREAM, Fingerprint::of("key", &[key]), seen, &mut news);
            news.take()
        }

        fn no_group(&mut self, key: u8) -> Vec<Hint> {
            let mut news = News::default();
            self.known.no_group(STREAM, Fingerprint::of("key", &[key]), &mut news);
            news.take()
        }
    }

    fn at(names: &[&str]) -> Vec<Hint> {
        let names = names.iter().map(|name| Dn::parse(&format!("cn={name},dc=example")).unwrap());
        vec![Hint::PeopleAt(names.collect())]
    }

    #[test]
    fn who_comes_and_who_goes_is_told_and_nobody_else() {
        let mut world = World::new(|_| ());
        assert_eq!(world.group(1, "staff", &["ada", "bob"]), at(&["ada", "bob"]));
        assert_eq!(world.group(1, "staff", &["bob", "ADA"]), []);
        assert_eq!(world.group(1, "staff", &["bob", "eve"]), at(&["ada", "eve"]));
        assert_eq!(world.group(1, "staff", &[]), at(&["bob", "eve"]));
        assert_eq!(world.group(1, "staff", &["bob"]), at(&["bob"]));
        assert_eq!(world.no_group(1), at(&["bob"]));
        assert_eq!(world.no_group(1), []);
    }

    #[test]
    fn a_group_by_another_name_is_told_to_everybody_in_it() {
        let mut world = World::new(|_| ());
        world.group(1, "staff", &["ada", "bob"]);
        assert_eq!(world.group(1, "crew", &["bob", "eve"]), at(&["ada", "bob", "eve"]));
    }

    #[test]
    fn groups_in_groups_stand_for_people_who_are_not_named() {
        let mut world = World::new(|settings| settings.groups.nested = true);
        world.group(1, "inner", &["ada"]);
        world.group(2, "outer", &["bob"]);
        assert_eq!(world.group(1, "inner", &["eve"]), at(&["ada", "eve"]));
        assert_eq!(world.group(2, "outer", &["bob", "inner"]), [Hint::Everybody]);
        assert_eq!(world.group(1, "core", &["eve"]), [Hint::Everybody]);
        // What it was called is nobody's name any more.
        assert_eq!(world.group(2, "outer", &["bob"]), at(&["inner"]));
        assert_eq!(world.no_group(1), at(&["eve"]));
        let mut flat = World::new(|_| ());
        flat.group(1, "inner", &["ada"]);
        assert_eq!(flat.group(2, "outer", &["inner"]), at(&["inner"]));
    }
}
