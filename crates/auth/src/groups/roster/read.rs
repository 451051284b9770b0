//! Reads all groups, entry by entry: of a group with 100,000 members nothing stays but their fingerprints.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use client::{Search, Server};
use proto::{Dn, Entry, Filter, Scope};

use super::{DIRECT, GROUPS, Node, Part, Roster, Row, number, user_name, user_name_in_any_case};
use crate::Error;
use crate::ask::covers;
use crate::directories::Directory;
use crate::fingerprint::Fingerprint;
use crate::groups::kind;
use crate::settings::{GroupKind, GroupSearch};

/// Groups in a page: one of them may be large.
const PAGE: u32 = 50;

impl Roster {
    /// Reads the groups of a directory.
    ///
    /// # Errors
    /// A search that fails or was cut short, and a group whose name is none: a list that is not whole is not made.
    pub(crate) async fn read(directory: &Directory, server: &Server) -> Result<Roster, Error> {
        let mut reading = Reading::new(directory, server);
        let settings = &directory.settings;
        let searches = &settings.groups.searches;
        if settings.groups.nested {
            let whole = GroupSearch { base: settings.base.clone(), scope: Scope::Subtree, filter: None };
            reading.members(&whole, Part::Search).await?;
            for search in searches.iter().filter(|search| search.filter.is_some()) {
                reading.listed(search).await?;
            }
        } else {
            for search in searches {
                reading.members(search, Part::Search).await?;
            }
            for group in &directory.rule_groups {
                let alone = GroupSearch { base: group.clone(), scope: Scope::Base, filter: None };
                match reading.members(&alone, Part::Rule).await {
                    // A group that is not there has no members.
                    Err(error) if error.is_absence() => {}
                    other => other?,
                }
            }
        }
        Ok(reading.end())
    }
}

/// The groups as far as they are read.
struct Reading<'a> {
    directory: &'a Directory,
    server: &'a Server,
    /// The attributes that hold names, and whether people are looked for in them.
    attributes: Vec<(&'a str, bool)>,
    /// The attribute of posix groups that holds user names.
    posix: Option<&'a str>,
    nodes: Vec<Node>,
    rows: Vec<Row>,
    places: HashMap<(Fingerprint, bool), u32>,
}

