//! The pages that ask for a name and a password: shown empty, or again with what was wrong.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use minijinja::{Value, context};

use crate::csrf;
use crate::gate::Gate;
use crate::login::with_cookie;
use crate::next::Next;
use crate::rejection::{self, Refusal};
use crate::visit::Visit;

/// A form, and what it shows besides its empty fields. No password ever comes back.
pub(crate) struct FormPage<'a> {
    pub(crate) template: &'static str,
    pub(crate) username: &'a str,
    pub(crate) next: &'a str,
    /// What this template alone knows.
    pub(crate) more: Value,
}

impl FormPage<'_> {
    /// The page with a fresh token; after a refusal with its status and words.
    pub(crate) fn show(
        &self,
        gate: &Gate,
        visit: &Visit,
        headers: &HeaderMap,
        refusal: Option<&Refusal>,
    ) -> Response {
        let issued = csrf::issue(gate, visit, headers, None);
        // What is shown again is what would be obeyed.
        let next = Next::parse(self.next, &visit.live.settings.next_hosts);
        let told = |words: fn(&Refusal) -> &str| refusal.map_or("", words);
        let context = context! {
            csrf_token => issued.token,
            next => if next.is_home() { "" } else { next.as_str() },
            username => self.username,
            username_error => told(|refusal| refusal.username_error),
            password_error => told(|refusal| refusal.password_error),
            new_password_error => told(|refusal| &refusal.new_password_error),
            again_error => told(|refusal| refusal.again_error),
            message => told(|refusal| &refusal.message),
            advice => told(|refusal| refusal.advice),
            ..self.more.clone()
        };
        let status = refusal.map_or(StatusCode::OK, |refusal| refusal.status);
        let page = visit.live.pages.show(status, self.template, context);
        let mut response = with_cookie(page, issued.cookie);
        if let Some(wait) = refusal.and_then(|refusal| refusal.retry_after) {
            rejection::retry_after(response.headers_mut(), wait);
        }
        response
    }
}
