//! Commands about the audit record, changes and what has run out.

use serde::{Deserialize, Serialize};

use crate::{Account, Time, UserId};

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
    /// The canonical name of whom it is about. Where none is known a mark in its place and never what was typed, which may be
    /// a password. A record of an account (`user`) that has none gets the account's, and its directory, from the store.
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

impl Audit {
    /// Of an account, and with its name where the record has none.
    #[must_use]
    pub fn about(self, account: &Account) -> Self {
        let user = Some(account.id);
        if self.username.is_some() {
            return Self { user, ..self };
        }
        let username = Some(account.username.clone());
        let directory = self.directory.or_else(|| Some(account.directory.clone()));
        Self { user, username, directory, ..self }
    }

    /// Tells the log of a record that is in the store now: an event of the target `audit` with a field for each value that
    /// is known. Every store does, once for each record and after the transaction.
    pub fn tell(&self) {
        tracing::info!(
            target: "audit",
            at = %self.at,
            event = self.event,
            username = self.username,
            outcome = self.outcome,
            reason = self.reason,
            address = self.address,
            request_id = self.request_id,
            directory = self.directory,
            agent = self.agent,
            detail = self.detail,
            account = self.user.map(tracing::field::display),
            "audit"
        );
    }
}

/// One line of the audit record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its place in the record: grows, from 1, with every record.
    pub number: i64,
    /// What happened.
    pub audit: Audit,
}

/// Which lines of the audit record to read; by default none of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Only lines after this number.
    pub after: i64,
    /// Only lines whose `username` is this.
    pub username: Option<String>,
    /// Only lines of that time or later.
    pub since: Option<Time>,
    /// At most so many.
    pub limit: u32,
    /// Which of them, where there are more.
    pub end: AuditEnd,
}

/// An end of the audit record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditEnd {
    /// The lines that were written first.
    #[default]
    Oldest,
    /// The lines that were written last.
    Newest,
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
    /// The present time: sessions, personal tokens and notes of signed ones whose end has come go.
    pub at: Time,
    /// Sessions that are not remembered and were last seen before this go.
    pub idle_before: Time,
    /// Counters whose last wrong attempt lies before this go, and reservations that expired before this.
    pub attempts_before: Time,
    /// Keys that nobody has signed with since before this go, and what the store holds of their private halves.
    pub keys_before: Time,
    /// Audit records before this go.
    pub audit_before: Time,
    /// Notes of changes before this go.
    pub changes_before: Time,
}
