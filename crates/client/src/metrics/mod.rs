//! What a pool has done and what it holds, in numbers: one snapshot, whose sums add up.

mod meter;

use std::fmt;
use std::time::Duration;

pub(crate) use meter::{Meter, Open, Waiting};

use crate::Error;

/// The upper bounds of [`RoundTrips::buckets`], in milliseconds; longer ones are in the last bucket, which has none.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// A pool's numbers at one moment, as [`Pool::metrics`](crate::Pool::metrics) takes them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Metrics {
    /// One for each server, in the order in which they are asked.
    pub servers: Vec<ServerMetrics>,
}

/// One server's numbers. Totals are counted from the pool's beginning and never fall, unless the server left the list
/// that the DNS gives.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServerMetrics {
    /// Its URL, as it was given or found.
    pub url: String,
    /// Is it asked? One that could not be reached is left alone for a while.
    pub up: bool,
    /// Look-up connections that are open.
    pub lookups: usize,
    /// Operations on those that wait for their answers.
    pub lookups_pending: usize,
    /// Connections for people's binds that nobody uses.
    pub proving_idle: usize,
    /// Those that a login has.
    pub proving_in_use: usize,
    /// Logins that wait for one.
    pub proving_waiting: usize,
    /// Connections opened, those that failed during StartTLS included.
    pub opened: u64,
    /// Connections that have ended, for whatever reason.
    pub closed: u64,
    /// In the order of [`FailureKind::ALL`].
    pub(crate) failures: [u64; FailureKind::ALL.len()],
    /// How long answers took.
    pub round_trips: RoundTrips,
}

impl ServerMetrics {
    /// Connections that are open now, those included that are just being opened or closed.
    pub fn open(&self) -> u64 {
        self.opened.saturating_sub(self.closed)
    }

    /// How often this happened.
    pub fn failed(&self, kind: FailureKind) -> u64 {
        self.failures[kind as usize]
    }
}

/// How a connection or an operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The host's name has no address.
    Resolve,
    /// Nothing accepted the connection.
    Connect,
    /// The TLS handshake failed, or StartTLS was refused.
    Tls,
    /// Name, connection and TLS together took too long.
    ConnectTimeout,
    /// The service account was refused.
    ServiceBind,
    /// An operation was not answered in time.
    Timeout,
    /// The connection ended before an operation was answered.
    Closed,
    /// Anything else that kept a connection from being made.
    Other,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: &[FailureKind] = &[
        FailureKind::Resolve,
        FailureKind::Connect,
        FailureKind::Tls,
        FailureKind::ConnectTimeout,
        FailureKind::ServiceBind,
        FailureKind::Timeout,
        FailureKind::Closed,
        FailureKind::Other,
    ];

    /// Why a connection could not be made; `None` when none was tried.
    pub(crate) fn of_connecting(error: &Error) -> Option<FailureKind> {
        match error {
            Error::Resolve { .. } => Some(FailureKind::Resolve),
            Error::Connect { .. } => Some(FailureKind::Connect),
            Error::Tls { .. } | Error::Refused { operation: "StartTLS", .. } => Some(FailureKind::Tls),
            Error::ConnectTimeout { .. } => Some(FailureKind::ConnectTimeout),
            Error::ServiceBind { .. } => Some(FailureKind::ServiceBind),
            // Those were counted where they happened.
            Error::Timeout { .. } | Error::Closed { .. } | Error::Down { .. } => None,
            _ => Some(FailureKind::Other),
        }
    }
}

impl fmt::Display for FailureKind {
    /// One word, as a label.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Resolve => "resolve",
            FailureKind::Connect => "connect",
            FailureKind::Tls => "tls",
            FailureKind::ConnectTimeout => "connect_timeout",
            FailureKind::ServiceBind => "service_bind",
            FailureKind::Timeout => "timeout",
            FailureKind::Closed => "closed",
            FailureKind::Other => "other",
        })
    }
}

/// How long it took from a request's first byte to its last answer: the whole page of a search, that is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RoundTrips {
    /// How many were answered.
    pub count: u64,
    /// Their times together.
    pub sum: Duration,
    counts: [u64; BOUNDS.len() + 1],
}

impl RoundTrips {
    /// How many took at most so long, and longer than the bucket before allows; the last has no bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = BOUNDS.iter().map(|bound| Some(Duration::from_millis(*bound))).chain([None]);
        bounds.zip(self.counts)
    }

    /// The average; `None` before the first.
    pub fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        (count > 0).then(|| self.sum / count)
    }
}
