//! From the server's messages to what a copy has to do.

use std::collections::VecDeque;

use bytes::Bytes;
use proto::control::{EntryState, SyncInfo, SyncState};
use proto::message::{IntermediateResponse, Response};
use proto::value::Guid;
use proto::{Controls, Entry};

/// What a copy has to do next.
///
/// Entries are known by their `entryUUID`, which `uuid` is and its text form shows: names change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncEvent {
    /// The entry is new to the copy. During a refresh with a cookie it may be one that the copy has: it has changed.
    Added {
        /// Its identity.
        uuid: Guid,
        /// It, with the attributes asked for.
        entry: Entry,
    },
    /// The entry has changed, or its name has; these are all attributes asked for.
    Modified {
        /// Its identity.
        uuid: Guid,
        /// It, with the attributes asked for.
        entry: Entry,
    },
    /// The entry is as the copy has it.
    Present {
        /// Its identity.
        uuid: Guid,
        /// Its name.
        dn: String,
    },
    /// The entry is gone, or is not looked for any more.
    Deleted {
        /// Its identity.
        uuid: Guid,
        /// Its last name.
        dn: String,
    },
    /// A reference to another server: it is told and not followed.
    Referred {
        /// Its identity.
        uuid: Guid,
        /// What became of it.
        state: EntryState,
        /// Where it leads.
        urls: Vec<String>,
    },
    /// These are as the copy has them.
    PresentIds(Vec<Guid>),
    /// These are gone.
    DeletedIds(Vec<Guid>),
    /// Of what the copy had before the refresh, everything that the refresh has not named (added, present) is gone. More
    /// of the refresh follows.
    PresentDone,
    /// The copy is as the server's content. When `deletes` is false, this is told as by [`SyncEvent::PresentDone`]: what
    /// the refresh has not named is gone. When it is true, what is gone was named.
    RefreshDone {
        /// What is gone was named.
        deletes: bool,
    },
    /// Keep this with the copy once everything before it is in there: the next synchronisation goes on from here.
    Cookie(Bytes),
}

/// `None`: the message cannot be understood.
pub(super) fn take((said, controls): (Response, Controls), told: &mut VecDeque<SyncEvent>) -> Option<()> {
    match said {
        Response::SearchEntry(entry) => of_entry(entry, &controls, told),
        Response::SearchReference(urls) => of_reference(urls, &controls, told),
        Response::Intermediate(message) => of_message(&message, told),
        _ => None,
    }
}

fn of_entry(entry: Entry, controls: &Controls, told: &mut VecDeque<SyncEvent>) -> Option<()> {
    let SyncState { state, uuid, cookie } = state_of(controls)?;
    told.push_back(match state {
        EntryState::Add => SyncEvent::Added { uuid, entry },
        EntryState::Modify => SyncEvent::Modified { uuid, entry },
        EntryState::Present => SyncEvent::Present { uuid, dn: entry.dn().to_owned() },
        EntryState::Delete => SyncEvent::Deleted { uuid, dn: entry.dn().to_owned() },
    });
    told.extend(cookie.map(kept));
    Some(())
}

fn of_reference(urls: Vec<String>, controls: &Controls, told: &mut VecDeque<SyncEvent>) -> Option<()> {
    let SyncState { state, uuid, cookie } = state_of(controls)?;
    told.push_back(SyncEvent::Referred { uuid, state, urls });
    told.extend(cookie.map(kept));
    Some(())
}

fn of_message(message: &IntermediateResponse, told: &mut VecDeque<SyncEvent>) -> Option<()> {
    // Other messages may be about other things (RFC 4511 section 4.13).
    if message.oid.as_deref() != Some(SyncInfo::OID) {
        return Some(());
    }
    let (event, cookie) = match SyncInfo::parse(message).ok()? {
        SyncInfo::NewCookie(cookie) => (None, Some(cookie)),
        SyncInfo::RefreshDelete { cookie, refresh_done } => {
            (refresh_done.then_some(SyncEvent::RefreshDone { deletes: true }), cookie)
        }
        SyncInfo::RefreshPresent { cookie, refresh_done: true } => {
            (Some(SyncEvent::RefreshDone { deletes: false }), cookie)
        }
        SyncInfo::RefreshPresent { cookie, refresh_done: false } => (Some(SyncEvent::PresentDone), cookie),
        SyncInfo::IdSet { cookie, refresh_deletes: true, uuids } => {
            (Some(SyncEvent::DeletedIds(uuids)), cookie)
        }
        SyncInfo::IdSet { cookie, refresh_deletes: false, uuids } => {
            (Some(SyncEvent::PresentIds(uuids)), cookie)
        }
    };
    told.extend(event);
    told.extend(cookie.map(kept));
    Some(())
}

fn state_of(controls: &Controls) -> Option<SyncState> {
    SyncState::parse(&controls.get(SyncState::OID)?).ok()
}

/// A copy, because a cookie would keep its whole read buffer for as long as it is kept.
pub(super) fn kept(cookie: Bytes) -> SyncEvent {
    SyncEvent::Cookie(Bytes::copy_from_slice(&cookie))
}
