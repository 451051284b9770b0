//! The walk through a directory's groups: what the entry tells, one filter for each kind, one for each level above.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use proto::value::Sid;
use proto::{Dn, Filter, Scope};

use super::kind::Names;
use super::{Membership, kind};
use crate::ask::{Hits, Query, Reader, covers};
use crate::directories::Directory;
use crate::explain::decided;
use crate::person::Group;
use crate::record::Record;
use crate::settings::GroupSearch;
use crate::{Error, Observer};

/// Names in one filter at most; more are asked for in several.
const CLAUSES: usize = 200;
/// Bytes of the names in one filter, beyond which no more are added: servers limit a request, too.
const BYTES: usize = 64 << 10;
/// How often in one walk a filter that the server finds too much is asked again in smaller parts.
const HALVINGS: usize = 8;
/// Groups of one person at most.
const GROUPS: usize = 20_000;

/// The groups of one person, as far as they are found.
pub(super) struct Walk<'a> {
    pub(super) directory: &'a Directory,
    pub(super) record: &'a Record,
    pub(super) reader: &'a mut Reader,
    pub(super) server: &'a str,
    pub(super) observer: &'a dyn Observer,
    /// The groups, and the name of each that is shown.
    pub(super) found: BTreeMap<Dn, Option<String>>,
    /// Of the groups to be shown that the entry told of.
    pub(super) names: Names,
    pub(super) complete: bool,
    halvings: usize,
    wanted: Vec<String>,
}

