//! `GET` and `POST /login`.

use std::time::Duration;

use crate::visitor::set_cookies;
use crate::world::World;

const GENERAL: &str = "The user name or password is not right.";

#[tokio::test]
async fn a_right_password_opens_the_way_that_was_asked_for() {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = browser.sign_in_at("/login?next=/app/upload%3Fa%3Db", "alice", "Red-Apple-11").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/app/upload?a=b")));
    let cookie = set_cookies(&answer).next().unwrap();
    let (_, attributes) = cookie.split_once("; ").unwrap();
    assert!(cookie.starts_with("ldapgate="), "{cookie}");
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Path=/");
    assert_eq!(browser.get("/app/upload").await.body, "upload for alice");
}

#[tokio::test]
async fn names_are_trimmed_and_folded_and_may_hold_any_letters() {
    let world = World::new().await;
    for (username, password) in
        [(" ALICE ", "Red-Apple-11"), ("jürgen", "Grüne-Gläser-44"), ("pat,o(n)e*\\x", "Pink-Pearl-66")]
    {
        let answer = world.browser().sign_in(username, password).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{username}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.get("/login").await;
    let token = page.field("csrf_token").unwrap();
    let mut answers = Vec::new();
    for username in ["alice", "abcde", "louis", "a*ice"] {
        let fields = [("username", username), ("password", "not it"), ("csrf_token", token.as_str())];
        let answer = browser.form("/login", &fields).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), None);
        assert!(answer.body.contains(GENERAL) && answer.body.contains("role=\"alert\""), "{}", answer.body);
        let names: Vec<String> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
        answers.push((names, answer.body.len()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn an_empty_field_is_told_at_the_field_without_asking_anybody() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (username, password, id) in [("alice", "", "password-error"), ("  ", "x", "username-error")] {
        for _ in 0..5 {
            let answer = browser.sign_in(username, password).await;
            assert_eq!(answer.status, 401);
            assert!(answer.body.contains(&format!("id=\"{id}\" role=\"alert\"")), "{}", answer.body);
            assert!(answer.body.contains("aria-invalid=\"true\""));
        }
    }
    assert_eq!(world.operations(), 0);
    assert_eq!(browser.sign_in("alice", "Red-Apple-11").await.status, 303);
}

#[tokio::test]
async fn a_form_without_a_good_token_is_given_again_and_then_works() {
    let world = World::new().await;
    let mut browser = world.browser();
    let fields = [("username", "alice"), ("password", "Red-Apple-11"), ("next", "/app/upload")];
    let answer = browser.form("/login", &fields).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.field("username").as_deref(), Some("alice"));
    assert_eq!(world.operations(), 0);
    let token = answer.field("csrf_token").unwrap();
    let again = browser.form("/login", &[&fields[..], &[("csrf_token", &token)]].concat()).await;
    assert_eq!((again.status, again.header("location")), (303, Some("/app/upload")));
}

#[tokio::test]
async fn a_token_belongs_to_one_browser_one_session_and_half_a_day() {
    let world = World::new().await;
    let mut mine = world.browser();
    let token = mine.get("/login").await.field("csrf_token").unwrap();
    let fields = [("username", "alice"), ("password", "Red-Apple-11"), ("csrf_token", token.as_str())];
    let mut theirs = world.browser();
    theirs.get("/login").await;
    assert_eq!(theirs.form("/login", &fields).await.status, 403);
    assert_eq!(world.browser().form("/login", &fields).await.status, 403);
    let mut signed_in = mine.clone();
    assert_eq!(signed_in.form("/login", &fields).await.status, 303);
    assert_eq!(signed_in.form("/logout", &[("csrf_token", &token)]).await.status, 403);
    world.clock.advance(Duration::from_secs(12 * 60 * 60));
    assert_eq!(mine.form("/login", &fields).await.status, 403);
}

#[tokio::test]
async fn what_another_site_sends_is_refused() {
    let world = World::new().await;
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "http://localhost:8080", 303),
        ("sec-fetch-site", "same-origin", 303),
    ] {
        let answer = world.browser().with(name, value).sign_in("alice", "Red-Apple-11").await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn too_many_wrong_passwords_are_answered_with_when_to_come_back() {
    let world = World::new().await;
    let mut browser = world.browser();
    for _ in 0..4 {
        assert_eq!(browser.sign_in("alice", "wrong").await.status, 401);
    }
    let asked = world.operations();
    let answer = browser.sign_in("alice", "Red-Apple-11").await;
    assert_eq!(answer.status, 429);
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30 * 60).contains(&wait), "{wait}");
    assert!(answer.body.contains("role=\"alert\""));
    assert!(world.operations() <= asked + 1, "a throttled login makes no bind");
    world.clock.advance(Duration::from_secs(wait));
    assert_eq!(browser.sign_in("alice", "Red-Apple-11").await.status, 303);
}

#[tokio::test]
async fn a_directory_that_is_down_is_no_wrong_password() {
    let mut world = World::new().await;
    world.directory_goes_away().await;
    let answer = world.browser().sign_in("alice", "Red-Apple-11").await;
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains(GENERAL));
    assert!(answer.body.contains("Your password was not refused"), "{}", answer.body);
    assert!(answer.field("csrf_token").is_some());
}

