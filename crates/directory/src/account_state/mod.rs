//! May this person sign in? What each server answers, and to whom: some say what is the matter before they have compared
//! the password, most only to who has the right one.

pub(crate) mod active_directory;
mod ds389;
mod openldap;

use std::time::SystemTime;

use proto::control::{PasswordPolicy, PasswordPolicyError};
use proto::{Control, LdapResult, ResultCode};

use crate::Dialect;
use crate::tree::View;

/// What becomes of a bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) result: LdapResult,
    /// Told to who asks for it.
    pub(crate) policy: PasswordPolicy,
    /// Told to everybody.
    pub(crate) control: Option<Control>,
}

/// What the server says whatever the password is, if it does.
pub(crate) fn before_comparing(dialect: Dialect, entry: &View<'_>, now: SystemTime) -> Option<Standing> {
    match dialect {
        Dialect::OpenLdap | Dialect::Lldap => None,
        Dialect::ActiveDirectory => active_directory::before_comparing(entry),
        Dialect::Ds389 => ds389::before_comparing(entry, now),
        Dialect::FreeIpa => ds389::freeipa_before_comparing(entry, now),
    }
}

/// What the server says to the right password.
pub(crate) fn to_the_right_password(dialect: Dialect, entry: &View<'_>, now: SystemTime) -> Standing {
    match dialect {
        Dialect::OpenLdap => openldap::judge(entry, now),
        Dialect::ActiveDirectory => active_directory::judge(entry, now).unwrap_or_default(),
        Dialect::Ds389 => ds389::judge(entry, now),
        Dialect::FreeIpa => ds389::freeipa_judge(entry, now),
        // It knows no states.
        Dialect::Lldap => Standing::default(),
    }
}

/// What the server says to a wrong password.
pub(crate) fn to_a_wrong_password(dialect: Dialect) -> Standing {
    match dialect {
        Dialect::ActiveDirectory => active_directory::told("52e"),
        _ => Standing::refused(ResultCode::INVALID_CREDENTIALS, ""),
    }
}

/// What the server says when nobody has the name.
pub(crate) fn to_an_unknown_name(dialect: Dialect) -> Standing {
    match dialect {
        Dialect::ActiveDirectory => active_directory::told("525"),
        _ => to_a_wrong_password(dialect),
    }
}

/// In, and nothing to tell.
impl Default for Standing {
    fn default() -> Self {
        Self { result: LdapResult::success(), policy: PasswordPolicy::default(), control: None }
    }
}

impl Standing {
    fn refused(code: ResultCode, message: &str) -> Self {
        Self { result: LdapResult::new(code, message), ..Self::default() }
    }

    fn with(mut self, error: PasswordPolicyError) -> Self {
        self.policy.error = Some(error);
        self
    }
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

    /// 1 March 2026, a Sunday, midnight.
    const NOW: u64 = 1_772_323_200;

    /// What is said whatever the password is, else what is said to the right one.
    pub(super) fn judged(dialect: Dialect, attributes: &str) -> (Standing, bool) {
        let mut tree = Tree::default();
        let text = format!("dn: uid=a,dc=example\nuid: a\n{attributes}\n");
        tree.load(text.as_bytes(), "20260301000000Z", 100).unwrap();
        let dn = proto::Dn::parse("uid=a,dc=example").unwrap();
        let view = tree.view(tree.find(&dn).unwrap());
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        match before_comparing(dialect, &view, now) {
            Some(standing) => (standing, true),
            None => (to_the_right_password(dialect, &view, now), false),
        }
    }

    #[test]
    fn lldap_knows_no_states() {
        let (standing, _) =
            judged(Dialect::Lldap, "nsAccountLock: TRUE\npwdAccountLockedTime: 000001010000Z");
        assert_eq!(standing, Standing::default());
    }
}
