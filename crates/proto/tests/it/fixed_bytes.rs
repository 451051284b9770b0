//! What OpenLDAP's tools do not say, octet by octet.

use crate::hex;
use ldapgate_proto::message::{Operation, SicilyStep};
use ldapgate_proto::{
    Authentication, BindRequest, BindResponse, Bytes, Change, ChangeOp, Controls, ExtendedResponse,
    IntermediateResponse, LdapResult, Limits, Message, MessageId, ModifyRequest, NoticeOfDisconnection,
    Request, Response, ResultCode,
};

/// The bytes are read as the value, and the value is written as the bytes.
fn response(octets: &str, id: u32, expected: Response) {
    let frame = hex(octets);
    let message = Message::<Response>::decode(&frame, &Limits::client()).unwrap();
    assert_eq!(message, Message { id: MessageId(id), operation: expected, controls: Controls::default() });
    assert_eq!(message.encode(), frame);
}

fn request(octets: &str) -> Request {
    let frame = hex(octets);
    let message = Message::<Request>::decode(&frame, &Limits::server()).unwrap();
    assert_eq!(message.encode(), frame);
    message.operation
}

fn read<T: Operation>(octets: &str) -> Result<Message<T>, ldapgate_proto::ber::Error> {
    Message::decode(&hex(octets), &Limits::client())
}

#[test]
fn a_referral_names_other_servers() {
    let mut result = LdapResult::new(ResultCode::REFERRAL, "ask b");
    result.matched_dn = "dc=x".to_owned();
    result.referrals = vec!["ldap://b/".to_owned(), "ldap://c/".to_owned()];
    response(
        "30 2d 02 01 07 65 28 0a 01 0a 04 04 64633d78 04 05 61736b2062 a3 16 04 09 6c6461703a2f2f622f 04 09 6c6461703a2f2f632f",
        7,
        Response::SearchDone(result),
    );
}

#[test]
fn a_reference_names_where_the_search_goes_on() {
    let urls = vec!["ldap://b/".to_owned()];
    response("30 10 02 01 02 73 0b 04 09 6c6461703a2f2f622f", 2, Response::SearchReference(urls));
}

#[test]
fn an_intermediate_response_may_have_a_name_and_a_value() {
    let full =
        IntermediateResponse { oid: Some("1.2".to_owned()), value: Some(Bytes::from_static(&[0, 0xff])) };
    response("30 0e 02 01 02 79 09 80 03 312e32 81 02 00ff", 2, Response::Intermediate(full));
    let empty = IntermediateResponse { oid: None, value: None };
    response("30 05 02 01 02 79 00", 2, Response::Intermediate(empty));
}

#[test]
fn a_notice_of_disconnection_has_the_id_zero() {
    let notice = NoticeOfDisconnection::response(LdapResult::new(ResultCode::UNAVAILABLE, "bye"));
    response(
        "30 27 02 01 00 78 22 0a 01 34 04 00 04 03 627965 8a 16 312e332e362e312e342e312e313436362e3230303336",
        0,
        Response::Extended(notice),
    );
    assert!(ExtendedResponse::new(LdapResult::success()).oid.is_none());
}

#[test]
fn a_sasl_bind_goes_both_ways() {
    let Request::Bind(bind) =
        request("30 19 02 01 01 60 14 02 01 03 04 00 a3 0d 04 05 504c41494e 04 04 00610062")
    else {
        panic!("no bind");
    };
    let Authentication::Sasl { mechanism, credentials } = bind.authentication else { panic!("no SASL") };
    assert_eq!((mechanism.as_str(), credentials.as_deref()), ("PLAIN", Some(&b"\0a\0b"[..])));
    let Request::Bind(bind) = request("30 17 02 01 01 60 12 02 01 03 04 00 a3 0b 04 09 4353414d2d4d4435 35")
    else {
        panic!("no bind");
    };
    assert!(matches!(bind.authentication, Authentication::Sasl { credentials: None, .. }));
    response(
        "30 10 02 01 01 61 0b 0a 01 0e 04 00 04 00 87 02 6869",
        1,
        Response::Bind(BindResponse {
            result: LdapResult::new(ResultCode::SASL_BIND_IN_PROGRESS, ""),
            server_credentials: Some(Bytes::from_static(b"hi")),
        }),
    );
}

