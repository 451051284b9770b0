//! Why a new password is not taken: the one table of reasons, and of what the person reads.

use std::fmt;

use proto::Password;
use zeroize::Zeroize as _;

use crate::MAX_PASSWORD;

/// A new password is not taken, although the old one may be right. It is an answer, not a failure.
///
/// ```
/// use ldapgate_auth::{Objection, Unfit};
/// let objection = Objection::of(Unfit::TooShort).with_detail("the server says so");
/// assert_eq!(objection.unfit().as_str(), "too_short");
/// assert_eq!(objection.public_message(), "the new password is too short");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    unfit: Unfit,
    detail: String,
}

/// What is wrong with a new password, or with changing the old one now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unfit {
    /// Empty, or with a NUL, at which servers cut it off.
    Empty,
    /// Longer than a server takes, or than [`MAX_PASSWORD`].
    TooLong,
    /// It is the old one.
    Same,
    /// Shorter than the server wants it.
    TooShort,
    /// The server takes it for too easy, or says no more than no.
    TooWeak,
    /// It was used before.
    InHistory,
    /// The old one is too young to be changed.
    TooYoung,
    /// The server does not let this password be changed, or this program is told not to.
    NotAllowed,
}

/// One row for each. Only who proved the old password reads what a server said.
const TABLE: [(Unfit, &str, &str); 8] = {
    use Unfit::*;
    [
        (Empty, "empty", "the new password is missing"),
        (TooLong, "too_long", "the new password is too long"),
        (Same, "same", "the new password is the old one"),
        (TooShort, "too_short", "the new password is too short"),
        (
            TooWeak,
            "too_weak",
            "the new password is too easy to guess, or is not made as your organisation wants it",
        ),
        (InHistory, "in_history", "the new password was used before"),
        (
            TooYoung,
            "too_young",
            "the password was changed only a short time ago and cannot be changed again yet",
        ),
        (NotAllowed, "not_allowed", "this password cannot be changed here"),
    ]
};

/// A new password that is worth sending: not empty, no NUL in it, not over-long and not the old one.
///
/// ```
/// use ldapgate_auth::{NewPassword, Unfit};
/// let old = ldapgate_auth::Password::new("Red-Apple-11")?;
/// assert!(NewPassword::parse("Rosy-Apple-12".to_owned(), &old).is_ok());
/// let refused = NewPassword::parse("Red-Apple-11".to_owned(), &old).err().expect("it is the old one");
/// assert_eq!(refused.unfit(), Unfit::Same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct NewPassword(Password);

impl NewPassword {
    /// Reads what was typed. It is used as it is, not trimmed and not normalised.
    ///
    /// # Errors
    /// `empty`, `too_long` or `same`. None of them needs the directory.
    pub fn parse(mut new: String, old: &Password) -> Result<NewPassword, Objection> {
        if new.len() > MAX_PASSWORD {
            new.zeroize();
            return Err(Objection::of(Unfit::TooLong));
        }
        let new = Password::new(new).map_err(|_| Objection::of(Unfit::Empty))?;
        match new.expose() == old.expose() {
            true => Err(Objection::of(Unfit::Same)),
            false => Ok(NewPassword(new)),
        }
    }

    pub(crate) fn password(&self) -> &Password {
        &self.0
    }
}

impl Objection {
    /// An objection without the server's words.
    pub fn of(unfit: Unfit) -> Objection {
        Objection { unfit, detail: String::new() }
    }

    /// Adds what the operator should know; the person never sees it.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Objection {
        self.detail = detail.into();
        self
    }

    /// What is wrong.
    pub fn unfit(&self) -> Unfit {
        self.unfit
    }

    /// What the operator should know; may be empty.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What the person reads.
    pub fn public_message(&self) -> &'static str {
        self.unfit.row().2
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.unfit.as_str())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl Unfit {
    /// A word for programs, `too_short`.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Would another new password do, or can none be set now?
    pub fn is_about_the_new_one(self) -> bool {
        !matches!(self, Unfit::TooYoung | Unfit::NotAllowed)
    }

    fn row(self) -> (Unfit, &'static str, &'static str) {
        // The table is written in the order of the variants; a test holds it there.
        TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_objection_finds_its_own_row() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!((row.0 as usize, row.0.row().1), (place, row.1));
        }
    }

    #[test]
    fn a_password_that_no_server_takes_for_one_is_not_sent() {
        let old = Password::new("Red-Apple-11").unwrap();
        let refused = |new: &str| NewPassword::parse(new.to_owned(), &old).err().map(|error| error.unfit());
        for (new, unfit) in [
            ("", Some(Unfit::Empty)),
            ("a\0b", Some(Unfit::Empty)),
            ("Red-Apple-11", Some(Unfit::Same)),
            (&"x".repeat(MAX_PASSWORD + 1), Some(Unfit::TooLong)),
            (&"x".repeat(MAX_PASSWORD), None),
            (" Red-Apple-11", None),
        ] {
            assert_eq!(refused(new), unfit, "{new:.20}");
        }
    }
}
