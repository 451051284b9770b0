//! The token endpoint: user name and password by Basic go in, a token comes out.

use std::time::Duration;

use account::{Denied, Outcome};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::basic::Authorization;
use crate::gate::Gate;
use crate::guard::unavailable;
use crate::rejection::{Malformed, Rejection, json_text};
use crate::visit::{Visit, may_challenge};

/// `POST {token.path}/request-token`
pub(crate) async fn request(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Rejection> {
    let duration = wish(query.as_deref().unwrap_or_default())?;
    let unauthorized = Rejection::Unauthorized { challenge: may_challenge(&headers) };
    let Some(Authorization::Basic { username, password }) = Authorization::of(&headers) else {
        return Err(unauthorized);
    };
    // No token makes tokens; and as a password it would be counted against its owner.
    if password.starts_with(account::PERSONAL_PREFIX) {
        return Err(unauthorized);
    }
    let options = account::SignIn::default();
    let signed_in = match gate.accounts().sign_in(&username, password, &visit.origin(), options).await {
        Outcome::Granted(signed_in) => signed_in,
        Outcome::Denied(Denied { retry_after: Some(wait), .. }) => return Err(Rejection::Throttled(wait)),
        Outcome::Denied(_) => return Err(unauthorized),
        Outcome::Failed { fault, .. } => return Err(Rejection::Unavailable(fault)),
    };
    let token = gate.accounts().issue_token(&signed_in.account, duration, &visit.origin()).await;
    let token = token.map_err(unavailable)?;
    // The colon belongs to the value, so that it can be pasted where "user:password" is asked for.
    Ok(json_text(StatusCode::OK, format!(r#"{{"token": "{}:"}}"#, token.text)))
}

/// `token_duration` in seconds, decimals allowed; `None` when it is not asked for.
fn wish(query: &str) -> Result<Option<Duration>, Rejection> {
    let Some(text) = query.split('&').find_map(|pair| pair.strip_prefix("token_duration=")) else {
        return Ok(None);
    };
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    let seconds = seconds.ok_or(Rejection::Malformed(Malformed::TokenDuration))?;
    // A token's times are whole seconds, and one that is over at once helps nobody.
    Ok(Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(Duration::from_secs(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_positive_number_of_seconds() {
        assert_eq!(wish(""), Ok(None));
        assert_eq!(wish("search_criteria=uid&authenticated_search=true"), Ok(None));
        assert_eq!(wish("a=b&token_duration=90"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(wish("token_duration=1.5"), Ok(Some(Duration::from_millis(1500))));
        assert_eq!(wish("token_duration=0.001"), Ok(Some(Duration::from_secs(1))));
        assert_eq!(wish("token_duration=1e300"), Ok(Some(Duration::MAX)));
    }

    #[test]
    fn nonsense_zero_and_negative_wishes_are_refused() {
        for query in [
            "token_duration=",
            "token_duration=0",
            "token_duration=-5",
            "token_duration=abc",
            "token_duration=NaN",
            "token_duration=inf",
            "token_duration=1e999",
        ] {
            assert!(wish(query).is_err(), "{query}");
        }
    }
}
