//! What must hold for any bytes: nothing panics, and what was read is written so that it reads the same.
//!
//! Each function is one target of `fuzz/run`; a failing input is kept in `fuzz/corpus/TARGET` when it is mended.

use bytes::{Bytes, BytesMut};
use proto::control::*;
use proto::extended::{Cancel, EndTransaction, Ended, Transaction};
use proto::ldif::{self, Changes, Untyped};
use proto::message::{Message, Request, Response};
use proto::sasl::*;
use proto::schema::Schema;
use proto::session::{ClientSession, ServerSession};
use proto::value::{FileTime, GeneralizedTime, Guid, Sid};
use proto::{
    Control, Controls, Dn, Entry, ExtendedRequest, ExtendedResponse, Filter, IntermediateResponse,
    LdapResult, Limits, Password, PasswordModify, Range, Url, WhoAmI,
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
    let written = dn.to_string();
    assert_eq!(Dn::parse(&written).as_ref(), Ok(&dn));
}

/// RFC 4516.
pub fn url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(url) = Url::parse(text) else { return };
    let again = Url::parse(&url.to_string()).expect("what was read can be written");
    assert_eq!(again.to_string(), url.to_string());
}

/// RFC 2849: records of content, and of changes.
pub fn ldif(data: &[u8]) {
    if let Ok(records) = ldif::parse(data).collect::<Result<Vec<_>, _>>() {
        let mut writer = ldif::Writer::new(Vec::new());
        for record in &records {
            writer.record(record).expect("a vector takes everything");
        }
        let again = ldif::parse(&writer.into_inner()).collect::<Result<Vec<_>, _>>();
        let again = again.expect("what was read can be written");
        let content = |records: &[ldif::Record]| {
            records.iter().map(|record| (record.dn.clone(), record.attributes.clone())).collect::<Vec<_>>()
        };
        assert_eq!(content(&again), content(&records));
    }
    for untyped in [Untyped::Add, Untyped::Modify, Untyped::Refuse] {
        let Ok(changes) = Changes::new(data, untyped).collect::<Result<Vec<_>, _>>() else { continue };
        let mut writer = ldif::Writer::new(Vec::new());
        // Some requests have no line in LDIF that says them: these are told, and nothing of them is written.
        let written: Vec<_> = changes.into_iter().filter(|change| writer.change(change).is_ok()).collect();
        let again = Changes::new(&writer.into_inner()[..], Untyped::Refuse).collect::<Result<Vec<_>, _>>();
        let again = again.expect("what was read can be written");
        let content = |changes: &[ldif::ChangeRecord]| {
            changes.iter().map(|change| (change.change.clone(), change.controls.clone())).collect::<Vec<_>>()
        };
        assert_eq!(content(&again), content(&written));
    }
}

/// The values of controls, and of extended and intermediate messages.
pub fn control(data: &[u8]) {
    let control = Control::new("", Some(Bytes::copy_from_slice(data)));
    macro_rules! round_trip {
        ($($kind:ident)*) => {$(
            if let Ok(read) = $kind::parse(&control) {
                assert_eq!($kind::parse(&read.to_control()).expect("what was read can be written"), read);
            }
        )*};
    }
    round_trip!(
        AccountUsability Assertion DirSync DirSyncReply EntryChangeNotification ExtendedDn MatchedValues PagedResults
        PersistentSearch PolicyHints PostRead PreRead ProxiedAuthorization SdFlags ServerSideSort SessionTracking SortResult
        Subentries SyncDone SyncRequest SyncState VirtualListView VirtualListViewResult
    );
    let _ =
        (PasswordPolicy::parse(&control), PasswordExpiring::parse(&control), Transaction::parse(&control));
    if let Ok(entry) = PreRead::entry(&control) {
        assert_eq!(PreRead::entry(&PreRead::response(&entry)), Ok(entry));
    }

    let value = Some(Bytes::copy_from_slice(data));
    let message = IntermediateResponse { oid: Some(SyncInfo::OID.to_owned()), value: value.clone() };
    let _ = SyncInfo::parse(&message);
    for oid in [Cancel::OID, PasswordModify::OID, EndTransaction::OID] {
        let request = ExtendedRequest { oid: oid.to_owned(), value: value.clone() };
        let _ = (Cancel::parse(&request), PasswordModify::parse(&request));
        if let Ok(read) = EndTransaction::parse(&request) {
            assert_eq!(EndTransaction::parse(&read.request()), Ok(read));
        }
    }
    let response = ExtendedResponse { result: LdapResult::success(), oid: None, value };
    let _ = WhoAmI::parse(&response);
    if let Ok(read) = Ended::parse(&response) {
        assert_eq!(Ended::parse(&read.response(LdapResult::success())), Ok(read));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = ExtendedName::parse(text).map(|name| name.parse_dn());
    }
}

/// RFC 4512 section 4: whatever a server calls its schema.
pub fn schema(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let mut entry = Entry::builder("cn=schema");
    for attribute in [
        "attributeTypes",
        "objectClasses",
        "ldapSyntaxes",
        "matchingRules",
        "matchingRuleUse",
        "dITContentRules",
        "dITStructureRules",
        "nameForms",
    ] {
        entry = entry.attribute(attribute, &lines);
    }
    let schema = Schema::from_entry(&entry.build());
    for class in schema.object_classes() {
        let _ = (schema.superior_classes(class), schema.attributes_of([class.name()]));
        assert_eq!(class.to_string().parse().as_ref(), Ok(class));
    }
    for attribute in schema.attribute_types() {
        let _ = (
            schema.superior_types(attribute),
            schema.syntax_of(attribute),
            schema.value(attribute.name(), data),
        );
        assert_eq!(attribute.to_string().parse().as_ref(), Ok(attribute));
    }
    let _ = schema.similar_names("cn");
}

/// What a server may say to each mechanism. The first byte says how the rest is cut into challenges.
pub fn sasl(data: &[u8]) {
    let Some((cut, rest)) = data.split_first() else { return };
    let challenges: Vec<&[u8]> = rest.chunks(usize::from(*cut).max(1)).take(4).collect();
    let password = || Password::new("engine").expect("it is not empty");
    let fresh = || Fresh {
        client_challenge: [1; 8],
        session_key: [2; 16].into(),
        now: FileTime::from_ticks(132_223_104_000_000_000),
    };
    let scram = |hash| Scram::new(hash, "ada", password(), "nonce").expect("it is a nonce");
    let ntlm = || {
        Ntlm::new("EXAMPLE", "ada", &password(), fresh())
            .expect("a good name")
            .protection(Protection::Confidentiality)
    };
    let mechanisms: [Box<dyn Mechanism>; 9] = [
        Box::new(scram(ScramHash::Sha1)),
        Box::new(scram(ScramHash::Sha256).bound(ChannelBinding::tls_exporter([7; 32]))),
        Box::new(DigestMd5::new("ada", password(), "ldap/localhost", "nonce").expect("it is a nonce")),
        Box::new(CramMd5::new("ada", password())),
        Box::new(Plain::new("ada", password())),
        Box::new(OAuthBearer::new(password())),
        Box::new(External::new()),
        Box::new(ntlm()),
        Box::new(Spnego::new(ntlm())),
    ];
    for mut mechanism in mechanisms {
        let _ = mechanism.start();
        let mut challenges = challenges.iter();
        while let Some(challenge) = challenges.next()
            && mechanism.respond(challenge).is_ok()
        {}
        let _ = mechanism.finish(challenges.next().copied());
        if let Some(mut layer) = mechanism.layer() {
            let _ = layer.unwrap(rest);
        }
    }
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
