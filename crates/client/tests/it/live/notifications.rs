//! Unsolicited notifications and the notice of disconnection, RFC 4511 section 4.4

use std::time::Duration;

use ldapgate_client::{Closed, Connection, Error, Options};
use proto::message::{ExtendedResponse, Response};
use proto::{Controls, LdapResult, MessageId, ResultCode};
use testkit::world::{BASE, Peer, World};
use tokio::time::timeout;

use crate::peer::{connected, local};

#[tokio::test]
async fn memory_whoever_listens_hears_it() {
    let (connection, mut peer) = connected(&local()).await;
    let mut notifications = connection.notifications();
    let notice =
        ExtendedResponse { oid: Some("1.2.3".into()), ..ExtendedResponse::new(LdapResult::success()) };
    peer.raw(&proto::message::encode(MessageId(0), &Response::Extended(notice), &Controls::default())).await;
    assert_eq!(notifications.next().await.unwrap().oid.as_deref(), Some("1.2.3"));
    peer.notice(LdapResult::new(ResultCode::UNAVAILABLE, "bye")).await;
    assert!(notifications.next().await.is_none());
}

/// A server that stops tells its clients, or hangs up.
async fn a_stopped_server_ends_the_listening(peer: Peer) {
    let mut world = World::start(peer).await;
    let connection = Connection::open(&Options::new([world.ldap_url()]).unwrap()).await.unwrap();
    let mut notifications = connection.notifications();
    world.stop().await;
    let end = timeout(Duration::from_secs(20), notifications.next()).await.expect("it is noticed");
    assert!(end.is_none());
    let error = connection.read(BASE, &["dc"]).await.unwrap_err();
    let Error::Closed { source, sent: false, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**source, Closed::Notice(_) | Closed::ByPeer | Closed::Io(_)), "{error:?}");
}

#[tokio::test]
async fn memory_a_stopped_server_ends_the_listening() {
    a_stopped_server_ends_the_listening(Peer::Memory).await;
}

#[tokio::test]
async fn openldap_a_stopped_server_ends_the_listening() {
    a_stopped_server_ends_the_listening(Peer::OpenLdap).await;
}
