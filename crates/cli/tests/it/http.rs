//! The whole way through HTTP: page, CSRF, cookie, guarded page, token, Bearer, logout.

use testkit::http::basic;
use testkit::world::{Peer, World};

use crate::against_both;
use crate::gateway::{Gateway, USUAL, configure};

against_both!(
    a_person_walks_in_and_out_through_the_pages,
    a_program_walks_in_with_a_token,
    a_wrong_password_gets_one_text_and_too_many_get_429,
    the_account_page_lists_and_ends_sessions,
);

const UNAUTHORIZED: &str =
    r#"{"error": "unauthorized", "message": "Please authenticate with a valid token", "status": 401}"#;

async fn a_person_walks_in_and_out_through_the_pages(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let mut person = gateway.browser();

    let sent_away = person.get("/").await;
    assert_eq!((sent_away.status, sent_away.header("location")), (303, Some("/login?next=/")));
    let page = person.get("/login?next=%2F").await;
    assert_eq!(page.status, 200);
    let csp = page.header("content-security-policy").expect("the page has a policy");
    assert!(csp.contains("default-src 'none'") && !csp.contains("unsafe"), "{csp}");
    assert!(!page.body.contains("<script"), "no script is needed");
    let token = page.field("csrf_token").expect("the form has a token");

    let fields = [("username", "alice"), ("password", "Red-Apple-11"), ("csrf_token", &token), ("next", "/")];
    let mut stranger = gateway.browser();
    assert_eq!(
        stranger.form("/login", &fields).await.status,
        403,
        "a token without its cookie is worth nothing"
    );
    let welcomed = person.form("/login", &fields).await;
    assert_eq!((welcomed.status, welcomed.header("location")), (303, Some("/")), "{}", welcomed.body);
    let cookie = welcomed
        .headers
        .iter()
        .find(|(name, value)| name == "set-cookie" && value.starts_with("ldapgate="))
        .expect("a session");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.1.contains(attribute), "{}", cookie.1);
    }
    let account = person.get("/").await;
    assert!(account.status == 200 && account.body.contains("alice"), "{}", account.body);
    assert_eq!(person.get("/api/me").await.json()["username"], "alice");

    let leaving = account.field("csrf_token").expect("the account page can sign out");
    let mut thief = person.clone();
    assert_eq!(person.form("/logout", &[("csrf_token", &leaving)]).await.status, 303);
    assert_eq!(person.get("/").await.status, 303);
    assert_eq!(thief.get("/").await.status, 303, "the old cookie opens nothing any more");
}

async fn a_program_walks_in_with_a_token(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let refused = gateway.program().get("/api/me").await;
    assert_eq!((refused.status, refused.body.as_str()), (401, UNAUTHORIZED));
    assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"Authentication Required\""));
    assert!(refused.header("location").is_some_and(|place| place.ends_with("/auth/request-token")));

    let asked = gateway
        .program()
        .with("authorization", &basic("alice", "Red-Apple-11"))
        .send("POST", "/auth/request-token", None, b"")
        .await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let token = asked.json()["token"].as_str().expect("a token").to_owned();
    assert!(token.ends_with(':'));
    let bare = token.trim_end_matches(':');
    for value in [format!("Bearer {token}"), format!("Bearer {bare}"), basic(bare, "")] {
        let me = gateway.program().with("authorization", &value).get("/api/me").await;
        assert_eq!((me.status, me.json()["via"].as_str()), (200, Some("token")), "{value}: {}", me.body);
    }
    let mut forged = bare.to_owned();
    let last = forged.pop().expect("a token has an end");
    forged.insert(bare.len() / 2, last);
    let refused = gateway.program().with("authorization", &format!("Bearer {forged}")).get("/api/me").await;
    assert_eq!((refused.status, refused.body.as_str()), (401, UNAUTHORIZED));
    let wrong = gateway
        .program()
        .with("authorization", &basic("alice", "no"))
        .send("POST", "/auth/request-token", None, b"")
        .await;
    assert_eq!(wrong.status, 401);
    let keys = gateway.program().get("/.well-known/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    assert_eq!(
        gateway.program().with("authorization", &format!("Bearer {bare}")).get("/").await.status,
        401,
        "`/` takes cookies alone"
    );
}

async fn a_wrong_password_gets_one_text_and_too_many_get_429(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let mut person = gateway.browser();
    let token = person.get("/login").await.field("csrf_token").expect("the form has a token");
    let mut answers = Vec::new();
    for username in ["carol", "nobody", "locked"] {
        let fields = [("username", username), ("password", "wrong"), ("csrf_token", token.as_str())];
        let answer = person.form("/login", &fields).await;
        assert_eq!(answer.status, 401);
        answers.push(
            answer
                .body
                .replace(username, "NAME")
                .replace(&answer.field("csrf_token").unwrap_or_default(), "TOKEN"),
        );
    }
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "one text for all:\n{}\n{}",
        answers[0],
        answers[1]
    );
    for _ in 0..3 {
        assert_eq!(gateway.api_login("carol", "wrong").await.status, 401);
    }
    let before = world.requests();
    let throttled = gateway.api_login("carol", "Green-Garden-33").await;
    assert_eq!(throttled.status, 429, "{}", throttled.body);
    assert!(throttled.header("retry-after").is_some());
    assert!(world.requests() <= before + 1, "a throttled login makes no bind");
    assert_eq!(gateway.api_login("alice", "Red-Apple-11").await.status, 200, "others are not in the way");
}

async fn the_account_page_lists_and_ends_sessions(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let body = serde_json::json!({"username": "alice", "password": "Red-Apple-11"});
    let (mut here, mut there) = (gateway.program(), gateway.program());
    assert_eq!(here.json("/api/login", &body).await.status, 200);
    assert_eq!(there.json("/api/login", &body).await.status, 200);
    assert_eq!(there.get("/api/me").await.status, 200);
    let account = here.get("/").await;
    assert!(account.body.contains("admins"), "groups are shown: {}", account.body);
    let token = account.field("csrf_token").expect("a token");
    let forms: Vec<&str> = account.body.split("<form").filter(|form| form.contains("/sessions")).collect();
    assert!(!forms.is_empty(), "sessions can be ended: {}", account.body);
    for form in forms {
        let action = form
            .split("action=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a form posts somewhere");
        let field = |name: &str| {
            form.split(&format!("name=\"{name}\"")).nth(1)?.split("value=\"").nth(1)?.split('"').next()
        };
        let mut fields = vec![("csrf_token", token.as_str())];
        if let Some(id) = field("id").or_else(|| field("session")) {
            fields.push((if field("id").is_some() { "id" } else { "session" }, id));
        }
        let _ = here.form(&action.replace("&#x2f;", "/"), &fields).await;
    }
    assert_eq!(there.get("/api/me").await.status, 401, "the other session was ended");
}
