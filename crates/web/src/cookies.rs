//! The gateway's two cookies: the session's, and the one that forms are bound to.
//!
//! Under https their names start with `__Host-`, which browsers accept from this very host alone, and only those names are
//! read: a neighbouring host or a plain-http page cannot slip one in.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};

/// The names of one request's cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cookies {
    session: String,
    form: String,
    secure: bool,
}

impl Cookies {
    pub(crate) fn new(name: &str, https: bool) -> Self {
        let prefix = if https { "__Host-" } else { "" };
        Self { session: format!("{prefix}{name}"), form: format!("{prefix}{name}_form"), secure: https }
    }

    pub(crate) fn session<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        read(headers, &self.session)
    }

    pub(crate) fn form<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        read(headers, &self.form)
    }

    /// Keeps a session until `lifetime` has passed, or until the browser closes.
    pub(crate) fn set_session(&self, value: &str, lifetime: Option<Duration>) -> HeaderValue {
        self.write(&self.session, value, lifetime)
    }

    pub(crate) fn clear_session(&self) -> HeaderValue {
        self.write(&self.session, "", Some(Duration::ZERO))
    }

    pub(crate) fn set_form(&self, value: &str) -> HeaderValue {
        self.write(&self.form, value, None)
    }

    fn write(&self, name: &str, value: &str, lifetime: Option<Duration>) -> HeaderValue {
        let mut cookie =
            Cookie::build((name, value)).path("/").http_only(true).same_site(SameSite::Lax).build();
        if self.secure {
            cookie.set_secure(true);
        }
        if let Some(lifetime) = lifetime {
            let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(cookie::time::Duration::seconds(seconds));
        }
        HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static("invalid="))
    }
}

fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"'))
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookies.parse().unwrap())])
    }

    #[test]
    fn cookies_have_the_attributes_of_the_contract() {
        let plain = Cookies::new("ldapgate", false);
        assert_eq!(plain.set_session("abc", None), "ldapgate=abc; HttpOnly; SameSite=Lax; Path=/");
        let secure = Cookies::new("ldapgate", true);
        assert_eq!(
            secure.set_session("abc", Some(Duration::from_secs(60))),
            "__Host-ldapgate=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        assert_eq!(secure.set_form("x"), "__Host-ldapgate_form=x; HttpOnly; SameSite=Lax; Secure; Path=/");
        assert_eq!(plain.clear_session(), "ldapgate=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }

    #[test]
    fn under_https_only_prefixed_names_are_read() {
        let headers = headers("ldapgate=planted; __Host-ldapgate=mine");
        assert_eq!(Cookies::new("ldapgate", true).session(&headers), Some("mine"));
        assert_eq!(Cookies::new("ldapgate", false).session(&headers), Some("planted"));
        assert_eq!(Cookies::new("ldapgate", true).form(&headers), None);
    }
}
