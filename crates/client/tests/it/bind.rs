//! Passwords: who may see them, and what the server says to them.

use ldapgate_client::{Connection, Error, Options, Simple};
use proto::message::{Authentication, BindResponse, Request, Response};
use proto::{LdapResult, Password, PasswordPolicy, PasswordPolicyError, ResultCode};

use crate::peer::{Peer, connected, local};

fn secret() -> Password {
    Password::new("secret").unwrap()
}

fn answer(result: LdapResult) -> Response {
    Response::Bind(BindResponse { result, server_credentials: None })
}

async fn over(options: &Options) -> (Connection, Peer) {
    connected(options).await
}

#[tokio::test(start_paused = true)]
async fn a_password_is_never_sent_in_clear_text_over_a_network() {
    let (connection, mut peer) = over(&Options::new(["ldap://ldap.example.com"]).unwrap()).await;
    let error = connection.bind("cn=a", &secret()).await.unwrap_err();
    assert!(matches!(&error, Error::Cleartext { .. }), "{error:?}");
    assert!(!error.sent() && !error.is_unreachable());
    peer.hears_nothing().await;
}

#[tokio::test]
async fn clear_text_is_fine_on_this_machine_and_where_it_is_allowed() {
    for options in [
        Options::new(["ldap://localhost"]).unwrap(),
        Options::new(["ldap://127.0.0.1"]).unwrap(),
        Options::new(["ldap://[::1]"]).unwrap(),
        Options::new(["ldapi://%2Frun%2Fldapi"]).unwrap(),
        Options::new(["ldap://ldap.example.com"]).unwrap().allow_cleartext(),
    ] {
        let (connection, mut peer) = over(&options).await;
        let (reply, ()) = tokio::join!(async { connection.bind("cn=a", &secret()).await }, async {
            let message = peer.request().await;
            let Request::Bind(bind) = &message.operation else { panic!("not a bind") };
            let Authentication::Simple(password) = &bind.authentication else { panic!("not simple") };
            assert_eq!((bind.name.as_str(), bind.version), ("cn=a", 3));
            assert_eq!(password.expose(), b"secret");
            peer.reply(message.id, answer(LdapResult::success())).await;
        });
        assert!(reply.unwrap().is_success());
    }
}

#[tokio::test(start_paused = true)]
async fn a_bind_without_a_name_or_a_password_is_not_sent() {
    let (connection, mut peer) = over(&local()).await;
    for name in ["", " ", "\t"] {
        let error = connection.bind(name, &secret()).await.unwrap_err();
        assert!(matches!(&error, Error::NoName), "{error:?}");
    }
    assert!(Password::new("").is_err(), "an empty password cannot be made, so it cannot be sent");
    peer.hears_nothing().await;
}

#[tokio::test]
async fn no_is_an_answer_and_a_referral_is_not_success() {
    let (connection, mut peer) = over(&local()).await;
    for code in [ResultCode::INVALID_CREDENTIALS, ResultCode::REFERRAL, ResultCode::UNWILLING_TO_PERFORM] {
        let mut result = LdapResult::new(code, "");
        if code.is_referral() {
            result.referrals.push("ldap://elsewhere.example.com".into());
        }
        let (reply, ()) = tokio::join!(async { connection.bind("cn=a", &secret()).await }, async {
            let id = peer.request().await.id;
            peer.reply(id, answer(result.clone())).await;
        });
        let reply = reply.unwrap();
        assert!(!reply.is_success());
        assert_eq!(reply.result.code, code);
    }
}

#[tokio::test]
async fn what_the_password_policy_says_is_told() {
    let (connection, mut peer) = over(&local()).await;
    let policy =
        PasswordPolicy { error: Some(PasswordPolicyError::ChangeAfterReset), ..PasswordPolicy::default() };
    let (reply, ()) = tokio::join!(async { connection.bind("cn=a", &secret()).await }, async {
        let id = peer.request().await.id;
        peer.reply_with(id, answer(LdapResult::success()), vec![policy.to_control()]).await;
    });
    assert_eq!(reply.unwrap().policy(), Some(policy));
}

#[tokio::test]
async fn a_malformed_policy_says_nothing() {
    let (connection, mut peer) = over(&local()).await;
    let mut control = PasswordPolicy::request();
    control.value = Some(bytes::Bytes::from_static(b"\x30\x84\xff\xff\xff\xff"));
    let (reply, ()) = tokio::join!(async { connection.bind("cn=a", &secret()).await }, async {
        let id = peer.request().await.id;
        peer.reply_with(id, answer(LdapResult::success()), vec![control]).await;
    });
    assert_eq!(reply.unwrap().policy(), None);
}

#[tokio::test]
async fn dropping_a_bind_closes_the_connection() {
    let (connection, mut peer) = over(&local()).await;
    let caller = connection.clone();
    let bind = tokio::spawn(async move { caller.bind("cn=a", &secret()).await });
    assert!(matches!(peer.request().await.operation, Request::Bind(_)));
    bind.abort();
    assert!(peer.try_request().await.is_none(), "neither abandon nor unbind, just the end");
    assert!(connection.is_closed());
}

#[tokio::test]
async fn a_bind_waits_for_nobody() {
    let (connection, mut peer) = over(&local()).await;
    let caller = connection.clone();
    let search = tokio::spawn(async move { caller.read("cn=a", &[]).await });
    let (id, ..) = peer.search().await;
    let error = connection.bind("cn=a", &secret()).await.unwrap_err();
    assert!(matches!(&error, Error::Request { operation: "bind", .. }), "{error:?}");
    assert!(!error.sent());
    peer.entry(id, "cn=a").await;
    peer.done(id).await;
    assert!(search.await.unwrap().unwrap().is_some());
}

#[tokio::test]
async fn an_anonymous_bind_is_a_call_of_its_own() {
    let (connection, mut peer) = over(&Options::new(["ldap://ldap.example.com"]).unwrap()).await;
    let (reply, ()) = tokio::join!(connection.bind_anonymous(), async {
        let message = peer.request().await;
        let Request::Bind(bind) = &message.operation else { panic!("not a bind") };
        assert!(matches!(bind.authentication, Authentication::Anonymous));
        assert_eq!(bind.name, "");
        peer.reply(message.id, answer(LdapResult::success())).await;
    });
    assert!(reply.unwrap().is_success());
}

#[tokio::test(start_paused = true)]
async fn a_service_account_s_password_is_not_sent_in_clear_text_either() {
    let service = Simple::new("cn=reader", secret());
    let options = Options::new(["ldap://ldap.example.com"]).unwrap().bind(service);
    let (client, server) = tokio::io::duplex(1024);
    let error = Connection::over(client, &options).await.unwrap_err();
    assert!(matches!(&error, Error::Cleartext { .. }), "{error:?}");
    let mut peer = Peer::new(server);
    let message = peer.try_request().await;
    assert!(message.is_none_or(|message| matches!(message.operation, Request::Unbind)));
}
