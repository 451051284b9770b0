//! A clock that only moves when it is told to.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// A settable clock; clones share the time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<SystemTime>>);

impl Clock {
    /// A clock that stands at `seconds` after 1970.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))))
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += by;
    }
}
