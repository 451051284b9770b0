//! References that a search follows, one after the other, once the server that was asked has done its part.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use proto::message::{Request, SearchRequest};
use proto::{Controls, LdapResult};
use tokio::time::Instant;

use super::source::{Referred, Source};
use crate::referral::{First, MOST_FOLLOWED, Referrals, Target};
use crate::{Connection, Error};

/// What is known of references so far.
pub(super) struct Following {
    referrals: Referrals,
    first: Option<First>,
    waiting: VecDeque<Reference>,
    /// Where was asked what.
    seen: HashSet<String>,
    /// How many hops it took to the server that is asked now.
    hops: u32,
    taken: u32,
    /// The reference that is followed now.
    current: Option<Current>,
    /// For all that is followed, known from the first hop on.
    pub(super) deadline: Option<Instant>,
    /// How the first server's part ended.
    pub(super) end: Option<(LdapResult, Option<LdapResult>, Controls)>,
}

struct Reference {
    /// Alternatives.
    targets: Vec<Target>,
    asked: SearchRequest,
    hops: u32,
    /// It is all that the server answered.
    needed: bool,
}

struct Current {
    others: VecDeque<Target>,
    asked: SearchRequest,
}

/// Where the search goes on.
pub(super) type Next = (Source, Arc<Request>);

impl Following {
    pub(super) fn new(referrals: Referrals) -> Following {
        Following {
            referrals,
            first: None,
            waiting: VecDeque::new(),
            seen: HashSet::new(),
            hops: 0,
            taken: 0,
            current: None,
            deadline: None,
            end: None,
        }
    }

    /// Takes a reference over; `false` when none of its URLs may be followed.
    pub(super) fn take(
        &mut self,
        connection: &Connection,
        request: &Request,
        urls: &[String],
        needed: bool,
    ) -> Result<bool, Error> {
        let Request::Search(asked) = request else { return Ok(false) };
        let targets = self.referrals.allowed(urls);
        let Some(url) = targets.first().map(Target::text) else { return Ok(false) };
        let limit = self.referrals.hops;
        if self.hops >= limit {
            return Err(Error::TooManyReferrals { url, limit });
        }
        if self.taken == MOST_FOLLOWED {
            return Err(Error::TooManyReferrals { url, limit: MOST_FOLLOWED });
        }
        self.taken += 1;
        if self.first.is_none() {
            self.first = Some(First::of(connection));
            let server = connection.shared.address.url.address().to_ascii_lowercase();
            self.seen.insert(place(&format!("{server} {}", asked.base.to_ascii_lowercase()), asked));
        }
        self.waiting.push_back(Reference { targets, asked: asked.clone(), hops: self.hops + 1, needed });
        Ok(true)
    }

    /// The next reference that leads somewhere new.
    pub(super) fn next(&mut self) -> Result<Option<Next>, Error> {
        while let Some(reference) = self.waiting.pop_front() {
            let Reference { targets, asked, hops, needed } = reference;
            let text = targets.first().map(Target::text).unwrap_or_default();
            let all = targets.len();
            let is_new = |target: &Target| {
                let there = target.search(&asked);
                self.seen.insert(place(&target.place(&asked.base), &there))
            };
            let fresh: VecDeque<Target> = targets.into_iter().filter(is_new).collect();
            if needed && fresh.is_empty() {
                return Err(Error::ReferralLoop { url: text });
            }
            // The others are copies of what was asked already: there is nothing new to be found.
            if !needed && fresh.len() < all {
                tracing::debug!(url = text, "a reference leads back to where it came from");
                continue;
            }
            self.hops = hops;
            self.current = Some(Current { others: fresh, asked });
            self.deadline.get_or_insert_with(|| Instant::now() + self.referrals.limit);
            return Ok(self.alternative());
        }
        Ok(None)
    }

    /// The current reference's next URL.
    pub(super) fn alternative(&mut self) -> Option<Next> {
        let first = self.first.clone()?;
        let deadline = self.deadline?;
        let Current { others, asked } = self.current.as_mut()?;
        let target = others.pop_front()?;
        let request = Arc::new(Request::Search(target.search(asked)));
        tracing::debug!(url = target.text(), "following a reference");
        Some((Source::Referred(Box::new(Referred { target, first, deadline })), request))
    }
}

fn place(place: &str, search: &SearchRequest) -> String {
    format!("{place} {:?} {}", search.scope, search.filter)
}
