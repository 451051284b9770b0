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
    pub(super) fn received(octets: &[u8]) -> Option<Password> {
        (!octets.is_empty()).then(|| Password(Zeroizing::new(octets.to_vec())))
    }

    /// The password itself. Do not keep it.
    pub fn expose(&self) -> &[u8] {
        &self.0
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
    fn a_duplicate_is_equal_and_independent() {
        let password = Password::new("secret").unwrap();
        let duplicate = password.duplicate();
        drop(password);
        assert_eq!(duplicate.expose(), b"secret");
    }
}
