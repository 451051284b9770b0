//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::gate::Gate;
use crate::rejection::NOT_READY;

/// `GET /healthz`
pub(crate) async fn alive() -> Response {
    Json(json!({ "alive": true })).into_response()
}

/// `GET /readyz`
pub(crate) async fn ready(State(gate): State<Gate>) -> Response {
    let ready = gate.accounts().ready().await;
    let status = if ready.ready { StatusCode::OK } else { NOT_READY };
    let document = json!({ "ready": ready.ready, "directory": ready.directory, "store": ready.store });
    (status, Json(document)).into_response()
}
