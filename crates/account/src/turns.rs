//! Logins for one person ask for an attempt one after the other: of those that wait only the first asks the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::store::CounterKey;

type Queue = Arc<tokio::sync::Mutex<()>>;

/// One queue for each person for whom a login asks just now; the first to come is the first to go.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<CounterKey, Queue>>);

/// A place in a queue, whether its turn has come or not. Leaves the queue when dropped.
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    key: CounterKey,
    queue: Option<Queue>,
    first: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Joins the queue of a key.
    pub(crate) fn join(&self, key: CounterKey) -> Turn<'_> {
        let queue = Arc::clone(self.lock().entry(key.clone()).or_default());
        Turn { turns: self, key, queue: Some(queue), first: None }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CounterKey, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Waits until everybody who came before has left.
    pub(crate) async fn come(&mut self) {
        if let Some(queue) = &self.queue {
            self.first = Some(Arc::clone(queue).lock_owned().await);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queues = self.turns.lock();
        (self.first, self.queue) = (None, None);
        // Whoever else is in the queue holds it too; nobody joins while the map is locked.
        if queues.get(&self.key).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_came_first_goes_first_and_the_last_takes_the_queue_away() {
        let turns = Turns::default();
        let key = || CounterKey::person("main", "alice");
        let (mut one, mut other) = (turns.join(key()), turns.join(key()));
        let mut stranger = turns.join(CounterKey::person("main", "bob"));
        one.come().await;
        assert!(other.come().now_or_never().is_none());
        assert!(stranger.come().now_or_never().is_some(), "one person does not wait for another");
        drop(one);
        assert!(other.come().now_or_never().is_some());
        drop((other, stranger));
        assert!(turns.lock().is_empty());
    }
}
