//! A demo directory on a free port, the tools that talk to it, and a peer without a socket.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use directory::{Builder, Clock, DEMO, Directory, Running};
use proto::{
    BindRequest, ClientSession, Control, Controls, Entry, Event, Filter, LdapResult, Limits, MessageId,
    Password, Request, Response, Scope, SearchRequest, SessionError,
};
use testkit::process::{Finished, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

pub(crate) const BASE: &str = "dc=example,dc=com";
pub(crate) const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";
pub(crate) const ALICE_PASSWORD: &str = "Red-Apple-11";
pub(crate) const MAX: &str = "uid=max,ou=people,dc=example,dc=com";

/// 1 March 2026.
pub(crate) fn clock() -> Clock {
    Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_323_200))
}

pub(crate) fn demo() -> Builder {
    Directory::builder(clock()).ldif(DEMO).unwrap()
}

/// A directory that listens.
pub(crate) struct Server {
    pub(crate) directory: Directory,
    pub(crate) running: Running,
}

impl Server {
    pub(crate) async fn demo() -> Self {
        Self::of(demo()).await
    }

    pub(crate) async fn of(builder: Builder) -> Self {
        let directory = builder.build();
        let listener = Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let running = directory.serve(listener).await;
        Self { directory, running }
    }

    /// Runs one of OpenLDAP's tools, anonymously.
    pub(crate) fn tool(&self, program: &str, arguments: &[&str], input: &str) -> Finished {
        let url = self.running.url();
        let all = [&["-x", "-H", &url], arguments].concat();
        run(program, "ldap-utils", &all, input)
    }

    /// Runs one of OpenLDAP's tools as alice.
    pub(crate) fn as_alice(&self, program: &str, arguments: &[&str], input: &str) -> Finished {
        self.tool(program, &[&["-D", ALICE, "-w", ALICE_PASSWORD], arguments].concat(), input)
    }

    /// `ldapsearch`, its LDIF without comments and folding.
    pub(crate) fn search(&self, arguments: &[&str]) -> Finished {
        self.tool("ldapsearch", &[&["-LLL", "-o", "ldif_wrap=no", "-b", BASE], arguments].concat(), "")
    }
}

/// The names of the entries in LDIF.
pub(crate) fn names(ldif: &str) -> Vec<&str> {
    ldif.lines().filter(|line| line.starts_with("dn:")).collect()
}

/// A client on a joined stream.
pub(crate) struct Peer {
    pub(crate) stream: DuplexStream,
    session: ClientSession,
    input: BytesMut,
}

/// What came back for one request.
pub(crate) struct Answer {
    pub(crate) entries: Vec<Entry>,
    pub(crate) references: Vec<Vec<String>>,
    pub(crate) last: Response,
    pub(crate) controls: Controls,
}

impl Answer {
    pub(crate) fn result(&self) -> &LdapResult {
        self.last.result().unwrap()
    }

    pub(crate) fn code(&self) -> u32 {
        self.result().code.0
    }

    pub(crate) fn dns(&self) -> Vec<&str> {
        self.entries.iter().map(Entry::dn).collect()
    }
}

impl Peer {
    pub(crate) fn of(directory: &Directory) -> Self {
        Self {
            stream: directory.join(),
            session: ClientSession::new(Limits::client()),
            input: BytesMut::new(),
        }
    }

    pub(crate) fn demo() -> (Directory, Self) {
        let directory = demo().build();
        let peer = Self::of(&directory);
        (directory, peer)
    }

    pub(crate) async fn send(&mut self, request: &Request, controls: Vec<Control>) -> MessageId {
        let (id, bytes) = self.session.send(request, &Controls::from(controls)).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
        id
    }

    pub(crate) async fn abandon(&mut self, id: MessageId) {
        let bytes = self.session.abandon(id);
        self.stream.write_all(&bytes).await.unwrap();
    }

    pub(crate) async fn unbind(&mut self) {
        let bytes = self.session.unbind();
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// The next event, or `None` when the server closed.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        self.try_event().await.unwrap()
    }

    /// The next event; an error when what came is no LDAP.
    pub(crate) async fn try_event(&mut self) -> Result<Option<Event>, SessionError> {
        loop {
            if let Some(event) = self.session.receive(&mut self.input)? {
                return Ok(Some(event));
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                return Ok(None);
            }
        }
    }

    /// Asks and collects until the last answer.
    pub(crate) async fn ask_with(&mut self, request: &Request, controls: Vec<Control>) -> Answer {
        let asked = self.send(request, controls).await;
        self.answer(asked).await
    }

    pub(crate) async fn answer(&mut self, asked: MessageId) -> Answer {
        let (mut entries, mut references) = (Vec::new(), Vec::new());
        loop {
            let Some(Event::Response { id, response, controls, last }) = self.event().await else {
                panic!("the server closed before it answered");
            };
            assert_eq!(id, asked);
            match response {
                Response::SearchEntry(entry) => entries.push(entry),
                Response::SearchReference(urls) => references.push(urls),
                response if last => return Answer { entries, references, last: response, controls },
                response => panic!("unexpected {response:?}"),
            }
        }
    }

    pub(crate) async fn ask(&mut self, request: &Request) -> Answer {
        self.ask_with(request, Vec::new()).await
    }

    pub(crate) async fn bind(&mut self, dn: &str, password: &str) -> Answer {
        let request = BindRequest::simple(dn, Password::new(password).unwrap());
        self.ask_with(&Request::Bind(request), vec![proto::PasswordPolicy::request()]).await
    }

    pub(crate) async fn find(&mut self, filter: &str) -> Answer {
        self.ask(&Request::Search(below(filter))).await
    }
}

/// A subtree search of everything for `filter`.
pub(crate) fn below(filter: &str) -> SearchRequest {
    SearchRequest::new(BASE, Scope::Subtree, Filter::parse(filter).unwrap())
}
