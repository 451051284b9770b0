//! Servers that break off, break the rules or lie.

use ldapgate_client::{Closed, Connection, Error};
use proto::message::{ExtendedResponse, Response};
use proto::{LdapResult, MessageId, ResultCode};

use crate::peer::{Peer, connected, local};

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
        drop(accepted.unwrap());
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
