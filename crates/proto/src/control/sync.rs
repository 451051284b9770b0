//! Content synchronisation (RFC 4533): the three controls, and the message in between.

use super::Control;
use crate::ber::{Error, ErrorKind, Reader, Tag, Writer};
use crate::message::IntermediateResponse;
use crate::value::Guid;
use bytes::Bytes;

/// Asks a search to send what has changed (RFC 4533 section 2.2).
///
/// ```
/// use ldapgate_proto::control::{SyncMode, SyncRequest};
///
/// let request = SyncRequest { cookie: Some("rid=000".into()), ..SyncRequest::new(SyncMode::RefreshAndPersist) };
/// let control = request.to_control();
/// assert!(control.critical);
/// assert_eq!(SyncRequest::parse(&control)?, request);
/// # Ok::<(), ldapgate_proto::ber::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRequest {
    /// Until when.
    pub mode: SyncMode,
    /// What the client has, in the server's own form; without one it has nothing.
    pub cookie: Option<Bytes>,
    /// Rather the whole content than an error, when the cookie is of no use any more.
    pub reload_hint: bool,
}

/// How long a synchronisation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncMode {
    /// Until the client's copy is as the server's content.
    RefreshOnly,
    /// Until it is given up: changes are sent as they happen.
    RefreshAndPersist,
}

/// What is said of one entry or reference (RFC 4533 section 2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncState {
    /// What became of it.
    pub state: EntryState,
    /// Its `entryUUID`, which stays when its name changes.
    pub uuid: Guid,
    /// What the client has once it has taken this in.
    pub cookie: Option<Bytes>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryState {
    /// It is there and has not changed; it comes without attributes.
    Present,
    /// It is new to the client.
    Add,
    /// It has changed; all attributes asked for are there.
    Modify,
    /// It is gone, or is not looked for any more; it comes without attributes.
    Delete,
}

/// How a refresh ended (RFC 4533 section 2.4); it comes with the search's result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncDone {
    /// What the client has now.
    pub cookie: Option<Bytes>,
    /// What is gone was named. Otherwise whatever was *not* named is gone.
    pub refresh_deletes: bool,
}

/// What is said between entries (RFC 4533 section 2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncInfo {
    /// What the client has by now.
    NewCookie(Bytes),
    /// The phase that names what is gone is over.
    RefreshDelete {
        /// What the client has by now.
        cookie: Option<Bytes>,
        /// The whole refresh is over.
        refresh_done: bool,
    },
    /// The phase that names what is there is over: whatever was not named is gone.
    RefreshPresent {
        /// What the client has by now.
        cookie: Option<Bytes>,
        /// The whole refresh is over. Otherwise a phase follows that names what is gone.
        refresh_done: bool,
    },
    /// Entries that are all there and unchanged, or all gone.
    IdSet {
        /// What the client has once it has taken this in.
        cookie: Option<Bytes>,
        /// They are gone.
        refresh_deletes: bool,
        /// Their `entryUUID`s.
        uuids: Vec<Guid>,
    },
}

const NEW_COOKIE: Tag = Tag::context(0);
const REFRESH_DELETE: Tag = Tag::context(1).constructed();
const REFRESH_PRESENT: Tag = Tag::context(2).constructed();
const ID_SET: Tag = Tag::context(3).constructed();

impl SyncRequest {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.1.9.1.1";

    /// For a client that has nothing yet.
    pub fn new(mode: SyncMode) -> SyncRequest {
        SyncRequest { mode, cookie: None, reload_hint: false }
    }

    /// The control, critical: a server without it would answer a plain search.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            writer.integer(Tag::ENUMERATED, self.mode.number());
            write_cookie(self.cookie.as_ref(), writer);
            write_unless(false, self.reload_hint, writer);
        });
        Control { oid: SyncRequest::OID.to_owned(), critical: true, value: Some(value) }
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<SyncRequest, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let at = content.offset();
        let mode = match content.integer(Tag::ENUMERATED)? {
            1 => SyncMode::RefreshOnly,
            3 => SyncMode::RefreshAndPersist,
            value => return Err(Error::new(ErrorKind::OutOfRange { what: "sync mode", value }, at)),
        };
        let cookie = read_cookie(&mut content)?;
        Ok(SyncRequest { mode, cookie, reload_hint: read_or(false, &mut content)? })
    }
}

