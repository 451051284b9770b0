//! Finds the one entry that a typed name means, or the name to bind as.

use std::sync::Arc;

use client::Server;
use futures_util::future::try_join_all;
use proto::filter::Rule as Matching;
use proto::{Dn, Filter, Scope};

use crate::ask::{self, Hits, Query, Reader};
use crate::attribute::holds_domain;
use crate::directories::{Answer, Directory};
use crate::explain::{TYPED, decided, decided_of_typed, unlogged};
use crate::record::{Record, counting_name};
use crate::settings::UserSearch;
use crate::template::Values;
use crate::{Denial, Error, FilterTemplate, Observer, Reason, UserTemplate, Username};

/// So many entries may answer to one name before nobody looks which of them is meant.
const NAMESAKES: u32 = 20;

/// Somebody whom a directory knows: exactly one entry, or a name to bind as. Nothing is proved.
///
/// It is consumed by [`Located::prove`] with a password, or by [`Located::describe`] without.
pub struct Located {
    pub(crate) directory: Arc<Directory>,
    pub(crate) server: Server,
    pub(crate) name: Name,
    pub(crate) target: Target,
    key: String,
}

/// Whom to bind as.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The entry that was found.
    Entry(Record),
    /// The name that the template makes; the entry is read after the bind.
    Name(Dn),
    /// A bind name that is no DN; the entry is searched for after the bind.
    BindName(String),
}

/// What was typed, as one directory sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) username: String,
    pub(crate) input: String,
    pub(crate) domain: String,
}

impl Located {
    /// The name of the directory.
    pub fn directory(&self) -> &str {
        &self.directory.settings.name
    }

    /// What attempts are counted by within the directory: the canonical name, from the directory itself when it was
    /// searched, so that no way of typing it makes a second counter.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Was the directory searched, so that [`Located::key`] is its own word? With a template it is what was typed.
    pub fn was_searched(&self) -> bool {
        matches!(self.target, Target::Entry(_))
    }

    /// The same for logs and errors, which must not hold what was typed.
    pub(crate) fn shown(&self) -> &str {
        if self.was_searched() { self.dn() } else { TYPED }
    }

    /// Whom the bind will name.
    pub fn dn(&self) -> &str {
        match &self.target {
            Target::Entry(record) => record.dn.as_str(),
            Target::Name(dn) => dn.as_str(),
            Target::BindName(name) => name,
        }
    }

    /// After a failure the same name on the next server, while there are tries left and no bind was written; otherwise
    /// the failure stays one.
    pub(crate) async fn start_over(
        self,
        error: Error,
        tries: &mut usize,
        observer: &dyn Observer,
    ) -> Result<Answer<Located>, Error> {
        *tries -= 1;
        if !error.restart() || *tries == 0 {
            return Err(error);
        }
        decided(
            observer,
            "choose",
            format_args!("another server than {}", self.server.url()),
            "starting over",
        );
        self.directory.pool.report_dead(&self.server);
        let again = self.directory.locate(&self.name, observer).await?;
        match again {
            // The attempt was reserved for this key.
            Answer::Yes(located) if located.key != self.key => Err(Error::directory(format!(
                "two servers of {:?} know this name as two people: {} and {}",
                self.directory(),
                self.dn(),
                located.dn()
            ))),
            answer => Ok(answer),
        }
    }
}

impl Name {
    pub(crate) fn values(&self) -> Values<'_> {
        Values { username: &self.username, input: &self.input, domain: &self.domain }
    }

    /// The whole name, whatever stands in it.
    pub(crate) fn whole(username: &Username) -> Name {
        Name {
            username: username.folded().to_owned(),
            input: username.as_typed().to_owned(),
            domain: String::new(),
        }
    }
}

impl Directory {
    /// Locates a name on the first server that answers; the login stays with that server.
    pub(crate) async fn locate(
        self: &Arc<Self>,
        name: &Name,
        observer: &dyn Observer,
    ) -> Result<Answer<Located>, Error> {
        let mut tries = self.tries();
        loop {
            tries -= 1;
            let server = self.pool.server().await.map_err(|error| {
                decided(observer, "connect", &self.settings.name, &error);
                self.unreachable(error)
            })?;
            match self.locate_on(&server, name, observer).await {
                Err(error) if error.restart() && tries > 0 => {
                    decided(observer, "choose", format_args!("another server than {}", server.url()), &error);
                    self.pool.report_dead(&server);
                }
                answer => return answer,
            }
        }
    }

