//! What every answer has, what every page has, and what is at no address.

use crate::world::World;

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    for path in [
        "/",
        "/login",
        "/logout",
        "/nothing",
        "/healthz",
        "/api/me",
        "/.well-known/jwks.json",
        "/_ldapgate/style.css",
        "/sessions/end",
    ] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("script-src") && !policy.contains("data:"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert!(
            answer.header("cache-control").is_some() && answer.header("x-request-id").is_some(),
            "{path}"
        );
    }
    let refused = world.visitor().get("/app/upload").await;
    assert!(refused.header("content-security-policy").is_some() && refused.header("x-request-id").is_some());
}

#[tokio::test]
async fn the_login_page_can_be_used_by_everybody() {
    let world = World::new().await;
    let page = world.browser().get("/login").await;
    for text in [
        "<html lang=\"en\">",
        "<title>Sign in</title>",
        "<label for=\"username\">",
        "<label for=\"password\">",
        "autocomplete=\"username\"",
        "autocomplete=\"current-password\"",
        "<button type=\"submit\">",
        "name=\"viewport\"",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn no_page_has_a_script_a_style_of_its_own_or_anything_from_elsewhere() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    for path in ["/", "/login", "/logout", "/nothing"] {
        let body = browser.get(path).await.body;
        for forbidden in ["<script", "<style", " style=", "http://", "https://", "javascript:", " onclick"] {
            assert!(!body.contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[tokio::test]
async fn the_pages_own_files_are_there_and_may_be_kept() {
    let world = World::new().await;
    for (path, kind) in
        [("/_ldapgate/style.css", "text/css; charset=utf-8"), ("/_ldapgate/icon.svg", "image/svg+xml")]
    {
        let answer = world.visitor().get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
        assert!(world.browser().get("/login").await.body.contains(path.rsplit('/').next().unwrap()));
    }
    for path in ["/_ldapgate/login.html", "/_ldapgate/..%2fstyle.css", "/_ldapgate/"] {
        assert_eq!(world.visitor().get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn everything_else_is_404_for_people_and_programs() {
    let world = World::new().await;
    for path in
        ["/nothing", "/admin/", "/metrics", "/forward-auth/nginx", "/login/", "/api", "/static/style.css"]
    {
        let page = world.browser().get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.body.contains("<h1>Page not found</h1>"), "{path}");
        let answer = world.visitor().get(path).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (404, Some("not_found")), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_told_the_right_ones() {
    let world = World::new().await;
    for (method, path, allow) in [
        ("POST", "/", "GET,HEAD"),
        ("DELETE", "/login", "GET,HEAD,POST"),
        ("GET", "/tokens", "POST"),
        ("POST", "/healthz", "GET,HEAD"),
        ("POST", "/api/me", "GET,HEAD"),
    ] {
        let answer = world.visitor().send(method, path, None, "".into()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {path}");
        assert_eq!(answer.json()["error"], "method_not_allowed");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let world = World::with(|wishes| wishes.web.request_timeout = std::time::Duration::from_millis(50)).await;
    let body =
        axum::body::Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
    let answer = world.visitor().send("POST", "/api/login", Some("application/json"), body).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (408, Some("timeout")));
}

#[tokio::test]
async fn a_theme_and_new_settings_are_taken_while_running() {
    let world = World::new().await;
    let router = world.router();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("login.html"), "<title>Example Inc.</title>").unwrap();
    let mut settings =
        ldapgate_web::Settings { theme_dir: Some(folder.path().to_owned()), ..Default::default() };
    assert_eq!(world.gate.swap(settings.clone()).unwrap(), Vec::<&str>::new());
    let page = crate::visitor::Visitor::of(router.clone()).get("/login").await;
    assert_eq!(page.body, "<title>Example Inc.</title>");
    settings.token_path = "/elsewhere".to_owned();
    assert_eq!(world.gate.swap(settings.clone()).unwrap(), ["token.path"]);
    std::fs::write(folder.path().join("login.html"), "{% broken").unwrap();
    assert!(world.gate.swap(settings).is_err());
    let page = crate::visitor::Visitor::of(router).get("/login").await;
    assert_eq!(page.body, "<title>Example Inc.</title>", "a bad theme keeps the one before");
}

#[tokio::test]
async fn an_application_embeds_the_login_without_the_rest() {
    let world = World::new().await;
    let own = axum::Router::new().route("/", axum::routing::get(|| async { "the application" }));
    let router = own.merge(world.gate.embedded_routes()).fallback(|| async { "its own fallback" });
    let mut visitor = crate::visitor::Visitor::of(router);
    assert_eq!(visitor.get("/").await.body, "the application");
    assert_eq!(visitor.get("/nothing").await.body, "its own fallback");
    assert_eq!(visitor.sign_in("alice", "Red-Apple-11").await.status, 303);
    assert_eq!(visitor.get("/api/me").await.status, 200);
}
