//! Bytes that a peer sends to do harm.

use crate::hex;
use bytes::BytesMut;
use ldapgate_proto::ber::{ErrorKind, Tag, Writer, frame_length};
use ldapgate_proto::{
    Bytes, ClientSession, Control, Controls, Limits, Message, MessageId, PagedResults, PasswordExpiring,
    PasswordPolicy, Request, Response, ServerSession, SessionError,
};
use proptest::prelude::*;

/// A search request whose filter is `depth` elements of this tag around a presence filter.
fn nested(tag: Tag, depth: usize) -> Bytes {
    let mut writer = Writer::new();
    let message = writer.begin(Tag::SEQUENCE);
    writer.integer(Tag::INTEGER, 1);
    let search = writer.begin(Tag::application(3));
    writer.octets(Tag::OCTETS, "");
    writer.integer(Tag::ENUMERATED, 0);
    writer.integer(Tag::ENUMERATED, 0);
    writer.integer(Tag::INTEGER, 0);
    writer.integer(Tag::INTEGER, 0);
    writer.boolean(Tag::BOOLEAN, false);
    let marks: Vec<_> = (0..depth).map(|_| writer.begin(tag)).collect();
    writer.octets(Tag::context(7), "cn");
    marks.into_iter().rev().for_each(|mark| writer.end(mark));
    writer.constructed(Tag::SEQUENCE, |_| {});
    writer.end(search);
    writer.end(message);
    writer.finish()
}

fn kind_of_request(frame: &Bytes) -> Option<ErrorKind> {
    Message::<Request>::decode(frame, &Limits::server()).err().map(|error| error.kind)
}

/// Runs in a thread whose stack is too small for any recursion of that depth.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn(work).unwrap();
    thread.join().unwrap();
}

#[test]
fn a_filter_nested_10000_deep_is_refused_without_recursion() {
    on_a_small_stack(|| {
        for tag in [Tag(0xa0), Tag(0xa1), Tag(0xa2)] {
            let frame = nested(tag, 10_000);
            assert_eq!(kind_of_request(&frame), Some(ErrorKind::TooDeep { limit: 100 }));
            let mut session = ServerSession::new(Limits::server());
            assert!(matches!(
                session.receive(&mut BytesMut::from(&frame[..])),
                Err(SessionError::Malformed(_))
            ));
            assert!(session.is_closed());
        }
    });
}

#[test]
fn a_filter_nested_as_deep_as_allowed_is_read_and_one_deeper_is_not() {
    on_a_small_stack(|| {
        for tag in [Tag(0xa0), Tag(0xa2)] {
            let limits = Limits { max_depth: 50, ..Limits::server() };
            assert!(Message::<Request>::decode(&nested(tag, 49), &limits).is_ok());
            assert!(Message::<Request>::decode(&nested(tag, 60), &limits).is_err());
        }
    });
}

#[test]
fn nesting_is_judged_wherever_it_is() {
    let mut frame = vec![0; 0];
    for _ in 0..5_000 {
        let mut writer = Writer::new();
        writer.octets(Tag::SEQUENCE, &frame);
        frame = writer.finish().to_vec();
    }
    let error = Message::<Response>::decode(&frame.into(), &Limits::client()).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::UnexpectedTag { .. } | ErrorKind::TooDeep { .. }));
}

#[test]
fn a_frame_that_is_too_long_is_refused_by_its_header() {
    let limits = Limits { max_frame: 1000, ..Limits::server() };
    assert_eq!(frame_length(&hex("30 82 03e4"), &limits).unwrap(), Some(1000));
    let refused = frame_length(&hex("30 82 03e5"), &limits).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::FrameTooLong { length: 1001, limit: 1000 });
    assert!(frame_length(&hex("30 88 ffffffffffffffff"), &limits).is_err());
    let mut session = ServerSession::new(limits);
    let mut buffer = BytesMut::from(&hex("30 84 7fffffff")[..]);
    assert!(matches!(session.receive(&mut buffer), Err(SessionError::Malformed(_))));
}

#[test]
fn a_header_that_is_incomplete_is_waited_for() {
    for prefix in ["", "30", "30 84", "30 84 000000"] {
        assert_eq!(frame_length(&hex(prefix), &Limits::server()), Ok(None), "{prefix}");
    }
}

