//! Controls (RFC 4511 section 4.1.11): what accompanies a request or a response, one file per control.

mod account_usability;
mod assertion;
mod dereference;
mod dir_sync;
#[cfg(test)]
mod every_kind;
mod extended_dn;
mod marker;
mod matched_values;
mod netscape_password;
mod paged;
mod password_policy;
mod persistent_search;
mod policy_hints;
mod proxied_authorization;
mod read_entry;
mod sd_flags;
mod server_side_sort;
mod session_tracking;
mod subentries;
mod sync;
mod virtual_list_view;

pub use account_usability::{AccountUsability, Unusable};
pub use assertion::Assertion;
pub use dereference::{Dereference, Dereferenced};
pub use dir_sync::{DirSync, DirSyncFlags, DirSyncReply};
pub use extended_dn::{ExtendedDn, ExtendedName, ExtendedNameError};
pub use marker::{
    DomainScope, DontUseCopy, ManageDsaIt, PermissiveModify, Relax, ShowDeactivatedLinks, ShowDeleted,
    ShowRecycled, TreeDelete,
};
pub use matched_values::{MatchedValues, NotSimple};
pub use netscape_password::{PasswordExpired, PasswordExpiring};
pub use paged::PagedResults;
pub use password_policy::{PasswordPolicy, PasswordPolicyError};
pub use persistent_search::{ChangeKind, ChangeTypes, EntryChangeNotification, PersistentSearch};
pub use policy_hints::PolicyHints;
pub use proxied_authorization::ProxiedAuthorization;
pub use read_entry::{PostRead, PreRead};
pub use sd_flags::SdFlags;
pub use server_side_sort::{ServerSideSort, SortKey, SortResult};
pub use session_tracking::SessionTracking;
pub use subentries::Subentries;
pub use sync::{EntryState, SyncDone, SyncInfo, SyncMode, SyncRequest, SyncState};
pub use virtual_list_view::{ViewTarget, VirtualListView, VirtualListViewResult};

use crate::ber::{Error, ErrorKind, Limits, Reader, Tag, Writer};
use bytes::Bytes;
use std::fmt;

/// How many names, filters or the like one control's value may list.
const MOST_ITEMS: usize = 1024;

/// One control.
///
/// Each of those that are known here is a type, made into one of these by `to_control` or `From`, and read by `parse`.
///
/// ```
/// use ldapgate_proto::Control;
/// use ldapgate_proto::control::{PostRead, ManageDsaIt};
///
/// let controls = [PostRead::of(["entryUUID"]).to_control().critical(), Control::from(ManageDsaIt)];
/// assert!(controls[0].critical && !controls[1].critical);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Which one.
    pub oid: String,
    /// Must the operation fail where the control is unknown?
    pub critical: bool,
    /// What it says, in a form of its own.
    pub value: Option<Bytes>,
}

impl Control {
    /// A control of any kind, not critical.
    pub fn new(oid: impl Into<String>, value: Option<Bytes>) -> Control {
        Control { oid: oid.into(), critical: false, value }
    }

    /// The operation must fail where the control is unknown.
    #[must_use]
    pub fn critical(mut self) -> Control {
        self.critical = true;
        self
    }

    /// Where the control is unknown, the operation goes on without it.
    #[must_use]
    pub fn non_critical(mut self) -> Control {
        self.critical = false;
        self
    }

    /// The value, which ought to start with this tag.
    fn content(&self, expected: Tag) -> Result<Reader<'_>, Error> {
        let value = self.value.as_ref();
        value.map(Reader::new).ok_or(Error::new(ErrorKind::Missing(expected), 0))
    }

    /// What is in the one element that the value is.
    fn enter(&self, tag: Tag) -> Result<Reader<'_>, Error> {
        let mut outer = self.content(tag)?;
        let content = outer.enter(tag)?;
        outer.finish()?;
        Ok(content)
    }
}

/// Everything in a list, which has a limit.
fn read_list<'f, T>(
    mut list: Reader<'f>,
    limit: usize,
    read: impl Fn(&mut Reader<'f>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    while !list.is_empty() {
        if items.len() == limit {
            return Err(list.error(ErrorKind::TooManyElements { limit }));
        }
        items.push(read(&mut list)?);
    }
    Ok(items)
}

/// Each is made into a control by its own `to_control`.
macro_rules! into_control {
    ($($name:ident),*) => {
        $(impl From<$name> for Control {
            fn from(control: $name) -> Control {
                control.to_control()
            }
        })*
    };
}

into_control!(
    AccountUsability,
    Assertion,
    DirSync,
    DirSyncReply,
    EntryChangeNotification,
    ExtendedDn,
    MatchedValues,
    PagedResults,
    PasswordExpired,
    PasswordExpiring,
    PasswordPolicy,
    PersistentSearch,
    PolicyHints,
    ProxiedAuthorization,
    SdFlags,
    ServerSideSort,
    SessionTracking,
    SortResult,
    Subentries,
    SyncDone,
    SyncRequest,
    SyncState,
    VirtualListView,
    VirtualListViewResult
);

