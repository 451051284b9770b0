//! The clock's time in the forms that entries need it in.

use std::time::{SystemTime, UNIX_EPOCH};

use proto::value::GeneralizedTime;

/// Seconds since 1970; a time before that counts as 1970.
pub(crate) fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `20260131235959Z`; a time whose year has not four digits counts as 1970.
pub(crate) fn generalized(time: SystemTime) -> String {
    let time = GeneralizedTime::from_system_time(time);
    time.map_or_else(|| "19700101000000Z".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_far_off_still_tells_a_time() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(generalized(at(253_402_300_799)), "99991231235959Z");
        assert_eq!(generalized(at(253_402_300_800)), "19700101000000Z");
        assert_eq!(unix(UNIX_EPOCH - Duration::from_secs(5)), 0);
    }
}
