//! What servers say beside a bind's answer of the password that was used, in the words of OpenLDAP's tools.

use client::BindReply;
use client::control::{PasswordPolicy, PasswordPolicyError};

use super::result_text::named;
use crate::output;

/// Tells it on standard error, where there is anything to be told.
pub(super) fn tell(reply: &BindReply) {
    if let Some(text) = reply.policy().and_then(|policy| warning(&policy)) {
        output::note(&format!("ldap_bind: {}{text}", named(reply.result.code)));
    }
    // Netscape's descendants say it in two controls of their own, of which the first is enough.
    if reply.says_expired() {
        output::note("# PasswordExpired control");
    } else if let Some(expiring) = reply.expiring() {
        output::note(&format!("# PasswordExpiring control seconds={}", expiring.seconds));
    }
}

/// What stands behind the result: `; Password must be changed`, ` (Password expires in 60 seconds)`, or both.
fn warning(policy: &PasswordPolicy) -> Option<String> {
    let error = policy.error.map(|error| format!("; {}", told(error).1)).unwrap_or_default();
    let warning = match (policy.expires_in, policy.grace_logins) {
        (Some(seconds), _) => format!(" (Password expires in {seconds} seconds)"),
        (None, Some(logins)) => format!(" (Password expired, {logins} grace logins remain)"),
        (None, None) => String::new(),
    };
    let text = error + &warning;
    (!text.is_empty()).then_some(text)
}

/// The policy as it stands below any other answer: `expire=60 error=2 (Password must be changed)`.
pub(super) fn policy(policy: &PasswordPolicy) -> String {
    let parts = [
        policy.expires_in.map(|seconds| format!("expire={seconds}")),
        policy.grace_logins.map(|logins| format!("grace={logins}")),
        policy.error.map(told).map(|(number, words)| format!("error={number} ({words})")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// An objection's number, and libldap's words for it.
fn told(error: PasswordPolicyError) -> (u32, &'static str) {
    use PasswordPolicyError::*;
    match error {
        PasswordExpired => (0, "Password expired"),
        AccountLocked => (1, "Account locked"),
        ChangeAfterReset => (2, "Password must be changed"),
        ModificationNotAllowed => (3, "Policy prevents password modification"),
        MustSupplyOldPassword => (4, "Policy requires old password in order to change password"),
        InsufficientQuality => (5, "Password fails quality checks"),
        TooShort => (6, "Password is too short for policy"),
        TooYoung => (7, "Password has been changed too recently"),
        InHistory => (8, "New password is in list of old passwords"),
        TooLong => (9, "Password is too long for policy"),
        Other(number) => (number, "Unknown error code"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_s_warning_and_error_stand_in_one_line() {
        let expires = PasswordPolicy { expires_in: Some(60), ..PasswordPolicy::default() };
        let reset = PasswordPolicy { error: Some(PasswordPolicyError::ChangeAfterReset), ..expires };
        let grace = PasswordPolicy { grace_logins: Some(2), ..PasswordPolicy::default() };
        for (policy, below_a_bind, below_another_answer) in [
            (expires, " (Password expires in 60 seconds)", "expire=60"),
            (
                reset,
                "; Password must be changed (Password expires in 60 seconds)",
                "expire=60 error=2 (Password must be changed)",
            ),
            (grace, " (Password expired, 2 grace logins remain)", "grace=2"),
        ] {
            assert_eq!(warning(&policy).as_deref(), Some(below_a_bind));
            assert_eq!(super::policy(&policy), below_another_answer);
        }
        assert_eq!(warning(&PasswordPolicy::default()), None);
    }
}
