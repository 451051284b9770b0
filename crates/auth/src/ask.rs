//! One LDAP operation of a decision: sent, told to the observer, and its answer checked.

use std::fmt;

use client::{Found, Proving, Search, Server};
use proto::{Dn, Entry, Filter, ResultCode, Scope};

use crate::credentials::harmless;
use crate::explain::Asking;
use crate::record::Record;
use crate::{Error, Observer};

/// Who reads: the service account (or nobody) on a shared connection, or the person on their own.
pub(crate) enum Reader {
    Service(Server),
    Person(Proving),
}

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Query<'a> {
    pub(crate) step: &'static str,
    pub(crate) base: &'a Dn,
    pub(crate) scope: Scope,
    pub(crate) filter: Filter,
    pub(crate) attributes: &'a [String],
    /// Entries at most; 0 is as many as there are, page by page.
    pub(crate) limit: u32,
}

/// A query that was sent.
struct Asked<'a> {
    base: &'a Dn,
    scope: Scope,
    asking: Asking<'a>,
}

/// What was found; every entry lies where it was looked for.
#[derive(Debug)]
pub(crate) struct Hits {
    pub(crate) records: Vec<Record>,
    /// The server has more.
    pub(crate) truncated: bool,
}

impl Reader {
    pub(crate) async fn search(
        &mut self,
        server: &str,
        query: Query<'_>,
        observer: &dyn Observer,
    ) -> Result<Hits, Error> {
        let (search, asked) = query.ask(server, observer);
        let answer = match self {
            Reader::Service(server) => server.search(search).await,
            Reader::Person(proving) => proving.search(search).await,
        };
        asked.hits(answer)
    }

    /// Reads one entry; `None` when there is none. One that answers to another name is an error.
    pub(crate) async fn read(
        &mut self,
        server: &str,
        dn: &Dn,
        attributes: &[String],
        observer: &dyn Observer,
    ) -> Result<Option<Record>, Error> {
        let filter = Filter::present("objectClass");
        let query = Query { step: "read", base: dn, scope: Scope::Base, filter, attributes, limit: 0 };
        match self.search(server, query, observer).await {
            Ok(hits) if hits.truncated && hits.records.is_empty() => {
                Err(Error::directory(format!("the server gave up reading {dn}")))
            }
            Ok(hits) => Ok(hits.records.into_iter().next()),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads one attribute of the entry about the server itself (RFC 4512 section 5.1).
    pub(crate) async fn read_root(
        &mut self,
        server: &str,
        attribute: &str,
        observer: &dyn Observer,
    ) -> Result<Option<Entry>, Error> {
        let asking = Asking::started(observer, "read", server, format!("{attribute} of the root DSE"));
        let answer = match self {
            Reader::Service(server) => server.read("", &[attribute]).await,
            Reader::Person(proving) => proving.read("", &[attribute]).await,
        };
        asking.ended(answer.as_ref().map_or_else(ToString::to_string, |_| ResultCode::SUCCESS.to_string()));
        answer.map_err(|error| Error::looking("the root DSE cannot be read", error))
    }
}

/// The same on shared connections, where several searches may be under way at once.
pub(crate) async fn search(
    server: &Server,
    query: Query<'_>,
    observer: &dyn Observer,
) -> Result<Hits, Error> {
    let (search, asked) = query.ask(server.url(), observer);
    let answer = server.search(search).await;
    asked.hits(answer)
}

impl<'a> Query<'a> {
    /// What is sent, and what waits for the answer.
    fn ask(self, server: &str, observer: &'a dyn Observer) -> (Search, Asked<'a>) {
        let Query { step, base, scope, filter, attributes, limit } = self;
        let what = format_args!("search base={:?} scope={} filter={filter}", base.as_str(), word(scope));
        // The filter that locates somebody holds what was typed.
        let asking = Asking::started(observer, step, server, what).of_typed(step == "locate");
        let search = Search::below(base.as_str()).scope(scope).matching(filter).attributes(attributes);
        let search = match limit {
            0 => search,
            limit => search.limit(limit).page_size(None),
        };
        (search, Asked { base, scope, asking })
    }
}

impl Asked<'_> {
    /// The step ends before anything is judged: the operation that failed is the one the operator wants to see.
    fn hits(self, answer: Result<Found, client::Error>) -> Result<Hits, Error> {
        let Asked { base, scope, asking } = self;
        let found = match answer {
            Ok(found) => found,
            Err(error) => {
                asking.ended(&error);
                return Err(Error::looking(format!("the {} failed", name(base, scope)), error));
            }
        };
        asking.ended(Shown(&found));
        let records = found.entries.iter().map(Record::read).collect::<Result<Vec<_>, _>>()?;
        // A server, or somebody on the way, must not answer with people from elsewhere (CVE-2026-16071).
        match records.iter().find(|record| !covers(base, scope, &record.dn)) {
            Some(stray) => Err(Error::directory(format!(
                "the {} was answered with {}, which does not lie there",
                name(base, scope),
                stray.dn
            ))),
            None => Ok(Hits { records, truncated: found.truncated.is_some() }),
        }
    }
}

fn name(base: &Dn, scope: Scope) -> String {
    let place = if scope == Scope::Base { "at" } else { "below" };
    format!("search {place} {base}")
}

/// `success (0): found uid=alice,dc=example,dc=com`, with the names as the server wrote them.
struct Shown<'a>(&'a Found);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { entries, truncated, .. } = self.0;
        let code = truncated.as_ref().map_or(ResultCode::SUCCESS, |result| result.code);
        let names: Vec<_> = entries.iter().map(|entry| harmless(entry.dn())).collect();
        match names.as_slice() {
            [] => write!(f, "{code}: nothing found"),
            names => write!(f, "{code}: found {}", names.join("; ")),
        }
    }
}

