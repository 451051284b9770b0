//! The login page in Debian's Chromium: seen, heard and driven by keyboard.

use testkit::browser::Browser;

use crate::gateway::Gateway;

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";

#[tokio::test(flavor = "multi_thread")]
async fn chromium_signs_in_by_keyboard_and_lands_on_the_page_that_was_asked_for() {
    let gateway = Gateway::demo().await;
    let mut browser = Browser::open().await;
    browser.go(&format!("{}/app/upload", gateway.url)).await;
    assert!(browser.url().await.contains("/login?next="), "{}", browser.url().await);
    assert_eq!(browser.label("input[name=username]").await, "User name");
    assert_eq!(browser.label("input[name=password]").await, "Password");
    keep(&browser.screenshot().await, "login.png");

    browser.type_into("input[name=username]", "alice").await;
    browser.press(TAB).await;
    browser.press("Red-Apple-11").await;
    browser.press(ENTER).await;
    arrives(&mut browser, "/app/upload").await;
    assert!(browser.text("main").await.contains("alice"));

    browser.go(&format!("{}/", gateway.url)).await;
    assert!(browser.text("main").await.contains("alice"));
    keep(&browser.screenshot().await, "account.png");
    for width in [400, 600] {
        browser.narrow_to(width).await;
        browser.go(&format!("{}/", gateway.url)).await;
        let over = browser.ask("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(over.as_i64().is_some_and(|over| over <= 0), "at {width} the page is too wide by {over}");
        keep(&browser.screenshot().await, &format!("account-{width}.png"));
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_is_told_of_a_wrong_password_where_a_screen_reader_hears_it() {
    let gateway = Gateway::demo().await;
    let mut browser = Browser::open().await;
    browser.go(&format!("{}/login", gateway.url)).await;
    browser.type_into("input[name=username]", "alice").await;
    browser.type_into("input[name=password]", "wrong").await;
    browser.click("button[type=submit]").await;
    assert!(!browser.text("[role=alert]").await.is_empty());
    keep(&browser.screenshot().await, "wrong.png");
    let foreign = browser.ask("return performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith(location.origin))").await;
    assert_eq!(foreign, serde_json::json!([]), "nothing comes from another host");
    browser.close().await;
}

pub(crate) async fn arrives(browser: &mut Browser, path: &str) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let url = browser.url().await;
        if url.ends_with(path) && !url.contains("/login") {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "still at {url}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Pictures stay in the target folder, to be looked at.
pub(crate) fn keep(picture: &[u8], name: &str) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join(name), picture).expect("the target folder is writable");
    assert!(picture.starts_with(b"\x89PNG"));
}
