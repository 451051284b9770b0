//! Servers that break off, break the rules or lie.

use std::time::Duration;

use ldapgate_client::{Closed, Connection, Error, Search};
use proto::ber::{Tag, Writer};
use proto::message::{ExtendedResponse, Request, Response};
use proto::{Bytes, Controls, Entry, LdapResult, MessageId, PagedResults, ResultCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::peer::{Peer, connected, local};

/// What a server may do to a search. Whatever it is, the search ends with an error that names it, in time, and nothing
/// is left behind.
#[derive(Debug, Clone, Copy)]
enum Fault {
    ClosesMidSearch,
    HalfOpen,
    DribblesBytes,
    DribblesEntries,
    WrongId,
    Oversize,
    TenThousandDeep,
    EndlessCookie,
    EndlessNewCookies,
    NoticeOfDisconnection,
    StartsTlsItself,
}

/// Each with what is told, outermost first, and how long that takes at most, in seconds.
const FAULTS: [(Fault, &str, &str, u64); 11] = [
    (
        Fault::ClosesMidSearch,
        "ended before the search request was answered",
        "the server closed the connection",
        0,
    ),
    (Fault::HalfOpen, "did not answer the search request within 7s", "", 7),
    (Fault::DribblesBytes, "did not answer the search request within 7s", "", 7),
    (Fault::DribblesEntries, "did not answer the search request within 7s", "", 7),
    (Fault::WrongId, "ended before the search request was answered", "the server broke the protocol", 0),
    (Fault::Oversize, "ended before the search request was answered", "the server broke the protocol", 0),
    (
        Fault::TenThousandDeep,
        "ended before the search request was answered",
        "the server broke the protocol",
        0,
    ),
    (Fault::EndlessCookie, "repeats a page of the search", "", 0),
    (Fault::EndlessNewCookies, "repeats a page of the search", "", 0),
    (
        Fault::NoticeOfDisconnection,
        "ended before the search",
        "the server ended the connection: busy (51): no",
        0,
    ),
    (
        Fault::StartsTlsItself,
        "ended before the search request was answered",
        "the server broke the protocol",
        0,
    ),
];

impl Fault {
    /// Plays it until the client has left.
    async fn play(self, mut peer: Peer) {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        match self {
            Fault::ClosesMidSearch => return,
            Fault::HalfOpen => {}
            Fault::DribblesBytes => {
                // A long message is announced.
                peer.raw(b"\x30\x82\x10\x00").await;
                return dribble(peer, None).await;
            }
            Fault::DribblesEntries => return dribble(peer, Some(id)).await,
            Fault::WrongId => {
                let done = Response::SearchDone(LdapResult::success());
                peer.raw(&proto::message::encode(MessageId(id.0 + 7), &done, &Controls::default())).await;
            }
            Fault::Oversize => peer.raw(b"\x30\x84\xff\xff\xff\xff").await,
            Fault::TenThousandDeep => peer.raw(&nested(id, 10_000)).await,
            Fault::EndlessCookie => return page_after_page(peer, id, |_| "again".to_owned()).await,
            Fault::EndlessNewCookies => return page_after_page(peer, id, |page| page.to_string()).await,
            Fault::NoticeOfDisconnection => {
                peer.notice(LdapResult::new(ResultCode::BUSY, "no")).await;
            }
            Fault::StartsTlsItself => {
                let answer = Response::Extended(proto::StartTls::response(LdapResult::success()));
                peer.raw(&proto::message::encode(id, &answer, &Controls::default())).await;
            }
        }
        while peer.try_request().await.is_some() {}
    }
}

/// Each second an entry, or one byte of a message, until the client has left.
async fn dribble(mut peer: Peer, entries: Option<MessageId>) {
    loop {
        match tokio::time::timeout(Duration::from_secs(1), peer.try_request()).await {
            Ok(None) => return,
            // It has been told that nobody waits any more: that takes a while to arrive.
            Ok(Some(_)) => {}
            Err(_) => match entries {
                Some(id) => {
                    let entry = Response::SearchEntry(Entry::builder("cn=a").build());
                    peer.raw(&proto::message::encode(id, &entry, &Controls::default())).await;
                }
                None => peer.raw(b"\x02").await,
            },
        }
    }
}

/// A search's result with so many sequences in one another.
fn nested(id: MessageId, depth: usize) -> Bytes {
    let mut content = Writer::new();
    let marks: Vec<_> = (0..depth).map(|_| content.begin(Tag::SEQUENCE)).collect();
    marks.into_iter().rev().for_each(|mark| content.end(mark));
    let mut writer = Writer::new();
    writer.constructed(Tag::SEQUENCE, |writer| {
        writer.integer(Tag::INTEGER, i64::from(id.0));
        writer.octets(Tag::application(5).constructed(), content.finish());
    });
    writer.finish()
}

/// Ends each page without an entry and with another to come, until the client has left.
async fn page_after_page(mut peer: Peer, id: MessageId, cookie: impl Fn(u32) -> String) {
    let mut waiting = Some(id);
    for page in 0.. {
        if let Some(id) = waiting {
            let control = PagedResults { size: 0, cookie: cookie(page).into() }.to_control();
            peer.reply_with(id, Response::SearchDone(LdapResult::success()), vec![control]).await;
        }
        let Some(message) = peer.try_request().await else { return };
        waiting = matches!(message.operation, Request::Search(_)).then_some(message.id);
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_ends_in_an_error_that_names_it_in_time_and_leaves_nothing_behind() {
    for (fault, told, cause, seconds) in FAULTS {
        let (connection, peer) = connected(&local().timeout(Duration::from_secs(7))).await;
        let began = Instant::now();
        let playing = tokio::spawn(fault.play(peer));
        let search = Search::below("dc=x").page_size(Some(2));
        let error = connection.search(&search).await.unwrap_err();
        assert!(error.to_string().contains(told), "{fault:?}: {error}");
        assert!(error.causes().first().map_or("", String::as_str).starts_with(cause), "{fault:?}: {error:?}");
        assert_eq!(began.elapsed().as_secs(), seconds, "{fault:?}");
        assert!(error.sent(), "{fault:?}");
        if !connection.is_closed() {
            all_slots_are_free(&connection).await;
        }
        drop(connection);
        playing.await.unwrap();
        settled().await;
    }
}

/// As many operations as a connection takes can be under way.
async fn all_slots_are_free(connection: &Connection) {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..256 {
        let caller = connection.clone();
        calls.spawn(async move { caller.compare("cn=a", "cn", "a").await });
    }
    while let Some(call) = calls.join_next().await {
        let error = call.unwrap().unwrap_err();
        // Not one of them waited for its turn in vain: all were sent.
        assert!(matches!(&error, Error::Timeout { sent: true, .. }), "{error:?}");
    }
}

/// Every task has ended: the test's own is none that is counted.
async fn settled() {
    let tasks = tokio::runtime::Handle::current().metrics();
    for _ in 0..1000 {
        if tasks.num_alive_tasks() == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{} tasks are left", tasks.num_alive_tasks());
}

/// What a server may do to StartTLS.
#[derive(Debug, Clone, Copy)]
enum Start {
    Refuses,
    BytesBefore,
    BytesWithTheAnswer,
    BytesInPlaceOfTheHandshake,
    Silence,
    SilenceInTheHandshake,
    Closes,
}

#[tokio::test(start_paused = true)]
async fn every_fault_around_start_tls_ends_the_connection_and_leaves_nothing_behind() {
    for (start, told) in [
        (Start::Refuses, "refused the StartTLS request: protocolError (2): never"),
        (Start::BytesBefore, "clear text arrived where the TLS handshake had to begin"),
        (Start::BytesWithTheAnswer, "clear text arrived where the TLS handshake had to begin"),
        (Start::BytesInPlaceOfTheHandshake, "no TLS with ldap://localhost"),
        (Start::Silence, "did not answer the StartTLS request within 3s"),
        (Start::SilenceInTheHandshake, "the TLS handshake took too long"),
        (Start::Closes, "the server closed the connection"),
    ] {
        let options = local().start_tls(true).tls(crate::start_tls::nobody_trusted());
        let (client, server) = tokio::io::duplex(4096);
        let began = Instant::now();
        let playing = tokio::spawn(start.play(Peer::new(server)));
        let error = Connection::over(client, &options).await.unwrap_err();
        let lines = [vec![error.to_string()], error.causes()].concat();
        assert!(lines.iter().any(|line| line.contains(told)), "{start:?}: {lines:?}");
        assert!(began.elapsed().as_secs() <= 3, "{start:?}");
        playing.await.unwrap();
        settled().await;
    }
}

impl Start {
    async fn play(self, mut peer: Peer) {
        let id = peer.request().await.id;
        let encoded = |id, response| proto::message::encode(id, &response, &Controls::default());
        let success = encoded(id, Response::Extended(proto::StartTls::response(LdapResult::success())));
        let forged = encoded(MessageId(id.0 + 1), Response::SearchDone(LdapResult::success()));
        match self {
            Start::Refuses => {
                let refusal = LdapResult::new(ResultCode::PROTOCOL_ERROR, "never");
                peer.reply(id, Response::Extended(proto::StartTls::response(refusal))).await;
            }
            Start::BytesBefore => {
                let notice = ExtendedResponse {
                    oid: Some("1.2.3".into()),
                    ..ExtendedResponse::new(LdapResult::success())
                };
                peer.raw(&encoded(MessageId(0), Response::Extended(notice))).await;
            }
            Start::BytesWithTheAnswer => peer.raw(&[success, forged].concat()).await,
            Start::BytesInPlaceOfTheHandshake => {
                peer.raw(&success).await;
                let mut hello = [0];
                peer.stream.read_exact(&mut hello).await.unwrap();
                peer.raw(&forged).await;
            }
            Start::Silence => {}
            Start::SilenceInTheHandshake => peer.raw(&success).await,
            Start::Closes => return,
        }
        // Until the client has left.
        let mut rest = Vec::new();
        peer.stream.read_to_end(&mut rest).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_after_an_abandon_is_nobody_s_and_costs_nothing() {
    let (connection, mut peer) = connected(&local().timeout(Duration::from_secs(7))).await;
    let caller = connection.clone();
    let dropped = tokio::spawn(async move { caller.read("cn=a", &[]).await });
    let (dropped_id, ..) = peer.search().await;
    dropped.abort();
    assert!(matches!(peer.request().await.operation, Request::Abandon(id) if id == dropped_id));
    let (late, late_id) = tokio::join!(connection.read("cn=b", &[]), async { peer.search().await.0 });
    assert!(matches!(late.unwrap_err(), Error::Timeout { .. }));
    assert!(matches!(peer.request().await.operation, Request::Abandon(id) if id == late_id));
    let (read, ()) = tokio::join!(connection.read("cn=c", &[]), async {
        let (id, ..) = peer.search().await;
        for late in [dropped_id, late_id] {
            let entry = Entry::builder("cn=late").attribute("cn", ["x"]).build();
            for response in [Response::SearchEntry(entry), Response::SearchDone(LdapResult::success())] {
                peer.raw(&proto::message::encode(late, &response, &Controls::default())).await;
            }
        }
        peer.entry(id, "cn=c").await;
        peer.done(id).await;
    });
    assert_eq!(read.unwrap().unwrap().dn(), "cn=c");
    all_slots_are_free(&connection).await;
    drop((connection, peer));
    settled().await;
}

/// Asks, lets the peer misbehave, and returns what the caller is told.
async fn asked(misbehave: impl AsyncFnOnce(Peer, MessageId)) -> (Error, Connection) {
    let (connection, mut peer) = connected(&local()).await;
    let (read, ()) = tokio::join!(connection.read("cn=a", &[]), async {
        let (id, ..) = peer.search().await;
        misbehave(peer, id).await;
    });
    (read.unwrap_err(), connection)
}

fn reason(error: &Error) -> &Closed {
    let Error::Closed { source, .. } = error else { panic!("not closed: {error:?}") };
    source
}

#[tokio::test]
async fn a_server_that_hangs_up_fails_what_waits() {
    let (error, connection) = asked(async |peer, _| drop(peer)).await;
    assert!(matches!(reason(&error), Closed::ByPeer), "{error:?}");
    assert!(error.sent() && error.is_unreachable() && connection.is_closed());
}

#[tokio::test]
async fn a_notice_of_disconnection_is_the_reason_told() {
    let (error, _) = asked(async |mut peer, _| {
        peer.notice(LdapResult::new(ResultCode::UNAVAILABLE, "shutting down")).await;
    })
    .await;
    assert_eq!(error.causes(), ["the server ended the connection: unavailable (52): shutting down"]);
    assert_eq!(error.result().unwrap().code, ResultCode::UNAVAILABLE);
}

#[tokio::test]
async fn a_notice_is_also_told_to_those_who_come_later() {
    let (connection, mut peer) = connected(&local()).await;
    peer.notice(LdapResult::new(ResultCode::BUSY, "too many")).await;
    drop(peer);
    let error = connection.read("cn=a", &[]).await.unwrap_err();
    assert!(matches!(reason(&error), Closed::Notice(_)), "{error:?}");
    assert!(!error.sent());
}

#[tokio::test]
async fn a_server_that_has_hung_up_is_noticed_before_a_request_is_written() {
    for _ in 0..100 {
        let (connection, peer) = connected(&local()).await;
        drop(peer);
        let error = connection.read("cn=a", &[]).await.unwrap_err();
        assert!(matches!(&error, Error::Closed { sent: false, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_has_hung_up_over_tcp_is_noticed_before_a_request_is_written() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    let options = ldapgate_client::Options::new([url]).unwrap();
    for _ in 0..100 {
        let (connection, accepted) = tokio::join!(Connection::open(&options), listener.accept());
        // A socket that is only dropped stays open in the children that other tests start at the same time, until each has
        // become its program; a shutdown is one at once.
        accepted.unwrap().0.shutdown().await.unwrap();
        let error = connection.unwrap().read("cn=a", &[]).await.unwrap_err();
        assert!(matches!(&error, Error::Closed { sent: false, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_ldap_end_the_connection() {
    for garbage in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x30\x80\x00\x00", b"\x30\x03\x02\x01"] {
        let (error, connection) = asked(async |mut peer, _| {
            peer.raw(garbage).await;
            drop(peer);
        })
        .await;
        assert!(matches!(reason(&error), Closed::Protocol(_) | Closed::ByPeer), "{error:?}");
        assert!(connection.is_closed());
    }
}

#[tokio::test]
async fn a_message_that_would_be_too_long_is_refused_by_its_header() {
    // 4 GiB are announced; nothing of them is sent, and nothing is waited for.
    let (error, _) = asked(async |mut peer, _| {
        peer.raw(b"\x30\x84\xff\xff\xff\xff").await;
        peer.is_left().await;
    })
    .await;
    assert!(matches!(reason(&error), Closed::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_to_what_was_never_asked_ends_the_connection() {
    let (error, _) = asked(async |mut peer, id| {
        let answer = Response::SearchDone(LdapResult::success());
        let wrong = proto::message::encode(MessageId(id.0 + 7), &answer, &proto::Controls::default());
        peer.raw(&wrong).await;
        peer.is_left().await;
    })
    .await;
    assert!(matches!(reason(&error), Closed::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_of_the_wrong_kind_ends_the_connection() {
    let (error, _) = asked(async |mut peer, id| {
        let answer = Response::Delete(LdapResult::success());
        peer.raw(&proto::message::encode(id, &answer, &proto::Controls::default())).await;
        peer.is_left().await;
    })
    .await;
    assert!(matches!(reason(&error), Closed::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn an_unknown_notice_changes_nothing() {
    let (connection, mut peer) = connected(&local()).await;
    let (read, ()) = tokio::join!(connection.read("cn=a", &[]), async {
        let (id, ..) = peer.search().await;
        let notice = Response::Extended(ExtendedResponse {
            result: LdapResult::success(),
            oid: Some("1.2.3.4".into()),
            value: None,
        });
        peer.raw(&proto::message::encode(MessageId(0), &notice, &proto::Controls::default())).await;
        peer.entry(id, "cn=a").await;
        peer.done(id).await;
    });
    assert!(read.unwrap().is_some());
}

#[tokio::test]
async fn an_unreachable_server_is_told_with_what_to_check() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Connection::open(&ldapgate_client::Options::new([&url]).unwrap()).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot connect to {url}: check")), "{error}");
    assert!(error.causes()[0].to_lowercase().contains("refused"), "{:?}", error.causes());
    assert!(error.is_unreachable() && !error.sent());
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    // A label of 64 letters is no name (RFC 1035 section 2.3.4): the resolver asks nobody.
    let name = "a".repeat(64);
    let options = ldapgate_client::Options::new([format!("ldap://{name}")]).unwrap();
    let error = Connection::open(&options).await.unwrap_err();
    assert!(matches!(&error, Error::Resolve { host, .. } if *host == name), "{error:?}");
}
