//! What must hold for any bytes: nothing panics, and what was read is written so that it reads the same.
//!
//! Each function is one target of `fuzz/run`; a failing input is kept in `fuzz/corpus/TARGET` when it is mended.

use bytes::{Bytes, BytesMut};
use proto::message::{Message, Request, Response};
use proto::session::{ClientSession, ServerSession};
use proto::value::{FileTime, GeneralizedTime, Guid, Sid};
use proto::{
    Control, Controls, Dn, Filter, Limits, PagedResults, PasswordExpiring, PasswordPolicy, Range, Url, ldif,
};

/// What a server sends: to a client's session, and a message alone.
pub fn response(data: &[u8]) {
    let mut session = ClientSession::new(Limits::client());
    for request in [Request::Delete("cn=a".to_owned()), Request::Extended(proto::WhoAmI::request())] {
        session.send(&request, &Controls::default()).expect("a session starts with any request");
    }
    let mut buffer = BytesMut::from(data);
    while let Ok(Some(_)) = session.receive(&mut buffer) {}

    let Ok(message) = Message::<Response>::decode(&Bytes::copy_from_slice(data), &Limits::client()) else {
        return;
    };
    if let Response::SearchEntry(entry) = &message.operation {
        let read: usize = entry.attributes().map(|attribute| attribute.values().count()).sum();
        assert!(read <= data.len());
        let _ = entry.parse_dn();
    }
    let again = Message::<Response>::decode(&message.encode(), &Limits::client())
        .expect("what was read can be written");
    assert_eq!(again.encode(), message.encode());
}

/// What a client sends: to a server's session, and a message alone.
pub fn request(data: &[u8]) {
    let mut session = ServerSession::new(Limits::server());
    let mut buffer = BytesMut::from(data);
    while let Ok(Some(_)) = session.receive(&mut buffer) {}

    let Ok(message) = Message::<Request>::decode(&Bytes::copy_from_slice(data), &Limits::server()) else {
        return;
    };
    let again = Message::<Request>::decode(&message.encode(), &Limits::server())
        .expect("what was read can be written");
    assert_eq!(again.encode(), message.encode());
}

/// RFC 4515.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = Filter::parse(text) else { return };
    assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter));
}

/// RFC 4514.
pub fn dn(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(dn) = Dn::parse(text) else { return };
    assert_eq!(Dn::parse(&dn.to_string()).as_ref(), Ok(&dn));
}

/// RFC 4516.
pub fn url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(url) = Url::parse(text) else { return };
    let again = Url::parse(&url.to_string()).expect("what was read can be written");
    assert_eq!(again.to_string(), url.to_string());
}

/// RFC 2849.
pub fn ldif(data: &[u8]) {
    changes(data);
    let Ok(records) = ldif::parse(data).collect::<Result<Vec<_>, _>>() else { return };
    let mut writer = ldif::Writer::new(Vec::new());
    for record in &records {
        writer.record(record).expect("a vector takes everything");
    }
    let again = ldif::parse(&writer.into_inner())
        .collect::<Result<Vec<_>, _>>()
        .expect("what was read can be written");
    let content = |records: &[ldif::Record]| {
        records.iter().map(|record| (record.dn.clone(), record.attributes.clone())).collect::<Vec<_>>()
    };
    assert_eq!(content(&again), content(&records));
}

fn changes(data: &[u8]) {
    let read = |data: &[u8]| -> Result<Vec<_>, _> {
        let records = ldif::Changes::new(data, ldif::Untyped::Add);
        records.map(|record| record.map(|record| (record.change, record.controls))).collect()
    };
    let Ok(records) = read(data) else { return };
    let mut writer = ldif::Writer::new(Vec::new());
    for (change, controls) in records.clone() {
        let record = ldif::ChangeRecord { change, controls, line: 0 };
        writer.change(&record).expect("what was read can be written");
    }
    assert_eq!(read(&writer.into_inner()), Ok(records));
}

/// The values of controls.
pub fn control(data: &[u8]) {
    let control = Control { oid: String::new(), critical: false, value: Some(Bytes::copy_from_slice(data)) };
    if let Ok(paged) = PagedResults::parse(&control) {
        assert_eq!(PagedResults::parse(&paged.to_control()), Ok(paged));
    }
    let _ = PasswordPolicy::parse(&control);
    let _ = PasswordExpiring::parse(&control);
}

/// What attributes hold.
pub fn value(data: &[u8]) {
    if let Ok(sid) = Sid::from_wire(data) {
        assert_eq!(sid.to_wire(), data);
        assert_eq!(sid.to_string().parse(), Ok(sid));
    }
    if let Ok(guid) = Guid::from_wire(data) {
        assert_eq!(guid.to_wire(), data);
        assert_eq!(guid.to_string().parse(), Ok(guid));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(time) = text.parse::<GeneralizedTime>() {
        let _ = time.to_system_time();
    }
    let _ = FileTime::parse(text);
    if let Some((attribute, range)) = Range::split(text) {
        assert_eq!(Range::split(&range.of(attribute)), Some((attribute, range)));
    }
}
