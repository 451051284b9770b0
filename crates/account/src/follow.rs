//! What goes on beside the requests: hearing of changes, and sweeping.

use std::time::Duration;

use tokio::time::Instant;

use crate::accounts::Accounts;
use crate::store::Sweep;
use crate::token::lasts;

/// How often the store is asked what changed, at least.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often the store is asked which keys sign tokens.
const KEYS_EVERY: Duration = Duration::from_secs(2);
/// How often what has run out is dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long at least between two questions: of many changes in a row it asks once.
const BREATH: Duration = Duration::from_millis(10);
/// Notes of changes are kept so long; who was away longer forgets everything.
const CHANGES_KEPT: Duration = Duration::from_secs(3600);
/// How often the directories are asked whose groups the names in `[permissions]` are.
const NAMES_EVERY: Duration = Duration::from_secs(5 * 60);
/// How soon again, when one did not say.
const NAMES_AGAIN: Duration = Duration::from_secs(30);

impl Accounts {
    /// Keeps this process in step with the store and the directories. Never ends: run it in a task of its own and
    /// drop that at the end. Without it everything works, but each session check asks the store.
    pub async fn follow(&self) {
        tokio::join!(
            self.follow_changes(),
            self.follow_keys(),
            self.follow_names(),
            self.sweep_now_and_then()
        );
    }

    async fn follow_changes(&self) {
        let mut number = None;
        let mut silent = false;
        loop {
            let asked = Instant::now();
            match self.0.store.changes_since(number).await {
                Ok(changes) => {
                    // The first answer says nothing of what was kept before it.
                    if number.is_none() || changes.lost {
                        self.0.cache.forget_everything();
                    }
                    self.0.cache.forget(&changes.users);
                    self.0.cache.heard(asked);
                    number = Some(changes.number);
                    silent = false;
                }
                Err(error) if !silent => {
                    tracing::warn!(%error, "the store does not say what changed");
                    silent = true;
                }
                Err(_) => {}
            }
            // That the store says it has stirred makes it quicker; the question, asked in any case, is what counts.
            let _ = tokio::time::timeout(ASK_EVERY, self.0.store.stirred()).await;
            tokio::time::sleep(BREATH).await;
        }
    }

    async fn follow_keys(&self) {
        let mut silent = false;
        loop {
            tokio::time::sleep(KEYS_EVERY).await;
            match self.refresh_keys().await {
                Ok(()) => silent = false,
                Err(error) if !silent => {
                    tracing::warn!(%error, causes = ?error.causes(), "the keys of tokens stay as they were");
                    silent = true;
                }
                Err(_) => {}
            }
        }
    }

    async fn follow_names(&self) {
        let mut next = NAMES_EVERY;
        loop {
            tokio::time::sleep(next).await;
            next = if self.current().learn_names().await { NAMES_EVERY } else { NAMES_AGAIN };
        }
    }

    async fn sweep_now_and_then(&self) {
        loop {
            let current = self.current();
            let now = self.0.ambient.now();
            let sweep = Sweep {
                at: now,
                idle_before: now.before(current.settings.session.idle),
                attempts_before: now.before(current.settings.login.throttle.window),
                keys_before: now.before(lasts(current.settings.token.max_lifetime)),
                audit_before: now.before(current.settings.audit_keep),
                changes_before: now.before(CHANGES_KEPT),
            };
            match self.0.store.sweep(sweep).await {
                Ok(dropped) => tracing::debug!(dropped, "swept the store"),
                Err(error) => tracing::warn!(%error, "the store was not swept"),
            }
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    }
}
