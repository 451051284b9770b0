//! `health`: asks a running gateway whether it is ready, without any tool a small container lacks.
#![allow(
    clippy::disallowed_methods,
    reason = "the question is whether our own listener answers, below a deadline"
)]

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Context;
use crate::arguments::Health;
use crate::exit::Exit;
use crate::output;

/// DNS, TCP, TLS and the answer together.
const DEADLINE: Duration = Duration::from_secs(5);
/// More than any readiness document.
const LONGEST: u64 = 64 * 1024;

/// Prints the readiness document; 0 when ready, 1 when not, 3 when nobody answers.
pub(crate) async fn run(context: &Context, health: Health) -> Exit {
    let url = match health.url {
        Some(url) => url,
        None => match context.config() {
            Ok(config) => {
                let scheme = if config.tls_listener() { "https" } else { "http" };
                format!("{scheme}://{}", reachable(config.listen()))
            }
            Err(_) => return Exit::USAGE,
        },
    };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        output::note(&format!("ldapgate: {url:?} is no http or https URL"));
        return Exit::USAGE;
    }
    let asked = tokio::time::timeout(DEADLINE, ask(&url))
        .await
        .unwrap_or_else(|_| Err(anyhow!("no answer within {DEADLINE:?}")));
    let (status, document) = match asked.with_context(|| format!("cannot ask {url}")) {
        Ok(answer) => answer,
        Err(error) => {
            if health.json {
                let causes: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
                output::document(&json!({ "ready": false, "message": error.to_string(), "causes": causes }));
            }
            output::complain(&error);
            return Exit::FAULT;
        }
    };
    if health.json {
        output::document(&document);
    } else {
        output::line(if status == 200 { "ready" } else { "not ready" });
        for (name, state) in document["directory"].as_object().into_iter().flatten() {
            output::line(&format!("  directory {name}: {}", state.as_str().unwrap_or_default()));
        }
        output::line(&format!("  store: {}", document["store"].as_str().unwrap_or_default()));
    }
    if status == 200 { Exit::DONE } else { Exit::REFUSED }
}

/// An address that listens everywhere is asked on loopback.
fn reachable(address: std::net::SocketAddr) -> std::net::SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        let loopback: std::net::IpAddr = if address.is_ipv6() {
            std::net::Ipv6Addr::LOCALHOST.into()
        } else {
            std::net::Ipv4Addr::LOCALHOST.into()
        };
        address.set_ip(loopback);
    }
    address
}

async fn ask(url: &str) -> anyhow::Result<(u16, Value)> {
    let (secure, rest) = match url.split_once("://") {
        Some(("http", rest)) => (false, rest),
        Some(("https", rest)) => (true, rest),
        _ => bail!("{url:?} is no http or https URL"),
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
    let address = if authority.ends_with(']') || !authority.contains(':') {
        format!("{authority}:{}", if secure { 443 } else { 80 })
    } else {
        authority.to_owned()
    };
    let stream = TcpStream::connect(&address).await?;
    if !secure {
        return exchange(stream, authority).await;
    }
    // The question is whether our own process answers; the certificate is for its visitors' name, not for loopback.
    let settings =
        tls::ClientSettings { danger_accept_invalid_certificates: true, ..tls::ClientSettings::default() };
    exchange(settings.load()?.connect(host, stream).await?, authority).await
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    authority: &str,
) -> anyhow::Result<(u16, Value)> {
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut reply = Vec::new();
    // A TLS peer may close without a goodbye; what arrived is judged.
    let _ = stream.take(LONGEST).read_to_end(&mut reply).await;
    let text = String::from_utf8_lossy(&reply);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| anyhow!("the answer is no HTTP"))?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| anyhow!("the answer is no HTTP"))?;
    let start = body.find('{').unwrap_or(0);
    let end = body.rfind('}').map_or(body.len(), |end| end + 1);
    let document =
        serde_json::from_str(body.get(start..end).unwrap_or_default()).unwrap_or_else(|_| json!({}));
    Ok((status, document))
}
