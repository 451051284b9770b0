//! The account page: who am I, sessions, tokens.

use std::time::Duration;

use auth::PasswordChange;
use testkit::http::basic;

use crate::world::World;

/// The token that the page shows once.
fn shown_token(body: &str) -> Option<String> {
    let rest = &body[body.find("ldg_")?..];
    Some(rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || "-_".contains(*letter)).collect())
}

#[tokio::test]
async fn the_page_tells_a_person_what_is_known_of_them() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    let page = browser.get("/").await;
    assert_eq!(page.status, 200);
    for text in [
        "<h1>alice</h1>",
        "uid=alice,ou=people,dc=example,dc=com",
        "admins",
        "staff",
        "This session",
        "192.0.2.1",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
}

#[tokio::test]
async fn what_the_directory_says_of_a_password_is_told_as_long_as_the_session_lasts() {
    let world = World::of_old_passwords(PasswordChange::Person).await;
    let link = "<a href=\"/password\">Change your password</a></p></div>";
    let mut soon = world.signed_in("soon", "Soon-Sorrel-41").await;
    let page = soon.get("/").await.body;
    assert!(page.contains("Your password expires in about 20 hours.") && page.contains(link), "{page}");
    world.clock.advance(Duration::from_secs(600));
    let warnings = soon.get("/api/me").await.json()["warnings"].clone();
    assert_eq!(warnings, serde_json::json!([{"kind": "password_expires", "seconds": 20 * 3600 - 600}]));
    let mut grace = world.signed_in("grace", "Gray-Goose-42").await;
    let warnings = grace.get("/api/me").await.json()["warnings"].clone();
    assert_eq!(warnings, serde_json::json!([{"kind": "grace_logins", "remaining": 2}]));
    let page = grace.get("/").await.body;
    assert!(page.contains("It will let you in 2 more times."), "{page}");
    let page = world.signed_in("alice", "Red-Apple-11").await.get("/").await.body;
    assert!(!page.contains("class=\"notice"), "{page}");
}

#[tokio::test]
async fn a_warning_leads_nowhere_where_passwords_are_not_changed() {
    let world = World::of_old_passwords(PasswordChange::Off).await;
    let page = world.signed_in("soon", "Soon-Sorrel-41").await.get("/").await.body;
    assert!(page.contains("Your password expires in") && !page.contains("/password"), "{page}");
}

#[tokio::test]
async fn a_person_ends_another_session_of_their_own() {
    let world = World::new().await;
    let mut one = world.signed_in("alice", "Red-Apple-11").await;
    let mut other = world.signed_in("alice", "Red-Apple-11").await;
    let id = one.get("/").await.field("session").expect("the other session has a button");
    assert!(!other.cookies["ldapgate"].contains(&id), "a handle, never what the cookie holds");
    let answer = one.press("/", "/sessions/end", &[("session", &id)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    assert_eq!(other.get("/app/upload").await.status, 303);
    assert_eq!(one.get("/app/upload").await.status, 200);
}

#[tokio::test]
async fn a_person_ends_all_sessions_but_this_one() {
    let world = World::new().await;
    let mut one = world.signed_in("alice", "Red-Apple-11").await;
    let mut others =
        [world.signed_in("alice", "Red-Apple-11").await, world.signed_in("alice", "Red-Apple-11").await];
    let mut bob = world.signed_in("bob", "Blue-Boat-22").await;
    assert_eq!(one.form("/sessions/end-others", &[]).await.status, 403);
    assert_eq!(one.press("/", "/sessions/end-others", &[]).await.status, 303);
    for other in &mut others {
        assert_eq!(other.get("/app/upload").await.status, 303);
    }
    assert_eq!((one.get("/app/upload").await.status, bob.get("/app/upload").await.status), (200, 200));
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let world = World::new().await;
    let mut alice = world.signed_in("alice", "Red-Apple-11").await;
    let mut second = world.signed_in("alice", "Red-Apple-11").await;
    let id = alice.get("/").await.field("session").unwrap();
    let mut bob = world.signed_in("bob", "Blue-Boat-22").await;
    assert_eq!(bob.press("/", "/sessions/end", &[("session", &id)]).await.status, 303);
    assert_eq!(second.get("/app/upload").await.status, 200);
    assert_eq!(alice.form("/sessions/end", &[("session", &id)]).await.status, 403, "no token, no order");
    assert_eq!(second.get("/app/upload").await.status, 200);
}

#[tokio::test]
async fn a_personal_token_is_shown_once_and_opens_until_it_is_revoked() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    let page = browser.press("/", "/tokens", &[("name", "backup <job>"), ("days", "30")]).await;
    assert_eq!(page.status, 200);
    let token = shown_token(&page.body).expect("the token is shown");
    let page = browser.get("/").await;
    assert_eq!(shown_token(&page.body), None);
    assert!(page.body.contains("backup &lt;job&gt;"), "{}", page.body);
    for header in [format!("Bearer {token}"), basic(&token, ""), basic("whoever", &token)] {
        let answer = world.visitor().with("authorization", &header).get("/app/upload").await;
        assert_eq!(answer.body, "upload for alice");
    }
    let id = page.field("token").unwrap();
    assert!(!token.contains(&id));
    let answer = browser.press("/", "/tokens/revoke", &[("token", &id)]).await;
    assert_eq!(answer.status, 303);
    let header = format!("Bearer {token}");
    assert_eq!(world.visitor().with("authorization", &header).get("/app/upload").await.status, 401);
}

#[tokio::test]
async fn a_personal_token_ends_when_it_was_said_to() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    let page = browser.press("/", "/tokens", &[("name", "week"), ("days", "7")]).await;
    let header = format!("Bearer {}", shown_token(&page.body).unwrap());
    world.clock.advance(Duration::from_secs(7 * 24 * 60 * 60 - 60));
    assert_eq!(world.visitor().with("authorization", &header).get("/app/upload").await.status, 200);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.visitor().with("authorization", &header).get("/app/upload").await.status, 401);
}

#[tokio::test]
async fn a_token_needs_a_name_a_known_lifetime_and_a_good_form() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    let long = "x".repeat(101);
    for (name, days) in
        [("", "7"), ("  ", "7"), (long.as_str(), "7"), ("a\nb", "7"), ("name", "8"), ("name", "-1")]
    {
        let answer = browser.press("/", "/tokens", &[("name", name), ("days", days)]).await;
        assert_eq!(answer.status, 400, "{name:?} {days}");
    }
    assert_eq!(browser.form("/tokens", &[("name", "x"), ("days", "7")]).await.status, 403);
    let mut elsewhere = browser.clone().with("sec-fetch-site", "cross-site");
    assert_eq!(elsewhere.press("/", "/tokens", &[("name", "x"), ("days", "7")]).await.status, 403);
    assert!(!browser.get("/").await.body.contains("/tokens/revoke"));
}

#[tokio::test]
async fn nobody_revokes_the_token_of_somebody_else() {
    let world = World::new().await;
    let mut alice = world.signed_in("alice", "Red-Apple-11").await;
    let page = alice.press("/", "/tokens", &[("name", "mine"), ("days", "")]).await;
    let header = format!("Bearer {}", shown_token(&page.body).unwrap());
    let id = alice.get("/").await.field("token").unwrap();
    let mut bob = world.signed_in("bob", "Blue-Boat-22").await;
    bob.press("/", "/tokens/revoke", &[("token", &id)]).await;
    assert_eq!(world.visitor().with("authorization", &header).get("/app/upload").await.status, 200);
}