#[test]
fn indefinite_lengths_long_tags_and_other_protocols_are_refused_at_once() {
    let kind = |octets: &[u8]| frame_length(octets, &Limits::server()).unwrap_err().kind;
    assert_eq!(kind(&[0x30, 0x80]), ErrorKind::IndefiniteLength);
    assert_eq!(kind(&[0x30, 0x89]), ErrorKind::LengthOfLength);
    assert_eq!(kind(&[0x30, 0xff]), ErrorKind::LengthOfLength);
    assert!(matches!(kind(b"GET / HTTP/1.1"), ErrorKind::UnexpectedTag { found: Tag(b'G'), .. }));
    assert!(matches!(kind(&[0x16, 0x03, 0x01]), ErrorKind::UnexpectedTag { found: Tag(0x16), .. }));
    assert_eq!(kind_of_request(&hex("30 05 02 01 01 5f 00")), Some(ErrorKind::LongTag));
    assert_eq!(kind_of_request(&hex("30 07 02 01 01 60 80 00 00")), Some(ErrorKind::IndefiniteLength));
}

#[test]
fn errors_name_the_byte() {
    let offset =
        |octets: &str| Message::<Request>::decode(&hex(octets), &Limits::server()).unwrap_err().offset;
    assert_eq!(offset("30 05 02 01 01 61 00"), 5, "a response is no request");
    assert_eq!(offset("30 05 02 01 01 42 01"), 5, "longer than what is around it");
    assert_eq!(offset("30 0c 02 01 01 60 07 02 01 03 04 00 85 00"), 12, "unknown authentication");
    assert_eq!(offset("30 0d 02 01 01 60 08 02 01 03 04 01 ff 80 00"), 12, "a name that is not UTF-8");
}

#[test]
fn more_elements_than_allowed_are_refused() {
    let limits = Limits { max_elements: 10, ..Limits::client() };
    let urls = vec!["x".to_owned(); 8];
    let message = Message {
        id: MessageId(1),
        operation: Response::SearchReference(urls),
        controls: Controls::default(),
    };
    let error = Message::<Response>::decode(&message.encode(), &limits).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooManyElements { limit: 10 });
}

#[test]
fn more_controls_than_allowed_are_refused() {
    let controls: Controls = (0..65).map(|_| PasswordPolicy::request()).collect();
    let frame = Message { id: MessageId(1), operation: Request::Unbind, controls }.encode();
    assert_eq!(kind_of_request(&frame), Some(ErrorKind::TooManyControls { limit: 64 }));
}

#[test]
fn a_frame_cut_anywhere_is_an_error() {
    let search = nested(Tag(0xa0), 3);
    for end in 0..search.len() {
        assert!(Message::<Request>::decode(&search.slice(..end), &Limits::server()).is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let bytes = Bytes::from(bytes);
        let _ = Message::<Request>::decode(&bytes, &Limits::server());
        let _ = Message::<Response>::decode(&bytes, &Limits::client());
        let _ = frame_length(&bytes, &Limits::client());
        let control = Control { oid: String::new(), critical: false, value: Some(bytes.clone()) };
        let _ = PagedResults::parse(&control);
        let _ = PasswordPolicy::parse(&control);
        let _ = PasswordExpiring::parse(&control);
        let _ = ServerSession::new(Limits::server()).receive(&mut BytesMut::from(&bytes[..]));
        let _ = ClientSession::new(Limits::client()).receive(&mut BytesMut::from(&bytes[..]));
    }

    /// The envelope is sound, so that the operations see the noise.
    #[test]
    fn noise_inside_of_every_operation_never_panics(
        tag in 0x40_u8..=0x7e,
        noise in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x04), Just(0x30), Just(0x02), 0_u8..9], 0..60),
    ) {
        let mut writer = Writer::new();
        writer.constructed(Tag::SEQUENCE, |writer| {
            writer.integer(Tag::INTEGER, 1);
            writer.octets(Tag(tag), &noise);
        });
        let frame = writer.finish();
        let _ = Message::<Request>::decode(&frame, &Limits::server());
        let _ = Message::<Response>::decode(&frame, &Limits::client());
    }

    /// One octet of a sound message is changed.
    #[test]
    fn a_changed_octet_never_panics(message in crate::values::response(), at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut bytes = message.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = octet;
        if let Ok(read) = Message::<Response>::decode(&bytes.into(), &Limits::client()) {
            let _ = format!("{read:?}");
            if let Response::SearchEntry(entry) = read.operation {
                entry.attributes().for_each(|attribute| assert!(attribute.values().count() < 1_000));
            }
        }
    }
}
