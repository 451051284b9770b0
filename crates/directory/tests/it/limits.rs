//! What one peer may cost, and where the server listens.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::time::Duration;

use directory::{Directory, Fault, Kind, Limits, ListenError, LoadError};
use proto::{Event, Request, ResultCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{ALICE, ALICE_PASSWORD, Peer, Server, below, clock, demo};

fn disconnected(event: Option<Event>) -> Option<ResultCode> {
    match event {
        Some(Event::Disconnected(result)) => Some(result.code),
        _ => None,
    }
}

#[tokio::test]
async fn only_loopback_is_listened_on_unless_it_is_asked_for_by_name() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:389"] {
        let refused = Directory::listen(address.parse().unwrap()).await.unwrap_err();
        assert!(matches!(refused, ListenError::NotLoopback { .. }), "{address}");
    }
    assert!(Directory::listen("127.0.0.1:0".parse().unwrap()).await.is_ok());
    assert!(Directory::danger_listen_anywhere("0.0.0.0:0".parse().unwrap()).await.is_ok());
}

#[tokio::test]
async fn a_connection_too_many_is_told_that_the_server_is_busy() {
    let directory = demo().limits(Limits { connections: 1, ..Limits::default() }).build();
    let mut first = Peer::of(&directory);
    assert_eq!(first.find("(uid=alice)").await.code(), 0);
    let mut second = Peer::of(&directory);
    assert_eq!(disconnected(second.event().await), Some(ResultCode::BUSY));
    assert!(second.event().await.is_none());
    first.unbind().await;
    assert!(first.event().await.is_none());
    assert_eq!(Peer::of(&directory).find("(uid=alice)").await.code(), 0);
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_by_its_header() {
    let directory = demo().limits(Limits { frame: 1024, ..Limits::default() }).build();
    let mut peer = Peer::of(&directory);
    peer.stream.write_all(&[0x30, 0x82, 0x04, 0x00]).await.unwrap();
    assert_eq!(disconnected(peer.event().await), Some(ResultCode::PROTOCOL_ERROR));
    assert!(peer.event().await.is_none());
}

#[tokio::test]
async fn a_silent_peer_and_an_endless_request_are_sent_away() {
    let short = Duration::from_millis(50);
    let directory = demo().limits(Limits { idle: short, ..Limits::default() }).build();
    assert_eq!(disconnected(Peer::of(&directory).event().await), Some(ResultCode::UNAVAILABLE));
    let directory = demo().limits(Limits { frame_time: short, ..Limits::default() }).build();
    let mut peer = Peer::of(&directory);
    peer.stream.write_all(&[0x30, 0x20, 0x02]).await.unwrap();
    assert_eq!(disconnected(peer.event().await), Some(ResultCode::UNAVAILABLE));
}

#[tokio::test]
async fn a_search_in_work_is_not_silence() {
    let directory = demo().limits(Limits { idle: Duration::from_millis(20), ..Limits::default() }).build();
    directory.faults().next(Kind::Search, 1, Fault::Delay(Duration::from_millis(100)));
    assert_eq!(Peer::of(&directory).find("(uid=alice)").await.entries.len(), 1);
}

#[tokio::test]
async fn more_requests_than_are_worked_on_wait_their_turn() {
    let directory = demo().limits(Limits { outstanding: 2, ..Limits::default() }).build();
    let mut peer = Peer::of(&directory);
    let mut asked = Vec::new();
    for _ in 0..50 {
        asked.push(peer.send(&Request::Search(below("(uid=alice)")), Vec::new()).await);
    }
    let mut done = 0;
    while done < asked.len() {
        if let Some(Event::Response { last: true, .. }) = peer.event().await {
            done += 1;
        }
    }
    assert_eq!(directory.counters().entries, 50);
}

#[tokio::test]
async fn a_time_limit_ends_a_search_that_takes_too_long() {
    let directory = demo().limits(Limits { time: Some(0), ..Limits::default() }).build();
    let answer = Peer::of(&directory).find("(uid=*)").await;
    assert_eq!((answer.code(), answer.entries.len()), (3, 0));
}

#[tokio::test]
async fn a_full_directory_takes_nothing_more() {
    let small = Limits { entries: 3, ..Limits::default() };
    let error = Directory::builder(clock()).limits(small).ldif(directory::DEMO).unwrap_err();
    assert!(matches!(error, LoadError::TooMany { limit: 3, .. }), "{error}");
    let full = Limits { entries: directory::DEMO.matches("\ndn:").count(), ..Limits::default() };
    let directory = demo().limits(full).build();
    let mut peer = Peer::of(&directory);
    peer.bind(ALICE, ALICE_PASSWORD).await;
    let values = |value: &'static str| vec![proto::Bytes::from(value)];
    let attributes = vec![("objectClass".into(), values("domain")), ("dc".into(), values("x"))];
    let add = proto::AddRequest { dn: "dc=x,dc=example,dc=com".into(), attributes };
    assert_eq!(peer.ask(&Request::Add(add)).await.code(), 11);
}

#[tokio::test]
async fn stopping_closes_every_connection_and_frees_the_port() {
    let server = Server::demo().await;
    let address = server.running.address();
    let mut socket = TcpStream::connect(address).await.unwrap();
    server.running.stop().await;
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(address).await.is_err());
    let again = server.directory.serve(Directory::listen(address).await.unwrap()).await;
    assert_eq!(again.url(), format!("ldap://{address}"));
    assert_eq!(server.directory.counters().open, 0);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_sent_away_and_costs_little() {
    let mut text = String::new();
    for number in 0..200 {
        text += &format!(
            "dn: cn=c{number},dc=example,dc=com\ncn: c{number}\ndescription: {}\n\n",
            "x".repeat(10_000)
        );
    }
    let limits = Limits { idle: Duration::from_millis(100), ..Limits::default() };
    let directory = Directory::builder(clock()).limits(limits).ldif(text).unwrap().build();
    let mut peer = Peer::of(&directory);
    peer.send(&Request::Search(below("(cn=*)")), Vec::new()).await;
    while directory.counters().open > 0 {
        tokio::task::yield_now().await;
    }
    assert!(directory.counters().entries < 200, "{:?}", directory.counters());
}
