use super::Control;
use crate::ber::{Error, ErrorKind, Tag, Writer};
use crate::value::{Guid, Sid};
use crate::{Dn, DnError};

/// More parts than any server puts before a name.
const MOST_PARTS: usize = 32;

/// Extended DN (MS-ADTS section 3.1.1.3.4.1.5): names come with the GUID and the security identifier of what they name. An
/// [`ExtendedName`] reads them.
///
/// ```
/// use ldapgate_proto::control::ExtendedDn;
///
/// assert_eq!(ExtendedDn::parse(&ExtendedDn::Text.to_control())?, ExtendedDn::Text);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtendedDn {
    /// Both in hexadecimal digits, the only form of Windows 2000.
    Hexadecimal,
    /// Both in their text form.
    Text,
}

/// A name as Active Directory gives it under [`ExtendedDn`]: `<GUID=...>;<SID=...>;CN=...`.
///
/// ```
/// use ldapgate_proto::control::ExtendedName;
///
/// let text = "<GUID=0d5d7a2c-1111-4222-8333-abcdef012345>;<SID=S-1-5-21-1-2-3-513>;CN=Staff,DC=example,DC=com";
/// let name = ExtendedName::parse(text)?;
/// assert_eq!(name.sid.map(|sid| sid.to_string()).as_deref(), Some("S-1-5-21-1-2-3-513"));
/// assert_eq!(name.dn, "CN=Staff,DC=example,DC=com");
/// assert_eq!(name.parse_dn()?.rdns().len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtendedName {
    /// The entry's `objectGUID`.
    pub guid: Option<Guid>,
    /// The entry's `objectSid`; not every entry has one.
    pub sid: Option<Sid>,
    /// The plain name.
    pub dn: String,
}

/// Text that is no extended name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no extended name: {problem}")]
pub struct ExtendedNameError {
    /// What was given, at most its first 200 letters.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl ExtendedDn {
    /// The control's OID.
    pub const OID: &'static str = "1.2.840.113556.1.4.529";

    /// The control that asks for this. Not critical: a server without it sends plain names, which are read as well.
    pub fn to_control(self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.integer(Tag::INTEGER, i64::from(self == ExtendedDn::Text));
        });
        Control::new(ExtendedDn::OID, Some(writer.finish()))
    }

    /// Reads the control's value; its OID is not looked at. No value asks for hexadecimal digits.
    ///
    /// # Errors
    ///
    /// When the value is malformed or another number than 0 and 1; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<ExtendedDn, Error> {
        if control.value.is_none() {
            return Ok(ExtendedDn::Hexadecimal);
        }
        let mut content = control.enter(Tag::SEQUENCE)?;
        let at = content.offset();
        let form = content.integer(Tag::INTEGER)?;
        content.finish()?;
        match form {
            0 => Ok(ExtendedDn::Hexadecimal),
            1 => Ok(ExtendedDn::Text),
            value => Err(Error::new(ErrorKind::OutOfRange { what: "form of extended names", value }, at)),
        }
    }
}

impl ExtendedName {
    /// Reads a name in either form. A plain name is one without GUID and SID; parts of other kinds, of which Samba has some,
    /// are passed over.
    ///
    /// # Errors
    ///
    /// When a part has no end, a GUID or SID cannot be read or is there twice, or there are more than 32 parts. What stands
    /// behind them is taken as it is: [`ExtendedName::parse_dn`] reads it.
    pub fn parse(text: &str) -> Result<ExtendedName, ExtendedNameError> {
        let wrong = |problem| ExtendedNameError { text: text.chars().take(200).collect(), problem };
        let mut name = ExtendedName { guid: None, sid: None, dn: String::new() };
        let mut rest = text;
        for _ in 0..MOST_PARTS {
            let Some(part) = rest.strip_prefix('<') else {
                rest.clone_into(&mut name.dn);
                return Ok(name);
            };
            let (part, after) = part.split_once('>').ok_or_else(|| wrong("a part has no end"))?;
            // An entry that is named by its GUID alone has nothing behind it.
            rest = match after.strip_prefix(';') {
                Some(rest) => rest,
                None if after.is_empty() => after,
                None => return Err(wrong("a part is not followed by ;")),
            };
            let (key, value) = part.split_once('=').ok_or_else(|| wrong("a part without ="))?;
            let twice = match key {
                "GUID" => {
                    name.guid.replace(guid(value).ok_or_else(|| wrong("the GUID cannot be read"))?).is_some()
                }
                "SID" => {
                    name.sid.replace(sid(value).ok_or_else(|| wrong("the SID cannot be read"))?).is_some()
                }
                _ => false,
            };
            if twice {
                return Err(wrong("a part is there twice"));
            }
        }
        Err(wrong("there are too many parts"))
    }

