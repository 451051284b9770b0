//! What an operator's log sees of a look-up: which operation, where and for whose name, and no secret.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{ThreadId, current};

use ldapgate_client::{Options, Password, Pool, Search, Simple};
use testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// What one thread has said, spans and events alike. Other tests run on other threads.
#[derive(Clone)]
struct Log {
    thread: ThreadId,
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Log {
    fn keep(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("{} {}", metadata.level(), metadata.name()));
        record(&mut line);
        self.push(line);
    }

    fn push(&self, line: Line) {
        if current().id() == self.thread {
            self.lines.lock().unwrap().push(line.0);
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("ldapgate_client") && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.keep(span.metadata(), |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.push(line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn look_ups_and_binds_have_spans_without_secrets_wherever_they_are_asked_for() {
    let log = Log { thread: current().id(), lines: Arc::default(), spans: Arc::default() };
    // Not for this thread alone: a span that another thread meets first would stay off, for nobody listens there.
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let world = World::start(Peer::Memory).await;
    let reader = || Simple::new(READER, Password::new(READER_PASSWORD).unwrap());
    let pool = Pool::open(Options::new([world.ldap_url()]).unwrap().bind(reader())).await.unwrap();
    let server = pool.server().await.unwrap();
    let search = Search::one(BASE);
    let url = format!("url={:?}", world.ldap_url());
    let said = |lines: &[String], name: &str, field: &str| {
        lines.iter().any(|line| line.starts_with(&format!("DEBUG {name} ")) && line.contains(field))
    };

    // The name is known to be one when the bind has succeeded; before that it may be a password.
    let bound = |lines: &[String]| {
        said(lines, "ldap.bind", &url) && lines.iter().any(|line| *line == format!(" dn={READER:?}"))
    };
    let mut all = log.take();
    assert!(bound(&all), "{all:?}");
    pool.search(&search).await.unwrap();
    let lines = log.take();
    assert!(said(&lines, "ldap.search", &format!("base={BASE:?}")), "{lines:?}");
    all.extend(lines);
    pool.read(BASE, &["dc"]).await.unwrap();
    let lines = log.take();
    assert!(said(&lines, "ldap.read", &format!("dn={BASE:?}")), "{lines:?}");
    all.extend(lines);
    server.search(&search).await.unwrap();
    let lines = log.take();
    assert!(said(&lines, "ldap.search", &url), "{lines:?}");
    all.extend(lines);
    server.read(BASE, &["dc"]).await.unwrap();
    let lines = log.take();
    assert!(said(&lines, "ldap.read", &url), "{lines:?}");
    all.extend(lines);
    pool.connection().await.unwrap().compare(BASE, "dc", "example").await.unwrap();
    let lines = log.take();
    assert!(said(&lines, "ldap.compare", &format!("dn={BASE:?} attribute=\"dc\"")), "{lines:?}");
    all.extend(lines);
    let mut proving = server.prove().await.unwrap();
    assert!(proving.bind(READER, &Password::new(READER_PASSWORD).unwrap()).await.unwrap().is_success());
    let lines = log.take();
    assert!(bound(&lines), "{lines:?}");
    all.extend(lines);
    let wrong = Password::new("wrong").unwrap();
    let mut proving = server.prove().await.unwrap();
    assert!(!proving.bind("uid=secret,dc=example,dc=com", &wrong).await.unwrap().is_success());
    let lines = log.take();
    assert!(
        said(&lines, "ldap.bind", &url) && !lines.iter().any(|line| line.contains("secret")),
        "{lines:?}"
    );
    assert!(!all.iter().any(|line| line.contains(READER_PASSWORD)), "{all:?}");
}
