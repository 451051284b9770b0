use super::Control;
use crate::ber::{Error, ErrorKind, Tag, Writer};
use std::ops::BitOr;

/// Security descriptor flags (MS-ADTS section 3.1.1.3.4.1.11): which parts of `nTSecurityDescriptor` are read or written.
///
/// Without it Active Directory takes all four to be meant, and hides the attribute from whoever may not read the SACL.
///
/// ```
/// use ldapgate_proto::control::SdFlags;
///
/// let flags = SdFlags::OWNER | SdFlags::DACL;
/// assert_eq!(flags.bits(), 5);
/// assert_eq!(SdFlags::parse(&flags.to_control())?, flags);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SdFlags(u32);

impl SdFlags {
    /// The control's OID.
    pub const OID: &'static str = "1.2.840.113556.1.4.801";

    /// Who owns it.
    pub const OWNER: SdFlags = SdFlags(1);
    /// The owner's primary group.
    pub const GROUP: SdFlags = SdFlags(2);
    /// Who may do what.
    pub const DACL: SdFlags = SdFlags(4);
    /// What is audited; reading it takes a privilege.
    pub const SACL: SdFlags = SdFlags(8);

    /// The flags as the number on the wire.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The control that asks for this. Critical: the other parts would be written over.
    pub fn to_control(self) -> Control {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| writer.integer(Tag::INTEGER, i64::from(self.0)));
        Control::new(SdFlags::OID, Some(writer.finish())).critical()
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing, malformed, or has other flags than the four; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<SdFlags, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let at = content.offset();
        let value = content.integer(Tag::INTEGER)?;
        content.finish()?;
        match u32::try_from(value) {
            Ok(bits @ ..=15) => Ok(SdFlags(bits)),
            _ => Err(Error::new(ErrorKind::OutOfRange { what: "security descriptor flags", value }, at)),
        }
    }
}

impl BitOr for SdFlags {
    type Output = SdFlags;

    fn bitor(self, other: SdFlags) -> SdFlags {
        SdFlags(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_flags_comes_back_and_no_other_number() {
        for bits in 0..16 {
            assert_eq!(SdFlags::parse(&SdFlags(bits).to_control()), Ok(SdFlags(bits)));
        }
        for value in
            ["\x30\x03\x02\x01\x10", "\x30\x00", "\x30\x03\x04\x01\x07", "", "\x30\x04\x02\x01\x07\x00"]
        {
            assert!(SdFlags::parse(&Control::new("", Some(value.into()))).is_err(), "{value:?}");
        }
        let all = SdFlags::OWNER | SdFlags::GROUP | SdFlags::DACL | SdFlags::SACL;
        assert_eq!(
            all.to_control().value.as_deref(),
            Some(&b"\x30\x03\x02\x01\x0f"[..]),
            "MS-ADTS's example of 15"
        );
    }
}
