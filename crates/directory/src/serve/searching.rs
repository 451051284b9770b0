//! One search of a connection, in a task of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::{Controls, Response, SearchRequest};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::connection::{Asked, Reply};
use crate::directory::Shared;
use crate::operation::{Pages, Recognised, Search};

/// What a fault does to a search.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    pub(super) delay: Duration,
    /// Close the connection after this many entries.
    pub(super) most: Option<usize>,
}

/// A search in its own task.
pub(super) struct Searching {
    pub(super) shared: Arc<Shared>,
    pub(super) pages: Arc<Mutex<Pages>>,
    pub(super) sender: mpsc::Sender<Reply>,
    pub(super) asked: Asked,
    pub(super) wait: Wait,
}

impl Searching {
    pub(super) async fn run(self, request: SearchRequest, controls: Recognised) {
        let asked = Instant::now();
        pause(self.wait.delay).await;
        let search = Search::new(&self.shared, request, controls, &mut lock(&self.pages), asked);
        let mut search = match search {
            Ok(search) => search,
            Err(refusal) => return self.send(Response::SearchDone(refusal), Controls::default()).await,
        };
        let mut handed = 0;
        loop {
            let found = search.look(&self.shared, &mut lock(&self.pages));
            for response in found.responses {
                if self.wait.most == Some(handed) {
                    return drop(self.sender.send(Reply::Close).await);
                }
                if matches!(response, Response::SearchEntry(_)) {
                    handed += 1;
                    self.shared.journal.found(1);
                }
                self.send(response, Controls::default()).await;
            }
            if let Some((result, controls)) = found.end {
                if self.wait.most.is_some() {
                    return drop(self.sender.send(Reply::Close).await);
                }
                return self.send(Response::SearchDone(result), controls).await;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn send(&self, response: Response, controls: Controls) {
        // The connection is gone when this fails, and with it whoever would read.
        let _ = self.sender.send(Reply::Answer { asked: self.asked, response, controls }).await;
    }
}

/// Even the shortest sleep lasts until the timer's next tick.
pub(super) async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

pub(super) fn lock(pages: &Mutex<Pages>) -> MutexGuard<'_, Pages> {
    pages.lock().unwrap_or_else(PoisonError::into_inner)
}
