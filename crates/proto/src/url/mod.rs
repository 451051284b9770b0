//! LDAP URLs (RFC 4516), and `ldaps` and `ldapi`, which it does not name but everybody uses.

mod error;
mod parse;

use std::fmt::{self, Write};
use std::str::FromStr;

use crate::filter::Filter;
use crate::message::Scope;

pub use error::{UrlError, UrlErrorKind};
use parse::{Part, host_and_port, scheme};

/// The longest URL that is parsed, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;

/// How the server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// TCP, port 389.
    Ldap,
    /// TLS, port 636.
    Ldaps,
    /// A Unix socket.
    Ldapi,
}

impl Scheme {
    /// "ldap", "ldaps" or "ldapi".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Ldap => "ldap",
            Scheme::Ldaps => "ldaps",
            Scheme::Ldapi => "ldapi",
        }
    }

    /// The port when a URL names none; 0 for `ldapi`.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Scheme::Ldap => 389,
            Scheme::Ldaps => 636,
            Scheme::Ldapi => 0,
        }
    }
}

/// An LDAP URL: where a server is, and perhaps what to search there.
///
/// ```
/// use ldapgate_proto::{Scheme, Url};
///
/// let url = Url::parse("ldaps://[2001:db8::7]/ou=People,dc=example,dc=com?mail?sub?(uid=ada%20l)")?;
/// assert_eq!((url.scheme(), url.address().as_str()), (Scheme::Ldaps, "[2001:db8::7]:636"));
/// assert_eq!(url.base(), Some("ou=People,dc=example,dc=com"));
/// let socket = Url::parse("ldapi://%2Frun%2Fslapd%2Fldapi")?;
/// assert_eq!(socket.host(), "/run/slapd/ldapi");
/// # Ok::<(), ldapgate_proto::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    host: String,
    port: u16,
    base: Option<String>,
    attributes: Vec<String>,
    scope: Option<Scope>,
    filter: Option<Filter>,
    extensions: Vec<String>,
}

impl Url {
    /// Parses a URL; the host may be empty only in `ldap:///base...`, where it is "".
    ///
    /// # Errors
    ///
    /// When the text is no LDAP URL; the error has the byte's offset.
    pub fn parse(text: &str) -> Result<Url, UrlError> {
        if text.len() > MAX_LENGTH {
            return Err(UrlError::new(UrlErrorKind::TooLong, MAX_LENGTH));
        }
        // One answer for a raw space, wherever it is: it is the most frequent mistake.
        if let Some(offset) = text.find(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(UrlError::new(UrlErrorKind::Character, offset));
        }
        let (scheme, rest) = scheme(text)?;
        let (authority, path) = match rest.at(rest.text.find(['/', '?'])) {
            Some((authority, path)) => (authority, Some(path)),
            None => (rest, None),
        };
        let (host, port) = match scheme {
            Scheme::Ldapi => (authority.decode()?, 0),
            _ => host_and_port(authority, scheme)?,
        };
        let mut url = Url {
            scheme,
            host,
            port,
            base: None,
            attributes: Vec::new(),
            scope: None,
            filter: None,
            extensions: Vec::new(),
        };
        if let Some(path) = path {
            url.search(path)?;
        }
        Ok(url)
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host without brackets; the socket's path for `ldapi`; "" when the URL names none.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 0 for `ldapi`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name to search from, as text; `None` when the URL names none.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// The attributes asked for.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.scope
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The extensions, decoded, a critical one with its `!`.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// "host:port" or the socket's path, for messages and for connecting.
    #[must_use]
    pub fn address(&self) -> String {
        match self.scheme {
            Scheme::Ldapi => self.host.clone(),
            _ if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// `base?attributes?scope?filter?extensions`, any of them empty or left out from the end.
    fn search(&mut self, path: Part<'_>) -> Result<(), UrlError> {
        let path = match path.text.strip_prefix('/') {
            Some(_) => path.skip(1),
            // RFC 4516 wants the slash.
            None => return Err(path.fail(UrlErrorKind::Path)),
        };
        let mut parts = path.split('?');
        let mut next = || parts.next().filter(|part| !part.text.is_empty());
        let (base, attributes, scope, filter, extensions) = (next(), next(), next(), next(), next());
        self.base = base.map(|part| part.decode()).transpose()?;
        for attribute in attributes.iter().flat_map(|part| part.split(',')) {
            self.attributes.push(attribute.decode_filled(UrlErrorKind::Attribute)?);
        }
        self.scope = scope.map(|part| part.scope()).transpose()?;
        if let Some(part) = filter {
            let filter = Filter::parse(&part.decode()?);
            self.filter = Some(filter.map_err(|error| part.fail(UrlErrorKind::Filter(error.kind())))?);
        }
        for extension in extensions.iter().flat_map(|part| part.split(',')) {
            self.extensions.push(extension.decode_filled(UrlErrorKind::Extension)?);
        }
        match parts.next() {
            None => Ok(()),
            Some(more) => Err(UrlError::new(UrlErrorKind::Trailing, more.offset - 1)),
        }
    }
}

/// In the shortest form: no port that is the scheme's own, nothing empty at the end.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        match self.scheme {
            Scheme::Ldapi => encode(&self.host, "", f)?,
            _ if self.host.contains(':') => write!(f, "[{}]", self.host.replace('%', "%25"))?,
            _ => f.write_str(&self.host)?,
        }
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        let mut parts = vec![String::new(); 5];
        encode(self.base.as_deref().unwrap_or_default(), "/,=+:@()*'!&;", &mut parts[0])?;
        list(&self.attributes, &mut parts[1])?;
        parts[2].push_str(self.scope.map_or("", scope_name));
        if let Some(filter) = &self.filter {
            encode(&filter.to_string(), "/,=+:@()*'!&;|<>", &mut parts[3])?;
        }
        list(&self.extensions, &mut parts[4])?;
        while parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        if !parts.is_empty() {
            write!(f, "/{}", parts.join("?"))?;
        }
        Ok(())
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Url::parse(text)
    }
}

