//! The pieces of a URL's text.

use std::net::Ipv6Addr;

use super::{Scheme, UrlError, UrlErrorKind};
use crate::message::Scope;

/// A piece of the URL, and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Part<'t> {
    pub(super) text: &'t str,
    pub(super) offset: usize,
}

impl<'t> Part<'t> {
    pub(super) fn skip(self, bytes: usize) -> Part<'t> {
        Part { text: &self.text[bytes..], offset: self.offset + bytes }
    }

    pub(super) fn at(self, index: Option<usize>) -> Option<(Part<'t>, Part<'t>)> {
        let index = index?;
        Some((Part { text: &self.text[..index], offset: self.offset }, self.skip(index)))
    }

    pub(super) fn split(self, separator: char) -> impl Iterator<Item = Part<'t>> {
        let mut offset = self.offset;
        self.text.split(separator).map(move |text| {
            let part = Part { text, offset };
            offset += text.len() + 1;
            part
        })
    }

    pub(super) fn decode(self) -> Result<String, UrlError> {
        let mut rest = self;
        while let Some((_, percent)) = rest.at(rest.text.find('%')) {
            let digits = percent.text.as_bytes().get(1..3);
            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return Err(percent.fail(UrlErrorKind::Percent));
            }
            rest = percent.skip(3);
        }
        match percent_encoding::percent_decode_str(self.text).decode_utf8() {
            Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
            _ => Err(self.fail(UrlErrorKind::Text)),
        }
    }

    pub(super) fn decode_filled(self, kind: UrlErrorKind) -> Result<String, UrlError> {
        if self.text.is_empty() {
            return Err(self.fail(kind));
        }
        self.decode()
    }

    pub(super) fn scope(self) -> Result<Scope, UrlError> {
        let is = |name: &str| self.text.eq_ignore_ascii_case(name);
        match () {
            () if is("base") => Ok(Scope::Base),
            () if is("one") => Ok(Scope::One),
            () if is("sub") => Ok(Scope::Subtree),
            // Not of RFC 4516, but of the draft and of OpenLDAP.
            () if is("subord") => Ok(Scope::Subordinate),
            () => Err(self.fail(UrlErrorKind::Scope)),
        }
    }

    pub(super) fn fail(self, kind: UrlErrorKind) -> UrlError {
        UrlError::new(kind, self.offset)
    }
}

pub(super) fn scheme(text: &str) -> Result<(Scheme, Part<'_>), UrlError> {
    let bad = UrlError::new(UrlErrorKind::Scheme, 0);
    let (name, _) = text.split_once("://").ok_or(bad)?;
    let known = [Scheme::Ldap, Scheme::Ldaps, Scheme::Ldapi];
    let scheme = known.into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(name)).ok_or(bad)?;
    Ok((scheme, Part { text, offset: 0 }.skip(name.len() + "://".len())))
}

pub(super) fn host_and_port(authority: Part<'_>, scheme: Scheme) -> Result<(String, u16), UrlError> {
    if let Some((_, at)) = authority.at(authority.text.find('@')) {
        return Err(at.fail(UrlErrorKind::Credentials));
    }
    let (host, port) = match authority.text.strip_prefix('[') {
        Some(_) => {
            let end = authority.text.find(']').ok_or(authority.fail(UrlErrorKind::Host))?;
            let address = Part { text: &authority.text[1..end], offset: authority.offset + 1 };
            (address_literal(address)?, authority.skip(end + 1))
        }
        None => {
            let end = authority.text.find(':').unwrap_or(authority.text.len());
            let host = Part { text: &authority.text[..end], offset: authority.offset };
            (host_name(host)?, authority.skip(end))
        }
    };
    let port = match (port.text, port.text.strip_prefix(':')) {
        ("", _) => scheme.default_port(),
        (_, Some(digits)) if !host.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port > 0).ok_or(port.skip(1).fail(UrlErrorKind::Port))?
        }
        (_, Some(_)) if host.is_empty() => return Err(authority.fail(UrlErrorKind::Host)),
        (_, Some(_)) => return Err(port.skip(1).fail(UrlErrorKind::Port)),
        (_, None) => return Err(port.fail(UrlErrorKind::Host)),
    };
    Ok((host, port))
}

fn host_name(part: Part<'_>) -> Result<String, UrlError> {
    let host = part.decode()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    match host.bytes().all(fits) && host.len() <= 255 {
        true => Ok(host),
        false => Err(part.fail(UrlErrorKind::Host)),
    }
}

/// What stands in brackets: an IPv6 address, perhaps with a zone (RFC 6874).
fn address_literal(part: Part<'_>) -> Result<String, UrlError> {
    let decoded = part.decode()?;
    let (address, zone) = match decoded.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (decoded.as_str(), None),
    };
    let named = |zone: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        !zone.is_empty() && zone.len() <= 64 && zone.bytes().all(fits)
    };
    match address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(named) {
        true => Ok(decoded),
        false => Err(part.fail(UrlErrorKind::Host)),
    }
}
