//! Changing a password with a browser, signed in or not; also one that has expired, on the way in.

use account::{Denial, Outcome, PasswordOutcome, Reason, Session};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use minijinja::context;
use serde::Deserialize;

use crate::form::FormPage;
use crate::gate::Gate;
use crate::guard::unavailable;
use crate::login::{options, see_other, session_cookie, with_cookie};
use crate::next::Next;
use crate::rejection::{Refusal, Rejection};
use crate::visit::Visit;
use crate::{csrf, flash};

/// In place of a reason: a change here would not help.
const ELSEWHERE: &str = "elsewhere";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Target {
    next: String,
    /// Whose password has to be changed before they may go on: the login page says so.
    username: String,
    /// Why it has to be.
    due: String,
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
    /// As in the page's address.
    due: String,
}

/// `GET /password`
pub(crate) async fn show(
    State(gate): State<Gate>,
    visit: Visit,
    headers: HeaderMap,
    target: Result<Query<Target>, QueryRejection>,
) -> Result<Response, Rejection> {
    offered(&gate)?;
    let Target { next, username, due } = target.map(|Query(target)| target).unwrap_or_default();
    let session = session(&gate, &visit, &headers).await?;
    let username = match &session {
        Some(session) if username.is_empty() => {
            gate.accounts().name_to_type(&session.account).unwrap_or_default()
        }
        _ => username,
    };
    let form = Passwords { username, next, due, ..Passwords::default() };
    let elsewhere = (form.due == ELSEWHERE).then(Refusal::changed_elsewhere);
    Ok(page(&form, session.as_ref()).show(&gate, &visit, &headers, elsewhere.as_ref()))
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
    let session = session(&gate, &visit, &headers).await?;
    let page = page(&form, session.as_ref());
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
            let answer = with_cookie(see_other(next.as_str()), cookie);
            // No page of ours follows elsewhere.
            let told = next.is_home().then(|| flash::password_changed(&gate, &visit, &headers)).flatten();
            Ok(with_cookie(answer, told))
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
    if is_offered(gate) { Ok(()) } else { Err(Rejection::NotFound) }
}

pub(crate) fn is_offered(gate: &Gate) -> bool {
    gate.accounts().directories().can_change_passwords()
}

/// Why somebody is led here, as a word of the address.
pub(crate) fn due(denial: &Denial) -> &'static str {
    if denial.offers_change() { denial.reason().as_str() } else { ELSEWHERE }
}

async fn session(gate: &Gate, visit: &Visit, headers: &HeaderMap) -> Result<Option<Session>, Rejection> {
    match visit.cookies.session(headers) {
        Some(cookie) => gate.accounts().session(cookie).await.map_err(unavailable),
        None => Ok(None),
    }
}

fn page<'f>(form: &'f Passwords, session: Option<&Session>) -> FormPage<'f> {
    // Anybody can write an address: a word of it picks one of our texts, or none.
    let due = [Reason::PasswordExpired, Reason::PasswordMustChange].map(Reason::as_str);
    let due = due.into_iter().find(|due| form.due == *due).unwrap_or_default();
    let more = context! { due, signed_in => session.is_some() };
    FormPage { template: "password.html", username: &form.username, next: &form.next, more }
}
