//! Whether somebody is still in the directory, and what it takes to believe that they are not.
//!
//! A search that finds nothing proves little: a changed ACL, a base that moved, an attribute that is no longer readable
//! all make it succeed with nothing. So the same question has to find other people who are known to be there, the base
//! has to be seen, and the second miss comes after both.

use std::collections::BTreeSet;
use std::fmt;

use client::Server;
use proto::{Dn, Filter, Scope};

use crate::ask::{Query, Reader};
use crate::directories::Directory;
use crate::explain::decided;
use crate::record::{Record, id_value};
use crate::{Directories, Error, Observer};

/// Whether a person is still in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// An entry has their key.
    There(Dn),
    /// Missed twice, while the bases and everybody else who was asked for were found.
    Gone,
    /// Missed, and something else was missed too: nothing may be concluded. The text says what.
    Unclear(String),
}

/// An entry by its stable key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The key as a [`Person`](crate::Person)'s is written.
    pub id: String,
    /// Where the entry lies.
    pub dn: Dn,
}

impl Directories {
    /// Is the person with this stable key still in the directory? `others` are keys of people who must be found by the
    /// same question before "no" is believed; with none of them the bases alone speak for the directory.
    ///
    /// # Errors
    /// The directory is not configured or cannot be asked, a base is not there, an answer was cut short, or the key is
    /// none that `user.id_attribute` can hold. Nobody is gone then.
    pub async fn presence(
        &self,
        directory: &str,
        id: &str,
        others: &[&str],
        observer: &dyn Observer,
    ) -> Result<Presence, Error> {
        let presence = self.roll_call(directory, observer).await?.of(id, others).await?;
        decided(observer, "presence", format_args!("{directory} {id}"), &presence);
        Ok(presence)
    }

    /// The entry with this stable key below the directory's user bases, whatever filter people are searched with.
    ///
    /// # Errors
    /// As [`Directories::presence`].
    pub async fn holder(
        &self,
        directory: &str,
        id: &str,
        observer: &dyn Observer,
    ) -> Result<Option<Holder>, Error> {
        let mut call = self.roll_call(directory, observer).await?;
        let Some(record) = call.find(id).await? else { return Ok(None) };
        let id = record.id(&call.directory.settings)?;
        Ok(Some(Holder { id, dn: record.dn }))
    }

    async fn roll_call<'a>(
        &'a self,
        directory: &str,
        observer: &'a dyn Observer,
    ) -> Result<RollCall<'a>, Error> {
        let directory = self.directory(directory)?;
        let server = directory.pool.server().await.map_err(|error| directory.unreachable(error))?;
        let reader = Reader::Service(server.clone());
        Ok(RollCall { directory, server, reader, observer })
    }
}

/// Questions to one server.
struct RollCall<'a> {
    directory: &'a Directory,
    server: Server,
    reader: Reader,
    observer: &'a dyn Observer,
}

impl RollCall<'_> {
    async fn of(&mut self, id: &str, others: &[&str]) -> Result<Presence, Error> {
        if let Some(record) = self.find(id).await? {
            return Ok(Presence::There(record.dn));
        }
        for base in self.bases() {
            let wanted = ["1.1".to_owned()];
            if self.reader.read(self.server.url(), &base, &wanted, self.observer).await?.is_none() {
                return Ok(Presence::Unclear(format!("{base} is not seen either")));
            }
        }
        for other in others {
            if self.find(other).await?.is_none() {
                return Ok(Presence::Unclear(format!("{other}, who should be there, is not found either")));
            }
        }
        Ok(match self.find(id).await? {
            Some(record) => Presence::There(record.dn),
            None => Presence::Gone,
        })
    }

    /// The entry that has the key. No filter narrows the search: somebody whom the filter leaves out is not gone.
    async fn find(&mut self, id: &str) -> Result<Option<Record>, Error> {
        let directory = self.directory;
        let attribute = &directory.settings.user.id_attribute;
        let value = id_value(attribute, id)
            .ok_or_else(|| Error::configuration(format!("{id:?} is no {attribute}")))?;
        let attributes = [attribute.clone()];
        for base in self.bases() {
            let query = Query {
                step: "presence",
                base: &base,
                scope: Scope::Subtree,
                filter: Filter::equal(attribute, &value),
                attributes: &attributes,
                limit: 2,
            };
            let hits = self.reader.search(self.server.url(), query, self.observer).await?;
            if hits.truncated && hits.records.is_empty() {
                return Err(Error::directory(format!("the search for {attribute} {id} was cut short")));
            }
            if let Some(record) = hits.records.into_iter().next() {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Where people lie; with a template alone, anywhere in the directory.
    fn bases(&self) -> BTreeSet<Dn> {
        let settings = &self.directory.settings;
        match settings.user.searches.as_slice() {
            [] => BTreeSet::from([settings.base.clone()]),
            searches => searches.iter().map(|search| search.base.clone()).collect(),
        }
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There(dn) => write!(f, "there: {dn}"),
            Self::Gone => f.write_str("gone"),
            Self::Unclear(why) => write!(f, "not to be told: {why}"),
        }
    }
}
