//! Search (RFC 4511 section 4.5): what is asked, and all that was found.

use std::time::Duration;

use proto::message::SearchRequest;
use proto::{Control, Controls, Deref, Entry, Filter, LdapResult, ResultCode, Scope};
use serde::Deserialize;

use crate::connection::Connection;
use crate::read;
use crate::stream::{SearchStream, Source};
use crate::{Error, read::Fields};

/// What is asked of a directory. It owns its parts and can be used again.
///
/// ```
/// use std::time::Duration;
/// use ldapgate_client::{Filter, Search};
///
/// let search = Search::below("ou=people,dc=example,dc=com")
///     .matching(Filter::equal("uid", "ada") & Filter::present("mail"))
///     .attributes(["cn", "mail"])
///     .limit(2)
///     .deadline(Duration::from_secs(30));
/// # let _ = search;
/// ```
#[derive(Debug, Clone)]
pub struct Search {
    pub(crate) request: SearchRequest,
    pub(crate) page_size: Option<Option<u32>>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) controls: Vec<Control>,
    /// References are followed where the options say so.
    pub(crate) follow: bool,
    pub(crate) whole_values: bool,
    /// Everything at once would be no answer.
    pub(crate) needs_pages: bool,
}

impl Search {
    /// The base and everything below it.
    pub fn below(base: impl Into<String>) -> Search {
        Search::new(base.into(), Scope::Subtree)
    }

    /// The entries directly below the base.
    pub fn one(base: impl Into<String>) -> Search {
        Search::new(base.into(), Scope::One)
    }

    /// One entry.
    pub fn read(dn: impl Into<String>) -> Search {
        Search::new(dn.into(), Scope::Base)
    }

    fn new(base: String, scope: Scope) -> Search {
        // Every entry has an object class, and every server lets a search ask for it (RFC 4512 section 5.1).
        let request = SearchRequest::new(base, scope, Filter::present("objectClass"));
        Search {
            request,
            page_size: None,
            deadline: None,
            controls: Vec::new(),
            follow: true,
            whole_values: false,
            needs_pages: false,
        }
    }

    /// Only entries that match; without this, all.
    #[must_use]
    pub fn matching(mut self, filter: Filter) -> Search {
        self.request.filter = filter;
        self
    }

    /// Only these attributes; without this, all that are not operational. "1.1" is none, "*" and "+" are all.
    #[must_use]
    pub fn attributes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Search {
        self.request.attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Exactly the attributes that the fields of `T` name, to be read with [`ReadEntry`](crate::ReadEntry).
    ///
    /// A struct that takes what it finds (a map, or a flattened one) asks for all attributes.
    #[must_use]
    pub fn reading<'de, T: Deserialize<'de>>(mut self) -> Search {
        self.request.attributes = match read::fields::<T>() {
            Fields::All => Vec::new(),
            Fields::These(names) if names.is_empty() => vec!["1.1".to_owned()],
            Fields::These(names) => names.into_iter().map(str::to_owned).collect(),
        };
        self
    }

    /// At most so many entries; whether there would have been more is told by `truncated`. 0: no limit.
    #[must_use]
    pub fn limit(mut self, entries: u32) -> Search {
        self.request.size_limit = entries;
        self
    }

    /// At most so many seconds of the server's time, which it may cut short by its own limit. 0: no limit.
    #[must_use]
    pub fn time_limit(mut self, seconds: u32) -> Search {
        self.request.time_limit = seconds;
        self
    }

    /// So many entries in a page, or no pages at all; without this, as the options say.
    #[must_use]
    pub fn page_size(mut self, entries: Option<u32>) -> Search {
        self.page_size = Some(entries);
        self
    }

    /// A server that knows no pages is to refuse, rather than to answer with everything at once.
    #[must_use]
    pub fn pages_or_nothing(mut self) -> Search {
        self.needs_pages = true;
        self
    }

    /// The limit for the whole search from its first request on, the time its reader takes included. Without it
    /// each page has the options' timeout.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Search {
        self.deadline = Some(limit);
        self
    }

