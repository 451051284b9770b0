//! `GET` and `POST /password`, and the way there from the login page.

use std::sync::Arc;

use account::Naming;
use auth::PasswordChange;
use directory::{Fault, Kind};
use testkit::http::Answer;

use crate::visitor::{Visitor, set_cookies};
use crate::world::World;

const GENERAL: &str = "The user name or password is not right.";
const OLD: &str = "Red-Apple-11";
const NEW: &str = "Rosy-Apple-12";

/// Fills the form in that is at `page`; what is not said there stays as the page has it.
async fn change(browser: &mut Visitor, page: &str, username: &str, old: &str, new: &str) -> Answer {
    let page = browser.get(page).await;
    let field = |name: &str| page.field(name).unwrap_or_default();
    let (token, next, due) = (field("csrf_token"), field("next"), field("due"));
    let username = if username.is_empty() { field("username") } else { username.to_owned() };
    let fields = [
        ("username", username.as_str()),
        ("old_password", old),
        ("new_password", new),
        ("new_password_again", new),
        ("csrf_token", &token),
        ("next", &next),
        ("due", &due),
    ];
    browser.form("/password", &fields).await
}

fn location(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header("location"))
}

#[tokio::test]
async fn somebody_who_is_signed_in_changes_the_password_and_other_sessions_end() {
    let world = World::new().await;
    let mut elsewhere = world.signed_in("alice", OLD).await;
    let mut browser = world.signed_in("alice", OLD).await;
    assert!(browser.get("/").await.body.contains("<a href=\"/password\">"));
    let before = browser.cookies.clone();
    let answer = change(&mut browser, "/password?next=/app/upload", "", OLD, NEW).await;
    assert_eq!(location(&answer), (303, Some("/app/upload")));
    assert_ne!(browser.cookies["ldapgate"], before["ldapgate"], "the session has a new name");
    assert_eq!(browser.get("/app/upload").await.body, "upload for alice");
    assert_eq!(elsewhere.get("/app/upload").await.status, 303, "the old password opened it");
    assert_eq!(world.browser().sign_in("alice", OLD).await.status, 401);
    assert_eq!(world.browser().sign_in("alice", NEW).await.status, 303);
}

/// Whoever types the directory's own name is nobody here.
struct Prefixed;

impl Naming for Prefixed {
    fn asked_for(&self, typed: &str) -> String {
        typed.strip_prefix("corp-").map_or_else(|| format!("no {typed}"), str::to_owned)
    }

    fn local_name(&self, _directory: &str, username: &str, _configured: &str) -> String {
        format!("corp-{username}")
    }
}

#[tokio::test]
async fn the_form_has_the_name_that_the_application_gave() {
    let world = World::new().await;
    world.accounts.set_naming(Arc::new(Prefixed));
    let mut browser = world.signed_in("corp-alice", OLD).await;
    assert_eq!(browser.get("/password").await.field("username").as_deref(), Some("corp-alice"));
    let answer = change(&mut browser, "/password?next=/app/upload", "", OLD, NEW).await;
    assert_eq!(location(&answer), (303, Some("/app/upload")));
}

#[tokio::test]
async fn who_must_change_is_led_there_from_the_login_page_and_comes_in() {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = browser.sign_in_at("/login?next=/app/upload%3Fa%3Db%26c", "max", "Must-Mango-15").await;
    let there = "/password?username=max&due=password_must_change&next=/app/upload%3Fa%3Db%26c";
    assert_eq!(location(&answer), (303, Some(there)));
    assert!(set_cookies(&answer).all(|cookie| !cookie.starts_with("ldapgate=")), "nobody is in yet");
    let page = browser.get(there).await;
    assert!(page.body.contains("has to be changed before you can go on"), "{}", page.body);
    assert_eq!(page.field("username").as_deref(), Some("max"));
    let again = change(&mut browser, there, "", "Must-Mango-15", "short").await;
    assert!(again.body.contains("has to be changed before you can go on"), "still so: {}", again.body);
    assert_eq!(again.field("due").as_deref(), Some("password_must_change"));
    let answer = change(&mut browser, there, "", "Must-Mango-15", "New-Nectarine-16").await;
    assert_eq!(location(&answer), (303, Some("/app/upload?a=b&c")));
    assert_eq!(browser.get("/app/upload").await.body, "upload for max");
}

