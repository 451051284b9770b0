//! 389 Directory Server, and FreeIPA on top of it: most of what is the matter is said before the password is compared.

use std::time::{Duration, SystemTime};

use proto::control::PasswordPolicyError;
use proto::value::GeneralizedTime;
use proto::{PasswordExpired, PasswordExpiring, ResultCode};

use super::{Standing, is_true, number};
use crate::tree::View;

/// `passwordWarning` as it comes.
const WARNING: Duration = Duration::from_secs(24 * 60 * 60);
/// FreeIPA's `krbPwdMaxFailure` as it comes.
const FAILURES: i64 = 6;

pub(super) fn before_comparing(entry: &View<'_>, now: SystemTime) -> Option<Standing> {
    if is_true(entry, "nsaccountlock") {
        let text = "Account inactivated. Contact system administrator.";
        return Some(Standing::refused(ResultCode::UNWILLING_TO_PERFORM, text));
    }
    let violation = |text| Standing::refused(ResultCode::CONSTRAINT_VIOLATION, text);
    if is_idle(entry, now) {
        let text = "Account inactivity limit exceeded. Contact system administrator to reset.";
        return Some(violation(text));
    }
    let text = match time(entry, "accountunlocktime")? {
        SystemTime::UNIX_EPOCH => "Exceed password retry limit. Contact system administrator to reset.",
        time if time > now => "Exceed password retry limit. Please try later.",
        _ => return None,
    };
    Some(violation(text).with(PasswordPolicyError::AccountLocked))
}

pub(super) fn judge(entry: &View<'_>, now: SystemTime) -> Standing {
    match time(entry, "passwordexpirationtime") {
        Some(SystemTime::UNIX_EPOCH) => {
            let must_change = Standing::default().with(PasswordPolicyError::ChangeAfterReset);
            Standing { control: Some(PasswordExpired.to_control()), ..must_change }
        }
        Some(time) => match time.duration_since(now) {
            Ok(left) if left > WARNING => Standing::default(),
            Ok(left) => expires_in(left),
            Err(_) if grace_logins(entry).is_some_and(|left| left > 0) => grace_login(entry),
            Err(_) => {
                let expired = Standing::refused(ResultCode::INVALID_CREDENTIALS, "password expired!");
                let expired = expired.with(PasswordPolicyError::PasswordExpired);
                Standing { control: Some(PasswordExpired.to_control()), ..expired }
            }
        },
        None => Standing::default(),
    }
}

pub(super) fn freeipa_before_comparing(entry: &View<'_>, now: SystemTime) -> Option<Standing> {
    let unwilling = |text| Some(Standing::refused(ResultCode::UNWILLING_TO_PERFORM, text));
    if let Some(standing) = before_comparing(entry, now) {
        return Some(standing);
    }
    if has_passed(entry, "krbprincipalexpiration", now) {
        return unwilling("Account (Kerberos principal) is expired");
    }
    if number(entry, "krbloginfailedcount").is_some_and(|count| count >= FAILURES) {
        return unwilling("Too many failed logins.\n");
    }
    if has_passed(entry, "krbpasswordexpiration", now) && grace_logins(entry) == Some(0) {
        let expired = Standing::refused(ResultCode::INVALID_CREDENTIALS, "Password is expired.\n");
        return Some(expired.with(PasswordPolicyError::PasswordExpired));
    }
    None
}

/// FreeIPA lets an old password pass, and counts such logins only where `passwordGraceLimit` says how many there are.
pub(super) fn freeipa_judge(entry: &View<'_>, now: SystemTime) -> Standing {
    let counts = has_passed(entry, "krbpasswordexpiration", now) && grace_logins(entry).is_some();
    if counts { grace_login(entry) } else { judge(entry, now) }
}

/// The account policy plug-in's limit; like that of grace logins it is an attribute of a policy there, and of the person here.
fn is_idle(entry: &View<'_>, now: SystemTime) -> bool {
    let limit = number(entry, "accountinactivitylimit").and_then(|seconds| u64::try_from(seconds).ok());
    let end = time(entry, "lastlogintime").zip(limit);
    let end = end.and_then(|(last, limit)| last.checked_add(Duration::from_secs(limit)));
    end.is_some_and(|end| end < now)
}

fn grace_login(entry: &View<'_>) -> Standing {
    let mut standing = Standing::default();
    standing.policy.grace_logins = grace_logins(entry).map(|left| left.saturating_sub(1));
    standing.control = Some(PasswordExpired.to_control());
    standing
}

