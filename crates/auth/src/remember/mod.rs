//! What a directory remembers, where that is configured: which entry a name means, and who is in which group.
//!
//! Everything belongs to one [`Directory`] value. Another directory has its own, and so has the same one after a reload: no
//! key needs to say whose it is. Positive answers are kept and nothing else: no outage, nobody unknown, no list that was
//! cut short. No password comes near.
//!
//! Reading order: this file says what is kept and when it counts, `memory` for how long, `flight` what becomes of equal
//! look-ups that are under way together. With the cache off nothing is shared either: each login gets its own answer.

mod flight;
mod memory;

use std::fmt;

use client::Server;
use proto::{Dn, Filter, Scope};

use crate::ask::{self, Query, Reader, covers};
use crate::directories::{Answer, Directory};
use crate::explain::{decided, decided_of_typed};
use crate::groups::{self, Membership};
use crate::locate::{Asker, Name};
use crate::record::{Identity, Record};
use crate::settings::CacheSettings;
use crate::{Error, Observer, Settings};
use flight::{Flights, Way};
pub(crate) use memory::Memory;

/// So many names are remembered.
const NAMES: usize = 20_000;
/// So many groups are remembered, each counted once for each of its people.
const GROUPS: usize = 250_000;

/// What one directory remembers.
pub(crate) struct Remembered {
    names: Memory<Name, Place>,
    searches: Flights<(String, Name), Answer<Record>>,
    groups: Memory<Whose, Membership>,
    walks: Flights<(String, Whose), Membership>,
}

/// Where the entry of a name was, and by what it is known again.
#[derive(Clone, PartialEq)]
struct Place {
    dn: Dn,
    id: Vec<Vec<u8>>,
    rank: usize,
}

/// Whose groups, and who read them. What the entry itself says of groups belongs to it: a change there counts at once.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Whose {
    id: String,
    dn: Dn,
    told: Vec<Vec<Vec<u8>>>,
    reader: Eyes,
}

/// A person may see other groups than the service account does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Eyes {
    Service,
    Person,
}

impl Remembered {
    pub(crate) fn new(settings: CacheSettings) -> Remembered {
        Remembered {
            names: Memory::new(settings.dn, NAMES),
            searches: Flights::new(),
            groups: Memory::new(settings.groups, GROUPS),
            walks: Flights::new(),
        }
    }
}

impl Directory {
    /// Finds exactly one entry for a name: where it was found before if it is still there, else by the searches.
    pub(crate) async fn recall_or_find(
        &self,
        server: &Server,
        name: &Name,
        observer: &dyn Observer,
    ) -> Result<Answer<Record>, Error> {
        let Remembered { names, searches, .. } = &self.remembered;
        if names.is_off() {
            return self.find(Asker::Service(server), server.url(), name, observer).await;
        }
        if let Some(record) = self.recall(server, name, observer).await? {
            return Ok(Answer::Yes(record));
        }
        let finding = Box::pin(async {
            let asked = (self.clock)();
            let found = self.find(Asker::Service(server), server.url(), name, observer).await?;
            if let Answer::Yes(record) = &found {
                names.keep(name.clone(), self.place(record, name), 1, asked);
            }
            Ok(found)
        });
        let (found, way) = searches.share((server.url().to_owned(), name.clone()), finding).await?;
        if way == Way::Shared {
            decided_of_typed(observer, "locate", &name.username, "shared with a look-up that was under way");
        }
        Ok(found)
    }

