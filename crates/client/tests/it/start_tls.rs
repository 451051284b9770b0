//! StartTLS and ldaps: encrypted, or not at all.

use ldapgate_client::{Closed, Connection, Error, Options};
use proto::message::{BindResponse, ExtendedResponse, Request, Response};
use proto::{LdapResult, Password, ResultCode, StartTls};
use testkit::certificate::{Authority, Flaw};
use tls::{ClientTls, ServerTls};

use crate::peer::Peer;

/// A client that trusts an authority which has signed nothing.
pub(crate) fn nobody_trusted() -> ClientTls {
    ClientTls::from_pem(Authority::new("Nobody").pem().as_bytes()).expect("it is a certificate")
}

fn trusted(flaw: Flaw) -> (ClientTls, ServerTls) {
    let authority = Authority::new("Example Test CA");
    let pair = authority.server(flaw);
    let server = ServerTls::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).expect("it is a pair");
    (ClientTls::from_pem(authority.pem().as_bytes()).expect("it is a certificate"), server)
}

fn success() -> Response {
    Response::Extended(StartTls::response(LdapResult::success()))
}

async fn asked_for_tls(peer: &mut Peer) -> proto::MessageId {
    let message = peer.request().await;
    assert!(matches!(&message.operation, Request::Extended(request) if request.oid == StartTls::OID));
    message.id
}

/// A server that starts TLS, then answers one bind.
async fn serve_bind(mut peer: Peer, tls: ServerTls) {
    let id = asked_for_tls(&mut peer).await;
    peer.reply(id, success()).await;
    answer_bind(peer.stream, tls).await;
}

async fn answer_bind(stream: tokio::io::DuplexStream, tls: ServerTls) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = tls.accept(stream).await else { return };
    let mut session = proto::session::ServerSession::new(proto::Limits::server());
    let mut inbox = bytes::BytesMut::new();
    while stream.read_buf(&mut inbox).await.is_ok_and(|read| read > 0) {
        let Some(message) = session.receive(&mut inbox).expect("the client speaks LDAP") else { continue };
        if let Request::Bind(_) = message.operation {
            let response =
                Response::Bind(BindResponse { result: LdapResult::success(), server_credentials: None });
            let bytes = session.reply(message.id, &response, &proto::Controls::default());
            stream.write_all(&bytes).await.expect("the client listens");
        }
    }
}

#[tokio::test]
async fn a_connection_with_start_tls_comes_encrypted() {
    let (client_tls, server_tls) = trusted(Flaw::None);
    let options = Options::new(["ldap://localhost"]).unwrap().start_tls(true).tls(client_tls);
    let (client, server) = tokio::io::duplex(4096);
    tokio::spawn(serve_bind(Peer::new(server), server_tls));
    let connection = Connection::over(client, &options).await.unwrap();
    assert!(connection.is_encrypted());
    let reply = connection.bind("cn=a", &Password::new("secret").unwrap()).await.unwrap();
    assert!(reply.is_success());
    let again = connection.start_tls().await.unwrap_err();
    assert!(matches!(again, Error::AlreadyEncrypted { .. }), "{again:?}");
}

