//! Durations as text: `"500ms"`, `"5s"`, `"12h"`, `"30d"`.

use std::time::Duration;

/// What `"0s"` means for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    /// It switches the thing off.
    Off,
    /// It is a mistake.
    Wrong,
}

const UNITS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// A hundred years, in milliseconds: nothing here is meant to last longer, and sums with the present time stay in range.
const LONGEST: u64 = 100 * 365 * 86_400_000;

/// Reads a duration; the error says what it should look like.
pub(crate) fn parse(text: &str, zero: Zero) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, milliseconds)| *milliseconds);
    let Some(unit) = unit.filter(|_| digits > 0) else {
        return Err(format!(
            "{text:?} is no duration: write a number and ms, s, m, h or d, as in \"30s\" or \"12h\""
        ));
    };
    let milliseconds =
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|sum| *sum <= LONGEST);
    match milliseconds {
        None => Err(format!("{text:?} is too long: at most a hundred years")),
        Some(0) if zero == Zero::Wrong => Err(format!("{text:?}: this cannot be switched off")),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, milliseconds) in
            [("500ms", 500), ("5s", 5_000), ("30m", 1_800_000), ("12h", 43_200_000), ("30d", 2_592_000_000)]
        {
            let duration = parse(text, Zero::Wrong).expect(text);
            assert_eq!(duration, Duration::from_millis(milliseconds));
        }
        assert_eq!(parse("0s", Zero::Off), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "5", "s", "5 s", "-5s", "1.5h", "5S", "5min", "99999999999999999999s", "40000d", "ms"]
        {
            assert!(parse(text, Zero::Off).is_err(), "{text:?}");
        }
        assert!(parse("0ms", Zero::Wrong).is_err());
    }
}
