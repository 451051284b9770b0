//! Why somebody does not get in: the one table of reasons, of what a visitor reads, and of what may be told to whom.

use std::fmt;
use std::str::FromStr;

/// A refusal. It is an answer, not a failure: the directory was asked and this is what came of it.
///
/// ```
/// use ldapgate_auth::{Denial, Reason};
/// let denial = Denial::of(Reason::AccountLocked).with_detail("the server says so");
/// assert_eq!(denial.reason().as_str(), "account_locked");
/// assert_eq!(denial.public_message(true), Denial::of(Reason::UnknownUser).public_message(true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    reason: Reason,
    reached: Reached,
    change: bool,
    detail: String,
}

/// How far a login came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reached {
    /// No bind with the person's password was written.
    Nothing,
    /// One was, or may have been.
    Bound,
    /// One was, and the password was right.
    Proved,
}

/// Why, as the login document names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No password, or one that a server would take for none.
    EmptyPassword,
    /// Empty, over-long, or with characters that no name has.
    BadUsername,
    /// No directory knows the name.
    UnknownUser,
    /// More than one entry answers to the name.
    AmbiguousUser,
    /// The server refused the password and gave no other cause.
    WrongPassword,
    /// `access.require` does not hold.
    NotInRequiredGroup,
    /// `access.deny` holds.
    InDeniedGroup,
    /// Only people who are stored already may enter.
    NoNewUsers,
    /// Locked after too many wrong passwords, or by hand.
    AccountLocked,
    /// Switched off, in the directory or locally.
    AccountDisabled,
    /// The account's end date has passed.
    AccountExpired,
    /// The password was right and is too old.
    PasswordExpired,
    /// The password was right and has to be changed first.
    PasswordMustChange,
    /// Not at this hour.
    LogonHours,
    /// Not from this machine.
    LogonWorkstation,
    /// Not in this way, or not here.
    LogonNotAllowed,
    /// Too many wrong passwords; nothing was tried.
    Throttled,
    /// The name belongs to a stored account with another id.
    DuplicateAccount,
    /// The application's hook said no.
    RefusedByApplication,
}

/// To whom the reason's own text is told; everybody else reads [`GENERAL`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Nobody,
    WhoProvedThePassword,
    Everybody,
}

/// What a visitor reads for every refusal whose cause is not theirs to know.
const GENERAL: &str = "the user name or password is not right";

/// One row for each reason. Locked has no text of its own: servers say it to wrong passwords too.
const TABLE: [(Reason, &str, Audience, &str); 19] = {
    use Audience::*;
    use Reason::*;
    [
        (EmptyPassword, "empty_password", Everybody, "the password is missing"),
        (BadUsername, "bad_username", Nobody, GENERAL),
        (UnknownUser, "unknown_user", Nobody, GENERAL),
        (AmbiguousUser, "ambiguous_user", Nobody, GENERAL),
        (WrongPassword, "wrong_password", Nobody, GENERAL),
        (NotInRequiredGroup, "not_in_required_group", Nobody, GENERAL),
        (InDeniedGroup, "in_denied_group", Nobody, GENERAL),
        (NoNewUsers, "no_new_users", Nobody, GENERAL),
        (AccountLocked, "account_locked", Nobody, GENERAL),
        (AccountDisabled, "account_disabled", WhoProvedThePassword, "this account is disabled"),
        (AccountExpired, "account_expired", WhoProvedThePassword, "this account has expired"),
        (PasswordExpired, "password_expired", WhoProvedThePassword, "the password has expired"),
        (PasswordMustChange, "password_must_change", WhoProvedThePassword, "the password must be changed"),
        (LogonHours, "logon_hours", WhoProvedThePassword, "this account may not sign in at this hour"),
        (
            LogonWorkstation,
            "logon_workstation",
            WhoProvedThePassword,
            "this account may not sign in from here",
        ),
        (LogonNotAllowed, "logon_not_allowed", Nobody, GENERAL),
        (Throttled, "throttled", Everybody, "too many attempts, please try again later"),
        (DuplicateAccount, "duplicate_account", Nobody, GENERAL),
        (RefusedByApplication, "refused_by_application", Nobody, GENERAL),
    ]
};

