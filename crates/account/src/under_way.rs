//! What must be settled before the program ends: attempts that are counted, and records that are not written yet.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts what is under way, and tells it when the end has come.
pub(crate) struct UnderWay {
    count: Arc<watch::Sender<usize>>,
    ending: watch::Sender<bool>,
}

/// One thing that is under way, until this is dropped.
pub(crate) struct Thing(Arc<watch::Sender<usize>>);

impl Default for UnderWay {
    fn default() -> Self {
        Self { count: Arc::new(watch::Sender::new(0)), ending: watch::Sender::new(false) }
    }
}

impl UnderWay {
    pub(crate) fn begin(&self) -> Thing {
        self.count.send_modify(|count| *count += 1);
        Thing(Arc::clone(&self.count))
    }

    /// Waits until nobody is going to wait any longer.
    pub(crate) async fn ending(&self) {
        // The sender is here, so there is an answer.
        let _ = self.ending.subscribe().wait_for(|ending| *ending).await;
    }

    /// Says that the end has come, and waits until nothing is under way.
    pub(crate) async fn end(&self) {
        self.ending.send_replace(true);
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
