//! SASL binds against a scripted server: what is sent, what is believed, and how everything that goes wrong ends.

use bytes::Bytes;
use ldapgate_client::proto::sasl::{Mechanism, SaslError, ScramHash, ScramServer, nonce};
use ldapgate_client::{Binding, Closed, Connection, Error, Options, Pool, Sasl};
use proto::message::{Authentication, BindResponse, MessageId, Request, Response};
use proto::{LdapResult, Password, ResultCode};
use testkit::openldap::OpenLdap;
use tls::{ClientSettings, ClientTls, Identity};
use tokio::time::Duration;
use zeroize::Zeroizing;

use crate::peer::{Peer, connected, local};

pub(crate) fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

/// Trust in the authority of a real server.
pub(crate) fn trusting(ca: &std::path::Path) -> ClientTls {
    settings(ca).load().unwrap()
}

pub(crate) fn settings(ca: &std::path::Path) -> ClientSettings {
    ClientSettings { ca_files: vec![ca.to_owned()], system_roots: false, ..ClientSettings::default() }
}

/// The same, with a client certificate.
pub(crate) fn presenting(ca: &std::path::Path, files: testkit::certificate::Files) -> ClientTls {
    let identity = Identity { cert: files.certificate, key: files.key };
    ClientSettings { client_identity: Some(identity), ..settings(ca) }.load().unwrap()
}

/// Somebody whose password 389-ds keeps in clear text, as digests need it; the name is as it maps it by itself.
pub(crate) fn person_in_clear(server: &testkit::ds389::Ds389, name: &str) -> String {
    server.administer(&format!(
        "dn: uid=sasl-{name},ou=people,dc=example,dc=com\nchangetype: add\nobjectClass: inetOrgPerson\n\
         uid: sasl-{name}\ncn: {name}\nsn: {name}\nuserPassword: {{CLEAR}}Clear-Pass-1\n"
    ));
    format!("dn:uid=sasl-{name},ou=people,dc=example,dc=com")
}

/// A mechanism that takes a name and a password.
pub(crate) type New = fn(String, Password) -> Sasl;

/// Whatever letters their names and passwords have.
pub(crate) async fn openldap_takes_three_names(new: New) {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldap_url()]).unwrap();
    for (user, secret) in [("alice", "Red-Apple-11"), ("zoe", "Pässwörd-Ünï-44"), ("jürgen", "Gelb-Glas-55")]
    {
        let connection = Connection::open(&options).await.unwrap();
        let sasl = new(user.to_owned(), password(secret));
        let reply = connection.sasl_bind(&sasl).await.unwrap();
        assert!(reply.is_success(), "{sasl:?}: {reply:?}");
        let name = connection.who_am_i().await.unwrap();
        assert_eq!(name, format!("dn:uid={user},ou=people,dc=example,dc=com"));
    }
}

/// A wrong password and a name that is not there; the connection stays in use.
pub(crate) async fn openldap_refuses_what_is_wrong(new: New) {
    let server = OpenLdap::equipped().await;
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    // OpenLDAP says "other" (80) of a name it does not know.
    let refusals = [ResultCode::INVALID_CREDENTIALS, ResultCode::OTHER];
    for (user, secret) in [("alice", "wrong"), ("nobody-at-all", "Red-Apple-11")] {
        let reply = connection.sasl_bind(new(user.to_owned(), password(secret))).await.unwrap();
        assert!(refusals.contains(&reply.result.code), "{user}: {reply:?}");
    }
    let reply = connection.sasl_bind(new("alice".to_owned(), password("Red-Apple-11"))).await.unwrap();
    assert!(reply.is_success(), "a refusal leaves the connection in use");
}

/// For somebody of [`person_in_clear`]: the password, and another one.
pub(crate) async fn ds389_takes_the_right_password(connection: &Connection, somebody: &str, new: New) {
    let right = new(somebody.to_owned(), password("Clear-Pass-1"));
    let reply = connection.sasl_bind(&right).await.unwrap();
    assert!(reply.is_success(), "{right:?}: {reply:?}");
    let wrong = connection.sasl_bind(new(somebody.to_owned(), password("wrong"))).await.unwrap();
    assert_eq!(wrong.result.code, ResultCode::INVALID_CREDENTIALS, "{right:?}");
}

