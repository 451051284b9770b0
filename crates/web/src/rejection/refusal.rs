//! What a form says when it is shown again instead of done, and `/api/login` in its document.

use std::time::Duration;

use account::{Denied, Fault};
use auth::{Objection, Reason};
use axum::http::StatusCode;

use super::Rejection;
use crate::words::about;

/// The longest name of a personal token, in letters; the text below says it too.
pub(crate) const LONGEST_NAME: usize = 100;

/// For somebody whose password was right.
const CHANGE_ELSEWHERE: &str = "What you typed is right. Change your password where your organisation lets you do so, then sign in here.";

/// A refusal's status and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The sentence above the form; empty where each field says its own.
    pub(crate) message: String,
    pub(crate) advice: &'static str,
    pub(crate) username_error: &'static str,
    pub(crate) password_error: &'static str,
    pub(crate) new_password_error: String,
    pub(crate) again_error: &'static str,
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            advice: "",
            username_error: "",
            password_error: "",
            new_password_error: String::new(),
            again_error: "",
            retry_after: None,
        }
    }

    /// A denial for the visitor: its status, and no more words than its message, which the account's room chose.
    pub(crate) fn denied(denied: &Denied) -> Self {
        let reason = denied.denial.reason();
        let throttled = reason == Reason::Throttled;
        let status = if throttled { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNAUTHORIZED };
        // Advice would tell the state as well, so it goes only where the message already does.
        let advice = match reason.is_cured_by_a_change() && is_told(denied) {
            true => CHANGE_ELSEWHERE,
            false => "",
        };
        let retry_after = denied.retry_after.filter(|_| throttled);
        let message = match retry_after {
            Some(wait) => format!("There were too many attempts. Please try again in {}.", about(wait)),
            None => sentence(denied.message),
        };
        Self { advice, retry_after, ..Self::new(status, message) }
    }

    /// The password was right and has to be changed, which would not help here.
    pub(crate) fn changed_elsewhere() -> Self {
        let message = "Your password has expired or has to be changed, and that cannot be done here.";
        Self { advice: CHANGE_ELSEWHERE, ..Self::new(StatusCode::OK, message) }
    }

    /// The form was not fresh: it is given again.
    pub(crate) fn stale_form() -> Self {
        Self::new(
            Rejection::StaleForm.status(),
            "The form had expired, or your browser does not keep this site's cookies. Please fill it in again.",
        )
    }

    /// Empty fields of the login form, each told at the field; `None` when both are filled.
    pub(crate) fn of_empty(username: &str, password: &str) -> Option<Self> {
        let username_error = if username.trim().is_empty() { "Enter your user name." } else { "" };
        let password_error = if password.is_empty() { "Enter your password." } else { "" };
        let empty = !username_error.is_empty() || !password_error.is_empty();
        let refusal = Self::new(StatusCode::UNAUTHORIZED, "");
        empty.then_some(Self { username_error, password_error, ..refusal })
    }

    /// The same of the form for another password.
    pub(crate) fn of_empty_change(username: &str, old: &str, new: &str) -> Option<Self> {
        let refusal = Self::of_empty(username, old);
        if !new.is_empty() {
            return refusal;
        }
        let refusal = refusal.unwrap_or_else(|| Self::new(StatusCode::UNAUTHORIZED, ""));
        Some(Self { new_password_error: "Enter a new password.".to_owned(), ..refusal })
    }

    /// The new password was not typed twice alike.
    pub(crate) fn not_repeated() -> Self {
        let again_error = "This is not the same as the new password above.";
        Self { again_error, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "") }
    }

    /// A new password that is not taken: told at its field where another one would do, else above the form.
    pub(crate) fn unfit(objection: &Objection) -> Self {
        let refusal = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "");
        let text = sentence(objection.public_message());
        match objection.unfit().is_about_the_new_one() {
            true => Self { new_password_error: text, ..refusal },
            false => Self { message: text, ..refusal },
        }
    }

    /// A change whose answer never came.
    pub(crate) fn uncertain() -> Self {
        Self::new(
            Rejection::Unavailable(Fault::Directory).status(),
            "The service that keeps passwords did not answer. Your password may have been changed, or not: try to sign in with the new one first, then with the old one.",
        )
    }

    /// A sign-in that could not be decided, on the login page.
    pub(crate) fn unavailable(fault: Fault) -> Self {
        let rejection = Rejection::Unavailable(fault);
        Self::new(rejection.status(), rejection.message())
    }

    /// The same for programs, whose document says whose fault it is.
    pub(crate) fn failed(fault: Fault) -> Self {
        Self::new(Rejection::Unavailable(fault).status(), "signing in is not possible right now")
    }

    /// A personal token's name is empty, too long or has control characters.
    pub(crate) fn token_name() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            format!("Give the token a name of at most {LONGEST_NAME} letters."),
        )
    }
}

/// Is the visitor, who proved the password, to be led to the page where it is changed? Not where the state is not told.
pub(crate) fn leads_to_change(denied: &Denied) -> bool {
    denied.denial.reason().is_cured_by_a_change() && is_told(denied)
}

/// Does the message say what state the account is in?
fn is_told(Denied { denial, message, .. }: &Denied) -> bool {
    denial.proved() && *message != denial.public_message(false)
}

/// "the account is disabled" as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests {
    use auth::Denial;

    use super::*;

    #[test]
    fn advice_is_given_only_where_the_state_is_told() {
        let denied = |denial: Denial, show_state| {
            let message = denial.public_message(show_state);
            Refusal::denied(&Denied { denial, message, retry_after: None })
        };
        let expired = || Denial::of(Reason::PasswordExpired).after_proof();
        assert_ne!(denied(expired(), true).advice, "");
        assert_eq!(denied(expired(), false).advice, "");
        let refusal = denied(Denial::of(Reason::WrongPassword).after_bind(), true);
        assert_eq!((refusal.status, refusal.advice), (StatusCode::UNAUTHORIZED, ""));
        assert_eq!(refusal.message, "The user name or password is not right.");
    }

    #[test]
    fn filled_fields_are_no_refusal_and_empty_ones_say_so_themselves() {
        assert_eq!(Refusal::of_empty("ada", " "), None);
        let refusal = Refusal::of_empty(" ", "secret").unwrap();
        assert_eq!((refusal.message.as_str(), refusal.password_error), ("", ""));
        assert_ne!(refusal.username_error, "");
        let refusal = Refusal::of_empty_change("ada", "", "").unwrap();
        assert!(refusal.username_error.is_empty() && !refusal.password_error.is_empty());
        assert!(!refusal.new_password_error.is_empty());
        assert_eq!(Refusal::of_empty_change("ada", "a", "b"), None);
    }

    #[test]
    fn a_new_password_is_objected_to_at_its_field_where_another_would_do() {
        let short = Refusal::unfit(&Objection::of(auth::Unfit::TooShort));
        assert_eq!(
            (short.new_password_error.as_str(), short.message.as_str()),
            ("The new password is too short.", "")
        );
        let young = Refusal::unfit(&Objection::of(auth::Unfit::TooYoung));
        assert!(young.new_password_error.is_empty() && !young.message.is_empty());
    }
}
