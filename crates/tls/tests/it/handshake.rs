//! A client and a server of this crate, one thing wrong at a time.

use std::sync::Arc;

use ldapgate_tls::{ClientSettings, ClientTls, Error, HandshakeFault, Identity, ServerTls, Stream, Version};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::authority::{Authority, Pair, server};

/// The client's outcome, and whether the server was content.
async fn meet(
    client: &ClientTls,
    host: &str,
    server: &ServerTls,
) -> (Result<Stream<DuplexStream>, Error>, Result<Stream<DuplexStream>, Error>) {
    let (near, far) = duplex(1 << 16);
    tokio::join!(client.connect(host, near), server.accept(far))
}

fn serving(pair: &Pair) -> ServerTls {
    ServerTls::from_pem(pair.cert_pem().as_bytes(), pair.key_pem().as_bytes()).unwrap()
}

/// The failure's fault and text.
async fn failure(client: &ClientTls, host: &str, server: &ServerTls) -> (HandshakeFault, String) {
    let error = meet(client, host, server).await.0.expect_err("the handshake must fail");
    (error.fault().expect("a handshake failed"), error.to_string())
}

/// The same with an authority that is trusted.
async fn failure_of(params: &CertificateParams, host: &str) -> (HandshakeFault, String) {
    let authority = Authority::new("Example CA");
    let client = ClientTls::from_pem(authority.pem().as_bytes()).unwrap();
    failure(&client, host, &serving(&authority.issue(params))).await
}

fn assert_tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

#[tokio::test]
async fn a_proved_server_and_its_client_talk() {
    let authority = Authority::new("Example CA");
    let client = ClientTls::from_pem(authority.pem().as_bytes()).unwrap();
    let serving = serving(&authority.issue(&server(&["ldap.example.com"])));
    let (near, far) = meet(&client, "ldap.example.com", &serving).await;
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    near.write_all(b"ping").await.unwrap();
    near.flush().await.unwrap();
    let mut heard = [0; 4];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"ping");
    assert_eq!(near.protocol(), "TLSv1.3");
    assert_eq!(near.peer_certificate().unwrap().names, ["ldap.example.com"]);
    assert!(far.peer_certificates_der().is_none());
}

#[tokio::test]
async fn names_match_whatever_their_form() {
    let authority = Authority::new("Example CA");
    let client = ClientTls::from_pem(authority.pem().as_bytes()).unwrap();
    let serving = serving(&authority.issue(&server(&["*.example.com", "10.0.0.1", "::1"])));
    for host in ["a.example.com", "A.EXAMPLE.com", "a.example.com.", "10.0.0.1", "::1", "[::1]"] {
        let (near, _) = meet(&client, host, &serving).await;
        assert!(near.is_ok(), "{host}: {}", near.unwrap_err());
    }
    for host in ["example.com", "a.b.example.com", "10.0.0.2", "::2", "a.example.org"] {
        assert_eq!(failure(&client, host, &serving).await.0, HandshakeFault::WrongHost, "{host}");
    }
}

