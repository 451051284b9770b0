//! The one brake on mass loss.
//!
//! A changed access rule, a base that moved or a directory restored from an empty backup make every search succeed with
//! nothing. So access is only ever ended in small numbers, measured against people who were looked at in the same moment.

use std::fmt;
use std::time::Duration;

/// How far back access that was ended counts, at least.
const WINDOW: Duration = Duration::from_secs(10 * 60);

/// What one pass found in one directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// So many would lose what they were given.
    pub(crate) lost: u64,
    /// Of so many who were looked at and of whom something can be said.
    pub(crate) looked: u64,
    /// So many lost it lately.
    pub(crate) lately: u64,
    /// So many may act, those who would lose it included.
    pub(crate) with_access: u64,
}

/// Why nothing is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Too many of those who were looked at.
    OfLooked { lost: u64, looked: u64, most: u8 },
    /// Too many within a short time.
    Lately { lost: u64, lately: u64, all: u64, most: u8 },
}

/// How far back access that was ended counts where people are looked at every `refresh`.
pub(crate) fn window(refresh: Duration) -> Duration {
    WINDOW.max(refresh.saturating_mul(2))
}

impl Tally {
    /// Whether that many may lose access: one always may; more only up to `most` per cent of those who were looked at, and,
    /// with those of late, of everybody.
    pub(crate) fn judge(self, most: u8) -> Result<(), Held> {
        let Self { lost, looked, lately, with_access } = self;
        if lost <= 1 {
            return Ok(());
        }
        if is_more(lost, looked, most) {
            return Err(Held::OfLooked { lost, looked, most });
        }
        let together = lost.saturating_add(lately);
        let all = with_access.saturating_add(lately);
        match is_more(together, all, most) {
            true => Err(Held::Lately { lost, lately, all, most }),
            false => Ok(()),
        }
    }
}

/// Whether `part` is more than `most` per cent of `whole`.
fn is_more(part: u64, whole: u64, most: u8) -> bool {
    u128::from(part) * 100 > u128::from(whole) * u128::from(most)
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfLooked { lost, looked, most } => {
                write!(f, "{lost} of {looked} people who were looked at would lose access, more than {most}%")
            }
            Self::Lately { lost, lately, all, most } => write!(
                f,
                "{lost} people would lose access and {lately} lost it a short while ago: of {all} more than {most}%"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lost: u64, looked: u64, lately: u64, with_access: u64) -> bool {
        Tally { lost, looked, lately, with_access }.judge(10).is_ok()
    }

    #[test]
    fn a_layoff_of_one_goes_through_however_small_the_shop_is() {
        for people in [1, 2, 5, 1000] {
            assert!(judged(1, people, 0, people), "one of {people}");
        }
        assert!(Tally { lost: 1, looked: 1, lately: 0, with_access: 1 }.judge(0).is_ok());
    }

    #[test]
    fn two_in_a_shop_of_five_are_held_together_and_not_one_after_the_other() {
        assert!(!judged(2, 5, 0, 5));
        assert!(judged(1, 4, 1, 4), "one always may");
    }

    #[test]
    fn a_tenth_goes_through_and_one_more_does_not() {
        assert!(judged(50, 500, 0, 10_000));
        assert!(!judged(51, 500, 0, 10_000));
        assert!(!judged(500, 500, 0, 500), "everybody");
    }

    #[test]
    fn a_loss_in_drops_is_held_when_the_drops_are_too_many() {
        assert!(judged(2, 500, 998, 9_002), "the tenth part of ten thousand");
        assert!(!judged(2, 500, 999, 9_001));
        assert!(judged(0, 500, 5_000, 5_000), "nobody is lost: nothing is to be held");
    }

    #[test]
    fn a_limit_of_everything_and_of_nothing() {
        let all = Tally { lost: 7, looked: 7, lately: 0, with_access: 7 };
        assert!(all.judge(100).is_ok());
        assert!(Tally { lost: 2, looked: 1_000_000, ..all }.judge(0).is_err());
    }

    #[test]
    fn the_window_is_ten_minutes_or_two_rounds() {
        assert_eq!(window(Duration::from_secs(60)), Duration::from_secs(600));
        assert_eq!(window(Duration::from_secs(3600)), Duration::from_secs(7200));
    }
}
