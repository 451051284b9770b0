//! How long an answer that needed no bind is held back: as long as recent refused binds took.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many refused binds are remembered.
const WINDOW: usize = 32;
/// What a refused bind is taken to cost before the first was seen.
const FIRST: Duration = Duration::from_millis(50);
/// No answer is held back longer: one slow server must not make every typing error slow.
const LONGEST: Duration = Duration::from_secs(5);

/// How long the last refused binds took.
#[derive(Debug, Default)]
pub(crate) struct HoldBack(Mutex<VecDeque<Duration>>);

impl HoldBack {
    /// Remembers how long a refused bind took, in place of the oldest.
    pub(crate) fn saw(&self, took: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == WINDOW {
            seen.pop_front();
        }
        seen.push_back(took);
    }

    /// How long to hold back one answer: the median of what was seen.
    pub(crate) fn long(&self) -> Duration {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<_> = seen.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(FIRST).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_slow_bind() {
        let hold_back = HoldBack::default();
        for millis in [20, 30, 9000, 25, 35] {
            hold_back.saw(Duration::from_millis(millis));
        }
        assert_eq!(hold_back.long(), Duration::from_millis(30));
    }

    #[test]
    fn old_binds_are_forgotten() {
        let hold_back = HoldBack::default();
        for millis in (0..WINDOW as u64).map(|_| 10).chain((0..WINDOW as u64).map(|_| 80)) {
            hold_back.saw(Duration::from_millis(millis));
        }
        assert_eq!(hold_back.long(), Duration::from_millis(80));
    }

    #[test]
    fn an_answer_is_held_back_before_the_first_bind_was_seen_and_never_for_long() {
        let hold_back = HoldBack::default();
        assert_eq!(hold_back.long(), FIRST);
        hold_back.saw(Duration::from_secs(60));
        assert_eq!(hold_back.long(), LONGEST);
    }
}
