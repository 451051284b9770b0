//! People are looked at again between their logins: what changed of them follows, and who may not enter any more loses what
//! they were given.
//!
//! There is one mechanism and three things that set it off. [`pass`] looks at some people ([`look`]: what that means for one
//! of them), asks the one [`brake`] before anything is ended, and writes. [`refresh`] does that for people who are signed in,
//! every `session.refresh`; [`sync`] for everybody; [`watch`] for those of whom the directory says that something changed.
//! Nothing of it is in the way of a request.

mod brake;
mod groups;
mod lease;
mod look;
mod pass;
mod plan;
mod refresh;
mod state;
mod sync;
mod watch;

pub use plan::{
    Planned, PlannedChange, SyncCounts, SyncEvent, SyncOptions, SyncProgress, SyncRefused, SyncReport,
    SyncStep,
};
pub use state::{Hold, RevalidationState, Watching};
pub use sync::last_sync;

pub(crate) use state::Board;

use crate::accounts::Accounts;

impl Accounts {
    /// Looks at people again as `session.refresh` and `[sync]` say. Never ends: run it in a task of its own, beside
    /// [`Accounts::follow`], in programs that go on for a while.
    pub async fn revalidate(&self) {
        tokio::join!(
            Box::pin(self.refresh_now_and_then()),
            Box::pin(self.sync_now_and_then()),
            Box::pin(self.watch_directories()),
            Box::pin(self.look_for_groups()),
        );
    }
}