/// The controls of a message. They are checked when the message is read and taken apart only when they are asked for.
///
/// ```
/// use ldapgate_proto::{Controls, PagedResults};
///
/// let controls = Controls::from(vec![PagedResults::request(500, b"")]);
/// let control = controls.get(PagedResults::OID).expect("it was just put in");
/// assert_eq!(PagedResults::parse(&control)?.size, 500);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Controls {
    /// The content of the `controls` element: one SEQUENCE after the other.
    encoded: Bytes,
}

impl Controls {
    /// Every control, in the sender's order.
    pub fn iter(&self) -> impl Iterator<Item = Control> {
        self.parts().map(|(oid, critical, value)| Control { oid: oid.to_owned(), critical, value })
    }

    /// The first control of this kind.
    pub fn get(&self, oid: &str) -> Option<Control> {
        let (oid, critical, value) = self.parts().find(|part| part.0 == oid)?;
        Some(Control { oid: oid.to_owned(), critical, value })
    }

    /// All but those of this kind.
    pub fn without(&self, oid: &str) -> Controls {
        if self.parts().all(|part| part.0 == oid) {
            return Controls::default();
        }
        self.iter().filter(|control| control.oid != oid).collect()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    fn parts(&self) -> impl Iterator<Item = (&str, bool, Option<Bytes>)> {
        let mut list = Reader::new(&self.encoded);
        std::iter::from_fn(move || read_control(&mut list).ok())
    }

    pub(crate) fn read(content: Reader<'_>, limits: &Limits) -> Result<Controls, Error> {
        let (mut list, mut count) = (content, 0);
        while !list.is_empty() {
            if count == limits.max_controls {
                return Err(list.error(ErrorKind::TooManyControls { limit: limits.max_controls }));
            }
            read_control(&mut list)?;
            count += 1;
        }
        Ok(Controls { encoded: content.rest_shared() })
    }

    /// The elements without anything around them.
    pub(crate) fn write_content(&self, writer: &mut Writer) {
        writer.raw(&self.encoded);
    }

    pub(crate) fn write(&self, tag: Tag, writer: &mut Writer) {
        if !self.is_empty() {
            writer.octets(tag, &self.encoded);
        }
    }
}

fn read_control<'f>(list: &mut Reader<'f>) -> Result<(&'f str, bool, Option<Bytes>), Error> {
    let mut control = list.enter(Tag::SEQUENCE)?;
    let oid = control.text(Tag::OCTETS, "control's OID")?;
    let critical = match control.peek() {
        Some(Tag::BOOLEAN) => control.boolean(Tag::BOOLEAN)?,
        _ => false,
    };
    let value = control.enter_if(Tag::OCTETS)?.map(|content| content.rest_shared());
    Ok((oid, critical, value))
}

impl FromIterator<Control> for Controls {
    fn from_iter<I: IntoIterator<Item = Control>>(controls: I) -> Controls {
        let mut writer = Writer::new();
        for control in controls {
            writer.constructed(Tag::SEQUENCE, |writer| {
                writer.octets(Tag::OCTETS, &control.oid);
                // The default, false, is left out (RFC 4511 section 5.1).
                if control.critical {
                    writer.boolean(Tag::BOOLEAN, true);
                }
                if let Some(value) = &control.value {
                    writer.octets(Tag::OCTETS, value);
                }
            });
        }
        Controls { encoded: writer.finish() }
    }
}

impl From<Vec<Control>> for Controls {
    fn from(controls: Vec<Control>) -> Controls {
        controls.into_iter().collect()
    }
}

impl From<Control> for Controls {
    fn from(control: Control) -> Controls {
        Controls::from_iter([control])
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8], limits: &Limits) -> Result<Controls, Error> {
        Controls::read(Reader::new(&Bytes::from_static(bytes)), limits)
    }

    #[test]
    fn criticality_and_value_may_be_left_out() {
        let bytes = b"\x30\x03\x04\x01a\x30\x06\x04\x01b\x01\x01\xff\x30\x05\x04\x01c\x04\x00\x30\x08\x04\x01d\x01\x01\x01\x04\x00";
        let controls = read(bytes, &Limits::server()).unwrap();
        let seen: Vec<_> = controls.iter().map(|c| (c.oid, c.critical, c.value.is_some())).collect();
        let expected = [("a", false, false), ("b", true, false), ("c", false, true), ("d", true, true)];
        assert_eq!(seen, expected.map(|(oid, critical, value)| (oid.to_owned(), critical, value)));
    }

    #[test]
    fn too_many_controls_are_refused() {
        let limits = Limits { max_controls: 1, ..Limits::server() };
        let error = read(b"\x30\x03\x04\x01a\x30\x03\x04\x01b", &limits).unwrap_err();
        assert_eq!(error, Error::new(ErrorKind::TooManyControls { limit: 1 }, 5));
    }
}
