//! Peers that are no TLS servers, or bad ones.

use ldapgate_tls::{ClientTls, Error, HandshakeFault, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::authority::{Authority, Pair, server};

/// What the client says of a peer that reads its hello, answers this, and closes.
async fn answered(answer: &[u8]) -> (HandshakeFault, String) {
    let client = ClientTls::from_pem(Authority::new("Example CA").pem().as_bytes()).unwrap();
    let (near, mut far) = duplex(1 << 16);
    let peer = async move {
        far.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
        far.write_all(answer).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(client.connect("localhost", near), peer);
    let error = outcome.expect_err("the handshake must fail");
    assert!(matches!(&error, Error::Handshake { certificate: None, .. }), "{error:?}");
    (error.fault().unwrap(), error.to_string())
}

#[tokio::test]
async fn a_peer_without_tls_is_told() {
    // A notice of disconnection, a web server, a mail server.
    for answer in [
        &b"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x02\x04\x00\x04\x00"[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"220 mail.example.com ESMTP\r\n",
    ] {
        let (fault, text) = answered(answer).await;
        assert_eq!(fault, HandshakeFault::NoTls, "{text}");
        assert!(text.contains("does not speak TLS") && text.contains("636"), "{text}");
    }
}

#[tokio::test]
async fn a_peer_that_closes_is_told() {
    let (fault, text) = answered(b"").await;
    assert_eq!(fault, HandshakeFault::Closed, "{text}");
    assert!(text.contains("closed the connection during the handshake"), "{text}");
}

#[tokio::test]
async fn a_peer_of_old_versions_alone_is_told() {
    // The alert protocol_version, as OpenSSL sends it; and a ServerHello of TLS 1.0, as Windows Server 2008 answers.
    let hello =
        [&b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01"[..], &[7; 32], b"\x00\x00\x2f\x00"].concat();
    for answer in [&b"\x15\x03\x01\x00\x02\x02\x46"[..], &hello] {
        let (fault, text) = answered(answer).await;
        assert_eq!(fault, HandshakeFault::OldProtocol, "{text}");
        assert!(text.contains("TLS 1.2 or 1.3"), "{text}");
    }
}

#[tokio::test]
async fn a_peer_without_a_common_cipher_is_told() {
    let (fault, text) = answered(b"\x15\x03\x03\x00\x02\x02\x28").await;
    assert_eq!(fault, HandshakeFault::Refused, "{text}");
    assert!(text.contains("no way of encryption in common"), "{text}");
}

#[tokio::test]
async fn garbage_inside_tls_records_is_told_and_no_panic() {
    for answer in
        [&b"\x16\x03\x03\x00\x04\x02\xff\xff\xff"[..], b"\x16\x03\x03\xff\xff", b"\x17\x03\x03\x00\x01\x00"]
    {
        let (_, text) = answered(answer).await;
        assert!(text.starts_with("TLS with localhost failed: "), "{text}");
    }
}

#[tokio::test]
async fn a_server_tells_of_clients_without_tls() {
    let pair = Pair::self_signed(&server(&["localhost"]));
    let serving = ServerTls::from_pem(pair.cert_pem().as_bytes(), pair.key_pem().as_bytes()).unwrap();
    for (said, told) in
        [(&b"\x30\x0c\x02\x01\x01\x60\x07"[..], "does not speak TLS"), (b"", "closed the connection")]
    {
        let (mut near, far) = duplex(1 << 16);
        near.write_all(said).await.unwrap();
        near.shutdown().await.unwrap();
        let error = serving.accept(far).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
