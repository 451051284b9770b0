//! Signing in for programs, and what they may ask about themselves.

use account::{Outcome, document};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::extract::Via;
use crate::gate::Gate;
use crate::guard::Identity;
use crate::login;
use crate::rejection::{self, Malformed, Refusal, Rejection};
use crate::visit::Visit;

#[derive(Deserialize)]
pub(crate) struct Credentials {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    remember_me: bool,
}

/// `POST /api/login`
pub(crate) async fn sign_in(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Result<Response, Rejection> {
    // An object and nothing else: serde would take an array's elements for the fields in their order.
    let Json(body) = body?;
    let body = serde_json::from_value::<Credentials>(Value::Object(body));
    let body = body.map_err(|_| Rejection::Malformed(Malformed::Json))?;
    let remembered = body.remember_me && visit.live.settings.remember_me;
    let options = login::options(&visit, &headers, remembered);
    match gate.accounts().sign_in(&body.username, body.password, &visit.origin(), options).await {
        Outcome::Granted(signed_in) => {
            let answer = Json(document::granted(&signed_in)).into_response();
            Ok(login::with_cookie(answer, login::session_cookie(&gate, &visit, &signed_in)))
        }
        Outcome::Denied(denied) => {
            let refusal = Refusal::denied(&denied);
            let document = Json(document::denied_to_visitor(denied.message));
            let mut response = (refusal.status, document).into_response();
            if let Some(wait) = refusal.retry_after {
                rejection::retry_after(response.headers_mut(), wait);
            }
            Ok(response)
        }
        Outcome::Failed { fault, .. } => {
            let refusal = Refusal::failed(fault);
            Ok((refusal.status, Json(document::failed_to_visitor(fault, &refusal.message))).into_response())
        }
    }
}

/// `GET /api/me`
pub(crate) async fn me(identity: Identity) -> Response {
    let via: Via = identity.via;
    Json(document::me(&identity.account, via.as_str())).into_response()
}

/// `GET /.well-known/jwks.json`
pub(crate) async fn keys(State(gate): State<Gate>) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(gate.accounts().jwks())).into_response()
}
