//! What the answer to a person's bind means.

use client::BindReply;
use proto::{LdapResult, PasswordPolicyError, ResultCode};

use crate::credentials::harmless;
use crate::{Denial, Error, Reason, Vendor, Warning};

/// What a bind said.
#[derive(Debug)]
pub(crate) enum Bound {
    /// The password was right and the server let the person in.
    Proved(Vec<Warning>),
    Refused(Denial),
}

/// Reads the answer to a person's bind. Result 0 alone is success: a referral, or anything else that servers send
/// instead, is not.
pub(crate) fn of_reply(vendor: Vendor, reply: &BindReply) -> Result<Bound, Error> {
    let result = &reply.result;
    let policy = reply.policy();
    let said = policy.as_ref().and_then(|policy| policy.error);
    let detail = || {
        let policy = said.map(|error| format!(", password policy: {error:?}")).unwrap_or_default();
        format!("the server answered {}{policy}", told(result))
    };
    let refused = |reason: Reason, proved: bool| {
        let denial = Denial::of(reason).with_detail(detail());
        Ok(Bound::Refused(if proved { denial.after_proof() } else { denial.after_bind() }))
    };

    if result.code == ResultCode::SUCCESS {
        let grace = policy.as_ref().and_then(|policy| policy.grace_logins);
        return match said {
            Some(PasswordPolicyError::ChangeAfterReset) => refused(Reason::PasswordMustChange, true),
            Some(PasswordPolicyError::AccountLocked) => refused(Reason::AccountLocked, false),
            Some(PasswordPolicyError::PasswordExpired) if grace.is_none() => {
                refused(Reason::PasswordExpired, true)
            }
            // 389-ds and FreeIPA add their older control to a grace login too.
            _ if grace.is_none() && netscape_expired(vendor, reply) => match vendor {
                Vendor::FreeIpa => refused(Reason::PasswordExpired, true),
                _ => refused(Reason::PasswordMustChange, true),
            },
            _ => Ok(Bound::Proved(warnings(vendor, reply))),
        };
    }
    if result.code == ResultCode::INVALID_CREDENTIALS {
        let (reason, proved) = match said {
            Some(PasswordPolicyError::AccountLocked) => (Reason::AccountLocked, false),
            // FreeIPA judges the grace logins that are left before it compares the password.
            Some(PasswordPolicyError::PasswordExpired) => {
                (Reason::PasswordExpired, vendor != Vendor::FreeIpa)
            }
            Some(PasswordPolicyError::ChangeAfterReset) => (Reason::PasswordMustChange, true),
            _ => vendor_cause(vendor, result.code, &result.message).unwrap_or((Reason::WrongPassword, false)),
        };
        return refused(reason, proved);
    }
    if let Some((reason, proved)) = vendor_cause(vendor, result.code, &result.message) {
        return refused(reason, proved);
    }
    match result.code {
        // There is no such entry (any more), or none that a password belongs to.
        ResultCode::NO_SUCH_OBJECT => refused(Reason::UnknownUser, false),
        ResultCode::INAPPROPRIATE_AUTHENTICATION => refused(Reason::WrongPassword, false),
        ResultCode::CONFIDENTIALITY_REQUIRED
        | ResultCode::STRONGER_AUTH_REQUIRED
        | ResultCode::AUTH_METHOD_NOT_SUPPORTED
        | ResultCode::INVALID_DN_SYNTAX => Err(Error::configuration(detail())),
        code if code.is_referral() => {
            Err(Error::directory(format!("{}: a referral proves nothing", detail())))
        }
        _ => Err(Error::directory(detail())),
    }
}

/// A result for the operator: the server's own words cut, and freed of what would garble a log or a terminal.
pub(crate) fn told(result: &LdapResult) -> String {
    let words: String = harmless(&result.message).chars().take(300).collect();
    if words.is_empty() { result.code.to_string() } else { format!("{}: {words}", result.code) }
}

