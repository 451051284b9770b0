//! What a server wants to be told to go on from where it was.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::layout::Layout;

/// The newest cookie of each server, by its URL. What is in them is the watch's own affair.
///
/// ```
/// use ldapgate_auth::Cookies;
///
/// let kept: Cookies = [("ldaps://a.example.com".to_owned(), vec![1, 2, 3])].into_iter().collect();
/// # let _ = kept;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cookies(BTreeMap<String, Vec<u8>>);

impl Cookies {
    pub(super) fn of(&self, server: &str) -> Option<&[u8]> {
        self.0.get(server).map(Vec::as_slice)
    }

    /// False when it is the one that is kept.
    pub(super) fn keep(&mut self, server: &str, cookie: &[u8]) -> bool {
        if self.of(server) == Some(cookie) {
            return false;
        }
        self.0.insert(server.to_owned(), cookie.to_vec());
        true
    }
}

impl FromIterator<(String, Vec<u8>)> for Cookies {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(cookies: I) -> Cookies {
        Cookies(cookies.into_iter().collect())
    }
}

const VERSION: u8 = 1;
const DIGEST: usize = 32;

/// Joins the cookies of all streams. They are good for the same searches alone.
pub(super) fn join(layout: &Layout, cookies: &[Bytes]) -> Vec<u8> {
    let mut joined = vec![VERSION];
    joined.extend(digest(layout));
    for cookie in cookies {
        joined.extend((cookie.len() as u32).to_be_bytes());
        joined.extend(cookie);
    }
    joined
}

/// The way back; `None` when it is of other searches, or makes no sense.
pub(super) fn split(layout: &Layout, joined: &[u8]) -> Option<Vec<Bytes>> {
    let rest = joined.strip_prefix(&[VERSION])?;
    let mut rest = rest.strip_prefix(digest(layout).as_slice())?;
    let mut cookies = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk()?;
        let (cookie, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        cookies.push(Bytes::copy_from_slice(cookie));
        rest = after;
    }
    (cookies.len() == layout.streams.len()).then_some(cookies)
}

fn digest(layout: &Layout) -> [u8; DIGEST] {
    Sha256::digest(format!("{layout:?}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, Vendor};

    #[test]
    fn cookies_are_good_for_the_same_searches_alone() {
        let layout =
            |base: &str| Layout::of(&Settings::preset("main", Vendor::OpenLdap, base.parse().unwrap()));
        let (here, there) = (layout("dc=example,dc=com"), layout("dc=example,dc=org"));
        let cookies = [Bytes::from_static(b"rid=000"), Bytes::from_static(b"")];
        let joined = join(&here, &cookies);
        assert_eq!(split(&here, &joined).as_deref(), Some(&cookies[..]));
        assert_eq!(split(&there, &joined), None);
        for rubbish in
            [&b""[..], b"\x01", b"rubbish", &joined[..joined.len() - 1], &[&joined[..], b"\0"].concat()]
        {
            assert_eq!(split(&here, rubbish), None, "{rubbish:?}");
        }
        let mut kept = Cookies::default();
        assert!(kept.keep("a", &joined) && !kept.keep("a", &joined) && kept.keep("b", &joined));
    }
}