#[tokio::test]
async fn of_an_expired_password_the_page_says_that_it_expired() {
    let world = World::of_old_passwords(PasswordChange::Service).await;
    let mut browser = world.browser();
    let answer = browser.sign_in("late", "Late-Lemon-43").await;
    assert_eq!(location(&answer), (303, Some("/password?username=late&due=password_expired")));
    let page = browser.get(answer.header("location").unwrap()).await.body;
    assert!(page.contains("Your password has expired."), "{page}");
    let made_up = browser.get("/password?username=late&due=%3Cb%3E").await.body;
    assert!(!made_up.contains("class=\"notice") && !made_up.contains("name=\"due\""), "{made_up}");
}

#[tokio::test]
async fn where_a_change_cannot_help_there_is_no_form_for_it() {
    let world = World::of_old_passwords(PasswordChange::Person).await;
    let mut browser = world.browser();
    let led = browser.sign_in("late", "Late-Lemon-43").await;
    assert_eq!(location(&led), (303, Some("/password?username=late&due=elsewhere")));
    let page = browser.get(led.header("location").unwrap()).await.body;
    assert!(
        page.contains("cannot be done here") && page.contains("where your organisation lets you"),
        "{page}"
    );
    assert!(!page.contains("<form"), "{page}");
    let answer = change(&mut world.browser(), "/password", "late", "Late-Lemon-43", NEW).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("where your organisation lets you"), "{}", answer.body);
    assert!(!answer.body.contains("<form") && answer.body.contains("href=\"/login\""), "{}", answer.body);
}

#[tokio::test]
async fn what_is_not_set_up_is_no_outage() {
    let world = World::of_old_passwords(PasswordChange::Service).await;
    // Nobody in particular reads this directory, and so nobody in particular may set passwords.
    let answer = change(&mut world.browser(), "/password", "late", "Late-Lemon-43", NEW).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("not set up to do this") && !answer.body.contains("does not answer"));
}

#[tokio::test]
async fn a_change_is_confirmed_once_on_the_page_that_follows() {
    const SAID: &str = "Your password was changed.";
    let world = World::new().await;
    let mut browser = world.signed_in("alice", OLD).await;
    assert!(browser.get("/password").await.body.contains("<a href=\"/\">Back to your account</a>"));
    assert!(!world.browser().get("/password").await.body.contains("Back to your account"));
    let answer = change(&mut browser, "/password", "", OLD, NEW).await;
    assert_eq!(location(&answer), (303, Some("/")));
    let (first, second) = (browser.get("/").await, browser.get("/").await);
    assert!(first.body.contains(SAID), "{}", first.body);
    assert!(!second.body.contains(SAID), "{}", second.body);
    assert_eq!(browser.press("/", "/sessions/end-others", &[]).await.status, 303, "forms go on working");

    let answer = change(&mut browser, "/password?next=/app/upload", "", NEW, OLD).await;
    assert_eq!(location(&answer), (303, Some("/app/upload")));
    assert!(!browser.get("/").await.body.contains(SAID), "an application's page came between");
    change(&mut browser, "/password", "", OLD, NEW).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    assert!(!browser.get("/").await.body.contains(SAID), "that is no news any more");
}

#[tokio::test]
async fn nobody_is_led_there_where_the_account_s_state_is_not_told() {
    let world = World::with(|wishes| wishes.account.login.show_account_state = false).await;
    let answer = world.browser().sign_in("max", "Must-Mango-15").await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains(GENERAL), "{}", answer.body);
}

#[tokio::test]
async fn where_passwords_are_not_changed_there_is_no_page_and_no_link() {
    let world = World::with(|wishes| wishes.change = PasswordChange::Off).await;
    let mut browser = world.signed_in("alice", OLD).await;
    assert_eq!(browser.get("/password").await.status, 404);
    let token = browser.get("/login").await.field("csrf_token").unwrap();
    let fields =
        [("username", "alice"), ("old_password", OLD), ("new_password", NEW), ("csrf_token", &token)];
    assert_eq!(browser.form("/password", &fields).await.status, 404);
    assert!(!browser.get("/").await.body.contains("/password"));
    let answer = world.browser().sign_in("max", "Must-Mango-15").await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("Change your password where your organisation lets you"), "{}", answer.body);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer_and_count() {
    let world = World::new().await;
    let mut lengths = Vec::new();
    for username in ["alice", "abcde"] {
        for _ in 0..4 {
            let answer = change(&mut world.browser(), "/password", username, "not it", NEW).await;
            assert_eq!(answer.status, 401);
            assert!(answer.body.contains(GENERAL), "{}", answer.body);
            lengths.push(answer.body.len());
        }
        let answer = change(&mut world.browser(), "/password", username, OLD, NEW).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after"), Some("1800"));
        assert!(answer.body.contains("Please try again in about 30 minutes."), "{}", answer.body);
    }
    assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{lengths:?}");
    assert_eq!(world.browser().sign_in("alice", OLD).await.status, 429, "one counter for both");
}

