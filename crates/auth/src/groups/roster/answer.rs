//! A walk that finds in the roster what it would ask the server for.

use proto::Dn;

use super::{Having, Part, Roster};
use crate::fingerprint::Fingerprint;
use crate::groups::kind::Names;
use crate::groups::walk::{Hit, Walk};

impl Walk<'_> {
    /// As [`Walk::by_level`], step by step. False when only the server knows.
    pub(in crate::groups) fn by_roster(&mut self, roster: &Roster) -> bool {
        let settings = &self.directory.settings;
        let Some(person) = roster.of_person(settings, self.record) else { return false };
        let nested = settings.groups.nested;
        let direct = person.iter().filter(|having| having.is_direct && having.node.part == Part::Search);
        let hits = direct.map(|having| self.hit(having)).collect();
        self.note(hits);
        if nested {
            self.climb_in(roster);
        } else {
            self.named_by_rules_in(&person);
        }
        self.show_found_in(roster, &person);
        true
    }

    /// Groups followed into each other count wherever they lie, and are shown where that is open.
    fn hit(&self, having: &Having<'_>) -> Hit {
        let node = having.node;
        let shown = !self.directory.settings.groups.nested || self.is_shown_by_place(&node.dn);
        Hit { dn: node.dn.clone(), name: node.name.clone().filter(|_| shown), sid: None }
    }

    fn climb_in(&mut self, roster: &Roster) {
        let mut frontier: Vec<Dn> = self.found.keys().cloned().collect();
        while !frontier.is_empty() {
            let above = frontier.iter().flat_map(|group| roster.having(Fingerprint::of_dn(group)));
            let hits = above.map(|having| self.hit(&having)).collect();
            frontier = self.note(hits);
        }
    }

    fn named_by_rules_in(&mut self, person: &[Having<'_>]) {
        let directory = self.directory;
        for group in &directory.rule_groups {
            let has = |having: &Having<'_>| having.node.part == Part::Rule && having.node.dn == *group;
            if !self.is_answered(group) && person.iter().any(has) {
                self.found.insert(group.clone(), None);
            }
        }
    }

    fn show_found_in(&mut self, roster: &Roster, person: &[Having<'_>]) {
        let groups = &self.directory.settings.groups;
        let reached = groups.nested && groups.searches.iter().any(|search| search.filter.is_some());
        if !reached && self.names == Names::Known {
            return;
        }
        let members: Vec<Fingerprint> = self.found.keys().map(Fingerprint::of_dn).collect();
        let above = members.into_iter().flat_map(|member| roster.having(member));
        for Having { node, .. } in person.iter().copied().chain(above).filter(|having| having.node.is_listed)
        {
            if let Some(known) = self.found.get_mut(&node.dn) {
                *known = node.name.clone().or_else(|| known.take());
            }
        }
    }
}
