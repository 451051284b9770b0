//! Content synchronisation (RFC 4533): a copy of a part of the directory, and what becomes of it.

mod event;
mod open;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use proto::control::{SyncDone, SyncMode, SyncRequest};
use proto::{Control, Controls, LdapResult};

pub use event::SyncEvent;
pub(crate) use open::{OpenSearch, Sent, Waits};

use crate::driver::Item;
use crate::{Cancelled, Connection, Error, Search};

/// How long a refresh may take, the time its reader takes included.
const REFRESH_LIMIT: Duration = Duration::from_secs(10 * 60);
/// How long a server may have nothing to say before it is asked whether it is there.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(60);

/// What is to be kept the same as the server's content, and from where on.
///
/// ```
/// use ldapgate_client::{ContentSync, Search};
/// use std::time::Duration;
///
/// let people = Search::below("ou=people,dc=example,dc=com").attributes(["uid", "mail"]);
/// let once = ContentSync::refresh_only(people.clone()).refresh_limit(Duration::from_secs(60));
/// let from_then_on = ContentSync::refresh_and_persist(people)
///     .cookie("rid=000,csn=20260101000000.000000Z#000000#000#000000")
///     .reload_hint()
///     .heartbeat(Some(Duration::from_secs(10)));
/// # let _ = (once, from_then_on);
/// ```
#[derive(Debug, Clone)]
pub struct ContentSync {
    search: Search,
    request: SyncRequest,
    refresh_limit: Duration,
    heartbeat: Option<Duration>,
}

/// A synchronisation under way: owned, `Send` and `'static`. Dropping it abandons it.
#[derive(Debug)]
pub struct SyncStream {
    open: OpenSearch,
    persists: bool,
    told: VecDeque<SyncEvent>,
}

impl ContentSync {
    /// Until the copy is as the server's content.
    pub fn refresh_only(search: impl Into<Search>) -> ContentSync {
        ContentSync::new(search.into(), SyncMode::RefreshOnly)
    }

    /// The same, and then each change as it happens, until it is dropped.
    pub fn refresh_and_persist(search: impl Into<Search>) -> ContentSync {
        ContentSync::new(search.into(), SyncMode::RefreshAndPersist)
    }

    fn new(search: Search, mode: SyncMode) -> ContentSync {
        let request = SyncRequest::new(mode);
        ContentSync { search, request, refresh_limit: REFRESH_LIMIT, heartbeat: Some(HEARTBEAT) }
    }

    /// Only what has changed since this cookie, the last that a [`SyncEvent::Cookie`] told for the same search. Without
    /// one the copy is empty.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<Bytes>) -> ContentSync {
        self.request.cookie = Some(cookie.into());
        self
    }

    /// A cookie that is too old is to be answered with the whole content, rather than with e-syncRefreshRequired.
    #[must_use]
    pub fn reload_hint(mut self) -> ContentSync {
        self.request.reload_hint = true;
        self
    }

    /// The limit for the whole refresh, the time its reader takes included (10 min). Nor may the server be silent in it
    /// for longer than the options' timeout.
    #[must_use]
    pub fn refresh_limit(mut self, limit: Duration) -> ContentSync {
        self.refresh_limit = limit;
        self
    }

    /// After so much silence between changes the server is asked for its root entry (1 min), since a server that went
    /// away without a farewell would not be missed. `None`: never.
    #[must_use]
    pub fn heartbeat(mut self, silence: Option<Duration>) -> ContentSync {
        self.heartbeat = silence;
        self
    }
}

impl Connection {
    /// Keeps a copy the same as the server's content (RFC 4533). Nothing is sent before the first
    /// [`SyncStream::next`]. Size limits and pages of the search do not apply; referrals are told and not followed.
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection, cookie: Option<Vec<u8>>) -> Result<(), ldapgate_client::Error> {
    /// use ldapgate_client::{ContentSync, Search, SyncEvent};
    ///
    /// let people = ContentSync::refresh_and_persist(Search::below("ou=people,dc=example,dc=com"));
    /// let mut changes = connection.sync(people);
    /// while let Some(event) = changes.next().await? {
    ///     match event {
    ///         SyncEvent::Added { uuid, entry } | SyncEvent::Modified { uuid, entry } => println!("{uuid} is {}", entry.dn()),
    ///         SyncEvent::Deleted { uuid, .. } => println!("{uuid} is gone"),
    ///         SyncEvent::Cookie(cookie) => println!("keep {cookie:?} with the copy"),
    ///         other => println!("{other:?}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn sync(&self, sync: ContentSync) -> SyncStream {
        let ContentSync { search, request, refresh_limit, heartbeat } = sync;
        let waits = Waits { bounded: Some(refresh_limit), heartbeat };
        let open = OpenSearch::new(self.clone(), "sync", search, request.to_control(), waits);
        SyncStream { open, persists: request.mode == SyncMode::RefreshAndPersist, told: VecDeque::new() }
    }
}

impl SyncStream {
    /// The next event; `None` at the end, which only a refresh has. Safe to be dropped and called again.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the server does not synchronise (unavailableCriticalExtension), or wants the whole
    /// content to be fetched anew, without a cookie (e-syncRefreshRequired); [`Error::Timeout`] when the refresh takes
    /// too long or the server is gone; [`Error::TooLarge`] when more than the options' `max_bytes` waits for this call;
    /// otherwise as every call. After an error there are no more events.
    pub async fn next(&mut self) -> Result<Option<SyncEvent>, Error> {
        loop {
            if let Some(event) = self.told.pop_front() {
                if self.persists && matches!(event, SyncEvent::RefreshDone { .. }) {
                    self.open.unbounded();
                }
                return Ok(Some(event));
            }
            match self.open.next().await? {
                Some(Sent::Item(item)) => self.take(item)?,
                Some(Sent::End(result, controls)) => self.end(result, &controls)?,
                None => return Ok(None),
            }
        }
    }

    /// Ends it by a cancel (RFC 3909), whose answer is waited for; dropping it abandons it without a word back.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the server does not know the operation, or will not: the synchronisation is then
    /// abandoned. Otherwise as every call.
    pub async fn cancel(self) -> Result<Cancelled, Error> {
        self.open.cancel().await
    }

    fn take(&mut self, item: Item) -> Result<(), Error> {
        let taken = match item {
            Item::Controlled(said, _) => event::take(*said, &mut self.told),
            // Every entry and reference has a control (RFC 4533 section 2.3).
            _ => None,
        };
        taken.ok_or_else(|| self.open.unexpected())
    }

    fn end(&mut self, result: LdapResult, controls: &Controls) -> Result<(), Error> {
        if !result.is_success() {
            return Err(self.open.refused(result));
        }
        let done = |control: Control| SyncDone::parse(&control).map_err(|_| self.open.unexpected());
        // A server that ends a persisting search without it has said all in the messages before.
        let Some(done) = controls.get(SyncDone::OID).map(done).transpose()? else { return Ok(()) };
        self.told.push_back(SyncEvent::RefreshDone { deletes: done.refresh_deletes });
        self.told.extend(done.cookie.map(event::kept));
        Ok(())
    }
}
