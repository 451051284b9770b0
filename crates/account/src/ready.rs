//! Whether it makes sense to send people here.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::accounts::Accounts;

/// How long the store and each directory have to answer.
const WITHIN: Duration = Duration::from_secs(5);
/// However often it is asked, the store and the directories are not asked more often.
const KEPT: Duration = Duration::from_secs(1);

/// The document of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// The store answers, and a directory has answered since the start: people who are signed in can be served.
    pub ready: bool,
    /// `ok` or `unreachable`, by the directory's name.
    pub directory: BTreeMap<String, &'static str>,
    /// `ok` or `unreachable`.
    pub store: &'static str,
}

/// An answer that was given a moment ago.
pub(crate) struct Readiness {
    ready: Ready,
    at: Instant,
}

impl Accounts {
    /// Asks the store and every directory for a sign of life, at most once a second.
    pub async fn ready(&self) -> Ready {
        let mut kept = self.0.readiness.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.at.elapsed() < KEPT) {
            return kept.ready.clone();
        }
        let ready = self.ask_ready().await;
        *kept = Some(Readiness { ready: ready.clone(), at: Instant::now() });
        ready
    }

    async fn ask_ready(&self) -> Ready {
        let current = self.current();
        let (store, health) =
            tokio::join!(timeout(WITHIN, self.0.store.ping()), current.directories.health(WITHIN));
        let store = matches!(store, Ok(Ok(())));
        if !store {
            self.0.meter.store_failed();
        }
        let mut directory = BTreeMap::new();
        for (name, health) in health {
            let told = match health {
                Ok(()) => {
                    self.0.answered.store(true, Ordering::Relaxed);
                    "ok"
                }
                Err(error) => {
                    tracing::warn!(directory = name, %error, "a directory does not answer");
                    "unreachable"
                }
            };
            directory.insert(name, told);
        }
        let ready = store && self.0.answered.load(Ordering::Relaxed);
        Ready { ready, directory, store: if store { "ok" } else { "unreachable" } }
    }
}
