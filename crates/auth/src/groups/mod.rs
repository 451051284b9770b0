//! Who is in which group. Groups that are shown come from the configured searches; one that a rule names may lie
//! anywhere below the directory's base and costs one look-up when the searches cannot have seen it.
//!
//! Reading order: this file walks, [`kind`] says what to ask for.

mod kind;

use std::collections::{BTreeMap, BTreeSet};

use proto::{Dn, Filter, Scope};

use crate::ask::{Query, Reader, covers};
use crate::explain::decided;
use crate::person::Group;
use crate::record::Record;
use crate::settings::GroupSearch;
use crate::{Error, Observer, Settings, Silent};

pub(crate) use kind::attributes;

/// Names in one filter at most; more are asked for in several.
const CLAUSES: usize = 200;

/// The groups of one person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Membership {
    /// Sorted by name.
    pub(crate) shown: Vec<Group>,
    pub(crate) all: BTreeSet<Dn>,
    /// False when the server cut something short.
    pub(crate) complete: bool,
}

/// Finds a person's groups.
///
/// # Errors
/// Any search that fails; a list that was cut short, where a group that is missing from it would let somebody in.
pub(crate) async fn of(
    settings: &Settings,
    record: &Record,
    reader: &mut Reader,
    server: &str,
    observer: &dyn Observer,
) -> Result<Membership, Error> {
    if settings.groups.kinds.is_empty() {
        return Ok(Membership { complete: true, ..Membership::default() });
    }
    let mut walk =
        Walk { settings, record, reader, server, observer, found: BTreeMap::new(), complete: true };
    walk.told_by_the_entry();
    walk.search(kind::clauses_of_person(settings, record)).await?;
    let direct: Vec<Dn> = walk.found.keys().cloned().collect();
    walk.climb(direct).await?;
    walk.named_by_rules().await?;
    let membership = walk.end();
    if !membership.complete && settings.needs_every_group() {
        return Err(Error::directory(format!(
            "the server cut the list of groups of {} short: what it left out may be a group that is refused",
            record.dn
        )));
    }
    Ok(membership)
}

/// The groups of this name where groups are searched for.
pub(crate) async fn named(
    settings: &Settings,
    name: &str,
    reader: &mut Reader,
    server: &str,
) -> Result<Vec<Dn>, Error> {
    let mut found = BTreeSet::new();
    for search in settings.groups.searches.iter().filter(|_| !settings.groups.kinds.is_empty()) {
        let mut clauses =
            vec![Filter::equal(&settings.groups.name_attribute, name), kind::any_group(settings)];
        clauses.extend(search.filter.clone());
        let filter = Filter::And(clauses);
        let wanted = ["1.1".to_owned()];
        let query = Query {
            step: "groups",
            base: &search.base,
            scope: search.scope,
            filter,
            attributes: &wanted,
            limit: 0,
        };
        let hits = reader.search(server, query, &Silent).await?;
        if hits.truncated {
            return Err(Error::directory(format!("the server cut the list of groups called {name:?} short")));
        }
        found.extend(hits.records.into_iter().map(|hit| hit.dn).filter(|dn| dn.is_below(&settings.base)));
    }
    Ok(found.into_iter().collect())
}

/// Groups found so far, and the name of each that is shown.
struct Walk<'a> {
    settings: &'a Settings,
    record: &'a Record,
    reader: &'a mut Reader,
    server: &'a str,
    observer: &'a dyn Observer,
    found: BTreeMap<Dn, Option<String>>,
    complete: bool,
}

/// What one round trip asks: entries of one kind that match any of these.
type Clauses = Vec<Vec<Filter>>;

