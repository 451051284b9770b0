//! When a refusal is answered: at instants that all of them share, so that how long it took says nothing of whether
//! the name is anybody's.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many refused binds are remembered.
const WINDOW: usize = 32;
/// Answers are given at multiples of this, counted from the login's start.
const GRID: Duration = Duration::from_millis(50);
/// No answer is held back longer for others' sake: one slow server must not make every typing error slow.
const LONGEST: Duration = Duration::from_secs(5);

/// How long the last logins took that ended in a refused bind, from start to settlement.
#[derive(Debug, Default)]
pub(crate) struct HoldBack(Mutex<VecDeque<Duration>>);

impl HoldBack {
    /// Remembers how long a login took that ended in a refused bind, in place of the oldest.
    pub(crate) fn saw(&self, took: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == WINDOW {
            seen.pop_front();
        }
        seen.push_back(took);
    }

    /// How long a refusal takes, whatever its cause.
    pub(crate) fn usual(&self) -> Duration {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        usual(seen.iter().copied().collect())
    }
}

/// When to answer a login that was refused after `spent`, both counted from its start: after as long as usual, or, where
/// that is over, at the next instant of the grid.
pub(crate) fn answer_after(usual: Duration, spent: Duration) -> Duration {
    on_grid(usual.max(spent))
}

/// What nine of ten refused binds do not exceed, on the grid.
fn usual(mut seen: Vec<Duration>) -> Duration {
    seen.sort_unstable();
    let nine_of_ten = (seen.len() * 9).div_ceil(10).saturating_sub(1);
    on_grid(seen.get(nine_of_ten).copied().unwrap_or_default().min(LONGEST))
}

/// The next multiple of the grid; never zero.
fn on_grid(time: Duration) -> Duration {
    let steps = time.as_nanos().div_ceil(GRID.as_nanos()).max(1);
    GRID.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_refusal_takes_what_nine_of_ten_take_rounded_up() {
        let hold_back = HoldBack::default();
        for took in [20, 30, 25, 35, 71, 60, 9000, 61, 22, 31] {
            hold_back.saw(millis(took));
        }
        assert_eq!(hold_back.usual(), millis(100));
    }

    #[test]
    fn old_binds_are_forgotten() {
        let hold_back = HoldBack::default();
        for took in (0..WINDOW as u64).map(|_| 800).chain((0..WINDOW as u64).map(|_| 10)) {
            hold_back.saw(millis(took));
        }
        assert_eq!(hold_back.usual(), millis(50));
    }

    #[test]
    fn a_refusal_takes_its_time_before_the_first_bind_was_seen_and_never_long() {
        let hold_back = HoldBack::default();
        assert_eq!(hold_back.usual(), GRID);
        hold_back.saw(Duration::from_secs(60));
        assert_eq!(hold_back.usual(), LONGEST);
    }

    #[test]
    fn every_answer_falls_on_the_grid() {
        for (spent, answered) in [(0, 150), (149, 150), (150, 150), (151, 200), (9001, 9050)] {
            assert_eq!(answer_after(millis(150), millis(spent)), millis(answered), "after {spent} ms");
        }
        assert_eq!(answer_after(GRID, GRID + Duration::from_nanos(1)), millis(100));
    }
}
