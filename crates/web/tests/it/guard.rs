//! Guarded paths: who gets in, and exactly what everybody else gets.

use std::time::Duration;

use testkit::http::{Answer, basic};

use crate::world::World;

const UNAUTHORIZED: &str =
    r#"{"error": "unauthorized", "message": "Please authenticate with a valid token", "status": 401}"#;

fn assert_unauthorized(answer: &Answer) {
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body, UNAUTHORIZED);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"Authentication Required\""));
    assert_eq!(answer.header("location"), Some("/auth/request-token"));
}

async fn token(world: &World) -> String {
    let header = basic("alice", "Red-Apple-11");
    let answer = world.visitor().with("authorization", &header).form("/auth/request-token", &[]).await;
    let value = answer.json()["token"].as_str().expect("a token").to_owned();
    value.strip_suffix(':').expect("it ends with a colon").to_owned()
}

#[tokio::test]
async fn a_browser_that_goes_there_is_led_to_the_login_page_and_back() {
    let world = World::new().await;
    let answer = world.browser().get("/app/upload?a=1&b=2").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/login?next=/app/upload%3Fa%3D1%26b%3D2"))
    );
    let mut browser = world.browser();
    let back = browser.sign_in_at("/login?next=/app/upload%3Fa%3D1%26b%3D2", "alice", "Red-Apple-11").await;
    assert_eq!(back.header("location"), Some("/app/upload?a=1&b=2"));
    let head = world.browser().send("HEAD", "/app/upload", None, "".into()).await;
    assert_eq!(head.status, 303);
}

#[tokio::test]
async fn everything_else_gets_the_401_of_the_contract_to_the_byte() {
    let world = World::new().await;
    assert_unauthorized(&world.visitor().get("/app/upload").await);
    assert_unauthorized(&world.visitor().with("accept", "application/json").get("/api/me").await);
    assert_unauthorized(&world.browser().form("/app/upload", &[]).await);
    assert_unauthorized(&world.browser().with("x-requested-with", "XMLHttpRequest").get("/app/upload").await);
    assert_unauthorized(&world.browser().with("authorization", "Bearer nonsense").get("/app/upload").await);
    assert_unauthorized(&world.browser().with("sec-fetch-mode", "navigate").form("/app/upload", &[]).await);
}

#[tokio::test]
async fn no_password_window_opens_from_inside_a_page() {
    let world = World::new().await;
    let answer = world.visitor().with("sec-fetch-mode", "cors").get("/app/upload").await;
    assert_eq!((answer.status, answer.body.as_str()), (401, UNAUTHORIZED));
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.header("location"), Some("/auth/request-token"));
}

#[tokio::test]
async fn a_token_opens_as_bearer_and_as_user_name() {
    let world = World::new().await;
    let token = token(&world).await;
    let with_colon = format!("{token}:");
    let headers = [
        format!("Bearer {token}"),
        format!("Bearer {with_colon}"),
        format!("bearer {token}"),
        basic(&token, ""),
        // The whole value in the user's field, its colon included.
        basic(&with_colon, ""),
    ];
    for header in headers {
        let mut program = world.visitor().with("authorization", &header);
        assert_eq!(program.get("/app/upload").await.body, "upload for alice", "{header}");
        assert_eq!(program.get("/app/via").await.body, "token");
        assert_eq!(program.form("/app/upload", &[]).await.body, "taken from alice");
    }
    let forged = format!("Bearer {}x", &token[..token.len() - 1]);
    for header in [
        forged,
        basic(&token, "password"),
        basic("alice", ""),
        "Bearer".to_owned(),
        format!("Digest {token}"),
    ] {
        assert_unauthorized(&world.visitor().with("authorization", &header).get("/app/upload").await);
    }
    world.clock.advance(Duration::from_secs(3601));
    let header = format!("Bearer {token}");
    assert_unauthorized(&world.visitor().with("authorization", &header).get("/app/upload").await);
}

#[tokio::test]
async fn a_password_opens_only_where_that_is_configured() {
    let world = World::new().await;
    let header = basic("alice", "Red-Apple-11");
    assert_unauthorized(&world.visitor().with("authorization", &header).get("/app/upload").await);
    assert_eq!(world.operations(), 0);

    let world = World::with(|wishes| wishes.web.login_basic = true).await;
    let mut program = world.visitor().with("authorization", &header);
    assert_eq!(program.get("/app/upload").await.body, "upload for alice");
    assert_eq!(program.get("/app/via").await.body, "basic");
    assert!(program.cookies.is_empty());
    let wrong = basic("alice", "wrong");
    for _ in 0..4 {
        assert_unauthorized(&world.visitor().with("authorization", &wrong).get("/app/upload").await);
    }
    let answer = world.visitor().with("authorization", &wrong).get("/app/upload").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some());
    let mut elsewhere = world
        .visitor()
        .with("authorization", &basic("bob", "Blue-Boat-22"))
        .with("sec-fetch-site", "cross-site");
    assert_eq!(elsewhere.form("/app/upload", &[]).await.status, 403);
}

