//! Asks a server that tells nothing what has changed, once in a while.

mod count;
mod stamp;

use std::sync::Arc;
use std::time::Duration;

use client::{Connection, Entry, RootDse, Search};
use proto::{Dn, Filter};
use tokio::time::{Instant, sleep_until};

use super::counts_changes;
use super::layout::{Layout, What};
use super::members::Known;
use super::news::News;
use crate::Error;
use crate::directories::Directory;
use crate::fingerprint::Fingerprint;
use crate::groups::place_of;
use crate::record::Record;
use count::Count;
use stamp::Stamp;

/// A server that took so long to answer is left alone for so many times as long.
const REST: u32 = 10;
/// Groups of a poll are all in one set.
const POLLED: usize = 0;

/// One connection that asks.
pub(super) struct Poll {
    directory: Arc<Directory>,
    connection: Connection,
    server: String,
    layout: Layout,
    bases: Vec<Dn>,
    mark: Mark,
    interval: Duration,
    due: Instant,
    anew: Duration,
    /// When everything is read; at once to begin with.
    anew_at: Instant,
    is_settled: bool,
}

/// By what changes are known.
enum Mark {
    Count(Count),
    Stamp(Stamp),
}

impl Poll {
    pub(super) async fn begin(
        directory: Arc<Directory>,
        connection: Connection,
        server: String,
        layout: &Layout,
        root: &RootDse,
        interval: Duration,
        anew: Duration,
    ) -> Result<Poll, Error> {
        let bases = bases(&directory, &connection, layout).await?;
        let mark = match counts_changes(root) {
            true => Mark::Count(Count::of(root)),
            false => Mark::Stamp(Stamp::at((directory.clock)())),
        };
        let now = Instant::now();
        let layout = layout.clone();
        Ok(Poll {
            directory,
            connection,
            server,
            layout,
            bases,
            mark,
            interval,
            due: now,
            anew,
            anew_at: now,
            is_settled: false,
        })
    }

    /// Is everything known that there is?
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Waits until it is time and asks. May be dropped and called again: what was not read to its end is asked for again.
    pub(super) async fn advance(&mut self, known: &mut Known, news: &mut News) -> Result<(), Error> {
        if Instant::now() >= self.anew_at {
            return Box::pin(self.read_anew(known, news)).await;
        }
        sleep_until(self.due.min(self.anew_at)).await;
        let began = Instant::now();
        if began >= self.anew_at {
            return Ok(());
        }
        Box::pin(self.ask(known, news)).await?;
        let took = began.elapsed();
        self.due = began + took + self.interval.max(took.saturating_mul(REST));
        Ok(())
    }

    /// Reads the groups, after the mark was set: what happens meanwhile is seen afterwards, too. Since deletions are not
    /// told, everybody is to be looked at.
    async fn read_anew(&mut self, known: &mut Known, news: &mut News) -> Result<(), Error> {
        tracing::debug!(server = self.server, "reading all groups");
        match &mut self.mark {
            Mark::Count(count) => count.catch_up(&self.connection).await?,
            Mark::Stamp(stamp) => stamp.catch_up(&self.connection, &self.bases).await?,
        }
        let mut seen = std::collections::HashSet::new();
        for stream in self.layout.streams.iter().filter(|stream| stream.what == What::Groups) {
            let key_too = stream.search().attributes(self.attributes()).whole_values();
            let mut found = self.connection.stream(key_too);
            while let Some(entry) = found.next().await.map_err(|error| failed(stream.base(), error))? {
                let key = self.key_of(&entry);
                seen.insert(key);
                known.group(POLLED, key, self.layout.groups.see(&entry), news);
            }
            let end = found.finish().await.map_err(|error| failed(stream.base(), error))?;
            if let Some(result) = end.truncated {
                let what = format!(
                    "the server cut the list of groups below {} short: {}",
                    stream.base(),
                    result.code
                );
                return Err(Error::directory(what));
            }
        }
        known.groups_but(POLLED, &seen).into_iter().for_each(|group| known.no_group(POLLED, group, news));
        news.everybody();
        known.is_begun = true;
        self.is_settled = true;
        let now = Instant::now();
        (self.anew_at, self.due) = (now + self.anew, now + self.interval);
        Ok(())
    }

    async fn ask(&mut self, known: &mut Known, news: &mut News) -> Result<(), Error> {
        let changed = match &mut self.mark {
            Mark::Count(count) => count.changed(&self.connection).await?,
            Mark::Stamp(stamp) => Some(stamp.changed()),
        };
        let Some(filter) = changed else {
            if matches!(&self.mark, Mark::Count(count) if count.is_another()) {
                self.anew_at = Instant::now();
            }
            return Ok(());
        };
        for base in self.bases.clone() {
            let mut found = self.connection.stream(self.search(&base, filter.clone()));
            while let Some(entry) = found.next().await.map_err(|error| failed(&base, error))? {
                let is_news = match &mut self.mark {
                    Mark::Count(_) => true,
                    Mark::Stamp(stamp) => stamp.is_news(&entry),
                };
                if is_news {
                    self.changed(&entry, known, news);
                }
            }
            let end = found.finish().await.map_err(|error| failed(&base, error))?;
            if end.truncated.is_some() {
                news.everybody();
                self.anew_at = Instant::now();
            }
        }
        match &mut self.mark {
            Mark::Count(count) => count.done(),
            Mark::Stamp(stamp) => stamp.done((self.directory.clock)()),
        }
        Ok(())
    }

    fn changed(&self, entry: &Entry, known: &mut Known, news: &mut News) {
        let key = self.key_of(entry);
        // One that has lost its last member is a group still.
        if self.layout.groups.is_group(entry) || known.is_group(POLLED, &key) {
            known.group(POLLED, key, self.layout.groups.see(entry), news);
            return;
        }
        match Record::read(entry).and_then(|record| record.id(&self.directory.settings)) {
            Ok(id) => news.person(id),
            Err(_) => news.at([place_of(entry)]),
        }
    }

    /// By what an entry is known again: its stable key, or its name.
    fn key_of(&self, entry: &Entry) -> Fingerprint {
        match entry.first(&self.layout.key) {
            Some(key) => Fingerprint::of("key", key),
            None => place_of(entry),
        }
    }

    fn search(&self, base: &Dn, filter: Filter) -> Search {
        Search::below(base.as_str())
            .matching(filter)
            .attributes(self.attributes())
            .whole_values()
            .keep_referrals()
    }

    fn attributes(&self) -> Vec<String> {
        let own = [self.layout.key.clone(), stamp::ATTRIBUTE.to_owned()];
        self.layout.groups.attributes().into_iter().chain(own).collect()
    }
}

/// Where changes are asked for: below the directory's base, so that whoever was moved is seen; where that is not shown,
/// below what is.
async fn bases(directory: &Directory, connection: &Connection, layout: &Layout) -> Result<Vec<Dn>, Error> {
    let whole = &directory.settings.base;
    match connection.read(whole.as_str(), &["1.1"]).await {
        Ok(Some(_)) => Ok(vec![whole.clone()]),
        Ok(None) | Err(client::Error::Refused { .. }) => Ok(layout.bases()),
        Err(error) => Err(failed(whole, error)),
    }
}

fn failed(base: &Dn, error: client::Error) -> Error {
    Error::looking(format!("changes below {base} cannot be asked for"), error)
}
