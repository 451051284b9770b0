//! A value and what it means.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use super::{FileTime, GeneralizedTime, Guid, Interval, Kind, Sid};
use crate::Dn;
use crate::oid::is_oid;

/// One value of an attribute: its bytes, and what they mean.
///
/// ```
/// use ldapgate_proto::value::{Form, Kind};
///
/// let value = Kind::Integer.read(b"42");
/// assert_eq!(value.as_integer(), Some(42));
/// assert_eq!(value.raw(), b"42");
///
/// let odd = Kind::Integer.read(b"many");
/// assert!(!odd.fits());
/// assert_eq!(odd.form(), &Form::Text("many"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<'v> {
    raw: &'v [u8],
    form: Form<'v>,
    fits: bool,
}

/// What a value means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form<'v> {
    /// A text, of whatever letters.
    Text(&'v str),
    /// A telephone number.
    Telephone(&'v str),
    /// An object identifier, or a name that stands for one.
    Oid(&'v str),
    /// A whole number.
    Integer(i64),
    /// A whole number of more than 64 bits, as decimal text.
    BigInteger(&'v str),
    /// Yes or no.
    Boolean(bool),
    /// A point in time.
    Time(GeneralizedTime),
    /// A UUID or GUID.
    Guid(Guid),
    /// A security identifier.
    Sid(Sid),
    /// One of Active Directory's points in time.
    FileTime(FileTime),
    /// One of Active Directory's lengths of time.
    Interval(Interval),
    /// The lines of an address.
    PostalAddress(Vec<Cow<'v, str>>),
    /// A name.
    Dn(Dn),
    /// A name, and what belongs to it: bits, bytes in hexadecimal, or a text, as they are written.
    DnWith {
        /// The name.
        dn: Dn,
        /// What belongs to it.
        data: &'v str,
    },
    /// Bits, as `0` and `1`.
    Bits(&'v str),
    /// Bytes.
    Octets(&'v [u8]),
}

impl<'v> Value<'v> {
    pub(super) fn new(kind: Kind, raw: &'v [u8]) -> Value<'v> {
        let read = read(kind, raw);
        let fits = read.is_some();
        Value { raw, form: read.unwrap_or_else(|| any(raw)), fits }
    }

    /// The bytes, as they came.
    pub fn raw(&self) -> &'v [u8] {
        self.raw
    }

    /// What they mean.
    pub fn form(&self) -> &Form<'v> {
        &self.form
    }

    /// Are they of the attribute's kind? If not, they are text or bytes.
    pub fn fits(&self) -> bool {
        self.fits
    }

    /// The bytes as text, if they are.
    pub fn as_text(&self) -> Option<&'v str> {
        std::str::from_utf8(self.raw).ok()
    }

    /// A number; those of Active Directory's times and intervals too.
    pub fn as_integer(&self) -> Option<i64> {
        match &self.form {
            Form::Integer(number) => Some(*number),
            Form::FileTime(time) => Some(time.ticks()),
            Form::Interval(interval) => Some(interval.ticks()),
            _ => None,
        }
    }

    /// Yes or no.
    pub fn as_boolean(&self) -> Option<bool> {
        match &self.form {
            Form::Boolean(yes) => Some(*yes),
            _ => None,
        }
    }

    /// A point in time of either kind; `None` also for Active Directory's "never".
    pub fn as_time(&self) -> Option<SystemTime> {
        match &self.form {
            Form::Time(time) => Some(time.to_system_time()),
            Form::FileTime(time) if !time.is_never() => time.to_system_time(),
            _ => None,
        }
    }

    /// A length of time; `None` also for "never".
    pub fn as_duration(&self) -> Option<Duration> {
        match &self.form {
            Form::Interval(interval) => interval.to_duration(),
            _ => None,
        }
    }

    /// A name, whatever else belongs to it.
    pub fn as_dn(&self) -> Option<&Dn> {
        match &self.form {
            Form::Dn(dn) | Form::DnWith { dn, .. } => Some(dn),
            _ => None,
        }
    }

    /// A UUID or GUID.
    pub fn as_guid(&self) -> Option<Guid> {
        match &self.form {
            Form::Guid(guid) => Some(*guid),
            _ => None,
        }
    }

    /// A security identifier.
    pub fn as_sid(&self) -> Option<Sid> {
        match &self.form {
            Form::Sid(sid) => Some(*sid),
            _ => None,
        }
    }
}

/// As people know it; bytes in hexadecimal.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Text(text)
            | Form::Telephone(text)
            | Form::Oid(text)
            | Form::BigInteger(text)
            | Form::Bits(text) => f.write_str(text),
            Form::Integer(number) => number.fmt(f),
            Form::Boolean(yes) => f.write_str(if *yes { "TRUE" } else { "FALSE" }),
            Form::Time(time) => time.fmt(f),
            Form::Guid(guid) => guid.fmt(f),
            Form::Sid(sid) => sid.fmt(f),
            Form::FileTime(time) if time.is_never() => f.write_str("never"),
            Form::FileTime(time) => match time.to_system_time().and_then(GeneralizedTime::from_system_time) {
                Some(time) => time.fmt(f),
                None => time.ticks().fmt(f),
            },
            Form::Interval(interval) => interval.fmt(f),
            Form::PostalAddress(lines) => f.write_str(&lines.join("\n")),
            Form::Dn(dn) => f.write_str(dn.as_str()),
            Form::DnWith { dn, data } => write!(f, "{} ({data})", dn.as_str()),
            Form::Octets(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// The value as its kind; `None` for one that is not of it.
pub(super) fn read(kind: Kind, raw: &[u8]) -> Option<Form<'_>> {
    match kind {
        Kind::Any => return Some(any(raw)),
        Kind::Octets => return Some(Form::Octets(raw)),
        Kind::Guid => return Guid::from_wire(raw).ok().map(Form::Guid),
        Kind::Sid => return Sid::from_wire(raw).ok().map(Form::Sid),
        _ => {}
    }
    let text = std::str::from_utf8(raw).ok()?;
    match kind {
        Kind::Text => (!text.is_empty()).then_some(Form::Text(text)),
        Kind::Ia5 => text.is_ascii().then_some(Form::Text(text)),
        Kind::Numeric => only(text, |byte| byte.is_ascii_digit() || byte == b' ').then_some(Form::Text(text)),
        Kind::Printable => only(text, is_printable).then_some(Form::Text(text)),
        Kind::Country => (text.len() == 2 && only(text, is_printable)).then_some(Form::Text(text)),
        Kind::Telephone => only(text, is_printable).then_some(Form::Telephone(text)),
        Kind::Integer => integer(text),
        Kind::Boolean => match text {
            "TRUE" => Some(Form::Boolean(true)),
            "FALSE" => Some(Form::Boolean(false)),
            _ => None,
        },
        Kind::GeneralizedTime => text.parse().ok().map(Form::Time),
        Kind::UtcTime => utc_time(text).map(Form::Time),
        Kind::Uuid => text.parse().ok().map(Form::Guid),
        Kind::FileTime => FileTime::parse(text).ok().map(Form::FileTime),
        Kind::Interval => Interval::parse(text).ok().map(Form::Interval),
        Kind::PostalAddress => postal_address(text).map(Form::PostalAddress),
        Kind::Dn => Dn::parse(text).ok().map(Form::Dn),
        Kind::NameAndUid => name_and_uid(text),
        Kind::DnWithBinary => dn_with(text, "B:").filter(|form| match form {
            Form::DnWith { data, .. } => {
                data.len() % 2 == 0 && data.bytes().all(|digit| digit.is_ascii_hexdigit())
            }
            _ => false,
        }),
        Kind::DnWithString => dn_with(text, "S:"),
        Kind::Oid => names_a_type(text).then_some(Form::Oid(text)),
        Kind::Bits => bits(text).map(Form::Bits),
        Kind::Any | Kind::Octets | Kind::Guid | Kind::Sid => None,
    }
}

fn any(raw: &[u8]) -> Form<'_> {
    std::str::from_utf8(raw).map_or(Form::Octets(raw), Form::Text)
}

fn only(text: &str, fine: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(fine)
}

/// RFC 4517 section 3.2.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+,-.=/:? ".contains(&byte)
}

/// RFC 4512 section 1.4 (oid): numbers in dots, or a word that begins with a letter. An underscore is what Active Directory
/// and others put into words as well.
fn names_a_type(text: &str) -> bool {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    word || is_oid(text)
}

fn integer(text: &str) -> Option<Form<'_>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !only(digits, |byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().map_or(Form::BigInteger(text), Form::Integer))
}

/// Two digits of a year are those from 1950 to 2049 (RFC 5280 section 4.1.2.5.1). The zone may be missing; it is UTC then.
fn utc_time(text: &str) -> Option<GeneralizedTime> {
    let year: u8 = text.get(..2)?.parse().ok()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !matches!(digits, 10 | 12) {
        return None;
    }
    let century = if year >= 50 { "19" } else { "20" };
    let zone = if digits == text.len() { "Z" } else { "" };
    let behind = &text[digits..];
    if behind.starts_with(['.', ',']) {
        return None;
    }
    format!("{century}{text}{zone}").parse().ok()
}

/// RFC 4517 section 3.3.28: a dollar sign in a line is `\24`, a backslash `\5C`.
fn postal_address(text: &str) -> Option<Vec<Cow<'_, str>>> {
    if text.is_empty() {
        return None;
    }
    let line = |line: &'_ str| -> Option<String> {
        let mut plain = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(place) = rest.find('\\') {
            plain.push_str(&rest[..place]);
            plain.push(match rest.get(place + 1..place + 3)? {
                "24" => '$',
                code if code.eq_ignore_ascii_case("5c") => '\\',
                _ => return None,
            });
            rest = &rest[place + 3..];
        }
        plain.push_str(rest);
        Some(plain)
    };
    let lines = text.split('$').map(|part| match part.contains('\\') {
        true => line(part).map(Cow::Owned),
        false => Some(Cow::Borrowed(part)),
    });
    lines.collect()
}

