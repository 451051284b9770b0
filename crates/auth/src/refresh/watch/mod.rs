//! Hints that something has changed, as they come: where to look again, and nothing that could end anything.
//!
//! | server | how | what is not seen |
//! |---|---|---|
//! | OpenLDAP with syncprov, no size limit | RFC 4533, changes are sent | what is computed (dynamic groups), changed access rules |
//! | Active Directory, Samba | asks for `uSNChanged` | deletions, changed access rules |
//! | 389-ds, FreeIPA and others | asks for `modifyTimestamp` | deletions, changed access rules |
//!
//! The persist phase of 389-ds ignores its access rules and sends every attribute, passwords among them: it is never asked
//! for it. A person who leaves a group is told by the group's members, since a `memberOf` that the server keeps itself is
//! told by nobody: of each group the fingerprints of its members are kept, 16 bytes each, and compared.
//!
//! Reading order: this file connects and hands out, [`news`] is what was heard, [`members`] what groups were like,
//! [`persist`] listens, [`poll`] asks.

mod cookie;
mod dn_set;
mod layout;
mod members;
mod news;
mod persist;
mod poll;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use client::RootDse;
use proto::control::SyncRequest;
use proto::oid;
use tokio::time::Instant;

pub use cookie::Cookies;
pub use dn_set::DnSet;
use layout::Layout;
use members::Known;
use news::News;
use persist::Persist;
use poll::Poll;

use crate::directories::Directory;
use crate::{Directories, Error, Vendor};

/// How long a server that is asked for changes is left alone in between; longer when it takes long to answer.
const INTERVAL: Duration = Duration::from_secs(1);
/// When everything is read anew although nothing was said: of a server that tells of changes, and of one that is asked.
const ANEW: Duration = Duration::from_secs(60 * 60);
const ANEW_POLLED: Duration = Duration::from_secs(10 * 60);
/// Until the next try after a failure, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where to look again. It ends nothing: whoever it names may be as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// At the people with these stable keys, as [`Person::id`](crate::Person::id) writes them.
    People(Vec<String>),
    /// At the people whose entries have these names.
    PeopleAt(DnSet),
    /// At everybody: too much has changed, or nobody knows what.
    Everybody,
    /// Keep this with the server's URL in place of the one before it, once what was told before is done.
    Cookie {
        /// The server's URL, as it was configured.
        server: String,
        /// What [`Cookies`] takes.
        cookie: Vec<u8>,
    },
}

/// What a watch is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WatchState {
    /// It has no connection, or has not read what there is.
    Connecting,
    /// The server tells of changes.
    Live,
    /// The server is asked for changes.
    Polling,
}

/// Hears of changes in one directory: made by [`Directories::watch`].
pub struct Watch {
    directory: Arc<Directory>,
    layout: Layout,
    cookies: Cookies,
    known: Known,
    news: News,
    hints: VecDeque<Hint>,
    session: Session,
    /// The server does not tell the service account of so many entries.
    is_limited: bool,
    failures: u32,
    /// Before that nothing is tried.
    pause: Option<Instant>,
    interval: Duration,
    anew: Option<Duration>,
}

enum Session {
    None,
    Persist(Box<Persist>),
    Poll(Box<Poll>),
}

impl Directories {
    /// Watches one directory on a connection of its own. `cookies` are those that were kept of an earlier watch; with none
    /// the first hint is to look at everybody.
    ///
    /// ```no_run
    /// # use ldapgate_auth::{Cookies, Directories, Error, Hint};
    /// # async fn example(directories: &Directories) -> Result<(), Error> {
    /// let mut watch = directories.watch("main", Cookies::default())?;
    /// loop {
    ///     match watch.next().await {
    ///         Ok(Hint::People(ids)) => println!("look at {ids:?}"),
    ///         Ok(Hint::PeopleAt(names)) => println!("look at {} people", names.len()),
    ///         Ok(Hint::Cookie { server, .. }) => println!("keep it for {server}"),
    ///         Ok(_) => println!("look at everybody"),
    ///         // It tries again by itself, after a pause that grows.
    ///         Err(error) => println!("{error}"),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// The directory is not configured. That it cannot be reached is [`Watch::next`]'s to tell.
    pub fn watch(&self, directory: &str, cookies: Cookies) -> Result<Watch, Error> {
        let directory = self.directory(directory)?.clone();
        let layout = Layout::of(&directory.settings);
        Ok(Watch {
            known: Known::new(&directory.settings, layout.streams.len()),
            directory,
            layout,
            cookies,
            news: News::default(),
            hints: VecDeque::new(),
            session: Session::None,
            is_limited: false,
            failures: 0,
            pause: None,
            interval: INTERVAL,
            anew: None,
        })
    }
}

