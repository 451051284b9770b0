//! Signing in and out with a browser.

use std::time::Duration;

use account::{Outcome, SignIn, SignedIn, Time};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::context;
use serde::Deserialize;

use crate::csrf;
use crate::gate::Gate;
use crate::guard::unavailable;
use crate::next::{Next, password_for};
use crate::rejection::{self, Refusal, Rejection};
use crate::visit::Visit;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Target {
    next: String,
}

/// The form. Its password goes to the decision and nowhere else.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    username: String,
    password: String,
    csrf_token: String,
    next: String,
    remember_me: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Confirmation {
    csrf_token: String,
}

/// What the page shows besides its empty fields.
#[derive(Default)]
struct Shown<'a> {
    username: &'a str,
    next: &'a str,
    remembered: bool,
    refusal: Option<Refusal>,
}

/// `GET /login`
pub(crate) async fn show(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    target: Result<Query<Target>, QueryRejection>,
) -> Response {
    let next = target.map(|Query(target)| target.next).unwrap_or_default();
    page(&gate, &visit, &headers, &Shown { next: &next, ..Shown::default() })
}

/// `POST /login`
pub(crate) async fn sign_in(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    form: Result<Form<Credentials>, FormRejection>,
) -> Result<Response, Rejection> {
    let Form(form) = form?;
    let remembered = !form.remember_me.is_empty() && visit.live.settings.remember_me;
    let shown = Shown { username: &form.username, next: &form.next, remembered, ..Shown::default() };
    if !csrf::is_good(&gate, &visit, &headers, None, &form.csrf_token) {
        return Ok(refused(&gate, &visit, &headers, Refusal::stale_form(), shown));
    }
    if let Some(refusal) = Refusal::of_empty(&form.username, &form.password) {
        return Ok(refused(&gate, &visit, &headers, refusal, shown));
    }
    match gate
        .accounts()
        .sign_in(&form.username, form.password, &visit.origin(), options(&visit, &headers, remembered))
        .await
    {
        Outcome::Granted(signed_in) => {
            let next = Next::parse(&form.next, &visit.live.settings.next_hosts);
            Ok(with_cookie(see_other(next.as_str()), session_cookie(&gate, &visit, &signed_in)))
        }
        Outcome::Denied { denial, message, .. } if rejection::offers_change(&denial, message) => {
            let next = Next::parse(&form.next, &visit.live.settings.next_hosts);
            Ok(see_other(&password_for(&form.username, &next)))
        }
        Outcome::Denied { denial, message, retry_after } => {
            let refusal = Refusal::denied(&denial, message, retry_after);
            Ok(refused(&gate, &visit, &headers, refusal, shown))
        }
        Outcome::Failed { fault, .. } => {
            Ok(refused(&gate, &visit, &headers, Refusal::unavailable(fault), shown))
        }
    }
}

/// `GET /logout`
pub(crate) async fn ask(State(gate): State<Gate>, visit: Visit, headers: HeaderMap) -> Response {
    let issued = csrf::issue(&gate, &visit, &headers, visit.cookies.session(&headers));
    let page = visit.live.pages.show(StatusCode::OK, "logout.html", context! { csrf_token => issued.token });
    with_cookie(page, issued.cookie)
}

/// `POST /logout`
pub(crate) async fn sign_out(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    form: Result<Form<Confirmation>, FormRejection>,
) -> Result<Response, Rejection> {
    let Form(form) = form?;
    let session = visit.cookies.session(&headers);
    if !csrf::is_good(&gate, &visit, &headers, session, &form.csrf_token) {
        return Err(Rejection::StaleForm);
    }
    if let Some(session) = session {
        gate.accounts().sign_out(session, &visit.origin()).await.map_err(unavailable)?;
    }
    Ok(with_cookie(see_other("/login"), Some(visit.cookies.clear_session())))
}

/// What a browser's login asks for: a new session in place of whatever it had, so that nobody signs in under an id that
/// somebody else knows.
pub(crate) fn options(visit: &Visit, headers: &HeaderMap, remember_me: bool) -> SignIn {
    let replaces = visit.cookies.session(headers).map(str::to_owned);
    SignIn { session: true, remember_me, replaces, observer: None }
}

pub(crate) fn session_cookie(gate: &Gate, visit: &Visit, signed_in: &SignedIn) -> Option<HeaderValue> {
    let session = signed_in.session.as_ref()?;
    let left = Time::from(session.expires).since(gate.ambient().now()).max(Duration::from_secs(1));
    Some(visit.cookies.set_session(&session.cookie, session.persistent.then_some(left)))
}

/// 303: the next request is a GET, and a reload sends no form again.
pub(crate) fn see_other(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

pub(crate) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn refused(gate: &Gate, visit: &Visit, headers: &HeaderMap, refusal: Refusal, shown: Shown<'_>) -> Response {
    let retry_after = refusal.retry_after;
    let mut response = page(gate, visit, headers, &Shown { refusal: Some(refusal), ..shown });
    if let Some(wait) = retry_after {
        rejection::retry_after(response.headers_mut(), wait);
    }
    response
}

fn page(gate: &Gate, visit: &Visit, headers: &HeaderMap, shown: &Shown<'_>) -> Response {
    let issued = csrf::issue(gate, visit, headers, None);
    // What is shown again is what would be obeyed.
    let next = Next::parse(shown.next, &visit.live.settings.next_hosts);
    let refusal = shown.refusal.as_ref();
    let status = refusal.map_or(StatusCode::OK, |refusal| refusal.status);
    let context = context! {
        csrf_token => issued.token,
        next => if next.is_home() { "" } else { next.as_str() },
        username => shown.username,
        username_error => refusal.map_or("", |refusal| refusal.username_error),
        password_error => refusal.map_or("", |refusal| refusal.password_error),
        message => refusal.map_or("", |refusal| refusal.message.as_str()),
        advice => refusal.map_or("", |refusal| refusal.advice),
        remember_me => visit.live.settings.remember_me,
        remembered => shown.remembered,
    };
    with_cookie(visit.live.pages.show(status, "login.html", context), issued.cookie)
}
