//! Peers that do not mean well.

use proto::{Event, MessageId, Request, ResultCode, SearchRequest, StartTls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{ALICE, ALICE_PASSWORD, Peer, below, demo};

/// What the server says to bytes that a client would never send.
async fn told(bytes: &[u8]) -> Option<ResultCode> {
    let (_directory, mut peer) = Peer::demo();
    peer.stream.write_all(bytes).await.unwrap();
    let told = match peer.event().await {
        Some(Event::Disconnected(result)) => Some(result.code),
        other => panic!("{bytes:x?} got {other:?}"),
    };
    assert!(peer.event().await.is_none(), "the connection stays open after {bytes:x?}");
    told
}

#[tokio::test]
async fn bytes_that_are_no_ldap_end_the_connection_with_a_notice() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x30\x00",
        b"\x30\x80\x02\x01\x01",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x05\x02\x01\x00\x42\x00",
        b"\x30\x05\x02\x01\x01\x5f\x00",
        b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x7f",
        // A message id of 2^31.
        b"\x30\x09\x02\x05\x00\x80\x00\x00\x00\x42\x00",
    ] {
        assert_eq!(told(bytes).await, Some(ResultCode::PROTOCOL_ERROR), "{bytes:x?}");
    }
}

#[tokio::test]
async fn a_filter_that_nests_without_end_is_refused() {
    let mut filter = b"\x87\x01a".to_vec();
    for _ in 0..5_000 {
        let length = u16::try_from(filter.len()).unwrap().to_be_bytes();
        filter = [&[0xa2, 0x82, length[0], length[1]], &filter[..]].concat();
    }
    let mut body = b"\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00".to_vec();
    body.extend(filter);
    body.extend(b"\x30\x00");
    let sequence = |tag: u8, content: Vec<u8>| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], &content[..]].concat()
    };
    let message = sequence(0x30, [&b"\x02\x01\x01"[..], &sequence(0x63, body)].concat());
    assert_eq!(told(&message).await, Some(ResultCode::PROTOCOL_ERROR));
}

#[tokio::test]
async fn a_request_cut_into_single_bytes_is_understood() {
    let (_directory, mut peer) = Peer::demo();
    let bytes = proto::message::encode(
        MessageId(7),
        &Request::Search(SearchRequest { attributes: vec!["1.1".into()], ..below("(uid=alice)") }),
        &proto::Controls::default(),
    );
    for byte in bytes {
        peer.stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = vec![0; 16];
    peer.stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[2..6], b"\x02\x01\x07\x64");
}

#[tokio::test]
async fn whatever_comes_in_the_server_does_not_panic() {
    let good = proto::message::encode(
        MessageId(1),
        &Request::Search(below("(&(uid=alice)(|(cn=a*b*c)(sn>=x)(!(mail:dn:2.5.13.2:=y))))")),
        &proto::Controls::from(vec![proto::PagedResults::request(3, b"cookie")]),
    );
    let directory = demo().build();
    // A small generator of its own: the same bytes at every run.
    let mut state = 0x2545_f491_u32;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    for _ in 0..10_000 {
        let mut bytes = good.to_vec();
        for _ in 0..1 + random() % 3 {
            let position = random() as usize % bytes.len();
            bytes[position] = random().to_be_bytes()[0];
        }
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let served = tokio::spawn(directory.clone().serve_stream(ours));
        theirs.write_all(&bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = theirs.read_to_end(&mut answer).await;
        served.await.unwrap_or_else(|error| panic!("{bytes:x?}: {error}"));
    }
}

#[tokio::test]
async fn an_abandoned_search_is_not_answered_any_more() {
    let (directory, mut peer) = Peer::demo();
    directory.faults().next(
        directory::Kind::Search,
        1,
        directory::Fault::Delay(std::time::Duration::from_secs(60)),
    );
    let asked = peer.send(&Request::Search(below("(uid=alice)")), Vec::new()).await;
    peer.abandon(asked).await;
    assert_eq!(peer.find("(uid=bob)").await.entries.len(), 1);
    let log = directory.operations();
    assert_eq!(log[0].code, None);
    assert_eq!(directory.counters().abandons, 1);
}

#[tokio::test]
async fn a_bind_gives_up_what_is_outstanding() {
    let (directory, mut peer) = Peer::demo();
    directory.faults().next(
        directory::Kind::Search,
        1,
        directory::Fault::Delay(std::time::Duration::from_secs(60)),
    );
    let search = proto::message::encode(
        MessageId(1),
        &Request::Search(below("(uid=bob)")),
        &proto::Controls::default(),
    );
    let password = proto::Password::new(ALICE_PASSWORD).unwrap();
    let bind = Request::Bind(proto::BindRequest::simple(ALICE, password));
    let bind = proto::message::encode(MessageId(2), &bind, &proto::Controls::default());
    peer.stream.write_all(&[search, bind].concat()).await.unwrap();
    let mut answer = vec![0; 6];
    peer.stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[2..6], b"\x02\x01\x02\x61", "the first answer is the bind's");
}

#[tokio::test]
async fn start_tls_without_a_certificate_and_unknown_operations_are_refused() {
    let (_directory, mut peer) = Peer::demo();
    assert_eq!(peer.ask(&Request::Extended(StartTls::request())).await.code(), 2);
    let unknown = proto::ExtendedRequest { oid: "1.2.3.4".into(), value: None };
    assert_eq!(peer.ask(&Request::Extended(unknown)).await.code(), 2);
    assert_eq!(peer.find("(uid=alice)").await.code(), 0);
}

#[tokio::test]
async fn a_control_that_is_malformed_or_critical_elsewhere_is_refused() {
    let (_directory, mut peer) = Peer::demo();
    let mut control = proto::PagedResults::request(5, b"");
    control.value = Some(proto::Bytes::from_static(b"\x30\x01"));
    let search = Request::Search(below("(uid=alice)"));
    assert_eq!(peer.ask_with(&search, vec![control]).await.code(), 2);
    let mut paged = proto::PagedResults::request(5, b"");
    assert_eq!(peer.ask_with(&search, vec![paged.clone(), paged.clone()]).await.code(), 2);
    paged.critical = true;
    let compare = proto::CompareRequest { dn: ALICE.into(), attribute: "sn".into(), value: "Adams".into() };
    assert_eq!(peer.ask_with(&Request::Compare(compare), vec![paged]).await.code(), 12);
}
