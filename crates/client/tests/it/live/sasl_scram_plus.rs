//! SASL SCRAM -PLUS: bound to the TLS connection by tls-exporter or tls-server-end-point (RFC 5802, RFC 9266, RFC 5929)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use ldapgate_client::proto::sasl::{ChannelBinding, SaslError, Scram, ScramHash, ScramServer, nonce};
use ldapgate_client::{BindReply, Binding, Connection, Error, Options, ResultCode, Sasl};
use proto::message::{Authentication, BindResponse, Request, Response};
use proto::session::ServerSession;
use proto::{Controls, LdapResult, Limits};
use sha2::{Digest as _, Sha256};
use testkit::certificate::{Authority, Flaw};
use testkit::equipped::Equipped;
use tls::{ClientTls, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::peer::{connected, local};
use crate::sasl::{password, trusting};

/// OpenLDAP calls its binding by the name of the service, which no standard client does.
fn as_openldap_names_it(flip: u8) -> Sasl {
    let making = move |peer: &ldapgate_client::SaslPeer<'_>, _: Option<&_>| {
        let mut hash = peer.bindings().and_then(|bindings| bindings.server_end_point.clone()).unwrap();
        hash[0] ^= flip;
        let binding = ChannelBinding::new("ldap", [b"tls-server-end-point:", &hash[..]].concat());
        let scram = Scram::new(ScramHash::Sha256, "alice", password("Red-Apple-11"), nonce(&[7; 18]))?;
        Ok(Box::new(scram.bound(binding)) as Box<dyn ldapgate_client::proto::sasl::Mechanism>)
    };
    Sasl::made_by("SCRAM-SHA-256-PLUS", making)
}

#[tokio::test]
async fn openldap_refuses_a_standard_binding_and_takes_the_hash_under_its_own_name() {
    let server = Equipped::start().await;
    server.configure(
        "dn: cn=config\nchangetype: modify\nreplace: olcSaslCBinding\nolcSaslCBinding: tls-endpoint\n",
    );
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    let open = async || Connection::open(&options).await.unwrap();

    let standard = Sasl::scram_sha_256("alice", password("Red-Apple-11")).plus();
    for binding in [Binding::ServerEndPoint, Binding::Exporter] {
        let sasl = standard.clone().channel_binding(binding);
        let reply = open().await.sasl_bind(&sasl).await.unwrap();
        assert_eq!(reply.result.code, ResultCode::OTHER, "{reply:?}");
        assert!(reply.result.message.contains("channel binding"), "{reply:?}");
    }
    let reply = open().await.sasl_bind(as_openldap_names_it(0)).await.unwrap();
    assert!(reply.is_success(), "the hash is the one that OpenLDAP has: {reply:?}");
    let reply = open().await.sasl_bind(as_openldap_names_it(1)).await.unwrap();
    assert!(!reply.is_success(), "and another is refused");
    let without = Sasl::scram_sha_256("alice", password("Red-Apple-11"));
    assert!(open().await.sasl_bind(without).await.unwrap().is_success());
}

/// A server with TLS that takes one SCRAM-SHA-256 bind, bound as the test says.
async fn serve(stream: DuplexStream, tls: ServerTls, binding: impl Fn(&tls::Bindings) -> ChannelBinding) {
    let mut stream = tls.accept(stream).await.unwrap();
    let binding = binding(&stream.bindings());
    let mut scram = ScramServer::new(ScramHash::Sha256, b"salt", 64, nonce(&[9; 18])).bound(binding);
    let mut session = ServerSession::new(Limits::server());
    let (mut inbox, mut begun) = (BytesMut::new(), false);
    while stream.read_buf(&mut inbox).await.is_ok_and(|read| read > 0) {
        let Some(message) = session.receive(&mut inbox).unwrap() else { continue };
        let Request::Bind(bind) = message.operation else { return };
        let Authentication::Sasl { mechanism, credentials: Some(said) } = bind.authentication else { return };
        assert!(mechanism.starts_with("SCRAM-SHA-256"));
        let (code, credentials) = match std::mem::replace(&mut begun, true) {
            false => match scram.first(&said) {
                Ok(challenge) => (ResultCode::SASL_BIND_IN_PROGRESS, Some(challenge)),
                Err(_) => (ResultCode::INVALID_CREDENTIALS, None),
            },
            true => match scram.last(&said, b"engine") {
                Ok(Some(proof)) => (ResultCode::SUCCESS, Some(proof)),
                _ => (ResultCode::INVALID_CREDENTIALS, None),
            },
        };
        let result = LdapResult::new(code, "");
        let server_credentials = credentials.map(bytes::Bytes::from);
        let response = Response::Bind(BindResponse { result, server_credentials });
        let answer = session.reply(message.id, &response, &Controls::default());
        stream.write_all(&answer).await.unwrap();
    }
}