#[tokio::test]
async fn a_password_that_was_proved_lately_opens_without_the_directory_and_makes_no_token() {
    let age = Duration::from_secs(60);
    let mut world = World::with(|wishes| {
        wishes.web.login_basic = true;
        wishes.account.remember_credentials = age;
    })
    .await;
    let header = basic("alice", "Red-Apple-11");
    let mut program = world.visitor().with("authorization", &header);
    assert_eq!(program.get("/app/upload").await.status, 200);
    world.directory_goes_away().await;
    assert_eq!(program.get("/app/via").await.body, "basic");
    let operations = world.operations();
    assert_eq!(program.form("/auth/request-token", &[]).await.status, 503, "a token is asked for anew");
    let wrong = basic("alice", "wrong");
    assert_eq!(world.visitor().with("authorization", &wrong).get("/app/upload").await.status, 503);
    assert_eq!(program.get("/app/upload").await.status, 503, "the wrong password ended it");
    assert_eq!(world.operations(), operations);
}

#[tokio::test]
async fn a_password_when_the_directory_is_down_is_an_outage() {
    let mut world = World::with(|wishes| wishes.web.login_basic = true).await;
    world.directory_goes_away().await;
    let answer =
        world.visitor().with("authorization", &basic("alice", "Red-Apple-11")).get("/app/upload").await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (503, Some("unavailable")));
}

#[tokio::test]
async fn the_account_page_opens_by_cookie_alone() {
    let world = World::with(|wishes| wishes.web.login_basic = true).await;
    let token = token(&world).await;
    for header in [format!("Bearer {token}"), basic(&token, ""), basic("alice", "Red-Apple-11")] {
        assert_unauthorized(&world.browser().with("authorization", &header).get("/").await);
    }
    assert_eq!(world.browser().get("/").await.header("location"), Some("/login?next=/"));
    let mut browser = world.signed_in("alice", "Red-Apple-11").await.with("authorization", "Bearer nonsense");
    assert_eq!(browser.get("/").await.status, 200);
}

#[tokio::test]
async fn who_is_known_but_not_allowed_gets_403() {
    let world = World::with(|wishes| {
        let dn = "cn=staff,ou=groups,dc=example,dc=com".parse().unwrap();
        let staff = account::PermissionKey::Group { directory: "main".to_owned(), dn };
        wishes.account.permissions.insert(staff, vec!["reports.view".to_owned()]);
        let directory =
            account::DirectorySettings { from_groups: true, ..account::DirectorySettings::default() };
        wishes.account.directories.insert("main".to_owned(), directory);
    })
    .await;
    let mut alice = world.signed_in("alice", "Red-Apple-11").await;
    assert_eq!(alice.get("/app/reports").await.body, "reports for alice");
    let mut carol = world.signed_in("carol", "Green-Garden-33").await;
    let answer = carol.get("/app/reports").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("<h1>No access</h1>"), "{}", answer.body);
}

#[tokio::test]
async fn another_site_cannot_use_the_cookie() {
    let world = World::new().await;
    let browser = world.signed_in("alice", "Red-Apple-11").await;
    for site in ["cross-site", "same-site"] {
        assert_eq!(browser.clone().with("sec-fetch-site", site).form("/app/upload", &[]).await.status, 403);
        assert_eq!(browser.clone().with("sec-fetch-site", site).get("/app/upload").await.status, 200);
    }
    let answer = browser.clone().with("sec-fetch-site", "same-origin").form("/app/upload", &[]).await;
    assert_eq!(answer.body, "taken from alice");
}

/// Over plain http browsers send no `Sec-Fetch-Site`: a neighbour on another port would get the cookie through.
#[tokio::test]
async fn another_origin_cannot_use_the_cookie_where_a_browser_does_not_tell_the_site() {
    let world = World::new().await;
    let browser = world.signed_in("alice", "Red-Apple-11").await;
    let here = "http://localhost:8080";
    for origin in ["http://evil.example", "http://127.0.0.1:1", "null", &format!("{here}.evil.example")] {
        assert_eq!(
            browser.clone().with("origin", origin).form("/app/upload", &[]).await.status,
            403,
            "{origin}"
        );
    }
    let answer = browser.clone().with("origin", here).form("/app/upload", &[]).await;
    assert_eq!(answer.body, "taken from alice");
}

#[tokio::test]
async fn a_session_ends_by_idleness() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    world.clock.advance(Duration::from_secs(20 * 60));
    assert_eq!(browser.get("/app/upload").await.status, 200);
    world.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(browser.get("/app/upload").await.status, 303);
}

#[tokio::test]
async fn a_forged_cookie_is_nobody() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    let good = browser.cookies["ldapgate"].clone();
    for forged in [good[1..].to_owned(), format!("{good}A"), "x".to_owned(), "../../etc".to_owned()] {
        browser.cookies.insert("ldapgate".to_owned(), forged);
        assert_eq!(browser.get("/app/upload").await.status, 303);
    }
}

#[tokio::test]
async fn an_open_route_is_told_who_it_is_when_it_asks() {
    let world = World::new().await;
    assert_eq!(world.browser().get("/app/hello").await.body, "hello, whoever you are");
    let browser = world.signed_in("alice", "Red-Apple-11").await;
    assert_eq!(browser.clone().get("/app/hello").await.body, "hello, alice");
    assert_eq!(
        browser.clone().with("sec-fetch-site", "cross-site").form("/app/hello", &[]).await.status,
        403
    );
    let header = format!("Bearer {}", token(&world).await);
    assert_eq!(world.visitor().with("authorization", &header).get("/app/hello").await.body, "hello, alice");
    assert_eq!(browser.clone().get("/app/forgotten").await.status, 500, "without a layer nobody is let in");
}
