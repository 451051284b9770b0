//! A search, entry by entry, which asks for its pages itself.
//!
//! LDAP has no flow control for one search among others. A page is therefore asked for only when its reader has taken
//! all of the page before, and what waits for the reader has a limit in bytes. Only where a connection serves one search
//! alone may the socket wait for the reader.

mod answer;
mod following;
mod pages;
mod ranges;
mod source;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proto::message::{Request, Response};
use proto::{Control, Controls, Entry, LdapResult, PagedResults, ResultCode};
use tokio::time::Instant;

pub use answer::SearchAnswer;
use following::{Following, Next};
pub(crate) use pages::Pages;
use ranges::Partial;
pub(crate) use source::Source;

use crate::connection::{Connection, Guard, Operation};
use crate::driver::{Item, Items, Sink, page};
use crate::referral::is_personal;
use crate::search::one_entry;
use crate::{Cancelled, Error, Found, Search};

/// A running search: owned, `Send` and `'static`. Dropping it abandons the search.
///
/// ```no_run
/// # async fn example(directory: ldapgate_client::Pool) -> Result<(), ldapgate_client::Error> {
/// use ldapgate_client::Search;
///
/// let mut people = directory.stream(Search::below("ou=people,dc=example,dc=com"));
/// while let Some(entry) = people.next().await? {
///     println!("{}", entry.dn());
/// }
/// let end = people.finish().await?;
/// assert!(end.truncated.is_none());
/// # Ok(())
/// # }
/// ```
pub struct SearchStream {
    source: Source,
    /// Sent with every page.
    request: Arc<Request>,
    base: String,
    /// Entries at most; 0 is no limit.
    size_limit: u32,
    /// Entries in a page; `None`: the search is one request.
    page_size: Option<u32>,
    needs_pages: bool,
    controls: Vec<Control>,
    limit: Option<Duration>,
    state: State,
    /// The whole search's deadline, known from the first request on.
    deadline: Option<Instant>,
    entries: u32,
    references: Vec<Vec<String>>,
    reference_bytes: usize,
    pages: Pages,
    /// `None`: references are told and not followed.
    following: Option<Box<Following>>,
    /// Attributes are read to their end.
    whole_values: bool,
    /// The entry whose values are being read.
    partial: Option<Box<Partial>>,
}

/// How a search ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct End {
    /// Where else to look: the URLs of each continuation reference that was not followed.
    pub references: Vec<Vec<String>>,
    /// There would have been more: a limit on size, time or effort was reached, the server's or the search's own.
    pub truncated: Option<LdapResult>,
    /// What came with the last answer, paging aside.
    pub controls: Controls,
    /// The last answer.
    pub result: LdapResult,
}

enum State {
    /// The next page is to be asked for: on this connection, once there is one.
    Asking(Option<Connection>),
    Reading(Page),
    Ended(Box<End>),
    /// The error was told.
    Failed,
}

struct Page {
    connection: Connection,
    items: Items,
    guard: Guard,
}

impl SearchStream {
    pub(crate) fn new(source: Source, search: Search) -> SearchStream {
        let page_size = search.page(source.options().page_size);
        let referrals = source.options().referrals.clone().filter(|_| search.follow);
        let Search { mut request, deadline: limit, controls, whole_values, needs_pages, .. } = search;
        let mut controls = source.with_controls(controls);
        // Each page has one of its own.
        controls.retain(|control| page_size.is_none() || control.oid != PagedResults::OID);
        let types_only = request.types_only;
        let (base, size_limit) = (request.base.clone(), request.size_limit);
        if page_size.is_some() {
            // Servers differ in whether a size limit is the page's or the search's: it is counted here instead.
            request.size_limit = 0;
        }
        SearchStream {
            source,
            request: Arc::new(Request::Search(request)),
            base,
            size_limit,
            page_size,
            needs_pages,
            controls,
            limit,
            state: State::Asking(None),
            deadline: None,
            entries: 0,
            references: Vec::new(),
            reference_bytes: 0,
            pages: Pages::default(),
            following: referrals.map(|referrals| Box::new(Following::new(referrals))),
            whole_values: whole_values && !types_only,
            partial: None,
        }
    }

