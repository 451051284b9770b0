//! Behind a reverse proxy: addresses, schemes and request ids, by trusted proxies alone.

use crate::visitor::set_cookies;
use crate::world::World;

async fn behind_a_proxy() -> World {
    World::with(|wishes| {
        wishes.web.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        wishes.account.login.throttle.address = 3;
    })
    .await
}

#[tokio::test]
async fn wrong_passwords_count_on_the_visitor_and_not_on_the_proxy() {
    let world = behind_a_proxy().await;
    for username in ["bob", "carol", "dave"] {
        let mut guesser = world.browser().from("10.0.0.1").with("x-forwarded-for", "6.6.6.6, 203.0.113.9");
        assert_eq!(guesser.sign_in(username, "wrong").await.status, 401);
    }
    let mut guesser = world.browser().from("10.0.0.1").with("x-forwarded-for", "7.7.7.7, 203.0.113.9");
    assert_eq!(
        guesser.sign_in("alice", "Red-Apple-11").await.status,
        429,
        "another first address changes nothing"
    );
    let mut somebody = world.browser().from("10.0.0.1").with("x-forwarded-for", "203.0.113.10");
    assert_eq!(somebody.sign_in("alice", "Red-Apple-11").await.status, 303);
}

#[tokio::test]
async fn a_stranger_s_headers_change_nothing() {
    let world = behind_a_proxy().await;
    for (number, username) in ["bob", "carol", "dave"].into_iter().enumerate() {
        let mut guesser =
            world.browser().from("203.0.113.9").with("x-forwarded-for", &format!("198.51.100.{number}"));
        assert_eq!(guesser.sign_in(username, "wrong").await.status, 401);
    }
    let mut guesser = world.browser().from("203.0.113.9").with("x-forwarded-for", "198.51.100.77");
    assert_eq!(guesser.sign_in("alice", "Red-Apple-11").await.status, 429);
}

#[tokio::test]
async fn a_trusted_proxy_says_https() {
    let world = behind_a_proxy().await;
    let mut browser = world.browser().from("10.0.0.1").with("x-forwarded-proto", "https");
    let answer = browser.sign_in("alice", "Red-Apple-11").await;
    assert!(set_cookies(&answer).next().unwrap().starts_with("__Host-ldapgate="));
    let mut stranger = world.browser().from("203.0.113.9").with("x-forwarded-proto", "https");
    let answer = stranger.sign_in("alice", "Red-Apple-11").await;
    assert!(set_cookies(&answer).next().unwrap().starts_with("ldapgate="));
}

#[tokio::test]
async fn a_request_id_is_taken_from_a_proxy_and_made_for_everybody_else() {
    let world = behind_a_proxy().await;
    let ask = |from: &'static str, id: &'static str| {
        let mut visitor = world.visitor().from(from).with("x-request-id", id);
        async move { visitor.get("/healthz").await.header("x-request-id").unwrap().to_owned() }
    };
    assert_eq!(ask("10.0.0.1", "abc-123").await, "abc-123");
    assert_ne!(ask("10.0.0.1", "a b").await, "a b");
    let (one, other) = (ask("203.0.113.9", "abc-123").await, ask("203.0.113.9", "abc-123").await);
    assert!(one != "abc-123" && one != other);
}
