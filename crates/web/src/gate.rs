//! The gate: one value that holds the settings of the moment, the accounts and the pages, and hands out routes and guards.

use std::sync::{Arc, PoisonError, RwLock};

use account::{Accounts, Ambient};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;

use crate::guard::{LoginOptional, LoginRequired};
use crate::page::{ASSETS, Pages};
use crate::rejection::Rejection;
use crate::settings::{self, Settings};
use crate::{Error, api, health, home, login, password, token, visit};

/// Everything that the web needs of one installation. Clones share it.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    accounts: Accounts,
    live: RwLock<Arc<Live>>,
}

/// What a reload replaces as a whole.
pub(crate) struct Live {
    pub(crate) settings: Settings,
    pub(crate) pages: Pages,
    pub(crate) content_policy: HeaderValue,
    pub(crate) token_endpoint: String,
}

impl Gate {
    /// A gate before `accounts`. Reads the theme's folder, when the settings name one.
    ///
    /// # Errors
    /// When the theme cannot be read or has a mistake, or when a setting makes no sense.
    pub fn new(settings: Settings, accounts: Accounts) -> Result<Self, Error> {
        let live = RwLock::new(Arc::new(Live::new(settings)?));
        Ok(Self(Arc::new(Inner { accounts, live })))
    }

    /// Every path of the gateway. All others are 404, so a router that is merged with this one has no fallback of its own.
    pub fn routes(&self) -> Router {
        let home = get(home::show).route_layer(self.login_required().cookie_only());
        let browser = self
            .login_routes()
            .route("/", home)
            .route("/sessions/end", self.own(post(home::end_session)))
            .route("/sessions/end-others", self.own(post(home::end_others)))
            .route("/tokens", self.own(post(home::create_token)))
            .route("/tokens/revoke", self.own(post(home::revoke_token)));
        let plain =
            self.program_routes().route("/healthz", get(health::alive)).route("/readyz", get(health::ready));
        let routes = browser.layer(self.csrf()).merge(plain).fallback(|| async { Rejection::NotFound });
        self.enclose(routes)
    }

    /// The paths that an application merges with its own: sign in and out, change the password, tokens, `/api/`, the verification keys.
    pub fn embedded_routes(&self) -> Router {
        self.enclose(self.login_routes().layer(self.csrf()).merge(self.program_routes()))
    }

    /// Lets only known people through: a layer for an application's own routes. They then have a
    /// [`CurrentUser`](crate::CurrentUser).
    #[must_use]
    pub fn login_required(&self) -> LoginRequired {
        LoginRequired::new(self.clone())
    }

    /// Lets everybody through, and tells handlers that ask for an `Option<CurrentUser>` who it is.
    #[must_use]
    pub fn login_optional(&self) -> LoginOptional {
        LoginOptional::new(self.clone())
    }

    /// Takes new settings, for the requests that come from now on. Returns the configuration keys whose change needs a restart; their old
    /// value stays.
    ///
    /// # Errors
    /// As [`Gate::new`]; the settings of before then stay.
    pub fn swap(&self, mut settings: Settings) -> Result<Vec<&'static str>, Error> {
        let before = self.live();
        let mut later = Vec::new();
        if settings.token_path != before.settings.token_path {
            settings.token_path.clone_from(&before.settings.token_path);
            later.push("token.path");
        }
        if settings.public_url != before.settings.public_url {
            settings.public_url.clone_from(&before.settings.public_url);
            later.push("http.public_url");
        }
        let live = Arc::new(Live::new(settings)?);
        *self.0.live.write().unwrap_or_else(PoisonError::into_inner) = live;
        Ok(later)
    }

    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.0.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    pub(crate) fn ambient(&self) -> &Ambient {
        self.0.accounts.ambient()
    }

    /// What browsers' forms are sent to.
    fn login_routes(&self) -> Router<Self> {
        Router::new()
            .route("/login", get(login::show).post(login::sign_in))
            .route("/logout", get(login::ask).post(login::sign_out))
            .route("/password", get(password::show).post(password::change))
            .route("/api/login", post(api::sign_in))
    }

    /// What needs no protection from other sites: it changes nothing, or goes by what browsers do not send by themselves.
    fn program_routes(&self) -> Router<Self> {
        Router::new()
            .route(&self.live().token_endpoint, post(token::request))
            .route("/api/me", get(api::me).route_layer(self.login_required()))
            .route("/.well-known/jwks.json", get(api::keys))
            .route(&format!("{ASSETS}{{name}}"), get(home::file))
    }

    fn own(&self, route: MethodRouter<Self>) -> MethodRouter<Self> {
        route.route_layer(self.login_required().cookie_only())
    }

    fn enclose(&self, routes: Router<Self>) -> Router {
        let limit = self.live().settings.body_limit;
        routes
            .method_not_allowed_fallback(|| async { Rejection::MethodNotAllowed })
            .layer(DefaultBodyLimit::max(limit))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(axum::middleware::from_fn_with_state(self.clone(), visit::enter))
            .with_state(self.clone())
    }

    fn csrf(
        &self,
    ) -> CsrfLayer<impl Fn(tower_http::csrf::ProtectionError) -> axum::response::Response + Clone + use<>>
    {
        let layer = CsrfLayer::new();
        // A proxy may have rewritten Host; what the browser calls us is then only known from here.
        let origin = self.live().settings.public_url.as_deref().and_then(origin);
        let trusting = origin.and_then(|origin| layer.clone().add_trusted_origin(origin).ok());
        trusting
            .unwrap_or(layer)
            .with_rejection_response(|_| axum::response::IntoResponse::into_response(Rejection::CrossSite))
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("settings", &self.live().settings).finish_non_exhaustive()
    }
}

