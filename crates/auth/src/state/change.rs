//! What the answer to a new password means.

use std::fmt;

use client::PasswordReply;
use proto::{PasswordPolicyError, ResultCode};

use super::reply::told;
use crate::objection::{Objection, Unfit};
use crate::{Denial, Error, Reason, Vendor};

/// Who asked for the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Person,
    Service,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            By::Person => "the person",
            By::Service => "the service account",
        })
    }
}

/// Whether a server took a new password.
#[derive(Debug)]
pub(crate) enum Taken {
    Yes,
    Unfit(Objection),
    Denied(Denial),
}

/// Reads the answer to a change of a password that was proved. Result 0 alone is success.
pub(crate) fn of_change(vendor: Vendor, by: By, reply: &PasswordReply) -> Result<Taken, Error> {
    let result = &reply.result;
    let said = reply.policy().and_then(|policy| policy.error);
    let detail = || {
        let policy = said.map(|error| format!(", password policy: {error:?}")).unwrap_or_default();
        format!("the server answered {}{policy}", told(result))
    };
    let unfit = |unfit| Ok(Taken::Unfit(Objection::of(unfit).with_detail(detail())));
    let denied = |reason| Ok(Taken::Denied(Denial::of(reason).with_detail(detail()).after_proof()));
    // Somebody changed it between the bind and this, or replicas differ: the server counts it.
    let wrong = || Ok(Taken::Denied(Denial::of(Reason::WrongPassword).with_detail(detail()).after_bind()));

    if result.code == ResultCode::SUCCESS {
        return Ok(Taken::Yes);
    }
    if vendor == Vendor::ActiveDirectory
        && let Some(code) = win32(&result.message)
    {
        match code {
            0x56 => return wrong(),
            0x52d => return unfit(restriction(&result.message)),
            0x533 => return denied(Reason::AccountDisabled),
            0x701 => return denied(Reason::AccountExpired),
            0x775 => return denied(Reason::AccountLocked),
            _ => {}
        }
    }
    match said {
        Some(PasswordPolicyError::AccountLocked) => return denied(Reason::AccountLocked),
        // 389-ds says "not allowed" to a service account without the right as well.
        Some(PasswordPolicyError::ModificationNotAllowed) if by == By::Service => {}
        Some(error) => {
            if let Some(found) = of_policy(error) {
                return unfit(found);
            }
        }
        None => {}
    }
    match result.code {
        // Without a code: the access control list of Active Directory, for which the person "cannot change password".
        ResultCode::CONSTRAINT_VIOLATION if vendor == Vendor::ActiveDirectory => unfit(Unfit::NotAllowed),
        ResultCode::CONSTRAINT_VIOLATION => unfit(Unfit::TooWeak),
        ResultCode::INVALID_CREDENTIALS => wrong(),
        ResultCode::INSUFFICIENT_ACCESS_RIGHTS | ResultCode::UNWILLING_TO_PERFORM if by == By::Person => {
            unfit(Unfit::NotAllowed)
        }
        ResultCode::INSUFFICIENT_ACCESS_RIGHTS
        | ResultCode::UNWILLING_TO_PERFORM
        | ResultCode::CONFIDENTIALITY_REQUIRED
        | ResultCode::STRONGER_AUTH_REQUIRED
        | ResultCode::PROTOCOL_ERROR => Err(Error::configuration(format!(
            "{} to a new password: {}",
            detail(),
            missing(vendor, result.code)
        ))),
        _ => Err(Error::directory(detail())),
    }
}

/// What somebody has to set up before this can work.
fn missing(vendor: Vendor, code: ResultCode) -> &'static str {
    match code {
        ResultCode::CONFIDENTIALITY_REQUIRED | ResultCode::STRONGER_AUTH_REQUIRED => {
            "it takes one over TLS only (ldaps:// or directory.start_tls)"
        }
        ResultCode::PROTOCOL_ERROR => "it does not know how passwords are changed (RFC 3062)",
        // What a person lacks is the person's lot.
        _ if vendor == Vendor::ActiveDirectory => {
            "the service account needs the right \"Reset password\" for these people"
        }
        _ => {
            "the service account needs the right to write userPassword of these people (=xw in slapd's access rules)"
        }
    }
}

fn of_policy(error: PasswordPolicyError) -> Option<Unfit> {
    use PasswordPolicyError::*;
    match error {
        ModificationNotAllowed | MustSupplyOldPassword => Some(Unfit::NotAllowed),
        InsufficientQuality => Some(Unfit::TooWeak),
        TooShort => Some(Unfit::TooShort),
        TooYoung => Some(Unfit::TooYoung),
        InHistory => Some(Unfit::InHistory),
        TooLong => Some(Unfit::TooLong),
        PasswordExpired | AccountLocked | ChangeAfterReset | Other(_) => None,
    }
}

/// `0000052D: ...`: the code before the colon (MS-ADTS section 3.1.1.3.1.5.2).
fn win32(message: &str) -> Option<u32> {
    let (code, _) = message.split_once(':')?;
    if code.len() != 8 {
        return None;
    }
    u32::from_str_radix(code, 16).ok()
}

