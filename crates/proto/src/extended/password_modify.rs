use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};
use crate::message::{ExtendedRequest, ExtendedResponse, LdapResult, Password};
use std::fmt;

/// Password Modify (RFC 3062): a new password for a user, made by the client or by the server.
///
/// ```
/// use ldapgate_proto::{Password, PasswordModify};
///
/// let modify = PasswordModify {
///     user: Some("uid=ada,dc=example,dc=com".to_owned()),
///     old: Some(Password::new("engine")?),
///     new: Some(Password::new("analytical engine")?),
/// };
/// let read = PasswordModify::parse(&modify.request()).expect("it was just written");
/// assert_eq!(read.user, modify.user);
/// assert!(!format!("{modify:?}").contains("engine"));
/// # Ok::<(), ldapgate_proto::EmptyPassword>(())
/// ```
#[derive(Default)]
pub struct PasswordModify {
    /// Whose password; most servers want a DN. `None`: that of whoever is bound.
    pub user: Option<String>,
    /// The password that was good so far.
    pub old: Option<Password>,
    /// The one that is to be. `None`: the server makes one and answers with it.
    pub new: Option<Password>,
}

const USER: Tag = Tag::context(0);
const OLD: Tag = Tag::context(1);
const NEW: Tag = Tag::context(2);
const GENERATED: Tag = Tag::context(0);

impl PasswordModify {
    /// The operation's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.1.11.1";

    /// Asks for it. Without any field the value is left out, as RFC 3062 section 2 wants it.
    pub fn request(&self) -> ExtendedRequest {
        let mut writer = Writer::secret();
        writer.constructed(Tag::SEQUENCE, |writer| {
            if let Some(user) = &self.user {
                writer.octets(USER, user);
            }
            for (tag, password) in [(OLD, &self.old), (NEW, &self.new)] {
                if let Some(password) = password {
                    writer.octets(tag, password.expose());
                }
            }
        });
        let empty = self.user.is_none() && self.old.is_none() && self.new.is_none();
        let value = (!empty).then(|| writer.finish());
        ExtendedRequest { oid: PasswordModify::OID.to_owned(), value }
    }

    /// Reads a request; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When it is malformed, or a password in it is empty.
    pub fn parse(request: &ExtendedRequest) -> Result<PasswordModify, Error> {
        let Some(value) = &request.value else { return Ok(PasswordModify::default()) };
        let mut outer = Reader::new(value);
        let mut content = outer.enter(Tag::SEQUENCE)?;
        outer.finish()?;
        let user = match content.enter_if(USER)? {
            Some(user) => Some(user.as_text("user's identity")?.to_owned()),
            None => None,
        };
        let old = read_password(&mut content, OLD)?;
        let new = read_password(&mut content, NEW)?;
        content.finish()?;
        Ok(PasswordModify { user, old, new })
    }

    /// Answers with success, and with the password where the server made one.
    pub fn response(generated: Option<&Password>) -> ExtendedResponse {
        let value = generated.map(|password| {
            let mut writer = Writer::secret();
            writer.constructed(Tag::SEQUENCE, |writer| writer.octets(GENERATED, password.expose()));
            writer.finish()
        });
        ExtendedResponse { result: LdapResult::success(), oid: None, value }
    }

    /// The password that the server made, if it made one. Look at the result first.
    ///
    /// # Errors
    ///
    /// When the answer's value is malformed, or its password empty.
    pub fn generated(response: &ExtendedResponse) -> Result<Option<Password>, Error> {
        let Some(value) = &response.value else { return Ok(None) };
        read_password(&mut Reader::new(value).enter(Tag::SEQUENCE)?, GENERATED)
    }
}

/// Tells which fields there are, never the passwords.
impl fmt::Debug for PasswordModify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordModify")
            .field("user", &self.user)
            .field("old", &self.old.is_some())
            .field("new", &self.new.is_some())
            .finish()
    }
}

