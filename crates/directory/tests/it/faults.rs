//! Faults on demand: each does what its name says, as often as it was asked for.

use std::time::Duration;

use directory::{Fault, Kind};
use proto::{Event, ExtendedRequest, LdapResult, Request, Response, ResultCode, WhoAmI};
use tokio::io::AsyncReadExt as _;

use crate::support::{ALICE, ALICE_PASSWORD, Peer, Server, below};

fn search(filter: &str) -> Request {
    Request::Search(below(filter))
}

fn who_am_i() -> Request {
    Request::Extended(ExtendedRequest { oid: WhoAmI::OID.into(), value: None })
}

#[tokio::test]
async fn a_delayed_search_holds_up_nobody_else() {
    let (directory, mut peer) = Peer::demo();
    directory.faults().next(Kind::Search, 1, Fault::Delay(Duration::from_millis(100)));
    let slow = peer.send(&search("(uid=alice)"), Vec::new()).await;
    let quick = peer.send(&search("(uid=bob)"), Vec::new()).await;
    assert_eq!(peer.answer(quick).await.entries.len(), 1);
    assert_eq!(peer.answer(slow).await.entries.len(), 1);
}

#[tokio::test]
async fn a_dropped_operation_is_never_answered_and_not_done() {
    let (directory, mut peer) = Peer::demo();
    peer.bind(ALICE, ALICE_PASSWORD).await;
    directory.faults().next(Kind::Delete, 1, Fault::Drop);
    let delete = Request::Delete(crate::support::MAX.into());
    peer.send(&delete, Vec::new()).await;
    assert_eq!(peer.ask(&delete).await.code(), 0, "the second one is the first that is done");
    let log = directory.operations();
    let codes: Vec<_> =
        log.iter().filter(|operation| operation.kind == Kind::Delete).map(|o| o.code).collect();
    assert_eq!(codes, [None, Some(ResultCode::SUCCESS)]);
}

#[tokio::test]
async fn a_closed_connection_ends_without_a_word() {
    let (directory, mut peer) = Peer::demo();
    directory.faults().next(Kind::Bind, 1, Fault::Close);
    let bind = proto::BindRequest::anonymous();
    peer.send(&Request::Bind(bind), Vec::new()).await;
    assert!(peer.event().await.is_none());
    assert_eq!(Peer::of(&directory).bind(ALICE, ALICE_PASSWORD).await.code(), 0);
}

#[tokio::test]
async fn garbage_and_a_wrong_id_are_no_ldap_to_a_client() {
    for fault in [Fault::Garbage, Fault::WrongId] {
        let (directory, mut peer) = Peer::demo();
        directory.faults().next(Kind::Extended, 1, fault.clone());
        peer.send(&who_am_i(), Vec::new()).await;
        assert!(peer.try_event().await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_of_your_choice_replaces_the_real_one() {
    let (directory, mut peer) = Peer::demo();
    let faults = directory.faults();
    faults.next(Kind::Bind, 1, Fault::unavailable());
    faults.next(Kind::Search, 1, Fault::referral("ldap://other.example/"));
    faults.next(Kind::Modify, 1, Fault::Answer(LdapResult::new(ResultCode::BUSY, "later")));
    assert_eq!(peer.bind(ALICE, ALICE_PASSWORD).await.code(), 52);
    let referred = peer.find("(uid=alice)").await;
    assert_eq!((referred.code(), referred.entries.len()), (10, 0));
    assert_eq!(referred.result().referrals, ["ldap://other.example/"]);
    let change = Request::Modify(proto::ModifyRequest { dn: ALICE.into(), changes: Vec::new() });
    assert_eq!(peer.ask(&change).await.result().message, "later");
    assert_eq!(peer.ask(&change).await.code(), 50, "nobody is bound: the first bind was not done");
}

#[tokio::test]
async fn a_search_can_break_off_in_the_middle() {
    let (directory, mut peer) = Peer::demo();
    directory.faults().next(Kind::Search, 1, Fault::CloseAfter(3));
    peer.send(&search("(uid=*)"), Vec::new()).await;
    let mut entries = 0;
    while let Some(event) = peer.event().await {
        assert!(matches!(event, Event::Response { response: Response::SearchEntry(_), .. }));
        entries += 1;
    }
    assert_eq!(entries, 3);
}

#[tokio::test]
async fn a_connection_can_fail_before_anything_is_asked() {
    let (directory, _) = Peer::demo();
    let faults = directory.faults();
    faults.next(Kind::Connect, 1, Fault::Close);
    let mut peer = Peer::of(&directory);
    assert_eq!(peer.stream.read(&mut [0; 8]).await.unwrap(), 0);
    faults.next(Kind::Connect, 1, Fault::Garbage);
    let mut bytes = Vec::new();
    Peer::of(&directory).stream.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes[0], 0xff);
    faults.next(Kind::Connect, 1, Fault::unavailable());
    let mut peer = Peer::of(&directory);
    assert!(
        matches!(peer.event().await, Some(Event::Disconnected(result)) if result.code == ResultCode::UNAVAILABLE)
    );
}

#[tokio::test]
async fn counters_and_log_tell_what_was_asked() {
    let (directory, mut peer) = Peer::demo();
    let mut other = Peer::of(&directory);
    peer.bind(ALICE, "wrong").await;
    other.find("(uid=bob)").await;
    other.ask(&who_am_i()).await;
    let log = directory.operations();
    let lines: Vec<_> = log
        .iter()
        .map(|line| (line.kind, line.dn.as_str(), line.filter.as_deref(), line.code.map(|code| code.0)))
        .collect();
    assert_eq!(
        lines,
        [
            (Kind::Bind, ALICE, None, Some(49)),
            (Kind::Search, crate::support::BASE, Some("(uid=bob)"), Some(0)),
            (Kind::Extended, WhoAmI::OID, None, Some(0)),
        ]
    );
    assert_ne!(log[0].connection, log[1].connection);
    let counters = directory.counters();
    assert_eq!((counters.connections, counters.open, counters.binds, counters.entries), (2, 2, 1, 1));
    assert_eq!(counters.operations(), 3);
    directory.clear_operations();
    assert!(directory.operations().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_set_while_tools_talk_to_the_server() {
    let server = Server::demo().await;
    server.directory.faults().next(Kind::Bind, 1, Fault::unavailable());
    assert_eq!(server.as_alice("ldapwhoami", &[], "").status, 52);
    assert_eq!(server.as_alice("ldapwhoami", &[], "").status, 0);
}
