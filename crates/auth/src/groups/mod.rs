//! Who is in which group. Groups that are shown come from the configured searches; one that a rule names may lie
//! anywhere below the directory's base and costs one look-up when the searches cannot have seen it.
//!
//! Reading order: this file chooses the way, [`kind`] says what each kind asks for, [`walk`] asks level by level. Active
//! Directory knows shorter ways: [`identifier`] reads what the server has computed, [`chain`] lets it walk. [`custom`] is
//! what an application adds. [`roster`] reads all groups at once, for
//! when everybody is looked at.

mod chain;
mod custom;
mod identifier;
mod kind;
mod known;
mod roster;
mod walk;
mod watched;

use std::collections::BTreeSet;

use proto::{Dn, Filter, Scope};

use crate::ask::{Query, Reader, covers};
use crate::directories::Directory;
use crate::person::Group;
use crate::record::Record;
use crate::{Error, Observer, Settings, Silent};

pub use custom::{CustomKind, GroupLookup};
pub(crate) use kind::{any_group, attributes, member_attributes, person_attribute};
pub(crate) use known::Known;
pub(crate) use roster::Roster;
use walk::Walk;
pub(crate) use watched::{Seen, Watched, place_of, places_of_groups, watched};

/// The groups of one person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Membership {
    /// Sorted by name.
    pub(crate) shown: Vec<Group>,
    pub(crate) all: BTreeSet<Dn>,
    /// False when the server cut something short.
    pub(crate) complete: bool,
}

/// Finds a person's groups, by the cheapest way that the server offers.
///
/// # Errors
/// Any search that fails; a list that was cut short, where a group that is missing from it would let somebody in.
pub(crate) async fn of(
    directory: &Directory,
    record: &Record,
    reader: &mut Reader,
    server: &str,
    observer: &dyn Observer,
) -> Result<Membership, Error> {
    find(directory, record, reader, server, observer, None).await
}

/// The same from groups that were read once for everybody; the server is asked where they do not tell.
///
/// # Errors
/// As [`of`].
pub(crate) async fn of_roster(
    directory: &Directory,
    record: &Record,
    reader: &mut Reader,
    server: &str,
    roster: &Roster,
) -> Result<Membership, Error> {
    find(directory, record, reader, server, &Silent, Some(roster)).await
}

async fn find(
    directory: &Directory,
    record: &Record,
    reader: &mut Reader,
    server: &str,
    observer: &dyn Observer,
    roster: Option<&Roster>,
) -> Result<Membership, Error> {
    let settings = &directory.settings;
    if !settings.groups.is_any() {
        return Ok(Membership { complete: true, ..Membership::default() });
    }
    let mut walk = Walk::new(directory, record, reader, server, observer);
    walk.told_by_the_entry();
    let is_told = roster.is_some_and(|roster| walk.by_roster(roster));
    if is_told {
        // Nothing is left to be asked.
    } else if !kind::has_identifiers(settings) || !walk.by_identifiers().await? {
        walk.by_level().await?;
    }
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

/// The group at this place, if groups are searched for there and it matches.
pub(crate) async fn at(
    settings: &Settings,
    dn: &Dn,
    reader: &mut Reader,
    server: &str,
) -> Result<Option<Group>, Error> {
    let groups = &settings.groups;
    let wanted = [groups.name_attribute.clone()];
    let searches = groups.searches.iter().filter(|search| covers(&search.base, search.scope, dn));
    for search in searches.filter(|_| !groups.kinds.is_empty() && dn.is_below(&settings.base)) {
        let mut clauses = vec![kind::any_group(settings)];
        clauses.extend(search.filter.clone());
        let (scope, filter) = (Scope::Base, Filter::And(clauses));
        let query = Query { step: "groups", base: dn, scope, filter, attributes: &wanted, limit: 0 };
        let hits = match reader.search(server, query, &Silent).await {
            Ok(hits) => hits,
            Err(error) if error.is_absence() => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(hit) = hits.records.into_iter().next() {
            let read = hit.attributes.text(&groups.name_attribute).map(str::to_owned);
            let name = read.or_else(|| kind::name_of(settings, &hit.dn));
            return Ok(name.map(|name| Group { name, dn: hit.dn }));
        }
    }
    Ok(None)
}
