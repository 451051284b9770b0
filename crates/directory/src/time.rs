//! GeneralizedTime (RFC 4517 section 3.3.13), whole seconds in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// Seconds since 1970; a time before that counts as 1970.
pub(crate) fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `20260131235959Z`.
pub(crate) fn generalized(time: SystemTime) -> String {
    let seconds = unix(time);
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
}

/// Year, month and day of a number of days since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    // Counted from 1 March of year 0, so that the leap day is the last of its year; an era is 400 years.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_read_as_the_calendar_has_them() {
        for (seconds, text) in [
            (0, "19700101000000Z"),
            (951_782_399, "20000228235959Z"),
            (951_782_400, "20000229000000Z"),
            (1_709_251_199, "20240229235959Z"),
            (1_798_761_599, "20261231235959Z"),
            (4_107_542_400, "21000301000000Z"),
        ] {
            assert_eq!(generalized(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
        assert_eq!(generalized(UNIX_EPOCH - Duration::from_secs(5)), "19700101000000Z");
    }
}