/// How many logins with an old password are left, this one included; the server does not count them down here.
fn grace_logins(entry: &View<'_>) -> Option<u32> {
    let limit = number(entry, "passwordgracelimit").filter(|limit| *limit > 0)?;
    let left = limit.saturating_sub(number(entry, "passwordgraceusertime").unwrap_or(0));
    Some(u32::try_from(left).unwrap_or(0))
}

fn expires_in(left: Duration) -> Standing {
    let mut standing = Standing::default();
    standing.policy.expires_in = u32::try_from(left.as_secs()).ok();
    standing.control = Some(PasswordExpiring { seconds: left.as_secs() }.to_control());
    standing
}

fn has_passed(entry: &View<'_>, attribute: &str, now: SystemTime) -> bool {
    time(entry, attribute).is_some_and(|time| time <= now)
}

fn time(entry: &View<'_>, attribute: &str) -> Option<SystemTime> {
    let time: GeneralizedTime = entry.text(attribute)?.parse().ok()?;
    Some(time.to_system_time())
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use crate::Dialect;

    fn told(dialect: Dialect, attributes: &str) -> (u32, String, bool) {
        let (standing, before) = judged(dialect, attributes);
        let error = standing.policy.error.map(|error| format!(" {error:?}")).unwrap_or_default();
        let control = standing.control.map(|control| {
            let value = control.value.unwrap_or_default();
            let oid = control.oid.trim_start_matches("2.16.840.1.113730.");
            format!(" {oid}={}", String::from_utf8_lossy(&value))
        });
        let words = format!("{}{error}{}", standing.result.message.trim_end(), control.unwrap_or_default());
        (standing.result.code.0, words, before)
    }

    #[test]
    fn the_older_controls_stand_beside_the_newer_one() {
        let ds389 = |attributes: &str| told(Dialect::Ds389, attributes);
        assert_eq!(
            ds389("passwordExpirationTime: 19700101000000Z"),
            (0, " ChangeAfterReset 3.4.4=0".to_owned(), false)
        );
        assert_eq!(
            ds389("passwordExpirationTime: 20260228235959Z"),
            (49, "password expired! PasswordExpired 3.4.4=0".to_owned(), false)
        );
        assert_eq!(ds389("passwordExpirationTime: 20260301001000Z"), (0, " 3.4.5=600".to_owned(), false));
        assert_eq!(ds389("passwordExpirationTime: 20260302000001Z"), (0, String::new(), false));
    }

    #[test]
    fn a_lock_and_an_end_are_told_before_the_password_is_compared() {
        let reset = "Exceed password retry limit. Contact system administrator to reset. AccountLocked";
        let later = "Exceed password retry limit. Please try later. AccountLocked";
        let ds389 = |attributes: &str| told(Dialect::Ds389, attributes);
        assert_eq!(ds389("accountUnlockTime: 19700101000000Z"), (19, reset.to_owned(), true));
        assert_eq!(ds389("accountUnlockTime: 20260301000001Z"), (19, later.to_owned(), true));
        assert_eq!(ds389("accountUnlockTime: 20260228235959Z"), (0, String::new(), false));
        assert_eq!(ds389("nsAccountLock: TRUE").0, 53);
        let freeipa = |attributes: &str| told(Dialect::FreeIpa, attributes);
        assert!(freeipa("nsAccountLock: TRUE").2);
        assert_eq!(
            freeipa("krbPrincipalExpiration: 20260228235959Z"),
            (53, "Account (Kerberos principal) is expired".to_owned(), true)
        );
        assert_eq!(freeipa("krbLoginFailedCount: 6"), (53, "Too many failed logins.".to_owned(), true));
        assert_eq!(freeipa("krbLoginFailedCount: 5"), (0, String::new(), false));
    }

    #[test]
    fn freeipa_lets_an_old_password_pass_as_often_as_its_grace_goes() {
        let old = |more: &str| {
            let attributes = format!("krbPasswordExpiration: 20260228235959Z\n{more}");
            let (standing, before) = judged(Dialect::FreeIpa, &attributes);
            (standing.result.code.0, standing.policy.grace_logins, before)
        };
        assert_eq!(old(""), (0, None, false));
        assert_eq!(old("passwordGraceLimit: 3"), (0, Some(2), false));
        assert_eq!(old("passwordGraceLimit: 3\npasswordGraceUserTime: 2"), (0, Some(0), false));
        assert_eq!(old("passwordGraceLimit: 3\npasswordGraceUserTime: 3"), (49, None, true));
    }
}
