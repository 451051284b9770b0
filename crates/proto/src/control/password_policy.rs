use std::fmt;

use super::Control;
use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};

/// The password policy control (draft-behera-ldap-password-policy): what a server knows about the password just used.
///
/// A server adds it to a bind's answer when the client asked for it, whether the bind succeeded or not.
///
/// ```
/// use ldapgate_proto::PasswordPolicy;
///
/// let policy = PasswordPolicy { grace_logins: Some(2), ..PasswordPolicy::default() };
/// assert_eq!(PasswordPolicy::parse(&policy.to_control())?, policy);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The password expires in so many seconds.
    pub expires_in: Option<u32>,
    /// The password has expired and may be used so many times more. A server tells this or `expires_in`.
    pub grace_logins: Option<u32>,
    /// What is wrong with the password or the account.
    pub error: Option<PasswordPolicyError>,
}

/// What the password policy objects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PasswordPolicyError {
    /// The password has expired.
    PasswordExpired,
    /// The account is locked.
    AccountLocked,
    /// The password was reset and must be changed before anything else.
    ChangeAfterReset,
    /// The password may not be changed.
    ModificationNotAllowed,
    /// The old password must be given, too.
    MustSupplyOldPassword,
    /// The new password is too weak.
    InsufficientQuality,
    /// The new password is too short.
    TooShort,
    /// The old password is too young to be changed.
    TooYoung,
    /// The new password was used before.
    InHistory,
    /// The new password is too long (OpenLDAP 2.6).
    TooLong,
    /// A number that is not known here.
    Other(u32),
}

/// The warning and the error are told apart by these. Servers of 2021 and later send the value right inside of them;
/// older ones, which took the CHOICE's tags for explicit, wrap it in an element of its own.
const WARNING: Tag = Tag::context(0).constructed();
const EXPIRES_IN: Tag = Tag::context(0);
const GRACE_LOGINS: Tag = Tag::context(1);
const ERROR: Tag = Tag::context(1);

impl PasswordPolicy {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.42.2.27.8.5.1";

    /// Asks the server to tell. Not critical: a server without the control answers as usual.
    pub fn request() -> Control {
        Control { oid: PasswordPolicy::OID.to_owned(), critical: false, value: None }
    }

    /// The control in the form that servers send today.
    pub fn to_control(&self) -> Control {
        self.write(|writer, tag, _, value| writer.integer(tag, value))
    }

    /// The control in the form of old servers, each value wrapped once more.
    pub fn to_old_control(&self) -> Control {
        self.write(|writer, tag, inner, value| writer.constructed(tag, |writer| writer.integer(inner, value)))
    }

    /// Reads the control's value in either form; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<PasswordPolicy, Error> {
        let Some(value) = &control.value else {
            return Err(Error::new(ErrorKind::Missing(Tag::SEQUENCE), 0));
        };
        let mut content = Reader::new(value).enter(Tag::SEQUENCE)?;
        let mut policy = PasswordPolicy::default();
        if let Some(mut warning) = content.enter_if(WARNING)? {
            if let Some(seconds) = read_number(&mut warning, EXPIRES_IN)? {
                policy.expires_in = Some(seconds);
            } else {
                policy.grace_logins = read_number(&mut warning, GRACE_LOGINS)?;
            }
        }
        policy.error = read_number(&mut content, ERROR)?.map(PasswordPolicyError::from_number);
        Ok(policy)
    }

    fn write(&self, number: impl Fn(&mut Writer, Tag, Tag, i64)) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            let warning = match (self.expires_in, self.grace_logins) {
                (Some(seconds), _) => Some((EXPIRES_IN, seconds)),
                (None, Some(logins)) => Some((GRACE_LOGINS, logins)),
                (None, None) => None,
            };
            if let Some((tag, value)) = warning {
                writer.constructed(WARNING, |writer| number(writer, tag, Tag::INTEGER, i64::from(value)));
            }
            if let Some(error) = self.error {
                number(writer, ERROR, Tag::ENUMERATED, i64::from(error.number()));
            }
        });
        Control { oid: PasswordPolicy::OID.to_owned(), critical: false, value: Some(writer.finish()) }
    }
}

/// A number whose element has this tag, either as its content or in an element of its own.
fn read_number(reader: &mut Reader<'_>, tag: Tag) -> Result<Option<u32>, Error> {
    const WHAT: &str = "password policy";
    if reader.peek() == Some(tag) {
        return reader.unsigned(tag, WHAT).map(Some);
    }
    let Some(mut wrapped) = reader.enter_if(tag.constructed())? else { return Ok(None) };
    match wrapped.peek() {
        Some(inner) => wrapped.unsigned(inner, WHAT).map(Some),
        None => Err(wrapped.error(ErrorKind::Missing(Tag::INTEGER))),
    }
}