impl Peer {
    /// The next request, which must be a step of a SASL bind.
    pub(crate) async fn step(&mut self) -> (MessageId, String, Option<Bytes>) {
        let message = self.request().await;
        let Request::Bind(bind) = message.operation else { panic!("not a bind") };
        let Authentication::Sasl { mechanism, credentials } = bind.authentication else { panic!("not SASL") };
        assert_eq!((bind.name.as_str(), bind.version), ("", 3));
        (message.id, mechanism, credentials)
    }

    pub(crate) async fn challenge(&mut self, id: MessageId, challenge: &[u8]) {
        self.answer(id, ResultCode::SASL_BIND_IN_PROGRESS, Some(challenge)).await;
    }

    pub(crate) async fn answer(&mut self, id: MessageId, code: ResultCode, credentials: Option<&[u8]>) {
        let server_credentials = credentials.map(Bytes::copy_from_slice);
        let result = LdapResult::new(code, "");
        self.reply(id, Response::Bind(BindResponse { result, server_credentials })).await;
    }

    /// Answers the question which mechanisms there are.
    async fn offers(&mut self, offered: &[&str]) {
        let (id, search, _) = self.search().await;
        assert_eq!(
            (search.base.as_str(), search.attributes.as_slice()),
            ("", &["supportedSASLMechanisms".to_owned()][..])
        );
        let root = proto::Entry::builder("").attribute("supportedSASLMechanisms", offered.iter().copied());
        self.reply(id, Response::SearchEntry(root.build())).await;
        self.done(id).await;
    }

    /// Plays the server's half of SCRAM-SHA-256 for one bind.
    async fn scram(&mut self, secret: &str) {
        let mut server = ScramServer::new(ScramHash::Sha256, b"salt", 4096, nonce(&[9; 18]));
        let (id, mechanism, first) = self.step().await;
        assert_eq!(mechanism, "SCRAM-SHA-256");
        let challenge = server.first(&first.unwrap()).unwrap();
        self.challenge(id, &challenge).await;
        let (id, _, last) = self.step().await;
        match server.last(&last.unwrap(), secret.as_bytes()).unwrap() {
            Some(proof) => self.answer(id, ResultCode::SUCCESS, Some(&proof)).await,
            None => self.answer(id, ResultCode::INVALID_CREDENTIALS, None).await,
        }
    }
}

fn scram() -> Sasl {
    Sasl::scram_sha_256("ada", password("engine"))
}

#[tokio::test]
async fn a_bind_takes_as_many_steps_as_its_mechanism() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(scram()), peer.scram("engine"));
    assert!(reply.unwrap().is_success());
    let (reply, ()) = tokio::join!(connection.sasl_bind(scram()), peer.scram("other"));
    assert_eq!(reply.unwrap().result.code, ResultCode::INVALID_CREDENTIALS);
    assert!(!connection.is_closed(), "no is an answer");
}

#[tokio::test]
async fn a_success_without_the_servers_proof_is_an_error_and_the_end() {
    for proof in [None, Some(&b"v=AAAA"[..])] {
        let (connection, mut peer) = connected(&local()).await;
        let (reply, ()) = tokio::join!(connection.sasl_bind(scram()), async {
            let mut server = ScramServer::new(ScramHash::Sha256, b"salt", 4096, nonce(&[9; 18]));
            let (id, _, first) = peer.step().await;
            let challenge = server.first(&first.unwrap()).unwrap();
            peer.challenge(id, &challenge).await;
            let (id, ..) = peer.step().await;
            peer.answer(id, ResultCode::SUCCESS, proof).await;
        });
        let error = reply.unwrap_err();
        let Error::Sasl { source: SaslError::NotProved { .. }, .. } = &error else { panic!("{error:?}") };
        assert!(error.causes()[0].contains("did not prove itself"), "{:?}", error.causes());
        peer.is_left().await;
        assert!(connection.read("cn=a", &[]).await.is_err(), "nothing is asked of such a server");
    }
}

