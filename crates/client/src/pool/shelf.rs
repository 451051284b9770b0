//! One server's connections that nobody holds alone. Pure: the time is an argument.

use tokio::time::Instant;

use crate::Connection;

/// So many operations on a look-up connection make room for another one.
const CROWDED: usize = 4;

/// A connection with the time of its replacement.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) connection: Connection,
    pub(super) expires: Instant,
}

impl Kept {
    fn is_good(&self, now: Instant) -> bool {
        now < self.expires && self.connection.is_usable()
    }
}

/// Look-up connections are shared and stay here; proving ones are taken away and come back.
#[derive(Default)]
pub(super) struct Shelf {
    lookups: Vec<Kept>,
    proving: Vec<Kept>,
    /// Connected to see whether the server is there; nobody has bound on it.
    fresh: Option<Kept>,
}

/// What the shelf has for a look-up.
pub(super) struct Pick {
    pub(super) connection: Connection,
    /// Another connection would help.
    pub(super) crowded: bool,
}

impl Shelf {
    /// The look-up connection with the least to do.
    pub(super) fn lookup(&mut self, now: Instant, most: usize) -> Option<Pick> {
        self.lookups.retain(|kept| kept.is_good(now));
        let best = self.lookups.iter().min_by_key(|kept| kept.connection.load())?;
        let connection = best.connection.clone();
        let crowded = connection.load() >= CROWDED && self.lookups.len() < most;
        Some(Pick { connection, crowded })
    }

    pub(super) fn add_lookup(&mut self, kept: Kept) {
        kept.connection.seal();
        self.lookups.push(kept);
    }

    /// The proving connection used last: the others may grow old and go.
    pub(super) fn proving(&mut self, now: Instant) -> Option<Kept> {
        while let Some(kept) = self.proving.pop() {
            if kept.is_good(now) {
                return Some(kept);
            }
        }
        None
    }

    /// Takes a proving connection back, unless it is of no more use or still waits for an answer.
    pub(super) fn give_back(&mut self, now: Instant, kept: Kept) {
        if kept.is_good(now) && kept.connection.load() == 0 {
            self.proving.push(kept);
        }
    }

    pub(super) fn fresh(&mut self, now: Instant) -> Option<Kept> {
        self.fresh.take().filter(|kept| kept.is_good(now))
    }

    pub(super) fn add_fresh(&mut self, kept: Kept) {
        self.fresh = Some(kept);
    }

    /// Is there a connection that shows that the server is there?
    pub(super) fn shows_life(&self, now: Instant) -> bool {
        self.lookups.iter().chain(&self.proving).chain(&self.fresh).any(|kept| kept.is_good(now))
    }

    /// Look-up connections that are of use.
    pub(super) fn lookups(&self, now: Instant) -> usize {
        self.lookups.iter().filter(|kept| kept.is_good(now)).count()
    }

    /// Operations on them.
    pub(super) fn pending(&self, now: Instant) -> usize {
        self.lookups.iter().filter(|kept| kept.is_good(now)).map(|kept| kept.connection.load()).sum()
    }

    /// Proving connections that wait for a login.
    pub(super) fn idle(&self, now: Instant) -> usize {
        self.proving.iter().chain(&self.fresh).filter(|kept| kept.is_good(now)).count()
    }

    /// Did the server leave an operation on one of these without an answer?
    pub(super) fn has_suspect(&self) -> bool {
        self.lookups.iter().any(|kept| kept.connection.is_suspect())
    }
}
