//! Security identifiers (MS-DTYP section 2.4.2).

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// The only revision there is.
const REVISION: u8 = 1;
/// Parts after the authority; the format holds no more.
const MOST_PARTS: usize = 15;
/// Revision, count and authority.
const HEAD: usize = 8;
/// The authority has 48 bits.
const MOST_AUTHORITY: u64 = (1 << 48) - 1;

/// A security identifier, such as an `objectSid` or a value of `tokenGroups`: `S-1-5-21-1-2-3-513`.
///
/// ```
/// use ldapgate_proto::value::Sid;
///
/// let alice: Sid = "S-1-5-21-1-2-3-1104".parse()?;
/// let users = alice.sibling(513).expect("it has a last part");
/// assert_eq!(users.to_string(), "S-1-5-21-1-2-3-513");
/// assert_eq!(Sid::from_wire(&users.to_wire())?, users);
/// # Ok::<(), ldapgate_proto::value::ValueError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    authority: u64,
    count: u8,
    /// Those beyond `count` are 0.
    parts: [u32; MOST_PARTS],
}

impl Sid {
    /// Reads the bytes of an attribute value, all of them.
    ///
    /// # Errors
    /// Another revision, a count that does not fit the length.
    pub fn from_wire(value: &[u8]) -> Result<Sid, ValueError> {
        let wrong = ValueError::of("security identifier");
        let (head, rest) = value.split_at_checked(HEAD).ok_or(wrong)?;
        let (parts, more) = rest.as_chunks::<4>();
        if head[0] != REVISION || usize::from(head[1]) != parts.len() || !more.is_empty() {
            return Err(wrong);
        }
        let authority = head[2..].iter().fold(0, |authority, byte| authority << 8 | u64::from(*byte));
        Sid::new(authority, parts.iter().map(|part| u32::from_le_bytes(*part))).ok_or(wrong)
    }

    /// The bytes of an attribute value, as a filter has to hold them.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = vec![REVISION, self.count];
        wire.extend_from_slice(&self.authority.to_be_bytes()[2..]);
        wire.extend(self.parts().iter().flat_map(|part| part.to_le_bytes()));
        wire
    }

    /// The identifier of the same domain with another last part: a group's, from a person's and their `primaryGroupID`.
    /// `None` for one that has no parts.
    pub fn sibling(&self, last: u32) -> Option<Sid> {
        let mut sibling = *self;
        let place = usize::from(self.count).checked_sub(1)?;
        sibling.parts[place] = last;
        Some(sibling)
    }

    /// The parts after the authority.
    pub fn parts(&self) -> &[u32] {
        &self.parts[..usize::from(self.count)]
    }

    fn new(authority: u64, given: impl Iterator<Item = u32>) -> Option<Sid> {
        let mut sid = Sid { authority, count: 0, parts: [0; MOST_PARTS] };
        for part in given {
            *sid.parts.get_mut(usize::from(sid.count))? = part;
            sid.count += 1;
        }
        (authority <= MOST_AUTHORITY).then_some(sid)
    }
}

impl FromStr for Sid {
    type Err = ValueError;

    /// Reads `S-1-AUTHORITY-PART-..`, the authority in decimal or, as long ones are written, `0x` and hexadecimal.
    fn from_str(text: &str) -> Result<Sid, ValueError> {
        let wrong = ValueError::of("security identifier");
        let (revision, rest) = text.split_at_checked(4).ok_or(wrong)?;
        if !revision.eq_ignore_ascii_case("S-1-") {
            return Err(wrong);
        }
        let mut numbers = rest.split('-');
        let authority = numbers.next().unwrap_or_default();
        let authority = match authority.strip_prefix("0x") {
            Some(digits) if is_number(digits, 16) => u64::from_str_radix(digits, 16),
            None if is_number(authority, 10) => authority.parse(),
            _ => return Err(wrong),
        };
        let parts: Option<Vec<u32>> = numbers
            .take(MOST_PARTS + 1)
            .map(|part| is_number(part, 10).then(|| part.parse().ok()).flatten())
            .collect();
        Sid::new(authority.map_err(|_| wrong)?, parts.ok_or(wrong)?.into_iter()).ok_or(wrong)
    }
}

/// Digits alone: no sign, which Rust's own reading of numbers would take.
fn is_number(text: &str, radix: u32) -> bool {
    !text.is_empty() && text.chars().all(|digit| digit.is_digit(radix))
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.authority {
            small @ ..=0xffff_ffff => write!(f, "S-1-{small}")?,
            large => write!(f, "S-1-0x{large:012x}")?,
        }
        self.parts().iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_person_are_read_as_windows_prints_them() {
        let wire = b"\x01\x05\0\0\0\0\0\x05\x15\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\xf4\x01\0\0";
        let sid = Sid::from_wire(wire).unwrap();
        assert_eq!(sid.to_string(), "S-1-5-21-1-2-3-500");
        assert_eq!(sid.to_wire(), wire);
        assert_eq!(sid.parts(), [21, 1, 2, 3, 500]);
    }

    #[test]
    fn a_long_authority_is_hexadecimal() {
        let sid: Sid = "s-1-0x123456789abc-7".parse().unwrap();
        assert_eq!(sid.to_string(), "S-1-0x123456789abc-7");
        assert_eq!(Sid::from_wire(&sid.to_wire()), Ok(sid));
    }

    #[test]
    fn what_is_no_identifier_is_an_error() {
        let no_text = ["", "S-1-", "S-2-5-1", "S-1-5-", "S-1-5--1", "S-1-+5", "S-1-5-4294967296", "S-1-0x"];
        for wrong in no_text {
            assert!(wrong.parse::<Sid>().is_err(), "{wrong:?}");
        }
        assert!(format!("S-1-5{}", "-1".repeat(15)).parse::<Sid>().is_ok());
        assert!(format!("S-1-5{}", "-1".repeat(16)).parse::<Sid>().is_err());
        assert!("S-1-281474976710656".parse::<Sid>().is_err(), "49 bits");
        let no_bytes: [&[u8]; 5] = [
            b"",
            b"\x01\x01\0\0\0\0\0",
            b"\x02\x00\0\0\0\0\0\x05",
            b"\x01\x02\0\0\0\0\0\x05\0\0\0\0",
            b"\x01\x01\0\0\0\0\0\x05\0\0\0\0\0",
        ];
        for wrong in no_bytes {
            assert!(Sid::from_wire(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_read_prints_and_comes_back(authority in 0..=MOST_AUTHORITY, parts in proptest::collection::vec(proptest::num::u32::ANY, 0..=15)) {
            let sid = Sid::new(authority, parts.into_iter()).unwrap();
            proptest::prop_assert_eq!(Sid::from_wire(&sid.to_wire()).unwrap(), sid);
            proptest::prop_assert_eq!(sid.to_string().parse::<Sid>().unwrap(), sid);
        }

        #[test]
        fn no_bytes_and_no_text_panic(bytes: Vec<u8>, text: String) {
            let _ = (Sid::from_wire(&bytes), text.parse::<Sid>());
        }
    }
}