#[tokio::test]
async fn an_early_success_is_none() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(scram()), async {
        let (id, ..) = peer.step().await;
        peer.answer(id, ResultCode::SUCCESS, None).await;
    });
    assert!(matches!(reply, Err(Error::Sasl { source: SaslError::OutOfTurn { .. }, .. })), "{reply:?}");
    peer.is_left().await;
}

#[tokio::test]
async fn hostile_challenges_end_the_connection() {
    for challenge in [&b""[..], b"r=x,s=QQ==,i=1", b"\xff\xff", &[b'r'; 70_000]] {
        let (connection, mut peer) = connected(&local()).await;
        let (reply, ()) = tokio::join!(connection.sasl_bind(scram()), async {
            let (id, ..) = peer.step().await;
            peer.challenge(id, challenge).await;
            peer.is_left().await;
        });
        assert!(matches!(reply, Err(Error::Sasl { .. })), "{reply:?}");
        assert!(connection.is_closed());
    }
}

/// Answers whatever it is asked.
struct Patient;

impl Mechanism for Patient {
    fn name(&self) -> &str {
        "X-PATIENT"
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        Ok(None)
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        Ok(Zeroizing::new(challenge.to_vec()))
    }

    fn finish(&mut self, _: Option<&[u8]>) -> Result<(), SaslError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_server_cannot_ask_without_end() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, steps) = tokio::join!(connection.sasl_bind(Sasl::mechanism(Box::new(Patient))), async {
        let mut steps = 0;
        while let Some(message) = peer.try_request().await {
            let Request::Bind(_) = message.operation else { break };
            steps += 1;
            peer.challenge(message.id, b"again").await;
        }
        steps
    });
    assert!(matches!(reply, Err(Error::Sasl { source: SaslError::Unsupported { .. }, .. })), "{reply:?}");
    assert_eq!(steps, 16);
}

#[tokio::test(start_paused = true)]
async fn one_deadline_holds_for_all_steps_together() {
    let options = local().timeout(Duration::from_secs(10));
    let (connection, mut peer) = connected(&options).await;
    let began = tokio::time::Instant::now();
    let (reply, ()) = tokio::join!(connection.sasl_bind(Sasl::mechanism(Box::new(Patient))), async {
        for _ in 0..3 {
            let (id, ..) = peer.step().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            peer.challenge(id, b"again").await;
        }
        peer.step().await;
    });
    assert!(matches!(reply, Err(Error::Timeout { .. })), "{reply:?}");
    assert_eq!(began.elapsed().as_secs(), 10);
    peer.is_left().await;
}

#[tokio::test]
async fn a_bind_that_is_dropped_between_two_steps_closes_the_connection() {
    let (connection, mut peer) = connected(&local()).await;
    let caller = connection.clone();
    let bind = tokio::spawn(async move { caller.sasl_bind(Sasl::mechanism(Box::new(Patient))).await });
    let (id, ..) = peer.step().await;
    peer.challenge(id, b"again").await;
    peer.step().await;
    bind.abort();
    peer.is_left().await;
    assert!(connection.is_closed());
}

#[tokio::test]
async fn nothing_else_is_sent_between_two_steps() {
    let (connection, mut peer) = connected(&local()).await;
    let caller = connection.clone();
    let bind = tokio::spawn(async move { caller.sasl_bind(Sasl::mechanism(Box::new(Patient))).await });
    let (id, ..) = peer.step().await;
    peer.challenge(id, b"again").await;
    let (id, ..) = peer.step().await;
    let error = connection.read("cn=a", &[]).await.unwrap_err();
    assert!(matches!(&error, Error::Request { .. }) && !error.sent(), "{error:?}");
    peer.answer(id, ResultCode::SUCCESS, None).await;
    assert!(bind.await.unwrap().unwrap().is_success());
    let (found, ()) = tokio::join!(connection.read("cn=a", &[]), async {
        let (id, ..) = peer.search().await;
        peer.entry(id, "cn=a").await;
        peer.done(id).await;
    });
    assert!(found.unwrap().is_some(), "afterwards everything goes on");
}