#[tokio::test]
async fn a_host_that_no_certificate_can_carry_is_refused_before_anything_is_sent() {
    let client = ClientTls::from_pem(Authority::new("Example CA").pem().as_bytes()).unwrap();
    for host in ["", "a b", "bücher.example", "a\0.example.com", "/run/ldapi"] {
        let (near, mut far) = duplex(1024);
        let error = client.connect(host, near).await.unwrap_err();
        assert!(matches!(error, Error::HostName { .. }), "{host}: {error}");
        assert_eq!(far.read(&mut [0; 16]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_wrong_host_is_told_with_the_names_dates_and_issuer_of_the_certificate() {
    let (fault, text) = failure_of(&server(&["ldap.wrong.example", "10.0.0.1"]), "localhost").await;
    assert_eq!(fault, HandshakeFault::WrongHost);
    assert_tells(
        &text,
        &[
            "TLS with localhost failed",
            "not for localhost but for ldap.wrong.example, 10.0.0.1",
            "2024-01-01 00:00:00 UTC",
            "2089-01-01 00:00:00 UTC",
            "issued by CN=Example CA",
            "server_name = \"ldap.wrong.example\"",
        ],
    );
}

#[tokio::test]
async fn a_certificate_with_a_common_name_alone_is_told() {
    let (fault, text) = failure_of(&server(&[]), "directory").await;
    assert_eq!(fault, HandshakeFault::WrongHost);
    assert_tells(&text, &["only the common name directory", "subjectAltName holds directory"]);
}

#[tokio::test]
async fn a_server_name_of_the_settings_is_asked_for_instead() {
    let authority = Authority::new("Example CA");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let settings = ClientSettings {
        ca_files: vec![ca],
        system_roots: false,
        server_name: Some("ldap.example.com".to_owned()),
        ..ClientSettings::default()
    };
    let client = settings.load().unwrap();
    let told = client.describe();
    assert_tells(
        &told,
        &["trusts 1 of its files (PEM /", "ca.pem), asks for ldap.example.com, TLS 1.2 or later"],
    );
    let right = serving(&authority.issue(&server(&["ldap.example.com"])));
    assert!(meet(&client, "10.0.0.1", &right).await.0.is_ok());
    let other = serving(&authority.issue(&server(&["10.0.0.1"])));
    let (fault, text) = failure(&client, "10.0.0.1", &other).await;
    assert_eq!(fault, HandshakeFault::WrongHost);
    assert_tells(&text, &["TLS with ldap.example.com failed"]);
}

#[tokio::test]
async fn an_expired_certificate_is_told_with_its_end() {
    let mut params = server(&["localhost"]);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 2, 3));
    let (fault, text) = failure_of(&params, "localhost").await;
    assert_eq!(fault, HandshakeFault::Expired);
    assert_tells(&text, &["the certificate expired on 2021-02-03 00:00:00 UTC", "renew", "CN=Example CA"]);
}

#[tokio::test]
async fn a_certificate_of_the_future_is_told_with_its_start() {
    let mut params = server(&["localhost"]);
    (params.not_before, params.not_after) = (date_time_ymd(2088, 5, 6), date_time_ymd(2089, 1, 1));
    let (fault, text) = failure_of(&params, "localhost").await;
    assert_eq!(fault, HandshakeFault::NotYetValid);
    assert_tells(&text, &["not valid before 2088-05-06 00:00:00 UTC", "clock"]);
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let client = ClientTls::from_pem(Authority::new("Example CA").pem().as_bytes()).unwrap();
    let stranger = Authority::new("Somebody Else");
    let (fault, text) =
        failure(&client, "localhost", &serving(&stranger.issue(&server(&["localhost"])))).await;
    assert_eq!(fault, HandshakeFault::UnknownIssuer);
    assert_tells(&text, &["CN=Somebody Else did", "ca_files", "it sent none"]);
}

#[tokio::test]
async fn an_authority_made_anew_under_its_old_name_is_told() {
    let client = ClientTls::from_pem(Authority::new("Example CA").pem().as_bytes()).unwrap();
    let renewed = Authority::new("Example CA");
    let (fault, text) =
        failure(&client, "localhost", &serving(&renewed.issue(&server(&["localhost"])))).await;
    assert_eq!(fault, HandshakeFault::UnknownIssuer);
    assert_tells(&text, &["an authority named CN=Example CA is trusted, but its key did not sign"]);
}

#[tokio::test]
async fn a_self_signed_certificate_is_told() {
    let client = ClientTls::from_pem(Authority::new("Example CA").pem().as_bytes()).unwrap();
    let (fault, text) =
        failure(&client, "localhost", &serving(&Pair::self_signed(&server(&["localhost"])))).await;
    assert_eq!(fault, HandshakeFault::SelfSigned);
    assert_tells(&text, &["self-signed", "issued by itself", "ca_files"]);
}

#[tokio::test]
async fn a_self_signed_certificate_that_was_named_is_trusted_for_its_hosts_and_days_only() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = server(&["localhost"]);
        params.is_ca = is_ca;
        let pair = Pair::self_signed(&params);
        let client = ClientTls::from_pem(pair.cert_pem().as_bytes()).unwrap();
        assert!(meet(&client, "localhost", &serving(&pair)).await.0.is_ok(), "{is_ca:?}");
        assert_eq!(failure(&client, "ldap.example.com", &serving(&pair)).await.0, HandshakeFault::WrongHost);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        let pair = Pair::self_signed(&params);
        let client = ClientTls::from_pem(pair.cert_pem().as_bytes()).unwrap();
        assert_eq!(failure(&client, "localhost", &serving(&pair)).await.0, HandshakeFault::Expired);
    }
}