    /// How far to look.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Search {
        self.request.scope = scope;
        self
    }

    /// What to do about aliases; without this, they are not followed.
    #[must_use]
    pub fn deref(mut self, deref: Deref) -> Search {
        self.request.deref = deref;
        self
    }

    /// One more control, sent with each page.
    #[must_use]
    pub fn control(mut self, control: Control) -> Search {
        self.controls.push(control);
        self
    }

    /// Read attributes to their end of which the server hands out only so many values at once, as Active Directory does
    /// with 1500 (`member;range=0-1499`): the entry then has them all, under the attribute's own name. Each part is
    /// another request; a server that repeats itself or leaves a gap is [`Error::CutShort`].
    ///
    /// ```
    /// use ldapgate_client::Search;
    ///
    /// let group = Search::read("cn=everybody,dc=example,dc=com").attributes(["member"]).whole_values();
    /// # let _ = group;
    /// ```
    #[must_use]
    pub fn whole_values(mut self) -> Search {
        self.whole_values = true;
        self
    }

    /// Tell references and referrals, and follow none, whatever the options say.
    ///
    /// ```
    /// use ldapgate_client::Search;
    ///
    /// let here = Search::below("dc=example,dc=com").keep_referrals();
    /// # let _ = here;
    /// ```
    #[must_use]
    pub fn keep_referrals(mut self) -> Search {
        self.follow = false;
        self
    }

    /// Names of attributes without their values.
    #[must_use]
    pub fn types_only(mut self) -> Search {
        self.request.types_only = true;
        self
    }

    /// The base, as it was given.
    pub fn base(&self) -> &str {
        &self.request.base
    }

    /// Entries in a page; `None`: the search is one request.
    pub(crate) fn page(&self, default: u32) -> Option<u32> {
        let size = self.page_size.unwrap_or(Some(default)).filter(|size| *size > 0)?;
        // A base search has one answer, and a limit that fits in a page makes it the only one (RFC 2696 section 3).
        let fits = (1..=size).contains(&self.request.size_limit);
        if self.request.scope == Scope::Base || fits { None } else { Some(size) }
    }
}

/// For calls that take a search over: it can be used again.
impl From<&Search> for Search {
    fn from(search: &Search) -> Search {
        search.clone()
    }
}

/// All that a search found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Found {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where else to look: the URLs of each continuation reference that was not followed.
    pub references: Vec<Vec<String>>,
    /// There would have been more: a limit on size, time or effort was reached, the server's or the search's own.
    pub truncated: Option<LdapResult>,
    /// What came with the last answer, paging aside.
    pub controls: Controls,
}

impl Connection {
    /// Searches, and collects what is found.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every result but success and a limit that was reached; [`Error::TooLarge`] when the
    /// answers outgrow the options' `max_bytes`; otherwise as every call.
    pub async fn search(&self, search: impl Into<Search>) -> Result<Found, Error> {
        SearchStream::new(Source::Connection(self.clone()), search.into()).collect().await
    }

    /// Searches, entry by entry. Nothing is sent before the first [`SearchStream::next`].
    pub fn stream(&self, search: impl Into<Search>) -> SearchStream {
        SearchStream::new(Source::Connection(self.clone()), search.into())
    }

    /// Reads one entry; `None` when there is none of this name. Without attributes all that are not operational.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for every other answer but success; otherwise as every call.
    #[tracing::instrument(name = "ldap.read", level = "debug", skip_all, fields(url = self.url(), dn = dn))]
    pub async fn read(&self, dn: &str, attributes: &[&str]) -> Result<Option<Entry>, Error> {
        let search = Search::read(dn).attributes(attributes.iter().copied());
        one_entry(self.stream(search)).await
    }
}

/// The first entry of a search for one; "no such object" is no failure.
pub(crate) async fn one_entry(stream: SearchStream) -> Result<Option<Entry>, Error> {
    match stream.gather().await {
        Ok(found) => Ok(found.entries.into_iter().next()),
        Err(Error::Refused { result, .. }) if result.code == ResultCode::NO_SUCH_OBJECT => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_whose_answer_fits_in_one_page_is_not_paged() {
        assert_eq!(Search::below("").page(500), Some(500));
        assert_eq!(Search::below("").page_size(Some(10)).page(500), Some(10));
        assert_eq!(Search::below("").limit(501).page(500), Some(500));
        assert_eq!(Search::below("").limit(500).page(500), None);
        assert_eq!(Search::below("").page_size(None).page(500), None);
        assert_eq!(Search::below("").page(0), None);
        assert_eq!(Search::read("").page(500), None);
    }

    #[test]
    fn the_fields_of_a_struct_are_the_attributes_asked_for() {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its fields' names are of interest")]
        struct Person<'e> {
            dn: &'e str,
            uid: &'e str,
            #[serde(rename = "jpegPhoto")]
            photo: Option<&'e [u8]>,
        }
        assert_eq!(Search::below("").reading::<Person<'_>>().request.attributes, ["uid", "jpegPhoto"]);
    }
}
