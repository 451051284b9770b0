//! `/api/login`, `/api/me`, `/.well-known/jwks.json`.

use serde_json::json;
use testkit::http::basic;

use crate::world::World;

#[tokio::test]
async fn a_right_password_gets_the_login_document_and_the_cookie() {
    let world = World::new().await;
    let mut program = world.visitor();
    let answer =
        program.json("/api/login", &json!({ "username": "alice", "password": "Red-Apple-11" })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let document = answer.json();
    assert_eq!((&document["outcome"], &document["username"]), (&json!("granted"), &json!("alice")));
    assert_eq!(document["dn"], "uid=alice,ou=people,dc=example,dc=com");
    assert!(
        document["groups"]
            .as_array()
            .unwrap()
            .contains(&json!({ "name": "admins", "dn": "cn=admins,ou=groups,dc=example,dc=com" }))
    );
    assert!(!answer.body.contains("Red-Apple"));
    assert!(program.cookies.contains_key("ldapgate"));
    let me = program.get("/api/me").await;
    assert_eq!(me.status, 200);
    let me = me.json();
    assert_eq!(
        (&me["via"], &me["username"], &me["id"]),
        (&json!("session"), &json!("alice"), &document["id"])
    );
    assert_eq!(me.get("outcome"), None);
}

#[tokio::test]
async fn a_refusal_says_no_more_than_the_page() {
    let world = World::new().await;
    for (username, password) in [("alice", "wrong"), ("nobody", "x"), ("louis", "Lock-Ledger-12")] {
        let answer =
            world.visitor().json("/api/login", &json!({ "username": username, "password": password })).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.json(),
            json!({ "outcome": "denied", "message": "the user name or password is not right" })
        );
        assert_eq!(answer.header("set-cookie"), None);
    }
    let asked = world.operations();
    for body in [json!({ "username": "alice", "password": "" }), json!({ "username": "alice" }), json!({})] {
        let answer = world.visitor().json("/api/login", &body).await;
        assert_eq!((answer.status, &answer.json()["outcome"]), (401, &json!("denied")));
    }
    assert_eq!(world.operations(), asked);
}

#[tokio::test]
async fn throttling_and_an_outage_have_their_own_answers() {
    let mut world = World::new().await;
    let wrong = json!({ "username": "alice", "password": "wrong" });
    for _ in 0..4 {
        assert_eq!(world.visitor().json("/api/login", &wrong).await.status, 401);
    }
    let answer = world.visitor().json("/api/login", &wrong).await;
    assert_eq!((answer.status, &answer.json()["outcome"]), (429, &json!("denied")));
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    world.directory_goes_away().await;
    let answer = world.visitor().json("/api/login", &json!({ "username": "bob", "password": "x" })).await;
    assert_eq!(answer.status, 503);
    let document = answer.json();
    assert_eq!((&document["outcome"], &document["fault"]), (&json!("error"), &json!("directory")));
    assert!(document["message"].is_string() && document.get("causes").is_none(), "{document}");
}

#[tokio::test]
async fn what_is_not_json_or_comes_from_another_site_is_refused() {
    let world = World::new().await;
    let good = r#"{"username": "alice", "password": "Red-Apple-11"}"#;
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", r#"{"username": 7}"#, 400),
        ("application/json", "", 400),
        ("application/json", r#"["alice", "Red-Apple-11"]"#, 400),
        ("application/json", "[]", 400),
        ("text/plain", good, 415),
        ("application/x-www-form-urlencoded", "username=alice&password=Red-Apple-11", 415),
        ("application/json; charset=utf-8", good, 200),
    ] {
        let answer = world.visitor().send("POST", "/api/login", Some(kind), body.into()).await;
        assert_eq!(answer.status, status, "{kind}: {body}");
    }
    let mut elsewhere = world.visitor().with("sec-fetch-site", "cross-site");
    assert_eq!(elsewhere.send("POST", "/api/login", Some("application/json"), good.into()).await.status, 403);
    let mut elsewhere = world.visitor().with("origin", "https://evil.example");
    assert_eq!(elsewhere.send("POST", "/api/login", Some("application/json"), good.into()).await.status, 403);
    let answer = world.visitor().get("/api/login").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn me_says_which_way_somebody_came() {
    let world = World::with(|wishes| wishes.web.login_basic = true).await;
    let answer = world.visitor().with("authorization", &basic("alice", "Red-Apple-11")).get("/api/me").await;
    assert_eq!(answer.json()["via"], "basic");
    let token = world
        .visitor()
        .with("authorization", &basic("alice", "Red-Apple-11"))
        .form("/auth/request-token", &[])
        .await;
    let bearer = format!("Bearer {}", token.json()["token"].as_str().unwrap());
    let answer = world.visitor().with("authorization", &bearer).get("/api/me").await;
    assert_eq!(answer.json()["via"], "token");
}

#[tokio::test]
async fn the_keys_are_public_and_hold_nothing_secret() {
    let world = World::new().await;
    let answer = world.visitor().get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, 200);
    let keys = answer.json();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
    assert!(key["x"].is_string() && key.get("d").is_none(), "{keys}");
}