/// Does an entry of this name lie within base and scope?
pub(crate) fn covers(base: &Dn, scope: Scope, dn: &Dn) -> bool {
    match scope {
        Scope::Base => dn == base,
        Scope::One => dn.parent().is_some_and(|parent| parent == *base),
        Scope::Subtree => dn.is_at_or_below(base),
        Scope::Subordinate => dn != base && dn.is_at_or_below(base),
    }
}

fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Base => "base",
        Scope::One => "one",
        Scope::Subtree => "subtree",
        Scope::Subordinate => "subordinate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_lies_in_it() {
        let dn = |text| Dn::parse(text).unwrap();
        let (base, child, grandchild) = (dn("dc=com"), dn("dc=example,dc=com"), dn("ou=x,dc=example,dc=com"));
        let covered = |scope| [&base, &child, &grandchild].map(|dn| covers(&base, scope, dn));
        assert_eq!(covered(Scope::Base), [true, false, false]);
        assert_eq!(covered(Scope::One), [false, true, false]);
        assert_eq!(covered(Scope::Subtree), [true, true, true]);
        assert_eq!(covered(Scope::Subordinate), [false, true, true]);
        assert!(!covers(&base, Scope::Subtree, &dn("dc=org")));
    }

    fn answered(dn: &str) -> Result<Hits, Error> {
        explained(dn, &crate::Silent)
    }

    fn explained(dn: &str, observer: &dyn Observer) -> Result<Hits, Error> {
        let base = Dn::parse("ou=people,dc=example,dc=com").unwrap();
        let filter = Filter::equal("uid", "alice");
        let query =
            Query { step: "locate", base: &base, scope: Scope::Subtree, filter, attributes: &[], limit: 1 };
        let entry = proto::Entry::builder(dn).attribute("uid", ["alice"]).build();
        let mut found = Found::default();
        found.entries.push(entry);
        query.ask("ldap://localhost", observer).1.hits(Ok(found))
    }

    #[test]
    fn an_entry_from_elsewhere_is_an_error_and_not_a_person() {
        assert_eq!(answered("uid=alice,OU=People,dc=example,dc=com").unwrap().records.len(), 1);
        for dn in ["uid=alice,ou=admins,dc=example,dc=com", "dc=com", "ou=people,dc=example,dc=com,dc=evil"] {
            assert!(answered(dn).unwrap_err().to_string().contains("does not lie there"), "{dn}");
        }
        assert!(answered("").is_err());
    }

    #[test]
    fn an_answer_that_is_refused_is_in_the_trace_all_the_same() {
        for (dn, shown) in [
            ("uid=alice,dc=evil", "success (0): found uid=alice,dc=evil"),
            ("no\u{202e}\n name", "success (0): found no name"),
            ("", "success (0): found "),
        ] {
            let trace = crate::Trace::new();
            assert!(explained(dn, &trace).is_err(), "{dn:?}");
            let results: Vec<_> = trace.steps().into_iter().map(|step| step.result).collect();
            assert_eq!(results, [shown], "{dn:?}");
        }
    }

    #[test]
    fn a_list_that_was_cut_short_shows_the_server_s_own_code() {
        let mut found = Found::default();
        found.truncated = Some(proto::LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, ""));
        assert_eq!(Shown(&found).to_string(), "sizeLimitExceeded (4): nothing found");
    }
}
