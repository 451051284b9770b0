//! Servers as they stand in cellars: old protocols, old key exchange, certificates of another time. OpenSSL plays them.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ldapgate_tls::{ClientSettings, ClientTls, Error, HandshakeFault, Stream};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A folder with an authority `ca` and a server's certificate `server`, made by OpenSSL.
struct Cellar(TempDir);

/// What goes into a certificate.
struct Made<'a> {
    key: &'a str,
    digest: &'a str,
    names: &'a str,
}

const GOOD: Made<'_> = Made { key: "rsa:2048", digest: "-sha256", names: "DNS:localhost" };

impl Cellar {
    fn new(authority: &Made<'_>, server: &Made<'_>) -> Cellar {
        let cellar = Cellar(tempfile::tempdir().unwrap());
        let make = |made: &Made<'_>, name: &str, more: &[&str]| {
            let (key, certificate, subject) =
                (format!("{name}.key"), format!("{name}.crt"), format!("/CN={name}"));
            let mut arguments =
                vec!["req", "-x509", "-newkey", made.key, "-nodes", made.digest, "-subj", &subject];
            arguments.extend(["-keyout", &key, "-out", &certificate, "-days", "3650"]);
            let extension = format!("subjectAltName={}", made.names);
            if !made.names.is_empty() {
                arguments.extend(["-addext", &extension]);
            }
            arguments.extend(more);
            cellar.openssl(&arguments);
        };
        make(authority, "ca", &[]);
        make(
            server,
            "server",
            &["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"],
        );
        cellar
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(self.0.path()).output();
        let output = output.expect("the package openssl is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn client(&self) -> ClientTls {
        let ca_files = vec![self.0.path().join("ca.crt")];
        ClientSettings { ca_files, system_roots: false, ..ClientSettings::default() }.load().unwrap()
    }

    /// Meets a server that was started with these options of `openssl s_server`.
    async fn meet(&self, options: &[&str]) -> Result<Stream<TcpStream>, Error> {
        let server = Server::start(self, options);
        let stream = TcpStream::connect(server.address).await.unwrap();
        timeout(Duration::from_secs(20), self.client().connect("localhost", stream)).await.unwrap()
    }

    async fn refusal(&self, options: &[&str]) -> (HandshakeFault, String) {
        let error = self.meet(options).await.expect_err("the handshake must fail");
        (error.fault().unwrap(), error.to_string())
    }
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(cellar: &Cellar, options: &[&str]) -> Server {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "server.crt", "-key", "server.key"])
            .args(options)
            .current_dir(cellar.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the package openssl is installed");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let accepting =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned));
        let address = accepting.expect("s_server says where it listens").parse().unwrap();
        Server { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn assert_tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

#[tokio::test]
async fn a_server_of_today_is_met() {
    let cellar = Cellar::new(&GOOD, &GOOD);
    for (option, protocol) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        assert_eq!(cellar.meet(&[option]).await.unwrap().protocol(), protocol);
    }
}

#[tokio::test]
async fn tls_1_0_and_1_1_are_told_by_their_names() {
    let cellar = Cellar::new(&GOOD, &GOOD);
    for version in ["-tls1", "-tls1_1"] {
        let (fault, text) = cellar.refusal(&[version, "-cipher", "ALL:@SECLEVEL=0"]).await;
        assert_eq!(fault, HandshakeFault::OldProtocol, "{text}");
        assert_tells(&text, &["does not speak TLS 1.2 or 1.3", "TLS 1.0 and 1.1", "switch TLS 1.2 on"]);
    }
}

#[tokio::test]
async fn rsa_key_exchange_alone_is_told_with_what_is_needed() {
    let cellar = Cellar::new(&GOOD, &GOOD);
    for cipher in ["AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256"] {
        let (fault, text) = cellar.refusal(&["-tls1_2", "-cipher", cipher]).await;
        assert_eq!(fault, HandshakeFault::Refused, "{text}");
        assert_tells(&text, &["no way of encryption in common", "ECDHE", "RSA key exchange"]);
    }
}

#[tokio::test]
async fn a_certificate_without_subject_alt_name_is_told() {
    let cellar = Cellar::new(&GOOD, &Made { names: "", ..GOOD });
    let (fault, text) = cellar.refusal(&[]).await;
    assert_eq!(fault, HandshakeFault::WrongHost, "{text}");
    assert_tells(&text, &["only the common name server", "subjectAltName holds localhost"]);
}

#[tokio::test]
async fn a_sha_1_signature_is_told() {
    let cellar = Cellar::new(&GOOD, &Made { digest: "-sha1", ..GOOD });
    let (fault, text) = cellar.refusal(&["-cipher", "ALL:@SECLEVEL=0"]).await;
    assert_eq!(fault, HandshakeFault::Unacceptable, "{text}");
    assert_tells(&text, &["SHA-1", "SHA-256"]);
}

#[tokio::test]
async fn a_short_key_is_told_whosever_it_is() {
    let short = Made { key: "rsa:1024", ..GOOD };
    for (cellar, owner) in [(Cellar::new(&GOOD, &short), "CN=server"), (Cellar::new(&short, &GOOD), "CN=ca")]
    {
        for version in ["-tls1_2", "-tls1_3"] {
            let (fault, text) = cellar.refusal(&[version, "-cipher", "ALL:@SECLEVEL=0"]).await;
            assert_eq!(fault, HandshakeFault::Unacceptable, "{text}");
            assert_tells(&text, &[&format!("the RSA key of {owner} has 1024 bits"), "RSA 2048"]);
        }
    }
}