#[tokio::test]
async fn an_ldaps_url_is_encrypted_from_the_first_byte() {
    let (client_tls, server_tls) = trusted(Flaw::None);
    let options = Options::new(["ldaps://localhost"]).unwrap().tls(client_tls);
    let (client, server) = tokio::io::duplex(4096);
    tokio::spawn(answer_bind(server, server_tls));
    let connection = Connection::over(client, &options).await.unwrap();
    assert!(connection.is_encrypted());
    assert!(connection.bind("cn=a", &Password::new("secret").unwrap()).await.unwrap().is_success());
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_an_error_with_advice() {
    for flaw in [Flaw::WrongHost, Flaw::Expired] {
        let (client_tls, server_tls) = trusted(flaw);
        let options = Options::new(["ldap://localhost"]).unwrap().start_tls(true).tls(client_tls);
        let (client, server) = tokio::io::duplex(4096);
        tokio::spawn(serve_bind(Peer::new(server), server_tls));
        let error = Connection::over(client, &options).await.unwrap_err();
        assert!(matches!(&error, Error::Tls { .. }), "{error:?}");
        assert!(error.is_unreachable() && !error.sent());
        assert!(error.causes()[0].contains("localhost"), "{:?}", error.causes());
    }
}

#[tokio::test]
async fn a_server_that_will_not_start_tls_gets_nothing_in_clear_text() {
    let options = Options::new(["ldap://localhost"]).unwrap().tls(nobody_trusted());
    let (client, server) = tokio::io::duplex(4096);
    let connection = Connection::over(client, &options).await.unwrap();
    let mut peer = Peer::new(server);
    let (started, ()) = tokio::join!(connection.start_tls(), async {
        let id = asked_for_tls(&mut peer).await;
        let refusal = LdapResult::new(ResultCode::PROTOCOL_ERROR, "unsupported extended operation");
        peer.reply(id, Response::Extended(StartTls::response(refusal))).await;
        peer.is_left().await;
    });
    let error = started.unwrap_err();
    assert!(matches!(&error, Error::Refused { operation: "StartTLS", .. }), "{error:?}");
    let error = connection.bind("cn=a", &Password::new("secret").unwrap()).await.unwrap_err();
    assert!(matches!(&error, Error::Closed { sent: false, .. }), "{error:?}");
}

#[tokio::test]
async fn clear_text_right_after_the_answer_is_fatal() {
    let options = Options::new(["ldap://localhost"]).unwrap().start_tls(true).tls(nobody_trusted());
    let (client, server) = tokio::io::duplex(4096);
    let mut peer = Peer::new(server);
    let (connected, ()) = tokio::join!(Connection::over(client, &options), async {
        let id = asked_for_tls(&mut peer).await;
        // One write: the forged answer to a request that will only be made under TLS travels with the real one.
        let forged = Response::Bind(BindResponse { result: LdapResult::success(), server_credentials: None });
        let mut bytes = proto::message::encode(id, &success(), &proto::Controls::default()).to_vec();
        bytes.extend(proto::message::encode(
            proto::MessageId(id.0 + 1),
            &forged,
            &proto::Controls::default(),
        ));
        peer.raw(&bytes).await;
        peer.is_left().await;
    });
    let error = connected.unwrap_err();
    let Error::Closed { source, .. } = &error else { panic!("not closed: {error:?}") };
    assert!(matches!(**source, Closed::Injected), "{error:?}");
}

#[tokio::test]
async fn clear_text_in_place_of_the_handshake_is_fatal() {
    let options = Options::new(["ldap://localhost"]).unwrap().start_tls(true).tls(nobody_trusted());
    let (client, server) = tokio::io::duplex(4096);
    let mut peer = Peer::new(server);
    let (connected, _peer) = tokio::join!(Connection::over(client, &options), async {
        let id = asked_for_tls(&mut peer).await;
        peer.reply(id, success()).await;
        // The client has begun its handshake when its first bytes arrive.
        let mut hello = [0; 1];
        tokio::io::AsyncReadExt::read_exact(&mut peer.stream, &mut hello).await.unwrap();
        assert_eq!(hello, [0x16], "a TLS handshake record");
        let forged = Response::Bind(BindResponse { result: LdapResult::success(), server_credentials: None });
        peer.raw(&proto::message::encode(proto::MessageId(2), &forged, &proto::Controls::default())).await;
        peer
    });
    assert!(matches!(connected, Err(Error::Tls { .. })), "{connected:?}");
}

#[tokio::test]
async fn a_notice_before_the_handshake_is_fatal() {
    let options = Options::new(["ldap://localhost"]).unwrap().start_tls(true).tls(nobody_trusted());
    let (client, server) = tokio::io::duplex(4096);
    let mut peer = Peer::new(server);
    let (connected, ()) = tokio::join!(Connection::over(client, &options), async {
        asked_for_tls(&mut peer).await;
        let notice = Response::Extended(ExtendedResponse {
            result: LdapResult::success(),
            oid: Some("1.2.3.4".into()),
            value: None,
        });
        peer.raw(&proto::message::encode(proto::MessageId(0), &notice, &proto::Controls::default())).await;
        peer.is_left().await;
    });
    let error = connected.unwrap_err();
    let Error::Closed { source, .. } = &error else { panic!("not closed: {error:?}") };
    assert!(matches!(**source, Closed::Injected), "{error:?}");
}

#[tokio::test]
async fn start_tls_is_not_sent_while_something_is_under_way() {
    let options = Options::new(["ldap://localhost"]).unwrap().tls(nobody_trusted());
    let (client, server) = tokio::io::duplex(4096);
    let connection = Connection::over(client, &options).await.unwrap();
    let mut peer = Peer::new(server);
    let caller = connection.clone();
    let search = tokio::spawn(async move { caller.read("cn=a", &[]).await });
    peer.search().await;
    let error = connection.start_tls().await.unwrap_err();
    assert!(matches!(&error, Error::Request { operation: "StartTLS", .. }), "{error:?}");
    search.abort();
}
