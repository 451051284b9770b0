//! Everybody, page by page, to an end that is known to be one.

use std::collections::HashSet;
use std::sync::Arc;

use client::{Search, SearchStream, Server};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use proto::{Dn, Entry, Filter};

use super::by_id::AT_ONCE;
use super::place::{Place, is_expected_at, places};
use super::sight::{Sight, ambiguous};
use crate::ask::{Reader, covers};
use crate::directories::Directory;
use crate::explain::decided;
use crate::fingerprint::Fingerprint;
use crate::groups::Roster;
use crate::record::Record;
use crate::{Directories, Error, Settings, Silent, UserTemplate, Vendor};

/// So many people in a page.
const PAGE: usize = 500;

/// Somebody, and what is seen of them.
#[derive(Debug, Clone)]
pub struct Sighted {
    /// The stable key; `None` where it cannot be read, and then the sight is [`Sight::Unreadable`].
    pub id: Option<String>,
    /// Where the entry lies, as the directory wrote it.
    pub dn: String,
    /// What is seen of them; never [`Sight::Missing`].
    pub sight: Sight,
}

/// All people of one directory, page by page: made by [`Directories::everybody`].
pub struct Everybody {
    directory: Arc<Directory>,
    server: Server,
    roster: Option<Roster>,
    /// Places that were not begun yet, last first.
    places: Vec<Place>,
    page_size: usize,
    /// Entries that another search found, where there are several.
    entries: Option<HashSet<Fingerprint>>,
    keys: HashSet<Fingerprint>,
    state: State,
}

enum State {
    Between,
    Reading(Place, Box<SearchStream>),
    Ended,
    /// Something went wrong, or a page was given up half-way: what was read of it is lost.
    Broken,
}

impl Directories {
    /// Begins to page through everybody whom a login could find, whatever they are called. All groups are read first, where
    /// that spares asking for each person's; it takes 16 bytes a person and 20 bytes a membership. Everything is one
    /// server's word.
    ///
    /// ```no_run
    /// # use ldapgate_auth::{Directories, Error, Sight};
    /// # async fn example(directories: &Directories) -> Result<(), Error> {
    /// let mut everybody = directories.everybody("main").await?;
    /// let mut count = 0;
    /// while let Some(page) = everybody.next_page().await? {
    ///     count += page.iter().filter(|sighted| matches!(sighted.sight, Sight::There(_))).count();
    /// }
    /// // Only now is it known that nobody was left out.
    /// println!("{count} people");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The directory is not configured or cannot be asked; the list of groups was cut short.
    #[tracing::instrument(name = "auth.everybody", level = "debug", skip_all, fields(directory))]
    pub async fn everybody(&self, directory: &str) -> Result<Everybody, Error> {
        let directory = self.directory(directory)?;
        let mut tries = directory.tries();
        loop {
            tries -= 1;
            let server = directory.pool.server().await.map_err(|error| directory.unreachable(error))?;
            match Everybody::begin(directory, server.clone()).await {
                Err(error) if error.restart() && tries > 0 => {
                    decided(&Silent, "choose", format_args!("another server than {}", server.url()), &error);
                    directory.pool.report_dead(&server);
                }
                begun => return begun,
            }
        }
    }
}

impl Everybody {
    async fn begin(directory: &Arc<Directory>, server: Server) -> Result<Everybody, Error> {
        let settings = &directory.settings;
        let roster = match Roster::is_of_use(settings) {
            true => Some(Box::pin(Roster::read(directory, &server)).await?),
            false => None,
        };
        if let Some(roster) = &roster {
            tracing::debug!(memberships = roster.len(), "read the groups");
        }
        let mut places = places_of_everybody(settings);
        let entries = (places.len() > 1).then(HashSet::new);
        places.reverse();
        let (keys, state) = (HashSet::new(), State::Between);
        Ok(Everybody {
            directory: directory.clone(),
            server,
            roster,
            places,
            page_size: PAGE,
            entries,
            keys,
            state,
        })
    }

    /// So many people in a page at most; 500 without it, and never less than 1.
    #[must_use]
    pub fn page_size(mut self, people: usize) -> Everybody {
        self.page_size = people.max(1);
        self
    }

    /// The server whose word it is.
    pub fn server(&self) -> &str {
        self.server.url()
    }

