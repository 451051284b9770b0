//! The counters themselves, shared by a server's connections. Counting is an addition and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::{BOUNDS, FailureKind, RoundTrips};

/// What happens on one server's connections.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    opened: AtomicU64,
    closed: AtomicU64,
    waiting: AtomicUsize,
    failures: [AtomicU64; FailureKind::ALL.len()],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Meter {
    pub(crate) fn failed(&self, kind: FailureKind) {
        self.failures[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, took: Duration) {
        // Rounded up: what took a little more than a bound allows is beyond it.
        let millis = took.as_nanos().div_ceil(1_000_000);
        let bucket = BOUNDS.iter().position(|bound| millis <= u128::from(*bound)).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// To be asked before [`Meter::opened`]: a connection is opened before it is closed.
    pub(crate) fn closed(&self) -> u64 {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn failures(&self) -> [u64; FailureKind::ALL.len()] {
        std::array::from_fn(|kind| self.failures[kind].load(Ordering::Relaxed))
    }

    pub(crate) fn round_trips(&self) -> RoundTrips {
        let counts: [u64; BOUNDS.len() + 1] =
            std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed));
        let sum = Duration::from_micros(self.micros.load(Ordering::Relaxed));
        RoundTrips { count: counts.iter().sum(), sum, counts }
    }
}

/// An open connection; it counts as closed when this is dropped, however its task ended.
pub(crate) struct Open(Arc<Meter>);

impl Open {
    pub(crate) fn new(meter: Arc<Meter>) -> Open {
        meter.opened.fetch_add(1, Ordering::Relaxed);
        Open(meter)
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Ordering::Release);
    }
}

/// Somebody who waits for a connection, until this is dropped.
pub(crate) struct Waiting<'m>(&'m Meter);

impl<'m> Waiting<'m> {
    pub(crate) fn new(meter: &'m Meter) -> Waiting<'m> {
        meter.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(meter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_is_counted_in_the_bucket_that_it_just_fits() {
        let meter = Meter::default();
        for micros in [1, 1000, 1001, 2000, 4_999_999, 5_000_001] {
            meter.answered(Duration::from_micros(micros));
        }
        let trips = meter.round_trips();
        let counts: Vec<_> = trips.buckets().filter(|(_, count)| *count > 0).collect();
        let bound = |millis| Some(Duration::from_millis(millis));
        assert_eq!(counts, [(bound(1), 2), (bound(2), 2), (bound(5000), 1), (None, 1)]);
        assert_eq!((trips.count, trips.sum), (6, Duration::from_micros(10_004_002)));
        assert_eq!(trips.mean(), Some(Duration::from_nanos(1_667_333_666)));
        assert_eq!(RoundTrips::default().mean(), None);
    }

    #[test]
    fn a_connection_counts_as_closed_when_its_task_is_gone() {
        let meter = Arc::new(Meter::default());
        let open = Open::new(meter.clone());
        assert_eq!((meter.opened(), meter.closed()), (1, 0));
        drop(open);
        assert_eq!((meter.opened(), meter.closed()), (1, 1));
    }

    #[test]
    fn every_kind_has_a_place_and_a_word_of_its_own() {
        let meter = Meter::default();
        let mut words = std::collections::HashSet::new();
        for (place, kind) in FailureKind::ALL.iter().copied().enumerate() {
            assert_eq!(kind as usize, place);
            assert!(words.insert(kind.to_string()), "{kind}");
            meter.failed(kind);
        }
        assert_eq!(meter.failures(), [1; FailureKind::ALL.len()]);
    }
}
