//! One connection, many operations.

use bytes::Bytes;
use ldapgate_client::{Error, Rename, Search};
use proto::message::{ExtendedResponse, Request, Response};
use proto::{Change, ChangeOp, Entry, LdapResult, Password, PasswordModify, Rdn, ResultCode};

use crate::peer::{connected, local};

#[tokio::test]
async fn calls_are_sent_at_once_and_answered_in_any_order() {
    let (connection, mut peer) = connected(&local()).await;
    let server = tokio::spawn(async move {
        let first = peer.search().await;
        let second = peer.search().await;
        for (id, search, _) in [second, first] {
            peer.entry(id, &search.base).await;
            peer.done(id).await;
        }
        peer
    });
    let (a, b) = tokio::join!(connection.read("cn=a", &["cn"]), connection.read("cn=b", &["cn"]));
    assert_eq!(a.unwrap().unwrap().dn(), "cn=a");
    assert_eq!(b.unwrap().unwrap().dn(), "cn=b");
    server.await.unwrap();
}

#[tokio::test]
async fn a_missing_entry_is_none_and_a_refusal_is_an_error() {
    let (connection, mut peer) = connected(&local()).await;
    let server = async {
        for code in [ResultCode::NO_SUCH_OBJECT, ResultCode::INSUFFICIENT_ACCESS_RIGHTS] {
            let (id, ..) = peer.search().await;
            peer.reply(id, Response::SearchDone(LdapResult::new(code, "no"))).await;
        }
    };
    let client = async {
        assert!(connection.read("cn=a", &[]).await.unwrap().is_none());
        let error = connection.read("cn=a", &[]).await.unwrap_err();
        assert_eq!(error.result().unwrap().code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
        assert!(error.sent() && !error.is_unreachable());
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn dropping_a_call_abandons_it_and_later_calls_go_on() {
    let (connection, mut peer) = connected(&local()).await;
    let caller = connection.clone();
    let call = tokio::spawn(async move { caller.compare("cn=a", "cn", "a").await });
    let asked = peer.request().await;
    call.abort();
    let Request::Abandon(abandoned) = peer.request().await.operation else { panic!("not an abandon") };
    assert_eq!(abandoned, asked.id);

    // The late answer is swallowed, and the connection is as good as before.
    let late = proto::message::encode(
        asked.id,
        &Response::Compare(LdapResult::new(ResultCode::COMPARE_TRUE, "")),
        &proto::Controls::default(),
    );
    peer.raw(&late).await;
    let (read, ()) = tokio::join!(connection.read("cn=b", &[]), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=b").await;
        peer.done(id).await;
    });
    assert_eq!(read.unwrap().unwrap().dn(), "cn=b");
}

#[tokio::test]
async fn many_dropped_calls_leave_room_for_more() {
    let (connection, mut peer) = connected(&local()).await;
    for _ in 0..1000 {
        let caller = connection.clone();
        let call = tokio::spawn(async move { caller.compare("cn=a", "cn", "a").await });
        let asked = peer.request().await;
        call.abort();
        let Request::Abandon(abandoned) = peer.request().await.operation else { panic!("not an abandon") };
        assert_eq!(abandoned, asked.id);
    }
    let (answer, ()) = tokio::join!(connection.compare("cn=a", "cn", "a"), async {
        let asked = peer.request().await;
        peer.reply(asked.id, Response::Compare(LdapResult::new(ResultCode::COMPARE_FALSE, ""))).await;
    });
    assert!(!answer.unwrap());
}

#[tokio::test]
async fn a_write_is_done_or_refused() {
    let (connection, mut peer) = connected(&local()).await;
    let server = async {
        let Request::Add(add) = peer.request().await.operation else { panic!("not an add") };
        assert_eq!(add.attributes, [("cn".to_owned(), vec![Bytes::from_static(b"a")])]);
        peer.reply(proto::MessageId(1), Response::Add(LdapResult::success())).await;
        let message = peer.request().await;
        assert!(matches!(message.operation, Request::Modify(_)));
        let refusal = LdapResult::new(ResultCode::UNWILLING_TO_PERFORM, "read only");
        peer.reply(message.id, Response::Modify(refusal)).await;
        let message = peer.request().await;
        let Request::ModifyDn(rename) = &message.operation else { panic!("not a modify DN") };
        assert_eq!((rename.new_rdn.as_str(), rename.delete_old_rdn), ("cn=b", true));
        assert_eq!(rename.new_superior.as_deref(), Some("ou=x"));
        peer.reply(message.id, Response::ModifyDn(LdapResult::success())).await;
        let message = peer.request().await;
        assert!(matches!(&message.operation, Request::Delete(dn) if dn == "cn=b,ou=x"));
        peer.reply(message.id, Response::Delete(LdapResult::success())).await;
    };
    let client = async {
        connection.add("cn=a", [("cn", vec!["a"])]).await.unwrap();
        let change =
            Change { op: ChangeOp::Replace, attribute: "sn".into(), values: vec![Bytes::from_static(b"b")] };
        let error = connection.modify("cn=a", vec![change]).await.unwrap_err();
        assert!(matches!(&error, Error::Refused { operation: "modify", .. }), "{error:?}");
        assert!(error.to_string().ends_with("unwillingToPerform (53): read only"), "{error}");
        let rename = Rename::to(Rdn::new("cn", "b").unwrap()).below("ou=x");
        connection.rename("cn=a", &rename).await.unwrap();
        connection.delete("cn=b,ou=x").await.unwrap();
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn who_am_i_tells_the_identity() {
    let (connection, mut peer) = connected(&local()).await;
    let (identity, ()) = tokio::join!(connection.who_am_i(), async {
        let message = peer.request().await;
        let response = ExtendedResponse {
            result: LdapResult::success(),
            oid: None,
            value: Some(Bytes::from_static(b"dn:cn=a")),
        };
        peer.reply(message.id, Response::Extended(response)).await;
    });
    assert_eq!(identity.unwrap(), "dn:cn=a");
}

#[tokio::test]
async fn dropping_the_last_handle_says_farewell() {
    let (connection, mut peer) = connected(&local()).await;
    let other = connection.clone();
    drop(connection);
    assert!(!other.is_closed());
    drop(other);
    assert!(matches!(peer.request().await.operation, Request::Unbind));
    assert!(peer.try_request().await.is_none());
}

#[tokio::test]
async fn closing_fails_what_waits() {
    let (connection, mut peer) = connected(&local()).await;
    let caller = connection.clone();
    let call = tokio::spawn(async move { caller.search(&Search::below("dc=x")).await });
    peer.search().await;
    connection.close().await;
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Closed { sent: true, .. }), "{error:?}");
    assert!(connection.is_closed());
    peer.is_left().await;
    let error = connection.read("cn=a", &[]).await.unwrap_err();
    assert!(matches!(&error, Error::Closed { sent: false, .. }), "{error:?}");
}

#[tokio::test]
async fn an_entry_outlives_its_connection() {
    let (connection, mut peer) = connected(&local()).await;
    let (entry, ()) = tokio::join!(connection.read("cn=a", &[]), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        peer.done(id).await;
    });
    let entry: Entry = entry.unwrap().unwrap();
    connection.close().await;
    assert_eq!(entry.text("CN"), Some("x"));
}

#[tokio::test]
async fn an_extended_operation_is_told_by_its_own_name() {
    let (connection, mut peer) = connected(&local()).await;
    let server = async {
        for _ in 0..3 {
            let asked = peer.request().await;
            let result = LdapResult::new(ResultCode::PROTOCOL_ERROR, "what is that?");
            let response = ExtendedResponse { result, oid: None, value: None };
            peer.reply(asked.id, Response::Extended(response)).await;
        }
    };
    let client = async {
        let refused = [
            connection.who_am_i().await.map(drop),
            connection.fast_bind().await,
            connection.extended("1.2.3.4", None).await.map(drop),
        ];
        refused.map(|refused| match refused {
            Err(Error::Refused { operation, .. }) => operation,
            other => panic!("not refused: {other:?}"),
        })
    };
    let (names, ()) = tokio::join!(client, server);
    assert_eq!(names, ["who am I", "fast bind", "extended"]);
}

#[tokio::test]
async fn a_connection_that_only_reads_sends_no_write() {
    let (connection, mut peer) = connected(&local().read_only()).await;
    let refused = [
        connection.delete("cn=a").await.err(),
        connection.modify("cn=a", vec![]).await.err(),
        connection.add("cn=a", [("cn", vec!["a"])]).await.err(),
        connection.rename("cn=a", &Rename::to(Rdn::new("cn", "b").unwrap())).await.err(),
        connection.extended("1.2.3.4", None).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(Error::ReadOnly { .. })), "{error:?}");
    }
    let password = Password::new("engine").unwrap();
    let change = PasswordModify { user: None, old: None, new: Some(password) };
    assert!(matches!(connection.modify_password(&change).await, Err(Error::ReadOnly { .. })));
    let asking = tokio::spawn(async move { connection.compare("cn=a", "cn", "a").await });
    let asked = peer.request().await;
    assert!(matches!(asked.operation, Request::Compare(_)), "the first that was sent: {asked:?}");
    peer.reply(asked.id, Response::Compare(LdapResult::new(ResultCode::COMPARE_TRUE, ""))).await;
    assert!(asking.await.unwrap().unwrap());
}