#[tokio::test(start_paused = true)]
async fn what_a_listener_could_use_is_not_sent_in_clear_text() {
    let far = Options::new(["ldap://ldap.example.com"]).unwrap();
    for sasl in [
        Sasl::plain("ada", password("engine")),
        Sasl::cram_md5("ada", password("engine")),
        Sasl::digest_md5("ada", password("engine")),
        Sasl::oauth_bearer(password("token")),
    ] {
        let (connection, mut peer) = connected(&far).await;
        let error = connection.sasl_bind(&sasl).await.unwrap_err();
        assert!(matches!(&error, Error::ClearSasl { .. }), "{error:?}");
        assert!(!error.sent() && !error.is_unreachable());
        peer.hears_nothing().await;
        let (allowed, mut peer) = connected(&far.clone().allow_cleartext()).await;
        let (reply, ()) = tokio::join!(allowed.sasl_bind(&sasl), async {
            let (id, ..) = peer.step().await;
            peer.answer(id, ResultCode::INVALID_CREDENTIALS, None).await;
        });
        assert!(reply.is_ok(), "{reply:?}");
    }
    let (connection, mut peer) = connected(&far).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(scram()), peer.scram("engine"));
    assert!(reply.unwrap().is_success(), "SCRAM tells nobody the password");
}

#[tokio::test]
async fn the_strongest_is_chosen_and_never_a_weak_one_in_clear_text() {
    let strongest = Sasl::strongest("ada", password("engine"));
    let far = Options::new(["ldap://ldap.example.com"]).unwrap();

    let (connection, mut peer) = connected(&far).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(&strongest), async {
        peer.offers(&["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512-PLUS"]).await;
        peer.scram("engine").await;
    });
    assert!(reply.unwrap().is_success());

    let (connection, mut peer) = connected(&far).await;
    let (reply, ()) =
        tokio::join!(connection.sasl_bind(&strongest), peer.offers(&["PLAIN", "CRAM-MD5", "DIGEST-MD5"]));
    let error = reply.unwrap_err();
    assert!(matches!(&error, Error::NoMechanism { .. }), "{error:?}");
    assert!(error.to_string().ends_with("it offers PLAIN, CRAM-MD5, DIGEST-MD5"), "{error}");

    let (connection, mut peer) = connected(&local()).await;
    let without_plain = strongest.clone().without_plain();
    let (reply, ()) = tokio::join!(connection.sasl_bind(&without_plain), peer.offers(&["PLAIN"]));
    assert!(matches!(reply, Err(Error::NoMechanism { .. })), "{reply:?}");

    let (connection, mut peer) = connected(&local()).await;
    let (reply, mechanism) = tokio::join!(connection.sasl_bind(&strongest), async {
        peer.offers(&["PLAIN", "GSSAPI"]).await;
        let (id, mechanism, credentials) = peer.step().await;
        assert_eq!(credentials.as_deref(), Some(&b"\0ada\0engine"[..]));
        peer.answer(id, ResultCode::SUCCESS, None).await;
        mechanism
    });
    assert!(reply.unwrap().is_success());
    assert_eq!(mechanism, "PLAIN");
}

#[tokio::test]
async fn a_channel_binding_that_was_asked_for_is_never_left_out_silently() {
    let made = || Sasl::made_by("X-OWN", |_, _| panic!("it is not made"));
    let external = Sasl::external;
    let plain = || Sasl::plain("ada", password("engine"));
    let digest = || Sasl::digest_md5("ada", password("engine"));
    let bearer = || Sasl::oauth_bearer(password("token"));
    let spnego = || Sasl::named("GSS-SPNEGO").unwrap().user("ada").password(password("engine"));
    for sasl in [
        plain().plus(),
        plain().channel_binding(Binding::Exporter),
        digest().plus(),
        bearer().plus(),
        external().channel_binding(Binding::ServerEndPoint),
        made().plus(),
        made().channel_binding(Binding::Exporter),
        spnego().plus(),
        scram().channel_binding(Binding::ServerEndPoint),
    ] {
        let (connection, _peer) = connected(&local()).await;
        let error = connection.sasl_bind(&sasl).await.unwrap_err();
        let Error::Sasl { source, .. } = &error else { panic!("{sasl:?}: {error:?}") };
        let expected = "the mechanism cannot carry the channel binding: it has no place";
        assert_eq!(source.to_string(), expected, "{sasl:?}");
        assert!(!connection.is_closed(), "nothing was said: {sasl:?}");
    }
    let (connection, _peer) = connected(&local()).await;
    let unbound = spnego().channel_binding(Binding::ServerEndPoint);
    let error = connection.sasl_bind(&unbound).await.unwrap_err();
    assert!(matches!(&error, Error::Sasl { source: SaslError::Unsupported { .. }, .. }), "{error:?}");

    let strongest = || Sasl::strongest("ada", password("engine"));
    for sasl in [strongest().plus(), strongest().channel_binding(Binding::Exporter)] {
        let (connection, mut peer) = connected(&local()).await;
        let offered = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];
        let (reply, ()) = tokio::join!(connection.sasl_bind(&sasl), peer.offers(&offered));
        assert!(matches!(reply, Err(Error::NoMechanism { .. })), "there is no TLS to bind to: {reply:?}");
    }
}

