//! Active Directory's DirSync: what has changed since a cookie, asked for until there is no more.

use bytes::Bytes;
use proto::Entry;
use proto::control::{DirSync, DirSyncFlags, DirSyncReply};

use crate::stream::Pages;
use crate::{Connection, Error, Search, SearchStream};

/// What of a naming context is asked about, and since when.
///
/// ```
/// use ldapgate_client::DirSyncSearch;
/// use ldapgate_client::proto::Filter;
///
/// let people = DirSyncSearch::new("dc=example,dc=com")
///     .matching(Filter::equal("objectClass", "user"))
///     .attributes(["sAMAccountName", "mail"])
///     .cookie(Vec::new());
/// # let _ = people;
/// ```
#[derive(Debug, Clone)]
pub struct DirSyncSearch {
    search: Search,
    asked: DirSync,
}

/// A DirSync under way: owned, `Send` and `'static`. Dropping it abandons it.
#[derive(Debug)]
pub struct DirSyncStream {
    connection: Connection,
    search: Search,
    asked: DirSync,
    /// The round under way.
    round: Option<SearchStream>,
    rounds: Pages,
    ended: bool,
}

impl DirSyncSearch {
    /// Everything in a naming context that the client may read: its base is the only one that the server takes.
    pub fn new(naming_context: impl Into<String>) -> DirSyncSearch {
        let search = Search::below(naming_context).page_size(None).keep_referrals();
        DirSyncSearch {
            search,
            asked: DirSync { flags: DirSyncFlags::OBJECT_SECURITY, ..DirSync::default() },
        }
    }

    /// Only entries that match.
    #[must_use]
    pub fn matching(mut self, filter: proto::Filter) -> DirSyncSearch {
        self.search = self.search.matching(filter);
        self
    }

    /// Only these attributes, and entries in which one of them has changed.
    #[must_use]
    pub fn attributes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> DirSyncSearch {
        self.search = self.search.attributes(names);
        self
    }

    /// One more control, such as "show deleted", sent with each request.
    #[must_use]
    pub fn control(mut self, control: proto::Control) -> DirSyncSearch {
        self.search = self.search.control(control);
        self
    }

    /// How changes are told; without this, [`DirSyncFlags::OBJECT_SECURITY`].
    #[must_use]
    pub fn flags(mut self, flags: DirSyncFlags) -> DirSyncSearch {
        self.asked.flags = flags;
        self
    }

    /// Bytes in one answer, as a hint to the server.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u32) -> DirSyncSearch {
        self.asked.max_bytes = bytes;
        self
    }

    /// Only what has changed since this cookie, which [`DirSyncStream::finish`] gave; empty: everything.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<Bytes>) -> DirSyncSearch {
        self.asked.cookie = cookie.into();
        self
    }
}

impl Connection {
    /// Asks Active Directory what has changed. Nothing is sent before the first [`DirSyncStream::next`].
    ///
    /// ```no_run
    /// # async fn example(connection: ldapgate_client::Connection) -> Result<(), ldapgate_client::Error> {
    /// use ldapgate_client::DirSyncSearch;
    ///
    /// let mut changes = connection.dir_sync(DirSyncSearch::new("dc=example,dc=com"));
    /// while let Some(entry) = changes.next().await? {
    ///     println!("{}", entry.dn());
    /// }
    /// let cookie = changes.finish().await?; // for the next time
    /// # let _ = cookie;
    /// # Ok(())
    /// # }
    /// ```
    pub fn dir_sync(&self, sync: DirSyncSearch) -> DirSyncStream {
        let DirSyncSearch { search, asked } = sync;
        DirSyncStream {
            connection: self.clone(),
            search,
            asked,
            round: None,
            rounds: Pages::default(),
            ended: false,
        }
    }
}

impl DirSyncStream {
    /// The next entry that has changed; `None` when there are no more. Safe to be dropped and called again.
    ///
    /// # Errors
    ///
    /// As [`Connection::search`]: Active Directory says unwillingToPerform to a base that is no naming context, and
    /// insufficientAccessRights without [`DirSyncFlags::OBJECT_SECURITY`] and the right to replicate.
    /// [`Error::PagingLoop`] when the server says that there is more and sends nothing new. After an error there are no
    /// more entries.
    pub async fn next(&mut self) -> Result<Option<Entry>, Error> {
        let next = self.advance().await;
        if !matches!(next, Ok(Some(_))) {
            self.ended = true;
            self.round = None;
        }
        next
    }

    /// The cookie from which the next DirSync goes on. Entries that were not read are read and dropped.
    ///
    /// # Errors
    ///
    /// As [`DirSyncStream::next`].
    pub async fn finish(mut self) -> Result<Bytes, Error> {
        while self.next().await?.is_some() {}
        Ok(self.asked.cookie)
    }

    async fn advance(&mut self) -> Result<Option<Entry>, Error> {
        while !self.ended {
            let round = self.round.get_or_insert_with(|| {
                self.connection.stream(self.search.clone().control(self.asked.to_control()))
            });
            if let Some(entry) = round.next().await? {
                self.rounds.first.get_or_insert_with(|| entry.dn().to_owned());
                return Ok(Some(entry));
            }
            self.turn().await?;
        }
        Ok(None)
    }

    /// Takes the round's cookie. The round has ended, so that nothing is waited for here.
    async fn turn(&mut self) -> Result<(), Error> {
        let Some(round) = self.round.take() else { return Ok(()) };
        let end = round.finish().await?;
        let control = end.controls.get(DirSync::OID);
        let reply = control.and_then(|control| DirSyncReply::parse(&control).ok());
        let Some(DirSyncReply { more, cookie }) = reply else {
            return Err(self.connection.unexpected("search"));
        };
        if !self.rounds.turn(cookie.clone()) && more {
            let (url, base) = (self.connection.url().to_owned(), self.search.base().to_owned());
            return Err(Error::PagingLoop { url, base });
        }
        self.ended = !more;
        self.asked.cookie = Bytes::copy_from_slice(&cookie);
        Ok(())
    }
}
