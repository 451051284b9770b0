//! Persistent search (draft-ietf-ldapext-psearch): entries as they change.

use std::time::Duration;

use proto::control::{EntryChangeNotification, PersistentSearch};
use proto::message::Response;
use proto::{Controls, Entry};

use crate::driver::Item;
use crate::sync::{HEARTBEAT, OpenSearch, Sent, Waits};
use crate::{Cancelled, Connection, Error, Search};

/// An entry that has changed, or that was there when the search began.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Changed {
    /// It, as it is now; of one that was deleted, as it was.
    pub entry: Entry,
    /// What happened; `None`: it was there when the search began, or the server was not asked to say.
    pub change: Option<EntryChangeNotification>,
}

/// A persistent search under way: owned, `Send` and `'static`. Dropping it abandons it.
#[derive(Debug)]
pub struct ChangeStream {
    open: OpenSearch,
}

impl Connection {
    /// Sends entries as they change, as 389 Directory Server and its relatives do. Nothing is sent before the first
    /// [`ChangeStream::next`]. Unlike [`Connection::sync`] it tells nothing of what changed while nobody listened. Pages
    /// of the search do not apply; referrals are not followed.
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), ldapgate_client::Error> {
    /// use ldapgate_client::Search;
    /// use ldapgate_client::proto::control::PersistentSearch;
    ///
    /// let people = Search::below("ou=people,dc=example,dc=com");
    /// let mut changes = connection.persistent_search(people, PersistentSearch::changes());
    /// while let Some(changed) = changes.next().await? {
    ///     println!("{}: {:?}", changed.entry.dn(), changed.change);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn persistent_search(&self, search: impl Into<Search>, asked: PersistentSearch) -> ChangeStream {
        let waits = Waits { bounded: None, heartbeat: Some(HEARTBEAT) };
        let control = asked.to_control();
        ChangeStream {
            open: OpenSearch::new(self.clone(), "persistent search", search.into(), control, waits),
        }
    }
}

impl ChangeStream {
    /// After so much silence the server is asked for its root entry (1 min), since a server that went away without a
    /// farewell would not be missed. `None`: never.
    #[must_use]
    pub fn heartbeat(mut self, silence: Option<Duration>) -> ChangeStream {
        self.open.heartbeat(silence);
        self
    }

    /// The next change; `None` when the server has ended the search. Safe to be dropped and called again.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the server has no persistent search (unavailableCriticalExtension);
    /// [`Error::TooLarge`] when more than the options' `max_bytes` waits for this call; otherwise as every call. After an
    /// error there are no more changes.
    pub async fn next(&mut self) -> Result<Option<Changed>, Error> {
        loop {
            match self.open.next().await? {
                Some(Sent::Item(Item::Entry(entry))) => return Ok(Some(Changed { entry, change: None })),
                Some(Sent::Item(Item::Controlled(said, _))) => {
                    let (Response::SearchEntry(entry), controls) = *said else { continue };
                    let change = change_of(&controls).map_err(|_| self.open.unexpected())?;
                    return Ok(Some(Changed { entry, change }));
                }
                Some(Sent::Item(_)) => {}
                Some(Sent::End(result, _)) if !result.is_success() => return Err(self.open.refused(result)),
                Some(Sent::End(..)) | None => return Ok(None),
            }
        }
    }

    /// Ends it by a cancel (RFC 3909), whose answer is waited for; dropping it abandons it without a word back.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the server does not know the operation, or will not: the search is then abandoned.
    /// Otherwise as every call.
    pub async fn cancel(self) -> Result<Cancelled, Error> {
        self.open.cancel().await
    }
}

fn change_of(controls: &Controls) -> Result<Option<EntryChangeNotification>, proto::ber::Error> {
    let control = controls.get(EntryChangeNotification::OID);
    control.map(|control| EntryChangeNotification::parse(&control)).transpose()
}
