//! A small HTTP/1.1 client that keeps cookies and follows nothing by itself, so that a test sees every answer.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A visitor: one jar of cookies, one server.
#[derive(Clone, Debug)]
pub struct Visitor {
    authority: String,
    /// The cookies kept so far, by name.
    pub cookies: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The first header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }

    /// The value of the hidden or visible form field `name` in an HTML body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let marker = format!("name=\"{name}\"");
        let tag = self.body.split('<').find(|tag| tag.contains(&marker))?;
        let value = tag.split("value=\"").nth(1)?.split('"').next()?;
        Some(
            value
                .replace("&#x2f;", "/")
                .replace("&#x27;", "'")
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&"),
        )
    }
}

impl Visitor {
    /// A visitor of the server at `url` (`http://HOST:PORT`, a path is ignored).
    #[must_use]
    pub fn of(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap_or(url);
        let authority = rest.split('/').next().unwrap_or(rest).to_owned();
        Self { authority, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// The same visitor sending one more header from now on.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A visitor that says what a browser says when a person types an address.
    #[must_use]
    pub fn browser(url: &str) -> Self {
        Self::of(url).with("accept", "text/html,application/xhtml+xml")
    }

    /// A program with the same cookies, at another door.
    #[must_use]
    pub fn at(&self, url: &str) -> Self {
        Self { cookies: self.cookies.clone(), ..Self::of(url) }
    }

    /// `GET path`.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None, b"").await
    }

    /// `POST path` with a form.
    pub async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect::<Vec<_>>()
            .join("&");
        self.send("POST", path, Some("application/x-www-form-urlencoded"), body.as_bytes()).await
    }

    /// `POST path` with JSON.
    pub async fn json(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        self.send("POST", path, Some("application/json"), body.to_string().as_bytes()).await
    }

    /// Any request.
    ///
    /// # Panics
    /// When the server cannot be reached or does not speak HTTP.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Answer {
        let answer = self.attempt(method, path, content_type, body).await;
        answer.unwrap_or_else(|error| panic!("{method} {path} at {}: {error}", self.authority))
    }

    /// Any request, of a server that may go away meanwhile.
    ///
    /// # Errors
    /// When it cannot be reached or there is no whole answer; what was asked for may have been done or not.
    pub async fn attempt(
        &mut self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.authority);
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.cookies.is_empty() {
            let jar = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join("; ");
            request.push_str(&format!("cookie: {jar}\r\n"));
        }
        if let Some(content_type) = content_type {
            request.push_str(&format!("content-type: {content_type}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let exchange = async {
            let mut stream = TcpStream::connect(&self.authority).await?;
            stream.write_all(&[request.as_bytes(), body].concat()).await?;
            receive(&mut stream).await
        };
        let answer = parse(&tokio::time::timeout(PATIENCE, exchange).await??)?;
        self.keep(&answer);
        Ok(answer)
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name.trim());
            } else {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

/// One answer's bytes: up to the end of its body where the head tells its length, else to the end of the stream.
async fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut reply = Vec::new();
    while whole(&reply).is_none_or(|length| reply.len() < length) {
        if stream.read_buf(&mut reply).await? == 0 {
            break;
        }
    }
    Ok(reply)
}

/// The length of head and body together, once the head is there and says it.
fn whole(reply: &[u8]) -> Option<usize> {
    let head = reply.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&reply[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some(head + 4 + length.trim().parse::<usize>().ok()?)
}

fn parse(reply: &[u8]) -> io::Result<Answer> {
    let split = reply
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(|| io::Error::other(format!("not an HTTP answer: {}", String::from_utf8_lossy(reply))))?;
    let head = String::from_utf8_lossy(&reply[..split]).into_owned();
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).unwrap_or(0);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let raw = &reply[split + 4..];
    let chunked =
        headers.iter().any(|(name, value)| name == "transfer-encoding" && value.contains("chunked"));
    let body = if chunked { unchunk(raw) } else { raw.to_vec() };
    Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

fn unchunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size =
            std::str::from_utf8(&raw[..end]).ok().and_then(|hex| usize::from_str_radix(hex.trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && end + 2 + size <= raw.len()) else { break };
        body.extend_from_slice(&raw[end + 2..end + 2 + size]);
        raw = raw.get(end + 2 + size + 2..).unwrap_or_default();
    }
    body
}

/// Percent-encodes for a form or a query.
#[must_use]
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The value of an `Authorization` header for Basic.
#[must_use]
pub fn basic(username: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}")))
}