impl PasswordPolicyError {
    /// The name that the draft has for it; `other` when it has none.
    ///
    /// ```
    /// use ldapgate_proto::PasswordPolicyError;
    ///
    /// assert_eq!(PasswordPolicyError::InHistory.name(), "passwordInHistory");
    /// assert_eq!(PasswordPolicyError::InHistory.to_string(), "passwordInHistory (8)");
    /// ```
    pub const fn name(self) -> &'static str {
        use PasswordPolicyError::*;
        match self {
            PasswordExpired => "passwordExpired",
            AccountLocked => "accountLocked",
            ChangeAfterReset => "changeAfterReset",
            ModificationNotAllowed => "passwordModNotAllowed",
            MustSupplyOldPassword => "mustSupplyOldPassword",
            InsufficientQuality => "insufficientPasswordQuality",
            TooShort => "passwordTooShort",
            TooYoung => "passwordTooYoung",
            InHistory => "passwordInHistory",
            TooLong => "passwordTooLong",
            Other(_) => "other",
        }
    }

    fn from_number(number: u32) -> PasswordPolicyError {
        use PasswordPolicyError::*;
        match number {
            0 => PasswordExpired,
            1 => AccountLocked,
            2 => ChangeAfterReset,
            3 => ModificationNotAllowed,
            4 => MustSupplyOldPassword,
            5 => InsufficientQuality,
            6 => TooShort,
            7 => TooYoung,
            8 => InHistory,
            9 => TooLong,
            other => Other(other),
        }
    }

    fn number(self) -> u32 {
        use PasswordPolicyError::*;
        match self {
            PasswordExpired => 0,
            AccountLocked => 1,
            ChangeAfterReset => 2,
            ModificationNotAllowed => 3,
            MustSupplyOldPassword => 4,
            InsufficientQuality => 5,
            TooShort => 6,
            TooYoung => 7,
            InHistory => 8,
            TooLong => 9,
            Other(number) => number,
        }
    }
}

/// Name and number: `accountLocked (1)`.
impl fmt::Display for PasswordPolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn parse(bytes: &'static [u8]) -> Result<PasswordPolicy, Error> {
        let value = Some(Bytes::from_static(bytes));
        PasswordPolicy::parse(&Control { value, ..PasswordPolicy::request() })
    }

    fn told(
        expires_in: Option<u32>,
        grace_logins: Option<u32>,
        error: Option<PasswordPolicyError>,
    ) -> PasswordPolicy {
        PasswordPolicy { expires_in, grace_logins, error }
    }

    #[test]
    fn what_openldap_2_5_sends_is_read_and_written() {
        use PasswordPolicyError::*;
        let cases: [(&'static [u8], PasswordPolicy); 6] = [
            (&[0x30, 0x05, 0xa0, 0x03, 0x81, 0x01, 0x02], told(None, Some(2), None)),
            (&[0x30, 0x06, 0xa0, 0x04, 0x80, 0x02, 0x01, 0xf0], told(Some(496), None, None)),
            (&[0x30, 0x03, 0x81, 0x01, 0x01], told(None, None, Some(AccountLocked))),
            (&[0x30, 0x03, 0x81, 0x01, 0x00], told(None, None, Some(PasswordExpired))),
            (&[0x30, 0x03, 0x81, 0x01, 0x02], told(None, None, Some(ChangeAfterReset))),
            (&[0x30, 0x00], told(None, None, None)),
        ];
        for (bytes, policy) in cases {
            assert_eq!(parse(bytes), Ok(policy), "{bytes:02x?}");
            assert_eq!(policy.to_control().value.unwrap(), bytes);
        }
    }

    #[test]
    fn what_old_servers_send_is_read_and_written() {
        use PasswordPolicyError::*;
        let cases: [(&'static [u8], PasswordPolicy); 3] = [
            (&[0x30, 0x07, 0xa0, 0x05, 0xa1, 0x03, 0x02, 0x01, 0x02], told(None, Some(2), None)),
            (&[0x30, 0x08, 0xa0, 0x06, 0xa0, 0x04, 0x02, 0x02, 0x01, 0xf0], told(Some(496), None, None)),
            (&[0x30, 0x05, 0xa1, 0x03, 0x0a, 0x01, 0x01], told(None, None, Some(AccountLocked))),
        ];
        for (bytes, policy) in cases {
            assert_eq!(parse(bytes), Ok(policy), "{bytes:02x?}");
            assert_eq!(policy.to_old_control().value.unwrap(), bytes);
        }
    }

    #[test]
    fn a_warning_and_an_error_come_together() {
        let policy = told(None, Some(0), Some(PasswordPolicyError::Other(77)));
        assert_eq!(PasswordPolicy::parse(&policy.to_control()), Ok(policy));
        assert_eq!(PasswordPolicy::parse(&policy.to_old_control()), Ok(policy));
    }

    #[test]
    fn each_number_has_a_name_of_its_own() {
        let names: Vec<_> = (0..=10).map(|number| PasswordPolicyError::from_number(number).name()).collect();
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((different.len(), names[10]), (11, "other"));
        assert_eq!(PasswordPolicyError::Other(77).to_string(), "other (77)");
    }

    #[test]
    fn nonsense_is_an_error_and_nothing_more() {
        for bytes in [
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..],
            &[0x30, 0x02, 0xa1, 0x00],
            &[0x30, 0x02, 0x81, 0x00],
            &[0x30, 0x03, 0x81, 0x01, 0x80],
            &[0x30, 0x05, 0xa0, 0x7f, 0x80, 0x01, 0x01],
            &[],
        ] {
            assert!(parse(bytes).is_err(), "{bytes:02x?}");
        }
        assert!(PasswordPolicy::parse(&PasswordPolicy::request()).is_err());
    }
}
