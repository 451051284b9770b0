//! May this person sign in? Asked only after the password was right, so that nobody learns it by guessing.

use std::time::SystemTime;

use proto::{LdapResult, PasswordPolicyError, ResultCode};

use crate::time;
use crate::tree::View;

/// Bits of Active Directory's `userAccountControl`.
const DISABLED: i64 = 0x2;
const PASSWORD_NEVER_EXPIRES: i64 = 0x1_0000;
const PASSWORD_EXPIRED: i64 = 0x80_0000;
/// Seconds between 1601, where Active Directory's times begin, and 1970.
const YEAR_1601: i64 = 11_644_473_600;
/// Active Directory's times count in 100 nanoseconds.
const TICKS: i64 = 10_000_000;

/// What becomes of a bind whose password was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    /// In, but nothing is allowed before the password is changed.
    MustChange,
    Refused {
        result: LdapResult,
        policy: Option<PasswordPolicyError>,
    },
}

/// Judges an entry by the attributes that OpenLDAP, 389 Directory Server, `shadow` and Active Directory use.
///
/// Locks, resets and Active Directory's states are answered as OpenLDAP's password policy and Active Directory answer
/// them. `account disabled` and `account expired` with 53 are this directory's own words: no other server is known to say
/// them. 389 Directory Server words `nsAccountLock` otherwise and says it before it compares the password; `shadowExpire`
/// means nothing to other servers, which leave it to whoever reads the entry.
pub(crate) fn judge(entry: &View<'_>, now: SystemTime) -> Standing {
    if let Some(data) = active_directory(entry, now) {
        let text = format!(
            "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1"
        );
        return refused(ResultCode::INVALID_CREDENTIALS, &text);
    }
    if entry.text("pwdaccountlockedtime").is_some() {
        return Standing::Refused {
            result: LdapResult::new(ResultCode::INVALID_CREDENTIALS, ""),
            policy: Some(PasswordPolicyError::AccountLocked),
        };
    }
    if is_true(entry, "nsaccountlock") {
        return refused(ResultCode::UNWILLING_TO_PERFORM, "account disabled");
    }
    let today = i64::try_from(time::unix(now) / (24 * 60 * 60)).unwrap_or(i64::MAX);
    // Less than 0 is never. shadow(5) advises against 0, since some read it as never and some as the first day of 1970:
    // here it shuts out.
    if number(entry, "shadowexpire").is_some_and(|day| (0..=today).contains(&day)) {
        return refused(ResultCode::UNWILLING_TO_PERFORM, "account expired");
    }
    if is_true(entry, "pwdreset") { Standing::MustChange } else { Standing::Good }
}

/// The sub-code Active Directory puts into its message.
fn active_directory(entry: &View<'_>, now: SystemTime) -> Option<&'static str> {
    let control = number(entry, "useraccountcontrol").unwrap_or(0);
    let now = i64::try_from(time::unix(now)).unwrap_or(i64::MAX);
    let expires = number(entry, "accountexpires").filter(|ticks| ![0, i64::MAX].contains(ticks));
    if control & DISABLED != 0 {
        return Some("533");
    }
    if number(entry, "lockouttime").is_some_and(|ticks| ticks != 0) {
        return Some("775");
    }
    if expires.is_some_and(|ticks| ticks / TICKS - YEAR_1601 <= now) {
        return Some("701");
    }
    if control & PASSWORD_EXPIRED != 0 {
        return Some("532");
    }
    let must_change = number(entry, "pwdlastset") == Some(0) && control & PASSWORD_NEVER_EXPIRES == 0;
    must_change.then_some("773")
}

fn refused(code: ResultCode, message: &str) -> Standing {
    Standing::Refused { result: LdapResult::new(code, message), policy: None }
}

fn number(entry: &View<'_>, attribute: &str) -> Option<i64> {
    entry.text(attribute)?.trim().parse().ok()
}

fn is_true(entry: &View<'_>, attribute: &str) -> bool {
    entry.text(attribute).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::tree::Tree;

    /// 1 March 2026.
    const NOW: u64 = 1_772_323_200;

    fn judged(attributes: &str) -> String {
        let mut tree = Tree::default();
        let text = format!("dn: uid=a,dc=example\nuid: a\n{attributes}\n");
        tree.load(text.as_bytes(), "20260301000000Z", 100).unwrap();
        let dn = proto::Dn::parse("uid=a,dc=example").unwrap();
        let view = tree.view(tree.find(&dn).unwrap());
        match judge(&view, UNIX_EPOCH + Duration::from_secs(NOW)) {
            Standing::Good => "good".into(),
            Standing::MustChange => "must change".into(),
            Standing::Refused { result, policy: None } => format!("{} {}", result.code.0, result.message),
            Standing::Refused { result, policy: Some(policy) } => format!("{} {policy:?}", result.code.0),
        }
    }

    #[test]
    fn a_lock_and_a_reset_are_told_by_policy_and_the_rest_in_words_of_its_own() {
        assert_eq!(judged("pwdAccountLockedTime: 000001010000Z"), "49 AccountLocked");
        assert_eq!(judged("nsAccountLock: TRUE"), "53 account disabled");
        assert_eq!(judged("nsAccountLock: false"), "good");
        assert_eq!(judged("shadowExpire: 20513"), "53 account expired");
        assert_eq!(judged("shadowExpire: 20514"), "good");
        assert_eq!(judged("shadowExpire: 0"), "53 account expired");
        assert_eq!(judged("shadowExpire: -1"), "good");
        assert_eq!(judged("pwdReset: TRUE"), "must change");
    }

    #[test]
    fn active_directory_answers_49_with_its_sub_code() {
        for (attributes, data) in [
            ("userAccountControl: 514", "533"),
            ("userAccountControl: 512\naccountExpires: 132223104000000000", "701"),
            ("userAccountControl: 512\npwdLastSet: 0", "773"),
            ("userAccountControl: 512\nlockoutTime: 134000000000000000", "775"),
            ("userAccountControl: 8389120", "532"),
        ] {
            let text = judged(attributes);
            assert!(
                text.starts_with("49 80090308: LdapErr: ") && text.ends_with(&format!("data {data}, v1db1")),
                "{text}"
            );
        }
        let fine =
            "userAccountControl: 66048\npwdLastSet: 0\nlockoutTime: 0\naccountExpires: 9223372036854775807";
        assert_eq!(judged(fine), "good");
    }
}
