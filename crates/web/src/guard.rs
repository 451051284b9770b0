//! The guard: who is asking, by cookie or by token, and what happens to everybody else.

use std::pin::Pin;
use std::task::{Context, Poll};

use account::{Account, Denied, Outcome, PERSONAL_PREFIX};
use axum::Extension;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, Request, Uri, header};
use axum::response::Response;
use tower::{Layer, Service, ServiceExt as _};

use crate::basic::Authorization;
use crate::extract::Via;
use crate::gate::{Gate, origin};
use crate::next;
use crate::rejection::Rejection;
use crate::visit::{Visit, is_navigation, may_challenge};

/// What opens a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doors {
    /// The session cookie alone: a proxy hands `Authorization` on to applications, so that what they see opens nothing here.
    Cookie,
    /// The cookie, a token, or where it is configured user name and password.
    CookieOrToken,
}

/// Somebody known.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) account: Account,
    pub(crate) via: Via,
    /// The handle of the session, where there is one.
    pub(crate) session: Option<String>,
}

/// A layer that lets only known people through. [`Gate::login_required`] makes it.
///
/// A browser's navigation by nobody leads to the login page and back; everything else is answered with 401 and JSON. A
/// request that another site made a browser send is refused when the cookie or a password would have opened the path.
#[derive(Debug, Clone)]
pub struct LoginRequired {
    gate: Gate,
    doors: Doors,
}

impl LoginRequired {
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate, doors: Doors::CookieOrToken }
    }

    /// Takes session cookies alone, no token and no password.
    #[must_use]
    pub fn cookie_only(mut self) -> Self {
        self.doors = Doors::Cookie;
        self
    }
}

impl<S> Layer<S> for LoginRequired {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, gate: self.gate.clone(), doors: self.doors }
    }
}

/// A service behind [`LoginRequired`].
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    inner: S,
    gate: Gate,
    doors: Doors,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Self { inner, gate, doors } = self.clone();
        Box::pin(async move {
            let visit = Visit::of(&gate, request.headers(), request.extensions());
            let found = identify(&gate, &visit, request.method(), request.headers(), doors).await;
            let identity = match found {
                Ok(Some(identity)) => identity,
                Ok(None) => {
                    let target = target(request.uri(), request.extensions());
                    return Ok(nobody(request.method(), request.headers(), target).render(&visit));
                }
                Err(rejection) => return Ok(rejection.render(&visit)),
            };
            request.extensions_mut().insert(gate);
            request.extensions_mut().insert(visit);
            request.extensions_mut().insert(identity);
            inner.oneshot(request).await
        })
    }
}

/// A layer that lets everybody through and makes `Option<CurrentUser>` work. [`Gate::login_optional`] makes it.
///
/// Nothing is looked up until a handler asks.
#[derive(Debug, Clone)]
pub struct LoginOptional(Gate);

impl LoginOptional {
    pub(crate) fn new(gate: Gate) -> Self {
        Self(gate)
    }
}

impl<S> Layer<S> for LoginOptional {
    type Service = <Extension<Gate> as Layer<S>>::Service;

    fn layer(&self, inner: S) -> Self::Service {
        Extension(self.0.clone()).layer(inner)
    }
}

