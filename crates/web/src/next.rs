//! Where a person goes after signing in: a path of this origin, or a host that the gateway protects, and nowhere else.
//!
//! What cannot be shown to be harmless counts as `/` (the open redirects of PYSEC-2021-359 and CVE-2022-45402 came from
//! texts that one parser read as a path and the browser as a host).

use std::fmt::Write as _;

/// Longer wishes count as `/`.
const LONGEST: usize = 2048;
/// How often a path may be percent-encoded within itself before it is refused unread.
const ROUNDS: usize = 4;

/// A place that is safe to redirect to, ready for a `Location` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next(String);

impl Next {
    /// Reads what the visitor sent; `hosts` are those that an absolute URL may name.
    pub(crate) fn parse(text: &str, hosts: &[String]) -> Self {
        let safe = text.len() <= LONGEST && (is_safe_path(text) || is_safe_url(text, hosts));
        if safe { Self(ascii(text)) } else { Self::home() }
    }

    pub(crate) fn home() -> Self {
        Self("/".to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_home(&self) -> bool {
        self.0 == "/"
    }
}

/// The login page that leads back to `target` (a path with its query).
pub(crate) fn login_for(target: &str) -> String {
    let mut location = "/login?next=".to_owned();
    push_value(target, &mut location);
    location
}

/// The page where somebody changes the password before they may go on to `next`, and why they have to.
pub(crate) fn password_for(username: &str, due: &str, next: &Next) -> String {
    let mut location = "/password?username=".to_owned();
    push_value(username, &mut location);
    location.push_str("&due=");
    location.push_str(due);
    if !next.is_home() {
        location.push_str("&next=");
        push_value(next.as_str(), &mut location);
    }
    location
}

/// Text as a value in a query.
fn push_value(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                into.push(char::from(byte))
            }
            _ => encode(byte, into),
        }
    }
}

fn is_safe_path(text: &str) -> bool {
    if !text.starts_with('/') || has_unsafe_character(text) {
        return false;
    }
    let path = text.split(['?', '#']).next().unwrap_or(text);
    let Some(path) = decoded(path) else { return false };
    // Signing in must not lead to signing in or out again, nor a change to another.
    !path.contains("//")
        && !has_unsafe_character(&path)
        && !matches!(path.trim_end_matches('/'), "/login" | "/logout" | "/password")
}

fn is_safe_url(text: &str, hosts: &[String]) -> bool {
    if has_unsafe_character(text) || text.contains(char::is_whitespace) || !text.is_ascii() {
        return false;
    }
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let Some(rest) = rest else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // No userinfo, and nothing encoded: a host is letters, digits, dots and hyphens, then perhaps a port.
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    port.bytes().all(|byte| byte.is_ascii_digit())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// Browsers read a backslash as a slash, and drop tabs and line ends before they parse.
fn has_unsafe_character(text: &str) -> bool {
    text.chars().any(|character| character == '\\' || character.is_control())
}

/// The path with its percent-encoding taken off until nothing is left to take off.
fn decoded(path: &str) -> Option<String> {
    let mut path = path.to_owned();
    for _ in 0..ROUNDS {
        let next = percent_encoding::percent_decode_str(&path).decode_utf8().ok()?.into_owned();
        if next == path {
            return Some(path);
        }
        path = next;
    }
    None
}

fn ascii(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() { result.push(char::from(byte)) } else { encode(byte, &mut result) }
    }
    result
}

fn encode(byte: u8, into: &mut String) {
    let _ = write!(into, "%{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(text: &str) -> String {
        Next::parse(text, &["wiki.example.com".to_owned()]).as_str().to_owned()
    }

    #[test]
    fn paths_of_this_origin_are_kept() {
        for path in [
            "/",
            "/app/upload",
            "/app?x=1&y=//2",
            "/a/b#c",
            "/app?u=https%3A%2F%2Fother.example%2F",
            "/caf%C3%A9",
            "/a%20b",
        ] {
            assert_eq!(next(path), path);
        }
        assert_eq!(next("/café ü"), "/caf%C3%A9%20%C3%BC");
    }

    #[test]
    fn a_host_with_a_rule_is_kept() {
        for url in [
            "https://wiki.example.com/page?a=b",
            "http://wiki.example.com",
            "https://WIKI.example.com:8443/x",
        ] {
            assert_eq!(next(url), url);
        }
    }

    #[test]
    fn everything_else_counts_as_home() {
        for evil in [
            "",
            "app",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/%2fevil.example",
            "/%2F%2Fevil.example",
            "/%5cevil.example",
            "/%255cevil.example",
            "/%25252fevil.example",
            "/a//b",
            "/a\tb",
            "/a\r\nSet-Cookie: x=y",
            "/%0d%0aSet-Cookie:x",
            "/%00",
            "/%ff",
            "/login",
            "/login?next=/login",
            "/logout/",
            "/password",
            "/%6cogin",
            "https://evil.example/",
            "https://wiki.example.com@evil.example/",
            "https://evil.example/https://wiki.example.com",
            "https://wiki.example.com.evil.example/",
            "https://wiki.example.com\\@evil.example/",
            "https://wiki.example.com%2eevil.example/",
            "https://user:word@wiki.example.com/",
            "https:/wiki.example.com/",
            "https:wiki.example.com",
            "https://",
            " https://wiki.example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://wiki.example.com/",
        ] {
            assert_eq!(next(evil), "/", "{evil:?}");
        }
        assert_eq!(next(&format!("/{}", "a".repeat(LONGEST))), "/");
    }

    #[test]
    fn the_login_page_leads_back() {
        assert_eq!(login_for("/app/upload?a=1&b=ü"), "/login?next=/app/upload%3Fa%3D1%26b%3D%C3%BC");
    }
}
