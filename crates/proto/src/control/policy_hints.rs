use super::Control;
use crate::ber::{Error, Tag, Writer};

/// Policy hints (MS-ADTS section 3.1.1.3.4.1.27): an administrator's reset of a password obeys the history and the minimum age,
/// too, as a change by its owner would.
///
/// ```
/// use ldapgate_proto::control::PolicyHints;
///
/// assert_eq!(PolicyHints::parse(&PolicyHints::Obey.to_control())?, PolicyHints::Obey);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyHints {
    /// The whole policy holds.
    Obey,
    /// As without the control.
    Ignore,
}

impl PolicyHints {
    /// The control's OID, since Windows Server 2012.
    pub const OID: &'static str = "1.2.840.113556.1.4.2239";
    /// The OID under which Windows Server 2008 R2 has it.
    pub const OLD_OID: &'static str = "1.2.840.113556.1.4.2066";

    /// The control that asks for this. Critical: a reset that ignored the policy could not be taken back.
    pub fn to_control(self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.integer(Tag::INTEGER, i64::from(self == PolicyHints::Obey));
        });
        Control::new(PolicyHints::OID, Some(writer.finish())).critical()
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<PolicyHints, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let flags = content.integer(Tag::INTEGER)?;
        content.finish()?;
        Ok(if flags & 1 == 1 { PolicyHints::Obey } else { PolicyHints::Ignore })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_come_back() {
        let control = PolicyHints::Obey.to_control();
        assert_eq!((control.critical, control.value.as_deref()), (true, Some(&b"\x30\x03\x02\x01\x01"[..])));
        for hints in [PolicyHints::Obey, PolicyHints::Ignore] {
            assert_eq!(PolicyHints::parse(&hints.to_control()), Ok(hints));
        }
    }

    #[test]
    fn what_is_no_number_in_a_sequence_is_refused() {
        for value in ["", "\x30\x00", "\x02\x01\x01", "\x30\x03\x02\x01\x01\x00"] {
            assert!(PolicyHints::parse(&Control::new("", Some(value.into()))).is_err(), "{value:?}");
        }
    }
}
