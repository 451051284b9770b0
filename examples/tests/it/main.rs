//! The examples, run as the programs they are, against an in-memory directory.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testkit::http::Visitor;
use testkit::process::free_port;
use testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};

/// A running example; it ends with the test.
struct Example {
    child: Child,
    url: String,
    _world: World,
}

impl Example {
    async fn start(program: &str, arguments: &[&str]) -> Self {
        let world = World::start(Peer::Memory).await;
        let port = free_port();
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(world.folder())
            .env("LDAPGATE_DIRECTORY__PRESET", "openldap")
            .env("LDAPGATE_DIRECTORY__URL", world.ldap_url())
            .env("LDAPGATE_DIRECTORY__BASE", BASE)
            .env("LDAPGATE_DIRECTORY__BIND_DN", READER)
            .env("LDAPGATE_DIRECTORY__BIND_PASSWORD", READER_PASSWORD)
            .env("LDAPGATE_STORE__URL", "memory:")
            .env("LDAPGATE_HTTP__LISTEN", format!("127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        let answers = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                assert!(matches!(child.try_wait(), Ok(None)), "{program} ended");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), answers).await.expect("the example listens");
        Self { child, url: format!("http://127.0.0.1:{port}"), _world: world }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens `path`, is led to the login page, and signs in there.
async fn sign_in(visitor: &mut Visitor, path: &str, username: &str, password: &str) -> testkit::http::Answer {
    let guarded = visitor.get(path).await;
    let login =
        guarded.header("location").unwrap_or_else(|| panic!("{path} is not guarded: {guarded:?}")).to_owned();
    assert_eq!(guarded.status, 303);
    let form = visitor.get(&login).await;
    let field = |name: &str| form.field(name).unwrap_or_else(|| panic!("no {name} in {}", form.body));
    let (token, next) = (field("csrf_token"), field("next"));
    visitor
        .form(
            "/login",
            &[("username", username), ("password", password), ("csrf_token", &token), ("next", &next)],
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_minimal_example_greets_who_signed_in() {
    let example = Example::start(env!("CARGO_BIN_EXE_minimal"), &[]).await;
    let mut visitor = Visitor::browser(&example.url);
    let answer = sign_in(&mut visitor, "/", "Alice", "Red-Apple-11").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", answer.body);
    assert_eq!(visitor.get("/").await.body, "hello, alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tutorial_lets_people_upload_and_nobody_else() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tutorial/ldapgate.toml");
    let example = Example::start(env!("CARGO_BIN_EXE_tutorial"), &[file]).await;
    let mut visitor = Visitor::browser(&example.url);
    assert!(visitor.get("/").await.body.contains("/login?next=/success"));

    let refused = sign_in(&mut visitor, "/upload", "alice", "wrong").await;
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("user name or password is not right"), "{}", refused.body);
    assert_eq!(visitor.get("/upload").await.status, 303, "still nobody");

    let granted = sign_in(&mut visitor, "/upload", "alice", "Red-Apple-11").await;
    assert_eq!((granted.status, granted.header("location")), (303, Some("/upload")), "{}", granted.body);
    assert!(visitor.get("/upload").await.body.contains("Upload as Alice"));
    let thanks = visitor.form("/upload", &[("text", "hello")]).await;
    assert!(thanks.body.contains("5 characters from alice"), "{}", thanks.body);
    assert_eq!(visitor.form("/upload", &[("text", "")]).await.header("location"), Some("/upload"));
    let success = visitor.get("/success").await;
    assert!(
        success.body.contains("You are signed in, Alice") && success.body.contains("<li>staff</li>"),
        "{}",
        success.body
    );
    assert!(visitor.get("/").await.body.contains("Welcome back, Alice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tutorials_programs_get_an_answer_they_can_read() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tutorial/ldapgate.toml");
    let example = Example::start(env!("CARGO_BIN_EXE_tutorial"), &[file]).await;
    let answer = Visitor::of(&example.url).get("/upload").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], serde_json::json!("unauthorized"));
}