impl SyncMode {
    fn number(self) -> i64 {
        match self {
            SyncMode::RefreshOnly => 1,
            SyncMode::RefreshAndPersist => 3,
        }
    }
}

impl SyncState {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.1.9.1.2";

    /// The control that says this.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            writer.integer(Tag::ENUMERATED, self.state.number());
            writer.octets(Tag::OCTETS, self.uuid.octets());
            write_cookie(self.cookie.as_ref(), writer);
        });
        Control { oid: SyncState::OID.to_owned(), critical: false, value: Some(value) }
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<SyncState, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let at = content.offset();
        let state = match content.integer(Tag::ENUMERATED)? {
            0 => EntryState::Present,
            1 => EntryState::Add,
            2 => EntryState::Modify,
            3 => EntryState::Delete,
            value => return Err(Error::new(ErrorKind::OutOfRange { what: "sync state", value }, at)),
        };
        let uuid = read_uuid(&mut content)?;
        Ok(SyncState { state, uuid, cookie: read_cookie(&mut content)? })
    }
}

impl EntryState {
    fn number(self) -> i64 {
        match self {
            EntryState::Present => 0,
            EntryState::Add => 1,
            EntryState::Modify => 2,
            EntryState::Delete => 3,
        }
    }
}

impl SyncDone {
    /// The control's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.1.9.1.3";

    /// The control that says this.
    pub fn to_control(&self) -> Control {
        let value = sequence(|writer| {
            write_cookie(self.cookie.as_ref(), writer);
            write_unless(false, self.refresh_deletes, writer);
        });
        Control { oid: SyncDone::OID.to_owned(), critical: false, value: Some(value) }
    }

    /// Reads the control's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(control: &Control) -> Result<SyncDone, Error> {
        let mut content = control.enter(Tag::SEQUENCE)?;
        let cookie = read_cookie(&mut content)?;
        Ok(SyncDone { cookie, refresh_deletes: read_or(false, &mut content)? })
    }
}

impl SyncInfo {
    /// The message's OID.
    pub const OID: &'static str = "1.3.6.1.4.1.4203.1.9.1.4";

    /// The message that says this.
    pub fn to_response(&self) -> IntermediateResponse {
        let mut writer = Writer::new();
        let mut phase = |tag, cookie: &Option<Bytes>, done| {
            writer.constructed(tag, |writer| {
                write_cookie(cookie.as_ref(), writer);
                write_unless(true, done, writer);
            });
        };
        match self {
            SyncInfo::RefreshDelete { cookie, refresh_done } => phase(REFRESH_DELETE, cookie, *refresh_done),
            SyncInfo::RefreshPresent { cookie, refresh_done } => {
                phase(REFRESH_PRESENT, cookie, *refresh_done)
            }
            SyncInfo::NewCookie(cookie) => writer.octets(NEW_COOKIE, cookie),
            SyncInfo::IdSet { cookie, refresh_deletes, uuids } => writer.constructed(ID_SET, |writer| {
                write_cookie(cookie.as_ref(), writer);
                write_unless(false, *refresh_deletes, writer);
                writer.constructed(Tag::SET, |writer| {
                    uuids.iter().for_each(|uuid| writer.octets(Tag::OCTETS, uuid.octets()));
                });
            }),
        }
        IntermediateResponse { oid: Some(SyncInfo::OID.to_owned()), value: Some(writer.finish()) }
    }