#[tokio::test]
async fn a_new_password_that_is_not_taken_is_told_at_its_field_and_nothing_typed_comes_back() {
    let world = World::new().await;
    for (new, text) in
        [("short", "The new password is too short."), (OLD, "The new password is the old one.")]
    {
        let answer = change(&mut world.browser(), "/password", "alice", OLD, new).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(&format!("id=\"new-error\" role=\"alert\">{text}")), "{}", answer.body);
        assert!(answer.body.contains("aria-invalid=\"true\" aria-describedby=\"new-error\""));
        assert!(!answer.body.contains(OLD) && !answer.body.contains("value=\"short\""));
        assert_eq!(answer.field("username").as_deref(), Some("alice"));
    }
    assert_eq!(world.browser().sign_in("alice", OLD).await.status, 303);
}

#[tokio::test]
async fn an_empty_field_and_a_slip_are_told_at_the_field_without_asking_anybody() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (username, old, new, again, status, id) in [
        (" ", OLD, NEW, NEW, 401, "username-error"),
        ("alice", "", NEW, NEW, 401, "old-error"),
        ("alice", OLD, "", "", 401, "new-error"),
        ("alice", OLD, NEW, "Rosy-Aple-12", 422, "again-error"),
    ] {
        let token = browser.get("/password").await.field("csrf_token").unwrap();
        let fields = [
            ("username", username),
            ("old_password", old),
            ("new_password", new),
            ("new_password_again", again),
            ("csrf_token", &token),
        ];
        let answer = browser.form("/password", &fields).await;
        assert_eq!(answer.status, status, "{id}");
        assert!(answer.body.contains(&format!("id=\"{id}\" role=\"alert\"")), "{}", answer.body);
        assert!(answer.body.contains("<title>Error: Change your password</title>"));
    }
    assert_eq!(world.operations(), 0);
}

#[tokio::test]
async fn a_program_need_not_say_the_new_one_twice() {
    let world = World::new().await;
    let mut browser = world.browser();
    let token = browser.get("/password").await.field("csrf_token").unwrap();
    let fields =
        [("username", "alice"), ("old_password", OLD), ("new_password", NEW), ("csrf_token", &token)];
    assert_eq!(location(&browser.form("/password", &fields).await), (303, Some("/")));
}

#[tokio::test]
async fn a_form_without_a_good_token_changes_nothing_and_is_given_again() {
    let world = World::new().await;
    let mut browser = world.signed_in("alice", OLD).await;
    let operations = world.operations();
    let fields =
        [("username", "alice"), ("old_password", OLD), ("new_password", NEW), ("next", "/app/upload")];
    let answer = browser.form("/password", &fields).await;
    assert_eq!(answer.status, 403);
    assert_eq!(world.operations(), operations);
    let token = answer.field("csrf_token").unwrap();
    let again = browser.form("/password", &[&fields[..], &[("csrf_token", &token)]].concat()).await;
    assert_eq!(location(&again), (303, Some("/app/upload")));
    let mut stranger = world.browser().with("sec-fetch-site", "cross-site");
    assert_eq!(change(&mut stranger, "/password", "bob", "Blue-Boat-22", NEW).await.status, 403);
}

#[tokio::test]
async fn a_change_leads_nowhere_else() {
    let world = World::new().await;
    for evil in ["//evil.example", "https://evil.example/", "/password", "/login"] {
        let page = format!("/password?next={}", testkit::http::encode(evil));
        let answer = change(&mut world.browser(), &page, "alice", "not it", NEW).await;
        assert_eq!(answer.field("next").as_deref(), Some(""), "{evil}");
        world.clock.advance(std::time::Duration::from_secs(31 * 60));
    }
}

#[tokio::test]
async fn an_outage_says_whether_the_password_may_have_changed() {
    let mut world = World::new().await;
    world.directory.faults().next(Kind::Extended, 1, Fault::Close);
    let answer = change(&mut world.browser(), "/password", "alice", OLD, NEW).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("try to sign in with the new one first"), "{}", answer.body);
    world.directory_goes_away().await;
    let answer = change(&mut world.browser(), "/password", "alice", OLD, NEW).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("Your password was not refused"), "{}", answer.body);
}

#[tokio::test]
async fn a_disabled_person_is_told_so_and_stays_out() {
    let world = World::new().await;
    let answer = change(&mut world.browser(), "/password", "diana", "Dead-Dodo-13", NEW).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("This account is disabled."), "{}", answer.body);
    assert_eq!(world.directory.counters().extended, 0);
}