/// A group as an answer tells it.
pub(super) struct Hit {
    pub(super) dn: Dn,
    pub(super) name: Option<String>,
    pub(super) sid: Option<Sid>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        directory: &'a Directory,
        record: &'a Record,
        reader: &'a mut Reader,
        server: &'a str,
        observer: &'a dyn Observer,
    ) -> Walk<'a> {
        Walk {
            directory,
            record,
            reader,
            server,
            observer,
            found: BTreeMap::new(),
            names: Names::Known,
            complete: true,
            halvings: HALVINGS,
            wanted: kind::group_attributes(&directory.settings),
        }
    }

    /// Another walk for the same person, which has found nothing yet.
    pub(super) fn branch(&mut self) -> Walk<'_> {
        Walk::new(self.directory, self.record, self.reader, self.server, self.observer)
    }

    /// Kinds that write a person's groups into the person's entry cost nothing.
    pub(super) fn told_by_the_entry(&mut self) {
        let directory = self.directory;
        let Some(attribute) = kind::person_attribute(&directory.settings) else { return };
        let attributes = &self.record.attributes;
        self.complete &= !attributes.is_partial(attribute);
        let mut strange = 0;
        for text in attributes.texts(attribute) {
            match Dn::parse(text) {
                // A group elsewhere is another directory's to speak of.
                Ok(group) if group.is_below(&directory.settings.base) => self.add_told(group),
                _ => strange += 1,
            }
        }
        let what = format!("{attribute} of {}", self.record.dn);
        let aside = if strange > 0 { format!(", {strange} elsewhere left out") } else { String::new() };
        decided(self.observer, "groups", what, format!("{} groups{aside}", self.found.len()));
    }

    /// A group of which only the place is known is shown when it lies where groups are shown. Whether it matches a
    /// configured filter, and what it is called where the place does not tell, has to be asked.
    fn add_told(&mut self, group: Dn) {
        let name = self.name_by_place(&group);
        let mut searches = self.directory.settings.groups.searches.iter();
        if name.is_none() && searches.any(|search| covers(&search.base, search.scope, &group)) {
            self.names = Names::Missing;
        }
        self.found.entry(group).or_insert(name);
    }

    /// What a group that was not read is called, if it is shown.
    pub(super) fn name_by_place(&self, group: &Dn) -> Option<String> {
        let shown = self.is_shown_by_place(group);
        shown.then(|| kind::name_of(&self.directory.settings, group)).flatten()
    }

    pub(super) fn is_shown_by_place(&self, group: &Dn) -> bool {
        let searches = self.directory.settings.groups.searches.iter();
        let mut open = searches.filter(|search| search.filter.is_none());
        open.any(|search| covers(&search.base, search.scope, group))
    }

    /// Asks for each kind, then level by level. Where groups are not followed, those of rules that lie elsewhere are asked.
    pub(super) async fn by_level(&mut self) -> Result<(), Error> {
        let settings = &self.directory.settings;
        for clauses in kind::clauses_of_person(settings, self.record) {
            let hits = self.reach(&clauses, &as_it_is).await?;
            self.note(hits);
        }
        self.by_custom().await?;
        if settings.groups.nested {
            self.climb().await?;
        } else {
            self.named_by_rules().await?;
        }
        self.show_found().await
    }

    /// Asks where groups count. Followed into each other they count wherever they lie: a link that is not shown must not
    /// end the way to one that is refused.
    async fn reach<T: Sync>(
        &mut self,
        items: &[T],
        clause: &(impl Fn(&T, &mut Vec<Filter>) + Sync),
    ) -> Result<Vec<Hit>, Error> {
        let settings = &self.directory.settings;
        if !settings.groups.nested {
            return self.everywhere(items, clause).await;
        }
        let whole = GroupSearch { base: settings.base.clone(), scope: Scope::Subtree, filter: None };
        let mut hits = Vec::new();
        self.ask(&whole, items, clause, &mut hits).await?;
        for hit in hits.iter_mut().filter(|hit| !self.is_shown_by_place(&hit.dn)) {
            hit.name = None;
        }
        Ok(hits)
    }

    /// Asks the places of groups that are shown.
    pub(super) async fn everywhere<T: Sync>(
        &mut self,
        items: &[T],
        clause: &(impl Fn(&T, &mut Vec<Filter>) + Sync),
    ) -> Result<Vec<Hit>, Error> {
        let directory = self.directory;
        let mut hits = Vec::new();
        for search in &directory.settings.groups.searches {
            self.ask(search, items, clause, &mut hits).await?;
        }
        Ok(hits)
    }

    /// Asks which of the groups that were found are shown, and what they are called, where their places do not tell.
    /// Each of them has the person or another of them as a member.
    async fn show_found(&mut self) -> Result<(), Error> {
        let settings = &self.directory.settings;
        let filtered = settings.groups.searches.iter().any(|search| search.filter.is_some());
        let reached = filtered && settings.groups.nested;
        if !reached && self.names == Names::Known {
            return Ok(());
        }
        let mut clauses = kind::clauses_of_member(settings, self.record);
        clauses.extend(kind::clauses_of_groups(settings, self.found.keys()));
        for hit in self.everywhere(&clauses, &as_it_is).await? {
            if let Some(known) = self.found.get_mut(&hit.dn) {
                *known = hit.name.or_else(|| known.take());
            }
        }
        Ok(())
    }

    /// Asks one place for groups that match a clause of any item. Where the server gives up, fewer are asked for at once.
    async fn ask<T: Sync>(
        &mut self,
        search: &GroupSearch,
        mut items: &[T],
        clause: &(impl Fn(&T, &mut Vec<Filter>) + Sync),
        hits: &mut Vec<Hit>,
    ) -> Result<(), Error> {
        let mut most = items.len();
        while !items.is_empty() {
            let (clauses, taken) = clauses_of(&items[..most.min(items.len())], clause);
            let filter = match &search.filter {
                Some(filter) => Filter::And(vec![filter.clone(), any(clauses)]),
                None => any(clauses),
            };
            let answer = self.query(&search.base, search.scope, filter, 0).await?;
            if answer.truncated && taken > 1 && self.halvings > 0 {
                self.halvings -= 1;
                most = taken / 2;
                continue;
            }
            self.complete &= !answer.truncated;
            let base = &self.directory.settings.base;
            // A group of another directory under this one's search base would not count.
            hits.extend(self.read(answer).filter(|hit| hit.dn.is_below(base)));
            items = &items[taken..];
        }
        Ok(())
    }

    /// The one place where answers become groups.
    fn read(&self, answer: Hits) -> impl Iterator<Item = Hit> + use<'a> {
        let groups = &self.directory.settings.groups;
        answer.records.into_iter().map(|record| Hit {
            name: record.attributes.text(&groups.name_attribute).map(str::to_owned),
            sid: kind::sid_of(&record.attributes),
            dn: record.dn,
        })
    }

    pub(super) async fn query(
        &mut self,
        base: &Dn,
        scope: Scope,
        filter: Filter,
        limit: u32,
    ) -> Result<Hits, Error> {
        let attributes = &self.wanted;
        let query = Query { step: "groups", base, scope, filter, attributes, limit };
        self.reader.search(self.server, query, self.observer).await
    }

    /// Keeps what was found, and returns the groups that are new.
    pub(super) fn note(&mut self, hits: Vec<Hit>) -> Vec<Dn> {
        let mut new = Vec::new();
        for hit in hits {
            if self.found.len() >= GROUPS {
                self.complete = false;
                break;
            }
            match self.found.entry(hit.dn) {
                Entry::Vacant(place) => {
                    new.push(place.key().clone());
                    place.insert(hit.name);
                }
                Entry::Occupied(mut known) => {
                    let name = hit.name.or_else(|| known.get_mut().take());
                    known.insert(name);
                }
            }
        }
        new
    }

    /// Groups in groups, one round trip a level; what was seen before is not asked for again, so a circle ends.
    async fn climb(&mut self) -> Result<(), Error> {
        let attributes = kind::member_attributes(&self.directory.settings);
        let clause = |group: &Dn, clauses: &mut Vec<Filter>| {
            clauses.extend(attributes.iter().map(|attribute| Filter::equal(*attribute, group.as_str())));
        };
        let mut frontier: Vec<Dn> = self.found.keys().cloned().collect();
        while !frontier.is_empty() && !attributes.is_empty() {
            let hits = self.reach(&frontier, &clause).await?;
            frontier = self.note(hits);
        }
        Ok(())
    }

    /// Groups of rules that no search can have seen: each is asked whether it has this member.
    async fn named_by_rules(&mut self) -> Result<(), Error> {
        let directory = self.directory;
        let clauses = kind::clauses_of_member(&directory.settings, self.record);
        for group in &directory.rule_groups {
            if !self.is_answered(group) && self.holds(group, &clauses).await? {
                self.found.insert(group.clone(), None);
            }
        }
        Ok(())
    }

    /// Is it known whether the person is in this group?
    pub(super) fn is_answered(&self, group: &Dn) -> bool {
        self.found.contains_key(group)
            || kind::entry_tells_all(&self.directory.settings)
            || self.is_shown_by_place(group)
    }

    /// Does one group, wherever it lies, match any of these?
    pub(super) async fn holds(&mut self, group: &Dn, mut clauses: &[Filter]) -> Result<bool, Error> {
        while !clauses.is_empty() {
            let (part, taken) = clauses_of(clauses, &as_it_is);
            match self.query(group, Scope::Base, any(part), 1).await {
                Ok(hits) if !hits.records.is_empty() => return Ok(true),
                Ok(hits) => self.complete &= !hits.truncated,
                // A group that is not there has no members.
                Err(error) if error.is_absence() => return Ok(false),
                Err(error) => return Err(error),
            }
            clauses = &clauses[taken..];
        }
        Ok(false)
    }

    pub(super) fn end(self) -> Membership {
        let named = |(dn, name): (&Dn, &Option<String>)| Some(Group { name: name.clone()?, dn: dn.clone() });
        let mut shown: Vec<_> = self.found.iter().filter_map(named).collect();
        shown.sort();
        Membership { shown, all: self.found.into_keys().collect(), complete: self.complete }
    }
}

