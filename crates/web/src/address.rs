//! Who is asking: the visitor's address and scheme, by the word of proxies that are trusted and of nobody else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::http::{Extensions, HeaderMap, header};

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
///
/// ```
/// use ldapgate_web::Network;
/// let network: Network = "10.1.0.0/16".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!(!network.contains("10.2.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address or a network such as 10.0.0.0/8")]
pub struct NetworkError(String);

impl Network {
    /// Whether `address` lies in it. IPv4 written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                masked_4(base, self.prefix) == masked_4(address, self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                masked_6(base, self.prefix) == masked_6(address, self.prefix)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let base = address.trim().parse::<IpAddr>().map_err(|_| wrong())?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest {
            return Err(wrong());
        }
        Ok(Self { base, prefix })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// The other end of the connection, as [`crate::serve()`] saw it; a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its address and port.
    pub address: SocketAddr,
    /// The connection is encrypted by this process.
    pub tls: bool,
}

impl Peer {
    /// The peer of a request, also where another server than [`crate::serve()`] accepted it.
    pub(crate) fn of(extensions: &Extensions) -> Option<Self> {
        let connect_info = || extensions.get::<axum::extract::ConnectInfo<SocketAddr>>();
        extensions
            .get::<Self>()
            .copied()
            .or_else(|| connect_info().map(|info| Self { address: info.0, tls: false }))
    }
}

/// Where a request comes from, proxies passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Source {
    /// The visitor's address. `None` where no server told the peer's.
    pub(crate) address: Option<IpAddr>,
    /// The peer is a trusted proxy.
    pub(crate) proxied: bool,
    /// The visitor's own connection is encrypted, as far as this request tells.
    pub(crate) https: bool,
}

impl Source {
    pub(crate) fn of(peer: Option<Peer>, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let Some(peer) = peer else { return Self::default() };
        let address = peer.address.ip().to_canonical();
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(address) {
            return Self { address: Some(address), proxied: false, https: peer.tls };
        }
        Self {
            address: Some(visitor(address, headers, is_trusted)),
            proxied: true,
            https: peer.tls || says_https(headers),
        }
    }
}

/// The nearest address that is not a proxy's. A proxy writes one of the two headers and lets the other through as the visitor sent
/// it, so when both are there and disagree neither is believed: the attempt counts on the proxy, and buys nobody a fresh address.
fn visitor(proxy: IpAddr, headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let x_forwarded = chain(headers, "x-forwarded-for", |item| Some(item));
    let forwarded = chain(headers, "forwarded", |item| parameter(item, "for"));
    let judge = |chain: &[Option<IpAddr>]| nearest(proxy, chain, &is_trusted);
    match (x_forwarded.is_empty(), forwarded.is_empty()) {
        (true, true) => proxy,
        (false, true) => judge(&x_forwarded),
        (true, false) => judge(&forwarded),
        (false, false) if judge(&x_forwarded) == judge(&forwarded) => judge(&forwarded),
        (false, false) => proxy,
    }
}

/// Walks from the nearest hop outwards and stops at the first that is not trusted; one that cannot be read ends the walk.
fn nearest(proxy: IpAddr, chain: &[Option<IpAddr>], is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut last = proxy;
    for hop in chain.iter().rev() {
        let Some(hop) = hop else { return last };
        last = *hop;
        if !is_trusted(last) {
            return last;
        }
    }
    last
}

fn chain(headers: &HeaderMap, name: &str, pick: impl Fn(&str) -> Option<&str>) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
    lines.flat_map(|line| line.split(',')).map(|item| pick(item.trim()).and_then(parse_hop)).collect()
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`, in quotes or not.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let address = text.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    address.or_else(bracketed).map(|address| address.to_canonical())
}

/// One parameter of a `Forwarded` element (RFC 7239 section 4).
fn parameter<'h>(element: &'h str, name: &str) -> Option<&'h str> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// Whether the nearest proxy says that it was asked by https. Saying so wrongly only makes cookies stricter.
fn says_https(headers: &HeaderMap) -> bool {
    let last = |name: &str| {
        let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        line.rsplit(',').next().map(str::trim)
    };
    let forwarded = last(header::FORWARDED.as_str()).and_then(|element| parameter(element, "proto"));
    last("x-forwarded-proto").or(forwarded).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

fn masked_4(address: Ipv4Addr, prefix: u8) -> u32 {
    u32::from(address).checked_shr(32 - u32::from(prefix)).unwrap_or(0)
}

fn masked_6(address: Ipv6Addr, prefix: u8) -> u128 {
    u128::from(address).checked_shr(128 - u32::from(prefix)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(peer: &str, headers: &[(&'static str, &str)]) -> Source {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Source::of(
            Some(Peer { address: SocketAddr::new(peer.parse().unwrap(), 4711), tls: false }),
            &map,
            &trusted,
        )
    }

    fn address(peer: &str, headers: &[(&'static str, &str)]) -> String {
        source(peer, headers).address.unwrap().to_string()
    }

    #[test]
    fn a_stranger_is_never_believed() {
        assert_eq!(address("192.0.2.9", &[("x-forwarded-for", "198.51.100.1")]), "192.0.2.9");
        assert!(!source("192.0.2.9", &[("x-forwarded-proto", "https")]).https);
    }

    #[test]
    fn a_trusted_proxy_names_the_visitor_and_the_visitor_cannot_prepend_another() {
        assert_eq!(address("10.0.0.1", &[("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.2")]), "192.0.2.7");
        assert_eq!(address("::ffff:10.0.0.1", &[("x-forwarded-for", "192.0.2.7")]), "192.0.2.7");
        assert_eq!(
            address("10.0.0.1", &[("forwarded", "for=6.6.6.6, for=\"[2001:db9::7]:99\";proto=https")]),
            "2001:db9::7"
        );
    }

    #[test]
    fn two_headers_that_disagree_count_on_the_proxy() {
        let both = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=203.0.113.5")];
        assert_eq!(address("10.0.0.1", &both), "10.0.0.1");
        let agree = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")];
        assert_eq!(address("10.0.0.1", &agree), "192.0.2.7");
    }

    #[test]
    fn a_hop_that_cannot_be_read_ends_the_walk() {
        assert_eq!(address("10.0.0.1", &[("x-forwarded-for", "192.0.2.7, unknown")]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &[("x-forwarded-for", "192.0.2.7, unknown, 10.0.0.5")]), "10.0.0.5");
    }

    #[test]
    fn the_scheme_is_the_nearest_proxys_word() {
        assert!(source("10.0.0.1", &[("x-forwarded-proto", "https")]).https);
        assert!(source("10.0.0.1", &[("forwarded", "for=192.0.2.7;proto=https")]).https);
        assert!(!source("10.0.0.1", &[("x-forwarded-proto", "https, http")]).https);
        assert!(source("10.0.0.1", &[]).proxied);
    }

    #[test]
    fn networks_are_read_or_refused_by_name() {
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("203.0.113.1".parse().unwrap()));
        assert!(!"0.0.0.0/0".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        assert!("::1".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        assert_eq!("10.0.0.0/8".parse::<Network>().unwrap().to_string(), "10.0.0.0/8");
        for wrong in ["10.0.0.0/33", "10.0.0", "ten", "", "10.0.0.0/", "::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
