//! The one place that chooses the HTTP status and the language of everything that is not a success.
//!
//! [`Rejection`] is an answer of its own; [`Refusal`] is what a form says when it is shown again, or `/api/login` in its document.
//!
//! A handler returns a [`Rejection`]; it travels as a bare response with itself as an extension, and [`crate::visit`]
//! or the guard, which know who is asking, render it: a page for people, JSON for programs.

use std::time::Duration;

use account::Fault;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use minijinja::context;
use serde_json::Value;

use crate::visit::Visit;
use crate::words::about;

mod malformed;
mod refusal;

pub(crate) use malformed::Malformed;
pub(crate) use refusal::{LONGEST_NAME, Refusal, leads_to_change};

/// The language of the texts below and of the embedded pages (BCP 47).
pub(crate) const LANGUAGE: &str = "en";

/// What a guarded path answers to who shows nothing good; programs compare it byte for byte.
pub(crate) const UNAUTHORIZED: &str =
    r#"{"error": "unauthorized", "message": "Please authenticate with a valid token", "status": 401}"#;

const CHALLENGE: &str = r#"Basic realm="Authentication Required""#;

/// Why a request does not get what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// No such path.
    NotFound,
    /// Not with this method. The router adds `Allow`.
    MethodNotAllowed,
    /// What was sent cannot be read.
    Malformed(Malformed),
    /// Not in this content type.
    UnsupportedMedia,
    /// The body is too large.
    TooLarge,
    /// The request took too long.
    TooSlow,
    /// Another site made the browser send this.
    CrossSite,
    /// The form's token is missing, too old or another browser's.
    StaleForm,
    /// Known, but not allowed.
    Forbidden,
    /// A browser's navigation by nobody: to the login page at this address.
    ToLogin(String),
    /// Nobody we know. `challenge` is whether a browser may ask for a password in a window of its own.
    Unauthorized {
        /// Send `WWW-Authenticate`.
        challenge: bool,
    },
    /// Too many wrong passwords.
    Throttled(Duration),
    /// The directory or the store does not answer, or something is not set up as it must be.
    Unavailable(Fault),
    /// A fault of this program.
    Internal,
}