    /// Reads the message's value; its OID is not looked at.
    ///
    /// # Errors
    ///
    /// When the value is missing or malformed; the offset counts within the value.
    pub fn parse(message: &IntermediateResponse) -> Result<SyncInfo, Error> {
        let Some(value) = &message.value else { return Err(Error::new(ErrorKind::Missing(NEW_COOKIE), 0)) };
        let mut reader = Reader::new(value);
        if reader.is_empty() {
            return Err(reader.error(ErrorKind::Missing(NEW_COOKIE)));
        }
        let (tag, mut content) = reader.any()?;
        Ok(match tag {
            NEW_COOKIE => SyncInfo::NewCookie(content.rest_shared()),
            REFRESH_DELETE => {
                let cookie = read_cookie(&mut content)?;
                SyncInfo::RefreshDelete { cookie, refresh_done: read_or(true, &mut content)? }
            }
            REFRESH_PRESENT => {
                let cookie = read_cookie(&mut content)?;
                SyncInfo::RefreshPresent { cookie, refresh_done: read_or(true, &mut content)? }
            }
            ID_SET => {
                let cookie = read_cookie(&mut content)?;
                let refresh_deletes = read_or(false, &mut content)?;
                let mut set = content.enter(Tag::SET)?;
                let mut uuids = Vec::new();
                while !set.is_empty() {
                    uuids.push(read_uuid(&mut set)?);
                }
                SyncInfo::IdSet { cookie, refresh_deletes, uuids }
            }
            found => return Err(Error::new(ErrorKind::Unknown { what: "sync info", found }, 0)),
        })
    }
}

/// A SEQUENCE with this content.
pub(super) fn sequence(write: impl FnOnce(&mut Writer)) -> Bytes {
    let mut writer = Writer::new();
    writer.constructed(Tag::SEQUENCE, write);
    writer.finish()
}

fn write_cookie(cookie: Option<&Bytes>, writer: &mut Writer) {
    if let Some(cookie) = cookie {
        writer.octets(Tag::OCTETS, cookie);
    }
}

fn read_cookie(reader: &mut Reader<'_>) -> Result<Option<Bytes>, Error> {
    Ok(reader.enter_if(Tag::OCTETS)?.map(|content| content.rest_shared()))
}

/// A truth value whose default is left out (RFC 4511 section 5.1).
fn write_unless(default: bool, value: bool, writer: &mut Writer) {
    if value != default {
        writer.boolean(Tag::BOOLEAN, value);
    }
}

fn read_or(default: bool, reader: &mut Reader<'_>) -> Result<bool, Error> {
    match reader.peek() {
        Some(Tag::BOOLEAN) => reader.boolean(Tag::BOOLEAN),
        _ => Ok(default),
    }
}