    /// One try on each server, and one more for a connection that had died unnoticed.
    pub(crate) fn tries(&self) -> usize {
        self.pool.urls().len() + 1
    }

    pub(crate) fn unreachable(&self, error: client::Error) -> Error {
        Error::looking(format!("the directory {:?} cannot be reached", self.settings.name), error)
    }

    async fn locate_on(
        self: &Arc<Self>,
        server: &Server,
        name: &Name,
        observer: &dyn Observer,
    ) -> Result<Answer<Located>, Error> {
        let target = match &self.settings.user.template {
            None => match self.recall_or_find(server, name, observer).await? {
                Answer::Yes(record) => Target::Entry(record),
                Answer::No(denial) => return Ok(Answer::No(denial)),
            },
            Some(template) => match from_template(template, name) {
                Ok(target) => target,
                Err(denial) => return Ok(Answer::No(denial)),
            },
        };
        let key = self.key(&target, name)?;
        let located =
            Located { directory: self.clone(), server: server.clone(), name: name.clone(), target, key };
        let what = format_args!("{} in {}", name.username, self.settings.name);
        match located.was_searched() {
            true => decided_of_typed(observer, "locate", what, located.dn()),
            false => unlogged(observer, "locate", what, located.dn()),
        }
        Ok(Answer::Yes(located))
    }

    /// A person who reads themselves may be the only one who sees their attributes; then the name of the entry counts.
    fn key(&self, target: &Target, name: &Name) -> Result<String, Error> {
        let record = match target {
            Target::Entry(record) => record,
            Target::Name(_) | Target::BindName(_) => return Ok(counting_name(&name.username)),
        };
        if !self.settings.user.bind_as_user {
            return Ok(record.identity(&self.settings)?.username);
        }
        Ok(record.username(&self.settings).unwrap_or_else(|_| record.dn.normalized().to_owned()))
    }

    /// Finds exactly one entry for a name. Every configured search has to answer.
    pub(crate) async fn find(
        &self,
        asker: Asker<'_>,
        server: &str,
        name: &Name,
        observer: &dyn Observer,
    ) -> Result<Answer<Record>, Error> {
        let user = &self.settings.user;
        let asked = |search| Some((search, self.query(search, self.filter(search, name)?)));
        let (searches, queries): (Vec<_>, Vec<_>) = user.searches.iter().filter_map(asked).unzip();
        let hits = match asker {
            Asker::Service(server) => {
                try_join_all(queries.into_iter().map(|query| ask::search(server, query, observer))).await?
            }
            Asker::Reader(reader) => {
                let mut hits = Vec::new();
                for query in queries {
                    hits.push(reader.search(server, query, observer).await?);
                }
                hits
            }
        };
        Ok(self.choose(searches.into_iter().zip(hits), name))
    }

    fn query<'q>(&'q self, search: &'q UserSearch, filter: Filter) -> Query<'q> {
        Query {
            step: "locate",
            base: &search.base,
            scope: search.scope,
            filter,
            attributes: &self.attributes,
            limit: NAMESAKES,
        }
    }

    /// The filter of one search; `None` when no entry can match, because a placeholder has no value.
    pub(crate) fn filter(&self, search: &UserSearch, name: &Name) -> Option<Filter> {
        let given = match &search.filter {
            None => None,
            Some(template) => Some(template.fill(name.values())?),
        };
        if is_whole(search) {
            return given;
        }
        let matching = self.settings.user.matches.iter();
        let matches =
            Filter::any(matching.map(|attribute| Filter::equal(attribute, wanted(attribute, name))));
        Some(match given {
            Some(filter) => Filter::And(vec![filter, matches]),
            None => matches,
        })
    }

