use super::Control;
use crate::ber::{Error, ErrorKind, Tag};

/// The password has expired, or must be changed before anything else (draft-vchu-ldap-pwd-policy).
///
/// Netscape's descendants, such as 389 Directory Server and FreeIPA, add it to a bind's answer unasked. That it is there is all that it
/// says: its value is always `0`, and is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordExpired;

/// The password expires soon (draft-vchu-ldap-pwd-policy), told by the same servers in the same way.
///
/// ```
/// use ldapgate_proto::PasswordExpiring;
///
/// let expiring = PasswordExpiring { seconds: 600 };
/// assert_eq!(PasswordExpiring::parse(&expiring.to_control())?, expiring);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordExpiring {
    /// In so many seconds.
    pub seconds: u64,
}

impl PasswordExpired {
    /// The control's OID.
    pub const OID: &'static str = "2.16.840.1.113730.3.4.4";

    /// The control that says this.
    pub fn to_control(self) -> Control {
        control(PasswordExpired::OID, "0".to_owned())
    }
}

impl PasswordExpiring {
    /// The control's OID.
    pub const OID: &'static str = "2.16.840.1.113730.3.4.5";

    /// The control that says this.
    pub fn to_control(self) -> Control {
        control(PasswordExpiring::OID, self.seconds.to_string())
    }

    /// Reads the control's value, a decimal number as text and no BER; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or no such number of 64 bits.
    pub fn parse(control: &Control) -> Result<PasswordExpiring, Error> {
        let Some(value) = &control.value else {
            return Err(Error::new(ErrorKind::Missing(Tag::OCTETS), 0));
        };
        let digits = value.trim_ascii();
        let number = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
        let seconds = number.and_then(|number| number.parse().ok());
        Ok(PasswordExpiring { seconds: seconds.ok_or(Error::new(ErrorKind::BadNumber, 0))? })
    }
}

fn control(oid: &str, value: String) -> Control {
    Control { oid: oid.to_owned(), critical: false, value: Some(value.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &'static [u8]) -> Result<u64, ErrorKind> {
        let control = Control { value: Some(value.into()), ..PasswordExpiring { seconds: 0 }.to_control() };
        PasswordExpiring::parse(&control).map(|expiring| expiring.seconds).map_err(|error| error.kind)
    }

    #[test]
    fn what_389ds_sends_is_read_and_written() {
        let expiring = PasswordExpiring { seconds: 86_399 };
        assert_eq!(expiring.to_control().value.as_deref(), Some(&b"86399"[..]));
        assert_eq!(parse(b"86399"), Ok(86_399));
        assert_eq!(parse(b" 0 "), Ok(0));
        let expired = PasswordExpired.to_control();
        assert_eq!((expired.critical, expired.value.as_deref()), (false, Some(&b"0"[..])));
    }

    #[test]
    fn every_number_comes_back() {
        for seconds in [0, 1, u64::from(u32::MAX) + 1, u64::MAX] {
            let expiring = PasswordExpiring { seconds };
            assert_eq!(PasswordExpiring::parse(&expiring.to_control()), Ok(expiring));
        }
    }

    #[test]
    fn nonsense_is_an_error_and_nothing_more() {
        let endless: &[u8] = &[b'9'; 100_000];
        for value in [
            b"" as &[u8],
            b" ",
            b"-1",
            b"+1",
            b"1.5",
            b"0x10",
            b"6 0",
            b"18446744073709551616",
            b"1\0",
            b"\xff",
            endless,
        ] {
            assert_eq!(parse(value), Err(ErrorKind::BadNumber), "{:?}", value.get(..20));
        }
        let without = Control { value: None, ..PasswordExpiring { seconds: 0 }.to_control() };
        assert!(PasswordExpiring::parse(&without).is_err());
    }
}
