//! Search (RFC 4511 section 4.5), with paging (RFC 2696) and references (RFC 3296).
//!
//! A search looks at the tree a little at a time, so that no lock is held while a slow reader takes its answers.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use proto::control::{SortResult, Subentries};
use proto::filter::StandardRules;
use proto::message::{Response, SearchRequest, encode};
use proto::{Controls, LdapResult, MessageId, PagedResults, ResultCode, Scope};
use ring::digest::{SHA256, digest};
use tokio::time::Instant;

use super::control::Demand;
use super::plan::Plan;
use super::selection::Selection;
use super::{Recognised, Refusal, missing, name, refer, referral, refuse, root, sort};
use crate::directory::Shared;
use crate::tree::{Id, Node, Tree};

/// Entries handed out in one go.
const HANDED: usize = 64;

/// A search under way.
pub(crate) struct Search {
    base: Base,
    scope: Scope,
    plan: Plan,
    selection: Selection,
    types_only: bool,
    controls: Recognised,
    after: Option<Id>,
    /// What is found, in the order asked for.
    sorted: Option<VecDeque<Id>>,
    /// Said of that order with the last answer.
    sort_result: Option<SortResult>,
    /// Entries handed out, those of earlier pages included.
    sent: u32,
    limit: Option<u32>,
    page: Option<Page>,
    deadline: Option<Instant>,
}

pub(super) enum Base {
    /// The root DSE or the subschema.
    Server(Box<Node>),
    /// An entry; `None` is the empty name above all naming contexts.
    Entry(Option<Id>),
}

struct Page {
    size: u32,
    sent: u32,
    fingerprint: Fingerprint,
}

/// What one look at the tree yields.
pub(crate) struct Found {
    pub(crate) responses: Vec<Response>,
    /// The end of the search, with the controls of its last message.
    pub(crate) end: Option<(LdapResult, Controls)>,
}

/// The unfinished paged searches of one connection.
#[derive(Debug)]
pub(crate) struct Pages {
    next: u64,
    kept: VecDeque<Kept>,
    capacity: usize,
}

#[derive(Debug)]
struct Kept {
    cookie: Bytes,
    fingerprint: Fingerprint,
    after: Option<Id>,
    /// What is left of the order asked for.
    sorted: Option<VecDeque<Id>>,
    sent: u32,
}

/// What a cookie is bound to besides its connection: the search itself.
type Fingerprint = [u8; 32];

impl Search {
    /// Reads a request. `asked` is when it came.
    pub(crate) fn new(
        shared: &Shared,
        request: SearchRequest,
        controls: Recognised,
        pages: &mut Pages,
        asked: Instant,
    ) -> Result<Self, Refusal> {
        let limits = &shared.settings.limits;
        let tree = shared.tree();
        let fingerprint = fingerprint(&request);
        let resumed = match controls.paged.as_ref().filter(|paged| !paged.cookie.is_empty()) {
            Some(paged) => Some(pages.take(&paged.cookie, fingerprint)?),
            None => None,
        };
        let (after, sorted, sent) =
            resumed.map_or((None, None, 0), |kept| (kept.after, kept.sorted, kept.sent));
        let base = base(shared, &tree, &request, &controls)?;
        let selection = Selection::new(&request.attributes, request.scope, &shared.settings)?;
        let plan = Plan::new(&tree, shared.settings.dialect, &base, request.scope, request.filter);
        let asked_limit = (request.size_limit > 0).then_some(request.size_limit);
        let page = controls.paged.as_ref().filter(|paged| paged.size > 0).map(|paged| Page {
            size: limits.size.map_or(paged.size, |most| paged.size.min(most)),
            sent: 0,
            fingerprint,
        });
        let limit = if page.is_some() { asked_limit } else { lower(asked_limit, limits.size) };
        let seconds = lower((request.time_limit > 0).then_some(request.time_limit), limits.time);
        let mut this = Self {
            base,
            scope: request.scope,
            selection,
            types_only: request.types_only,
            controls,
            plan,
            after,
            sorted,
            sort_result: None,
            sent,
            limit,
            page,
            deadline: seconds.and_then(|seconds| asked.checked_add(Duration::from_secs(seconds.into()))),
        };
        this.sort(&tree)?;
        Ok(this)
    }