    /// Merges what the searches found by name; of several entries those count that match by the best attribute.
    fn choose<'s>(&self, found: impl Iterator<Item = (&'s UserSearch, Hits)>, name: &Name) -> Answer<Record> {
        let ambiguous = |detail: String| Answer::No(Denial::of(Reason::AmbiguousUser).with_detail(detail));
        let mut ranked: Vec<(usize, Record)> = Vec::new();
        for (search, hits) in found {
            if hits.truncated {
                return ambiguous(format!("more than {NAMESAKES} entries below {}", search.base));
            }
            for record in hits.records {
                let rank = if is_whole(search) { 0 } else { self.rank(&record, name) };
                match ranked.iter_mut().find(|(_, known)| known.dn == record.dn) {
                    Some((known, _)) => *known = rank.min(*known),
                    None => ranked.push((rank, record)),
                }
            }
        }
        let Some(best) = ranked.iter().map(|(rank, _)| *rank).min() else {
            return Answer::No(Denial::of(Reason::UnknownUser).with_detail("no entry answers to the name"));
        };
        ranked.retain(|(rank, _)| *rank == best);
        match ranked.len() {
            1 => Answer::Yes(ranked.remove(0).1),
            count => {
                let names: Vec<_> = ranked.iter().map(|(_, record)| record.dn.as_str()).collect();
                ambiguous(format!("{count} entries answer to the name: {}", names.join("; ")))
            }
        }
    }

    /// The place of the best attribute that holds the name. A server that compares more loosely than we do has found
    /// the entry by none that we recognise: the last place.
    pub(crate) fn rank(&self, record: &Record, name: &Name) -> usize {
        let matches = &self.settings.user.matches;
        let holds = |attribute: &String| {
            let wanted = wanted(attribute, name).as_bytes();
            let values = record.attributes.values(attribute);
            values.iter().any(|value| Matching::CaseIgnore.equal(value, wanted) == Some(true))
        };
        matches.iter().position(holds).unwrap_or(matches.len())
    }

    /// Exactly one entry must carry a bind name as its `userPrincipalName`.
    pub(crate) async fn find_principal(
        &self,
        reader: &mut Reader,
        server: &str,
        principal: &str,
        observer: &dyn Observer,
    ) -> Result<Answer<Record>, Error> {
        let query = Query {
            step: "locate",
            base: &self.settings.base,
            scope: Scope::Subtree,
            filter: Filter::equal(PRINCIPAL, principal),
            attributes: &self.attributes,
            limit: NAMESAKES,
        };
        let mut hits = reader.search(server, query, observer).await?;
        let carried = |count: String| {
            format!("{count} below {} carries the {PRINCIPAL} {principal}", self.settings.base)
        };
        Ok(match hits.records.len() {
            1 if !hits.truncated => Answer::Yes(hits.records.remove(0)),
            0 => Answer::No(Denial::of(Reason::UnknownUser).with_detail(carried("no entry".to_owned()))),
            count => Answer::No(
                Denial::of(Reason::AmbiguousUser).with_detail(carried(format!("each of {count} entries"))),
            ),
        })
    }
}

/// The attribute that a bind name stands in.
pub(crate) const PRINCIPAL: &str = "userPrincipalName";

/// Who searches for people.
pub(crate) enum Asker<'a> {
    /// The service account, several searches at once.
    Service(&'a Server),
    /// Whoever reads, one after the other.
    Reader(&'a mut Reader),
}

fn is_whole(search: &UserSearch) -> bool {
    search.filter.as_ref().is_some_and(FilterTemplate::has_placeholder)
}

fn wanted<'n>(attribute: &str, name: &'n Name) -> &'n str {
    if holds_domain(attribute) { &name.input } else { &name.username }
}

fn from_template(template: &UserTemplate, name: &Name) -> Result<Target, Denial> {
    match template {
        UserTemplate::Dn(template) => template.fill(name.values()).map(Target::Name).ok_or_else(|| {
            Denial::of(Reason::UnknownUser)
                .with_detail(format!("{:?} needs more than was typed", template.as_str()))
        }),
        UserTemplate::BindName(template) => {
            template.fill(name.values()).map(Target::BindName).ok_or_else(|| {
                let allowed = "a bind name holds letters, digits, '.', '_' and '-' only";
                Denial::of(Reason::BadUsername).with_detail(allowed)
            })
        }
    }
}
