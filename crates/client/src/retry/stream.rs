//! A search that may be begun again.

use std::fmt;

use proto::Entry;
use tokio::time::{Instant, timeout_at};

use super::Restartable;
use super::attempts::{Attempts, Kind};
use crate::{End, Error, Search, SearchStream};

/// A search that is begun again until its first entry has come. Dropping it abandons the search.
pub struct RestartableStream {
    directory: Restartable,
    search: Search,
    running: Option<SearchStream>,
    /// From the first call on.
    attempts: Option<Attempts>,
    /// An entry was given, or an error was told.
    given: bool,
}

impl RestartableStream {
    pub(super) fn new(directory: Restartable, search: Search) -> RestartableStream {
        RestartableStream { directory, search, running: None, attempts: None, given: false }
    }

    /// The next entry; `None` when there are no more. Safe to be dropped and called again.
    ///
    /// # Errors
    ///
    /// As [`SearchStream::next`]: before the first entry that of the last attempt, after it that of the only one.
    pub async fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let retry = &self.directory.retry;
            let attempts = self.attempts.get_or_insert_with(|| Attempts::begin(retry, Instant::now()));
            let deadline = attempts.deadline;
            if self.given {
                return match &mut self.running {
                    Some(running) => running.next().await,
                    None => Ok(None),
                };
            }
            let attempt = async {
                let running = match &mut self.running {
                    Some(running) => running,
                    none => none.insert(self.directory.connection().await?.stream(&self.search)),
                };
                running.next().await
            };
            let error = match timeout_at(deadline, attempt).await {
                Ok(Ok(entry)) => {
                    self.given = true;
                    return Ok(entry);
                }
                Ok(Err(error)) => error,
                Err(_) => self.directory.late("search"),
            };
            self.running = None;
            // Should the last attempt's error be told below, the stream is over.
            self.given = true;
            attempts.wait(error, Kind::Read).await?;
            self.given = false;
        }
    }

    /// How the search ended. Entries that were not read are read and dropped.
    ///
    /// # Errors
    ///
    /// As [`RestartableStream::next`] and [`SearchStream::finish`].
    pub async fn finish(mut self) -> Result<End, Error> {
        while self.next().await?.is_some() {}
        match self.running.take() {
            Some(running) => running.finish().await,
            None => Err(self.directory.late("search")),
        }
    }
}

impl fmt::Debug for RestartableStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestartableStream").field("search", &self.search).finish_non_exhaustive()
    }
}
