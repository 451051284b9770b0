//! OpenLDAP's password policy, and this directory's own states for what OpenLDAP does not have.

use std::time::SystemTime;

use proto::ResultCode;
use proto::control::PasswordPolicyError;

use super::{Standing, active_directory, is_true, number};
use crate::time;
use crate::tree::View;

/// Judges an entry by the attributes that OpenLDAP, 389 Directory Server, `shadow` and Active Directory use: people of all
/// servers may stand in one file.
///
/// Locks, resets and Active Directory's states are answered as OpenLDAP's password policy and Active Directory answer
/// them. `account disabled` and `account expired` with 53 are this directory's own words: no other server is known to say
/// them.
pub(super) fn judge(entry: &View<'_>, now: SystemTime) -> Standing {
    if let Some(standing) = active_directory::judge_by_dates(entry, now) {
        return standing;
    }
    if entry.text("pwdaccountlockedtime").is_some() {
        let locked = Standing::refused(ResultCode::INVALID_CREDENTIALS, "");
        return locked.with(PasswordPolicyError::AccountLocked);
    }
    if is_true(entry, "nsaccountlock") {
        return Standing::refused(ResultCode::UNWILLING_TO_PERFORM, "account disabled");
    }
    let today = i64::try_from(time::unix(now) / (24 * 60 * 60)).unwrap_or(i64::MAX);
    // Less than 0 is never. shadow(5) advises against 0, since some read it as never and some as the first day of 1970:
    // here it shuts out.
    if number(entry, "shadowexpire").is_some_and(|day| (0..=today).contains(&day)) {
        return Standing::refused(ResultCode::UNWILLING_TO_PERFORM, "account expired");
    }
    if is_true(entry, "pwdreset") {
        return Standing::default().with(PasswordPolicyError::ChangeAfterReset);
    }
    Standing::default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use crate::Dialect;

    fn told(attributes: &str) -> String {
        let (standing, before) = judged(Dialect::OpenLdap, attributes);
        assert!(!before, "OpenLDAP compares the password first");
        let policy = standing.policy.error.map(|error| format!("{error:?}")).unwrap_or_default();
        format!("{} {}{policy}", standing.result.code.0, standing.result.message)
    }

    #[test]
    fn a_lock_and_a_reset_are_told_by_policy_and_the_rest_in_words_of_its_own() {
        assert_eq!(told("pwdAccountLockedTime: 000001010000Z"), "49 AccountLocked");
        assert_eq!(told("nsAccountLock: TRUE"), "53 account disabled");
        assert_eq!(told("nsAccountLock: false"), "0 ");
        assert_eq!(told("shadowExpire: 20513"), "53 account expired");
        assert_eq!(told("shadowExpire: 20514"), "0 ");
        assert_eq!(told("shadowExpire: 0"), "53 account expired");
        assert_eq!(told("shadowExpire: -1"), "0 ");
        assert_eq!(told("pwdReset: TRUE"), "0 ChangeAfterReset");
    }

    #[test]
    fn people_of_active_directory_are_told_in_its_words() {
        let text = told("userAccountControl: 512\nlockoutTime: 134000000000000000");
        assert!(text.starts_with("49 80090308: LdapErr: ") && text.ends_with("data 775, v1db1"), "{text}");
        assert_eq!(told("userAccountControl: 512\nuserWorkstations: ELSEWHERE"), "0 ");
    }
}
