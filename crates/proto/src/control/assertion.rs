use super::Control;
use crate::Filter;
use crate::ber::{Error, Limits, Tag, Writer};

/// Assertion (RFC 4528): an operation is done only if the entry matches a filter; otherwise it ends with assertionFailed (122).
///
/// ```
/// use ldapgate_proto::Filter;
/// use ldapgate_proto::control::Assertion;
///
/// // Nobody changed it since it was read.
/// let unchanged = Assertion::that(Filter::equal("entryCSN", "20260101000000.000000Z#000000#000#000000"));
/// assert_eq!(Assertion::parse(&unchanged.to_control())?, unchanged);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// What must be true of the entry.
    pub filter: Filter,
}

impl Assertion {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.1.12";

    /// The operation is to be done only if this is true.
    pub fn that(filter: Filter) -> Assertion {
        Assertion { filter }
    }

    /// The control that asks for this. Critical: an assertion that a server may ignore asserts nothing.
    pub fn to_control(&self) -> Control {
        let mut writer = Writer::new();
        self.filter.write(&mut writer);
        Control::new(Assertion::OID, Some(writer.finish())).critical()
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or no filter of at most 100 levels; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<Assertion, Error> {
        let mut content = control.content(Tag::OCTETS)?;
        let filter = Filter::read(&mut content, &Limits::server())?;
        content.finish()?;
        Ok(Assertion { filter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::ErrorKind;

    #[test]
    fn it_has_the_bytes_that_ldapsearch_sends() {
        let control = Assertion::that(Filter::equal("cn", "a")).to_control();
        assert_eq!(control.value.as_deref(), Some(&b"\xa3\x07\x04\x02cn\x04\x01a"[..]));
        assert!(control.critical);
    }

    #[test]
    fn a_filter_that_is_too_deep_or_followed_by_something_is_refused() {
        let deep = (0..101).fold(Filter::present("a"), |filter, _| Filter::Not(Box::new(filter)));
        let error = Assertion::parse(&Assertion::that(deep).to_control()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooDeep { limit: 100 });
        let mut control = Assertion::that(Filter::present("a")).to_control();
        control.value = Some("\u{7}".into());
        assert!(Assertion::parse(&control).is_err());
        control.value = Some(bytes::Bytes::from_static(b"\x87\x01a\x87\x01a"));
        assert_eq!(Assertion::parse(&control).unwrap_err().kind, ErrorKind::Trailing);
        control.value = None;
        assert_eq!(Assertion::parse(&control).unwrap_err().kind, ErrorKind::Missing(Tag::OCTETS));
    }
}
