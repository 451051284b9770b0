//! The dates of certificates, to and from seconds.

use std::time::{Duration, SystemTime};

use crate::der;

const DAY: i64 = 86_400;

/// Reads `UTCTime` (`YYMMDDHHMMSSZ`) or `GeneralizedTime` (`YYYYMMDDHHMMSSZ`), the only forms RFC 5280 section 4.1.2.5 allows.
pub(crate) fn parse(tag: u8, content: &[u8]) -> Option<SystemTime> {
    let (year, rest) = match tag {
        der::UTC_TIME => {
            let (year, rest) = number(content, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        der::GENERALIZED_TIME => number(content, 4)?,
        _ => return None,
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let valid = rest == b"Z"
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    valid.then_some(())?;
    let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    from_seconds(seconds)
}

/// `2026-11-03 09:30:00 UTC`.
pub(crate) fn show(time: SystemTime) -> String {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX / 2),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX / 2),
    };
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02} UTC", second % 60)
}

fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    if !head.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((head.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')), rest))
}

fn from_seconds(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// Days since 1970-01-01. The year is counted from March, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_year = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_month = (153 * month + 2) / 5;
    before_year + before_month + day - 1 - 719_468
}

/// The other way round: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_shown() {
        for (tag, text, shown) in [
            (der::UTC_TIME, "700101000000Z", "1970-01-01 00:00:00 UTC"),
            (der::UTC_TIME, "240229235959Z", "2024-02-29 23:59:59 UTC"),
            (der::UTC_TIME, "491231000000Z", "2049-12-31 00:00:00 UTC"),
            (der::UTC_TIME, "500101000000Z", "1950-01-01 00:00:00 UTC"),
            (der::GENERALIZED_TIME, "20000301120000Z", "2000-03-01 12:00:00 UTC"),
            (der::GENERALIZED_TIME, "99991231235959Z", "9999-12-31 23:59:59 UTC"),
        ] {
            let time = parse(tag, text.as_bytes()).expect(text);
            assert_eq!(show(time), shown);
        }
    }

    #[test]
    fn every_day_of_eight_centuries_survives_both_ways() {
        for day in -150_000..150_000 {
            let (y, m, d) = civil(day);
            assert_eq!(days(y, m, d), day);
        }
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in ["", "2401010000Z", "240101000000", "241301000000Z", "24010100000xZ", "240101000000+0100"]
        {
            assert_eq!(parse(der::UTC_TIME, text.as_bytes()), None, "{text}");
        }
    }
}
