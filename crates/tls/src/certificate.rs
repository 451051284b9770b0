//! The few fields of X.509 (RFC 5280) that messages show. Nothing is decided on them but validity dates of a
//! certificate that was trusted by name of its very bytes.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::SystemTime;

use crate::{
    date,
    der::{self, Der},
};

/// Names a certificate may carry before the rest is left out of messages.
const MAX_NAMES: usize = 100;
/// Names that [`Certificate`]'s `Display` lists.
const SHOWN_NAMES: usize = 12;
/// Longest text shown of one value, in characters.
const MAX_TEXT: usize = 200;

/// What a peer's certificate says, in printable text: control and direction characters are escaped, lengths are
/// limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The subject, most specific part first: `CN=ldap.example.com,O=Example`; may be empty.
    pub subject: String,
    /// The subject's common name. No check looks at it (RFC 6125 section 6.4.4): it is here for messages.
    pub common_name: Option<String>,
    /// The host names and addresses of the subjectAltName, which are the ones it is good for.
    pub names: Vec<String>,
    /// Start of validity.
    pub not_before: Option<SystemTime>,
    /// End of validity.
    pub not_after: Option<SystemTime>,
    /// The issuer, written as the subject is.
    pub issuer: String,
    /// Subject and issuer are the same name.
    pub self_signed: bool,
}

impl Certificate {
    /// Reads a certificate's DER; `None` when it is none.
    #[must_use]
    pub fn from_der(bytes: &[u8]) -> Option<Certificate> {
        let parts = Parts::read(bytes)?;
        let subject = distinguished_name(parts.subject)?;
        let mut names = Vec::new();
        if let Some(extensions) = parts.extensions {
            alternative_names(extensions, &mut names);
        }
        let mut validity = Der::new(parts.validity);
        let (not_before, not_after) = (validity.next()?, validity.next()?);
        Some(Certificate {
            common_name: subject.iter().find(|(name, _)| name == "CN").map(|(_, value)| value.clone()),
            subject: join(&subject),
            names,
            not_before: date::parse(not_before.0, not_before.1),
            not_after: date::parse(not_after.0, not_after.1),
            issuer: join(&distinguished_name(parts.issuer)?),
            self_signed: parts.issuer == parts.subject,
        })
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = if self.subject.is_empty() { "a subject without name" } else { &self.subject };
        write!(f, "{subject}, for {}", list(&self.names))?;
        if let (Some(from), Some(to)) = (self.not_before, self.not_after) {
            write!(f, ", valid from {} to {}", date::show(from), date::show(to))?;
        }
        match self.self_signed {
            true => write!(f, ", issued by itself"),
            false => write!(f, ", issued by {}", self.issuer),
        }
    }
}

/// The undecoded fields, each the content of its element.
#[derive(Clone)]
pub(crate) struct Parts<'a> {
    pub(crate) issuer: &'a [u8],
    pub(crate) validity: &'a [u8],
    pub(crate) subject: &'a [u8],
    key: &'a [u8],
    pub(crate) extensions: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        const VERSION: u8 = 0xa0;
        const EXTENSIONS: u8 = 0xa3;
        let mut outer = Der::new(bytes);
        let mut certificate = outer.enter(der::SEQUENCE)?;
        let mut body = certificate.enter(der::SEQUENCE)?;
        if !outer.is_empty() || certificate.tag() != Some(der::SEQUENCE) {
            return None;
        }
        if body.tag() == Some(VERSION) {
            body.next()?;
        }
        body.expect(der::INTEGER)?;
        body.expect(der::SEQUENCE)?;
        let issuer = body.expect(der::SEQUENCE)?;
        let validity = body.expect(der::SEQUENCE)?;
        let subject = body.expect(der::SEQUENCE)?;
        let key = body.expect(der::SEQUENCE)?;
        let mut extensions = None;
        while let Some((tag, content)) = body.next() {
            if tag == EXTENSIONS {
                extensions = Der::new(content).expect(der::SEQUENCE);
            }
        }
        Some(Parts { issuer, validity, subject, key, extensions })
    }

    /// The length of an RSA key, in bits; `None` for keys of other kinds (RFC 8017 section A.1.1).
    pub(crate) fn rsa_bits(&self) -> Option<usize> {
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        let mut key = Der::new(self.key);
        if key.enter(der::SEQUENCE)?.expect(der::OID)? != RSA {
            return None;
        }
        let (_, numbers) = key.expect(der::BIT_STRING)?.split_first()?;
        let modulus = Der::new(numbers).enter(der::SEQUENCE)?.expect(der::INTEGER)?;
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        let first = modulus.get(zeros)?;
        Some((modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
    }

    /// Who carries it, as messages show it.
    pub(crate) fn shown_subject(&self) -> Option<String> {
        distinguished_name(self.subject).map(|name| join(&name))
    }
}

/// "a.example.com, 10.0.0.1", "12 names: a, b, ..." or "no host at all".
pub(crate) fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "no host at all".to_owned();
    }
    let shown = names.iter().take(SHOWN_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn alternative_names(extensions: &[u8], names: &mut Vec<String>) {
    const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    const DNS: u8 = 0x82;
    const ADDRESS: u8 = 0x87;
    let mut extensions = Der::new(extensions);
    while let Some(mut extension) = extensions.enter(der::SEQUENCE) {
        if extension.expect(der::OID) != Some(SUBJECT_ALT_NAME) {
            continue;
        }
        // The BOOLEAN "critical" may stand between.
        let mut content = None;
        while let Some((tag, bytes)) = extension.next() {
            if tag == der::OCTET_STRING {
                content = Der::new(bytes).enter(der::SEQUENCE);
            }
        }
        while let Some((tag, bytes)) = content.as_mut().and_then(Der::next) {
            let name = match tag {
                DNS => printable(&String::from_utf8_lossy(bytes)),
                ADDRESS => match address(bytes) {
                    Some(address) => address,
                    None => continue,
                },
                _ => continue,
            };
            if names.len() == MAX_NAMES {
                return;
            }
            names.push(name);
        }
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| Ipv6Addr::from(sixteen).to_string())
}

/// Attribute names and values, most specific first, as RFC 4514 writes a name.
fn distinguished_name(content: &[u8]) -> Option<Vec<(String, String)>> {
    let mut parts = Vec::new();
    let mut name = Der::new(content);
    while !name.is_empty() {
        let mut rdn = name.enter(der::SET)?;
        while !rdn.is_empty() {
            let mut ava = rdn.enter(der::SEQUENCE)?;
            let attribute = attribute_name(ava.expect(der::OID)?);
            let (tag, value) = ava.next()?;
            if parts.len() == MAX_NAMES {
                return None;
            }
            parts.push((attribute, printable(&text(tag, value))));
        }
    }
    parts.reverse();
    Some(parts)
}

fn join(parts: &[(String, String)]) -> String {
    let mut joined = String::new();
    for (attribute, value) in parts {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(attribute);
        joined.push('=');
        for c in value.chars() {
            if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
                joined.push('\\');
            }
            joined.push(c);
        }
    }
    joined
}

