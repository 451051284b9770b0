//! One search that is listened to: what there is, then each change.
//!
//! What there is is asked for by a refresh of its own, and changes from its cookie on. In one operation slapd would count
//! what there is against the size limit of a search that persists, and one that ends so, or is given up while much is being
//! sent, has been seen to bring slapd 2.5.13 down at a later change.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use client::{Connection, ContentSync, SyncEvent, SyncStream};
use futures_util::future::select_all;
use proto::value::Guid;

use super::failed_below;
use crate::Error;
use crate::fingerprint::Fingerprint;
use crate::refresh::watch::layout::{StreamOf, What};

/// A server that is silent for so long is asked whether it is there.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub(super) struct Listening {
    pub(super) what: What,
    pub(super) sync: SyncStream,
    pub(super) cookie: Option<Bytes>,
    /// From where on changes are told, if not from what there is.
    pub(super) since: Option<Bytes>,
    /// Until it is over.
    pub(super) refresh: Option<Refresh>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Content,
    Changes,
}

/// A refresh under way.
pub(super) struct Refresh {
    pub(super) why: Why,
    pub(super) entries: HashSet<Fingerprint>,
    pub(super) people: HashSet<Guid>,
    /// What was not named has been counted.
    pub(super) is_counted: bool,
}

/// Why something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// To know what there is: nothing is news.
    First,
    /// From a cookie on: what is told has changed.
    Resumed,
    /// Without a cookie, since there is none that is good: of people nobody knows what changed.
    Lost,
    /// Without a cookie, because it is time: the stream had told of changes.
    Anew,
}

pub(super) type Event = (usize, Result<Option<SyncEvent>, client::Error>);

impl Listening {
    /// Asks what there is, or what has changed since a cookie.
    pub(super) fn refresh(
        connection: &Connection,
        stream: &StreamOf,
        cookie: Option<Bytes>,
        why: Why,
    ) -> Listening {
        let sync = from(ContentSync::refresh_only(stream.search()), cookie.as_ref());
        let (sync, refresh) = (connection.sync(sync), Some(Refresh::new(why)));
        Listening { what: stream.what, sync, cookie, since: None, refresh, phase: Phase::Content }
    }

    /// What there is is known: asks for changes.
    ///
    /// # Errors
    /// The server did not say from where on.
    pub(super) fn persist(&mut self, connection: &Connection, stream: &StreamOf) -> Result<(), Error> {
        let Some(cookie) = self.since.take().or_else(|| self.cookie.clone()) else {
            return Err(failed_below(stream, "the server gives no cookie to go on from"));
        };
        let sync = ContentSync::refresh_and_persist(stream.search()).heartbeat(Some(HEARTBEAT));
        self.sync = connection.sync(from(sync, Some(&cookie)));
        self.refresh = Some(Refresh::new(Why::Resumed));
        self.phase = Phase::Changes;
        Ok(())
    }

    /// Did it read to its end what there is?
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Content && self.refresh.is_none()
    }

    /// Is everything known, and are changes told as they happen?
    pub(super) fn is_settled(&self) -> bool {
        self.phase == Phase::Changes && self.refresh.is_none()
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.why == Why::Resumed)
    }
}

impl Refresh {
    fn new(why: Why) -> Refresh {
        Refresh { why, entries: HashSet::new(), people: HashSet::new(), is_counted: false }
    }
}

/// The next event of any stream.
pub(super) async fn next_of(streams: &mut [Listening]) -> Event {
    let waiting = streams.iter_mut().map(|stream| Box::pin(stream.sync.next()));
    let (told, place, _) = select_all(waiting).await;
    (place, told)
}

fn from(sync: ContentSync, cookie: Option<&Bytes>) -> ContentSync {
    match cookie {
        Some(cookie) => sync.cookie(cookie.clone()).reload_hint(),
        None => sync,
    }
}
