//! Every wait ends, on a clock that is paused.

use std::time::Duration;

use ldapgate_client::{Connection, Error, Search};
use proto::message::Request;
use proto::{LdapResult, Password, ResultCode, message::Response};
use tokio::time::Instant;

use crate::peer::{Peer, connected, local};

#[tokio::test(start_paused = true)]
async fn an_operation_without_an_answer_ends_at_its_deadline_and_is_abandoned() {
    let (connection, mut peer) = connected(&local().timeout(Duration::from_secs(7))).await;
    let began = Instant::now();
    let caller = connection.clone();
    let call = tokio::spawn(async move { caller.read("cn=a", &[]).await });
    let (id, ..) = peer.search().await;
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Timeout { operation: "search", sent: true, .. }), "{error:?}");
    assert!(error.is_unreachable() && error.sent());
    assert_eq!(began.elapsed().as_secs(), 7);
    assert!(matches!(peer.request().await.operation, Request::Abandon(abandoned) if abandoned == id));
    assert!(!connection.is_closed(), "one slow answer does not end the connection");
}

#[tokio::test(start_paused = true)]
async fn a_slow_operation_does_not_hold_up_another() {
    let (connection, mut peer) = connected(&local()).await;
    let slow = connection.clone();
    let slow = tokio::spawn(async move { slow.read("cn=slow", &[]).await });
    peer.search().await;
    let (quick, ()) = tokio::join!(connection.read("cn=quick", &[]), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=quick").await;
        peer.done(id).await;
    });
    assert!(quick.unwrap().is_some());
    assert!(slow.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_never_written_was_not_sent() {
    // The pipe takes 16 bytes, and the server reads none of them.
    let (client, server) = tokio::io::duplex(16);
    let connection = Connection::over(client, &local()).await.unwrap();
    let first = connection.clone();
    let first = tokio::spawn(async move { first.read("cn=a long enough name", &[]).await });
    tokio::task::yield_now().await;
    let second = connection.read("cn=b", &[]).await.unwrap_err();
    assert!(matches!(&second, Error::Timeout { sent: false, .. }), "{second:?}");
    assert!(!second.sent());
    assert!(first.await.unwrap().unwrap_err().sent());
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_bind_without_an_answer_closes_the_connection() {
    let (connection, mut peer) = connected(&local()).await;
    let error = connection.bind("cn=a", &Password::new("x").unwrap()).await.unwrap_err();
    assert!(matches!(&error, Error::Timeout { operation: "bind", sent: true, .. }), "{error:?}");
    assert!(matches!(peer.request().await.operation, Request::Bind(_)));
    assert!(peer.try_request().await.is_none(), "a bind cannot be abandoned");
    assert!(connection.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_search_may_have_a_deadline_of_its_own() {
    let (connection, peer) = connected(&local()).await;
    let began = Instant::now();
    let search = Search::below("dc=x").deadline(Duration::from_secs(30));
    let error = connection.search(&search).await.unwrap_err();
    assert!(matches!(&error, Error::Timeout { limit, .. } if limit.as_secs() == 30), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 30);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_wait_for_their_turn_and_not_for_ever() {
    let (connection, mut peer) = connected(&local()).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..256 {
        let caller = connection.clone();
        calls.spawn(async move { caller.compare("cn=a", "cn", "a").await });
    }
    let mut ids = Vec::new();
    for _ in 0..256 {
        ids.push(peer.request().await.id);
    }
    let caller = connection.clone();
    let late = tokio::spawn(async move { caller.compare("cn=late", "cn", "a").await });
    peer.hears_nothing().await;
    let answer = || Response::Compare(LdapResult::new(ResultCode::COMPARE_TRUE, ""));
    peer.reply(ids[0], answer()).await;
    let message = peer.request().await;
    assert!(matches!(&message.operation, Request::Compare(compare) if compare.dn == "cn=late"));
    peer.reply(message.id, answer()).await;
    assert!(late.await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_starts_tls_does_not_hold_up_connecting() {
    let options = local()
        .start_tls(true)
        .tls(crate::start_tls::nobody_trusted())
        .connect_timeout(Duration::from_secs(2));
    let (client, server) = tokio::io::duplex(1024);
    let began = Instant::now();
    let error = Connection::over(client, &options).await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 2);
    drop(Peer::new(server));
}
