//! What was sent and cannot be read.

use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::http::StatusCode;

use super::Rejection;

/// What cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// A form's body.
    Form,
    /// A program's body.
    Json,
    /// The lifetime wished for a personal token: none of those offered.
    Lifetime,
    /// `token_duration`.
    TokenDuration,
}

impl Malformed {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Form => "The form cannot be read.",
            Self::Json => "The body is not the JSON that is expected here.",
            Self::Lifetime => "There is no such lifetime.",
            Self::TokenDuration => "token_duration is a positive number of seconds.",
        }
    }
}

impl From<FormRejection> for Rejection {
    fn from(rejection: FormRejection) -> Self {
        of_body(rejection.status(), Malformed::Form)
    }
}

impl From<JsonRejection> for Rejection {
    fn from(rejection: JsonRejection) -> Self {
        of_body(rejection.status(), Malformed::Json)
    }
}

/// A body that the router's reader refused with this status.
fn of_body(status: StatusCode, otherwise: Malformed) -> Rejection {
    match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Rejection::UnsupportedMedia,
        StatusCode::PAYLOAD_TOO_LARGE => Rejection::TooLarge,
        _ => Rejection::Malformed(otherwise),
    }
}
