//! Active Directory's times (MS-DTYP section 2.3.3).

use std::time::{Duration, SystemTime};

use super::ValueError;

/// From 1601-01-01, where these times begin, to 1970-01-01.
const TO_1970: Duration = Duration::from_secs(11_644_473_600);
/// They count in units of 100 nanoseconds.
const TICKS: u64 = 10_000_000;

/// A point in time as `pwdLastSet`, `accountExpires`, `lockoutTime` and their like hold it: 100 nanoseconds since 1601, as
/// decimal text. What 0 and the largest number mean is the attribute's own affair: "never" in most.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use ldapgate_proto::value::FileTime;
///
/// let time = FileTime::parse("116444736010000000")?;
/// assert_eq!(time.to_system_time(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
/// assert!(FileTime::parse("9223372036854775807")?.is_never());
/// # Ok::<(), ldapgate_proto::value::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(i64);

impl FileTime {
    /// Takes the number as it is.
    pub fn from_ticks(ticks: i64) -> FileTime {
        FileTime(ticks)
    }

    /// The time of the system's kind, rounded down; `None` before 1601 and beyond what these times can hold.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use ldapgate_proto::value::FileTime;
    /// assert_eq!(FileTime::from_system_time(SystemTime::UNIX_EPOCH).map(FileTime::ticks), Some(116_444_736_000_000_000));
    /// ```
    pub fn from_system_time(time: SystemTime) -> Option<FileTime> {
        let since_1601 = time.duration_since(SystemTime::UNIX_EPOCH.checked_sub(TO_1970)?).ok()?;
        let ticks = since_1601.as_secs().checked_mul(TICKS)?;
        let ticks = ticks.checked_add(u64::from(since_1601.subsec_nanos() / 100))?;
        i64::try_from(ticks).ok().map(FileTime)
    }

    /// Reads an attribute's text.
    ///
    /// # Errors
    /// No whole number of 64 bits.
    pub fn parse(text: &str) -> Result<FileTime, ValueError> {
        text.trim().parse().map(FileTime).map_err(|_| ValueError::of("time of Active Directory"))
    }

    /// 100 nanoseconds since 1601.
    pub fn ticks(self) -> i64 {
        self.0
    }

    /// 0 and the largest number: no point in time (MS-ADTS section 3.1.1.4.5).
    pub fn is_never(self) -> bool {
        matches!(self.0, 0 | i64::MAX)
    }

    /// The same as the system tells time; `None` before 1601 and beyond what the system can show.
    pub fn to_system_time(self) -> Option<SystemTime> {
        let ticks = u64::try_from(self.0).ok()?;
        // Fewer than ten million ticks are fewer than 10^9 nanoseconds.
        let since_1601 = Duration::new(ticks / TICKS, (ticks % TICKS) as u32 * 100);
        SystemTime::UNIX_EPOCH.checked_sub(TO_1970)?.checked_add(since_1601)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_years_before_1970_are_times_too() {
        let begin = FileTime::from_ticks(0).to_system_time().unwrap();
        assert_eq!(SystemTime::UNIX_EPOCH.duration_since(begin).unwrap(), TO_1970);
        assert_eq!(FileTime::from_ticks(-1).to_system_time(), None);
        assert_eq!(FileTime::from_system_time(begin), Some(FileTime::from_ticks(0)));
        assert_eq!(FileTime::from_system_time(begin - Duration::from_secs(1)), None);
    }

    #[test]
    fn the_largest_number_does_not_overflow() {
        assert!(FileTime::from_ticks(i64::MAX).to_system_time().is_some());
        assert!(FileTime::parse("9223372036854775808").is_err());
        for wrong in ["", "12 3", "0x1", "20260101000000Z"] {
            assert!(FileTime::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
