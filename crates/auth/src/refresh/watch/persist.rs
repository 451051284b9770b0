//! Listens to a server that tells of changes (RFC 4533).
//!
//! What a refresh leaves out reads as deleted, and may be hidden only: it is told as a place to look at, and where it is much
//! everything is read anew without a cookie, since one from a hidden time never brings back what is shown again.
//!
//! Reading order: `listening` is one search and its phases; this file takes in what all of them tell.

mod listening;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{Connection, ContentSync, Entry, SyncEvent};
use proto::value::Guid;
use tokio::time::{Instant, timeout, timeout_at};

use listening::{Event, Listening, Why, next_of};

use super::cookie;
use super::layout::{Layout, StreamOf, What};
use super::members::Known;
use super::news::News;
use crate::Error;
use crate::directories::Directory;
use crate::fingerprint::Fingerprint;
use crate::groups::place_of;
use crate::record::Record;

/// What comes within so short a time is told together.
const TOGETHER: Duration = Duration::from_millis(20);
/// So many events are taken in one go.
const EVENTS: usize = 5_000;
/// So many entries may be missing from a refresh, or a tenth, before it is taken for one that does not fit.
const FEW: usize = 10;

/// The streams of one connection.
pub(super) struct Persist {
    directory: Arc<Directory>,
    connection: Connection,
    server: String,
    layout: Layout,
    streams: Vec<Listening>,
    /// Cookies of a watch before this one, until it is known whether anything happened since.
    before: Option<Vec<Bytes>>,
    anew: Duration,
    anew_at: Instant,
    key_is_uuid: bool,
}