impl Walk<'_> {
    /// Kinds that write a person's groups into the person's entry cost nothing.
    fn told_by_the_entry(&mut self) {
        for attribute in kind::person_attributes(self.settings) {
            if self.record.attributes.is_partial(&attribute) {
                self.complete = false;
            }
            let mut strange = 0;
            for text in self.record.attributes.texts(&attribute) {
                match Dn::parse(text) {
                    // A group elsewhere is another directory's to speak of.
                    Ok(group) if group.is_below(&self.settings.base) => self.add_told(group),
                    _ => strange += 1,
                }
            }
            let what = format!("{attribute} of {}", self.record.dn);
            let aside = if strange > 0 { format!(", {strange} elsewhere left out") } else { String::new() };
            decided(self.observer, "groups", what, format!("{} groups{aside}", self.found.len()));
        }
    }

    /// A group that is known by its name alone is shown when it lies where groups are shown and nothing else is asked
    /// of them; a configured filter is asked in [`Walk::search`].
    fn add_told(&mut self, group: Dn) {
        let searches = &self.settings.groups.searches;
        let shown = searches
            .iter()
            .any(|search| search.filter.is_none() && covers(&search.base, search.scope, &group));
        let name = shown.then(|| kind::name_of(self.settings, &group));
        self.found.entry(group).or_insert(name);
    }

    /// Asks the configured places, and returns the groups that are new.
    async fn search(&mut self, kinds: Clauses) -> Result<Vec<Dn>, Error> {
        let mut new = Vec::new();
        let searches = &self.settings.groups.searches;
        for clauses in kinds {
            for search in searches {
                for part in clauses.chunks(CLAUSES) {
                    new.extend(self.ask(search, part.to_vec()).await?);
                }
            }
        }
        Ok(new)
    }

    async fn ask(&mut self, search: &GroupSearch, clauses: Vec<Filter>) -> Result<Vec<Dn>, Error> {
        let wanted = [self.settings.groups.name_attribute.clone()];
        let filter = match &search.filter {
            Some(filter) => Filter::And(vec![filter.clone(), any(clauses)]),
            None => any(clauses),
        };
        let query = Query {
            step: "groups",
            base: &search.base,
            scope: search.scope,
            filter,
            attributes: &wanted,
            limit: 0,
        };
        let hits = self.reader.search(self.server, query, self.observer).await?;
        self.complete &= !hits.truncated;
        let mut new = Vec::new();
        for hit in hits.records {
            // A group of another directory under this one's search base would not count.
            if !hit.dn.is_below(&self.settings.base) {
                continue;
            }
            let told = hit.attributes.text(&self.settings.groups.name_attribute).map(str::to_owned);
            let name = told.unwrap_or_else(|| kind::name_of(self.settings, &hit.dn));
            if self.found.insert(hit.dn.clone(), Some(name)).is_none() {
                new.push(hit.dn);
            }
        }
        Ok(new)
    }

    /// Groups in groups, one round trip a level; what was seen before is not asked for again, so a circle ends.
    async fn climb(&mut self, mut frontier: Vec<Dn>) -> Result<(), Error> {
        if !self.settings.groups.nested {
            return Ok(());
        }
        while !frontier.is_empty() {
            frontier = self.search(kind::clauses_of_groups(self.settings, &frontier)).await?;
        }
        Ok(())
    }

    /// Groups of rules that no search can have seen: each is asked whether it has this member.
    async fn named_by_rules(&mut self) -> Result<(), Error> {
        let mut unknown: Vec<Dn> = self.settings.rule_groups().into_iter().cloned().collect();
        unknown.retain(|group| !self.is_answered(group));
        loop {
            let mut new = Vec::new();
            for group in &unknown {
                if !self.found.contains_key(group) && self.has_member(group).await? {
                    self.found.insert(group.clone(), None);
                    new.push(group.clone());
                }
            }
            // With groups in groups one of them may open the way to others.
            if new.is_empty() || !self.settings.groups.nested {
                return Ok(());
            }
            self.climb(new).await?;
        }
    }

    fn is_answered(&self, group: &Dn) -> bool {
        if self.found.contains_key(group) {
            return true;
        }
        if kind::entry_tells_all(self.settings) {
            return true;
        }
        let searches = &self.settings.groups.searches;
        searches.iter().any(|search| search.filter.is_none() && covers(&search.base, search.scope, group))
    }

    async fn has_member(&mut self, group: &Dn) -> Result<bool, Error> {
        let mut clauses = kind::clauses_of_member(self.settings, self.record);
        if self.settings.groups.nested {
            let known: Vec<Dn> = self.found.keys().cloned().collect();
            clauses.extend(kind::clauses_of_groups(self.settings, &known).into_iter().flatten());
        }
        let wanted = ["1.1".to_owned()]; // No attributes: RFC 4511 section 4.5.1.8.
        for part in clauses.chunks(CLAUSES) {
            let filter = any(part.to_vec());
            let query = Query {
                step: "groups",
                base: group,
                scope: Scope::Base,
                filter,
                attributes: &wanted,
                limit: 1,
            };
            match self.reader.search(self.server, query, self.observer).await {
                Ok(hits) if !hits.records.is_empty() => return Ok(true),
                Ok(_) => {}
                // A group that is not there has no members.
                Err(error) if error.is_absence() => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn end(self) -> Membership {
        let named = |(dn, name): (&Dn, &Option<String>)| Some(Group { name: name.clone()?, dn: dn.clone() });
        let mut shown: Vec<_> = self.found.iter().filter_map(named).collect();
        shown.sort();
        Membership { shown, all: self.found.into_keys().collect(), complete: self.complete }
    }
}

fn any(mut clauses: Vec<Filter>) -> Filter {
    match clauses.len() {
        1 => clauses.remove(0),
        _ => Filter::Or(clauses),
    }
}
