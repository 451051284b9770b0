//! SASL security layers: frames of four octets' length between socket and session (RFC 4422 section 3.7)

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use ldapgate_client::proto::sasl::{Mechanism, SaslError, SecurityLayer};
use ldapgate_client::{Closed, Connection, Error, Sasl};
use proto::message::{Request, Response};
use proto::session::ServerSession;
use proto::{Controls, Entry, LdapResult, Limits, ResultCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use zeroize::Zeroizing;

use crate::peer::{Peer, connected, local};

/// Turns every bit over, behind a number that has to come in order.
#[derive(Default)]
struct Turning {
    sent: u8,
    received: u8,
}

impl SecurityLayer for Turning {
    fn wrap(&mut self, plain: &[u8], sealed: &mut BytesMut) -> Result<(), SaslError> {
        sealed.put_u8(self.sent);
        sealed.extend(plain.iter().map(|octet| !octet));
        self.sent += 1;
        Ok(())
    }

    fn unwrap(&mut self, sealed: &[u8]) -> Result<Bytes, SaslError> {
        let bad = SaslError::Malformed { mechanism: "X-TURNING", what: "a frame out of order" };
        let (&number, turned) = sealed.split_first().ok_or(bad.clone())?;
        if number != self.received {
            return Err(bad);
        }
        self.received += 1;
        Ok(turned.iter().map(|octet| !octet).collect())
    }

    fn max_plain(&self) -> usize {
        20
    }

    fn max_sealed(&self) -> usize {
        1000
    }

    fn is_confidential(&self) -> bool {
        true
    }
}

struct Layered;

impl Mechanism for Layered {
    fn name(&self) -> &str {
        "X-TURNING"
    }

    fn start(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        Ok(Some(Zeroizing::default()))
    }

    fn respond(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        Ok(Zeroizing::default())
    }

    fn finish(&mut self, _: Option<&[u8]>) -> Result<(), SaslError> {
        Ok(())
    }

    fn layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
        Some(Box::new(Turning::default()))
    }
}

/// The server's end of a layered connection.
struct Far {
    stream: DuplexStream,
    layer: Turning,
    session: ServerSession,
    raw: BytesMut,
    inbox: BytesMut,
    frames: usize,
}

impl Far {
    async fn request(&mut self) -> (proto::MessageId, Request) {
        loop {
            if let Some(message) = self.session.receive(&mut self.inbox).unwrap() {
                return (message.id, message.operation);
            }
            assert!(self.stream.read_buf(&mut self.raw).await.unwrap() > 0, "the client hung up");
            while let Some(length) =
                self.raw.first_chunk::<4>().map(|head| u32::from_be_bytes(*head) as usize)
            {
                if self.raw.len() < 4 + length {
                    break;
                }
                self.raw.advance(4);
                let plain = self.layer.unwrap(&self.raw.split_to(length)).unwrap();
                assert!(plain.len() <= 20, "no frame exceeds what the layer takes");
                self.inbox.extend_from_slice(&plain);
                self.frames += 1;
            }
        }
    }

    /// Sends in frames of at most `most` octets.
    async fn send(&mut self, plain: &[u8], most: usize) {
        let mut out = BytesMut::new();
        for piece in plain.chunks(most) {
            let mut sealed = BytesMut::new();
            self.layer.wrap(piece, &mut sealed).unwrap();
            out.put_u32(u32::try_from(sealed.len()).unwrap());
            out.extend_from_slice(&sealed);
        }
        self.stream.write_all(&out).await.unwrap();
    }
}

async fn layered() -> (Connection, Far) {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) =
        tokio::join!(connection.sasl_bind(Sasl::mechanism(Box::new(Layered))), accept(&mut peer));
    assert!(reply.unwrap().is_success());
    let far = Far {
        stream: peer.stream,
        layer: Turning::default(),
        session: ServerSession::new(Limits::server()),
        raw: BytesMut::new(),
        inbox: BytesMut::new(),
        frames: 0,
    };
    (connection, far)
}

async fn accept(peer: &mut Peer) {
    let (id, ..) = peer.step().await;
    peer.answer(id, ResultCode::SUCCESS, None).await;
}

#[tokio::test]
async fn memory_everything_after_the_bind_goes_through_the_layer() {
    let (connection, mut far) = layered().await;
    assert!(connection.is_encrypted(), "the layer hides what it carries");
    let dn = format!("cn={},dc=example,dc=com", "x".repeat(100));
    let (found, ()) = tokio::join!(connection.read(&dn, &["cn"]), async {
        let (id, request) = far.request().await;
        let Request::Search(search) = request else { panic!("not a search") };
        let entry = Entry::builder(search.base).attribute("cn", ["x".repeat(2000)]).build();
        let mut answer = far.session.reply(id, &Response::SearchEntry(entry), &Controls::default()).to_vec();
        answer.extend(far.session.reply(
            id,
            &Response::SearchDone(LdapResult::success()),
            &Controls::default(),
        ));
        far.send(&answer, 900).await;
    });
    assert_eq!(found.unwrap().unwrap().text("cn").map(str::len), Some(2000));
    assert!(far.frames > 5, "the request was cut into {} frames", far.frames);
}

#[tokio::test]
async fn memory_a_frame_that_was_changed_or_is_too_long_ends_the_connection() {
    for frame in [
        &[0, 0, 0, 2, 9, 0xff][..],
        &[0, 0, 0, 0],
        &[0, 0, 4, 0],
        &[0xff, 0xff, 0xff, 0xff],
        // The answer in clear text.
        &[0x30, 0x0c, 0x02, 0x01, 0x02, 0x65, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00],
    ] {
        let (connection, mut far) = layered().await;
        let (found, ()) = tokio::join!(connection.read("cn=a", &[]), async {
            far.request().await;
            far.stream.write_all(frame).await.unwrap();
        });
        let Err(Error::Closed { source, .. }) = found else { panic!("{found:?}") };
        assert!(matches!(*source, Closed::Io(_)), "{frame:02x?}: {source:?}");
    }
}

#[tokio::test]
async fn memory_what_came_with_the_answer_belongs_to_the_layer() {
    let (connection, mut peer) = connected(&local()).await;
    let (reply, ()) = tokio::join!(connection.sasl_bind(Sasl::mechanism(Box::new(Layered))), async {
        let (id, ..) = peer.step().await;
        let success = proto::BindResponse { result: LdapResult::success(), server_credentials: None };
        let mut bytes = proto::message::encode(id, &Response::Bind(success), &Controls::default()).to_vec();
        // A notice in clear text, which a layer would never let through.
        let notice = LdapResult::new(ResultCode::UNAVAILABLE, "");
        bytes.extend(ServerSession::new(Limits::server()).notice(notice));
        peer.raw(&bytes).await;
    });
    assert!(reply.unwrap().is_success());
    let Err(Error::Closed { source, .. }) = connection.read("cn=a", &[]).await else { panic!("closed") };
    assert!(matches!(*source, Closed::Io(_)), "{source:?}");
}

#[tokio::test]
async fn memory_a_second_layer_is_refused() {
    let (connection, _far) = layered().await;
    let error = connection.sasl_bind(Sasl::mechanism(Box::new(Layered))).await.unwrap_err();
    assert!(matches!(&error, Error::Sasl { source: SaslError::Configuration(_), .. }), "{error:?}");
}
