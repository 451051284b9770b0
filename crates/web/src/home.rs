//! The account page: who am I, my groups, my sessions, my tokens.
//!
//! It opens by the session's cookie alone, and every button on it carries a token that belongs to that session, so that no token makes
//! or revokes tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use account::{Account, Time};
use axum::extract::{Form, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use minijinja::{Value, context};
use serde::Deserialize;

use crate::gate::Gate;
use crate::guard::{Identity, unavailable};
use crate::login::{see_other, with_cookie};
use crate::rejection::{LONGEST_NAME, Malformed, Refusal, Rejection};
use crate::visit::Visit;
use crate::{csrf, flash, words};

/// What the page offers for a new token, in days.
const LIFETIMES: [u64; 4] = [7, 30, 90, 365];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Order {
    csrf_token: String,
    session: String,
    token: String,
    name: String,
    days: String,
}

/// An order whose form carried the token of this very session; there is no other way to one.
pub(crate) struct Ordered(Order);

impl FromRequest<Gate> for Ordered {
    type Rejection = Rejection;

    async fn from_request(request: Request, gate: &Gate) -> Result<Self, Rejection> {
        let visit = Visit::of(gate, request.headers(), request.extensions());
        let headers = request.headers().clone();
        let Form(order) = Form::<Order>::from_request(request, gate).await?;
        let session = visit.cookies.session(&headers);
        match csrf::is_good(gate, &visit, &headers, session, &order.csrf_token) {
            true => Ok(Self(order)),
            false => Err(Rejection::StaleForm),
        }
    }
}

/// What the page says besides.
#[derive(Default)]
struct Said<'a> {
    refusal: Option<Refusal>,
    token: &'a str,
}

/// `GET /`
pub(crate) async fn show(
    State(gate): State<Gate>,
    visit: Visit,
    identity: Identity,
    headers: HeaderMap,
) -> Result<Response, Rejection> {
    page(&gate, &visit, &identity, &headers, &Said::default()).await
}

/// `POST /sessions/end`
pub(crate) async fn end_session(
    State(gate): State<Gate>,
    visit: Visit,
    identity: Identity,
    Ordered(order): Ordered,
) -> Result<Response, Rejection> {
    gate.accounts()
        .end_session(identity.account.id, &order.session, &visit.origin())
        .await
        .map_err(unavailable)?;
    Ok(see_other("/"))
}

/// `POST /sessions/end-others`
pub(crate) async fn end_others(
    State(gate): State<Gate>,
    visit: Visit,
    identity: Identity,
    headers: HeaderMap,
    Ordered(_): Ordered,
) -> Result<Response, Rejection> {
    let keep = visit.cookies.session(&headers);
    gate.accounts().end_sessions(identity.account.id, keep, &visit.origin()).await.map_err(unavailable)?;
    Ok(see_other("/"))
}

/// `POST /tokens`
pub(crate) async fn create_token(
    State(gate): State<Gate>,
    visit: Visit,
    identity: Identity,
    headers: HeaderMap,
    Ordered(order): Ordered,
) -> Result<Response, Rejection> {
    let name = order.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        let said = Said { refusal: Some(Refusal::token_name()), ..Said::default() };
        return page(&gate, &visit, &identity, &headers, &said).await;
    }
    let lifetime = match order.days.as_str() {
        "" => None,
        days => {
            let days = days.parse().ok().filter(|days| LIFETIMES.contains(days));
            let days = days.ok_or(Rejection::Malformed(Malformed::Lifetime))?;
            Some(DAY * u32::try_from(days).unwrap_or(u32::MAX))
        }
    };
    let issued = gate
        .accounts()
        .issue_personal(&identity.account, Some(name.to_owned()), lifetime, &visit.origin())
        .await;
    let token = issued.map_err(unavailable)?.text;
    page(&gate, &visit, &identity, &headers, &Said { token: &token, ..Said::default() }).await
}

/// `POST /tokens/revoke`
pub(crate) async fn revoke_token(
    State(gate): State<Gate>,
    visit: Visit,
    identity: Identity,
    Ordered(order): Ordered,
) -> Result<Response, Rejection> {
    gate.accounts()
        .revoke_personal(identity.account.id, &order.token, &visit.origin())
        .await
        .map_err(unavailable)?;
    Ok(see_other("/"))
}

