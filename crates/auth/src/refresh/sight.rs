//! What is seen of one person, when they are looked for without a login.

use std::fmt;

use super::place::is_expected_at;
use crate::ask::Reader;
use crate::directories::{Answer, Directory};
use crate::groups::Roster;
use crate::record::Record;
use crate::{Denial, Error, Observer, Person};

/// What the directory shows of somebody.
#[derive(Debug, Clone)]
pub enum Sight {
    /// They are there: what [`Located::describe`](crate::Located::describe) tells of them.
    There(Box<Person>),
    /// The entry is there, and by what it says of itself they are out: disabled, or ended.
    Refused(Denial),
    /// The entry is there, and a login would not find it: it was moved, or the configured filter leaves it out.
    NotMatched,
    /// No entry has the key. That proves little: [`Directories::presence`](crate::Directories::presence) tells more.
    Missing,
    /// The entry is there and makes no sense (a name twice, no name at all), or its groups do not: nothing is known. The
    /// text says why.
    Unreadable(String),
}

impl Sight {
    /// The word for it, as it stands in traces.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Sight::There(_) => "there",
            Sight::Refused(_) => "refused",
            Sight::NotMatched => "there, but not found by a login",
            Sight::Missing => "missing",
            Sight::Unreadable(_) => "unreadable",
        }
    }
}

impl Directory {
    /// What an entry that a login would find shows of its person.
    ///
    /// # Errors
    /// Those of asking; what is wrong with one entry is a sight.
    pub(super) async fn sight_of(
        &self,
        record: Record,
        reader: &mut Reader,
        server: &str,
        observer: &dyn Observer,
        roster: Option<&Roster>,
    ) -> Result<Sight, Error> {
        if !is_expected_at(&self.settings, &record.dn) {
            return Ok(Sight::NotMatched);
        }
        seen(self.person_of(record, reader, server, observer, roster).await)
    }
}

/// One person's trouble is no trouble of the others.
pub(super) fn seen(answer: Result<Answer<Person>, Error>) -> Result<Sight, Error> {
    match answer {
        Ok(Answer::Yes(person)) => Ok(Sight::There(Box::new(person))),
        Ok(Answer::No(denial)) => Ok(Sight::Refused(denial)),
        Err(error) if error.is_about_content() => Ok(Sight::Unreadable(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Two entries have one key: which of them is meant nobody knows.
pub(super) fn ambiguous(id: &str, one: impl fmt::Display, other: impl fmt::Display) -> Sight {
    Sight::Unreadable(format!("{id} is the key of two entries: {one} and {other}"))
}