#[tokio::test]
async fn a_mechanism_of_ones_own_is_used_once_and_a_made_one_again() {
    let (connection, mut peer) = connected(&local()).await;
    let accept = async |peer: &mut Peer| {
        let (id, ..) = peer.step().await;
        peer.answer(id, ResultCode::SUCCESS, None).await;
    };
    let once = Sasl::mechanism(Box::new(Patient));
    let made = Sasl::made_by("X-PATIENT", |peer, secret| {
        assert_eq!((peer.host(), peer.port(), secret.is_none()), ("localhost", 389, true));
        Ok(Box::new(Patient))
    });
    for sasl in [&once, &made, &made] {
        let (reply, ()) = tokio::join!(connection.sasl_bind(sasl), accept(&mut peer));
        assert!(reply.unwrap().is_success());
    }
    let error = connection.sasl_bind(&once).await.unwrap_err();
    assert!(matches!(&error, Error::Sasl { source: SaslError::Configuration(_), .. }), "{error:?}");
    assert!(!connection.is_closed(), "nothing was sent");
}

#[tokio::test]
async fn a_mechanism_that_panics_harms_nobody_else() {
    struct Broken;
    impl Mechanism for Broken {
        fn name(&self) -> &str {
            "X-BROKEN"
        }
        fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
            panic!("a mechanism of somebody's")
        }
        fn respond(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
            Ok(Zeroizing::default())
        }
        fn finish(&mut self, _: Option<&[u8]>) -> Result<(), SaslError> {
            Ok(())
        }
    }
    let (connection, _peer) = connected(&local()).await;
    let error = connection.sasl_bind(Sasl::mechanism(Box::new(Broken))).await.unwrap_err();
    assert!(matches!(&error, Error::Sasl { source: SaslError::Library { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn a_service_account_binds_by_sasl_with_a_secret_that_is_read_each_time() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = asked.clone();
    let service = Sasl::named("SCRAM-SHA-256").unwrap().user("ada").reading(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(Password::new("engine")?)
    });
    let options = local().bind(service);
    for secret in ["engine", "changed"] {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let mut peer = Peer::new(server);
        let (connected, ()) = tokio::join!(Connection::over(client, &options), peer.scram(secret));
        match connected {
            Ok(_) => assert_eq!(secret, "engine"),
            Err(Error::ServiceBind { dn, result, .. }) => {
                assert_eq!((dn.as_str(), secret), ("SCRAM-SHA-256 as ada", "changed"));
                assert_eq!(result.code, ResultCode::INVALID_CREDENTIALS);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_closed_pool_server_tells_no_secret() {
    let options = Options::new(["ldap://127.0.0.1:1"]).unwrap().bind(scram());
    let error = Pool::open(options).await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
    assert!(!format!("{error:?}").contains("engine"));
}

#[tokio::test]
async fn a_connection_that_ends_mid_exchange_says_so() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(scram()), async {
        peer.step().await;
        drop(peer);
    });
    let Err(Error::Closed { source, .. }) = reply else { panic!("{reply:?}") };
    assert!(matches!(*source, Closed::ByPeer), "{source:?}");
}