    /// The next people; `None` after the last, once every search came to its end. Whoever several searches find is told
    /// once. A call that is dropped half-way has broken it.
    ///
    /// # Errors
    /// A search that fails or was cut short, by a limit or by a reference to another server, which may hold people. What
    /// was told before is right, and says nothing about those who were not told. After an error every call is one.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Sighted>>, Error> {
        let mut state = std::mem::replace(&mut self.state, State::Broken);
        let mut found = Vec::new();
        while found.len() < self.page_size {
            state = match state {
                State::Broken => {
                    return Err(Error::directory("the list of all people was given up before its end"));
                }
                State::Ended => break,
                State::Between => match self.places.pop() {
                    Some(place) => {
                        // Pages are safe from other searches on a connection of their own alone.
                        let alone = self.server.dedicated().await.map_err(|error| place.failed(error))?;
                        State::Reading(place.clone(), Box::new(alone.stream(self.search(&place))))
                    }
                    None => State::Ended,
                },
                State::Reading(place, mut stream) => {
                    match stream.next().await.map_err(|error| place.failed(error))? {
                        Some(entry) => {
                            found.extend(self.take(&place, &entry)?);
                            State::Reading(place, stream)
                        }
                        None => {
                            self.end(&place, *stream).await?;
                            State::Between
                        }
                    }
                }
            };
        }
        let people = Box::pin(self.look(found)).await?;
        self.state = state;
        Ok((!people.is_empty()).then_some(people))
    }

    fn search(&self, place: &Place) -> Search {
        let filter = place.filter.clone().unwrap_or_else(|| Filter::present("objectClass"));
        Search::below(place.base.as_str())
            .scope(place.scope)
            .matching(filter)
            .attributes(&self.directory.attributes)
            .page_size(u32::try_from(self.page_size).ok())
    }

    /// A person, unless another search has told of them.
    fn take(&mut self, place: &Place, entry: &Entry) -> Result<Option<Found>, Error> {
        let record = match Record::read(entry) {
            Ok(record) => record,
            Err(error) => return Ok(Some(Found::Odd { dn: entry.dn().to_owned(), why: error.to_string() })),
        };
        if !covers(&place.base, place.scope, &record.dn) {
            let what = format!("was answered with {}, which does not lie there", record.dn);
            return Err(Error::directory(format!("the search for people below {} {what}", place.base)));
        }
        let is_told = self.entries.as_mut().is_some_and(|told| !told.insert(Fingerprint::of_dn(&record.dn)));
        // With a template entries of all kinds are found; those in other places are nobody's.
        if is_told || !is_expected_at(&self.directory.settings, &record.dn) {
            return Ok(None);
        }
        Ok(Some(match record.id(&self.directory.settings) {
            Ok(id) if self.keys.insert(Fingerprint::of("id", id.as_bytes())) => Found::Person { id, record },
            Ok(id) => Found::Again { id, dn: record.dn },
            Err(error) => Found::Odd { dn: record.dn.as_str().to_owned(), why: error.to_string() },
        }))
    }

    /// Was that all?
    async fn end(&self, place: &Place, stream: SearchStream) -> Result<(), Error> {
        let end = stream.finish().await.map_err(|error| place.failed(error))?;
        if let Some(result) = end.truncated {
            let what =
                format!("the server cut the list of people below {} short: {}", place.base, result.code);
            return Err(Error::directory(what));
        }
        let is_ours = |urls: &&Vec<String>| !is_partition(self.directory.settings.vendor, urls);
        match end.references.iter().find(is_ours) {
            None => Ok(()),
            Some(urls) => Err(Error::configuration(format!(
                "people below {} may lie on another server, which is not asked: {}",
                place.base,
                urls.join(" ")
            ))),
        }
    }

    async fn look(&self, found: Vec<Found>) -> Result<Vec<Sighted>, Error> {
        let sights = found.into_iter().map(|found| Box::pin(self.sight(found)));
        stream::iter(sights).buffered(AT_ONCE).try_collect().await
    }

    async fn sight(&self, found: Found) -> Result<Sighted, Error> {
        Ok(match found {
            Found::Person { id, record } => {
                let dn = record.dn.as_str().to_owned();
                let (mut reader, url) = (Reader::Service(self.server.clone()), self.server.url());
                let seen = self.directory.sight_of(record, &mut reader, url, &Silent, self.roster.as_ref());
                Sighted { id: Some(id), dn, sight: seen.await? }
            }
            Found::Again { id, dn } => {
                let sight = ambiguous(&id, &dn, "one before it");
                Sighted { id: Some(id), dn: dn.as_str().to_owned(), sight }
            }
            Found::Odd { dn, why } => Sighted { id: None, dn, sight: Sight::Unreadable(why) },
        })
    }
}

/// What one entry is.
enum Found {
    Person {
        id: String,
        record: Record,
    },
    /// Another entry has the key.
    Again {
        id: String,
        dn: Dn,
    },
    Odd {
        dn: String,
        why: String,
    },
}

/// With a template alone every entry would be found: people are those who have a name.
fn places_of_everybody(settings: &Settings) -> Vec<Place> {
    let named = Filter::present(&settings.user.username_attribute);
    let mut places = places(settings);
    if matches!(&settings.user.template, Some(UserTemplate::Dn(_))) {
        for place in places.iter_mut().filter(|place| place.filter.is_none()) {
            place.filter = Some(named.clone());
        }
    }
    places
}

/// The other partitions of a domain, which every search from its root is referred to, hold no people.
fn is_partition(vendor: Vendor, urls: &[String]) -> bool {
    let holds_none = |url: &String| {
        let name = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, name)| name);
        name.is_some_and(|name| PARTITIONS.iter().any(|known| is_begun_by(name, known)))
    };
    vendor == Vendor::ActiveDirectory && urls.iter().all(holds_none)
}

const PARTITIONS: [&str; 3] = ["CN=Configuration,", "DC=DomainDnsZones,", "DC=ForestDnsZones,"];

fn is_begun_by(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(beginning))
}

impl Place {
    fn failed(&self, error: client::Error) -> Error {
        Error::looking(format!("the search for people below {} failed", self.base), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_s_own_partitions_hold_no_people_and_other_references_may() {
        let refers = |url: &str| is_partition(Vendor::ActiveDirectory, &[url.to_owned()]);
        assert!(refers("ldap://example.test/CN=Configuration,DC=example,DC=test"));
        assert!(refers("ldaps://DomainDnsZones.example.test/dc=domaindnszones,DC=example,DC=test"));
        assert!(!refers("ldap://child.example.test/DC=child,DC=example,DC=test"));
        assert!(!refers("ldap://example.test"));
        let url = "ldap://example.test/CN=Configuration,DC=example,DC=test".to_owned();
        assert!(!is_partition(Vendor::OpenLdap, &[url]));
    }
}
