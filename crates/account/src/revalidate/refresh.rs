//! Refresh: people who are signed in are looked at again every `session.refresh`, in the background and in small batches.
//!
//! Whose turn it is the store says, atomically: several replicas share the work, and nobody is looked at twice at once.
//! What cannot be asked stays as it is.

use std::time::Duration;

use futures_util::future::join_all;

use super::pass::Trigger;
use crate::accounts::{Accounts, Current};
use crate::store::{ClaimDue, NoteChecked};
use crate::{Account, Error, Origin, Time, UserId};

/// So many people are looked at together.
const BATCH: u32 = 50;
/// Whoever took people on and does not come back loses them after so long.
const CLAIMED: Duration = Duration::from_secs(120);
/// So many steps the two tenths of the round are cut into over which people are spread.
const SLOTS: u32 = 256;

impl Accounts {
    /// Looks at everybody whose turn it is now, in every directory.
    pub async fn refresh_due(&self) {
        let current = self.current();
        let directories = current.directories.names();
        join_all(directories.iter().map(|directory| self.refresh_directory(&current, directory))).await;
    }

    pub(super) async fn refresh_now_and_then(&self) {
        loop {
            let refresh = self.current().settings.session.refresh;
            let pause = (refresh / 10).clamp(Duration::from_millis(100), Duration::from_secs(10));
            tokio::time::sleep(pause).await;
            self.refresh_due().await;
        }
    }

    async fn refresh_directory(&self, current: &Current, directory: &str) {
        let refreshed = self.refresh_all(current, directory).await;
        self.note_success(directory, "people were not looked at again", refreshed);
    }

    /// `None`: nobody was due.
    async fn refresh_all(&self, current: &Current, directory: &str) -> Result<Option<()>, Error> {
        let origin = Origin::default();
        let pass = self.pass(current, directory, Trigger::Refresh, &origin);
        let mut looked = None;
        loop {
            let due = self.claim_due(current, directory).await?;
            if due.is_empty() {
                break;
            }
            let last = due.len() < BATCH as usize;
            let users: Vec<_> = due.iter().map(|account| account.id).collect();
            let passed = match pass.run(due).await {
                Ok(passed) => passed,
                Err(error) => {
                    self.let_go(users).await;
                    return Err(error);
                }
            };
            looked = Some(());
            if last || passed.held {
                break;
            }
        }
        let held = self.hold(directory).await?.is_some();
        if held && looked.is_none() && self.is_time_to_judge(current, directory) {
            pass.run(Vec::new()).await?;
            looked = Some(());
        }
        Ok(looked)
    }

    /// Gives people back who were taken on and could not be looked at: it is their turn as soon as somebody can.
    async fn let_go(&self, users: Vec<UserId>) {
        let note = NoteChecked { users, at: Time::from_micros(i64::MIN) };
        if let Err(error) = self.0.store.note_checked(note).await {
            tracing::debug!(%error, "people were not given back: that they are taken on runs out");
        }
    }

    /// While the brake holds it is judged anew once a round, whoever is signed in.
    fn is_time_to_judge(&self, current: &Current, directory: &str) -> bool {
        let now = self.0.ambient.now();
        let last = self.0.board.change(directory, |state| state.last_success);
        last.is_none_or(|last| now.since(last) >= current.settings.session.refresh)
    }

    async fn claim_due(&self, current: &Current, directory: &str) -> Result<Vec<Account>, Error> {
        let now = self.0.ambient.now();
        let session = current.settings.session;
        let claim = ClaimDue {
            directory: directory.to_owned(),
            at: now,
            checked_before: now.before(session.refresh / 10 * 9),
            spread: session.refresh / 5 / SLOTS,
            idle_before: now.before(session.idle),
            until: now.after(CLAIMED),
            limit: BATCH,
        };
        Ok(self.0.store.claim_due(claim).await?)
    }

    /// Notes how a try to look at people went; a run of failures is told once. `None` says nothing.
    pub(super) fn note_success(&self, directory: &str, failed: &str, result: Result<Option<()>, Error>) {
        let now: Time = self.0.ambient.now();
        match result {
            Ok(None) => {}
            Ok(Some(())) => {
                let was_failing = self.0.board.change(directory, |state| {
                    state.last_success = Some(now);
                    state.failing_since.take().is_some()
                });
                if was_failing {
                    tracing::info!(directory, "people are looked at again");
                }
            }
            Err(error) => {
                let causes = error.causes().join(": ");
                let is_new = self.0.board.change(directory, |state| {
                    state.failures += 1;
                    state.last_error = Some(format!("{error}: {causes}").trim_end_matches(": ").to_owned());
                    let is_new = state.failing_since.is_none();
                    state.failing_since.get_or_insert(now);
                    is_new
                });
                match is_new {
                    true => tracing::warn!(directory, %error, causes, "{failed}: everything stays as it is"),
                    false => tracing::debug!(directory, %error, causes, "{failed}"),
                }
            }
        }
    }
}
