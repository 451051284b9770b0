//! StartTLS and ldaps, with OpenLDAP's tools as clients.

use ::tls::ServerTls;
use directory::Directory;
use proto::{Request, StartTls};
use testkit::certificate::{Authority, Flaw};
use testkit::process::{Finished, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{ALICE, ALICE_PASSWORD, Peer, demo};

struct Secured {
    directory: Directory,
    authority: tempfile::NamedTempFile,
}

fn secured() -> Secured {
    let authority = Authority::new("Directory Test CA");
    let pair = authority.server(Flaw::None);
    let tls = ServerTls::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.pem()).unwrap();
    Secured { directory: demo().tls(tls).build(), authority: file }
}

impl Secured {
    fn who(&self, url: &str, arguments: &[&str]) -> Finished {
        let trust = format!("TLS_CACERT={}", self.authority.path().display());
        let all = [&["-x", "-H", url, "-o", &trust, "-D", ALICE, "-w", ALICE_PASSWORD], arguments].concat();
        run("ldapwhoami", "ldap-utils", &all, "")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn start_tls_encrypts_and_is_offered() {
    let secured = secured();
    let listener = Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let running = secured.directory.serve(listener).await;
    let said = secured.who(&running.url(), &["-ZZ"]);
    assert_eq!((said.status, said.stdout.as_str()), (0, format!("dn:{ALICE}\n").as_str()), "{}", said.stderr);
    assert_eq!(secured.directory.counters().start_tls, 1);
    let root =
        run("ldapsearch", "ldap-utils", &["-x", "-H", &running.url(), "-b", "", "-s", "base", "+"], "");
    assert!(root.stdout.contains("supportedExtension: 1.3.6.1.4.1.1466.20037"), "{}", root.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn ldaps_encrypts_from_the_first_byte() {
    let secured = secured();
    let listener = Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let running = secured.directory.serve_ldaps(listener).await;
    assert!(running.url().starts_with("ldaps://127.0.0.1:"));
    let said = secured.who(&running.url(), &[]);
    assert_eq!(said.stdout, format!("dn:{ALICE}\n"), "{}", said.stderr);
    let again = secured.who(&running.url(), &["-ZZ"]);
    assert_ne!(again.status, 0, "TLS inside of TLS");
    let plain = running.url().replace("ldaps:", "ldap:");
    assert_ne!(secured.who(&plain, &[]).status, 0);
}

#[tokio::test]
async fn clear_text_behind_start_tls_ends_the_connection() {
    let secured = secured();
    let mut peer = Peer::of(&secured.directory);
    let request = Request::Extended(StartTls::request());
    let start = proto::message::encode(proto::MessageId(1), &request, &proto::Controls::default());
    let more = proto::message::encode(proto::MessageId(2), &Request::Unbind, &proto::Controls::default());
    peer.stream.write_all(&[start, more].concat()).await.unwrap();
    assert!(matches!(peer.event().await, Some(proto::Event::Disconnected(_))));
    assert!(peer.event().await.is_none());
}

#[tokio::test]
async fn a_failed_handshake_ends_the_connection() {
    let secured = secured();
    let mut peer = Peer::of(&secured.directory);
    assert_eq!(peer.ask(&Request::Extended(StartTls::request())).await.code(), 0);
    peer.stream.write_all(b"\x30\x05\x02\x01\x02\x42\x00").await.unwrap();
    let mut rest = Vec::new();
    let _ = peer.stream.read_to_end(&mut rest).await;
    assert_ne!(rest.first(), Some(&0x30), "no LDAP in clear text after StartTLS: {rest:x?}");
}

#[tokio::test]
async fn who_is_bound_stays_bound_under_tls() {
    let secured = secured();
    let mut peer = Peer::of(&secured.directory);
    peer.bind(ALICE, ALICE_PASSWORD).await;
    assert_eq!(peer.ask(&Request::Extended(StartTls::request())).await.code(), 0);
    let pem = std::fs::read(secured.authority.path()).unwrap();
    let client = ::tls::ClientTls::from_pem(&pem).unwrap();
    let mut stream = client.connect("localhost", peer.stream).await.unwrap();
    let request = Request::Extended(proto::WhoAmI::request());
    let bytes = proto::message::encode(proto::MessageId(9), &request, &proto::Controls::default());
    stream.write_all(&bytes).await.unwrap();
    let mut answer = vec![0; 128];
    let count = stream.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..count]).contains("dn:uid=alice,"));
}
