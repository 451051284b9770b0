//! How far a long search is, for who looks at a terminal while the entries go elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::Instant;

/// The first word comes after so long, and the next ones.
const EVERY: Duration = Duration::from_millis(500);
/// The clock is looked at once in so many entries.
const STRIDE: u64 = 256;

/// Tells how many entries there are.
pub(super) struct Progress {
    next: Option<Instant>,
    told: bool,
}

impl Progress {
    /// Says something only where standard error is a terminal and standard output is none, and nobody asked for quiet.
    pub(super) fn new(is_quiet: bool) -> Progress {
        let seen = io::stderr().is_terminal() && !io::stdout().is_terminal() && !is_quiet;
        Progress { next: seen.then(|| Instant::now() + EVERY), told: false }
    }

    pub(super) fn tell(&mut self, entries: u64) {
        let Some(next) = self.next.filter(|_| entries.is_multiple_of(STRIDE)) else { return };
        let now = Instant::now();
        if now >= next {
            self.next = Some(now + EVERY);
            self.told = true;
            self.line(&format!("{entries} entries"));
        }
    }

    /// Leaves nothing behind.
    pub(super) fn done(&mut self) {
        if std::mem::take(&mut self.told) {
            self.line("");
        }
    }

    fn line(&self, text: &str) {
        // Whoever does not see it has lost nothing.
        let _ = write!(io::stderr().lock(), "\r\x1b[K{text}");
    }
}