/// `GET /_ldapgate/NAME`: what the pages show.
pub(crate) async fn file(visit: Visit, Path(name): Path<String>) -> Result<Response, Rejection> {
    visit.live.pages.file(&name).ok_or(Rejection::NotFound)
}

async fn page(
    gate: &Gate,
    visit: &Visit,
    identity: &Identity,
    headers: &HeaderMap,
    said: &Said<'_>,
) -> Result<Response, Rejection> {
    let account = &identity.account;
    let sessions = gate.accounts().sessions(account.id).await.map_err(unavailable)?;
    let tokens = gate.accounts().personal_tokens(account.id).await.map_err(unavailable)?;
    let sessions: Vec<Value> =
        sessions.iter().map(|line| session_row(line, identity.session.as_deref())).collect();
    let tokens: Vec<Value> = tokens.iter().map(token_row).collect();
    let groups =
        account.groups.iter().map(|group| context! { name => group.name.clone(), dn => group.dn.clone() });
    let issued = csrf::issue(gate, visit, headers, visit.cookies.session(headers));
    let changed = flash::take(gate, visit, headers);
    let context = context! {
        csrf_token => issued.token,
        username => account.username.clone(),
        facts => facts(account),
        warnings => identity.warnings.iter().map(words::warning).collect::<Vec<_>>(),
        password_changed => changed.is_some(),
        change_password => gate.accounts().directories().can_change_passwords(),
        groups => groups.collect::<Vec<_>>(),
        sessions,
        tokens,
        lifetimes => LIFETIMES.to_vec(),
        message => said.refusal.as_ref().map_or("", |refusal| refusal.message.as_str()),
        token => said.token,
    };
    let status = said.refusal.as_ref().map_or(StatusCode::OK, |refusal| refusal.status);
    let page = visit.live.pages.show(status, "account.html", context);
    Ok(with_cookie(page, changed.or(issued.cookie)))
}

fn session_row(session: &account::SessionInfo, current: Option<&str>) -> Value {
    context! {
        id => session.id.clone(),
        created => time(session.created),
        last_seen => time(session.last_seen),
        address => session.address.clone().unwrap_or_default(),
        agent => session.agent.clone().unwrap_or_default(),
        browser => session.agent.as_deref().map(browser).unwrap_or_default(),
        current => Some(session.id.as_str()) == current,
    }
}

fn token_row(token: &account::PersonalTokenInfo) -> Value {
    context! {
        id => token.id.clone(),
        name => token.name.clone().unwrap_or_default(),
        created => time(token.created),
        expires => token.expires.map(time),
        last_used => token.last_used.map(time),
    }
}

/// Everything the gateway knows of a person besides the groups, each with a name for people.
fn facts(account: &Account) -> Vec<Value> {
    let mut facts =
        vec![("Directory".to_owned(), account.directory.clone()), ("Entry".to_owned(), account.dn.clone())];
    facts.extend(account.fields.iter().map(|(name, value)| (label(name), value.clone())));
    facts.extend(account.lists.iter().map(|(name, values)| (label(name), values.join(", "))));
    facts.push(("Permissions".to_owned(), account.permissions.join(", ")));
    facts.push(("Flags".to_owned(), set(&account.flags)));
    facts.retain(|(_, value)| !value.is_empty());
    facts.into_iter().map(|(name, value)| context! { name, value }).collect()
}

fn set(flags: &BTreeMap<String, bool>) -> String {
    flags.iter().filter(|(_, set)| **set).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a person calls the browser of a `User-Agent`; one that is not known keeps its first word.
fn browser(agent: &str) -> String {
    // Each calls itself by the names of those below it as well.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrom", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => agent.split(' ').next().unwrap_or_default().to_owned(),
    }
}

/// "first_name" as "First name".
fn label(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

/// A time for machines and, to the minute, for people.
fn time(time: Time) -> Value {
    let exact = time.to_string();
    let short =
        exact.get(..16).map_or_else(|| exact.clone(), |minute| format!("{} UTC", minute.replace('T', " ")));
    context! { exact, short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_what_people_call_them() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36 Edg/150.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.14.1", "curl/8.14.1"),
            ("", ""),
        ] {
            assert_eq!(browser(agent), name);
        }
    }

    #[test]
    fn names_of_fields_are_written_for_people() {
        assert_eq!(label("first_name"), "First name");
        assert_eq!(label(""), "");
    }
}
