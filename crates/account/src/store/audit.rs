//! Commands about the audit record, changes and what has run out.

use serde::{Deserialize, Serialize};

use crate::{Time, UserId};

/// Something that happened, for the record. A value that is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// When.
    pub at: Time,
    /// What, in one word with underscores: `login`, `logout`, `token_issued`.
    pub event: String,
    /// Whose account.
    pub user: Option<UserId>,
    /// The directory's name.
    pub directory: Option<String>,
    /// The canonical name where one was found, else what was typed.
    pub username: Option<String>,
    /// `granted`, `denied` or `error`.
    pub outcome: Option<String>,
    /// The reason of a denial, the fault of an error.
    pub reason: Option<String>,
    /// For the operator: what a visitor is not told.
    pub detail: Option<String>,
    /// Where it came from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// The request's own id, which the log carries too.
    pub request_id: Option<String>,
}

/// One line of the audit record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its place in the record: grows, from 1, with every record.
    pub number: i64,
    /// What happened.
    pub audit: Audit,
}

/// Which lines of the audit record to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Only lines after this number.
    pub after: i64,
    /// Only lines whose `username` is this.
    pub username: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Which accounts changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The number of the last change there is; 0 before the first. Ask with it next time.
    pub number: i64,
    /// Changes after the number asked with have been swept away, or that number was never given out: anything
    /// may have changed.
    pub lost: bool,
    /// Accounts that changed, sorted, each once.
    pub users: Vec<UserId>,
}

/// Drops what has run out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The present time: sessions and personal tokens whose end has come go.
    pub at: Time,
    /// Sessions that are not remembered and were last seen before this go.
    pub idle_before: Time,
    /// Counters whose last wrong attempt lies before this go, and reservations that expired before this.
    pub attempts_before: Time,
    /// Audit records before this go.
    pub audit_before: Time,
    /// Notes of changes before this go.
    pub changes_before: Time,
}
