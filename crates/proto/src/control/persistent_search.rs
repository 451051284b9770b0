//! Persistent search and entry change notification (draft-ietf-ldapext-psearch).

use std::ops::BitOr;

use super::Control;
use super::sync::sequence;
use crate::ber::{Error, ErrorKind, Tag};

/// Asks a search to go on and to send entries as they change.
///
/// ```
/// use ldapgate_proto::control::{ChangeTypes, PersistentSearch};
///
/// let control = PersistentSearch { change_types: ChangeTypes::ADD | ChangeTypes::DELETE, ..PersistentSearch::changes() };
/// assert_eq!(PersistentSearch::parse(&control.to_control())?, control);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersistentSearch {
    /// Which changes.
    pub change_types: ChangeTypes,
    /// Only what changes from now on; otherwise what is there comes first.
    pub changes_only: bool,
    /// With each changed entry an [`EntryChangeNotification`].
    pub return_changes: bool,
}

/// Kinds of changes; `|` joins them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChangeTypes(u8);

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It was added.
    Add,
    /// It was deleted.
    Delete,
    /// Its attributes were changed.
    Modify,
    /// It was renamed or moved.
    ModifyDn,
}

/// What a persistent search says of a changed entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryChangeNotification {
    /// What happened.
    pub change: ChangeKind,
    /// The entry's name before it was renamed or moved.
    pub previous_dn: Option<String>,
    /// The change's number in the server's change log, when it keeps one.
    pub change_number: Option<i64>,
}

impl PersistentSearch {
    /// The control's OID.
    pub const OID: &'static str = "2.16.840.1.113730.3.4.3";

    /// Every change from now on, each with its notification.
    pub const fn changes() -> PersistentSearch {
        PersistentSearch { change_types: ChangeTypes::ALL, changes_only: true, return_changes: true }
    }

    /// What is there, then every change, each with its notification.
    pub const fn content_and_changes() -> PersistentSearch {
        PersistentSearch { changes_only: false, ..PersistentSearch::changes() }
    }

    /// The control, critical: a server without it would answer a plain search.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            writer.integer(Tag::INTEGER, i64::from(self.change_types.0));
            writer.boolean(Tag::BOOLEAN, self.changes_only);
            writer.boolean(Tag::BOOLEAN, self.return_changes);
        });
        Control { oid: PersistentSearch::OID.to_owned(), critical: true, value: Some(value) }
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<PersistentSearch, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let at = content.offset();
        let value = content.integer(Tag::INTEGER)?;
        let change_types = u8::try_from(value).ok().filter(|bits| bits & !ChangeTypes::ALL.0 == 0);
        let out_of_range = Error::new(ErrorKind::OutOfRange { what: "change types", value }, at);
        Ok(PersistentSearch {
            change_types: ChangeTypes(change_types.ok_or(out_of_range)?),
            changes_only: content.boolean(Tag::BOOLEAN)?,
            return_changes: content.boolean(Tag::BOOLEAN)?,
        })
    }
}

impl ChangeTypes {
    /// Entries that are added.
    pub const ADD: ChangeTypes = ChangeTypes(1);
    /// Entries that are deleted.
    pub const DELETE: ChangeTypes = ChangeTypes(2);
    /// Entries whose attributes change.
    pub const MODIFY: ChangeTypes = ChangeTypes(4);
    /// Entries that are renamed or moved.
    pub const MODIFY_DN: ChangeTypes = ChangeTypes(8);
    /// All four.
    pub const ALL: ChangeTypes = ChangeTypes(15);

    /// Is this change among them?
    pub const fn contains(self, change: ChangeKind) -> bool {
        self.0 & change.number() != 0
    }
}

impl BitOr for ChangeTypes {
    type Output = ChangeTypes;

    fn bitor(self, other: ChangeTypes) -> ChangeTypes {
        ChangeTypes(self.0 | other.0)
    }
}

impl ChangeKind {
    const fn number(self) -> u8 {
        match self {
            ChangeKind::Add => 1,
            ChangeKind::Delete => 2,
            ChangeKind::Modify => 4,
            ChangeKind::ModifyDn => 8,
        }
    }
}

impl EntryChangeNotification {
    /// The control's OID.
    pub const OID: &'static str = "2.16.840.1.113730.3.4.7";

    /// The control that says this.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            writer.integer(Tag::ENUMERATED, i64::from(self.change.number()));
            if let Some(dn) = &self.previous_dn {
                writer.octets(Tag::OCTETS, dn);
            }
            if let Some(number) = self.change_number {
                writer.integer(Tag::INTEGER, number);
            }
        });
        Control { oid: EntryChangeNotification::OID.to_owned(), critical: false, value: Some(value) }
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<EntryChangeNotification, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let at = content.offset();
        let change = match content.integer(Tag::ENUMERATED)? {
            1 => ChangeKind::Add,
            2 => ChangeKind::Delete,
            4 => ChangeKind::Modify,
            8 => ChangeKind::ModifyDn,
            value => return Err(Error::new(ErrorKind::OutOfRange { what: "change type", value }, at)),
        };
        let previous_dn = match content.enter_if(Tag::OCTETS)? {
            Some(dn) => Some(dn.as_text("previous name")?.to_owned()),
            None => None,
        };
        let change_number = match content.peek() {
            Some(Tag::INTEGER) => Some(content.integer(Tag::INTEGER)?),
            _ => None,
        };
        Ok(EntryChangeNotification { change, previous_dn, change_number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    #[test]
    fn the_request_has_these_bytes() {
        let control = PersistentSearch::changes().to_control();
        assert_eq!(control.value.unwrap(), &[0x30, 9, 2, 1, 15, 1, 1, 0xff, 1, 1, 0xff][..]);
        assert!(control.critical);
    }

    #[test]
    fn every_notification_comes_back() {
        for change in [ChangeKind::Add, ChangeKind::Delete, ChangeKind::Modify, ChangeKind::ModifyDn] {
            for (previous_dn, change_number) in
                [(None, None), (Some("cn=a".to_owned()), Some(7)), (None, Some(i64::MAX))]
            {
                let said = EntryChangeNotification { change, previous_dn, change_number };
                assert_eq!(EntryChangeNotification::parse(&said.to_control()), Ok(said));
            }
            assert!(ChangeTypes::ALL.contains(change));
        }
        assert!(!(ChangeTypes::ADD | ChangeTypes::MODIFY).contains(ChangeKind::Delete));
    }

    #[test]
    fn changes_that_do_not_exist_are_errors() {
        let control = |bytes: &'static [u8]| Control {
            oid: String::new(),
            critical: false,
            value: Some(Bytes::from_static(bytes)),
        };
        assert!(EntryChangeNotification::parse(&control(b"\x30\x03\x0a\x01\x03")).is_err());
        assert!(PersistentSearch::parse(&control(b"\x30\x09\x02\x01\x10\x01\x01\x00\x01\x01\x00")).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(value: Vec<u8>) {
            let control = Control { oid: String::new(), critical: false, value: Some(value.into()) };
            let _ = (PersistentSearch::parse(&control), EntryChangeNotification::parse(&control));
        }
    }
}