fn read_password(content: &mut Reader<'_>, tag: Tag) -> Result<Option<Password>, Error> {
    let at = content.offset();
    let Some(password) = content.enter_if(tag)? else { return Ok(None) };
    // An empty one is none; what is not there is left out altogether.
    Password::received(password.rest()).map(Some).ok_or(Error::new(ErrorKind::Missing(tag), at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn request(value: &'static [u8]) -> ExtendedRequest {
        ExtendedRequest { oid: PasswordModify::OID.to_owned(), value: Some(Bytes::from_static(value)) }
    }

    fn exposed(password: &Option<Password>) -> Option<&[u8]> {
        password.as_ref().map(Password::expose)
    }

    #[test]
    fn what_ldappasswd_sends_is_written_and_read() {
        let modify = PasswordModify {
            user: Some("cn=a".to_owned()),
            old: Password::new("old").ok(),
            new: Password::new("new").ok(),
        };
        let bytes = b"\x30\x10\x80\x04cn=a\x81\x03old\x82\x03new";
        assert_eq!(modify.request().value.as_deref(), Some(&bytes[..]));
        let read = PasswordModify::parse(&request(bytes)).unwrap();
        assert_eq!((read.user.as_deref(), exposed(&read.old)), (Some("cn=a"), Some(&b"old"[..])));
        assert_eq!(exposed(&read.new), Some(&b"new"[..]));
    }

    #[test]
    fn nothing_at_all_is_no_value_and_an_empty_list_is_read_too() {
        assert_eq!(PasswordModify::default().request().value, None);
        for asked in [PasswordModify::default().request(), request(b"\x30\x00")] {
            let read = PasswordModify::parse(&asked).unwrap();
            assert!(read.user.is_none() && read.old.is_none() && read.new.is_none());
        }
    }

    #[test]
    fn a_generated_password_comes_back_and_none_is_none() {
        let password = Password::new("made-up").unwrap();
        let response = PasswordModify::response(Some(&password));
        assert_eq!(response.value.as_deref(), Some(&b"\x30\x09\x80\x07made-up"[..]));
        assert_eq!(exposed(&PasswordModify::generated(&response).unwrap()), Some(&b"made-up"[..]));
        for value in [None, Some(Bytes::from_static(b"\x30\x00"))] {
            let response = ExtendedResponse { value, ..PasswordModify::response(None) };
            assert!(PasswordModify::generated(&response).unwrap().is_none());
        }
    }

    #[test]
    fn nonsense_is_an_error_and_nothing_more() {
        for bytes in [
            &b""[..],
            b"\x30\x02\x81\x00",
            b"\x30\x02\x82\x00",
            b"\x30\x03\x80\x01\xff",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x06\x82\x01n\x81\x01o",
            b"\x30\x03\x83\x01x",
            b"\x30\x00\x00",
            b"\x04\x01x",
        ] {
            assert!(PasswordModify::parse(&request(bytes)).is_err(), "{bytes:02x?}");
        }
        for bytes in [&b"\x30\x02\x80\x00"[..], b"\x30\x7f\x80", b"\x04\x00"] {
            let value = Some(Bytes::from_static(bytes));
            let response = ExtendedResponse { value, ..PasswordModify::response(None) };
            assert!(PasswordModify::generated(&response).is_err(), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_as_the_same(
            user in proptest::option::of(".{0,140}"),
            old in proptest::option::of("[^\0]{1,140}"),
            new in proptest::option::of("[^\0]{1,140}"),
        ) {
            let password = |text: &Option<String>| text.clone().map(|text| Password::new(text).unwrap());
            let modify = PasswordModify { user: user.clone(), old: password(&old), new: password(&new) };
            let read = PasswordModify::parse(&modify.request()).unwrap();
            prop_assert_eq!(read.user, user);
            prop_assert_eq!(exposed(&read.old), old.as_deref().map(str::as_bytes));
            prop_assert_eq!(exposed(&read.new), new.as_deref().map(str::as_bytes));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let value = Some(Bytes::from(bytes));
            let _ = PasswordModify::parse(&ExtendedRequest { oid: String::new(), value: value.clone() });
            let _ = PasswordModify::generated(&ExtendedResponse { value, ..PasswordModify::response(None) });
        }
    }
}