#[test]
fn a_name_without_a_password_is_an_unauthenticated_bind() {
    let Request::Bind(bind) = request("30 10 02 01 01 60 0b 02 01 03 04 04 64633d78 80 00") else {
        panic!("no bind")
    };
    assert!(matches!(bind.authentication, Authentication::Unauthenticated));
    let Request::Bind(bind) = request("30 0c 02 01 01 60 07 02 01 02 04 00 80 00") else { panic!("no bind") };
    assert_eq!(bind.version, 2, "another version is the server's to refuse");
    let anonymous = Request::Bind(BindRequest::anonymous());
    let frame = Message { id: MessageId(1), operation: anonymous, controls: Controls::default() }.encode();
    assert_eq!(frame, hex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00"));
}

#[test]
fn the_steps_of_a_sicily_bind_are_read_and_written_and_its_challenge_is_found() {
    for (tag, step) in
        [("89", SicilyStep::PackageDiscovery), ("8a", SicilyStep::Negotiate), ("8b", SicilyStep::Response)]
    {
        let bytes = format!("30 12 02 01 01 60 0d 02 01 03 04 04 4e544c4d {tag} 02 6869");
        let Request::Bind(bind) = request(&bytes) else { panic!("no bind") };
        let Authentication::Sicily { step: read, credentials } = &bind.authentication else {
            panic!("{bind:?}")
        };
        assert_eq!((*read, &credentials[..]), (step, &b"hi"[..]));
        let operation = Request::Bind(bind);
        let frame = Message { id: MessageId(1), operation, controls: Controls::default() }.encode();
        assert_eq!(frame, hex(&bytes));
    }
    let Response::Bind(challenged) =
        read::<Response>("30 15 02 01 01 61 10 0a 01 00 04 09 4e544c4d535350 00 ff 04 00").unwrap().operation
    else {
        panic!("no answer to a bind")
    };
    assert_eq!(challenged.server_credentials.as_deref(), Some(&b"NTLMSSP\0\xff"[..]));
    assert_eq!(challenged.result, LdapResult::success());
}

#[test]
fn abandon_and_increment_are_read_and_written() {
    let Request::Abandon(id) = request("30 07 02 01 06 50 02 0100") else { panic!("no abandon") };
    assert_eq!(id, MessageId(256));
    let Request::Modify(modify) =
        request("30 1c 02 01 02 66 17 04 04 64633d78 30 0f 30 0d 0a 01 03 30 08 04 01 6e 31 03 04 01 31")
    else {
        panic!("no modify");
    };
    assert_eq!(modify.changes[0].op, ChangeOp::Increment);
}

#[test]
fn long_lengths_of_active_directory_are_read() {
    let long = "30 84 00000010 02 01 01 61 84 00000007 0a 01 00 04 00 04 00";
    let read = read::<Response>(long).unwrap();
    assert_eq!(read.operation, Response::Bind(BindResponse::new(LdapResult::success())));
    let longest = "30 88 0000000000000010 02 01 01 61 84 00000007 0a 01 00 04 00 04 00";
    assert_eq!(self::read::<Response>(longest).unwrap(), read);
}

#[test]
fn components_that_are_not_known_are_ignored_at_the_end() {
    let extended = "30 10 02 01 01 61 0b 0a 01 00 04 00 04 00 9e 02 0000";
    assert_eq!(
        read::<Response>(extended).unwrap().operation,
        Response::Bind(BindResponse::new(LdapResult::success()))
    );
}

#[test]
fn numbers_have_the_shortest_form_and_are_read_in_any() {
    for (id, octets) in [
        (1, "01 01"),
        (127, "01 7f"),
        (128, "02 0080"),
        (65_535, "03 00ffff"),
        (i32::MAX as u32, "04 7fffffff"),
    ] {
        let frame =
            Message { id: MessageId(id), operation: Request::Unbind, controls: Controls::default() }.encode();
        assert_eq!(frame.slice(2..frame.len() - 2), hex(&format!("02 {octets}")));
        assert_eq!(Message::<Request>::decode(&frame, &Limits::server()).unwrap().id, MessageId(id));
    }
    assert_eq!(read::<Request>("30 08 02 04 00000005 42 00").unwrap().id, MessageId(5));
    assert!(read::<Request>("30 08 02 04 80000000 42 00").is_err(), "negative");
    assert!(read::<Request>("30 09 02 05 0080000000 42 00").is_err(), "beyond maxInt");
}

#[test]
fn a_value_of_128_bytes_needs_a_longer_length() {
    for length in [0, 127, 128, 255, 256, 65_535, 65_536] {
        let change =
            Change { op: ChangeOp::Add, attribute: "a".to_owned(), values: vec![vec![7; length].into()] };
        let modify = ModifyRequest { dn: String::new(), changes: vec![change] };
        let message = Message {
            id: MessageId(1),
            operation: Request::Modify(modify.clone()),
            controls: Controls::default(),
        };
        let Request::Modify(read) = Message::decode(&message.encode(), &Limits::server()).unwrap().operation
        else {
            panic!("no modify");
        };
        assert_eq!(read, modify);
    }
}
