//! The `Authorization` header: Basic (RFC 7617) and Bearer (RFC 6750).

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longer values are not decoded.
const LONGEST: usize = 8 * 1024;

/// What a visitor showed. Neither its password nor its token is ever printed.
pub(crate) enum Authorization {
    /// `Bearer TOKEN`; a trailing colon is already gone.
    Bearer(String),
    /// `Basic base64(NAME:PASSWORD)`.
    Basic { username: String, password: String },
    /// Anything else.
    Other,
}

impl Authorization {
    /// `None` when there is no such header. Two of them are no credentials at all.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next()?;
        if values.next().is_some() || value.len() > LONGEST {
            return Some(Self::Other);
        }
        let Some((scheme, rest)) = value.to_str().ok().and_then(|value| value.trim().split_once(' ')) else {
            return Some(Self::Other);
        };
        let rest = rest.trim();
        let parsed = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Some(Self::Bearer(rest.strip_suffix(':').unwrap_or(rest).to_owned())),
            "basic" => parse_basic(rest),
            _ => None,
        };
        Some(parsed.unwrap_or(Self::Other))
    }
}

/// The first colon ends the name; a password may hold more of them (RFC 7617 section 2).
fn parse_basic(text: &str) -> Option<Authorization> {
    let decoded = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some(Authorization::Basic { username: username.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Authorization {
        Authorization::of(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])).unwrap()
    }

    fn basic(text: &str) -> Option<(String, String)> {
        match parse(&format!("Basic {}", STANDARD.encode(text))) {
            Authorization::Basic { username, password } => Some((username, password)),
            _ => None,
        }
    }

    #[test]
    fn a_password_may_hold_colons_and_any_letters() {
        assert_eq!(basic("alice:a:b"), Some(("alice".into(), "a:b".into())));
        assert_eq!(basic("jürgen:Gelb"), Some(("jürgen".into(), "Gelb".into())));
        assert_eq!(basic("token:"), Some(("token".into(), String::new())));
        assert_eq!(basic("no colon"), None);
    }

    #[test]
    fn a_bearer_token_may_end_with_a_colon_and_its_scheme_has_any_case() {
        assert!(matches!(parse("bEaReR a.b.c:"), Authorization::Bearer(token) if token == "a.b.c"));
        assert!(matches!(parse("Bearer a.b.c"), Authorization::Bearer(token) if token == "a.b.c"));
    }

    #[test]
    fn nonsense_and_two_headers_are_no_credentials() {
        assert!(matches!(parse("Digest x=y"), Authorization::Other));
        assert!(matches!(parse("Basic ?"), Authorization::Other));
        assert!(matches!(parse("Basic"), Authorization::Other));
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        headers.append(header::AUTHORIZATION, "Bearer b".parse().unwrap());
        assert!(matches!(Authorization::of(&headers), Some(Authorization::Other)));
    }
}
