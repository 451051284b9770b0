//! What the pages, guards and cookies are told. The configuration file's form of it lives in the façade.

use std::path::PathBuf;
use std::time::Duration;

use crate::address::Network;

/// Everything this room needs to know, with the defaults of the contract.
///
/// ```
/// let settings = ldapgate_web::Settings {
///     public_url: Some("https://login.example.com".to_owned()),
///     ..ldapgate_web::Settings::default()
/// };
/// assert_eq!(settings.token_path, "/auth");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The session cookie's name, without any prefix.
    pub cookie: String,
    /// Where people reach the gateway: scheme, host and port, no path. `https` makes every cookie `Secure`.
    pub public_url: Option<String>,
    /// The gateway's own listener speaks TLS, so that every request is https.
    pub tls: bool,
    /// What `/request-token` is appended to: starts with a slash, does not end with one.
    pub token_path: String,
    /// Take user name and password by Basic on guarded paths.
    pub login_basic: bool,
    /// Offer "keep me signed in" on the login page.
    pub remember_me: bool,
    /// A folder whose templates, stylesheet and pictures are used in place of the embedded ones.
    pub theme_dir: Option<PathBuf>,
    /// The proxies whose word on a visitor's address and scheme is taken.
    pub trusted_proxies: Vec<Network>,
    /// Hosts (without port) that an absolute `next` may name: those with a forward-auth rule.
    pub next_hosts: Vec<String>,
    /// The largest request body of the gateway's own paths, in bytes.
    pub body_limit: usize,
    /// How long one request of the gateway's own paths may take, its body included. Longer than the login's deadline.
    pub request_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cookie: "ldapgate".to_owned(),
            public_url: None,
            tls: false,
            token_path: "/auth".to_owned(),
            login_basic: false,
            remember_me: false,
            theme_dir: None,
            trusted_proxies: Vec::new(),
            next_hosts: Vec::new(),
            body_limit: 64 * 1024,
            request_timeout: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// Whether every visitor comes by https, whatever a single request says of itself.
    pub(crate) fn always_https(&self) -> bool {
        self.tls || self.public_url.as_deref().is_some_and(|url| starts_with_ignoring_case(url, "https://"))
    }

    /// The path of the token endpoint.
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}/request-token", self.token_path)
    }
}

/// Whether a cookie may be named so: 1 to 64 letters, digits, `-` and `_`, and no prefix that browsers give a meaning.
#[must_use]
pub fn is_cookie_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&name.len()) && !name.starts_with("__") && name.bytes().all(plain)
}

/// Whether the token endpoint may lie below this path: it starts with `/`, does not end with it, and needs no encoding.
#[must_use]
pub fn is_token_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    path.starts_with('/') && !path.ends_with('/') && !path.contains("//") && path.bytes().all(plain)
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
