//! Debian's Chromium, headless, driven over its driver's own HTTP interface (W3C WebDriver).
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http::{Answer, Visitor};
use crate::process::{self, Server};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser window.
pub struct Browser {
    driver: Visitor,
    session: String,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Browser {
    /// Starts a driver and opens a window.
    ///
    /// # Panics
    /// When Chromium or its driver is missing (Debian's `chromium` and `chromium-driver`), or does not start in 30 seconds.
    pub async fn open() -> Self {
        let _ = process::find("chromium", "chromium");
        let folder =
            tempfile::Builder::new().prefix("browser").tempdir().expect("a temporary folder can be made");
        let port = process::free_port();
        let log = folder.path().join("driver.log");
        let server = Server::start("chromedriver", "chromium-driver", &[format!("--port={port}")], &log);
        let deadline = Instant::now() + Duration::from_secs(30);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            assert!(Instant::now() < deadline, "chromedriver does not answer; its log:\n{said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut driver = Visitor::of(&format!("http://127.0.0.1:{port}"));
        let profile = folder.path().join("profile");
        let wanted = json!({"capabilities": {"alwaysMatch": {"browserName": "chrome", "timeouts": {"implicit": 10_000}, "goog:chromeOptions": {
            "binary": "/usr/bin/chromium",
            "args": ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", "--window-size=1000,800",
                     format!("--user-data-dir={}", profile.display())],
        }}}});
        let answer = driver.json("/session", &wanted).await;
        let session = value(&answer)["sessionId"].as_str().expect("the driver names the session").to_owned();
        Self { driver, session, _server: server, _folder: folder }
    }

    /// Shows pages as in a window of this width, in CSS pixels; a real one cannot be as narrow as a telephone.
    pub async fn narrow_to(&mut self, width: u32) {
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        let _ = self.post("/goog/cdp/execute", &command).await;
    }

    /// Goes to an address and waits until it is loaded.
    pub async fn go(&mut self, url: &str) {
        let _ = self.post("/url", &json!({ "url": url })).await;
    }

    /// The address the window shows.
    pub async fn url(&mut self) -> String {
        self.read("/url").await.as_str().unwrap_or_default().to_owned()
    }

    /// The page's title.
    pub async fn title(&mut self) -> String {
        self.read("/title").await.as_str().unwrap_or_default().to_owned()
    }

    /// Types into the element that `selector` (CSS) finds first; what was there is cleared.
    pub async fn type_into(&mut self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        let _ = self.post(&format!("/element/{element}/clear"), &json!({})).await;
        let _ = self.post(&format!("/element/{element}/value"), &json!({ "text": text })).await;
    }

    /// Sends keys to whatever has the focus; `\u{E004}` is Tab, `\u{E007}` is Enter.
    pub async fn press(&mut self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
            })
            .collect();
        let _ = self
            .post("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}))
            .await;
    }

    /// Clicks the element that `selector` finds first.
    pub async fn click(&mut self, selector: &str) {
        let element = self.find(selector).await;
        let _ = self.post(&format!("/element/{element}/click"), &json!({})).await;
    }

    /// The visible text of the element that `selector` finds first.
    pub async fn text(&mut self, selector: &str) -> String {
        self.of(selector, "text").await
    }

    /// What a script returns; for looking, never for doing what a person could not.
    pub async fn ask(&mut self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// The accessible name a screen reader would say for the element.
    pub async fn label(&mut self, selector: &str) -> String {
        self.of(selector, "computedlabel").await
    }

    /// A picture of the window, PNG.
    ///
    /// # Panics
    /// When the driver sends none.
    pub async fn screenshot(&mut self) -> Vec<u8> {
        use base64::Engine as _;
        let picture = self.read("/screenshot").await;
        base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().expect("a screenshot is text"))
            .expect("a screenshot is base64")
    }

    /// Closes the window.
    pub async fn close(mut self) {
        let path = format!("/session/{}", self.session);
        let _ = self.driver.send("DELETE", &path, None, b"").await;
    }

    /// What the driver tells of the element that `selector` finds first. A page that arrives between the two questions takes the
    /// element away: then its own is asked.
    async fn of(&mut self, selector: &str, what: &str) -> String {
        for _ in 0..20 {
            let element = self.find(selector).await;
            let path = format!("/session/{}/element/{element}/{what}", self.session);
            let answer = self.driver.get(&path).await;
            if answer.json()["value"]["error"] != "stale element reference" {
                return value(&answer).as_str().unwrap_or_default().to_owned();
            }
        }
        panic!("{selector} goes away again and again");
    }

    async fn find(&mut self, selector: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector})).await;
        found[ELEMENT]
            .as_str()
            .unwrap_or_else(|| panic!("nothing on the page matches {selector}: {found}"))
            .to_owned()
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        value(&self.driver.json(&path, body).await)
    }

    async fn read(&mut self, path: &str) -> Value {
        let path = format!("/session/{}{path}", self.session);
        value(&self.driver.get(&path).await)
    }
}

fn value(answer: &Answer) -> Value {
    let value = answer.json()["value"].clone();
    assert!(answer.status == 200, "the driver refuses: {value}");
    value
}
