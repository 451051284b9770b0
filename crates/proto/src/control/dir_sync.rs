//! Active Directory's DirSync (MS-ADTS section 3.1.1.3.4.1.3): what has changed since a cookie.

use std::ops::BitOr;

use super::Control;
use super::sync::sequence;
use crate::ber::{Error, Tag};
use bytes::Bytes;

/// Asks a search of a whole naming context for what has changed.
///
/// ```
/// use ldapgate_proto::control::{DirSync, DirSyncFlags};
///
/// let request = DirSync { flags: DirSyncFlags::OBJECT_SECURITY | DirSyncFlags::INCREMENTAL_VALUES, ..DirSync::default() };
/// assert_eq!(DirSync::parse(&request.to_control())?, request);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirSync {
    /// How.
    pub flags: DirSyncFlags,
    /// Bytes in one answer at most, as a hint; 0 leaves it to the server.
    pub max_bytes: u32,
    /// What the client has, in the server's own form; empty: nothing.
    pub cookie: Bytes,
}

/// How changes are told; `|` joins them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DirSyncFlags(u32);

/// What the server says with the last of the changes that it sends at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirSyncReply {
    /// There is more to be asked for, with the cookie.
    pub more: bool,
    /// What the client has now.
    pub cookie: Bytes,
}

impl DirSync {
    /// The control's OID, in requests and responses.
    pub const OID: &'static str = "1.2.840.113556.1.4.841";

    /// The control, critical: a server without it would answer a plain search.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            // A signed number of 32 bits, whose highest is a flag.
            writer.integer(Tag::INTEGER, i64::from(self.flags.0.cast_signed()));
            writer.integer(Tag::INTEGER, i64::from(self.max_bytes));
            writer.octets(Tag::OCTETS, &self.cookie);
        });
        Control { oid: DirSync::OID.to_owned(), critical: true, value: Some(value) }
    }

    /// Reads a request's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<DirSync, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        // Some clients send the flags as a positive number of 64 bits.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "flags are 32 bits, whatever the sign"
        )]
        let flags = content.integer(Tag::INTEGER)? as u32;
        let max_bytes = content.unsigned(Tag::INTEGER, "bytes in one answer")?;
        Ok(DirSync { flags: DirSyncFlags(flags), max_bytes, cookie: content.shared(Tag::OCTETS)? })
    }
}

impl DirSyncFlags {
    /// Only what the client may read; without it the client needs the right to replicate.
    pub const OBJECT_SECURITY: DirSyncFlags = DirSyncFlags(0x1);
    /// Parents before their children.
    pub const ANCESTORS_FIRST_ORDER: DirSyncFlags = DirSyncFlags(0x800);
    /// No secret attributes, for a client with the right to replicate.
    pub const PUBLIC_DATA_ONLY: DirSyncFlags = DirSyncFlags(0x2000);
    /// Of linked attributes only the values that changed: `member;range=1-1` were added, `member;range=0-0` removed.
    pub const INCREMENTAL_VALUES: DirSyncFlags = DirSyncFlags(0x8000_0000);

    /// Are these all set?
    pub const fn contains(self, other: DirSyncFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for DirSyncFlags {
    type Output = DirSyncFlags;

    fn bitor(self, other: DirSyncFlags) -> DirSyncFlags {
        DirSyncFlags(self.0 | other.0)
    }
}

impl DirSyncReply {
    /// The control that says this.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            writer.integer(Tag::INTEGER, i64::from(self.more));
            writer.integer(Tag::INTEGER, 0);
            writer.octets(Tag::OCTETS, &self.cookie);
        });
        Control { oid: DirSync::OID.to_owned(), critical: false, value: Some(value) }
    }

    /// Reads a response's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<DirSyncReply, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let more = content.integer(Tag::INTEGER)? != 0;
        content.integer(Tag::INTEGER)?;
        Ok(DirSyncReply { more, cookie: content.shared(Tag::OCTETS)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_highest_flag_makes_a_negative_number_of_32_bits() {
        let request = DirSync { flags: DirSyncFlags::INCREMENTAL_VALUES, ..DirSync::default() };
        let bytes = [0x30, 11, 2, 4, 0x80, 0, 0, 0, 2, 1, 0, 4, 0];
        assert_eq!(request.to_control().value.unwrap(), &bytes[..]);
        let positive = b"\x30\x0c\x02\x05\x00\x80\x00\x00\x00\x02\x01\x00\x04\x00";
        let control = Control { value: Some(Bytes::from_static(positive)), ..request.to_control() };
        assert_eq!(DirSync::parse(&control), Ok(request));
    }

    #[test]
    fn flags_are_joined() {
        let all = DirSyncFlags::OBJECT_SECURITY | DirSyncFlags::ANCESTORS_FIRST_ORDER;
        assert!(all.contains(DirSyncFlags::OBJECT_SECURITY) && !all.contains(DirSyncFlags::PUBLIC_DATA_ONLY));
    }

    #[test]
    fn a_reply_comes_back() {
        for more in [true, false] {
            let reply = DirSyncReply { more, cookie: "MSDS".into() };
            assert_eq!(DirSyncReply::parse(&reply.to_control()), Ok(reply));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(value: Vec<u8>) {
            let control = Control { oid: String::new(), critical: false, value: Some(value.into()) };
            let _ = (DirSync::parse(&control), DirSyncReply::parse(&control));
        }
    }
}
