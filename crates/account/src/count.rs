//! What happened since the start, in numbers: atomics here, and whoever shows them asks for a snapshot. Nobody's name is
//! among them, and every set of kinds is a fixed one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth::Reason;

use crate::accounts::Accounts;
use crate::{Error, Fault};

/// Upper bounds of the times that logins took, in milliseconds; what takes longer is beyond the last.
const BOUNDS: [u64; 11] = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 20_000];

/// What happened since the start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Logins that were granted.
    pub granted: u64,
    /// Logins that were refused, by each reason there is.
    pub denied: Vec<(Reason, u64)>,
    /// Logins that could not be decided, by each fault there is.
    pub failed: Vec<(Fault, u64)>,
    /// How long they took, whatever came of them; until the answer, with what a refusal is held back for.
    pub login_times: Times,
    /// Sessions that a login started.
    pub sessions_started: u64,
    /// Sessions that somebody ended here: signed out, or ended by hand. Not those that ran out.
    pub sessions_ended: u64,
    /// Cookies of sessions that were shown.
    pub session_checks: Checks,
    /// Tokens that were shown, of whatever kind.
    pub token_checks: Checks,
    /// Questions to the store that it did not answer.
    pub store_errors: u64,
}

/// How often something was shown, by what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// It was good.
    pub good: u64,
    /// It was forged, over or unknown.
    pub bad: u64,
    /// The store did not say.
    pub failed: u64,
}

/// How long something took.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// All of them together.
    pub sum: Duration,
    /// How many took at most so long, and longer than the bound before allows; the last has no bound.
    pub buckets: Vec<(Option<Duration>, u64)>,
}

impl Times {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

impl Accounts {
    /// What happened since this room was opened, in numbers.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.meter.counts()
    }
}

/// How a login ended.
pub(crate) enum Ended {
    Granted,
    Denied(Reason),
    Failed(Fault),
}

/// Where it is counted. Counting is an addition.
pub(crate) struct Meter {
    granted: AtomicU64,
    denied: Vec<(Reason, AtomicU64)>,
    failed: [(Fault, AtomicU64); 4],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
    sessions_started: AtomicU64,
    sessions_ended: AtomicU64,
    pub(crate) sessions: Checked,
    pub(crate) tokens: Checked,
    store_errors: AtomicU64,
}

/// One kind of [`Checks`].
#[derive(Default)]
pub(crate) struct Checked([AtomicU64; 3]);

impl Default for Meter {
    fn default() -> Self {
        let faults = [Fault::Directory, Fault::Store, Fault::Configuration, Fault::Internal];
        Self {
            granted: AtomicU64::default(),
            denied: Reason::all().map(|reason| (reason, AtomicU64::default())).collect(),
            failed: faults.map(|fault| (fault, AtomicU64::default())),
            buckets: Default::default(),
            micros: AtomicU64::default(),
            sessions_started: AtomicU64::default(),
            sessions_ended: AtomicU64::default(),
            sessions: Checked::default(),
            tokens: Checked::default(),
            store_errors: AtomicU64::default(),
        }
    }
}

impl Meter {
    pub(crate) fn login(&self, ended: &Ended, took: Duration) {
        let counter = match ended {
            Ended::Granted => Some(&self.granted),
            Ended::Denied(reason) => place(&self.denied, reason),
            Ended::Failed(fault) => place(&self.failed, fault),
        };
        if let Some(counter) = counter {
            add(counter, 1);
        }
        if matches!(ended, Ended::Failed(Fault::Store)) {
            self.store_failed();
        }
        // Rounded up: what took a little more than a bound allows is beyond it.
        let millis = took.as_nanos().div_ceil(1_000_000);
        let bucket = BOUNDS.iter().position(|bound| millis <= u128::from(*bound)).unwrap_or(BOUNDS.len());
        add(&self.buckets[bucket], 1);
        add(&self.micros, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn session_started(&self) {
        add(&self.sessions_started, 1);
    }

    pub(crate) fn sessions_ended(&self, sessions: u64) {
        add(&self.sessions_ended, sessions);
    }

    pub(crate) fn store_failed(&self) {
        add(&self.store_errors, 1);
    }

    /// Somebody showed something, and this came of it.
    pub(crate) fn checked<T>(&self, of: &Checked, found: &Result<Option<T>, Error>) {
        let place = match found {
            Ok(Some(_)) => 0,
            Ok(None) => 1,
            Err(_) => 2,
        };
        add(&of.0[place], 1);
        if matches!(found, Err(error) if error.fault() == Fault::Store) {
            self.store_failed();
        }
    }

    fn counts(&self) -> Counts {
        let bounds = BOUNDS.iter().map(|bound| Some(Duration::from_millis(*bound))).chain([None]);
        Counts {
            granted: read(&self.granted),
            denied: self.denied.iter().map(|(reason, count)| (*reason, read(count))).collect(),
            failed: self.failed.iter().map(|(fault, count)| (*fault, read(count))).collect(),
            login_times: Times {
                sum: Duration::from_micros(read(&self.micros)),
                buckets: bounds.zip(self.buckets.iter().map(read)).collect(),
            },
            sessions_started: read(&self.sessions_started),
            sessions_ended: read(&self.sessions_ended),
            session_checks: self.sessions.checks(),
            token_checks: self.tokens.checks(),
            store_errors: read(&self.store_errors),
        }
    }
}

impl Checked {
    fn checks(&self) -> Checks {
        let [good, bad, failed] = &self.0;
        Checks { good: read(good), bad: read(bad), failed: read(failed) }
    }
}

fn place<'m, K: PartialEq>(counters: &'m [(K, AtomicU64)], key: &K) -> Option<&'m AtomicU64> {
    counters.iter().find(|(known, _)| known == key).map(|(_, counter)| counter)
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_every_fault_has_a_place() {
        let meter = Meter::default();
        for reason in Reason::all() {
            meter.login(&Ended::Denied(reason), Duration::ZERO);
        }
        for fault in [Fault::Directory, Fault::Store, Fault::Configuration, Fault::Internal] {
            meter.login(&Ended::Failed(fault), Duration::ZERO);
        }
        let counts = meter.counts();
        assert!(counts.denied.iter().all(|(_, count)| *count == 1), "{counts:?}");
        assert!(counts.failed.iter().all(|(_, count)| *count == 1), "{counts:?}");
        assert_eq!((counts.granted, counts.store_errors), (0, 1));
        assert_eq!(counts.login_times.count(), (counts.denied.len() + counts.failed.len()) as u64);
    }

    #[test]
    fn a_login_is_in_the_bucket_that_it_just_fits() {
        let meter = Meter::default();
        for micros in [10_000, 10_001, 20_000_000, 20_000_001] {
            meter.login(&Ended::Granted, Duration::from_micros(micros));
        }
        let times = meter.counts().login_times;
        let filled: Vec<_> = times.buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(filled, [(millis(10), 1), (millis(25), 1), (millis(20_000), 1), (None, 1)]);
        assert_eq!(times.sum, Duration::from_micros(40_020_002));
    }
}
