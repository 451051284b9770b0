//! SASL OAUTHBEARER (RFC 7628)

use ldapgate_client::{ResultCode, Sasl};

use crate::peer::{connected, local};
use crate::sasl::password;

#[tokio::test]
async fn memory_a_token_is_taken() {
    let (connection, mut peer) = connected(&local()).await;
    let sasl = Sasl::oauth_bearer(password("vF9dft4qmT")).authzid("u:ada");
    let (reply, ()) = tokio::join!(connection.sasl_bind(sasl), async {
        let (id, mechanism, credentials) = peer.step().await;
        assert_eq!(mechanism, "OAUTHBEARER");
        let expected = "n,a=u:ada,\x01host=localhost\x01port=389\x01auth=Bearer vF9dft4qmT\x01\x01";
        assert_eq!(credentials.as_deref(), Some(expected.as_bytes()));
        peer.answer(id, ResultCode::SUCCESS, None).await;
    });
    assert!(reply.unwrap().is_success());
}

#[tokio::test]
async fn memory_a_servers_reason_is_acknowledged_and_the_refusal_is_an_answer() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(Sasl::oauth_bearer(password("old"))), async {
        let (id, ..) = peer.step().await;
        peer.challenge(id, br#"{"status":"invalid_token"}"#).await;
        let (id, _, credentials) = peer.step().await;
        assert_eq!(credentials.as_deref(), Some(&b"\x01"[..]));
        peer.answer(id, ResultCode::INVALID_CREDENTIALS, None).await;
    });
    assert_eq!(reply.unwrap().result.code, ResultCode::INVALID_CREDENTIALS);
}

#[tokio::test]
async fn memory_a_success_after_a_reason_is_none() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(Sasl::oauth_bearer(password("old"))), async {
        let (id, ..) = peer.step().await;
        peer.challenge(id, b"{}").await;
        let (id, ..) = peer.step().await;
        peer.answer(id, ResultCode::SUCCESS, None).await;
    });
    assert!(reply.is_err(), "{reply:?}");
    peer.is_left().await;
}
