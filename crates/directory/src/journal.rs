//! What was asked: counters, and a log of the latest operations.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use proto::ResultCode;

/// A kind of operation. [`Kind::Connect`] is a new connection: it can have a fault, but is not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A connection was accepted.
    Connect,
    /// Bind (RFC 4511 section 4.2).
    Bind,
    /// Unbind (section 4.3).
    Unbind,
    /// Search (section 4.5).
    Search,
    /// Modify (section 4.6).
    Modify,
    /// Add (section 4.7).
    Add,
    /// Delete (section 4.8).
    Delete,
    /// Modify DN (section 4.9).
    ModifyDn,
    /// Compare (section 4.10).
    Compare,
    /// Abandon (section 4.11).
    Abandon,
    /// Any extended operation but StartTLS (section 4.12).
    Extended,
    /// StartTLS (section 4.14).
    StartTls,
}

/// The number of kinds.
const KINDS: usize = Kind::StartTls as usize + 1;

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Bind => "bind",
            Self::Unbind => "unbind",
            Self::Search => "search",
            Self::Modify => "modify",
            Self::Add => "add",
            Self::Delete => "delete",
            Self::ModifyDn => "modify DN",
            Self::Compare => "compare",
            Self::Abandon => "abandon",
            Self::Extended => "extended",
            Self::StartTls => "StartTLS",
        })
    }
}

/// How often what happened since the directory was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted, streams from [`join`](crate::Directory::join) included.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// Bind requests.
    pub binds: u64,
    /// Unbind requests.
    pub unbinds: u64,
    /// Search requests; every page is one.
    pub searches: u64,
    /// Entries handed out by searches.
    pub entries: u64,
    /// Modify requests.
    pub modifies: u64,
    /// Add requests.
    pub adds: u64,
    /// Delete requests.
    pub deletes: u64,
    /// Modify DN requests.
    pub renames: u64,
    /// Compare requests.
    pub compares: u64,
    /// Abandon requests.
    pub abandons: u64,
    /// Extended requests, StartTLS excepted.
    pub extended: u64,
    /// StartTLS requests.
    pub start_tls: u64,
}

impl Counters {
    /// Requests of every kind together.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.binds
            + self.unbinds
            + self.searches
            + self.modifies
            + self.adds
            + self.deletes
            + self.renames
            + self.compares
            + self.abandons
            + self.extended
            + self.start_tls
    }
}

/// One request, as the log keeps it. Passwords and values are never in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The connection, counted from 1.
    pub connection: u64,
    /// What was asked.
    pub kind: Kind,
    /// The name asked about: of the bind, the search base, the entry; of an extended operation its OID.
    pub dn: String,
    /// The filter of a search.
    pub filter: Option<String>,
    /// The answer, `None` while there is none.
    pub code: Option<ResultCode>,
}

/// Where requests are counted and logged.
pub(crate) struct Journal {
    counts: [AtomicU64; KINDS],
    open: AtomicU64,
    entries: AtomicU64,
    log: Mutex<Log>,
}

struct Log {
    /// The number of the first operation that is kept.
    first: u64,
    kept: VecDeque<Operation>,
    capacity: usize,
}

/// An operation in the log that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line(u64);

impl Journal {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            counts: Default::default(),
            open: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            log: Mutex::new(Log { first: 0, kept: VecDeque::new(), capacity }),
        }
    }

    /// Counts a connection in and gives its number.
    pub(crate) fn connected(&self) -> u64 {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.counts[Kind::Connect as usize].fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn disconnected(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn asked(&self, operation: Operation) -> Line {
        self.counts[operation.kind as usize].fetch_add(1, Ordering::Relaxed);
        let mut log = self.log();
        let line = Line(log.first + log.kept.len() as u64);
        log.kept.push_back(operation);
        if log.kept.len() > log.capacity {
            log.kept.pop_front();
            log.first += 1;
        }
        line
    }

    pub(crate) fn answered(&self, line: Line, code: ResultCode) {
        let mut log = self.log();
        let Some(position) = line.0.checked_sub(log.first) else { return };
        if let Some(operation) =
            usize::try_from(position).ok().and_then(|position| log.kept.get_mut(position))
        {
            operation.code = Some(code);
        }
    }

    pub(crate) fn found(&self, entries: usize) {
        self.entries.fetch_add(entries as u64, Ordering::Relaxed);
    }

    pub(crate) fn counters(&self) -> Counters {
        let count = |kind: Kind| self.counts[kind as usize].load(Ordering::Relaxed);
        Counters {
            connections: count(Kind::Connect),
            open: self.open.load(Ordering::Relaxed),
            binds: count(Kind::Bind),
            unbinds: count(Kind::Unbind),
            searches: count(Kind::Search),
            entries: self.entries.load(Ordering::Relaxed),
            modifies: count(Kind::Modify),
            adds: count(Kind::Add),
            deletes: count(Kind::Delete),
            renames: count(Kind::ModifyDn),
            compares: count(Kind::Compare),
            abandons: count(Kind::Abandon),
            extended: count(Kind::Extended),
            start_tls: count(Kind::StartTls),
        }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.log().kept.iter().cloned().collect()
    }

    /// Empties the log. The counters go on.
    pub(crate) fn clear(&self) {
        let mut log = self.log();
        log.first += log.kept.len() as u64;
        log.kept.clear();
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(dn: &str) -> Operation {
        Operation { connection: 1, kind: Kind::Search, dn: dn.into(), filter: None, code: None }
    }

    #[test]
    fn an_answer_finds_its_request_even_after_the_log_moved_on() {
        let journal = Journal::new(2);
        let first = journal.asked(search("a"));
        let second = journal.asked(search("b"));
        journal.asked(search("c"));
        journal.answered(first, ResultCode::BUSY);
        journal.answered(second, ResultCode::SUCCESS);
        let codes: Vec<_> = journal.operations().into_iter().map(|o| (o.dn, o.code)).collect();
        assert_eq!(codes, [("b".into(), Some(ResultCode::SUCCESS)), ("c".into(), None)]);
        journal.clear();
        journal.answered(second, ResultCode::BUSY);
        assert!(journal.operations().is_empty());
        assert_eq!(journal.counters().searches, 3);
    }
}
