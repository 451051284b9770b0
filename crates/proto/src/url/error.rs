//! Why a text is no LDAP URL.

use crate::filter::FilterErrorKind;

/// Why a text is no LDAP URL, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no LDAP URL: {kind} at byte {offset}")]
pub struct UrlError {
    kind: UrlErrorKind,
    offset: usize,
}

impl UrlError {
    pub(super) fn new(kind: UrlErrorKind, offset: usize) -> UrlError {
        UrlError { kind, offset }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> UrlErrorKind {
        self.kind
    }

    /// The byte of the text it was found at, counted from 0.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// The ways in which a text can fail to be an LDAP URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlErrorKind {
    /// Longer than [`MAX_LENGTH`](super::MAX_LENGTH).
    #[error("text longer than 64 KiB")]
    TooLong,
    /// A space or a control character.
    #[error("a space or control character (a space is written %20)")]
    Character,
    /// Another scheme, or none.
    #[error("`ldap://`, `ldaps://` or `ldapi://` is missing")]
    Scheme,
    /// A name and password before the host.
    #[error("credentials, which do not belong into a URL,")]
    Credentials,
    /// A host that is none.
    #[error("a malformed host (international names are written in their xn-- form)")]
    Host,
    /// A port that is none.
    #[error("a port that is no number from 1 to 65535")]
    Port,
    /// No slash between host and search.
    #[error("`/` is missing before `?`")]
    Path,
    /// `%` without two hexadecimal digits behind it.
    #[error("`%` needs two hexadecimal digits behind it")]
    Percent,
    /// Encoded bytes that are no UTF-8 text, or NUL.
    #[error("encoded bytes that are no text")]
    Text,
    /// An empty attribute.
    #[error("an empty attribute")]
    Attribute,
    /// A scope other than base, one or sub.
    #[error("a scope other than base, one or sub")]
    Scope,
    /// A filter that is none.
    #[error("a filter that is none ({0})")]
    Filter(FilterErrorKind),
    /// An empty extension.
    #[error("an empty extension")]
    Extension,
    /// More than five parts.
    #[error("a fifth `?`")]
    Trailing,
}
