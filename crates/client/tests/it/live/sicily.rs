//! SICILY, Active Directory's bind for NTLM outside of SASL (MS-ADTS section 5.1.1.1.3)

use ldapgate_client::{BindReply, Error, LdapResult, Password, ResultCode};
use proto::message::{Authentication, BindResponse, MessageId, Request, Response, SicilyStep};

use crate::peer::{Peer, connected, local};

/// What the domain controller of Samba 4.17 answered to NTLM inside SASL.
const CHALLENGE: &[u8] = include_bytes!("../../../../proto/src/sasl/ntlm/fixtures/samba-4.17-challenge.bin");

impl Peer {
    /// The next request, which must be this step of a bind: its name and what it says.
    async fn sicily(&mut self, expected: SicilyStep) -> (MessageId, String, Vec<u8>) {
        let message = self.request().await;
        let Request::Bind(bind) = message.operation else { panic!("not a bind") };
        let Authentication::Sicily { step, credentials } = bind.authentication else { panic!("not SICILY") };
        assert_eq!(step, expected);
        (message.id, bind.name, credentials.to_vec())
    }

    /// Success with this in the place of the matched DN.
    async fn sicily_challenge(&mut self, id: MessageId, challenge: &[u8]) {
        let content = [&[0x0a, 1, 0, 0x04, 0x81, challenge.len() as u8], challenge, &[0x04, 0]].concat();
        let response = [&[0x61, 0x81, content.len() as u8][..], &content].concat();
        let body = [&[0x02, 1, id.0 as u8][..], &response].concat();
        let success = Response::Bind(BindResponse::new(LdapResult::success()));
        self.reply_raw(id, &success, &[&[0x30, 0x81, body.len() as u8][..], &body].concat()).await;
    }
}

async fn bound(script: impl AsyncFnOnce(&mut Peer)) -> Result<BindReply, Error> {
    let (connection, mut peer) = connected(&local()).await;
    let password = Password::new("Red-Apple-11").unwrap();
    let earlier = async {
        let message = peer.request().await;
        peer.reply(message.id, Response::Bind(BindResponse::new(LdapResult::success()))).await;
    };
    let (reply, ()) = tokio::join!(connection.bind("cn=earlier", &password), earlier);
    assert!(reply.unwrap().is_success());
    let (reply, ()) = tokio::join!(connection.bind_sicily("EXAMPLE", "alice", &password), script(&mut peer));
    let now = connection.status().bound_as;
    if reply.as_ref().is_ok_and(BindReply::is_success) {
        assert!(now.is_some_and(|name| name.contains("alice")), "the connection is hers now");
    } else {
        assert_eq!(now, None, "a bind that failed leaves nobody");
    }
    reply
}

#[tokio::test]
async fn memory_two_steps_bind_a_domains_account() {
    let reply = bound(async |peer| {
        let (id, name, negotiate) = peer.sicily(SicilyStep::Negotiate).await;
        assert_eq!(name, "NTLM");
        assert!(negotiate.starts_with(b"NTLMSSP\0\x01"));
        peer.sicily_challenge(id, CHALLENGE).await;
        let (id, name, authenticate) = peer.sicily(SicilyStep::Response).await;
        assert_eq!(name, "");
        assert!(authenticate.starts_with(b"NTLMSSP\0\x03"));
        let alice = b"a\0l\0i\0c\0e\0";
        assert!(authenticate.windows(alice.len()).any(|window| window == alice));
        peer.reply(id, Response::Bind(BindResponse::new(LdapResult::success()))).await;
    });
    assert!(reply.await.unwrap().is_success());
}

#[tokio::test]
async fn memory_a_refusal_is_an_answer_in_either_step() {
    let refusal =
        || Response::Bind(BindResponse::new(LdapResult::new(ResultCode::INVALID_CREDENTIALS, "52e")));
    let at_once = bound(async |peer| {
        let (id, ..) = peer.sicily(SicilyStep::Negotiate).await;
        peer.reply(id, refusal()).await;
    });
    assert_eq!(at_once.await.unwrap().result.code, ResultCode::INVALID_CREDENTIALS);
    let later = bound(async |peer| {
        let (id, ..) = peer.sicily(SicilyStep::Negotiate).await;
        peer.sicily_challenge(id, CHALLENGE).await;
        let (id, ..) = peer.sicily(SicilyStep::Response).await;
        peer.reply(id, refusal()).await;
    });
    assert_eq!(later.await.unwrap().result.code, ResultCode::INVALID_CREDENTIALS);
}

#[tokio::test]
async fn memory_success_without_a_challenge_and_rubbish_in_its_place_are_no_bind() {
    let early = bound(async |peer| {
        let (id, ..) = peer.sicily(SicilyStep::Negotiate).await;
        peer.reply(id, Response::Bind(BindResponse::new(LdapResult::success()))).await;
    });
    assert!(matches!(early.await, Err(Error::Sasl { .. })));
    let rubbish = bound(async |peer| {
        let (id, ..) = peer.sicily(SicilyStep::Negotiate).await;
        peer.sicily_challenge(id, b"NTLMSSP\0rubbish").await;
        assert!(peer.try_request().await.is_none_or(|message| matches!(message.operation, Request::Unbind)));
    });
    assert!(matches!(rubbish.await, Err(Error::Sasl { .. })));
}
