//! A visitor without a network: requests go straight to the router, cookies are kept, nothing is followed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use ldapgate_web::Peer;
use testkit::http::{Answer, encode};
use tower::ServiceExt as _;

#[derive(Clone)]
pub(crate) struct Visitor {
    router: Router,
    headers: Vec<(String, String)>,
    peer: Peer,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub(crate) fn of(router: Router) -> Self {
        let peer = Peer { address: "192.0.2.1:40000".parse().unwrap(), tls: false };
        Self { router, headers: Vec::new(), peer, cookies: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn from(mut self, address: &str) -> Self {
        self.peer.address = SocketAddr::new(address.parse().unwrap(), 40000);
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None, Body::empty()).await
    }

    pub(crate) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        self.send("POST", path, Some("application/x-www-form-urlencoded"), Body::from(body)).await
    }

    pub(crate) async fn json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        self.send("POST", path, Some("application/json"), Body::from(body.to_string())).await
    }

    /// Opens the login page and sends its form.
    pub(crate) async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        self.sign_in_at("/login", username, password).await
    }

    pub(crate) async fn sign_in_at(&mut self, page: &str, username: &str, password: &str) -> Answer {
        let page = self.get(page).await;
        let (token, next) =
            (page.field("csrf_token").expect("the form has a token"), page.field("next").unwrap());
        let fields =
            [("username", username), ("password", password), ("csrf_token", &token), ("next", &next)];
        self.form("/login", &fields).await
    }

    /// Opens a page and presses one of its buttons, with the token that the page gave.
    pub(crate) async fn press(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(page).await.field("csrf_token").expect("the page has a form");
        self.form(action, &[&[("csrf_token", token.as_str())], fields].concat()).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8080");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            let jar = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            request = request.header(header::COOKIE, jar.join("; "));
        }
        if let Some(kind) = content_type {
            request = request.header(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        }
        let request = request.extension(self.peer).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in set_cookies(answer) {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

pub(crate) fn set_cookies(answer: &Answer) -> impl Iterator<Item = &str> {
    answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str())
}
