use bytes::Bytes;
use std::fmt;
use zeroize::Zeroizing;

/// A password that can be sent in a simple bind. It is overwritten when dropped, and cannot be printed, cloned,
/// compared or serialised.
///
/// An empty password would make a simple bind an unauthenticated one, which servers answer with success (RFC 4513
/// section 5.1.2), so there is none. Neither is there one with a NUL, at which some servers cut it off.
///
/// ```
/// use ldapgate_proto::Password;
///
/// assert!(Password::new("correct horse").is_ok());
/// assert!(Password::new("").is_err());
/// assert!(Password::new("\0").is_err());
/// ```
pub struct Password(Zeroizing<Vec<u8>>);

/// The password is empty, or holds a NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmptyPassword;

impl Password {
    /// Takes a password over. A `String` is not copied.
    ///
    /// # Errors
    ///
    /// When it is empty or holds a NUL; its memory is overwritten all the same.
    pub fn new(password: impl Into<String>) -> Result<Password, EmptyPassword> {
        let password = Zeroizing::new(password.into().into_bytes());
        if password.is_empty() || password.contains(&0) {
            return Err(EmptyPassword);
        }
        Ok(Password(password))
    }

    /// What a client sent to a server: any octets but none.
    pub(crate) fn received(octets: &[u8]) -> Option<Password> {
        (!octets.is_empty()).then(|| Password(Zeroizing::new(octets.to_vec())))
    }

    /// The password itself. Do not keep it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The value of Active Directory's `unicodePwd`: the password between quotation marks, in UTF-16, least octet first
    /// (MS-ADTS section 3.1.1.3.1.5). It is overwritten when its last piece is dropped. `None` for a password that came
    /// from a peer and is not UTF-8.
    ///
    /// ```
    /// use ldapgate_proto::Password;
    /// let value = Password::new("a")?.to_unicode_pwd().expect("text is UTF-8");
    /// assert_eq!(&value[..], b"\"\0a\0\"\0");
    /// # Ok::<(), ldapgate_proto::EmptyPassword>(())
    /// ```
    pub fn to_unicode_pwd(&self) -> Option<Bytes> {
        let text = std::str::from_utf8(&self.0).ok()?;
        // Sized before it is filled: a vector that grows leaves its old content behind.
        let mut value = Zeroizing::new(Vec::with_capacity(4 + 2 * text.len()));
        let quoted = std::iter::once('"').chain(text.chars()).chain(std::iter::once('"'));
        for character in quoted {
            for unit in character.encode_utf16(&mut [0; 2]) {
                value.extend_from_slice(&unit.to_le_bytes());
            }
        }
        Some(Bytes::from_owner(value))
    }

    /// The password in a value of `unicodePwd`; `None` when it has no quotation marks, is empty or is not UTF-16.
    pub fn from_unicode_pwd(value: &[u8]) -> Option<Password> {
        let (units, []) = value.as_chunks::<2>() else { return None };
        let quotation_mark = [b'"', 0];
        let inner = units.strip_prefix(&[quotation_mark])?.strip_suffix(&[quotation_mark])?;
        let mut text = Zeroizing::new(String::with_capacity(3 * inner.len()));
        for character in char::decode_utf16(inner.iter().map(|unit| u16::from_le_bytes(*unit))) {
            text.push(character.ok()?);
        }
        Password::new(std::mem::take(&mut *text)).ok()
    }

    /// A second one. Explicit, so that copies are counted.
    pub fn duplicate(&self) -> Password {
        Password(self.0.clone())
    }
}

impl fmt::Display for EmptyPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the password is empty or holds a NUL")
    }
}

impl std::error::Error for EmptyPassword {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_empty_and_never_holds_a_nul() {
        for refused in ["", "\0", "\0\0\0", "a\0b", "a\0", "\0a"] {
            assert_eq!(Password::new(refused).err(), Some(EmptyPassword), "{refused:?}");
        }
        assert_eq!(Password::new(" ").map(|password| password.expose().to_vec()), Ok(b" ".to_vec()));
    }

    #[test]
    fn a_unicode_pwd_is_read_as_it_was_written() {
        for text in ["a", "Pässwörd-Ünï-44", "\"", "🦀 crab", &"x".repeat(300)] {
            let value = Password::new(text).unwrap().to_unicode_pwd().unwrap();
            assert_eq!(Password::from_unicode_pwd(&value).unwrap().expose(), text.as_bytes());
        }
        let value = Password::new("Ünï").unwrap().to_unicode_pwd().unwrap();
        assert_eq!(&value[..], [0x22, 0, 0xdc, 0, 0x6e, 0, 0xef, 0, 0x22, 0]);
    }

    #[test]
    fn what_is_no_unicode_pwd_is_none() {
        for value in
            [&b""[..], b"\"\0", b"\"\0\"\0", b"a\0", b"\"\0a\0\"", b"\"\0\0\xd8\"\0", b"\"\0\0\0\"\0"]
        {
            assert!(Password::from_unicode_pwd(value).is_none(), "{value:02x?}");
        }
        assert!(Password::received(&[0xff]).unwrap().to_unicode_pwd().is_none());
    }

    #[test]
    fn a_duplicate_is_equal_and_independent() {
        let password = Password::new("secret").unwrap();
        let duplicate = password.duplicate();
        drop(password);
        assert_eq!(duplicate.expose(), b"secret");
    }
}
