//! What is known of Active Directory's groups between logins, so that one read answers a warm login.

use std::sync::OnceLock;
use std::time::Duration;

use proto::Dn;
use proto::value::Sid;

use crate::remember::Memory;

/// How long it is believed: so late at most is a group that was made, renamed or made anew seen as what it is.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// So many groups are known in each way.
const GROUPS: usize = 20_000;

/// Kept with a directory's settings, and dropped with them on a reload. Nothing in it is about a person, and nothing is
/// kept of a failure.
pub(crate) struct Known {
    /// What the groups of rules are; `None`: not there.
    pub(super) rules: Memory<Dn, Option<Identity>>,
    /// Groups by identifier, where groups are shown; `None`: nothing is shown of it.
    pub(super) shown: Memory<Sid, Option<Shown>>,
    /// The names of groups that a person's entry told of; `None`: it is not shown.
    pub(super) told: Memory<Dn, Option<String>>,
    /// Where primary groups lie.
    pub(super) places: Memory<Sid, Option<Dn>>,
    /// Does the server follow chains of groups?
    pub(super) follows_chains: OnceLock<bool>,
}

/// A group as the server's own list names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) sid: Option<Sid>,
    /// A distribution group is in nobody's token.
    pub(super) is_security: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) dn: Dn,
    pub(super) name: Option<String>,
}

impl Known {
    pub(crate) fn new() -> Known {
        Known {
            rules: Memory::new(FRESH, GROUPS),
            shown: Memory::new(FRESH, GROUPS),
            told: Memory::new(FRESH, GROUPS),
            places: Memory::new(FRESH, GROUPS),
            follows_chains: OnceLock::new(),
        }
    }
}