    /// The next entry; `None` when there are no more. Safe to be dropped and called again.
    ///
    /// # Errors
    ///
    /// As [`Connection::search`](crate::Connection::search), and [`Error::PagingLoop`]. After an error there are no
    /// more entries.
    pub async fn next(&mut self) -> Result<Option<Entry>, Error> {
        Ok(self.next_with_controls().await?.map(|(entry, _)| entry))
    }

    /// The next entry, and what the server said of it: a sync state, an entry change, ... Otherwise as
    /// [`SearchStream::next`].
    ///
    /// # Errors
    ///
    /// As [`SearchStream::next`].
    ///
    /// ```no_run
    /// # async fn example(mut found: ldapgate_client::SearchStream) -> Result<(), ldapgate_client::Error> {
    /// while let Some((entry, controls)) = found.next_with_controls().await? {
    ///     println!("{}: {:?}", entry.dn(), controls);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_with_controls(&mut self) -> Result<Option<(Entry, Controls)>, Error> {
        let next = match self.whole_values {
            false => self.advance().await,
            true => self.advance_whole().await,
        };
        let next = next.map_err(|error| self.source.told(error));
        if next.is_err() {
            self.state = State::Failed;
        }
        next
    }

    /// How the search ended. Entries that were not read are first read to the last one and dropped, which after an early
    /// `break` may be many: who wants no more of them drops the stream, which abandons the search, or ends it by
    /// [`SearchStream::cancel`].
    ///
    /// # Errors
    ///
    /// As [`SearchStream::next`]; an error that it told already is told as [`Error::Closed`].
    pub async fn finish(mut self) -> Result<End, Error> {
        while self.next().await?.is_some() {}
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Ended(end) => Ok(*end),
            _ => Err(Error::Closed {
                url: self.url(),
                operation: "search",
                sent: true,
                source: Arc::new(crate::Closed::Ours),
            }),
        }
    }

    /// Ends it by a cancel (RFC 3909), whose answer is waited for; dropping it abandons it without a word back.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the server does not know the operation, or will not: the search is then abandoned.
    /// Otherwise as every call.
    ///
    /// ```no_run
    /// # async fn example(found: ldapgate_client::SearchStream) -> Result<(), ldapgate_client::Error> {
    /// let cancelled = found.cancel().await?;
    /// # let _ = cancelled;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn cancel(mut self) -> Result<Cancelled, Error> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Reading(Page { connection, items, guard }) => {
                crate::cancel::cancel(&connection, items, guard).await
            }
            between => {
                // What is dropped between two pages tells the server.
                self.state = between;
                Ok(Cancelled::Finished)
            }
        }
    }

    /// Everything, below the byte limit, as an operation of its own.
    #[tracing::instrument(name = "ldap.search", level = "debug", skip_all, fields(url = self.source.url(), base = self.base))]
    pub(crate) async fn collect(self) -> Result<Found, Error> {
        self.gather().await
    }

    /// Everything, below the byte limit.
    pub(crate) async fn gather(mut self) -> Result<Found, Error> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while let Some(entry) = self.next().await? {
            bytes += entry.size() + size_of::<Entry>();
            if bytes > self.max_bytes() {
                return Err(self.too_large());
            }
            // A small entry would keep its whole read buffer, and the limit would count a fraction of what is held.
            entries.push(entry.compact());
        }
        let End { references, truncated, controls, .. } = self.finish().await?;
        Ok(Found { entries, references, truncated, controls })
    }

    async fn advance(&mut self) -> Result<Option<(Entry, Controls)>, Error> {
        loop {
            let item = match &mut self.state {
                State::Ended(_) | State::Failed => return Ok(None),
                State::Asking(_) => {
                    self.ask().await?;
                    continue;
                }
                State::Reading(page) => page.items.next().await,
            };
            match item {
                Some(Item::Entry(entry)) => return Ok(self.found(entry, Controls::default())),
                Some(Item::Reference(urls, size)) => self.refer(urls, size)?,
                Some(Item::Controlled(said, size)) => match *said {
                    (Response::SearchEntry(entry), controls) => return Ok(self.found(entry, controls)),
                    (Response::SearchReference(urls), _) => self.refer(urls, size)?,
                    // A message in between, which no plain search asks for.
                    _ => {}
                },
                Some(Item::TooMuch) => return Err(self.too_large()),
                Some(Item::Done(done)) => match *done {
                    Ok((result, controls)) => self.end_page(result, controls)?,
                    Err(error) => self.try_again(error)?,
                },
                // The task that owned the socket is gone without a word.
                None => return Err(self.gone()),
            }
        }
    }

    /// Takes an entry, unless it is one too many.
    fn found(&mut self, entry: Entry, controls: Controls) -> Option<(Entry, Controls)> {
        if self.is_full() {
            self.stop_at_limit();
            return None;
        }
        self.entries += 1;
        self.pages.first.get_or_insert_with(|| entry.dn().to_owned());
        Some((entry, controls))
    }

    fn refer(&mut self, urls: Vec<String>, size: usize) -> Result<(), Error> {
        self.count_reference(size)?;
        if !self.follows(&urls)? {
            self.references.push(urls);
        }
        Ok(())
    }

    /// References are limited all together, as they are kept, or may be by who reads them.
    fn count_reference(&mut self, size: usize) -> Result<(), Error> {
        self.reference_bytes = self.reference_bytes.saturating_add(size);
        if self.reference_bytes > self.max_bytes() { Err(self.too_large()) } else { Ok(()) }
    }

    /// Takes a reference over, to be followed; otherwise it is to be told.
    fn follows(&mut self, urls: &[String]) -> Result<bool, Error> {
        match (&mut self.following, &self.state) {
            (Some(following), State::Reading(page)) => {
                following.take(&page.connection, &self.request, urls, false)
            }
            _ => Ok(false),
        }
    }

    /// The next entry with all values of its attributes.
    async fn advance_whole(&mut self) -> Result<Option<(Entry, Controls)>, Error> {
        if self.partial.is_none() {
            let Some((entry, controls)) = self.advance().await? else { return Ok(None) };
            let State::Reading(page) = &self.state else { return Ok(Some((entry, controls))) };
            match Partial::new(entry, controls, &page.connection) {
                Ok(partial) => self.partial = Some(Box::new(partial)),
                Err(whole) => return Ok(Some(whole)),
            }
        }
        let limit = self.max_bytes();
        while let Some(partial) = &mut self.partial
            && let Some((dn, attribute)) = partial.wanted()
        {
            let read = Search { controls: self.controls.clone(), ..Search::read(dn).attributes([attribute]) };
            let read = match self.deadline {
                Some(deadline) => read.deadline(deadline.saturating_duration_since(Instant::now())),
                None => read,
            };
            // Dropped half-way, it is asked again.
            let part = boxed(partial.connection.stream(read.keep_referrals())).await?;
            partial.join(part, limit)?;
        }
        Ok(self.partial.take().map(|partial| partial.whole()))
    }

    /// Asks for a page. Dropped half-way, it has done nothing.
    async fn ask(&mut self) -> Result<(), Error> {
        let State::Asking(known) = &self.state else { return Ok(()) };
        let connection = match known {
            Some(connection) => connection.clone(),
            None => match self.source.connection().await {
                Ok(connection) => connection,
                Err(error) => return self.go_elsewhere(error),
            },
        };
        let options = &connection.shared.options;
        let now = Instant::now();
        if self.deadline.is_none() {
            self.deadline = self.limit.map(|limit| now + limit);
        }
        let limit = self.limit.unwrap_or(options.timeout);
        let mut deadline = self.deadline.unwrap_or(now + limit);
        if let Some(elsewhere) = self.following.as_ref().and_then(|following| following.deadline) {
            deadline = deadline.min(elsewhere);
        }

        let can_be_repeated = self.is_untouched() && self.source.has_another_try();
        let (mut sink, items) = page(options.max_bytes, can_be_repeated);
        sink.excludes_reader = self.deadline.is_none();
        sink.expected = self.page_size;
        match connection.send(self.page(), Sink::Page(sink), deadline, limit).await {
            Ok(guard) => self.state = State::Reading(Page { connection, items, guard }),
            Err(error) => self.try_again(error)?,
        }
        Ok(())
    }

    /// The request for the next page.
    fn page(&self) -> Operation {
        self.operation(self.page_size.map(|size| match self.size_limit {
            0 => size,
            // One more than is wanted tells whether there is more.
            limit => size.min((limit - self.entries).saturating_add(1)),
        }))
    }

    fn operation(&self, page_size: Option<u32>) -> Operation {
        let page = page_size.map(|size| Control {
            critical: self.needs_pages,
            ..PagedResults::request(size, &self.pages.cookie)
        });
        let controls = self.controls.iter().cloned().chain(page).collect();
        Operation::new("search", self.request.clone(), controls)
    }

    fn end_page(&mut self, result: LdapResult, controls: Controls) -> Result<(), Error> {
        let State::Reading(page) = std::mem::replace(&mut self.state, State::Failed) else { return Ok(()) };
        let Page { connection, guard, .. } = page;
        guard.disarm();
        let truncated = is_limit(result.code);
        if result.code.is_referral()
            && let Some(following) = &mut self.following
            && following.take(&connection, &self.request, &result.referrals, true)?
            && let Some(next) = following.next()?
        {
            self.go(next);
            return Ok(());
        }
        if !truncated && !result.is_success() {
            let Request::Search(asked) = &*self.request else { return Err(connection.unexpected("search")) };
            return Err(connection.refused_with("search", result, controls).about(&asked.base));
        }
        let paged = controls.get(PagedResults::OID);
        let next = match paged.filter(|_| result.is_success()).map(|control| PagedResults::parse(&control)) {
            Some(Ok(paged)) => paged.cookie,
            Some(Err(error)) => {
                tracing::debug!(%error, "the paging control cannot be read");
                return Err(connection.unexpected("search"));
            }
            None => Bytes::new(),
        };
        if !next.is_empty() && self.page_size.is_some() {
            if !self.pages.turn(next) {
                let (url, base) = (connection.url().to_owned(), self.base.clone());
                return Err(Error::PagingLoop { url, base });
            }
            self.state = State::Asking(Some(connection));
            return Ok(());
        }
        let controls = controls.without(PagedResults::OID);
        self.end_part(result.clone(), truncated.then_some(result), controls)
    }

    /// One server has done its part; references that it gave are followed now.
    fn end_part(
        &mut self,
        result: LdapResult,
        truncated: Option<LdapResult>,
        controls: Controls,
    ) -> Result<(), Error> {
        let Some(following) = &mut self.following else {
            self.end(result, truncated, controls);
            return Ok(());
        };
        // The end told is the first server's, and truncated if any of them was.
        let end = following.end.get_or_insert((result, None, controls));
        end.1 = end.1.take().or(truncated);
        if let Some(next) = following.next()? {
            self.go(next);
            return Ok(());
        }
        if let Some((result, truncated, controls)) = following.end.take() {
            self.end(result, truncated, controls);
        }
        Ok(())
    }

    /// Goes on elsewhere.
    fn go(&mut self, (source, request): Next) {
        (self.source, self.request) = (source, request);
        self.controls.retain(|control| !is_personal(control));
        self.pages = Pages::default();
        self.state = State::Asking(None);
    }

    /// A server that a reference leads to cannot be reached; the reference may name another.
    fn go_elsewhere(&mut self, error: Error) -> Result<(), Error> {
        let following = self.following.as_mut().filter(|_| matches!(self.source, Source::Referred(_)));
        let Some(next) = following.and_then(|following| following.alternative()) else { return Err(error) };
        tracing::debug!(%error, causes = ?error.causes(), "following a reference to its next server");
        self.go(next);
        Ok(())
    }

    fn end(&mut self, result: LdapResult, truncated: Option<LdapResult>, controls: Controls) {
        let references = std::mem::take(&mut self.references);
        self.state = State::Ended(Box::new(End { references, truncated, controls, result }));
    }

    /// The search's own limit was reached and there is more.
    fn stop_at_limit(&mut self) {
        let limit = self.size_limit;
        let result = LdapResult::new(
            ResultCode::SIZE_LIMIT_EXCEEDED,
            format!("there are more than the {limit} asked for"),
        );
        // Replacing the state drops the page, which abandons it.
        self.end(result.clone(), Some(result), Controls::default());
    }

    fn is_full(&self) -> bool {
        self.size_limit > 0 && self.entries >= self.size_limit
    }

    /// A look-up that met a dying connection may go to a fresh one, once, as long as nothing was found.
    fn try_again(&mut self, error: Error) -> Result<(), Error> {
        let dying = matches!(error, Error::Closed { .. });
        if !(dying && self.is_untouched() && self.source.has_another_try()) {
            return Err(error);
        }
        self.source.try_again();
        tracing::debug!(%error, causes = ?error.causes(), "searching again on a fresh connection");
        self.state = State::Asking(None);
        Ok(())
    }

    /// Was nothing found yet?
    fn is_untouched(&self) -> bool {
        self.entries == 0 && self.reference_bytes == 0 && self.pages.is_first()
    }

    fn connection(&self) -> Option<&Connection> {
        match (&self.state, &self.source) {
            (State::Reading(page), _) => Some(&page.connection),
            (State::Asking(Some(connection)), _) | (_, Source::Connection(connection)) => Some(connection),
            _ => None,
        }
    }

    fn url(&self) -> String {
        self.connection().map(|connection| connection.url().to_owned()).unwrap_or_default()
    }

    fn max_bytes(&self) -> usize {
        self.source.options().max_bytes
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { base: self.base.clone(), limit: self.max_bytes() }
    }

    fn gone(&self) -> Error {
        let source = match self.connection() {
            Some(connection) => connection.shared.state.reason(),
            None => Arc::new(crate::Closed::Ours),
        };
        Error::Closed { url: self.url(), operation: "search", sent: true, source }
    }
}

/// A search in a search, whose future would otherwise hold itself.
fn boxed(stream: SearchStream) -> Pin<Box<dyn Future<Output = Result<Option<Entry>, Error>> + Send>> {
    Box::pin(one_entry(stream))
}

/// "There would have been more" is a fact about what was found, and no failure.
fn is_limit(code: ResultCode) -> bool {
    [ResultCode::SIZE_LIMIT_EXCEEDED, ResultCode::TIME_LIMIT_EXCEEDED, ResultCode::ADMIN_LIMIT_EXCEEDED]
        .contains(&code)
}

impl Drop for SearchStream {
    /// Between two pages there is nothing to abandon; the server is told that no more are wanted (RFC 2696 section 3).
    fn drop(&mut self) {
        let State::Asking(Some(connection)) = &self.state else { return };
        if self.pages.cookie.is_empty() || connection.is_closed() {
            return;
        }
        connection.send_courtesy(self.operation(Some(0)));
    }
}

impl std::fmt::Debug for SearchStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchStream")
            .field("base", &self.base)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}