impl<'a> Reading<'a> {
    fn new(directory: &'a Directory, server: &'a Server) -> Reading<'a> {
        let settings = &directory.settings;
        let direct = kind::attributes_of_people(settings);
        let attributes = kind::member_attributes(settings).into_iter();
        let attributes = attributes.map(|attribute| (attribute, direct.contains(&attribute))).collect();
        let has_posix = settings.groups.kinds.contains(&GroupKind::Posix);
        let posix = has_posix.then(|| kind::posix_attribute(settings));
        let (nodes, rows, places) = (Vec::new(), Vec::new(), HashMap::new());
        Reading { directory, server, attributes, posix, nodes, rows, places }
    }

    /// Reads the groups of one place with their members.
    async fn members(&mut self, search: &GroupSearch, part: Part) -> Result<(), Error> {
        let name = self.directory.settings.groups.name_attribute.clone();
        if !self.attributes.is_empty() {
            let present =
                Filter::any(self.attributes.iter().map(|(attribute, _)| Filter::present(*attribute)));
            let wanted = self.attributes.iter().map(|(attribute, _)| *attribute).chain([name.as_str()]);
            let wanted: Vec<String> = wanted.map(str::to_owned).collect();
            self.each(search, present, &wanted, |reading, dn, entry| {
                let group = reading.node(dn, &entry, part)?;
                reading.names(group, &entry);
                Ok(())
            })
            .await?;
        }
        if let Some(attribute) = self.posix {
            let wanted = [attribute.to_owned(), "gidNumber".to_owned(), name];
            self.each(search, posix_class(), &wanted, |reading, dn, entry| {
                let group = reading.node(dn, &entry, part)?;
                reading.posix(group, &entry, attribute);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Reads which groups are shown where a filter tells.
    async fn listed(&mut self, search: &GroupSearch) -> Result<(), Error> {
        let classes = self.attributes.iter().map(|(attribute, _)| Filter::present(*attribute));
        let any = Filter::any(classes.chain(self.posix.map(|_| posix_class())));
        let wanted = [self.directory.settings.groups.name_attribute.clone()];
        self.each(search, any, &wanted, |reading, dn, _| {
            let known = reading.places.get(&(Fingerprint::of_dn(&dn), true));
            if let Some(place) = known.copied() {
                reading.nodes[place as usize].is_listed = true;
            }
            Ok(())
        })
        .await
    }

    /// Every group of one place, to its end.
    async fn each(
        &mut self,
        search: &GroupSearch,
        any: Filter,
        wanted: &[String],
        mut take: impl FnMut(&mut Self, Dn, Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let filter = match &search.filter {
            Some(own) => Filter::And(vec![own.clone(), any]),
            None => any,
        };
        let (base, scope) = (&search.base, search.scope);
        let failed = |error| Error::looking(format!("the groups below {base} cannot be read"), error);
        let asked = Search::below(base.as_str()).scope(scope).matching(filter).attributes(wanted);
        // Pages are safe from other searches on a connection of their own alone.
        let alone = self.server.dedicated().await.map_err(failed)?;
        let mut found = alone.stream(asked.page_size(Some(PAGE)).whole_values());
        while let Some(entry) = found.next().await.map_err(failed)? {
            let dn = entry.parse_dn().map_err(|error| {
                Error::directory(format!(
                    "a group below {base} has a name that is none: {:?}: {error}",
                    entry.dn()
                ))
            })?;
            if !covers(base, scope, &dn) {
                let what = format!(
                    "the search for groups below {base} was answered with {dn}, which does not lie there"
                );
                return Err(Error::directory(what));
            }
            // A group of another directory under this one's search base would not count.
            if dn.is_below(&self.directory.settings.base) {
                take(self, dn, entry)?;
            }
        }
        match found.finish().await.map_err(failed)?.truncated {
            None => Ok(()),
            Some(result) => {
                let what = format!("the server cut the list of groups below {base} short: {}", result.code);
                Err(Error::directory(what))
            }
        }
    }

    fn node(&mut self, dn: Dn, entry: &Entry, part: Part) -> Result<u32, Error> {
        let settings = &self.directory.settings;
        if self.nodes.len() >= GROUPS {
            return Err(Error::directory(format!("there are more than {GROUPS} groups")));
        }
        let slot = match self.places.entry((Fingerprint::of_dn(&dn), part == Part::Search)) {
            Slot::Occupied(known) => return Ok(*known.get()),
            Slot::Vacant(slot) => slot,
        };
        let place = self.nodes.len() as u32;
        slot.insert(place);
        let open = settings
            .groups
            .searches
            .iter()
            .filter(|search| !settings.groups.nested || search.filter.is_none());
        let is_listed =
            part == Part::Search && open.into_iter().any(|search| covers(&search.base, search.scope, &dn));
        let name = entry.text(&settings.groups.name_attribute).map(str::to_owned);
        self.nodes.push(Node { dn, name, is_listed, part });
        Ok(place)
    }

    fn names(&mut self, group: u32, entry: &Entry) {
        for (attribute, is_direct) in &self.attributes {
            let group = if *is_direct { group | DIRECT } else { group };
            // What is no name is nobody's.
            let members = entry.texts(attribute).filter_map(|text| Dn::parse(text).ok());
            self.rows.extend(members.map(|dn| Row { member: Fingerprint::of_dn(&dn), group }));
        }
    }

    fn posix(&mut self, group: u32, entry: &Entry, attribute: &str) {
        let group = group | DIRECT;
        for name in entry.values(attribute) {
            for member in [user_name(name), user_name_in_any_case(name)] {
                self.rows.push(Row { member, group });
            }
        }
        self.rows.extend(entry.values("gidNumber").map(|value| Row { member: number(value), group }));
    }

    fn end(self) -> Roster {
        let Reading { mut nodes, mut rows, .. } = self;
        rows.sort_unstable();
        rows.dedup();
        rows.shrink_to_fit();
        nodes.shrink_to_fit();
        Roster { nodes, rows }
    }
}

fn posix_class() -> Filter {
    Filter::equal("objectClass", "posixGroup")
}