/// Causes that only a server's own words tell, and whether they prove the password.
fn vendor_cause(vendor: Vendor, code: ResultCode, message: &str) -> Option<(Reason, bool)> {
    let text = message.to_ascii_lowercase();
    match (vendor, code) {
        (Vendor::ActiveDirectory, ResultCode::INVALID_CREDENTIALS) => {
            sub_code(message).and_then(active_directory)
        }
        // All of these come before the password is compared. "Account inactivated. Contact system administrator."; FreeIPA's
        // "Account (Kerberos principal) is expired", "Entry permanently locked." and "Too many failed logins."
        (Vendor::Ds389 | Vendor::FreeIpa, ResultCode::UNWILLING_TO_PERFORM) => match () {
            () if text.contains("inactivated") => Some((Reason::AccountDisabled, false)),
            () if text.contains("expired") => Some((Reason::AccountExpired, false)),
            () if text.contains("locked") || text.contains("failed logins") => {
                Some((Reason::AccountLocked, false))
            }
            () => None,
        },
        // "Exceed password retry limit. Please try later."; of who has not been there for too long, "Account inactivity
        // limit exceeded. Contact system administrator to reset."
        (Vendor::Ds389 | Vendor::FreeIpa, ResultCode::CONSTRAINT_VIOLATION) => match () {
            () if text.contains("retry limit") => Some((Reason::AccountLocked, false)),
            () if text.contains("inactivity limit") => Some((Reason::AccountExpired, false)),
            () => None,
        },
        // The words of the workspace's in-memory directory, said after the right password only; tests and the demonstration
        // run on it under these presets. No other server is known to say exactly this. One that said it to any password
        // would tell the account's state to people who guess, and guesses at such accounts would not be counted; they
        // would learn nothing about the password, and nobody would get in.
        (
            Vendor::OpenLdap | Vendor::Rfc2307 | Vendor::Rfc2307bis | Vendor::Custom,
            ResultCode::UNWILLING_TO_PERFORM,
        ) => match text.as_str() {
            "account disabled" => Some((Reason::AccountDisabled, true)),
            "account expired" => Some((Reason::AccountExpired, true)),
            _ => None,
        },
        _ => None,
    }
}

/// `80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1`: the number after "data".
fn sub_code(message: &str) -> Option<u32> {
    let (_, after) = message.split_once(" data ")?;
    let digits = after.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    u32::from_str_radix(digits, 16).ok()
}

fn active_directory(code: u32) -> Option<(Reason, bool)> {
    Some(match code {
        0x525 => (Reason::UnknownUser, false),
        0x52e => (Reason::WrongPassword, false),
        0x530 => (Reason::LogonHours, true),
        0x531 => (Reason::LogonWorkstation, true),
        0x532 => (Reason::PasswordExpired, true),
        0x533 => (Reason::AccountDisabled, true),
        0x534 | 0x568 | 0x569 => (Reason::LogonNotAllowed, false),
        0x701 => (Reason::AccountExpired, true),
        0x773 => (Reason::PasswordMustChange, true),
        0x775 => (Reason::AccountLocked, false),
        _ => return None,
    })
}

/// 389-ds and FreeIPA without the newer control: the password is expired, nothing but a change is allowed.
fn netscape_expired(vendor: Vendor, reply: &BindReply) -> bool {
    has_older_controls(vendor) && reply.says_expired()
}

fn has_older_controls(vendor: Vendor) -> bool {
    matches!(vendor, Vendor::Ds389 | Vendor::FreeIpa)
}

