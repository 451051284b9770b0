use super::Control;
use crate::ber::{Error, Tag, Writer};

/// Subentries (RFC 3672): whether a search sees those entries that hold a directory's own affairs, such as a password policy
/// that is kept as a subentry. Without it, a search sees all others (and a base search any).
///
/// ```
/// use ldapgate_proto::control::Subentries;
///
/// assert_eq!(Subentries::parse(&Subentries::Only.to_control())?, Subentries::Only);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subentries {
    /// Subentries and nothing else.
    Only,
    /// Everything else.
    Without,
}

impl Subentries {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.1.10.1";

    /// The control that asks for this. Critical: the rest of the entries is no answer.
    pub fn to_control(self) -> Control {
        let mut writer = Writer::new();
        writer.boolean(Tag::BOOLEAN, self == Subentries::Only);
        Control::new(Subentries::OID, Some(writer.finish())).critical()
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or no boolean; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<Subentries, Error> {
        let mut content = control.content(Tag::BOOLEAN)?;
        let only = content.boolean(Tag::BOOLEAN)?;
        content.finish()?;
        Ok(if only { Subentries::Only } else { Subentries::Without })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_the_bytes_that_ldapsearch_sends() {
        for (asked, bytes) in [(Subentries::Only, b"\x01\x01\xff"), (Subentries::Without, b"\x01\x01\x00")] {
            let control = asked.to_control();
            assert_eq!((control.critical, control.value.as_deref()), (true, Some(&bytes[..])));
            assert_eq!(Subentries::parse(&control), Ok(asked));
        }
    }

    #[test]
    fn what_is_no_boolean_is_refused() {
        for value in [None, Some(""), Some("\x01\x00"), Some("\x01\x01\x00\x00"), Some("\x02\x01\x01")] {
            assert!(Subentries::parse(&Control::new("", value.map(Into::into))).is_err(), "{value:?}");
        }
    }
}
