//! LDAP URLs (RFC 4516).
use crate::{Filter, message::Scope};
use std::fmt;

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
/// An LDAP URL.
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
/// Why a text is no LDAP URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad URL at byte {offset}")]
pub struct UrlError {
    offset: usize,
}
impl UrlError {
    /// The byte the error is about.
    pub fn offset(&self) -> usize {
        self.offset
    }
}
impl Url {
    /// Parses a URL; the host may be empty only in `ldap:///base...`, where it is "".
    pub fn parse(_text: &str) -> Result<Url, UrlError> {
        todo!()
    }
    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }
    /// The host without brackets; the socket's path for `ldapi`; "" when the URL names none.
    pub fn host(&self) -> &str {
        &self.host
    }
    /// The port; 0 for `ldapi`.
    pub fn port(&self) -> u16 {
        self.port
    }
    /// The base's text.
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }
    /// The attributes asked for.
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }
    /// The scope.
    pub fn scope(&self) -> Option<Scope> {
        self.scope
    }
    /// The filter.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }
    /// The extensions, decoded, a critical one with its `!`.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
    /// "host:port" or the socket's path, for messages and for connecting.
    pub fn address(&self) -> String {
        todo!()
    }
}
impl fmt::Display for Url {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
impl std::str::FromStr for Url {
    type Err = UrlError;
    fn from_str(text: &str) -> Result<Self, UrlError> {
        Url::parse(text)
    }
}
