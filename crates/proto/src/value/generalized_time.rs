//! GeneralizedTime (RFC 4517 section 3.3.13).

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use super::ValueError;

const DAY: i64 = 86_400;
/// The first second of the year 0 and of the year 10000: four digits hold no others.
const FIRST: i64 = -62_167_219_200;
const END: i64 = 253_402_300_800;

/// A point in time as `createTimestamp`, `pwdChangedTime` and their like hold it: `20261124093000Z`.
///
/// Read are all forms that RFC 4517 allows: minutes and seconds may be missing, the last part may have a fraction, the zone
/// is `Z` or an offset. Printed is UTC with seconds.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use ldapgate_proto::value::GeneralizedTime;
///
/// let time: GeneralizedTime = "19700101013000.5+0100".parse()?;
/// assert_eq!(time.to_system_time(), SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_500));
/// assert_eq!(time.to_string(), "19700101003000Z");
/// # Ok::<(), ldapgate_proto::value::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GeneralizedTime {
    /// Since 1970, rounded down.
    seconds: i64,
    nanoseconds: u32,
}

impl GeneralizedTime {
    /// The time of the system's kind; `None` where its year has not four digits.
    pub fn from_system_time(time: SystemTime) -> Option<GeneralizedTime> {
        let (seconds, nanoseconds) = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()).ok()?, after.subsec_nanos()),
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).ok()?;
                match before.subsec_nanos() {
                    0 => (-whole, 0),
                    nanoseconds => (-whole - 1, 1_000_000_000 - nanoseconds),
                }
            }
        };
        (FIRST..END).contains(&seconds).then_some(GeneralizedTime { seconds, nanoseconds })
    }

    /// The same as the system tells time.
    pub fn to_system_time(&self) -> SystemTime {
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let second = if self.seconds < 0 { epoch - whole } else { epoch + whole };
        second + Duration::from_nanos(u64::from(self.nanoseconds))
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_seconds(&self) -> i64 {
        self.seconds
    }
}

impl FromStr for GeneralizedTime {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<GeneralizedTime, ValueError> {
        read(text.trim().as_bytes()).ok_or(ValueError::of("GeneralizedTime"))
    }
}

impl fmt::Display for GeneralizedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.seconds.div_euclid(DAY));
        let second = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
    }
}

fn read(text: &[u8]) -> Option<GeneralizedTime> {
    let mut rest = text;
    let (year, month) = (number(&mut rest, 4)?, number(&mut rest, 2)?);
    let (day, hour) = (number(&mut rest, 2)?, number(&mut rest, 2)?);
    let minute = number(&mut rest, 2);
    let second = minute.and_then(|_| number(&mut rest, 2));
    // What one unit of the last part is, which a fraction is of.
    let unit = match (minute, second) {
        (None, _) => 3600,
        (Some(_), None) => 60,
        (Some(_), Some(_)) => 1,
    };
    let (minute, second) = (minute.unwrap_or(0), second.unwrap_or(0));
    let (whole, nanoseconds) = fraction(&mut rest, unit)?;
    let offset = zone(rest)?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60; // A leap second is the first of the next minute.
    if !in_range {
        return None;
    }
    let seconds = days_from(year, month, day) * DAY + hour * 3600 + minute * 60 + second + whole - offset;
    (FIRST..END).contains(&seconds).then_some(GeneralizedTime { seconds, nanoseconds })
}

/// Takes so many digits off the front, all of them or none.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (digits, after) = rest.split_at_checked(digits)?;
    let value = digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))?;
    *rest = after;
    Some(value)
}

/// Takes `.5` or `,5` off the front, of a unit of so many seconds: whole seconds and nanoseconds. Digits beyond
/// nanoseconds are left out.
fn fraction(rest: &mut &[u8], unit: i64) -> Option<(i64, u32)> {
    let Some((b'.' | b',', after)) = rest.split_first() else { return Some((0, 0)) };
    let length = after.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let (digits, after) = after.split_at(length);
    if digits.is_empty() {
        return None;
    }
    let billionths = (0..9)
        .fold(0, |value, place| value * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0')));
    *rest = after;
    let nanoseconds = billionths * unit;
    Some((nanoseconds / 1_000_000_000, u32::try_from(nanoseconds % 1_000_000_000).ok()?))
}

/// The whole rest: `Z`, `+hh` or `-hhmm`, in seconds east of UTC.
fn zone(rest: &[u8]) -> Option<i64> {
    let (sign, mut rest) = rest.split_first()?;
    let sign = match sign {
        b'Z' | b'z' => return rest.is_empty().then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(&mut rest, 2)?;
    let minutes = if rest.is_empty() { 0 } else { number(&mut rest, 2)? };
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of January of a year.
fn days_to_year(year: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    // 477 leap days lie before 1970, counted the same way.
    (year - 1970) * 365 + leap_days - 477
}

/// Days from 1970-01-01, in the Gregorian calendar before its time, too.
fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    days_to_year(year) + months + day - 1
}

/// Year, month and day, so many days after 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
    // 146,097 days are 400 years; this is right or one year too late.
    let mut year = 1970 + (days * 400).div_euclid(146_097);
    while days_to_year(year) > days {
        year -= 1;
    }
    while days_to_year(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_to_year(year);
    let mut month = 1;
    while day >= days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        text.parse::<GeneralizedTime>().ok().map(|time| time.unix_seconds())
    }

    #[test]
    fn every_form_of_the_rfc_is_read() {
        for (text, wanted) in [
            ("19700102000000Z", 86_400),
            ("197001020000Z", 86_400),
            ("1970010200Z", 86_400),
            ("19700102000000.123456789012Z", 86_400),
            ("1970010112,5Z", 45_000),
            ("197001011200.5Z", 43_230),
            ("19700101000000-0130", 5_400),
            ("19700101000000+01", -3_600),
            ("19691231235960Z", 0),
            ("20000229120000Z", 951_825_600),
            ("20261124000000Z", 20_781 * DAY),
            ("00000101000000Z", FIRST),
            ("99991231235959Z", END - 1),
        ] {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_an_error() {
        for wrong in [
            "",
            "Z",
            "1970Z",
            "19700101Z",
            "19701301000000Z",
            "19700230000000Z",
            "19000229000000Z",
            "19700101240000Z",
            "19700101006000Z",
            "19700101000061Z",
            "19700101000000",
            "19700101000000.Z",
            "19700101000000ZZ",
            "19700101000000+2400",
            "19700101000000+1",
            "1970010200000\u{e9}Z",
            "99991231235960Z",
            "00000101000000+0001",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn fractions_before_1970_count_forwards() {
        let time: GeneralizedTime = "19691231235959.25Z".parse().unwrap();
        assert_eq!(SystemTime::UNIX_EPOCH.duration_since(time.to_system_time()).unwrap().as_millis(), 750);
        assert_eq!(GeneralizedTime::from_system_time(time.to_system_time()), Some(time));
    }

    proptest::proptest! {
        #[test]
        fn every_second_prints_and_comes_back(seconds in FIRST..END, nanoseconds in 0..1_000_000_000_u32) {
            let time = GeneralizedTime { seconds, nanoseconds };
            proptest::prop_assert_eq!(time.to_string().parse::<GeneralizedTime>().unwrap().seconds, seconds);
            proptest::prop_assert_eq!(GeneralizedTime::from_system_time(time.to_system_time()), Some(time));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<GeneralizedTime>();
        }
    }
}
