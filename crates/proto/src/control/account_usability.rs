use super::Control;
use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};

/// Account usability (Sun's, 1.3.6.1.4.1.42.2.27.9.5.8): with each entry that a search finds, whether its owner could bind,
/// told without trying a password.
///
/// ```
/// use ldapgate_proto::control::{AccountUsability, Unusable};
///
/// let locked = AccountUsability::No(Unusable { unlock_in: Some(600), ..Unusable::default() });
/// assert_eq!(AccountUsability::parse(&locked.to_control())?, locked);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountUsability {
    /// They could.
    Yes {
        /// The password expires in so many seconds; `None`: never, or nobody knows. 389 Directory Server says 0 for never.
        expires_in: Option<u32>,
    },
    /// They could not.
    No(Unusable),
}

/// Why an account cannot be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Unusable {
    /// It was switched off, or its owner was away for too long.
    pub inactive: bool,
    /// The password was reset and must be changed before anything else.
    pub reset: bool,
    /// The password has expired.
    pub expired: bool,
    /// So many more logins are granted.
    pub grace_logins: Option<u32>,
    /// It unlocks itself in so many seconds; 389 Directory Server says 0 when an administrator has to do it.
    pub unlock_in: Option<u32>,
}

const YES: Tag = Tag::context(0);
const NO: Tag = Tag::context(1).constructed();
const INACTIVE: Tag = Tag::context(0);
const RESET: Tag = Tag::context(1);
const EXPIRED: Tag = Tag::context(2);
const GRACE_LOGINS: Tag = Tag::context(3);
const UNLOCK_IN: Tag = Tag::context(4);
/// Servers that know no number send this.
const UNKNOWN: i64 = -1;

impl AccountUsability {
    /// The control's OID, in the request and with each entry.
    pub const OID: &'static str = "1.3.6.1.4.1.42.2.27.9.5.8";

    /// Asks the server to tell. Not critical: a server without the control answers as usual.
    pub fn request() -> Control {
        Control::new(AccountUsability::OID, None)
    }

    /// The control in the form of 389 Directory Server and its relatives, with implicit tags.
    pub fn to_control(&self) -> Control {
        self.write(|writer, tag, _, content| writer.octets(tag, content))
    }

    /// The control in the form of servers that took the tags for explicit, each value in an element of its own.
    pub fn to_explicit_control(&self) -> Control {
        self.write(|writer, tag, inner, content| {
            writer.constructed(tag, |writer| writer.octets(inner, content));
        })
    }

    /// Reads the value of an entry's control in either form; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<AccountUsability, Error> {
        let mut outer = control.content(NO)?;
        if let Some(mut reasons) = outer.enter_if(NO)? {
            outer.finish()?;
            // The explicit form has the SEQUENCE's own tag within.
            if let Some(inner) = reasons.enter_if(Tag::SEQUENCE)? {
                reasons = inner;
            }
            return Unusable::read(reasons).map(AccountUsability::No);
        }
        let Some(seconds) = read_number(&mut outer, YES)? else {
            return Err(outer.error(ErrorKind::Missing(YES)));
        };
        outer.finish()?;
        Ok(AccountUsability::Yes { expires_in: seconds })
    }

    fn write(&self, element: impl Fn(&mut Writer, Tag, Tag, &[u8])) -> Control {
        let number = |writer: &mut Writer, tag, value: Option<u32>| {
            let value = value.map_or(UNKNOWN, i64::from);
            let mut content = Writer::new();
            content.integer(Tag::INTEGER, value);
            element(writer, tag, Tag::INTEGER, &content.finish()[2..]);
        };
        let mut writer = Writer::new();
        match self {
            AccountUsability::Yes { expires_in } => number(&mut writer, YES, *expires_in),
            AccountUsability::No(why) => writer.constructed(NO, |writer| {
                for (tag, flag) in [(INACTIVE, why.inactive), (RESET, why.reset), (EXPIRED, why.expired)] {
                    element(writer, tag, Tag::BOOLEAN, &[if flag { 0xff } else { 0 }]);
                }
                for (tag, value) in [(GRACE_LOGINS, why.grace_logins), (UNLOCK_IN, why.unlock_in)] {
                    if value.is_some() {
                        number(writer, tag, value);
                    }
                }
            }),
        }
        Control::new(AccountUsability::OID, Some(writer.finish()))
    }
}

impl Unusable {
    fn read(mut content: Reader<'_>) -> Result<Unusable, Error> {
        let why = Unusable {
            inactive: read_flag(&mut content, INACTIVE)?,
            reset: read_flag(&mut content, RESET)?,
            expired: read_flag(&mut content, EXPIRED)?,
            grace_logins: read_number(&mut content, GRACE_LOGINS)?.flatten(),
            unlock_in: read_number(&mut content, UNLOCK_IN)?.flatten(),
        };
        content.finish()?;
        Ok(why)
    }
}

