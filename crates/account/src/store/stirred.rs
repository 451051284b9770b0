//! The word that something changed, within one process.

use tokio::sync::Notify;

/// Tells whoever waits, and whoever comes to wait next, that something changed.
#[derive(Debug, Default)]
pub struct Stirred(Notify);

impl Stirred {
    /// Something changed.
    pub fn stir(&self) {
        self.0.notify_waiters();
        // For somebody who is on the way from the last change to the next wait.
        self.0.notify_one();
    }

    /// Ready when something changed since it was ready last. It may be ready once too often.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}
