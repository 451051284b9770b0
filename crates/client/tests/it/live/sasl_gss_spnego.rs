//! SASL GSS-SPNEGO and NTLM (RFC 4178, MS-NLMP)

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use ldapgate_client::{Connection, Error, Filter, Options, Pool, Protection, ResultCode, Sasl, Search};
use testkit::samba::Samba;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::sasl::{password, trusting};

const BASE: &str = "DC=example,DC=com";

fn alice() -> Sasl {
    Sasl::gss_spnego("EXAMPLE", "alice", password("Red-Apple-11"))
}

/// The DN that the server knows somebody by, asked by that somebody.
async fn names(connection: &Connection, account: &str) -> String {
    let search = Search::below(BASE).matching(Filter::equal("sAMAccountName", account));
    let found = connection.search(&search).await.unwrap();
    let [entry] = &found.entries[..] else { panic!("{} entries", found.entries.len()) };
    entry.dn().to_owned()
}

/// Whose session it is: the first of its tokens is the account's own.
async fn is_of(connection: &Connection, dn: &str) -> bool {
    let tokens = connection.read("", &["tokenGroups"]).await.unwrap().expect("there is a root");
    let person = connection.read(dn, &["objectSid"]).await.unwrap().expect("people may be read");
    tokens.first("tokenGroups") == person.first("objectSid")
}

#[tokio::test]
async fn samba_takes_ntlm_in_a_negotiation_inside_tls() {
    let server = Samba::shared().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    let connection = Connection::open(&options).await.unwrap();
    let reply = connection.sasl_bind(alice()).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    assert!(is_of(&connection, &names(&connection, "alice").await).await);
}

#[tokio::test]
async fn samba_takes_ntlm_by_itself_too() {
    let server = Samba::shared().await;
    let options = Options::new([server.ldap_url()]).unwrap();
    for protection in [Protection::None, Protection::Integrity, Protection::Confidentiality] {
        let connection = Connection::open(&options).await.unwrap();
        let sasl = Sasl::ntlm("EXAMPLE", "alice", password("Red-Apple-11")).protection(protection);
        let reply = connection.sasl_bind(sasl).await.unwrap();
        assert!(reply.is_success(), "{protection:?}: {reply:?}");
        let sealed = connection.status().encrypted;
        assert_eq!(sealed, protection != Protection::None, "{protection:?}");
        assert!(is_of(&connection, &names(&connection, "alice").await).await, "{protection:?}");
    }
}

#[tokio::test]
async fn samba_takes_names_and_passwords_of_every_kind() {
    let server = Samba::shared().await;
    let options = Options::new([server.ldap_url()]).unwrap();
    for (domain, user, secret) in [
        ("EXAMPLE", "zoe", "Pässwörd-Ünï-44"),
        ("EXAMPLE", "JÜRGEN", "Gelb-Glas-55"),
        ("example.com", "alice", "Red-Apple-11"),
        ("", "alice@example.com", "Red-Apple-11"),
    ] {
        let connection = Connection::open(&options).await.unwrap();
        let reply = connection.sasl_bind(Sasl::gss_spnego(domain, user, password(secret))).await.unwrap();
        assert!(reply.is_success(), "{domain}\\{user}: {reply:?}");
    }
}

#[tokio::test]
async fn samba_refuses_a_wrong_password_as_it_refuses_a_simple_bind() {
    let server = Samba::shared().await;
    let options = Options::new([server.ldap_url()]).unwrap();
    let connection = Connection::open(&options).await.unwrap();
    let wrong = Sasl::gss_spnego("EXAMPLE", "bob", password("wrong"));
    let reply = connection.sasl_bind(wrong).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::INVALID_CREDENTIALS);
    assert!(reply.result.message.contains("data 52e"), "{}", reply.result.message);
    assert!(!connection.is_closed(), "the connection may be used for another try");
    let right = Sasl::gss_spnego("EXAMPLE", "bob", password("Blue-Boat-22"));
    assert!(connection.sasl_bind(right).await.unwrap().is_success());
}