    /// Looks for everything at once when it has to be sorted.
    fn sort(&mut self, tree: &Tree) -> Result<(), Refusal> {
        let Some((keys, demand)) = &self.controls.sort else { return Ok(()) };
        let success = SortResult { code: ResultCode::SUCCESS, attribute: None };
        if self.sorted.is_some() {
            self.sort_result = Some(success);
            return Ok(());
        }
        let all = std::iter::successors(tree.next(None, self.plan.candidates.as_deref()), |node| {
            tree.next(Some(node.id), self.plan.candidates.as_deref())
        });
        let found = all.filter(|node| self.match_entry(tree, node).is_some());
        match sort::sort(tree, keys, found) {
            Ok(sorted) => (self.sorted, self.sort_result) = (Some(sorted.into()), Some(success)),
            Err(result) if *demand == Demand::IfPossible => self.sort_result = Some(result),
            Err(_) => {
                let text = "the entries cannot be sorted like this";
                return Err(refuse(ResultCode::UNAVAILABLE_CRITICAL_EXTENSION, text));
            }
        }
        Ok(())
    }

    /// The next entry worth a look.
    fn next<'t>(&mut self, tree: &'t Tree) -> Option<&'t Node> {
        let Some(sorted) = &mut self.sorted else {
            return tree.next(self.after, self.plan.candidates.as_deref());
        };
        // One may have been deleted meanwhile.
        std::iter::from_fn(|| sorted.pop_front()).find_map(|id| tree.get(id))
    }

    /// Looks at some more of the tree.
    pub(crate) fn look(&mut self, shared: &Shared, pages: &mut Pages) -> Found {
        let tree = shared.tree();
        let mut responses = Vec::new();
        // A page size of 0 under a cookie gives the search up.
        if self.page.is_none() && self.controls.paged.as_ref().is_some_and(|paged| !paged.cookie.is_empty()) {
            return self.end(responses, LdapResult::success());
        }
        if let Base::Server(node) = &self.base {
            let view = tree.view(node);
            if self.plan.filter.evaluate(&view, &StandardRules) == Some(true) {
                responses.push(Response::SearchEntry(self.selection.show(&view, self.types_only)));
            }
            return self.end(responses, LdapResult::success());
        }
        for _ in 0..self.plan.examined {
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return self.end(responses, refuse(ResultCode::TIME_LIMIT_EXCEEDED, ""));
            }
            let Some(node) = self.next(&tree) else {
                return self.end(responses, LdapResult::success());
            };
            if let Some(response) = self.match_entry(&tree, node) {
                if self.limit.is_some_and(|limit| self.sent >= limit) {
                    return self.end(responses, refuse(ResultCode::SIZE_LIMIT_EXCEEDED, ""));
                }
                if let Some(page) = self.page.as_ref().filter(|page| page.sent >= page.size) {
                    let sorted = self.sorted.take().map(|mut rest| {
                        rest.push_front(node.id);
                        rest
                    });
                    let cookie = pages.keep(page.fingerprint, self.after, sorted, self.sent);
                    let control = PagedResults { size: 0, cookie };
                    let controls = self.last_controls(Some(control));
                    return Found { responses, end: Some((LdapResult::success(), controls)) };
                }
                if matches!(response, Response::SearchEntry(_)) {
                    self.sent += 1;
                    self.page.iter_mut().for_each(|page| page.sent += 1);
                }
                responses.push(response);
            }
            self.after = Some(node.id);
            if responses.len() >= HANDED {
                break;
            }
        }
        Found { responses, end: None }
    }

    fn match_entry(&self, tree: &Tree, node: &Node) -> Option<Response> {
        let Base::Entry(base) = self.base else { return None };
        if !tree.is_within(node, base, self.scope) || !self.sees(node) {
            return None;
        }
        if let Some(urls) = referral(tree, node, &self.controls) {
            return Some(Response::SearchReference(urls));
        }
        let view = tree.view(node);
        let matches = self.plan.filter.evaluate(&view, &StandardRules) == Some(true);
        matches.then(|| Response::SearchEntry(self.selection.show(&view, self.types_only)))
    }

    fn end(&self, responses: Vec<Response>, result: LdapResult) -> Found {
        let last = PagedResults { size: 0, cookie: Bytes::new() };
        let page = self.controls.paged.as_ref().map(|_| last);
        Found { responses, end: Some((result, self.last_controls(page))) }
    }

    fn last_controls(&self, page: Option<PagedResults>) -> Controls {
        let sort = self.sort_result.iter().map(SortResult::to_control);
        sort.chain(page.map(|page| page.to_control())).collect()
    }

    /// Subentries are seen by those who ask for them, and by a search for one of them (RFC 3672 section 3).
    fn sees(&self, node: &Node) -> bool {
        let mut classes = node.attributes.classes().chain(node.implied.iter().copied());
        let is_subentry = classes.any(|class| class.eq_ignore_ascii_case("subentry"));
        match self.controls.subentries {
            Some(Subentries::Only) => is_subentry,
            Some(Subentries::Without) => !is_subentry,
            None => !is_subentry || self.scope == Scope::Base,
        }
    }
}