impl Live {
    fn new(settings: Settings) -> Result<Self, Error> {
        let token_endpoint = settings.token_endpoint();
        if !settings::is_token_path(&settings.token_path) {
            return Err(Error::Setting {
                key: "token.path",
                problem: format!("{:?} is not a plain path", settings.token_path),
            });
        }
        if !settings::is_cookie_name(&settings.cookie) {
            return Err(Error::Setting {
                key: "session.cookie",
                problem: format!("{:?} is not a cookie's name", settings.cookie),
            });
        }
        let pages = Pages::load(settings.theme_dir.as_deref())?;
        Ok(Self { content_policy: content_policy(&settings.next_hosts), token_endpoint, pages, settings })
    }
}

/// Nothing runs, nothing comes from elsewhere. Browsers hold a form's redirect to `form-action`, so the hosts that
/// signing in may lead to are named there.
fn content_policy(next_hosts: &[String]) -> HeaderValue {
    let mut policy =
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
            .to_owned();
    let is_host =
        |host: &&String| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    for host in next_hosts.iter().filter(is_host) {
        policy.push_str(&format!(" https://{host}:* http://{host}:*"));
    }
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// `https://login.example.com/x` as a browser's `Origin` header has it.
pub(crate) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?.to_ascii_lowercase();
    let scheme = scheme.to_ascii_lowercase();
    let default = if scheme == "https" { ":443" } else { ":80" };
    Some(format!("{scheme}://{}", authority.strip_suffix(default).unwrap_or(&authority)))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    tracing::error!("a request's handler panicked");
    axum::response::IntoResponse::into_response(Rejection::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn gate() -> Gate {
        let clock = testkit::clock::Clock::at(1_795_478_400);
        let time = clock.clone();
        let pool = client::Pool::lazy(client::Options::new(["ldap://127.0.0.1:1"]).unwrap());
        let base = "dc=example,dc=com".parse().unwrap();
        let settings = auth::Settings::preset("main", auth::Vendor::OpenLdap, base);
        let directories =
            auth::Directories::new(vec![(settings, pool)], Arc::new(move || time.now())).unwrap();
        struct Stopped(testkit::clock::Clock);
        impl account::Clock for Stopped {
            fn now(&self) -> std::time::SystemTime {
                self.0.now()
            }
        }
        struct Sevens;
        impl account::Entropy for Sevens {
            fn fill(&self, buffer: &mut [u8]) {
                buffer.fill(7);
            }
        }
        let ambient = Ambient { clock: Arc::new(Stopped(clock)), entropy: Arc::new(Sevens) };
        let store = Arc::new(account::MemoryStore::new());
        let accounts =
            Accounts::open(account::Settings::default(), directories, store, ambient).await.unwrap();
        Gate::new(Settings::default(), accounts).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_a_page_like_any_other() {
        use tower::ServiceExt as _;
        async fn fall() -> &'static str {
            panic!("this panic belongs to the test")
        }
        let gate = gate().await;
        let router = gate.enclose(Router::new().route("/fall", get(fall)));
        let request =
            axum::http::Request::get("/fall").header("accept", "text/html").body(axum::body::Body::empty());
        let response = router.oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), 500);
        assert!(response.headers().contains_key("content-security-policy"));
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("<h1>Something went wrong</h1>"));
    }

    #[tokio::test]
    async fn settings_that_make_no_sense_are_refused_by_name() {
        let gate = gate().await;
        for (settings, key) in [
            (Settings { token_path: "auth".to_owned(), ..Settings::default() }, "token.path"),
            (Settings { token_path: "/{x}".to_owned(), ..Settings::default() }, "token.path"),
            (Settings { cookie: "a;b".to_owned(), ..Settings::default() }, "session.cookie"),
            (Settings { cookie: "__Host-x".to_owned(), ..Settings::default() }, "session.cookie"),
        ] {
            let error = Gate::new(settings, gate.accounts().clone()).unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        assert_eq!(origin("HTTPS://Login.example.com:443/x").as_deref(), Some("https://login.example.com"));
        assert_eq!(origin("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        assert_eq!(origin("localhost"), None);
    }

    #[test]
    fn the_policy_names_the_hosts_that_signing_in_may_lead_to_and_takes_no_other_text() {
        let hosts = ["wiki.example.com".to_owned(), "x; script-src *".to_owned()];
        let policy = content_policy(&hosts);
        let policy = policy.to_str().unwrap();
        assert!(
            policy.ends_with("form-action 'self' https://wiki.example.com:* http://wiki.example.com:*"),
            "{policy}"
        );
    }
}