fn attribute_name(oid: &[u8]) -> String {
    match oid {
        [0x55, 0x04, 0x03] => "CN".to_owned(),
        [0x55, 0x04, 0x05] => "serialNumber".to_owned(),
        [0x55, 0x04, 0x06] => "C".to_owned(),
        [0x55, 0x04, 0x07] => "L".to_owned(),
        [0x55, 0x04, 0x08] => "ST".to_owned(),
        [0x55, 0x04, 0x09] => "street".to_owned(),
        [0x55, 0x04, 0x0a] => "O".to_owned(),
        [0x55, 0x04, 0x0b] => "OU".to_owned(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01] => "emailAddress".to_owned(),
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC".to_owned(),
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01] => "UID".to_owned(),
        other => dotted(other),
    }
}

fn dotted(oid: &[u8]) -> String {
    let mut arcs = Vec::new();
    let mut arc = 0_u64;
    for byte in oid.iter().take(32) {
        arc = arc.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if arcs.is_empty() {
            let first = (arc / 40).min(2);
            arcs.push(first.to_string());
            arc -= first * 40;
        }
        arcs.push(arc.to_string());
        arc = 0;
    }
    arcs.join(".")
}

fn text(tag: u8, value: &[u8]) -> String {
    const T61: u8 = 0x14;
    const BMP: u8 = 0x1e;
    match tag {
        T61 => value.iter().map(|byte| char::from(*byte)).collect(),
        BMP => {
            let units = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

/// The certificate is the peer's: what would move a terminal's cursor or turn the reading direction is escaped.
fn printable(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(MAX_TEXT) {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match c.is_control() || turns {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

    fn example(names: &[&str]) -> Vec<u8> {
        let mut params =
            CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Example, Ltd.\u{1b}[2J");
        params.distinguished_name.push(DnType::CommonName, "Ldäp");
        params.not_before = date_time_ymd(2024, 2, 29);
        params.not_after = date_time_ymd(2061, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn names_dates_and_issuer_are_read() {
        let certificate = Certificate::from_der(&example(&["a.example.com", "10.0.0.1", "fe80::1"])).unwrap();
        assert_eq!(certificate.names, ["a.example.com", "10.0.0.1", "fe80::1"]);
        assert_eq!(certificate.common_name.as_deref(), Some("Ldäp"));
        assert_eq!(certificate.subject, "CN=Ldäp,O=Example\\, Ltd.\\\\u{1b}[2J");
        assert!(certificate.self_signed);
        assert_eq!(
            certificate.to_string(),
            "CN=Ldäp,O=Example\\, Ltd.\\\\u{1b}[2J, for a.example.com, 10.0.0.1, fe80::1, \
             valid from 2024-02-29 00:00:00 UTC to 2061-01-01 00:00:00 UTC, issued by itself"
        );
    }

    #[test]
    fn a_certificate_cut_anywhere_is_none_and_no_panic() {
        let der = example(&["a.example.com"]);
        for length in 0..der.len() {
            assert_eq!(Certificate::from_der(&der[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_certificate_with_any_byte_changed_is_no_panic() {
        let der = example(&["a.example.com", "10.0.0.1"]);
        for index in 0..der.len() {
            for value in [0x00, 0x30, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = der.clone();
                changed[index] = value;
                if let Some(certificate) = Certificate::from_der(&changed) {
                    let _ = certificate.to_string();
                }
            }
        }
    }
}
