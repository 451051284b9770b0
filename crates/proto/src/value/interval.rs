//! Active Directory's lengths of time.

use std::fmt;
use std::time::Duration;

use super::ValueError;

/// They count in units of 100 nanoseconds.
const TICKS: u64 = 10_000_000;

/// A length of time as `maxPwdAge`, `lockoutDuration` and their like hold it: 100 nanoseconds, negative, as decimal text.
///
/// ```
/// use std::time::Duration;
/// use ldapgate_proto::value::Interval;
///
/// assert_eq!(Interval::parse("-18000000000")?.to_duration(), Some(Duration::from_secs(30 * 60)));
/// assert!(Interval::parse("-9223372036854775808")?.is_never());
/// # Ok::<(), ldapgate_proto::value::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interval(i64);

impl Interval {
    /// Takes the number as it is.
    pub fn from_ticks(ticks: i64) -> Interval {
        Interval(ticks)
    }

    /// The same length; `None` beyond what these can hold.
    pub fn from_duration(length: Duration) -> Option<Interval> {
        let ticks = i64::try_from(length.as_nanos() / 100).ok()?;
        Some(Interval(-ticks))
    }

    /// Reads an attribute's text.
    ///
    /// # Errors
    /// No whole number of 64 bits.
    pub fn parse(text: &str) -> Result<Interval, ValueError> {
        text.trim().parse().map(Interval).map_err(|_| ValueError::of("interval of Active Directory"))
    }

    /// As it is kept: 100 nanoseconds, negative.
    pub fn ticks(self) -> i64 {
        self.0
    }

    /// The smallest number: no length, but "never".
    pub fn is_never(self) -> bool {
        self.0 == i64::MIN
    }

    /// How long it is; `None` for "never".
    pub fn to_duration(self) -> Option<Duration> {
        if self.is_never() {
            return None;
        }
        let ticks = self.0.unsigned_abs();
        // Fewer than ten million ticks are fewer than 10^9 nanoseconds.
        Some(Duration::new(ticks / TICKS, (ticks % TICKS) as u32 * 100))
    }
}

/// "never", "42d", "1d 30min", "90s".
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(length) = self.to_duration() else { return f.write_str("never") };
        let seconds = length.as_secs();
        let parts = [
            (seconds / 86_400, "d"),
            (seconds / 3600 % 24, "h"),
            (seconds / 60 % 60, "min"),
            (seconds % 60, "s"),
        ];
        let mut space = "";
        for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{space}{count}{unit}")?;
            space = " ";
        }
        if space.is_empty() { f.write_str("0s") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_units_that_fit() {
        for (ticks, told) in [
            (0, "0s"),
            (-36_288_000_000_000, "42d"),
            (-882_000_000_000, "1d 30min"),
            (-915_000_000, "1min 31s"),
            (i64::MIN, "never"),
        ] {
            assert_eq!(Interval::from_ticks(ticks).to_string(), told);
        }
    }

    #[test]
    fn a_duration_comes_back() {
        let length = Duration::new(90, 700);
        assert_eq!(Interval::from_duration(length).unwrap().ticks(), -900_000_007);
        assert_eq!(Interval::from_duration(length).unwrap().to_duration(), Some(length));
        assert_eq!(Interval::from_duration(Duration::MAX), None);
        assert!(Interval::parse("1h").is_err());
    }
}