/// Which restriction it is; Windows does not say, Samba does.
fn restriction(message: &str) -> Unfit {
    let text = message.to_ascii_lowercase();
    match () {
        () if text.contains("too short") => Unfit::TooShort,
        () if text.contains("in history") => Unfit::InHistory,
        () if text.contains("too young") => Unfit::TooYoung,
        () => Unfit::TooWeak,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{LdapResult, PasswordPolicy};

    fn reply(code: u32, message: &str, error: Option<PasswordPolicyError>) -> PasswordReply {
        let policy = error.map(|_| PasswordPolicy { error, ..PasswordPolicy::default() }.to_control());
        PasswordReply::new(LdapResult::new(ResultCode(code), message), policy)
    }

    fn read(vendor: Vendor, by: By, reply: &PasswordReply) -> String {
        match of_change(vendor, by, reply) {
            Ok(Taken::Yes) => "changed".to_owned(),
            Ok(Taken::Unfit(objection)) => objection.unfit().as_str().to_owned(),
            Ok(Taken::Denied(denial)) => format!("{} {}", denial.reason(), denial.proved()),
            Err(error) => format!("{:?}", error.fault()),
        }
    }

    fn cause(vendor: Vendor, code: u32) -> String {
        of_change(vendor, By::Service, &reply(code, "", None)).unwrap_err().to_string()
    }

    #[test]
    fn only_result_zero_is_success() {
        assert_eq!(read(Vendor::OpenLdap, By::Person, &reply(0, "", None)), "changed");
        for code in [10, 14, 51, 52, 80, 4711] {
            assert_eq!(read(Vendor::OpenLdap, By::Person, &reply(code, "", None)), "Directory", "{code}");
        }
    }

    #[test]
    fn the_password_policy_control_says_what_is_wrong() {
        use PasswordPolicyError::*;
        for (error, word) in [
            (TooShort, "too_short"),
            (TooLong, "too_long"),
            (InsufficientQuality, "too_weak"),
            (InHistory, "in_history"),
            (TooYoung, "too_young"),
            (ModificationNotAllowed, "not_allowed"),
            (MustSupplyOldPassword, "not_allowed"),
            (AccountLocked, "account_locked true"),
            (Other(77), "too_weak"),
        ] {
            assert_eq!(read(Vendor::OpenLdap, By::Person, &reply(19, "no", Some(error))), word, "{error:?}");
        }
    }

    #[test]
    fn what_samba_and_windows_say_is_read_under_their_preset_only() {
        for (text, word) in [
            (
                "0000052D: Constraint violation - check_password_restrictions: the password is too short.",
                "too_short",
            ),
            (
                "0000052D: Constraint violation - the password does not meet the complexity criteria!",
                "too_weak",
            ),
            ("0000052D: Constraint violation - the password was already used (in history)!", "in_history"),
            ("0000052D: Constraint violation - password is too young to change!", "too_young"),
            ("0000052D: AtrErr: DSID-03191083, #1:", "too_weak"),
            ("00000056: AtrErr: DSID-03191083, #1:", "wrong_password false"),
            ("00000775: Password change not permitted, account locked out!", "account_locked true"),
            ("error in module acl: Constraint violation during LDB_MODIFY (19)", "not_allowed"),
        ] {
            assert_eq!(read(Vendor::ActiveDirectory, By::Service, &reply(19, text, None)), word, "{text}");
            assert_eq!(read(Vendor::OpenLdap, By::Person, &reply(19, text, None)), "too_weak", "{text}");
        }
    }

    #[test]
    fn a_right_that_is_missing_is_the_persons_lot_or_the_operators_mistake() {
        let not_allowed = Some(PasswordPolicyError::ModificationNotAllowed);
        for reply in [reply(50, "", None), reply(53, "", None), reply(50, "", not_allowed)] {
            assert_eq!(read(Vendor::Ds389, By::Person, &reply), "not_allowed");
            assert_eq!(read(Vendor::Ds389, By::Service, &reply), "Configuration");
        }
        for code in [2, 8, 13] {
            assert_eq!(read(Vendor::OpenLdap, By::Person, &reply(code, "", None)), "Configuration", "{code}");
        }
    }

    #[test]
    fn the_operator_is_told_what_is_missing() {
        assert!(
            cause(Vendor::OpenLdap, 50).contains("write userPassword"),
            "{}",
            cause(Vendor::OpenLdap, 50)
        );
        assert!(cause(Vendor::ActiveDirectory, 50).contains("Reset password"));
        assert!(cause(Vendor::OpenLdap, 13).contains("over TLS only"));
        assert!(cause(Vendor::OpenLdap, 2).contains("RFC 3062"));
    }

    #[test]
    fn a_wrong_old_password_is_an_attempt_that_counts() {
        let reply = reply(49, "Invalid oldPasswd value.\n", None);
        assert_eq!(read(Vendor::Ds389, By::Person, &reply), "wrong_password false");
    }
}