/// `cn=x#'0101'B`; a name alone is one too.
fn name_and_uid(text: &str) -> Option<Form<'_>> {
    let parts = text.rsplit_once('#').and_then(|(dn, uid)| Some((dn, bits(uid)?)));
    match parts {
        Some((dn, data)) => Dn::parse(dn).ok().map(|dn| Form::DnWith { dn, data }),
        None => Dn::parse(text).ok().map(Form::Dn),
    }
}

/// MS-ADTS section 3.1.1.2.2.2.3: `B:32:AA312825768811D1ADED00C04FD8D5CD:CN=Computers,DC=example,DC=com`.
fn dn_with<'v>(text: &'v str, mark: &str) -> Option<Form<'v>> {
    let (length, rest) = text.strip_prefix(mark)?.split_once(':')?;
    let length: usize = length.parse().ok()?;
    let (data, dn) = (rest.get(..length)?, rest.get(length..)?.strip_prefix(':')?);
    Dn::parse(dn).ok().map(|dn| Form::DnWith { dn, data })
}

fn bits(text: &str) -> Option<&str> {
    let bits = text.strip_prefix('\'')?.strip_suffix("'B")?;
    bits.bytes().all(|bit| matches!(bit, b'0' | b'1')).then_some(bits)
}

#[cfg(test)]
mod tests;
