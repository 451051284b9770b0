//! Changing a password with a browser, signed in or not; also one that has expired, on the way in.

use account::{Outcome, PasswordOutcome};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use minijinja::context;
use serde::Deserialize;

use crate::csrf;
use crate::gate::Gate;
use crate::guard::unavailable;
use crate::login::{options, see_other, session_cookie, with_cookie};
use crate::next::Next;
use crate::rejection::{self, Refusal, Rejection};
use crate::visit::Visit;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Target {
    next: String,
    /// Whose password has to be changed before they may go on: the login page says so.
    username: String,
}

/// The form. Its passwords go to the decision and nowhere else.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Passwords {
    username: String,
    old_password: String,
    new_password: String,
    /// The page asks twice; who sends the form otherwise need not.
    new_password_again: Option<String>,
    csrf_token: String,
    next: String,
}

/// What the page shows besides its empty fields.
#[derive(Default)]
struct Shown<'a> {
    username: &'a str,
    next: &'a str,
    due: bool,
    refusal: Option<Refusal>,
}

/// `GET /password`
pub(crate) async fn show(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    target: Result<Query<Target>, QueryRejection>,
) -> Result<Response, Rejection> {
    offered(&gate)?;
    let Target { next, username } = target.map(|Query(target)| target).unwrap_or_default();
    let due = !username.is_empty();
    let session = match visit.cookies.session(&headers).filter(|_| !due) {
        Some(cookie) => gate.accounts().session(cookie).await.map_err(unavailable)?,
        None => None,
    };
    let username = session.map_or(username, |session| session.account.username);
    Ok(page(&gate, &visit, &headers, &Shown { username: &username, next: &next, due, refusal: None }))
}

/// `POST /password`
pub(crate) async fn change(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    form: Result<Form<Passwords>, FormRejection>,
) -> Result<Response, Rejection> {
    offered(&gate)?;
    let Form(form) = form?;
    let shown = Shown { username: &form.username, next: &form.next, ..Shown::default() };
    if !csrf::is_good(&gate, &visit, &headers, None, &form.csrf_token) {
        return Ok(refused(&gate, &visit, &headers, Refusal::stale_form(), shown));
    }
    if let Some(refusal) = form.problem() {
        return Ok(refused(&gate, &visit, &headers, refusal, shown));
    }
    let (origin, how) = (visit.origin(), options(&visit, &headers, false));
    let Passwords { old_password: old, new_password: new, .. } = form;
    let refusal = match gate.accounts().change_password(&form.username, old, new, &origin, how).await {
        PasswordOutcome::Changed(signed_in) => {
            let next = Next::parse(&form.next, &visit.live.settings.next_hosts);
            let cookie = match *signed_in {
                Outcome::Granted(signed_in) => session_cookie(&gate, &visit, &signed_in),
                // Changed it is; whatever guards the next page says what else is in the way.
                Outcome::Denied { .. } | Outcome::Failed { .. } => None,
            };
            return Ok(with_cookie(see_other(next.as_str()), cookie));
        }
        PasswordOutcome::Unfit(objection) => Refusal::unfit(&objection),
        PasswordOutcome::Denied { denial, message, retry_after } => {
            Refusal::denied(&denial, message, retry_after)
        }
        PasswordOutcome::Failed { may_have_changed: true, .. } => Refusal::uncertain(),
        PasswordOutcome::Failed { fault, .. } => Refusal::unavailable(fault),
    };
    Ok(refused(&gate, &visit, &headers, refusal, shown))
}

impl Passwords {
    /// What can be seen to be wrong without asking anybody.
    fn problem(&self) -> Option<Refusal> {
        let empty = Refusal::of_empty_change(&self.username, &self.old_password, &self.new_password);
        let again = self.new_password_again.as_ref().filter(|again| **again != self.new_password);
        empty.or_else(|| again.map(|_| Refusal::not_repeated()))
    }
}

/// Where no password can be changed there is no such page.
fn offered(gate: &Gate) -> Result<(), Rejection> {
    match gate.accounts().directories().change_passwords() {
        true => Ok(()),
        false => Err(Rejection::NotFound),
    }
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
        due => shown.due,
        username_error => refusal.map_or("", |refusal| refusal.username_error),
        old_error => refusal.map_or("", |refusal| refusal.password_error),
        new_error => refusal.map_or("", |refusal| refusal.new_password_error.as_str()),
        again_error => refusal.map_or("", |refusal| refusal.again_error),
        message => refusal.map_or("", |refusal| refusal.message.as_str()),
        advice => refusal.map_or("", |refusal| refusal.advice),
    };
    with_cookie(visit.live.pages.show(status, "password.html", context), issued.cookie)
}