fn read_uuid(reader: &mut Reader<'_>) -> Result<Guid, Error> {
    let at = reader.offset();
    Guid::from_octets(reader.octets(Tag::OCTETS)?)
        .map_err(|_| Error::new(ErrorKind::Invalid("an entryUUID has 16 octets"), at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UUID: [u8; 16] = [0xa1, 0xb2, 0xc3, 0xd4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    fn uuid() -> Guid {
        Guid::from_octets(&UUID).unwrap()
    }

    fn info(bytes: &[u8]) -> Result<SyncInfo, Error> {
        SyncInfo::parse(&IntermediateResponse { oid: None, value: Some(Bytes::copy_from_slice(bytes)) })
    }

    #[test]
    fn requests_have_these_bytes() {
        let mut request = SyncRequest::new(SyncMode::RefreshOnly);
        assert_eq!(request.to_control().value.unwrap(), &[0x30, 3, 0x0a, 1, 1][..]);
        request =
            SyncRequest { mode: SyncMode::RefreshAndPersist, cookie: Some("c".into()), reload_hint: true };
        let bytes = [0x30, 9, 0x0a, 1, 3, 4, 1, b'c', 1, 1, 0xff];
        assert_eq!(request.to_control().value.unwrap(), &bytes[..]);
    }

    #[test]
    fn the_four_messages_have_these_bytes() {
        let cookie = || Some(Bytes::from_static(b"c"));
        let mut set = vec![0xa3, 26, 4, 1, b'c', 1, 1, 0xff, 0x31, 18, 4, 16];
        set.extend(UUID);
        for (message, bytes) in [
            (SyncInfo::NewCookie("c".into()), vec![0x80, 1, b'c']),
            (SyncInfo::RefreshDelete { cookie: cookie(), refresh_done: true }, vec![0xa1, 3, 4, 1, b'c']),
            (SyncInfo::RefreshDelete { cookie: None, refresh_done: true }, vec![0xa1, 0]),
            (SyncInfo::RefreshPresent { cookie: None, refresh_done: false }, vec![0xa2, 3, 1, 1, 0]),
            (SyncInfo::IdSet { cookie: cookie(), refresh_deletes: true, uuids: vec![uuid()] }, set),
        ] {
            let response = message.to_response();
            assert_eq!(response.value.as_deref(), Some(&bytes[..]), "{message:?}");
            assert_eq!(SyncInfo::parse(&response), Ok(message));
        }
    }

    #[test]
    fn an_id_is_told_as_entry_uuid_shows_it() {
        assert_eq!(uuid().to_string(), "a1b2c3d4-0102-0304-0506-0708090a0b0c");
    }

    #[test]
    fn what_is_cut_or_odd_is_an_error_and_nothing_more() {
        for bytes in [
            &b""[..],
            b"\x84\x00",
            b"\x30\x00",
            b"\xa3\x00",
            b"\xa3\x05\x31\x03\x04\x01x",
            b"\xa1\x02\x04\x05",
            b"\xa3\x04\x31\x84\xff\xff",
        ] {
            assert!(info(bytes).is_err(), "{bytes:?}");
        }
        let control = |value: &'static [u8]| Control {
            oid: String::new(),
            critical: false,
            value: Some(Bytes::from_static(value)),
        };
        assert!(SyncRequest::parse(&control(b"\x30\x03\x0a\x01\x02")).is_err(), "there is no mode 2");
        assert!(SyncState::parse(&control(b"\x30\x03\x0a\x01\x04")).is_err());
        assert!(SyncState::parse(&control(b"\x30\x06\x0a\x01\x01\x04\x01x")).is_err());
        assert_eq!(SyncDone::parse(&control(b"\x30\x00")), Ok(SyncDone::default()));
    }

    proptest! {
        #[test]
        fn everything_comes_back(
            cookie in proptest::option::of(".{0,20}"),
            ids: Vec<[u8; 16]>,
            yes: bool,
            state in 0_usize..4,
        ) {
            let cookie: Option<Bytes> = cookie.map(Bytes::from);
            let mode = if yes { SyncMode::RefreshOnly } else { SyncMode::RefreshAndPersist };
            let request = SyncRequest { mode, cookie: cookie.clone(), reload_hint: yes };
            prop_assert_eq!(SyncRequest::parse(&request.to_control()), Ok(request));
            let done = SyncDone { cookie: cookie.clone(), refresh_deletes: yes };
            prop_assert_eq!(SyncDone::parse(&done.to_control()), Ok(done));
            let states = [EntryState::Present, EntryState::Add, EntryState::Modify, EntryState::Delete];
            let said = SyncState { state: states[state], uuid: uuid(), cookie: cookie.clone() };
            prop_assert_eq!(SyncState::parse(&said.to_control()), Ok(said));
            let uuids = ids.iter().map(|id| Guid::from_octets(id).unwrap()).collect();
            for message in [
                SyncInfo::RefreshDelete { cookie: cookie.clone(), refresh_done: yes },
                SyncInfo::RefreshPresent { cookie: cookie.clone(), refresh_done: yes },
                SyncInfo::IdSet { cookie, refresh_deletes: yes, uuids },
            ] {
                prop_assert_eq!(SyncInfo::parse(&message.to_response()), Ok(message));
            }
        }

        #[test]
        fn no_bytes_panic(value: Vec<u8>) {
            let _ = info(&value);
            let control = Control { oid: String::new(), critical: false, value: Some(value.into()) };
            let _ = (SyncRequest::parse(&control), SyncState::parse(&control), SyncDone::parse(&control));
        }
    }
}