impl Persist {
    pub(super) fn begin(
        directory: Arc<Directory>,
        connection: Connection,
        server: String,
        layout: &Layout,
        kept: Option<&[u8]>,
        known: &mut Known,
        anew: Duration,
    ) -> Persist {
        let cookies = kept.and_then(|kept| cookie::split(layout, kept));
        let (before, resumed) = if known.is_begun { (None, cookies) } else { (cookies, None) };
        let why = match (known.is_begun, &resumed) {
            (false, _) => Why::First,
            (true, Some(_)) => Why::Resumed,
            (true, None) => Why::Lost,
        };
        let begin = |(place, stream): (usize, &StreamOf)| {
            let cookie = resumed.as_ref().and_then(|cookies| cookies.get(place).cloned());
            Listening::refresh(&connection, stream, cookie, why)
        };
        let streams = layout.streams.iter().enumerate().map(begin).collect();
        Persist {
            key_is_uuid: layout.key.eq_ignore_ascii_case("entryUUID"),
            directory,
            connection,
            server,
            layout: layout.clone(),
            streams,
            before,
            anew,
            anew_at: Instant::now() + anew,
        }
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Is everything known that there is?
    pub(super) fn is_settled(&self) -> bool {
        self.streams.iter().all(Listening::is_settled)
    }

    /// What to go on from, once every stream has told it.
    pub(super) fn cookie(&self) -> Option<Vec<u8>> {
        let cookies: Option<Vec<Bytes>> = self.streams.iter().map(|stream| stream.cookie.clone()).collect();
        cookies.filter(|_| self.is_settled()).map(|cookies| cookie::join(&self.layout, &cookies))
    }

    /// Waits for something to happen, and takes in what comes with it. May be dropped and called again.
    pub(super) async fn advance(&mut self, known: &mut Known, news: &mut News) -> Result<(), Error> {
        let Ok(first) = timeout_at(self.anew_at, next_of(&mut self.streams)).await else {
            self.read_anew(Why::Anew);
            return Ok(());
        };
        self.heard(first, known, news)?;
        for _ in 0..EVENTS {
            let Ok(event) = timeout(TOGETHER, next_of(&mut self.streams)).await else { break };
            self.heard(event, known, news)?;
        }
        if self.is_settled() && !known.is_begun {
            self.settle(known, news).await?;
        }
        Ok(())
    }

    /// Everything is read for the first time: did anything happen before?
    async fn settle(&mut self, known: &mut Known, news: &mut News) -> Result<(), Error> {
        // Nothing that was read is news; whatever comes from now on is.
        news.take();
        let before = self.before.take();
        if before.is_none() || self.has_changed_since(before.as_deref().unwrap_or_default()).await? {
            news.everybody();
        }
        known.is_begun = true;
        Ok(())
    }

    /// Asks each stream what has changed since an earlier watch's cookie.
    async fn has_changed_since(&self, cookies: &[Bytes]) -> Result<bool, Error> {
        for (stream, cookie) in self.layout.streams.iter().zip(cookies) {
            let asked = ContentSync::refresh_only(stream.search()).cookie(cookie.clone());
            let mut changes = self.connection.sync(asked);
            loop {
                match changes.next().await {
                    Ok(Some(SyncEvent::Cookie(_) | SyncEvent::RefreshDone { deletes: true })) => {}
                    Ok(Some(_)) => return Ok(true),
                    Ok(None) => break,
                    // Too old, of another server, rubbish.
                    Err(client::Error::Refused { .. }) => return Ok(true),
                    Err(error) => return Err(failed(stream, error)),
                }
            }
        }
        Ok(false)
    }

    fn read_anew(&mut self, why: Why) {
        tracing::debug!(server = self.server, ?why, "reading everything anew");
        self.anew_at = Instant::now() + self.anew;
        for (stream, layout) in self.streams.iter_mut().zip(&self.layout.streams) {
            let since = stream.cookie.take();
            *stream = Listening::refresh(&self.connection, layout, None, why);
            stream.since = since;
        }
    }

    /// Takes in what one stream told.
    fn heard(&mut self, event: Event, known: &mut Known, news: &mut News) -> Result<(), Error> {
        let (place, told) = event;
        let stream = &self.streams[place];
        let event = match told {
            Ok(Some(event)) => event,
            Ok(None) if stream.is_over() => {
                self.streams[place].persist(&self.connection, &self.layout.streams[place])?;
                return Ok(());
            }
            Ok(None) => {
                let base = self.layout.streams[place].base();
                return Err(Error::directory(format!("the server no longer tells of changes below {base}")));
            }
            // A cookie that the server does not want any more: everything from the beginning.
            Err(client::Error::Refused { result, .. }) if stream.is_resumed() => {
                tracing::info!(server = self.server, code = %result.code, "the cookie is not good any more");
                self.streams[place] =
                    Listening::refresh(&self.connection, &self.layout.streams[place], None, Why::Lost);
                return Ok(());
            }
            Err(error) => return Err(failed(&self.layout.streams[place], error)),
        };
        match event {
            SyncEvent::Added { uuid, entry } | SyncEvent::Modified { uuid, entry } => {
                self.changed(place, uuid, &entry, known, news);
            }
            SyncEvent::Present { uuid, .. } => self.named(place, [uuid]),
            SyncEvent::PresentIds(uuids) => self.named(place, uuids),
            SyncEvent::Deleted { uuid, dn } => self.gone(place, uuid, Some(&dn), known, news),
            SyncEvent::DeletedIds(uuids) => {
                uuids.into_iter().for_each(|uuid| self.gone(place, uuid, None, known, news));
            }
            SyncEvent::PresentDone => drop(self.left_out(place, known, news)),
            SyncEvent::RefreshDone { deletes } => self.refreshed(place, deletes, known, news),
            // An empty one is what a server makes of rubbish.
            SyncEvent::Cookie(cookie) => {
                self.streams[place].cookie = Some(cookie).filter(|cookie| !cookie.is_empty())
            }
            _ => {}
        }
        Ok(())
    }

    fn changed(&mut self, place: usize, uuid: Guid, entry: &Entry, known: &mut Known, news: &mut News) {
        self.named(place, [uuid]);
        let stream = &self.streams[place];
        if stream.what == What::Groups {
            known.group(place, key(uuid), self.layout.groups.see(entry), news);
            return;
        }
        let is_new = known.person(place, uuid);
        // What is read anew says nothing of what became of whoever was known.
        let is_full = stream.refresh.as_ref().is_some_and(|refresh| refresh.why != Why::Resumed);
        if is_new || !is_full {
            self.person(uuid, entry, news);
        }
    }

    fn person(&self, uuid: Guid, entry: &Entry, news: &mut News) {
        if self.key_is_uuid {
            return news.person(uuid.to_string());
        }
        let record = Record::read(entry);
        match record.and_then(|record| record.id(&self.directory.settings)) {
            Ok(id) => news.person(id),
            Err(_) => news.at([place_of(entry)]),
        }
    }

    fn gone(&mut self, place: usize, uuid: Guid, dn: Option<&str>, known: &mut Known, news: &mut News) {
        if self.streams[place].what == What::Groups {
            return known.no_group(place, key(uuid), news);
        }
        known.no_person(place, &uuid);
        match dn {
            _ if self.key_is_uuid => news.person(uuid.to_string()),
            Some(dn) => news.at([place_of(&Entry::builder(dn).build())]),
            None => news.everybody(),
        }
    }

    fn named(&mut self, place: usize, uuids: impl IntoIterator<Item = Guid>) {
        let stream = &mut self.streams[place];
        let Some(refresh) = &mut stream.refresh else { return };
        match stream.what {
            What::Groups => refresh.entries.extend(uuids.into_iter().map(key)),
            What::People => refresh.people.extend(uuids),
        }
    }

    fn refreshed(&mut self, place: usize, deletes: bool, known: &mut Known, news: &mut News) {
        let Some(refresh) = &self.streams[place].refresh else { return };
        if refresh.why == Why::Lost {
            news.everybody();
        }
        let is_told = deletes && refresh.why == Why::Resumed || refresh.is_counted;
        if is_told || self.left_out(place, known, news) == Fit::Good {
            self.streams[place].refresh = None;
        }
    }

    /// What a refresh has not named is gone, or is not shown any more.
    fn left_out(&mut self, place: usize, known: &mut Known, news: &mut News) -> Fit {
        let stream = &mut self.streams[place];
        let Some(refresh) = &mut stream.refresh else { return Fit::Good };
        refresh.is_counted = true;
        let (entries, people) = (std::mem::take(&mut refresh.entries), std::mem::take(&mut refresh.people));
        let why = refresh.why;
        let (groups, people, all) = match stream.what {
            What::Groups => (known.groups_but(place, &entries), Vec::new(), known.groups_of(place)),
            What::People => (Vec::new(), known.people_but(place, &people), known.people_of(place)),
        };
        let missing = groups.len() + people.len();
        if missing > FEW.max(all / 10) {
            tracing::warn!(
                server = self.server,
                missing,
                all,
                "much is not shown any more: it is gone, or hidden"
            );
            news.everybody();
            if why == Why::Resumed {
                *stream = Listening::refresh(&self.connection, &self.layout.streams[place], None, Why::Lost);
                return Fit::BegunAnew;
            }
        }
        groups.into_iter().for_each(|group| known.no_group(place, group, news));
        people.into_iter().for_each(|person| self.gone(place, person, None, known, news));
        Fit::Good
    }
}

/// Did what a refresh left out fit what is known?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Good,
    /// No: the stream is read from its beginning.
    BegunAnew,
}

fn key(uuid: Guid) -> Fingerprint {
    Fingerprint::of("uuid", &uuid.octets())
}

fn failed_below(stream: &StreamOf, what: &str) -> Error {
    Error::directory(format!("changes below {} cannot be heard of: {what}", stream.base()))
}

fn failed(stream: &StreamOf, error: client::Error) -> Error {
    Error::looking(format!("changes below {} cannot be heard of", stream.base()), error)
}