#[tokio::test]
async fn the_account_s_state_is_told_to_who_proved_the_password_alone() {
    let world = World::with(|wishes| wishes.change = auth::PasswordChange::Off).await;
    for (username, password, told) in [
        ("max", "Must-Mango-15", "The password must be changed."),
        ("diana", "Dead-Dodo-13", "This account is disabled."),
        ("erin", "Old-Otter-14", "This account has expired."),
        ("louis", "Lock-Ledger-12", GENERAL),
    ] {
        let answer = world.browser().sign_in(username, password).await;
        assert_eq!(answer.status, 401, "{username}");
        assert!(answer.body.contains(told), "{username}: {}", answer.body);
        let wrong = world.browser().sign_in(username, "wrong").await;
        assert!(
            wrong.body.contains(GENERAL) && (told == GENERAL || !wrong.body.contains(told)),
            "{username}"
        );
    }
    let answer = world.browser().sign_in("max", "Must-Mango-15").await;
    assert!(
        answer.body.contains("Change your password where your organisation lets you do so"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_wish_for_another_site_leads_home() {
    let world = World::new().await;
    for evil in
        ["https://evil.example/", "//evil.example", "/%5Cevil.example", "/\\evil.example", "/a%0d%0ab"]
    {
        let page = format!("/login?next={}", testkit::http::encode(evil));
        let answer = world.browser().sign_in_at(&page, "alice", "Red-Apple-11").await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{evil}");
        let mut browser = world.browser();
        let token = browser.get("/login").await.field("csrf_token").unwrap();
        let fields =
            [("username", "alice"), ("password", "Red-Apple-11"), ("csrf_token", &token), ("next", evil)];
        assert_eq!(browser.form("/login", &fields).await.header("location"), Some("/"), "{evil}");
    }
    let world = World::with(|wishes| wishes.web.next_hosts.push("wiki.example.com".to_owned())).await;
    let answer =
        world.browser().sign_in_at("/login?next=https://wiki.example.com/x", "alice", "Red-Apple-11").await;
    assert_eq!(answer.header("location"), Some("https://wiki.example.com/x"));
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_ends_the_one_before() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", "Red-Apple-11").await;
    let mut before = browser.clone();
    assert_eq!(browser.sign_in("bob", "Blue-Boat-22").await.status, 303);
    assert_ne!(browser.cookies["ldapgate"], before.cookies["ldapgate"]);
    assert_eq!(browser.get("/app/upload").await.body, "upload for bob");
    assert_eq!(before.get("/app/upload").await.status, 303);
}

#[tokio::test]
async fn under_https_cookies_are_bound_to_this_host_and_others_are_not_read() {
    let world =
        World::with(|wishes| wishes.web.public_url = Some("https://login.example.com".to_owned())).await;
    let mut browser = world.browser();
    let answer = browser.sign_in("alice", "Red-Apple-11").await;
    let cookie = set_cookies(&answer).next().unwrap();
    assert!(cookie.starts_with("__Host-ldapgate="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"), "{cookie}");
    assert!(browser.cookies.contains_key("__Host-ldapgate_form"));
    assert_eq!(browser.get("/app/upload").await.status, 200);
    let value = browser.cookies.remove("__Host-ldapgate").unwrap();
    browser.cookies.insert("ldapgate".to_owned(), value);
    assert_eq!(browser.get("/app/upload").await.status, 303);
}

#[tokio::test]
async fn a_session_outlives_the_browser_only_where_that_is_offered_and_asked_for() {
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let offering = World::with(|wishes| {
        wishes.web.remember_me = true;
        wishes.account.session.remember_me = Some(month);
    })
    .await;
    for (world, asks, outlives) in
        [(&offering, true, true), (&offering, false, false), (&World::new().await, true, false)]
    {
        let mut browser = world.browser();
        let page = browser.get("/login").await;
        assert_eq!(page.body.contains("name=\"remember_me\""), std::ptr::eq(world, &offering));
        let token = page.field("csrf_token").unwrap();
        let mut fields =
            vec![("username", "alice"), ("password", "Red-Apple-11"), ("csrf_token", token.as_str())];
        fields.extend(asks.then_some(("remember_me", "on")));
        let answer = browser.form("/login", &fields).await;
        assert_eq!(answer.status, 303);
        let cookie = set_cookies(&answer).next().unwrap();
        assert_eq!(cookie.contains(&format!("Max-Age={}", month.as_secs())), outlives, "{cookie}");
    }
}

#[tokio::test]
async fn a_form_of_another_kind_and_one_that_is_too_large_are_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = browser.send("POST", "/login", Some("text/plain"), "username=alice".into()).await;
    assert_eq!(answer.status, 415);
    let answer = browser.form("/login", &[("username", &"x".repeat(100_000))]).await;
    assert_eq!(answer.status, 413);
    let answer = browser.send("PUT", "/login", None, "".into()).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD,POST")));
}
