//! The other end of a connection, played by the test.

use bytes::BytesMut;
use ldapgate_client::{Connection, Options};
use proto::message::{Message, MessageId, Request, Response};
use proto::session::ServerSession;
use proto::{Control, Controls, Entry, LdapResult, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Duration, timeout};

pub(crate) struct Peer {
    pub(crate) stream: DuplexStream,
    session: ServerSession,
    inbox: BytesMut,
}

/// A local server's options, so that binds are not refused.
pub(crate) fn local() -> Options {
    Options::new(["ldap://localhost"]).expect("it is a URL")
}

/// A connection and its other end.
pub(crate) async fn connected(options: &Options) -> (Connection, Peer) {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let connection = Connection::over(client, options).await.expect("the stream is connected");
    (connection, Peer::new(server))
}

/// Waits for what happens in the background, looking again and again, but not for ever.
pub(crate) async fn eventually(what: &str, happened: impl AsyncFn() -> bool) {
    let looking = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(20), looking).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

impl Peer {
    pub(crate) fn new(stream: DuplexStream) -> Peer {
        Peer { stream, session: ServerSession::new(Limits::server()), inbox: BytesMut::new() }
    }

    /// The next request.
    pub(crate) async fn request(&mut self) -> Message<Request> {
        self.try_request().await.expect("the client hung up instead of asking")
    }

    /// The next request, or `None` when the client has hung up.
    pub(crate) async fn try_request(&mut self) -> Option<Message<Request>> {
        loop {
            if let Some(message) = self.session.receive(&mut self.inbox).expect("the client speaks LDAP") {
                return Some(message);
            }
            if self.stream.read_buf(&mut self.inbox).await.expect("the stream works") == 0 {
                return None;
            }
        }
    }

    /// The next request, which must be a search.
    pub(crate) async fn search(&mut self) -> (MessageId, proto::SearchRequest, Controls) {
        let message = self.request().await;
        match message.operation {
            Request::Search(search) => (message.id, search, message.controls),
            other => panic!("not a search: {other:?}"),
        }
    }

    pub(crate) async fn reply(&mut self, id: MessageId, response: Response) {
        self.reply_with(id, response, Vec::new()).await;
    }

    pub(crate) async fn reply_with(&mut self, id: MessageId, response: Response, controls: Vec<Control>) {
        let bytes = self.session.reply(id, &response, &Controls::from(controls));
        assert!(!bytes.is_empty(), "nobody waits for message {id}");
        self.raw(&bytes).await;
    }

    /// These bytes in place of what the session would send as the answer.
    #[cfg(feature = "ntlm")]
    pub(crate) async fn reply_raw(&mut self, id: MessageId, answer: &Response, bytes: &[u8]) {
        assert!(!self.session.reply(id, answer, &Controls::default()).is_empty(), "nobody waits for it");
        self.raw(bytes).await;
    }

    pub(crate) async fn entry(&mut self, id: MessageId, dn: &str) {
        self.reply(id, Response::SearchEntry(Entry::builder(dn).attribute("cn", ["x"]).build())).await;
    }

    pub(crate) async fn done(&mut self, id: MessageId) {
        self.reply(id, Response::SearchDone(LdapResult::success())).await;
    }

    /// Bytes of the test's own.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the client listens");
    }

    /// The server's last words.
    pub(crate) async fn notice(&mut self, result: LdapResult) {
        let bytes = self.session.notice(result);
        self.raw(&bytes).await;
    }

    /// Nothing comes for a second, on a clock that is paused.
    pub(crate) async fn hears_nothing(&mut self) {
        let heard = timeout(Duration::from_secs(1), self.try_request()).await;
        assert!(heard.is_err(), "the client sent {:?}", heard.ok().flatten());
    }

    /// The client hangs up, with or without a farewell.
    pub(crate) async fn is_left(&mut self) {
        while let Some(message) = self.try_request().await {
            assert!(matches!(message.operation, Request::Unbind), "the client sent {message:?}");
        }
    }
}