/// Who sent this request, by the doors that are open to it.
pub(crate) async fn identify(
    gate: &Gate,
    visit: &Visit,
    method: &Method,
    headers: &HeaderMap,
    doors: Doors,
) -> Result<Option<Identity>, Rejection> {
    if let Some(cookie) = visit.cookies.session(headers)
        && let Some(session) = gate.accounts().session(cookie).await.map_err(unavailable)?
    {
        let identity = Identity { account: session.account, via: Via::Session, session: Some(session.id) };
        return same_site(visit, method, headers, identity).map(Some);
    }
    if doors == Doors::Cookie {
        return Ok(None);
    }
    let (account, via) = match Authorization::of(headers) {
        Some(Authorization::Bearer(token)) => (check_token(gate, &token).await?, Via::Token),
        // A token that is typed as user name together with its own colon leaves that colon to the password.
        Some(Authorization::Basic { username, password }) if password.is_empty() || password == ":" => {
            (check_token(gate, &username).await?, Via::Token)
        }
        Some(Authorization::Basic { password, .. }) if password.starts_with(PERSONAL_PREFIX) => {
            (check_token(gate, &password).await?, Via::Token)
        }
        Some(Authorization::Basic { username, password }) if visit.live.settings.login_basic => {
            (check_password(gate, visit, &username, password).await?, Via::Basic)
        }
        _ => (None, Via::Token),
    };
    let identity = account.map(|account| Identity { account, via, session: None });
    match identity {
        Some(identity) if via == Via::Basic => same_site(visit, method, headers, identity).map(Some),
        identity => Ok(identity),
    }
}

/// What somebody who is not known gets.
pub(crate) fn nobody(method: &Method, headers: &HeaderMap, target: &str) -> Rejection {
    if is_navigation(method, headers) {
        return Rejection::ToLogin(next::login_for(target));
    }
    Rejection::Unauthorized { challenge: may_challenge(headers) }
}

/// Path and query as the visitor asked for them, also inside a nested router.
pub(crate) fn target<'r>(uri: &'r Uri, extensions: &'r Extensions) -> &'r str {
    let uri = extensions.get::<OriginalUri>().map_or(uri, |original| &original.0);
    uri.path_and_query().map_or("/", |target| target.as_str())
}

/// The store's or the directory's failure, told to the log and, without its causes, to the visitor.
pub(crate) fn unavailable(error: account::Error) -> Rejection {
    tracing::error!(fault = error.fault().as_str(), %error, causes = ?error.causes(), "cannot tell who is asking");
    Rejection::Unavailable(error.fault())
}

async fn check_token(gate: &Gate, token: &str) -> Result<Option<Account>, Rejection> {
    let accounts = gate.accounts();
    if token.starts_with(PERSONAL_PREFIX) {
        return accounts.check_personal(token).await.map_err(unavailable);
    }
    accounts.check_token(token).await.map_err(unavailable)
}

async fn check_password(
    gate: &Gate,
    visit: &Visit,
    username: &str,
    password: String,
) -> Result<Option<Account>, Rejection> {
    match gate.accounts().check_password(username, password, &visit.origin()).await {
        Outcome::Granted(signed_in) => Ok(Some(signed_in.account)),
        Outcome::Denied(Denied { retry_after: Some(wait), .. }) => Err(Rejection::Throttled(wait)),
        Outcome::Denied(_) => Ok(None),
        Outcome::Failed { fault, .. } => Err(Rejection::Unavailable(fault)),
    }
}

/// Cookies and passwords go with requests that other sites cause; tokens do not. `SameSite=Lax` leaves the neighbours under the same
/// registered domain, and those are caught here. Over plain http, and from old browsers, the origin says what `Sec-Fetch-Site` would.
fn same_site(
    visit: &Visit,
    method: &Method,
    headers: &HeaderMap,
    identity: Identity,
) -> Result<Identity, Rejection> {
    let harmless = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let from_here = match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => is_our_origin(visit, headers, origin),
        (None, None) => true,
    };
    if harmless || from_here { Ok(identity) } else { Err(Rejection::CrossSite) }
}

/// As the visitor calls us, or as the configuration does where a proxy has rewritten the host.
fn is_our_origin(visit: &Visit, headers: &HeaderMap, found: &HeaderValue) -> bool {
    let Ok(found) = found.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let called = found.split_once("://").map(|(_, authority)| authority);
    let public = visit.live.settings.public_url.as_deref().and_then(origin);
    called.zip(host).is_some_and(|(called, host)| called.eq_ignore_ascii_case(host))
        || public.is_some_and(|public| public.eq_ignore_ascii_case(found))
}