#[tokio::test]
async fn samba_and_the_client_seal_everything_after_the_bind_in_the_clear() {
    let server = Samba::shared().await;
    let (connection, wire) = tapped(server).await;
    let sent = &wire.sent;
    connection.read("", &["namingContexts"]).await.unwrap();
    assert!(contains(sent, b"namingContexts"), "nothing is sealed before the bind");
    assert!(connection.sasl_bind(alice()).await.unwrap().is_success());
    sent.lock().unwrap().clear();
    assert_eq!(names(&connection, "alice").await, names(&connection, "ALICE").await);
    assert!(!contains(sent, b"sAMAccountName") && !contains(sent, b"alice"), "it is sealed after it");
    assert!(!sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn samba_is_not_believed_when_a_bit_of_what_it_seals_is_changed_on_the_way() {
    let (connection, wire) = tapped(Samba::shared().await).await;
    assert!(connection.sasl_bind(alice()).await.unwrap().is_success());
    assert_eq!(names(&connection, "alice").await, names(&connection, "alice").await);
    wire.flips.store(true, Ordering::Release);
    let changed = connection.read(BASE, &["objectClass"]).await.unwrap_err();
    assert!(matches!(changed, Error::Closed { .. }), "{changed}");
    assert!(connection.is_closed());
}

#[tokio::test]
async fn samba_reads_long_requests_and_is_read_in_long_answers_under_a_layer() {
    let server = Samba::shared().await;
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    assert!(connection.sasl_bind(alice()).await.unwrap().is_success());
    let dn = names(&connection, "alice").await;
    // Longer than a frame: it is cut into several.
    let long = "x".repeat(200_000);
    assert!(!connection.compare(&dn, "description", &long).await.unwrap());
    let everything = Search::below("CN=Schema,CN=Configuration,DC=example,DC=com")
        .matching(Filter::present("objectClass"));
    let found = connection.search(&everything).await.unwrap();
    assert!(found.entries.len() > 1_500, "{} entries", found.entries.len());
}

#[tokio::test]
async fn samba_refuses_a_layer_inside_tls() {
    let server = Samba::shared().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    for protection in [Protection::Integrity, Protection::Confidentiality] {
        let connection = Connection::open(&options).await.unwrap();
        let reply = connection.sasl_bind(alice().protection(protection)).await.unwrap();
        assert_eq!(reply.result.code, ResultCode::UNWILLING_TO_PERFORM);
        assert!(reply.result.message.contains("not allowed if TLS is used"), "{}", reply.result.message);
    }
}

#[tokio::test]
async fn samba_lends_a_pool_bound_by_ntlm() {
    let server = Samba::shared().await;
    let pool = Pool::open(Options::new([server.ldap_url()]).unwrap().bind(alice())).await.unwrap();
    let root = pool.read(BASE, &["objectClass"]).await.unwrap();
    assert!(root.is_some(), "nobody but who is bound may read it");
}

#[tokio::test]
async fn memory_a_password_is_not_risked_where_somebody_could_listen() {
    let (client, _server) = tokio::io::duplex(64);
    let connection =
        Connection::over(client, &Options::new(["ldap://dc1.example.com"]).unwrap()).await.unwrap();
    let refused = connection.sasl_bind(alice()).await.unwrap_err();
    assert!(matches!(refused, Error::ClearSasl { .. }), "{refused}");
}

/// What goes through a socket.
#[derive(Default)]
struct Wire {
    sent: Mutex<Vec<u8>>,
    /// From now on the last bit of whatever is read is another.
    flips: AtomicBool,
}

async fn tapped(server: &Samba) -> (Connection, Arc<Wire>) {
    let wire = Arc::<Wire>::default();
    #[expect(clippy::disallowed_methods, reason = "the test looks at what goes through the socket")]
    let inner = tokio::net::TcpStream::connect((server.address(), 389)).await.unwrap();
    let tapped = Tapped { inner, wire: wire.clone() };
    let connection = Connection::over(tapped, &Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    (connection, wire)
}

fn contains(sent: &Mutex<Vec<u8>>, needle: &[u8]) -> bool {
    sent.lock().unwrap().windows(needle.len()).any(|window| window == needle)
}

struct Tapped<S> {
    inner: S,
    wire: Arc<Wire>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if self.wire.flips.load(Ordering::Acquire)
            && let Some(last) = buffer.filled_mut()[before..].last_mut()
        {
            *last ^= 1;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.wire.sent.lock().unwrap().extend_from_slice(bytes);
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
