//! `[http]`: where the gateway listens and what it is called.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use tls::{ServerSettings, ServerTls};

use super::read::{Found, Section, Sheet};

/// `[http]`.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    /// Without a slash at its end; `None` where it is left open.
    pub(crate) public_url: Option<String>,
    pub(crate) trusted_proxies: Vec<web::Network>,
    pub(crate) tls: Option<ServerTls>,
    /// The listener's certificate and key files.
    pub(crate) tls_files: Option<ServerSettings>,
    pub(crate) theme_dir: Option<PathBuf>,
}

pub(super) fn read(section: Section<'_>) -> Http {
    let sheet = section.sheet();
    let standard = SocketAddr::from(([127, 0, 0, 1], 8080));
    let listen_text = section.text("listen", "127.0.0.1:8080");
    let listen = listen_text.value.parse().unwrap_or_else(|_| {
        no_address(sheet, "listen", &listen_text);
        standard
    });
    let public_url = section.text("public_url", "");
    let public = match parse_origin(&public_url.value) {
        Ok(url) => url,
        Err(problem) => {
            sheet.wrong(&public_url.place, format!("public_url: {problem}"));
            None
        }
    };
    let proxies = section.texts("trusted_proxies");
    let trusted_proxies = proxies.value.iter().filter_map(|text| match text.value.parse::<web::Network>() {
        Ok(network) => Some(network),
        Err(error) => {
            sheet.wrong(&text.place, format!("trusted_proxies: {}", super::chain(&error)));
            None
        }
    });
    let trusted_proxies = trusted_proxies.collect();
    let (tls_files, tls) = read_tls(section.section("tls")).unzip();
    let theme_dir = section.path("theme_dir");
    if let Some(folder) = theme_dir.as_ref().filter(|folder| !folder.value.is_dir()) {
        sheet.wrong(&folder.place, format!("theme_dir: {} is no directory", folder.value.display()));
    }
    section.finish();
    if tls.is_none() && !listen.ip().to_canonical().is_loopback() {
        sheet.warn(&listen_text.place, "plain http on an address that others can reach: passwords travel readable unless a proxy in front encrypts");
    }
    let readable = |url: &&str| url.strip_prefix("http://").is_some_and(|rest| !is_loopback(host_of(rest)));
    if let Some(url) = public.as_deref().filter(readable) {
        sheet.warn(
            &public_url.place,
            &format!("people would type their passwords into {url}, which is not encrypted"),
        );
    }
    Http {
        listen,
        public_url: public,
        trusted_proxies,
        tls,
        tls_files,
        theme_dir: theme_dir.map(|folder| folder.value),
    }
}

fn read_tls(section: Section<'_>) -> Option<(ServerSettings, ServerTls)> {
    let sheet = section.sheet();
    let cert = section.path("cert");
    let key = section.path("key");
    section.finish();
    let (cert, key) = match (cert, key) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return None,
        (Some(cert), None) => {
            sheet.wrong(&cert.place, "http.tls: cert needs key");
            return None;
        }
        (None, Some(key)) => {
            sheet.wrong(&key.place, "http.tls: key needs cert");
            return None;
        }
    };
    let files = ServerSettings { cert: cert.value, key: key.value };
    match files.load() {
        Ok(tls) => Some((files, tls)),
        Err(error) => {
            sheet.wrong(&cert.place, super::chain(&error));
            None
        }
    }
}

/// Notes that a text is no address and port.
pub(super) fn no_address(sheet: &Sheet<'_>, key: &str, text: &Found<String>) {
    let message = format!("{key} cannot be {:?}: it is an address and a port", text.value);
    let suggestion = match text.value.rsplit_once(':') {
        Some(("localhost", port)) => format!("write \"127.0.0.1:{port}\""),
        Some(("" | "*", port)) => {
            format!("write \"0.0.0.0:{port}\" or \"[::]:{port}\" for every address of this machine")
        }
        _ => "write it as in \"127.0.0.1:8080\" or \"[::1]:8080\"".to_owned(),
    };
    sheet.wrong_but(&text.place, message, suggestion);
}

/// `https://HOST[:PORT]`, nothing behind it but a slash.
fn parse_origin(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |why: &str| Err(format!("{text:?} {why}: write it as in \"https://login.example.com\""));
    let Some((scheme, rest)) = text.split_once("://") else { return wrong("is no URL") };
    if !matches!(scheme, "http" | "https") {
        return wrong("is neither http nor https");
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@', '\\']) {
        return wrong("has more than a host and a port");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let host_is_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host_name(host),
    };
    if !host_is_good || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return wrong("has no proper host or port");
    }
    Ok(Some(format!("{scheme}://{}", authority.to_ascii_lowercase())))
}

/// The host in `HOST` or `HOST:PORT`, an IPv6 address without its brackets.
fn host_of(authority: &str) -> &str {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Whether a host is this machine: a loopback address, `localhost` or a name below it (RFC 6761 section 6.3), or none at all.
pub(super) fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = host.to_ascii_lowercase();
    name.is_empty() || name == "localhost" || name.ends_with(".localhost")
}

/// A DNS name: labels of letters, digits and hyphens.
pub(super) fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A DNS name or an address.
pub(super) fn is_host(text: &str) -> bool {
    is_host_name(text) || text.parse::<IpAddr>().is_ok()
}
