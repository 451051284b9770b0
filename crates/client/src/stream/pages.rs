//! How a search's pages follow each other, and how a server that runs in circles is found out.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

/// How many pages without an entry a server may send in a row.
const MOST_EMPTY_PAGES: u32 = 100;

/// What is known of the pages so far.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// Where the next page begins.
    pub(crate) cookie: Bytes,
    /// The current page's first entry.
    pub(crate) first: Option<String>,
    empty: u32,
    /// Each page's cookie and first entry, hashed.
    seen: HashSet<u64>,
}

impl Pages {
    /// Is this the first page?
    pub(crate) fn is_first(&self) -> bool {
        self.seen.is_empty()
    }

    /// Goes on to the next page; `false` when the server runs in circles.
    ///
    /// A cookie alone proves nothing: 389 Directory Server gives the same one with every page of a search.
    pub(crate) fn turn(&mut self, next: Bytes) -> bool {
        let mut hasher = DefaultHasher::new();
        (&self.cookie, &self.first).hash(&mut hasher);
        let fresh = self.seen.insert(hasher.finish());
        self.empty = if self.first.take().is_none() { self.empty + 1 } else { 0 };
        self.cookie = next;
        // A page without entries repeats itself at once when its cookie does.
        fresh && self.empty < MOST_EMPTY_PAGES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(pages: &mut Pages, first: Option<&str>, next: &'static str) -> bool {
        pages.first = first.map(str::to_owned);
        pages.turn(Bytes::from_static(next.as_bytes()))
    }

    #[test]
    fn a_constant_cookie_is_no_loop_while_entries_differ() {
        let mut pages = Pages::default();
        assert!(page(&mut pages, Some("uid=a"), "0"));
        assert!(page(&mut pages, Some("uid=b"), "0"));
        assert!(page(&mut pages, Some("uid=c"), "0"));
        assert!(!page(&mut pages, Some("uid=c"), "0"), "the same page again");
    }

    #[test]
    fn a_circle_of_several_pages_is_a_loop() {
        let mut pages = Pages::default();
        assert!(page(&mut pages, Some("uid=a"), "1"));
        assert!(page(&mut pages, Some("uid=b"), "2"));
        assert!(page(&mut pages, Some("uid=c"), "1"));
        assert!(!page(&mut pages, Some("uid=b"), "2"));
    }

    #[test]
    fn pages_without_entries_come_to_an_end() {
        let mut pages = Pages::default();
        let cookies: Vec<String> = (0..1000).map(|at| at.to_string()).collect();
        let turned =
            cookies.iter().take_while(|cookie| pages.turn(Bytes::copy_from_slice(cookie.as_bytes())));
        assert!(turned.count() < 1000);
    }
}