#[tokio::test]
async fn an_authority_that_serves_with_its_own_certificate_is_told() {
    let root = Authority::new("Root");
    let mut params = server(&["localhost"]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let client = ClientTls::from_pem(root.pem().as_bytes()).unwrap();
    let (fault, text) = failure(&client, "localhost", &serving(&root.issue(&params))).await;
    assert_eq!(fault, HandshakeFault::Unacceptable);
    assert_tells(&text, &["CA:TRUE", "ca_files"]);
}

#[tokio::test]
async fn a_certificate_for_clients_does_not_serve() {
    let mut params = server(&["localhost"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (fault, text) = failure_of(&params, "localhost").await;
    assert_eq!(fault, HandshakeFault::Unacceptable);
    assert_tells(&text, &["extended key usage", "serverAuth"]);
}

#[tokio::test]
async fn an_intermediate_is_taken_from_the_chain_or_from_the_file() {
    let root = Authority::new("Root");
    let middle = root.below("Middle");
    let leaf = middle.issue(&server(&["localhost"]));
    let trusting_root = ClientTls::from_pem(root.pem().as_bytes()).unwrap();
    let trusting_middle = ClientTls::from_pem(middle.pem().as_bytes()).unwrap();
    let chain = format!("{}{}", leaf.cert_pem(), middle.pem());
    let whole = ServerTls::from_pem(chain.as_bytes(), leaf.key_pem().as_bytes()).unwrap();
    assert!(meet(&trusting_root, "localhost", &whole).await.0.is_ok());
    assert!(meet(&trusting_middle, "localhost", &serving(&leaf)).await.0.is_ok());
    let (fault, text) = failure(&trusting_root, "localhost", &serving(&leaf)).await;
    assert_eq!(fault, HandshakeFault::UnknownIssuer);
    assert_tells(&text, &["CN=Middle did", "intermediate"]);
}

#[tokio::test]
async fn a_client_that_trusts_nobody_says_so() {
    let settings = ClientSettings { system_roots: false, ..ClientSettings::default() };
    let client = settings.load().unwrap();
    assert_eq!(client.trusted(), 0);
    let pair = Authority::new("Example CA").issue(&server(&["localhost"]));
    let (fault, text) = failure(&client, "localhost", &serving(&pair)).await;
    assert_eq!(fault, HandshakeFault::NothingTrusted);
    assert_tells(&text, &["no authority is trusted", "ca-certificates"]);
}

#[tokio::test]
async fn danger_accepts_anything_and_says_so() {
    let settings = ClientSettings { danger_accept_invalid_certificates: true, ..ClientSettings::default() };
    let client = settings.load().unwrap();
    assert_eq!(client.describe(), "accepts ANY certificate, TLS 1.2 or later");
    let mut params = server(&["ldap.wrong.example"]);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    assert!(meet(&client, "localhost", &serving(&Pair::self_signed(&params))).await.0.is_ok());
}

#[tokio::test]
async fn the_server_learns_that_its_certificate_was_refused() {
    let client = ClientTls::from_pem(Authority::new("Example CA").pem().as_bytes()).unwrap();
    let pair = Pair::self_signed(&server(&["localhost"]));
    let error = meet(&client, "localhost", &serving(&pair)).await.1.unwrap_err();
    assert_tells(
        &error.to_string(),
        &["TLS with a client failed", "does not accept this server's certificate"],
    );
}

#[tokio::test]
async fn a_protocol_is_agreed_on_where_one_is_offered() {
    let authority = Authority::new("Example CA");
    let client = ClientTls::from_pem(authority.pem().as_bytes()).unwrap();
    let serving = serving(&authority.issue(&server(&["localhost"]))).offering(["h2", "http/1.1"]);
    let (near, _) = meet(&client, "localhost", &serving).await;
    assert_eq!(near.unwrap().application_protocol(), None, "an LDAP client asks for none");
}

/// A server that demands a certificate of this authority.
fn demanding(
    authority: &Authority,
    pair: &Pair,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.der().into()).unwrap();
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .unwrap();
    rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![pair.certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(pair.key.serialize_der().into()),
        )
        .unwrap()
}

/// The client's first read after the handshake, or the handshake's error.
async fn first_read(client: &ClientTls, config: rustls::ServerConfig) -> Result<Vec<u8>, String> {
    let (near, far) = duplex(1 << 16);
    let serve = async {
        let mut stream = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(far).await.ok()?;
        let peer = stream.get_ref().1.peer_certificates()?.len().to_string();
        stream.write_all(peer.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()
    };
    let ask = async {
        let mut stream = client.connect("localhost", near).await.map_err(|error| error.to_string())?;
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.map_err(|error| error.to_string())?;
        Ok(heard)
    };
    tokio::join!(ask, serve).0
}

#[tokio::test]
async fn a_client_certificate_is_presented() {
    let authority = Authority::new("Example CA");
    let mut params = server(&[]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let identity = authority.issue(&params);
    let folder = tempfile::tempdir().unwrap();
    let (ca, both) = (folder.path().join("ca.pem"), folder.path().join("both.pem"));
    std::fs::write(&ca, authority.pem()).unwrap();
    std::fs::write(&both, format!("{}{}", identity.key_pem(), identity.cert_pem())).unwrap();
    let settings = ClientSettings {
        ca_files: vec![ca],
        system_roots: false,
        client_identity: Some(Identity { cert: both.clone(), key: both }),
        ..ClientSettings::default()
    };
    let serving = authority.issue(&server(&["localhost"]));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = demanding(&authority, &serving, &[version]);
        let client = settings.load().unwrap();
        assert_eq!(first_read(&client, config.clone()).await.as_deref(), Ok(&b"1"[..]));
        let refused = first_read(&client.for_another_server(), config).await.unwrap_err();
        assert_tells(&refused, &["client certificate"]);
    }
}

#[tokio::test]
async fn another_server_is_asked_for_its_own_name() {
    let authority = Authority::new("Example CA");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let settings = ClientSettings {
        ca_files: vec![ca],
        system_roots: false,
        server_name: Some("first.example.com".to_owned()),
        ..ClientSettings::default()
    };
    let client = settings.load().unwrap();
    let serving = serving(&authority.issue(&server(&["first.example.com"])));
    assert!(meet(&client, "localhost", &serving).await.0.is_ok(), "the settings' name is the certificate's");
    let (fault, _) = failure(&client.for_another_server(), "localhost", &serving).await;
    assert_eq!(fault, HandshakeFault::WrongHost);
}

#[tokio::test]
async fn a_missing_client_certificate_is_told_by_either_version() {
    let authority = Authority::new("Example CA");
    let client = ClientTls::from_pem(authority.pem().as_bytes()).unwrap();
    let serving = authority.issue(&server(&["localhost"]));
    let old = demanding(&authority, &serving, &[&rustls::version::TLS12]);
    assert_tells(&first_read(&client, old).await.unwrap_err(), &["client certificate", "client_cert"]);
    let new = demanding(&authority, &serving, &[&rustls::version::TLS13]);
    assert_tells(&first_read(&client, new).await.unwrap_err(), &["requires a client certificate"]);
}

#[tokio::test]
async fn a_server_of_an_older_version_than_allowed_is_told() {
    let authority = Authority::new("Example CA");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let settings = ClientSettings {
        ca_files: vec![ca],
        system_roots: false,
        min_version: Version::Tls13,
        ..ClientSettings::default()
    };
    let serving = authority.issue(&server(&["localhost"]));
    let old = demanding(&authority, &serving, &[&rustls::version::TLS12]);
    let text = first_read(&settings.load().unwrap(), old).await.unwrap_err();
    assert_tells(&text, &["does not speak TLS 1.3", "min_version"]);
}