fn warnings(vendor: Vendor, reply: &BindReply) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(policy) = reply.policy() {
        let expires =
            policy.expires_in.map(|seconds| Warning::PasswordExpires { seconds: u64::from(seconds) });
        let grace = policy.grace_logins.map(|remaining| Warning::GraceLogins { remaining });
        warnings.extend(expires.into_iter().chain(grace));
    }
    if warnings.is_empty() && has_older_controls(vendor) {
        let expiring = reply.expiring();
        warnings.extend(expiring.map(|expiring| Warning::PasswordExpires { seconds: expiring.seconds }));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Control, PasswordExpired, PasswordExpiring};

    fn reply(code: ResultCode, message: &str, controls: Vec<Control>) -> BindReply {
        BindReply::new(LdapResult::new(code, message), controls)
    }

    fn policy(bytes: &'static [u8]) -> Vec<Control> {
        let oid = "1.3.6.1.4.1.42.2.27.8.5.1".to_owned();
        vec![Control { oid, critical: false, value: Some(bytes.into()) }]
    }

    fn refusal(vendor: Vendor, reply: &BindReply) -> (Reason, bool) {
        match of_reply(vendor, reply) {
            Ok(Bound::Refused(denial)) => {
                assert!(denial.bound());
                (denial.reason(), denial.proved())
            }
            other => panic!("expected a refusal, not {other:?}"),
        }
    }

    #[test]
    fn only_result_zero_is_success() {
        assert!(matches!(
            of_reply(Vendor::OpenLdap, &reply(ResultCode::SUCCESS, "", vec![])),
            Ok(Bound::Proved(warnings)) if warnings.is_empty()
        ));
        for code in
            [ResultCode::REFERRAL, ResultCode::BUSY, ResultCode::SASL_BIND_IN_PROGRESS, ResultCode(4711)]
        {
            assert!(of_reply(Vendor::OpenLdap, &reply(code, "", vec![])).is_err(), "{code}");
        }
    }

    #[test]
    fn a_49_without_a_cause_is_a_wrong_password() {
        for vendor in [Vendor::OpenLdap, Vendor::ActiveDirectory, Vendor::FreeIpa, Vendor::Lldap] {
            let reply = reply(ResultCode::INVALID_CREDENTIALS, "", vec![]);
            assert_eq!(refusal(vendor, &reply), (Reason::WrongPassword, false));
        }
    }

    #[test]
    fn active_directory_s_sub_codes_are_read_under_its_preset_only() {
        let table = [
            ("525", Reason::UnknownUser, false),
            ("52e", Reason::WrongPassword, false),
            ("530", Reason::LogonHours, true),
            ("531", Reason::LogonWorkstation, true),
            ("532", Reason::PasswordExpired, true),
            ("533", Reason::AccountDisabled, true),
            ("534", Reason::LogonNotAllowed, false),
            ("568", Reason::LogonNotAllowed, false),
            ("569", Reason::LogonNotAllowed, false),
            ("701", Reason::AccountExpired, true),
            ("773", Reason::PasswordMustChange, true),
            ("775", Reason::AccountLocked, false),
            ("999", Reason::WrongPassword, false),
        ];
        for (data, reason, proved) in table {
            let text = format!(
                "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1"
            );
            let reply = reply(ResultCode::INVALID_CREDENTIALS, &text, vec![]);
            assert_eq!(refusal(Vendor::ActiveDirectory, &reply), (reason, proved), "{data}");
            assert_eq!(refusal(Vendor::OpenLdap, &reply), (Reason::WrongPassword, false), "{data}");
        }
    }

    #[test]
    fn a_vendor_s_words_count_under_its_own_preset_only() {
        let disabled = reply(ResultCode::UNWILLING_TO_PERFORM, "account disabled", vec![]);
        let inactivated = reply(
            ResultCode::UNWILLING_TO_PERFORM,
            "Account inactivated. Contact system administrator.",
            vec![],
        );
        let like = reply(ResultCode::UNWILLING_TO_PERFORM, "account disabled by policy", vec![]);
        assert_eq!(refusal(Vendor::OpenLdap, &disabled), (Reason::AccountDisabled, true));
        assert!(of_reply(Vendor::OpenLdap, &like).is_err(), "words that are only similar prove nothing");
        assert_eq!(refusal(Vendor::Ds389, &inactivated), (Reason::AccountDisabled, false));
        assert!(of_reply(Vendor::Lldap, &disabled).is_err());
        assert!(of_reply(Vendor::OpenLdap, &inactivated).is_err());
        let retry =
            reply(ResultCode::CONSTRAINT_VIOLATION, "Exceed password retry limit. Please try later.", vec![]);
        assert_eq!(refusal(Vendor::Ds389, &retry), (Reason::AccountLocked, false));
        assert!(of_reply(Vendor::OpenLdap, &retry).is_err());
        let idle = reply(
            ResultCode::CONSTRAINT_VIOLATION,
            "Account inactivity limit exceeded. Contact system administrator to reset.",
            vec![],
        );
        assert_eq!(refusal(Vendor::Ds389, &idle), (Reason::AccountExpired, false));
        let other = reply(ResultCode::CONSTRAINT_VIOLATION, "something else", vec![]);
        assert!(of_reply(Vendor::Ds389, &other).is_err());
    }

    #[test]
    fn what_freeipa_says_before_it_compares_the_password_proves_nothing() {
        for (code, message, reason) in [
            (53, "Account inactivated. Contact system administrator.", Reason::AccountDisabled),
            (53, "Account (Kerberos principal) is expired", Reason::AccountExpired),
            (53, "Entry permanently locked.\n", Reason::AccountLocked),
            (53, "Too many failed logins.\n", Reason::AccountLocked),
        ] {
            let reply = reply(ResultCode(code), message, vec![]);
            assert_eq!(refusal(Vendor::FreeIpa, &reply), (reason, false), "{message}");
        }
        let expired = policy(b"\x30\x03\x81\x01\x00");
        let no_grace = reply(ResultCode::INVALID_CREDENTIALS, "Password is expired.\n", expired);
        assert_eq!(refusal(Vendor::FreeIpa, &no_grace), (Reason::PasswordExpired, false));
        assert_eq!(refusal(Vendor::Ds389, &no_grace), (Reason::PasswordExpired, true));
    }

    /// Seen live: a login with a password that is too old, of somebody who had three of them left, was refused.
    #[test]
    fn a_grace_login_of_389ds_is_let_in_although_the_older_control_says_expired() {
        let mut controls = policy(b"\x30\x05\xA0\x03\x81\x01\x02");
        controls.push(PasswordExpired.to_control());
        let reply = reply(ResultCode::SUCCESS, "", controls);
        assert!(matches!(of_reply(Vendor::Ds389, &reply),
            Ok(Bound::Proved(warnings)) if warnings == [Warning::GraceLogins { remaining: 2 }]));
    }

    #[test]
    fn the_password_policy_control_tells_causes_and_warnings() {
        let wrong = |bytes| reply(ResultCode::INVALID_CREDENTIALS, "", policy(bytes));
        let right = |bytes| reply(ResultCode::SUCCESS, "", policy(bytes));
        assert_eq!(
            refusal(Vendor::OpenLdap, &wrong(b"\x30\x03\x81\x01\x01")),
            (Reason::AccountLocked, false)
        );
        assert_eq!(
            refusal(Vendor::OpenLdap, &wrong(b"\x30\x03\x81\x01\x00")),
            (Reason::PasswordExpired, true)
        );
        assert_eq!(
            refusal(Vendor::OpenLdap, &right(b"\x30\x03\x81\x01\x02")),
            (Reason::PasswordMustChange, true)
        );
        let warned = |bytes| match of_reply(Vendor::OpenLdap, &right(bytes)) {
            Ok(Bound::Proved(warnings)) => warnings,
            other => panic!("expected success, not {other:?}"),
        };
        assert_eq!(warned(b"\x30\x06\xA0\x04\x80\x02\x01\xF0"), [Warning::PasswordExpires { seconds: 496 }]);
        assert_eq!(warned(b"\x30\x05\xA0\x03\x81\x01\x02"), [Warning::GraceLogins { remaining: 2 }]);
    }

    #[test]
    fn a_broken_control_is_no_cause() {
        let reply = reply(ResultCode::INVALID_CREDENTIALS, "", policy(b"\x30\x84\xff\xff\xff\xff"));
        assert_eq!(refusal(Vendor::OpenLdap, &reply), (Reason::WrongPassword, false));
    }

    #[test]
    fn the_older_controls_of_389ds_are_read_under_its_preset() {
        let expired = reply(ResultCode::SUCCESS, "", vec![PasswordExpired.to_control()]);
        assert_eq!(refusal(Vendor::Ds389, &expired), (Reason::PasswordMustChange, true));
        assert!(matches!(of_reply(Vendor::OpenLdap, &expired), Ok(Bound::Proved(_))));
        let soon = PasswordExpiring { seconds: 600 };
        let expiring = reply(ResultCode::SUCCESS, "", vec![soon.to_control()]);
        assert!(matches!(of_reply(Vendor::FreeIpa, &expiring),
            Ok(Bound::Proved(warnings)) if warnings == [Warning::PasswordExpires { seconds: 600 }]));
    }
}
