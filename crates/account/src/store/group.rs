//! Commands about local groups, and about what people and groups are granted here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Audit;
use crate::{Account, LocalGroup, Time, UserId};

/// To whom permissions are granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grantee {
    /// To one account.
    Account(UserId),
    /// To the members that this group of this directory has, and to no namesake's.
    Group {
        /// The directory's name.
        directory: String,
        /// Its local group. One whose DN is empty is nobody's and never gives anything.
        group: LocalGroup,
    },
}

/// Whether something is granted or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It is granted.
    Grant,
    /// It is taken back.
    Revoke,
}

/// Grants permissions or takes them back. Who has them already, or has none of them, keeps what they have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeGrants {
    /// To whom, or from whom.
    pub grantee: Grantee,
    /// Which way.
    pub change: Change,
    /// What.
    pub permissions: BTreeSet<String>,
    /// The present time.
    pub at: Time,
    /// Written, for an account with `user` set to its id, if anything changed.
    pub audit: Audit,
}

/// What came of [`ChangeGrants`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changed {
    /// What was really granted or taken back, sorted. Nothing was written where it is empty, but a new local group.
    Yes(Vec<String>),
    /// There is no such account, or no such group to take anything from; nothing was written.
    Unknown,
}

/// Which local groups to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupQuery {
    /// All.
    All,
    /// Those of this name, exactly.
    Named(String),
}

/// A local group: one group of one directory, as it is mirrored here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoredGroup {
    /// Its name.
    pub name: String,
    /// The name of the directory whose group it follows.
    pub directory: String,
    /// Where that lies, in the normal form.
    pub dn: String,
    /// The local names of its members, sorted by bytes.
    pub members: Vec<String>,
    /// What its members may do; sorted by bytes.
    pub permissions: Vec<String>,
}

impl Account {
    /// The account with what it may do in all: `groups` is what its local groups are granted.
    #[must_use]
    pub fn permitted(self, groups: impl IntoIterator<Item = String>) -> Self {
        let own = self.given.iter().chain(&self.granted).cloned();
        let all: BTreeSet<String> = own.chain(groups).collect();
        Self { permissions: all.into_iter().collect(), ..self }
    }
}