struct World {
    client: ClientTls,
    server: ServerTls,
    certificate: Vec<u8>,
}

impl World {
    fn new() -> World {
        let authority = Authority::new("Example Test CA");
        let pair = authority.server(Flaw::None);
        let body: String = pair.certificate.lines().filter(|line| !line.starts_with("-----")).collect();
        World {
            client: ClientTls::from_pem(authority.pem().as_bytes()).unwrap(),
            server: ServerTls::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).unwrap(),
            certificate: STANDARD.decode(body).unwrap(),
        }
    }

    /// One bind, to a server that has this binding.
    async fn bind(
        &self,
        sasl: &Sasl,
        theirs: impl Fn(&tls::Bindings) -> ChannelBinding,
    ) -> Result<BindReply, Error> {
        let options = Options::new(["ldaps://localhost"]).unwrap().tls(self.client.clone());
        let (client, server) = tokio::io::duplex(64 * 1024);
        let ours = async {
            let connection = Connection::over(client, &options).await?;
            connection.sasl_bind(sasl).await
        };
        tokio::join!(ours, serve(server, self.server.clone(), theirs)).0
    }

    fn end_point(&self) -> ChannelBinding {
        // The testkit's certificates are signed with ECDSA and SHA-256.
        ChannelBinding::tls_server_end_point(Sha256::digest(&self.certificate).to_vec())
    }
}

fn exporter(bindings: &tls::Bindings) -> ChannelBinding {
    ChannelBinding::tls_exporter(bindings.exporter.expect("it is TLS 1.3"))
}

fn scram() -> Sasl {
    Sasl::scram_sha_256("ada", password("engine"))
}

#[tokio::test]
async fn memory_both_ends_of_one_connection_agree_on_both_bindings() {
    let world = World::new();
    let reply = world.bind(&scram().plus(), exporter).await.unwrap();
    assert!(reply.is_success(), "the exporter is what -PLUS takes by itself: {reply:?}");
    let end_point = scram().plus().channel_binding(Binding::ServerEndPoint);
    let reply = world.bind(&end_point, |_| world.end_point()).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
}

#[tokio::test]
async fn memory_the_ends_of_two_connections_do_not() {
    let world = World::new();
    let somebody_between = |_: &tls::Bindings| ChannelBinding::tls_exporter([0; 32]);
    assert!(!world.bind(&scram().plus(), somebody_between).await.unwrap().is_success());
    let another_certificate = |_: &tls::Bindings| ChannelBinding::tls_server_end_point([0; 32]);
    let end_point = scram().plus().channel_binding(Binding::ServerEndPoint);
    assert!(!world.bind(&end_point, another_certificate).await.unwrap().is_success());
}

#[tokio::test]
async fn memory_without_tls_there_is_nothing_to_bind_to() {
    let (connection, _peer) = connected(&local()).await;
    let error = connection.sasl_bind(scram().plus()).await.unwrap_err();
    assert!(matches!(&error, Error::Sasl { source: SaslError::Unsupported { .. }, .. }), "{error:?}");
    assert!(connection.bindings().is_none() && !connection.is_closed());
}
