//! `serve --demo`, as somebody sees it who has just cloned the project.

use directory::demo_people;
use testkit::http::basic;
use testkit::process;

use crate::gateway::{Gateway, PROGRAM};

#[tokio::test(flavor = "multi_thread")]
async fn typing_a_guarded_path_leads_to_the_login_page_and_back() {
    let gateway = Gateway::demo().await;
    let mut person = gateway.browser();
    assert_eq!(person.get("/app/").await.status, 200, "the application's own page is open");
    let sent_away = person.get("/app/upload?as=file").await;
    assert_eq!(sent_away.status, 303);
    let login = sent_away.header("location").expect("a redirect says where").to_owned();
    assert_eq!(login, "/login?next=/app/upload%3Fas%3Dfile");
    let page = person.get(&login).await;
    let fields = [
        ("username", "alice"),
        ("password", "Red-Apple-11"),
        ("csrf_token", &page.field("csrf_token").expect("a token")),
        ("next", &page.field("next").expect("the path goes along")),
    ];
    let welcomed = person.form("/login", &fields).await;
    assert_eq!(
        (welcomed.status, welcomed.header("location")),
        (303, Some("/app/upload?as=file")),
        "{}",
        welcomed.body
    );
    let upload = person.get("/app/upload?as=file").await;
    assert!(upload.status == 200 && upload.body.contains("alice"), "{}", upload.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_on_the_list_gets_what_the_list_says() {
    let gateway = Gateway::demo().await;
    let said = gateway.said();
    for person in demo_people() {
        assert!(
            said.contains(person.name) && said.contains(person.password),
            "{} is not on the list:\n{said}",
            person.name
        );
        let answer = gateway.api_login(person.name, person.password).await;
        let out =
            ["locked", "disabled", "expired", "must change"].iter().any(|state| person.about.contains(state));
        let suspended = person.about.contains("suspended");
        let expected = if out || suspended { 401 } else { 200 };
        assert_eq!(answer.status, expected, "{}, {}: {}", person.name, person.about, answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tutorial_with_curl_works() {
    let gateway = Gateway::demo().await;
    let asked = gateway
        .program()
        .with("authorization", &basic("alice", "Red-Apple-11"))
        .send("POST", "/auth/request-token", None, b"")
        .await;
    let token = asked.json()["token"].as_str().expect("a token").to_owned();
    let upload = gateway.program().with("authorization", &format!("Bearer {token}")).get("/app/upload").await;
    assert_eq!(upload.status, 200, "{}", upload.body);
    assert_eq!(gateway.program().get("/app/upload").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut gateway = Gateway::demo_in(folder.path()).await;
    assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200);
    let left = || std::fs::read_dir(folder.path()).expect("the folder can be listed").count();
    assert_eq!(left(), 1, "its store is in a folder of its own");
    gateway.stop();
    assert_eq!(left(), 0, "which is gone with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploading_takes_a_permission_that_a_nested_group_gives() {
    let gateway = Gateway::demo().await;
    for (username, password, status) in [("bob", "Blue-Boat-22", 200), ("dave", "Dove-Dune-77", 403)] {
        let mut person = gateway.program();
        let body = serde_json::json!({ "username": username, "password": password });
        assert_eq!(person.json("/api/login", &body).await.status, 200);
        assert_eq!(person.get("/app/upload").await.status, 200, "both may look");
        assert_eq!(person.form("/app/upload", &[]).await.status, status, "{username}");
    }
}

#[test]
fn a_terminal_that_is_closed_takes_everything_with_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut child = std::process::Command::new(PROGRAM)
        .args(["serve", "--demo"])
        .env("LDAPGATE_HTTP__LISTEN", "127.0.0.1:0")
        .env("TMPDIR", folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut said = std::io::BufReader::new(child.stdout.take().expect("its output is piped"));
    let mut line = String::new();
    while !line.contains("/app/")
        && std::io::BufRead::read_line(&mut said, &mut line).expect("it is text") > 0
    {}
    let hung_up = process::run("kill", "procps", &["-HUP", &child.id().to_string()], "");
    assert_eq!(hung_up.status, 0, "{}", hung_up.stderr);
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder can be listed").count(), 0);
}
