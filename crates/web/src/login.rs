//! Signing in and out with a browser.

use std::time::Duration;

use account::{Outcome, SignIn, SignedIn, Time};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::context;
use serde::Deserialize;

use crate::form::FormPage;
use crate::gate::Gate;
use crate::guard::unavailable;
use crate::next::{Next, password_for};
use crate::rejection::{self, Refusal, Rejection};
use crate::visit::Visit;
use crate::{csrf, flash, password};

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

/// `GET /login`
pub(crate) async fn show(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    target: Result<Query<Target>, QueryRejection>,
) -> Response {
    let next = target.map(|Query(target)| target.next).unwrap_or_default();
    let form = Credentials { next, ..Credentials::default() };
    let changed = flash::take(&gate, &visit, &headers);
    let page = page(&form, &visit);
    let more = context! { password_changed => changed.is_some(), ..page.more };
    with_cookie(FormPage { more, ..page }.show(&gate, &visit, &headers, None), changed)
}

/// `POST /login`
pub(crate) async fn sign_in(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    form: Result<Form<Credentials>, FormRejection>,
) -> Result<Response, Rejection> {
    let Form(mut form) = form?;
    let password = std::mem::take(&mut form.password);
    let page = page(&form, &visit);
    let refused = |refusal: &Refusal| Ok(page.show(&gate, &visit, &headers, Some(refusal)));
    if !csrf::is_good(&gate, &visit, &headers, None, &form.csrf_token) {
        return refused(&Refusal::stale_form());
    }
    if let Some(refusal) = Refusal::of_empty(&form.username, &password) {
        return refused(&refusal);
    }
    let how = options(&visit, &headers, form.wants_to_be_remembered(&visit));
    match gate.accounts().sign_in(&form.username, password, &visit.origin(), how).await {
        Outcome::Granted(signed_in) => {
            let next = Next::parse(&form.next, &visit.live.settings.next_hosts);
            Ok(with_cookie(see_other(next.as_str()), session_cookie(&gate, &visit, &signed_in)))
        }
        Outcome::Denied(denied) if rejection::leads_to_change(&denied) && password::is_offered(&gate) => {
            let next = Next::parse(&form.next, &visit.live.settings.next_hosts);
            Ok(see_other(&password_for(&form.username, password::due(&denied.denial), &next)))
        }
        Outcome::Denied(denied) => refused(&Refusal::denied(&denied)),
        Outcome::Failed { fault, .. } => refused(&Refusal::unavailable(fault)),
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

fn page<'f>(form: &'f Credentials, visit: &Visit) -> FormPage<'f> {
    let remember_me = visit.live.settings.remember_me;
    let remembered = form.wants_to_be_remembered(visit);
    let more = context! { remember_me, remembered };
    FormPage { template: "login.html", username: &form.username, next: &form.next, more }
}

impl Credentials {
    fn wants_to_be_remembered(&self, visit: &Visit) -> bool {
        !self.remember_me.is_empty() && visit.live.settings.remember_me
    }
}