    /// The plain name as a value.
    ///
    /// # Errors
    ///
    /// When it is not of RFC 4514.
    pub fn parse_dn(&self) -> Result<Dn, DnError> {
        Dn::parse(&self.dn)
    }
}

fn guid(text: &str) -> Option<Guid> {
    if text.len() == 32 {
        return Guid::from_wire(&octets(text)?).ok();
    }
    text.parse().ok()
}

fn sid(text: &str) -> Option<Sid> {
    if text.starts_with(['S', 's']) {
        return text.parse().ok();
    }
    Sid::from_wire(&octets(text)?).ok()
}

/// Hexadecimal digits as bytes; a SID, the longest of them, has 68.
fn octets(text: &str) -> Option<Vec<u8>> {
    const LONGEST: usize = 136;
    if text.len() > LONGEST
        || !text.len().is_multiple_of(2)
        || !text.bytes().all(|digit| digit.is_ascii_hexdigit())
    {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("text grows");
            text
        })
    }

    #[test]
    fn the_control_has_the_bytes_that_ldapsearch_sends() {
        assert_eq!(ExtendedDn::Text.to_control().value.as_deref(), Some(&b"\x30\x03\x02\x01\x01"[..]));
        assert_eq!(ExtendedDn::parse(&Control::new("", None)), Ok(ExtendedDn::Hexadecimal));
        assert_eq!(ExtendedDn::parse(&ExtendedDn::Hexadecimal.to_control()), Ok(ExtendedDn::Hexadecimal));
        for value in ["", "\x30\x00", "\x30\x03\x02\x01\x02", "\x30\x03\x02\x01\x01\x00"] {
            assert!(ExtendedDn::parse(&Control::new("", Some(value.into()))).is_err(), "{value:?}");
        }
    }

    #[test]
    fn both_forms_mean_the_same() {
        let text = "<GUID=03020100-0504-0706-0809-0a0b0c0d0e0f>;<SID=S-1-5-32-545>;CN=Users,CN=Builtin,DC=a";
        let digits = "<GUID=000102030405060708090a0b0c0d0e0f>;<SID=01020000000000052000000021020000>;CN=Users,CN=Builtin,DC=a";
        let name = ExtendedName::parse(text).unwrap();
        assert_eq!(ExtendedName::parse(digits), Ok(name.clone()));
        assert_eq!(name.dn, "CN=Users,CN=Builtin,DC=a");
        assert!(name.guid.is_some() && name.sid.is_some());
    }

    #[test]
    fn a_plain_name_is_one_and_a_part_of_another_kind_is_passed_over() {
        let plain = ExtendedName::parse("CN=a,DC=b").unwrap();
        assert_eq!(plain, ExtendedName { guid: None, sid: None, dn: "CN=a,DC=b".to_owned() });
        let more = ExtendedName::parse("<RMD_FLAGS=0>;<RMD_VERSION=1>;CN=a,DC=b").unwrap();
        assert_eq!(more, plain);
        let alone = ExtendedName::parse("<GUID=03020100-0504-0706-0809-0a0b0c0d0e0f>").unwrap();
        assert!(alone.guid.is_some() && alone.dn.is_empty());
    }

    #[test]
    fn nonsense_is_an_error_and_nothing_more() {
        let guid = "<GUID=03020100-0504-0706-0809-0a0b0c0d0e0f>;";
        for wrong in [
            "<",
            "<GUID=1>;CN=a",
            "<GUID>;CN=a",
            "<SID=S-2-5>;CN=a",
            "<SID=0102>;CN=a",
            "<SID=é0>;CN=a",
            "<SID=S-1-5-1>CN=a",
            &guid.repeat(2),
            &"<A=b>;".repeat(MOST_PARTS),
        ] {
            assert!(ExtendedName::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back_in_either_form(wire: [u8; 16], parts in proptest::collection::vec(any::<u32>(), 0..=15), dn in "[^<]{0,60}") {
            let mut identifier = vec![1, parts.len() as u8, 0, 0, 0, 0, 0, 5];
            identifier.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
            let (guid, sid) = (Guid::from_wire(&wire).unwrap(), Sid::from_wire(&identifier).unwrap());
            let expected = ExtendedName { guid: Some(guid), sid: Some(sid), dn: dn.clone() };
            prop_assert_eq!(ExtendedName::parse(&format!("<GUID={guid}>;<SID={sid}>;{dn}")), Ok(expected.clone()));
            let digits = format!("<GUID={}>;<SID={}>;{dn}", hexadecimal(&wire), hexadecimal(&identifier));
            prop_assert_eq!(ExtendedName::parse(&digits), Ok(expected));
        }

        #[test]
        fn no_text_panics(text in "(<(GUID|SID|X)=[0-9a-fé]{0,40}>;){0,3}.{0,20}") {
            let _ = ExtendedName::parse(&text);
        }
    }
}
