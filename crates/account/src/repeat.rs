//! What comes again and again is told once in a while, with a count: nobody outside decides how fast a disk fills.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Time;

/// When something was last told, by its place, and what was left out since. The number of places never grows: things
/// that share one by chance are told as one, so that ever new names do not get past it either.
pub(crate) struct Repeats {
    every: Duration,
    places: Mutex<Vec<Option<LeftOut>>>,
}

/// What was left out after something was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    since: Time,
    pub(crate) count: u64,
}

impl Repeats {
    /// Tells each of so many places so often at most.
    pub(crate) fn new(places: usize, every: Duration) -> Self {
        Self { every, places: Mutex::new(vec![None; places]) }
    }

    /// Whether to tell it now: `None` is no. A number beyond the places counts as one of them.
    pub(crate) fn tell(&self, place: usize, now: Time) -> Option<LeftOut> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place % places.len();
        let before = &mut places[place];
        match before {
            // A clock that was set back silences nothing.
            Some(before) if before.since <= now && now.since(before.since) < self.every => {
                before.count += 1;
                None
            }
            _ => {
                let told = before.unwrap_or(LeftOut { since: now, count: 0 });
                *before = Some(LeftOut { since: now, count: 0 });
                Some(told)
            }
        }
    }
}

/// For the end of what is told next.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "and {} more after {}", self.count, self.since.rounded())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_counted_until_its_time_has_passed() {
        let repeats = Repeats::new(4, Duration::from_secs(60));
        let at = Time::from_seconds;
        let count = |place, seconds| repeats.tell(place, at(seconds)).map(|left_out| left_out.count);
        assert_eq!((count(1, 0), count(1, 1), count(1, 59)), (Some(0), None, None));
        assert_eq!(count(2, 30), Some(0), "another place is told by itself");
        assert_eq!(count(5, 58), None, "there are no more than four places");
        let left_out = repeats.tell(1, at(60)).unwrap();
        assert_eq!(left_out.to_string(), "and 3 more after 1970-01-01T00:00:00Z");
        assert_eq!((count(1, 61), count(1, 120)), (None, Some(1)));
        assert_eq!(count(1, 5), Some(0), "a clock that was set back silences nothing");
    }
}