const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Base => "base",
        Scope::One => "one",
        Scope::Subtree => "sub",
        Scope::Subordinate => "subord",
    }
}

fn list(texts: &[String], out: &mut String) -> fmt::Result {
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        encode(text, "/=+:@()*'!&;", out)?;
    }
    Ok(())
}

/// Writes what RFC 3986 calls unreserved and what is in `plain` as it is, the rest as `%` and hex.
fn encode(text: &str, plain: &str, out: &mut impl Write) -> fmt::Result {
    for byte in text.bytes() {
        let c = char::from(byte);
        match c.is_ascii_alphanumeric() || "-._~".contains(c) || (c.is_ascii() && plain.contains(c)) {
            true => out.write_char(c)?,
            false => write!(out, "%{byte:02X}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::FilterErrorKind;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn servers_are_read() {
        for (text, scheme, host, port, address) in [
            ("ldap://a.example.com", Scheme::Ldap, "a.example.com", 389, "a.example.com:389"),
            ("LDAPS://a.example.com/", Scheme::Ldaps, "a.example.com", 636, "a.example.com:636"),
            ("ldap://10.0.0.1:1389", Scheme::Ldap, "10.0.0.1", 1389, "10.0.0.1:1389"),
            ("ldap://[::1]:1389/", Scheme::Ldap, "::1", 1389, "[::1]:1389"),
            ("ldap://[fe80::1%25eth0]", Scheme::Ldap, "fe80::1%eth0", 389, "[fe80::1%eth0]:389"),
            ("ldap:///dc=x", Scheme::Ldap, "", 389, ":389"),
            ("ldapi://%2Frun%2Fslapd%2Fldapi", Scheme::Ldapi, "/run/slapd/ldapi", 0, "/run/slapd/ldapi"),
            ("ldapi://%2frun%2fmy%20socket/dc=x", Scheme::Ldapi, "/run/my socket", 0, "/run/my socket"),
            ("ldapi:///", Scheme::Ldapi, "", 0, ""),
        ] {
            let url = url(text);
            assert_eq!((url.scheme(), url.host(), url.port()), (scheme, host, port), "{text}");
            assert_eq!(url.address(), address);
        }
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let found = url("ldap://ldap1.example.net/o=University%20of%20Michigan,c=US?postalAddress");
        assert_eq!(found.base(), Some("o=University of Michigan,c=US"));
        assert_eq!(found.attributes(), ["postalAddress"]);
        let found =
            url("ldap://ldap1.example.net:6666/o=University%20of%20Michigan,c=US??sub?(cn=Babs%20Jensen)");
        assert_eq!((found.port(), found.scope()), (6666, Some(Scope::Subtree)));
        assert_eq!(found.filter(), Some(&Filter::equal("cn", "Babs Jensen")));
        let found = url("LDAP://ldap1.example.com/c=GB?objectClass,cn?ONE");
        assert_eq!((found.attributes().len(), found.scope()), (2, Some(Scope::One)));
        let found = url("ldap://ldap2.example.com/o=Question%3f,c=US?mail");
        assert_eq!(found.base(), Some("o=Question?,c=US"));
        let found = url("ldap://ldap3.example.com/o=Babsco,c=US???(four-octet=%5c00%5c00%5c00%5c04)");
        assert_eq!(found.filter(), Some(&Filter::equal("four-octet", [0, 0, 0, 4])));
        let found = url("ldap:///??sub??e-bindname=cn=Manager%2cdc=example%2cdc=com,!x");
        assert_eq!(found.extensions(), ["e-bindname=cn=Manager,dc=example,dc=com", "!x"]);
        assert_eq!((found.base(), found.filter()), (None, None));
    }

    #[test]
    fn the_shortest_form_is_printed_and_read_back() {
        for (text, printed) in [
            ("LDAP://a.example.com:389/", "ldap://a.example.com"),
            ("ldaps://a:1/???", "ldaps://a:1"),
            ("ldap://[::1]/", "ldap://[::1]"),
            ("ldap://[fe80::1%25eth0]", "ldap://[fe80::1%25eth0]"),
            ("ldapi://%2frun%2fldapi", "ldapi://%2Frun%2Fldapi"),
            (
                "ldap://a/o=Q%3f%20%C3%A4?cn,sn?one?(cn=a%3fb)?!x=1%2c2",
                "ldap://a/o=Q%3F%20%C3%A4?cn,sn?one?(cn=a%3Fb)?!x=1%2C2",
            ),
            ("ldap://a/dc=x????y", "ldap://a/dc=x????y"),
        ] {
            assert_eq!(url(text).to_string(), printed);
            assert_eq!(url(printed), url(text));
        }
    }

    #[test]
    fn what_is_no_url_is_told_with_its_place() {
        for (text, kind, offset) in [
            ("", UrlErrorKind::Scheme, 0),
            ("a.example.com", UrlErrorKind::Scheme, 0),
            ("http://a", UrlErrorKind::Scheme, 0),
            ("ldap:/a", UrlErrorKind::Scheme, 0),
            ("ldap://a b", UrlErrorKind::Character, 8),
            ("ldap://a\n", UrlErrorKind::Character, 8),
            ("ldap://admin:x@a", UrlErrorKind::Credentials, 14),
            ("ldap://bücher.example", UrlErrorKind::Host, 7),
            ("ldap://a%2Fb", UrlErrorKind::Host, 7),
            ("ldap://::1", UrlErrorKind::Host, 7),
            ("ldap://[::1", UrlErrorKind::Host, 7),
            ("ldap://[::1]x", UrlErrorKind::Host, 12),
            ("ldap://[10.0.0.1]", UrlErrorKind::Host, 8),
            ("ldap://[::1%25]", UrlErrorKind::Host, 8),
            ("ldap://:389", UrlErrorKind::Host, 7),
            ("ldap://a:", UrlErrorKind::Port, 9),
            ("ldap://a:0", UrlErrorKind::Port, 9),
            ("ldap://a:65536", UrlErrorKind::Port, 9),
            ("ldap://a:+1", UrlErrorKind::Port, 9),
            ("ldap://a?cn", UrlErrorKind::Path, 8),
            ("ldap://a/%", UrlErrorKind::Percent, 9),
            ("ldap://a/cn=%4", UrlErrorKind::Percent, 12),
            ("ldap://a/cn=%ff", UrlErrorKind::Text, 9),
            ("ldap://a/cn=%00", UrlErrorKind::Text, 9),
            ("ldapi://%00", UrlErrorKind::Text, 8),
            ("ldap://a/?cn,,sn", UrlErrorKind::Attribute, 13),
            ("ldap://a/??tree", UrlErrorKind::Scope, 11),
            ("ldap://a/???(cn", UrlErrorKind::Filter(FilterErrorKind::Operator), 12),
            ("ldap://a/????x,", UrlErrorKind::Extension, 15),
            ("ldap://a/?????", UrlErrorKind::Trailing, 13),
        ] {
            let error = Url::parse(text).expect_err(text);
            assert_eq!((error.kind(), error.offset()), (kind, offset), "{text}");
        }
    }

    fn parts() -> impl Strategy<Value = Url> {
        let host = "[a-z0-9][a-z0-9.-]{0,12}|::1|2001:db8::7|fe80::1%eth0";
        let text = "[ ?%,/#=a-cä]{1,8}";
        let server = prop_oneof![
            (Just(Scheme::Ldap), host, 1..=u16::MAX),
            (Just(Scheme::Ldaps), host, 1..=u16::MAX),
            (Just(Scheme::Ldapi), "[/a-z %?]{0,12}", Just(0)),
        ];
        let scope =
            prop_oneof![Just(Scope::Base), Just(Scope::One), Just(Scope::Subtree), Just(Scope::Subordinate)];
        let search = (
            proptest::option::of(text),
            proptest::collection::vec(text, 0..3),
            proptest::option::of(scope),
            proptest::option::of(text.prop_map(|value| Filter::equal("cn", value))),
            proptest::collection::vec(text, 0..3),
        );
        (server, search).prop_map(|((scheme, host, port), (base, attributes, scope, filter, extensions))| {
            Url { scheme, host, port, base, attributes, scope, filter, extensions }
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed_to_the_same(url in parts()) {
            let text = url.to_string();
            prop_assert_eq!(Url::parse(&text), Ok(url), "{}", text);
        }

        #[test]
        fn no_text_panics_and_what_parses_prints_the_same(text in "ldap[si]?://[a-c\\[\\]:/?%0-9,()=@\\PC]{0,30}") {
            let Ok(parsed) = Url::parse(&text) else { return Ok(()) };
            prop_assert_eq!(Url::parse(&parsed.to_string()), Ok(parsed));
        }
    }
}
