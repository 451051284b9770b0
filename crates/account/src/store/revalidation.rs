//! Commands about looking at people again between their logins: whose turn it is, what came of it, who does it, and what is
//! kept about it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Audit;
use crate::{Time, UserId};

/// Asks for people of a directory whose look is due, and marks them so that nobody else gets them.
///
/// Due is who has a live session, or a personal token that was used since the last look, and whose last look is old
/// enough: by an amount that is each account's own, so that people who came together do not come together again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDue {
    /// The directory's name.
    pub directory: String,
    /// The present time.
    pub at: Time,
    /// Whose last look lies at or before this is due, of accounts whose [`slot`](UserId::slot) is 0.
    pub checked_before: Time,
    /// So much older it has to be for each slot.
    pub spread: Duration,
    /// Sessions that are not remembered count if they were used after this.
    pub idle_before: Time,
    /// Until then nobody else gets them.
    pub until: Time,
    /// At most so many, those whose last look is oldest first.
    pub limit: u32,
}

impl ClaimDue {
    /// Whether a last look at that time is old enough.
    #[must_use]
    pub fn is_due(&self, user: UserId, checked: Time) -> bool {
        checked <= self.checked_before.before(self.spread * u32::from(user.slot()))
    }
}

/// Which accounts to read, for the sake of looking at them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeopleQuery {
    /// Those with these keys of a directory, sorted by key.
    Keys {
        /// The directory's name.
        directory: String,
        /// The directory's keys.
        external_ids: Vec<String>,
    },
    /// Those with these local names, of whatever directory, sorted by name.
    Names {
        /// The local names.
        local_names: Vec<String>,
    },
    /// Of those who may act, the ones whose last look is youngest, youngest first.
    LookedAtLast {
        /// The directory's name.
        directory: String,
        /// At most so many.
        limit: u32,
    },
}

/// Asks for everybody of a directory, sorted by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollQuery {
    /// The directory's name.
    pub directory: String,
    /// Only those whose key sorts after this one, by bytes.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// Whose account.
    pub user: UserId,
    /// The directory's key.
    pub external_id: String,
    /// The canonical name in the directory.
    pub username: String,
    /// Whether what the account was given works.
    pub may_act: bool,
}

/// Who is signed in, or uses a personal token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedInQuery {
    /// The directory's name.
    pub directory: String,
    /// The present time.
    pub at: Time,
    /// Sessions that are not remembered count if they were used after this.
    pub idle_before: Time,
    /// Personal tokens count if they were used after this.
    pub token_used_after: Time,
    /// Only those whose id sorts after this one.
    pub after: Option<UserId>,
    /// At most so many.
    pub limit: u32,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedInPerson {
    /// Whose account.
    pub user: UserId,
    /// The directory's key.
    pub external_id: String,
    /// Where the entry was last seen.
    pub dn: String,
}

/// Notes that people were looked at and are what they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteChecked {
    /// Who.
    pub users: Vec<UserId>,
    /// When; a later look that is known stays.
    pub at: Time,
}

/// Counts the people of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CensusQuery {
    /// The directory's name.
    pub directory: String,
    /// Since when those are counted whose access was ended.
    pub ended_since: Time,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Accounts that may act.
    pub with_access: u64,
    /// Accounts whose access was ended since then.
    pub ended: u64,
}

/// Ends what people were given, because the directory does not stand behind them any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndAccess {
    /// The directory's name.
    pub directory: String,
    /// When they were looked at: who is known to have been looked at later, by a login for example, keeps everything.
    pub looked: Time,
    /// The present time.
    pub at: Time,
    /// Who, each once.
    pub losses: Vec<Loss>,
    /// What becomes of the accounts.
    pub ending: Ending,
    /// They count in a [`Census`]; not when an operator said so.
    pub counted: bool,
}

/// One person who may not enter any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Whose account.
    pub user: UserId,
    /// The directory's key that was looked at: an account that is linked otherwise meanwhile stays.
    pub external_id: String,
    /// Why, in one word.
    pub reason: String,
    /// Written with `user` set if it was done.
    pub audit: Audit,
}

/// What becomes of the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// They are kept and may not act until the directory stands behind them again. Accounts that could not act before are
    /// passed over.
    ShutOut,
    /// They are dropped.
    Remove,
}

/// Asks to be the only one who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeLease {
    /// What.
    pub name: String,
    /// Who asks.
    pub holder: String,
    /// The present time.
    pub at: Time,
    /// Until when, unless it is taken again before.
    pub until: Time,
}

/// What came of [`TakeLease`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leased {
    /// It is theirs.
    Yes,
    /// It is somebody else's.
    Held {
        /// Whose.
        by: String,
        /// Until then, unless it is taken again.
        until: Time,
    },
}

/// Gives leases back before they run out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseLeases {
    /// Whose.
    pub holder: String,
    /// Which; `None`: all of them.
    pub name: Option<String>,
}

/// Something small that every replica is to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What it is about: a word, a blank, and a directory's name.
    pub name: String,
    /// What is known.
    pub value: Vec<u8>,
}

/// Keeps a mark, or drops it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetMark {
    /// What it is about.
    pub name: String,
    /// What is known; `None`: nothing any more.
    pub value: Option<Vec<u8>>,
}

/// Notes of access that was ended are kept so long.
pub const ENDED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_who_were_looked_at_together_are_not_due_together() {
        let at = Time::from_seconds(10_000);
        let claim = ClaimDue {
            directory: "main".to_owned(),
            at,
            checked_before: at.before(Duration::from_secs(270)),
            spread: Duration::from_secs(60) / 256,
            idle_before: at,
            until: at,
            limit: 50,
        };
        let user = |slot| crate::UserId::from_random([slot; 16]);
        let looked_at = |seconds| at.before(Duration::from_secs(seconds));
        let due = |seconds| (0..=255).filter(|slot| claim.is_due(user(*slot), looked_at(seconds))).count();
        assert_eq!(due(269), 0);
        assert!((100..156).contains(&due(300)), "about half after one round: {}", due(300));
        assert_eq!(due(330), 256);
    }
}
