//! GUIDs as Active Directory keeps them (MS-DTYP section 2.3.4), and UUIDs as text (RFC 4122).

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// Where each byte of the text form lies on the wire: the first three parts are little-endian there.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/// A GUID, such as an `objectGUID`: 16 bytes on the wire, 8-4-4-4-12 as text.
///
/// ```
/// use ldapgate_proto::value::Guid;
///
/// let wire: [u8; 16] = std::array::from_fn(|place| place as u8);
/// let guid = Guid::from_wire(&wire)?;
/// assert_eq!(guid.to_string(), "03020100-0504-0706-0809-0a0b0c0d0e0f");
/// assert_eq!(guid.to_string().parse::<Guid>()?, guid);
/// assert_eq!(guid.to_wire(), wire);
/// # Ok::<(), ldapgate_proto::value::ValueError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    /// Reads the 16 bytes of an attribute value.
    ///
    /// # Errors
    /// Fewer or more bytes.
    pub fn from_wire(value: &[u8]) -> Result<Guid, ValueError> {
        let wire: [u8; 16] = value.try_into().map_err(|_| ValueError::of("GUID"))?;
        Ok(Guid(ORDER.map(|place| wire[place])))
    }

    /// Reads the 16 bytes of a UUID in the order of its text (RFC 4122 section 4.1.2), as an `entryUUID` is told by the
    /// controls of RFC 4533.
    ///
    /// # Errors
    /// Fewer or more bytes.
    pub fn from_octets(octets: &[u8]) -> Result<Guid, ValueError> {
        octets.try_into().map(Guid).map_err(|_| ValueError::of("UUID"))
    }

    /// The bytes in the order of the text.
    pub fn octets(&self) -> [u8; 16] {
        self.0
    }

    /// The bytes of an attribute value, as a filter has to hold them.
    pub fn to_wire(&self) -> [u8; 16] {
        // The order is its own inverse.
        ORDER.map(|place| self.0[place])
    }
}

impl FromStr for Guid {
    type Err = ValueError;

    /// Reads 8-4-4-4-12 hexadecimal digits, in either case, without braces.
    fn from_str(text: &str) -> Result<Guid, ValueError> {
        let wrong = ValueError::of("GUID");
        let dashes = [8, 13, 18, 23];
        let text = text.as_bytes();
        if text.len() != 36 || dashes.iter().any(|place| text[*place] != b'-') {
            return Err(wrong);
        }
        let mut digits = text.iter().enumerate().filter(|(place, _)| !dashes.contains(place));
        let mut digit = || {
            let (_, digit) = digits.next()?;
            char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
        };
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = digit().ok_or(wrong)? << 4 | digit().ok_or(wrong)?;
        }
        Ok(Guid(bytes))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let dash = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_guid_is_an_error() {
        for wrong in ["", "0d5d7a2c-1111-4222-8333-abcdef01234", "0d5d7a2c11114222-8333-abcdef012345-----"] {
            assert!(wrong.parse::<Guid>().is_err(), "{wrong:?}");
        }
        for wrong in ["0d5d7a2c-1111-4222-8333-abcdef01234g", "{d5d7a2c-1111-4222-8333-abcdef01234}"] {
            assert!(wrong.parse::<Guid>().is_err(), "{wrong:?}");
        }
        assert!(Guid::from_wire(&[0; 15]).is_err() && Guid::from_wire(&[0; 17]).is_err());
    }

    #[test]
    fn text_reads_in_either_case_and_prints_in_lower() {
        let guid: Guid = "0D5D7A2C-1111-4222-8333-ABCDEF012345".parse().unwrap();
        assert_eq!(guid.to_string(), "0d5d7a2c-1111-4222-8333-abcdef012345");
    }

    proptest::proptest! {
        #[test]
        fn every_sixteen_bytes_come_back(wire: [u8; 16]) {
            let guid = Guid::from_wire(&wire).unwrap();
            proptest::prop_assert_eq!(guid.to_wire(), wire);
            proptest::prop_assert_eq!(guid.to_string().parse::<Guid>().unwrap(), guid);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Guid>();
        }
    }
}