/// The clause that an item is already.
pub(super) fn as_it_is(item: &Filter, clauses: &mut Vec<Filter>) {
    clauses.push(item.clone());
}

/// The clauses of as many items as go into one filter, at least one's, and how many items these were.
fn clauses_of<T>(items: &[T], clause: &impl Fn(&T, &mut Vec<Filter>)) -> (Vec<Filter>, usize) {
    let (mut clauses, mut bytes) = (Vec::new(), 0);
    for (taken, item) in items.iter().enumerate() {
        if clauses.len() >= CLAUSES || bytes >= BYTES {
            return (clauses, taken);
        }
        let before = clauses.len();
        clause(item, &mut clauses);
        bytes += clauses[before..].iter().map(size).sum::<usize>();
    }
    (clauses, items.len())
}

/// About how many bytes a clause is.
fn size(clause: &Filter) -> usize {
    match clause {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().map(size).sum(),
        Filter::Equal { value, .. } | Filter::Extensible { value, .. } => value.len(),
        _ => 0,
    }
}

pub(super) fn any(mut clauses: Vec<Filter>) -> Filter {
    match clauses.len() {
        1 => clauses.remove(0),
        _ => Filter::Or(clauses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_ends_before_it_has_too_many_names_or_too_long_ones() {
        let taken = |names: &[String]| {
            let clause = |name: &String, clauses: &mut Vec<Filter>| {
                clauses.extend([Filter::equal("member", name), Filter::equal("uniqueMember", name)]);
            };
            let (clauses, taken) = clauses_of(names, &clause);
            assert_eq!(clauses.len(), 2 * taken);
            taken
        };
        assert_eq!(taken(&vec!["cn=a".to_owned(); 7]), 7);
        assert_eq!(taken(&vec!["cn=a".to_owned(); 1_000]), CLAUSES / 2);
        assert_eq!(taken(&vec!["a".repeat(BYTES / 8); 1_000]), 4);
        assert_eq!(taken(&vec!["a".repeat(BYTES); 3]), 1, "one is always asked for");
    }
}
