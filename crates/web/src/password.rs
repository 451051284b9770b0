//! Changing a password with a browser, signed in or not; also one that has expired, on the way in.

use account::{Outcome, PasswordOutcome};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use minijinja::{Value, context};
use serde::Deserialize;

use crate::csrf;
use crate::form::FormPage;
use crate::gate::Gate;
use crate::guard::unavailable;
use crate::login::{options, see_other, session_cookie, with_cookie};
use crate::next::Next;
use crate::rejection::{Refusal, Rejection};
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
    let form = Passwords { username, next, ..Passwords::default() };
    let page = FormPage { more: context! { due }, ..page(&form) };
    Ok(page.show(&gate, &visit, &headers, None))
}

/// `POST /password`
pub(crate) async fn change(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    form: Result<Form<Passwords>, FormRejection>,
) -> Result<Response, Rejection> {
    offered(&gate)?;
    let Form(mut form) = form?;
    let problem = form.problem();
    let (old, new) = (std::mem::take(&mut form.old_password), std::mem::take(&mut form.new_password));
    let page = page(&form);
    let refused = |refusal: &Refusal| Ok(page.show(&gate, &visit, &headers, Some(refusal)));
    if !csrf::is_good(&gate, &visit, &headers, None, &form.csrf_token) {
        return refused(&Refusal::stale_form());
    }
    if let Some(refusal) = problem {
        return refused(&refusal);
    }
    let (origin, how) = (visit.origin(), options(&visit, &headers, false));
    match gate.accounts().change_password(&form.username, old, new, &origin, how).await {
        PasswordOutcome::Changed(signed_in) => {
            let next = Next::parse(&form.next, &visit.live.settings.next_hosts);
            let cookie = match *signed_in {
                Outcome::Granted(signed_in) => session_cookie(&gate, &visit, &signed_in),
                // Changed it is; whatever guards the next page says what else is in the way.
                Outcome::Denied(_) | Outcome::Failed { .. } => None,
            };
            Ok(with_cookie(see_other(next.as_str()), cookie))
        }
        PasswordOutcome::Unfit(objection) => refused(&Refusal::unfit(&objection)),
        PasswordOutcome::Denied(denied) => refused(&Refusal::denied(&denied)),
        PasswordOutcome::Failed { may_have_changed: true, .. } => refused(&Refusal::uncertain()),
        PasswordOutcome::Failed { fault, .. } => refused(&Refusal::unavailable(fault)),
    }
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
    match gate.accounts().directories().can_change_passwords() {
        true => Ok(()),
        false => Err(Rejection::NotFound),
    }
}

fn page(form: &Passwords) -> FormPage<'_> {
    let more = Value::UNDEFINED;
    FormPage { template: "password.html", username: &form.username, next: &form.next, more }
}