impl Denial {
    /// A refusal for `reason`: nothing was proved and no bind was made.
    pub fn of(reason: Reason) -> Denial {
        Denial { reason, reached: Reached::Nothing, change: false, detail: String::new() }
    }

    /// Adds what the operator should know; a visitor never sees it.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Denial {
        self.detail = detail.into();
        self
    }

    /// A bind was written for this attempt, so it counts.
    #[must_use]
    pub fn after_bind(mut self) -> Denial {
        self.reached = self.reached.max(Reached::Bound);
        self
    }

    /// A bind was written and the password was right.
    #[must_use]
    pub fn after_proof(mut self) -> Denial {
        self.reached = Reached::Proved;
        self
    }

    /// The person may change the password here, and is welcome with the new one.
    #[must_use]
    pub(crate) fn offering_change(mut self) -> Denial {
        self.change = true;
        self
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Was the password right?
    pub fn proved(&self) -> bool {
        self.reached == Reached::Proved
    }

    /// Was a bind with the person's password written?
    pub fn bound(&self) -> bool {
        self.reached >= Reached::Bound
    }

    /// May the person, whose password was right, change it here and now and be welcome with the new one?
    pub fn offers_change(&self) -> bool {
        self.change
    }

    /// What the operator should know; may be empty.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Does the visitor read nothing but what everybody else reads who is refused?
    pub fn is_general(&self, show_state: bool) -> bool {
        self.public_message(show_state) == GENERAL
    }

    /// What the visitor reads. `show_state` is `login.show_account_state`: without it even who proved the password
    /// reads the general text.
    pub fn public_message(&self, show_state: bool) -> &'static str {
        let (_, _, audience, text) = self.reason.row();
        match audience {
            Audience::Everybody => text,
            Audience::WhoProvedThePassword if self.proved() && show_state => text,
            Audience::WhoProvedThePassword | Audience::Nobody => GENERAL,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.as_str())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl Reason {
    /// The contract's word, `wrong_password`.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Is it the password's age alone, so that a new one mends it?
    pub fn is_cured_by_a_change(self) -> bool {
        matches!(self, Reason::PasswordExpired | Reason::PasswordMustChange)
    }

    /// Every reason, in the contract's order of meaning.
    pub fn all() -> impl Iterator<Item = Reason> {
        TABLE.iter().map(|row| row.0)
    }

    fn row(self) -> (Reason, &'static str, Audience, &'static str) {
        // The table is written in the order of the variants; a test holds it there.
        TABLE[self as usize]
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no reason of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason for a denial")]
pub struct UnknownReason(String);

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Reason, UnknownReason> {
        let row = TABLE.iter().find(|row| row.1 == text);
        row.map(|row| row.0).ok_or_else(|| UnknownReason(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_finds_its_own_row_and_comes_back_from_its_name() {
        for (place, reason) in Reason::all().enumerate() {
            assert_eq!(reason as usize, place);
            assert_eq!(reason.as_str().parse::<Reason>(), Ok(reason));
        }
        assert!("wrong".parse::<Reason>().is_err());
    }

    #[test]
    fn the_account_s_state_is_told_only_to_who_proved_the_password() {
        for reason in [Reason::AccountDisabled, Reason::AccountExpired, Reason::PasswordExpired] {
            let denial = Denial::of(reason).after_bind();
            assert_eq!(denial.public_message(true), GENERAL);
            let proved = denial.after_proof();
            assert_ne!(proved.public_message(true), GENERAL);
            assert_eq!(proved.public_message(false), GENERAL);
        }
    }

    #[test]
    fn locked_is_never_told() {
        assert_eq!(Denial::of(Reason::AccountLocked).after_proof().public_message(true), GENERAL);
    }

    #[test]
    fn what_an_attacker_could_learn_from_has_one_text() {
        for reason in [
            Reason::UnknownUser,
            Reason::AmbiguousUser,
            Reason::WrongPassword,
            Reason::NotInRequiredGroup,
            Reason::InDeniedGroup,
            Reason::NoNewUsers,
            Reason::DuplicateAccount,
            Reason::RefusedByApplication,
            Reason::BadUsername,
        ] {
            assert_eq!(Denial::of(reason).after_proof().public_message(true), GENERAL);
        }
    }
}
