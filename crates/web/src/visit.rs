//! What is known of one request before anybody is known: where it comes from, what it understands, and how it is answered.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracing::Instrument as _;

use crate::address::{Peer, Source};
use crate::cookies::Cookies;
use crate::gate::{Gate, Live};
use crate::rejection::Rejection;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One request's surroundings.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) live: Arc<Live>,
    pub(crate) source: Source,
    pub(crate) cookies: Cookies,
    pub(crate) request_id: String,
    /// The visitor reads HTML.
    pub(crate) wants_page: bool,
    agent: Option<String>,
}

impl Visit {
    /// The visit of a request; the same one however often it is asked for.
    pub(crate) fn of(gate: &Gate, headers: &HeaderMap, extensions: &Extensions) -> Self {
        if let Some(visit) = extensions.get::<Self>() {
            return visit.clone();
        }
        let live = gate.live();
        let source = Source::of(Peer::of(extensions), headers, &live.settings.trusted_proxies);
        let https = source.https || live.settings.always_https();
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let request_id = given.filter(|id| source.proxied && is_tame(id)).map(str::to_owned);
        Self {
            source,
            cookies: Cookies::new(&live.settings.cookie, https),
            request_id: request_id.unwrap_or_else(|| URL_SAFE_NO_PAD.encode(gate.ambient().random::<12>())),
            wants_page: wants_page(headers),
            agent: headers
                .get(header::USER_AGENT)
                .map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()),
            live,
        }
    }

    /// For throttling, sessions and the audit record.
    pub(crate) fn origin(&self) -> account::Origin {
        account::Origin {
            address: self.source.address,
            agent: self.agent.clone(),
            request_id: Some(self.request_id.clone()),
        }
    }
}

impl FromRequestParts<Gate> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, gate: &Gate) -> Result<Self, Self::Rejection> {
        Ok(Self::of(gate, &parts.headers, &parts.extensions))
    }
}

/// Around every path of the gateway: deadline, log, the rendering of rejections, the headers of every answer.
pub(crate) async fn enter(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let visit = Visit::of(&gate, request.headers(), request.extensions());
    request.extensions_mut().insert(visit.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("http", %method, path, request_id = visit.request_id);
    let limit = visit.live.settings.request_timeout;
    let answered = tokio::time::timeout(limit, next.run(request)).instrument(span.clone()).await;
    let mut response =
        answered.unwrap_or_else(|_| axum::response::IntoResponse::into_response(Rejection::TooSlow));
    if let Some(rejection) = response.extensions_mut().remove::<Rejection>() {
        let headers = std::mem::take(response.headers_mut());
        response = rejection.render(&visit);
        // `Allow` comes from the router, after the rejection was made.
        response.headers_mut().extend(headers.get(header::ALLOW).map(|allow| (header::ALLOW, allow.clone())));
    }
    dress(&visit, response.headers_mut());
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, "answered"));
    response
}

/// The headers of every answer of the gateway's own.
pub(crate) fn dress(visit: &Visit, headers: &mut HeaderMap) {
    const FIXED: [(HeaderName, &str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not "no-referrer": browsers would then send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, visit.live.content_policy.clone());
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&visit.request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// Whether a browser is going somewhere, as against a page's script or a program.
pub(crate) fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
        && wants_page(headers)
        && !headers.contains_key("x-requested-with")
        && !headers.contains_key(header::AUTHORIZATION)
}

/// Whether a browser may show its own password window: not from inside a page.
pub(crate) fn may_challenge(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

fn wants_page(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|value| {
        value.split(',').any(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
        })
    })
}

fn is_tame(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}
