//! `GET` and `POST /logout`.

use crate::world::World;

#[tokio::test]
async fn signing_out_ends_the_session_everywhere() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    let mut copy = browser.clone();
    let page = browser.get("/logout").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<button"));
    assert_eq!(browser.get("/app/upload").await.status, 200, "asking changes nothing");
    let answer = browser.press("/logout", "/logout", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login")));
    assert!(!browser.cookies.contains_key("ldapgate"));
    assert_eq!(browser.get("/app/upload").await.status, 303);
    assert_eq!(copy.get("/app/upload").await.status, 303, "the cookie's copy is worth nothing");
}

#[tokio::test]
async fn nobody_else_can_sign_a_person_out() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    assert_eq!(browser.form("/logout", &[]).await.status, 403);
    assert_eq!(browser.form("/logout", &[("csrf_token", "x.y")]).await.status, 403);
    let mut elsewhere = browser.clone().with("sec-fetch-site", "cross-site");
    assert_eq!(elsewhere.press("/logout", "/logout", &[]).await.status, 403);
    assert_eq!(browser.get("/app/upload").await.status, 200);
}

#[tokio::test]
async fn signing_out_without_a_session_is_no_error() {
    let world = World::new().await;
    assert_eq!(world.browser().press("/logout", "/logout", &[]).await.status, 303);
}
