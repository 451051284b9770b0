//! New passwords: what is sent, to whom it is not sent, and what the server says.

use ldapgate_client::{Connection, Error, Options, PasswordMethod, PasswordReply, Pool};
use proto::extended::PasswordModify;
use proto::message::{ChangeOp, ExtendedRequest, ExtendedResponse, Request, Response};
use proto::{LdapResult, Password, PasswordPolicy, PasswordPolicyError, ResultCode};

use crate::peer::{Peer, connected, local};

const ADA: &str = "uid=ada,dc=example,dc=com";

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

async fn change(connection: &Connection, method: PasswordMethod) -> Result<PasswordReply, Error> {
    connection.change_password(method, ADA, &password("old"), &password("new")).await
}

async fn extended(peer: &mut Peer) -> (proto::MessageId, ExtendedRequest) {
    let message = peer.request().await;
    assert!(message.controls.get(PasswordPolicy::OID).is_some(), "the policy's view is asked for");
    match message.operation {
        Request::Extended(request) => (message.id, request),
        other => panic!("not an extended request: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_password_never_travels_in_clear_text_whatever_is_allowed_for_binds() {
    let options = Options::new(["ldap://ldap.example.com"]).unwrap().allow_cleartext();
    let (connection, mut peer) = connected(&options).await;
    for method in [PasswordMethod::PasswordModify, PasswordMethod::UnicodePwd] {
        let changed = change(&connection, method).await;
        let reset = connection.reset_password(method, ADA, &password("new")).await;
        for error in [changed, reset].map(Result::unwrap_err) {
            assert!(matches!(error, Error::ClearPassword { .. }) && !error.sent(), "{error:?}");
        }
    }
    let error = connection.modify_password(&PasswordModify::default()).await.unwrap_err();
    assert!(matches!(error, Error::ClearPassword { .. }), "{error:?}");
    peer.hears_nothing().await;
}

#[tokio::test]
async fn the_operation_names_the_person_and_both_passwords() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(change(&connection, PasswordMethod::PasswordModify), async {
        let (id, request) = extended(&mut peer).await;
        let modify = PasswordModify::parse(&request).unwrap();
        assert_eq!((request.oid.as_str(), modify.user.as_deref()), (PasswordModify::OID, Some(ADA)));
        assert_eq!(modify.old.unwrap().expose(), b"old");
        assert_eq!(modify.new.unwrap().expose(), b"new");
        peer.reply(id, Response::Extended(PasswordModify::response(None))).await;
    });
    let reply = reply.unwrap();
    assert!(reply.is_success() && reply.generated.is_none() && reply.policy().is_none());
}

#[tokio::test]
async fn a_refusal_is_an_answer_with_the_policys_reason() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(change(&connection, PasswordMethod::PasswordModify), async {
        let (id, _) = extended(&mut peer).await;
        let result =
            LdapResult::new(ResultCode::CONSTRAINT_VIOLATION, "Password fails quality checking policy");
        let error = Some(PasswordPolicyError::TooShort);
        let policy = PasswordPolicy { error, ..PasswordPolicy::default() };
        let response = Response::Extended(ExtendedResponse::new(result));
        peer.reply_with(id, response, vec![policy.to_control()]).await;
    });
    let reply = reply.unwrap();
    assert_eq!(reply.result.code, ResultCode::CONSTRAINT_VIOLATION);
    assert_eq!(reply.policy().and_then(|policy| policy.error), Some(PasswordPolicyError::TooShort));
}

#[tokio::test]
async fn a_password_that_the_server_made_comes_back_and_is_not_printed() {
    let (connection, mut peer) = connected(&local()).await;
    let modify = PasswordModify { user: Some(ADA.to_owned()), ..PasswordModify::default() };
    let (reply, ()) = tokio::join!(connection.modify_password(&modify), async {
        let (id, _) = extended(&mut peer).await;
        peer.reply(id, Response::Extended(PasswordModify::response(Some(&password("made-up"))))).await;
    });
    let reply = reply.unwrap();
    assert!(!format!("{reply:?}").contains("made-up"));
    assert_eq!(reply.generated.unwrap().expose(), b"made-up");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_success() {
    let (connection, mut peer) = connected(&local()).await;
    let modify = PasswordModify::default();
    let (reply, ()) = tokio::join!(connection.modify_password(&modify), async {
        let (id, _) = extended(&mut peer).await;
        let value = Some(bytes::Bytes::from_static(b"\x30\x7f\x80"));
        peer.reply(id, Response::Extended(ExtendedResponse { value, ..PasswordModify::response(None) }))
            .await;
    });
    assert!(matches!(reply, Err(Error::Unexpected { .. })), "{reply:?}");
}

#[tokio::test]
async fn active_directory_is_told_old_and_new_in_one_modify_and_a_reset_replaces() {
    let (connection, mut peer) = connected(&local()).await;
    let value = |text: &str| password(text).to_unicode_pwd().unwrap();
    let server = async {
        for expected in [
            vec![(ChangeOp::Delete, value("old")), (ChangeOp::Add, value("new"))],
            vec![(ChangeOp::Replace, value("new"))],
        ] {
            let message = peer.request().await;
            let Request::Modify(modify) = message.operation else { panic!("not a modify") };
            assert_eq!(modify.dn, ADA);
            assert!(modify.changes.iter().all(|change| change.attribute == "unicodePwd"));
            let seen: Vec<_> =
                modify.changes.into_iter().map(|change| (change.op, change.values.concat())).collect();
            let expected: Vec<_> = expected.into_iter().map(|(op, value)| (op, value.to_vec())).collect();
            assert_eq!(seen, expected);
            peer.reply(message.id, Response::Modify(LdapResult::success())).await;
        }
    };
    let client = async {
        let method = PasswordMethod::UnicodePwd;
        assert!(change(&connection, method).await.unwrap().is_success());
        assert!(connection.reset_password(method, ADA, &password("new")).await.unwrap().is_success());
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_lease_changes_nothing_before_its_own_bind_has_succeeded() {
    let directory = directory::Directory::builder(std::sync::Arc::new(|| std::time::SystemTime::UNIX_EPOCH))
        .ldif(directory::DEMO)
        .unwrap()
        .build();
    let listener = directory::Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let running = directory.serve(listener).await;
    let server = Pool::lazy(Options::new([running.url()]).unwrap()).server().await.unwrap();
    let alice = "uid=alice,ou=people,dc=example,dc=com";
    let (old, new) = (password("Red-Apple-11"), password("Rosy-Apple-12"));
    let mut lease = server.prove().await.unwrap();
    lease.bind(alice, &new).await.unwrap();
    let refused = lease.change_password(PasswordMethod::PasswordModify, alice, &old, &new).await;
    assert!(matches!(refused, Err(Error::NotBound)), "{refused:?}");
    assert_eq!(directory.counters().extended, 0);
    assert!(lease.bind(alice, &old).await.unwrap().is_success());
    let changed = lease.change_password(PasswordMethod::PasswordModify, alice, &old, &new).await.unwrap();
    assert!(changed.is_success(), "{changed:?}");
    assert!(!lease.bind(alice, &old).await.unwrap().is_success());
    assert!(lease.bind(alice, &new).await.unwrap().is_success());
}