/// A truth value under this tag, in either form; false where it is missing.
fn read_flag(reader: &mut Reader<'_>, tag: Tag) -> Result<bool, Error> {
    if reader.peek() == Some(tag) {
        return reader.boolean(tag);
    }
    match reader.enter_if(tag.constructed())? {
        Some(mut wrapped) => wrapped.boolean(Tag::BOOLEAN),
        None => Ok(false),
    }
}

/// A number under this tag, in either form; one below zero is nothing that anybody knows.
fn read_number(reader: &mut Reader<'_>, tag: Tag) -> Result<Option<Option<u32>>, Error> {
    let at = reader.offset();
    let value = if reader.peek() == Some(tag) {
        reader.integer(tag)?
    } else if let Some(mut wrapped) = reader.enter_if(tag.constructed())? {
        wrapped.integer(Tag::INTEGER)?
    } else {
        return Ok(None);
    };
    if value < 0 {
        return Ok(Some(None));
    }
    let number = u32::try_from(value);
    let number =
        number.map_err(|_| Error::new(ErrorKind::OutOfRange { what: "account usability", value }, at))?;
    Ok(Some(Some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn parse(value: &'static [u8]) -> Result<AccountUsability, ErrorKind> {
        let control = Control::new(AccountUsability::OID, Some(Bytes::from_static(value)));
        AccountUsability::parse(&control).map_err(|error| error.kind)
    }

    #[test]
    fn an_account_that_can_be_used_is_a_number_in_either_form() {
        let day = AccountUsability::Yes { expires_in: Some(86_399) };
        assert_eq!(day.to_control().value.as_deref(), Some(&b"\x80\x03\x01\x51\x7f"[..]));
        assert_eq!(day.to_explicit_control().value.as_deref(), Some(&b"\xa0\x05\x02\x03\x01\x51\x7f"[..]));
        assert_eq!(parse(b"\x80\x01\x00"), Ok(AccountUsability::Yes { expires_in: Some(0) }));
        assert_eq!(parse(b"\x80\x01\xff"), Ok(AccountUsability::Yes { expires_in: None }));
    }

    #[test]
    fn an_account_that_cannot_has_its_reasons_in_either_form() {
        let why = Unusable { expired: true, grace_logins: Some(2), ..Unusable::default() };
        let bytes = b"\xa1\x0c\x80\x01\x00\x81\x01\x00\x82\x01\xff\x83\x01\x02";
        assert_eq!(AccountUsability::No(why).to_control().value.as_deref(), Some(&bytes[..]));
        assert_eq!(
            parse(b"\xa1\x06\x82\x01\xff\x83\x01\x02"),
            Ok(AccountUsability::No(why)),
            "defaults left out"
        );
        assert_eq!(parse(b"\xa1\x0a\xa2\x03\x01\x01\xff\xa3\x03\x02\x01\x02"), Ok(AccountUsability::No(why)));
        assert_eq!(parse(b"\xa1\x08\x30\x06\x82\x01\xff\x83\x01\x02"), Ok(AccountUsability::No(why)));
        assert_eq!(parse(b"\xa1\x00"), Ok(AccountUsability::No(Unusable::default())));
    }

    #[test]
    fn what_389ds_and_openldap_say_of_a_locked_account_is_read() {
        let ds389 = b"\xa1\x84\x00\x00\x00\x0c\x80\x01\xff\x81\x01\x00\x82\x01\x00\x84\x01\x00";
        let why = Unusable { inactive: true, unlock_in: Some(0), ..Unusable::default() };
        assert_eq!(parse(ds389), Ok(AccountUsability::No(why)));
        let openldap = b"\xa1\x0f\x80\x01\x00\x81\x01\x00\x82\x01\x00\x83\x01\xff\x84\x01\xff";
        assert_eq!(parse(openldap), Ok(AccountUsability::No(Unusable::default())));
    }

    #[test]
    fn nonsense_is_an_error_and_nothing_more() {
        for wrong in [
            &b""[..],
            b"\x80\x00",
            b"\x80\x05\x01\x00\x00\x00\x00",
            b"\xa0\x00",
            b"\xa0\x03\x04\x01\x01",
            b"\x82\x01\x00",
            b"\xa1\x03\x85\x01\x00",
            b"\xa1\x02\x80\x00",
            b"\x80\x01\x00\x00",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:x?}");
        }
        assert!(AccountUsability::parse(&AccountUsability::request()).is_err());
    }

    fn any_usability() -> impl Strategy<Value = AccountUsability> {
        let yes = any::<Option<u32>>().prop_map(|expires_in| AccountUsability::Yes { expires_in });
        let no = any::<(bool, bool, bool, Option<u32>, Option<u32>)>();
        prop_oneof![
            yes,
            no.prop_map(|(inactive, reset, expired, grace_logins, unlock_in)| {
                AccountUsability::No(Unusable { inactive, reset, expired, grace_logins, unlock_in })
            })
        ]
    }

    proptest! {
        #[test]
        fn every_answer_comes_back_in_either_form(usability in any_usability()) {
            prop_assert_eq!(AccountUsability::parse(&usability.to_control()), Ok(usability));
            prop_assert_eq!(AccountUsability::parse(&usability.to_explicit_control()), Ok(usability));
        }
    }
}