    /// Reads the entry that a name meant a moment ago. It counts while the searches that cover its place would still find it
    /// there, by an attribute of the same rank, and while it is the same entry: whoever moved, was renamed or gave their
    /// name away is searched for, before any password is sent.
    async fn recall(
        &self,
        server: &Server,
        name: &Name,
        observer: &dyn Observer,
    ) -> Result<Option<Record>, Error> {
        let names = &self.remembered.names;
        let Some(place) = names.recall(name, (self.clock)()) else { return Ok(None) };
        let searches = self.settings.user.searches.iter();
        let covering = searches.filter(|search| covers(&search.base, search.scope, &place.dn));
        let query = Query {
            step: "locate",
            base: &place.dn,
            scope: Scope::Base,
            filter: Filter::any(covering.filter_map(|search| self.filter(search, name))),
            attributes: &self.attributes,
            limit: 1,
        };
        let found = match ask::search(server, query, observer).await {
            Ok(hits) => hits.records.into_iter().next(),
            // No such entry, a referral to where it went: the searches decide.
            Err(error) if error.is_refusal() => None,
            Err(error) => return Err(error),
        };
        let same = found.filter(|record| self.place(record, name) == place);
        if same.is_none() {
            names.forget(name);
            let result = "no longer the entry of this name: it is searched for";
            decided(observer, "locate", place.dn.as_str(), result);
        }
        Ok(same)
    }

    fn place(&self, record: &Record, name: &Name) -> Place {
        let id = record.attributes.values(&self.settings.user.id_attribute).to_vec();
        Place { dn: record.dn.clone(), id, rank: self.rank(record, name) }
    }

    /// A person's groups, as they were a moment ago or are now.
    pub(crate) async fn groups_of(
        &self,
        record: &Record,
        identity: &Identity,
        reader: &mut Reader,
        server: &str,
        observer: &dyn Observer,
    ) -> Result<Membership, Error> {
        let Remembered { groups, walks, .. } = &self.remembered;
        if groups.is_off() {
            return self.fresh_groups_of(record, identity, reader, server, observer).await;
        }
        let whose = Whose::of(&self.settings, record, identity, reader);
        if let Some(membership) = groups.recall(&whose, (self.clock)()) {
            decided(observer, "groups", record.dn.as_str(), Recalled("remembered", &membership));
            return Ok(membership);
        }
        let walking = Box::pin(self.fresh_groups_of(record, identity, reader, server, observer));
        let (membership, way) = walks.share((server.to_owned(), whose), walking).await?;
        if way == Way::Shared {
            let result = Recalled("shared with a look-up that was under way", &membership);
            decided(observer, "groups", record.dn.as_str(), result);
        }
        Ok(membership)
    }

    /// A person's groups as they are now, remembered for the logins to come.
    pub(crate) async fn fresh_groups_of(
        &self,
        record: &Record,
        identity: &Identity,
        reader: &mut Reader,
        server: &str,
        observer: &dyn Observer,
    ) -> Result<Membership, Error> {
        let asked = (self.clock)();
        let membership = groups::of(self, record, reader, server, observer).await?;
        let groups = &self.remembered.groups;
        if membership.complete && !groups.is_off() {
            let whose = Whose::of(&self.settings, record, identity, reader);
            let size = membership.all.len() + whose.told.iter().map(Vec::len).sum::<usize>() + 1;
            groups.keep(whose, membership.clone(), size, asked);
        }
        Ok(membership)
    }
}

impl Whose {
    fn of(settings: &Settings, record: &Record, identity: &Identity, reader: &Reader) -> Whose {
        let attributes = groups::attributes(settings).into_iter();
        let told = attributes.map(|attribute| record.attributes.values(&attribute).to_vec());
        let reader = match reader {
            Reader::Service(_) => Eyes::Service,
            Reader::Person(_) => Eyes::Person,
        };
        Whose { id: identity.id.clone(), dn: record.dn.clone(), told: told.collect(), reader }
    }
}

/// How groups were come by, and which they are.
struct Recalled<'m>(&'static str, &'m Membership);

impl fmt::Display for Recalled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recalled(how, membership) = self;
        let names: Vec<_> = membership.all.iter().map(Dn::as_str).collect();
        match names.as_slice() {
            [] => write!(f, "{how}: none"),
            names => write!(f, "{how}: {}", names.join("; ")),
        }
    }
}
