//! What an engine tells its log, kept for one test: a subscriber of this thread alone.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The lines so far.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Log {
    /// Listens until it is dropped.
    pub(crate) fn start() -> Self {
        let lines = Arc::default();
        let guard = tracing::subscriber::set_default(Recorder(Arc::clone(&lines)));
        Self { lines, _guard: guard }
    }

    /// Waits until `count` lines hold `words`, and returns them.
    pub(crate) async fn until(&self, count: usize, words: &str) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let found: Vec<String> = lines.iter().filter(|line| line.contains(words)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{words:?} was not logged {count} times: {lines:#?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

struct Recorder(Arc<Mutex<Vec<String>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("ldapgate")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}
