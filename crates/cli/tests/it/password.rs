//! Another password through the gateway: who must change it, who has to and cannot, and in a browser by keyboard alone.

use testkit::browser::Browser;
use testkit::http::{Answer, Visitor};
use testkit::world::{Peer, World};

use crate::against_both;
use crate::browser::{arrives, keep};
use crate::gateway::{Gateway, USUAL, configure};

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";

against_both!(
    who_must_change_signs_in_by_changing,
    a_change_ends_the_other_sessions,
    a_locked_account_changes_nothing,
);

pub(crate) async fn sign_in(visitor: &mut Visitor, username: &str, password: &str, next: &str) -> Answer {
    let token = visitor.get("/login").await.field("csrf_token").expect("the form has a token");
    let fields =
        [("username", username), ("password", password), ("csrf_token", token.as_str()), ("next", next)];
    visitor.form("/login", &fields).await
}

pub(crate) async fn change(
    visitor: &mut Visitor,
    page: &str,
    username: &str,
    old: &str,
    new: &str,
) -> Answer {
    let page = visitor.get(page).await;
    let token = page.field("csrf_token").expect("the form has a token");
    let next = page.field("next").expect("the form says where to");
    let fields = [
        ("username", username),
        ("old_password", old),
        ("new_password", new),
        ("new_password_again", new),
        ("csrf_token", &token),
        ("next", &next),
    ];
    visitor.form("/password", &fields).await
}

async fn who_must_change_signs_in_by_changing(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let mut person = gateway.browser();
    let led = sign_in(&mut person, "mustchange", "Must-Mango-15", "/").await;
    let there = led.header("location").unwrap_or_default().to_owned();
    let expected = "/password?username=mustchange&due=password_must_change";
    assert_eq!((led.status, there.as_str()), (303, expected), "{}", led.body);
    let refused = change(&mut person, &there, "mustchange", "Must-Mango-14", "New-Nectarine-16").await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    let changed = change(&mut person, &there, "mustchange", "Must-Mango-15", "New-Nectarine-16").await;
    assert_eq!((changed.status, changed.header("location")), (303, Some("/")), "{}", changed.body);
    assert_eq!(person.get("/api/me").await.json()["username"], "mustchange");
    assert_eq!(gateway.api_login("mustchange", "Must-Mango-15").await.status, 401);
    assert_eq!(gateway.api_login("mustchange", "New-Nectarine-16").await.status, 200);
}

async fn a_change_ends_the_other_sessions(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let (mut here, mut elsewhere) = (gateway.browser(), gateway.browser());
    for visitor in [&mut here, &mut elsewhere] {
        assert_eq!(sign_in(visitor, "alice", "Red-Apple-11", "/").await.status, 303);
    }
    let changed = change(&mut here, "/password", "alice", "Red-Apple-11", "Rosy-Apple-12").await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    assert_eq!(here.get("/api/me").await.status, 200);
    assert_eq!(elsewhere.get("/").await.status, 303, "the old password opened it");
}

async fn a_locked_account_changes_nothing(peer: Peer) {
    let world = World::start(peer).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let mut person = gateway.browser();
    let refused = change(&mut person, "/password", "locked", "Lock-Ledger-12", "New-Nectarine-16").await;
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("The user name or password is not right."), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_s_objection_is_read_at_the_field() {
    let world = World::start(Peer::OpenLdap).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let page = "/password?username=mustchange";
    let refused = change(&mut gateway.browser(), page, "mustchange", "Must-Mango-15", "short").await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("id=\"new-error\" role=\"alert\">The new password is too short."),
        "{}",
        refused.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_lets_nobody_in_whose_password_has_expired_for_good_and_the_page_says_where_to_turn() {
    let world = World::start(Peer::OpenLdap).await;
    let gateway = Gateway::start(&configure(&world, USUAL)).await;
    let mut browser = gateway.browser();
    let led = sign_in(&mut browser, "expired", "Old-Otter-13", "/").await;
    let there = led.header("location").map(str::to_owned);
    assert_eq!((led.status, there.as_deref()), (303, Some("/password?username=expired&due=elsewhere")));
    let page = browser.get(there.as_deref().unwrap_or_default()).await.body;
    assert!(page.contains("that cannot be done here") && !page.contains("new_password"), "{page}");
    let refused =
        change(&mut gateway.browser(), "/password", "expired", "Old-Otter-13", "New-Nectarine-16").await;
    assert_eq!(refused.status, 401);
    assert!(
        refused.body.contains("Change your password where your organisation lets you"),
        "{}",
        refused.body
    );
    let helped = sign_in(&mut gateway.browser(), "grace", "Gray-Goose-14", "/").await;
    assert_eq!(helped.status, 303, "three logins are left");
    let changed =
        change(&mut gateway.browser(), "/password", "grace", "Gray-Goose-14", "New-Nectarine-16").await;
    assert_eq!(changed.status, 303, "{}", changed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_changes_a_password_by_keyboard_on_the_way_in() {
    let gateway = Gateway::demo().await;
    let mut browser = Browser::open().await;
    browser.go(&format!("{}/app/upload", gateway.url)).await;
    browser.type_into("input[name=username]", "max").await;
    for keys in [TAB, "Must-Mango-15", ENTER] {
        browser.press(keys).await;
    }
    for (field, label) in [
        ("username", "User name"),
        ("old_password", "Present password"),
        ("new_password", "New password"),
        ("new_password_again", "New password, once more"),
    ] {
        assert_eq!(browser.label(&format!("input[name={field}]")).await, label);
    }
    assert!(browser.url().await.contains("/password?username=max"), "{}", browser.url().await);
    keep(&browser.screenshot().await, "password.png");

    // The present password has the focus already.
    for keys in ["Must-Mango-15", TAB, "New-Nectarine-16", TAB, "New-Nectarine-61", ENTER] {
        browser.press(keys).await;
    }
    assert!(browser.text("#again-error").await.contains("not the same"));
    assert!(browser.title().await.starts_with("Error: "));
    keep(&browser.screenshot().await, "password-error.png");
    for keys in ["Must-Mango-15", TAB, "New-Nectarine-16", TAB, "New-Nectarine-16", ENTER] {
        browser.press(keys).await;
    }
    arrives(&mut browser, "/app/upload").await;
    assert!(browser.text("main").await.contains("max"));
    browser.close().await;
}