impl Pages {
    /// Nothing unfinished on the connection with this number.
    pub(crate) fn new(connection: u64, capacity: usize) -> Self {
        Self { next: connection << 32, kept: VecDeque::new(), capacity }
    }

    /// Forgets everything: somebody else speaks now.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    fn keep(
        &mut self,
        fingerprint: Fingerprint,
        after: Option<Id>,
        sorted: Option<VecDeque<Id>>,
        sent: u32,
    ) -> Bytes {
        self.next += 1;
        let cookie = Bytes::copy_from_slice(&self.next.to_be_bytes());
        self.kept.push_back(Kept { cookie: cookie.clone(), fingerprint, after, sorted, sent });
        if self.kept.len() > self.capacity {
            self.kept.pop_front();
        }
        cookie
    }

    /// A cookie is good once, on its connection, for the same search.
    fn take(&mut self, cookie: &[u8], fingerprint: Fingerprint) -> Result<Kept, Refusal> {
        let position = self.kept.iter().position(|kept| kept.cookie == cookie);
        let kept = position.and_then(|position| self.kept.remove(position));
        kept.filter(|kept| kept.fingerprint == fingerprint)
            .ok_or_else(|| refuse(ResultCode::UNWILLING_TO_PERFORM, "the cookie is not one of this search"))
    }
}

fn base(
    shared: &Shared,
    tree: &Tree,
    request: &SearchRequest,
    controls: &Recognised,
) -> Result<Base, Refusal> {
    let dn = name(&request.base)?;
    if dn.is_root() && request.scope != Scope::Base {
        return Ok(Base::Entry(None));
    }
    if let Some(node) = root::entry(shared, tree, &dn) {
        return Ok(Base::Server(Box::new(node)));
    }
    let node = tree.find(&dn).ok_or_else(|| missing(tree, &dn, controls))?;
    if let Some(urls) = referral(tree, node, controls) {
        return Err(refer(urls));
    }
    controls.check_assertion(tree, node)?;
    Ok(Base::Entry(Some(node.id)))
}

fn fingerprint(request: &SearchRequest) -> Fingerprint {
    let bytes = encode(MessageId(1), &proto::Request::Search(request.clone()), &Controls::default());
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    fingerprint
}

fn lower(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_good_once_and_for_its_search_alone() {
        let mut pages = Pages::new(1, 2);
        let first = pages.keep([1; 32], Some(7), None, 5);
        assert!(pages.take(&first, [2; 32]).is_err(), "another search");
        assert!(pages.take(&first, [1; 32]).is_err(), "a wrong use ends it");
        let second = pages.keep([1; 32], Some(7), None, 5);
        assert_eq!(pages.take(&second, [1; 32]).unwrap().after, Some(7));
        assert!(pages.take(&second, [1; 32]).is_err());
        assert!(Pages::new(2, 2).take(&second, [1; 32]).is_err());
    }

    #[test]
    fn only_so_many_searches_may_be_left_unfinished() {
        let mut pages = Pages::new(1, 2);
        let cookies: Vec<Bytes> = (0..3).map(|_| pages.keep([1; 32], None, None, 0)).collect();
        assert!(pages.take(&cookies[0], [1; 32]).is_err());
        assert!(pages.take(&cookies[1], [1; 32]).is_ok());
    }
}