impl Watch {
    /// How long a server that is asked for changes is left alone in between: 1 s without it, and never less. It is asked
    /// less often while its answers take long, so that it spends a tenth of its time on them at most.
    #[must_use]
    pub fn poll_every(mut self, interval: Duration) -> Watch {
        self.interval = interval.max(INTERVAL);
        self
    }

    /// When everything is read anew although nothing was said; without it after an hour, or after 10 minutes where
    /// deletions are not told. Where changes are asked for, everybody is to be looked at then.
    #[must_use]
    pub fn read_anew_every(mut self, interval: Duration) -> Watch {
        self.anew = Some(interval);
        self
    }

    /// What it is doing.
    pub fn state(&self) -> WatchState {
        match &self.session {
            Session::Persist(persist) if persist.is_settled() => WatchState::Live,
            Session::Poll(poll) if poll.is_settled() => WatchState::Polling,
            _ => WatchState::Connecting,
        }
    }

    /// The next hint. It may be dropped and called again; nothing is lost.
    ///
    /// # Errors
    /// The server cannot be asked, or has gone away. The next call tries again, on whichever server works, after a pause
    /// that doubles with each failure up to 30 s; what happened in between is told then.
    pub async fn next(&mut self) -> Result<Hint, Error> {
        loop {
            self.tell();
            if let Some(hint) = self.hints.pop_front() {
                return Ok(hint);
            }
            if let Err(error) = self.advance().await {
                let was_told =
                    matches!(std::mem::replace(&mut self.session, Session::None), Session::Persist(_));
                if was_told && error.is_limit() {
                    tracing::warn!(%error, "the service account may not be told of so many entries: the server is asked");
                    self.is_limited = true;
                    self.known = Known::new(&self.directory.settings, self.layout.streams.len());
                    continue;
                }
                let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
                self.failures = self.failures.saturating_add(1);
                self.pause = Some(Instant::now() + pause);
                // What was heard before is not lost; it is told with what comes next.
                return Err(error);
            }
        }
    }

    async fn advance(&mut self) -> Result<(), Error> {
        match &mut self.session {
            Session::None => self.connect().await,
            Session::Persist(persist) => persist.advance(&mut self.known, &mut self.news).await,
            Session::Poll(poll) => poll.advance(&mut self.known, &mut self.news).await,
        }
    }

    /// Makes hints of what was heard, once all is known that there is.
    fn tell(&mut self) {
        if !self.known.is_begun || self.state() == WatchState::Connecting {
            return;
        }
        self.failures = 0;
        self.hints.extend(self.news.take());
        let Session::Persist(persist) = &self.session else { return };
        let (server, cookie) = (persist.server().to_owned(), persist.cookie());
        if let Some(cookie) = cookie.filter(|cookie| self.cookies.keep(&server, cookie)) {
            self.hints.push_back(Hint::Cookie { server, cookie });
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        if let Some(until) = self.pause {
            tokio::time::sleep_until(until).await;
        }
        let directory = &self.directory;
        let server = directory.pool.server().await.map_err(|error| directory.unreachable(error))?;
        let connection = match server.dedicated().await {
            Ok(connection) => connection,
            Err(error) => {
                directory.pool.report_dead(&server);
                return Err(directory.unreachable(error));
            }
        };
        let root = connection
            .root_dse()
            .await
            .map_err(|error| Error::looking("the root DSE cannot be read", error))?;
        let url = server.url().to_owned();
        self.session = if !self.is_limited && tells_changes(directory.settings.vendor, &root) {
            let kept = self.cookies.of(&url);
            let anew = self.anew.unwrap_or(ANEW);
            let persist =
                Persist::begin(directory.clone(), connection, url, &self.layout, kept, &mut self.known, anew);
            Session::Persist(Box::new(persist))
        } else {
            let anew = self.anew.unwrap_or(ANEW_POLLED);
            let poll =
                Poll::begin(directory.clone(), connection, url, &self.layout, &root, self.interval, anew)
                    .await?;
            Session::Poll(Box::new(poll))
        };
        tracing::debug!(directory = directory.settings.name, server = server.url(), "watching");
        Ok(())
    }
}

/// Only of OpenLDAP is it known that its persist phase shows what a search would show.
fn tells_changes(vendor: Vendor, root: &RootDse) -> bool {
    let is_configured = !matches!(vendor, Vendor::Ds389 | Vendor::FreeIpa | Vendor::ActiveDirectory);
    is_configured && root.vendor() == client::Vendor::OpenLdap && root.supports_control(SyncRequest::OID)
}

/// Does each change of the server have a number?
fn counts_changes(root: &RootDse) -> bool {
    root.supports_capability(oid::ACTIVE_DIRECTORY) && root.highest_committed_usn().is_some()
}
