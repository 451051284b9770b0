//! What a sync would do, line by line, and what came of it.

use serde_json::{Map, Value};

use super::state::Hold;
use crate::store::Enrolled;
use crate::{Account, Error, Time};

/// How a sync goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// Only says what it would do.
    pub dry_run: bool,
    /// Ends access of as many people as it takes: the brake is passed over, and let go.
    pub force: bool,
}

/// What a sync tells while it goes on.
#[derive(Debug)]
pub enum SyncEvent<'e> {
    /// This is to be done. Every line comes before the first is done, directory by directory.
    Planned(&'e Planned),
    /// So far it has come.
    Progress(SyncProgress<'e>),
}

/// How far a sync has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncProgress<'e> {
    /// The directory's name.
    pub directory: &'e str,
    /// What is being done.
    pub step: SyncStep,
    /// So many people so far.
    pub people: u64,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncStep {
    /// The directory is read, and compared with the store.
    Reading,
    /// The store's accounts are looked for among those who were read.
    Comparing,
    /// Accounts are made and changed.
    Writing,
    /// Access is ended.
    Ending,
}

/// One line of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// What is to be done.
    pub change: PlannedChange,
    /// The directory's name.
    pub directory: String,
    /// Whose account, by the canonical name in the directory.
    pub username: String,
    /// Of a change the old and the new values by name, of a loss the reason, of a new account what it is.
    pub what: Map<String, Value>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlannedChange {
    /// An account is made.
    Create,
    /// It changes.
    Update,
    /// It changes, and its entry lies somewhere else.
    Move,
    /// It may not act any more.
    Disable,
    /// It is dropped.
    Remove,
}

impl PlannedChange {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Move, Self::Disable, Self::Remove];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Move => "move",
            Self::Disable => "disable",
            Self::Remove => "remove",
        }
    }
}

/// How many lines of each kind there are, and of how many people there is nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncCounts {
    planned: [u64; PlannedChange::ALL.len()],
    /// Accounts that are what they are.
    pub unchanged: u64,
    /// People of whom nothing could be said: their accounts stay.
    pub unclear: u64,
}

impl SyncCounts {
    /// How many lines of this kind.
    #[must_use]
    pub fn of(&self, change: PlannedChange) -> u64 {
        self.planned[change as usize]
    }

    pub(super) fn add(&mut self, other: Self) {
        for (sum, more) in self.planned.iter_mut().zip(other.planned) {
            *sum += more;
        }
        self.unchanged += other.unchanged;
        self.unclear += other.unclear;
    }

    pub(super) fn count(&mut self, change: PlannedChange) {
        self.planned[change as usize] += 1;
    }
}

/// What came of a sync.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// All of the plan was carried out.
    pub applied: bool,
    /// How many lines it has.
    pub counts: SyncCounts,
    /// Directories whose part was not carried out, and why.
    pub refused: Vec<SyncRefused>,
    /// Directories that could not be asked to the end, or whose part could not be written to the end.
    pub failed: Vec<(String, Error)>,
}

/// Why a directory's part was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncRefused {
    /// The brake holds.
    #[error("{:?}: {}; --force does it all the same", .0.directory, .0.why)]
    Held(Hold),
    /// Somebody else does it right now.
    #[error("{directory:?}: {by} is at it, until {until} at least")]
    Busy {
        /// The directory's name.
        directory: String,
        /// Which replica.
        by: String,
        /// Until when it has it to itself, unless it goes on.
        until: Time,
    },
    /// People are missed who may be there.
    #[error(
        "{directory:?}: {username:?} is missed, and the directory does not say for sure that they are gone"
    )]
    Unclear {
        /// The directory's name.
        directory: String,
        /// Who, for example.
        username: String,
    },
}

/// What is made of a plan while it is drawn up.
pub(super) struct Draft {
    /// There are accounts to make or to change.
    pub(super) writes: bool,
    /// Who loses access and stays.
    pub(super) shut_out: Vec<super::pass::Loser>,
    /// Whose accounts are dropped.
    pub(super) removed: Vec<super::pass::Loser>,
    /// Of these so many could not act before.
    pub(super) idle_removed: u64,
}

impl Draft {
    pub(super) fn lost(&self) -> u64 {
        (self.shut_out.len() + self.removed.len()) as u64
    }
}

/// Whether somebody of the store was seen in the directory. Of each key 16 bytes are kept.
pub(super) struct Seen {
    keys: Vec<u128>,
    /// The keys of some who may enter.
    pub(super) there: Vec<String>,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { keys: Vec::new(), there: Vec::new() }
    }

    pub(super) fn note(&mut self, id: &str) {
        self.keys.push(fingerprint(id));
    }

    /// Somebody who may enter, and whom others can be asked for besides.
    pub(super) fn stands_for(&mut self, account: &Account) {
        if account.may_act() && self.there.len() < 2 {
            self.there.push(account.external_id.clone());
        }
    }

    pub(super) fn sort(&mut self) {
        self.keys.sort_unstable();
        self.keys.shrink_to_fit();
    }

    pub(super) fn has(&self, enrolled: &Enrolled) -> bool {
        self.keys.binary_search(&fingerprint(&enrolled.external_id)).is_ok()
    }
}

fn fingerprint(id: &str) -> u128 {
    let crate::store::Digest(digest) = crate::store::Digest::of(id.as_bytes());
    let (bytes, _) = digest.split_first_chunk().expect("a digest is longer than that");
    u128::from_be_bytes(*bytes)
}