/// Status, code word, title and text.
type Words = (StatusCode, &'static str, &'static str, &'static str);

impl Rejection {
    fn words(&self) -> Words {
        use StatusCode as S;
        match self {
            Self::NotFound => {
                (S::NOT_FOUND, "not_found", "Page not found", "There is nothing at this address.")
            }
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This does not work here",
                "This address cannot be used in this way.",
            ),
            Self::Malformed(what) => {
                (S::BAD_REQUEST, "bad_request", "The request cannot be read", what.message())
            }
            Self::UnsupportedMedia => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The request cannot be read",
                "This content type is not taken here.",
            ),
            Self::TooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "too_large",
                "The request is too large",
                "Less than this can be sent here.",
            ),
            Self::TooSlow => {
                (S::REQUEST_TIMEOUT, "timeout", "The request took too long", "Please try again in a moment.")
            }
            Self::CrossSite => (
                S::FORBIDDEN,
                "cross_site",
                "This came from another site",
                "Another site made your browser send this request, so nothing was done.",
            ),
            Self::StaleForm => (
                S::FORBIDDEN,
                "stale_form",
                "This form has expired",
                "The form was open for too long, or your browser does not keep this site's cookies. Nothing was done.",
            ),
            Self::Forbidden => {
                (S::FORBIDDEN, "forbidden", "No access", "You are signed in, but you may not use this page.")
            }
            Self::ToLogin(_) => {
                (S::SEE_OTHER, "login_required", "Please sign in", "This page is for signed-in people.")
            }
            Self::Unauthorized { .. } => {
                (S::UNAUTHORIZED, "unauthorized", "Please sign in", "Please authenticate with a valid token")
            }
            Self::Throttled(_) => (
                S::TOO_MANY_REQUESTS,
                "throttled",
                "Too many attempts",
                "There were too many attempts to sign in. Please try again later.",
            ),
            Self::Unavailable(Fault::Store) => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "This is not possible right now",
                "The service that remembers who is signed in does not answer. Please try again in a few minutes.",
            ),
            Self::Unavailable(Fault::Configuration) => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "This is not possible here",
                "This service is not set up to do this, and trying again will not help. Please tell whoever runs it.",
            ),
            Self::Unavailable(_) => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "Signing in is not possible right now",
                "The service that checks passwords does not answer. Your password was not refused: please try again in a few minutes.",
            ),
            Self::Internal => (
                S::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong",
                "This is a fault of the service. It has been noted.",
            ),
        }
    }

    /// The status that this answers with.
    pub(crate) fn status(&self) -> StatusCode {
        self.words().0
    }

    /// The sentence for people.
    pub(crate) fn message(&self) -> &'static str {
        self.words().3
    }

    /// The same on a page, which may have more to say than programs are told.
    fn page_message(&self) -> String {
        match self {
            Self::Throttled(wait) => {
                format!("There were too many attempts to sign in. Please try again in {}.", about(*wait))
            }
            _ => self.message().to_owned(),
        }
    }

    /// The whole answer for this visitor.
    pub(crate) fn render(&self, visit: &Visit) -> Response {
        let (status, code, title, message) = self.words();
        let mut response = match self {
            Self::ToLogin(location) => (status, [(header::LOCATION, location.as_str())]).into_response(),
            Self::Unauthorized { .. } => json_text(status, UNAUTHORIZED.to_owned()),
            _ if visit.wants_page => {
                let (link, link_text) = self.way_out();
                let message = self.page_message();
                let request_id = &visit.request_id;
                visit.live.pages.show(
                    status,
                    "error.html",
                    context! { title, message, link, link_text, request_id },
                )
            }
            _ => json_text(status, problem(code, message, status)),
        };
        self.headers(visit, response.headers_mut());
        crate::visit::dress(visit, response.headers_mut());
        response
    }

    fn headers(&self, visit: &Visit, headers: &mut HeaderMap) {
        match self {
            Self::Unauthorized { challenge } => {
                if *challenge {
                    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
                }
                if let Ok(location) = HeaderValue::from_str(&visit.live.token_endpoint) {
                    headers.insert(header::LOCATION, location);
                }
            }
            Self::Throttled(wait) => retry_after(headers, *wait),
            _ => {}
        }
    }

    fn way_out(&self) -> (&'static str, &'static str) {
        match self {
            Self::Internal | Self::TooSlow | Self::MethodNotAllowed => ("", ""),
            Self::Throttled(_) | Self::Unavailable(_) | Self::CrossSite => ("/login", "To the sign-in page"),
            _ => ("/", "To your account"),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What `/readyz` answers with while the gateway cannot do its work.
pub(crate) const NOT_READY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// The answer when a theme's page fails at work: there is no page to say it on.
pub(crate) fn unshown() -> Response {
    (Rejection::Internal.status(), "This page cannot be shown.").into_response()
}

pub(crate) fn retry_after(headers: &mut HeaderMap, wait: Duration) {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}

/// JSON in the form of the 401, so that one reader understands every error.
fn problem(code: &str, message: &str, status: StatusCode) -> String {
    let (code, message) = (Value::from(code), Value::from(message));
    format!(r#"{{"error": {code}, "message": {message}, "status": {}}}"#, status.as_u16())
}

pub(crate) fn json_text(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_401_has_93_bytes() {
        assert_eq!(UNAUTHORIZED.len(), 93);
    }

    #[test]
    fn an_outage_says_whose_it_is() {
        let of = |fault| Rejection::Unavailable(fault);
        assert!(of(Fault::Directory).message().contains("that checks passwords"));
        assert!(of(Fault::Store).message().contains("remembers who is signed in"));
        assert!(!of(Fault::Store).words().2.contains("Signing in"));
        assert!(of(Fault::Configuration).message().contains("not set up to do this"));
        assert_eq!(of(Fault::Configuration).status(), of(Fault::Directory).status());
        assert_eq!(of(Fault::Store).status(), of(Fault::Directory).status());
    }

    #[test]
    fn no_other_file_chooses_a_status_but_a_success() {
        let files = [
            ("api", include_str!("../api.rs")),
            ("extract", include_str!("../extract.rs")),
            ("flash", include_str!("../flash.rs")),
            ("gate", include_str!("../gate.rs")),
            ("guard", include_str!("../guard.rs")),
            ("health", include_str!("../health.rs")),
            ("home", include_str!("../home.rs")),
            ("login", include_str!("../login.rs")),
            ("page", include_str!("../page.rs")),
            ("password", include_str!("../password.rs")),
            ("serve", include_str!("../serve/mod.rs")),
            ("token", include_str!("../token.rs")),
            ("visit", include_str!("../visit.rs")),
        ];
        for (name, text) in files {
            for (_, chosen) in
                text.match_indices("StatusCode::").map(|(at, mark)| text.split_at(at + mark.len()))
            {
                assert!(chosen.starts_with("OK") || chosen.starts_with("SEE_OTHER"), "{name}: {chosen:.40}");
            }
        }
    }

    #[test]
    fn errors_have_the_form_of_the_401() {
        let text =
            problem("unauthorized", "Please authenticate with a valid token", StatusCode::UNAUTHORIZED);
        assert_eq!(text, UNAUTHORIZED);
    }
}
