//! Active Directory: 49 with a sub-code in the text, for who has the right password; a lock is told to everybody.

use std::time::SystemTime;

use proto::ResultCode;
use proto::value::FileTime;

use super::{Standing, number};
use crate::time;
use crate::tree::View;

/// Bits of `userAccountControl`.
const DISABLED: i64 = 0x2;
const PASSWORD_NEVER_EXPIRES: i64 = 0x1_0000;
pub(crate) const PASSWORD_EXPIRED: i64 = 0x80_0000;
/// 1 January 1970 was a Thursday, the day of this number when Sunday is 0.
const DAY_OF_1970: u64 = 4;

/// Its words for a sub-code.
pub(super) fn told(data: &str) -> Standing {
    let text =
        format!("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1");
    Standing::refused(ResultCode::INVALID_CREDENTIALS, &text)
}

pub(super) fn before_comparing(entry: &View<'_>) -> Option<Standing> {
    is_locked(entry).then(|| told("775"))
}

pub(super) fn judge(entry: &View<'_>, now: SystemTime) -> Option<Standing> {
    if let Some(standing) = judge_by_dates(entry, now) {
        return Some(standing);
    }
    if entry.find("logonhours").next().is_some_and(|hours| !allows(hours, now)) {
        return Some(told("530"));
    }
    // Whoever comes by LDAP comes from no workstation.
    entry.text("userworkstations").filter(|names| !names.is_empty()).map(|_| told("531"))
}

/// What the dates and flags of an account say, a lock included.
pub(super) fn judge_by_dates(entry: &View<'_>, now: SystemTime) -> Option<Standing> {
    let control = number(entry, "useraccountcontrol").unwrap_or(0);
    let expires = file_time(entry, "accountexpires").filter(|time| !time.is_never());
    if control & DISABLED != 0 {
        return Some(told("533"));
    }
    if is_locked(entry) {
        return Some(told("775"));
    }
    if expires.is_some_and(|time| FileTime::from_system_time(now).is_some_and(|now| time <= now)) {
        return Some(told("701"));
    }
    if control & PASSWORD_EXPIRED != 0 {
        return Some(told("532"));
    }
    let must_change = number(entry, "pwdlastset") == Some(0) && control & PASSWORD_NEVER_EXPIRES == 0;
    must_change.then(|| told("773"))
}

/// Has it been locked, and not unlocked since?
pub(crate) fn is_locked(entry: &View<'_>) -> bool {
    file_time(entry, "lockouttime").is_some_and(|time| time != FileTime::from_ticks(0))
}

fn file_time(entry: &View<'_>, attribute: &str) -> Option<FileTime> {
    FileTime::parse(entry.text(attribute)?).ok()
}

/// `logonHours`: one bit an hour from Sunday midnight in UTC, the lowest first; without 21 bytes of them every hour.
fn allows(hours: &[u8], now: SystemTime) -> bool {
    let hour = (time::unix(now) / 3600 + DAY_OF_1970 * 24) % (7 * 24);
    let byte = hours.get(usize::try_from(hour / 8).unwrap_or_default());
    hours.len() != 21 || byte.is_some_and(|byte| byte >> (hour % 8) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::tests::judged;
    use super::*;
    use crate::Dialect;

    #[test]
    fn every_state_has_its_sub_code_and_a_lock_is_told_to_everybody() {
        let no_hour = format!("logonHours:: {}", "A".repeat(28));
        for (attributes, data, before) in [
            ("userAccountControl: 514", "533", false),
            ("userAccountControl: 512\naccountExpires: 132223104000000000", "701", false),
            ("userAccountControl: 512\npwdLastSet: 0", "773", false),
            ("userAccountControl: 512\nlockoutTime: 134000000000000000", "775", true),
            ("userAccountControl: 8389120", "532", false),
            (&no_hour, "530", false),
            ("userWorkstations: ELSEWHERE", "531", false),
        ] {
            assert_eq!(judged(Dialect::ActiveDirectory, attributes), (told(data), before), "{attributes}");
        }
        let fine =
            "userAccountControl: 66048\npwdLastSet: 0\nlockoutTime: 0\naccountExpires: 9223372036854775807";
        assert_eq!(judged(Dialect::ActiveDirectory, fine), (Standing::default(), false));
    }

    #[test]
    fn hours_are_counted_from_sunday_midnight_in_utc() {
        // 1 March 2026 is a Sunday.
        let sunday = UNIX_EPOCH + Duration::from_secs(1_772_323_200);
        let mut hours = [0_u8; 21];
        hours[0] = 0b10;
        assert!(!allows(&hours, sunday) && allows(&hours, sunday + Duration::from_secs(3600)));
        assert!(!allows(&hours, sunday + Duration::from_secs(2 * 3600)));
        hours = [0; 21];
        hours[20] = 0x80;
        assert!(allows(&hours, sunday - Duration::from_secs(1)), "the last hour is Saturday's");
        assert!(allows(&[], sunday));
    }
}
