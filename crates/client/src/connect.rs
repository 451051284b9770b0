//! From a URL to a stream: names, addresses, sockets and the TLS handshake, all of it before one deadline.
#![allow(clippy::disallowed_methods, reason = "this is where sockets are opened")]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use proto::Scheme;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::options::{Address, Options};
use crate::{Balance, Connection, Error};

/// Where OpenLDAP listens when an `ldapi` URL names no path.
const DEFAULT_SOCKET: &str = "/var/run/slapd/ldapi";

/// Anything that bytes can be sent over.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Io for S {}

/// A connected stream, and whether passwords may be told to it.
pub(crate) struct Transport {
    pub(crate) stream: Box<dyn Io>,
    pub(crate) privacy: Privacy,
    /// What an authentication can bind itself to, when there is TLS.
    pub(crate) bindings: Option<tls::Bindings>,
    /// Who the server showed itself to be, when there is TLS.
    pub(crate) peer: Option<tls::Peer>,
}

/// Who could listen on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// Anybody on the way.
    Open,
    /// Nobody but this machine.
    Local,
    /// Nobody: it is encrypted.
    Encrypted,
}

impl Connection {
    /// Connects to the first URL that works, with TLS as the URL and the options say, and binds as their service
    /// account. Without one nobody is bound yet. With [`Balance::RoundRobin`] it begins at any of them, by chance.
    ///
    /// # Errors
    ///
    /// The failure to reach the only server, or [`Error::AllDown`] with one failure for each. [`Error::ServiceBind`]
    /// when the service account is refused, [`Error::Secret`] when its secret cannot be read, [`Error::Cleartext`]
    /// when it would travel in clear text: no other server is asked then.
    pub async fn open(options: &Options) -> Result<Connection, Error> {
        let mut failures = Vec::new();
        let discovered = options.discovered().await?;
        let mut servers: Vec<&Address> =
            discovered.iter().flat_map(|found| found.iter()).chain(&options.servers).collect();
        if options.balance == Balance::RoundRobin {
            begin_anywhere(&mut servers, random_to);
        }
        for address in servers {
            match Connection::open_at(address, options).await {
                Ok(connection) => return Ok(connection),
                // Other servers know the same account, and would count another wrong password.
                Err(error) if is_of_the_account(&error) => return Err(error),
                Err(error) => failures.push(error),
            }
        }
        Err(crate::error::Failures::into_error(failures))
    }

    /// Speaks LDAP over a stream that is connected already, to the first of the options' URLs: with TLS when that
    /// is an `ldaps` URL or StartTLS is asked for, bound as the options say. Must be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// As for [`Connection::open`].
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        options: &Options,
    ) -> Result<Connection, Error> {
        let Some(address) = options.servers.first() else { return Err(Error::NoUrl) };
        let deadline = Instant::now() + options.connect_timeout;
        let local = address.scheme() == Scheme::Ldapi || is_local_name(address.host());
        let privacy = if local { Privacy::Local } else { Privacy::Open };
        let transport = Transport { stream: Box::new(stream), privacy, bindings: None, peer: None };
        let transport = secure(transport, address, options, deadline).await?;
        let connection = Connection::finish(transport, address, options, None, deadline).await?;
        connection.bind_service().await?;
        Ok(connection)
    }

    async fn open_at(address: &Address, options: &Options) -> Result<Connection, Error> {
        let connection = Connection::to(address, options, None).await?;
        connection.bind_service().await?;
        Ok(connection)
    }

    /// Connects to one server, as nobody; a connection with an idle limit closes itself when nobody uses it for so long.
    #[tracing::instrument(name = "ldap.connect", level = "debug", skip_all, fields(url = address.text))]
    pub(crate) async fn to(
        address: &Address,
        options: &Options,
        idle: Option<Duration>,
    ) -> Result<Connection, Error> {
        let deadline = Instant::now() + options.connect_timeout;
        let transport = reach(address, options, deadline).await?;
        let transport = secure(transport, address, options, deadline).await?;
        Connection::finish(transport, address, options, idle, deadline).await
    }

    async fn finish(
        transport: Transport,
        address: &Address,
        options: &Options,
        idle: Option<Duration>,
        deadline: Instant,
    ) -> Result<Connection, Error> {
        let connection = Connection::start(transport, address, options, idle);
        if (options.start_tls || address.start_tls) && address.scheme() == Scheme::Ldap {
            connection.start_tls_by(deadline, options.connect_timeout).await?;
        }
        Ok(connection)
    }
}

/// Turns the list so that any of the best begins, by chance: who asks once has no turn to keep.
fn begin_anywhere(servers: &mut [&Address], chance: impl Fn(u32) -> u32) {
    let best = servers.first().map(|address| address.tier);
    let alike = servers.iter().take_while(|address| Some(address.tier) == best).count();
    if alike > 1 {
        servers[..alike].rotate_left(chance(alike as u32 - 1) as usize);
    }
}

/// Opens the socket.
async fn reach(address: &Address, options: &Options, deadline: Instant) -> Result<Transport, Error> {
    match address.scheme() {
        Scheme::Ldapi => reach_socket(address, options, deadline).await,
        Scheme::Ldap | Scheme::Ldaps => reach_host(address, options, deadline).await,
    }
}

pub(crate) async fn reach_socket(
    address: &Address,
    options: &Options,
    deadline: Instant,
) -> Result<Transport, Error> {
    let path = match address.url.host() {
        "" => DEFAULT_SOCKET,
        path => path,
    };
    let stream = timeout_at(deadline, UnixStream::connect(path))
        .await
        .map_err(|_| late(address, options, "the connection"))?
        .map_err(|source| Error::Connect { url: address.text.clone(), source })?;
    Ok(Transport { stream: Box::new(stream), privacy: Privacy::Local, bindings: None, peer: None })
}

async fn reach_host(address: &Address, options: &Options, deadline: Instant) -> Result<Transport, Error> {
    let addresses = resolve(address, options, deadline).await?;
    let (transport, _) = reach_any(&addresses, address, options, deadline).await?;
    Ok(transport)
}

/// The addresses of the host, at least one.
pub(crate) async fn resolve(
    address: &Address,
    options: &Options,
    deadline: Instant,
) -> Result<Vec<SocketAddr>, Error> {
    let host = address.host();
    let unresolved = |source| Error::Resolve { host: host.to_owned(), source };
    let addresses: Vec<SocketAddr> = timeout_at(deadline, lookup_host((host, address.url.port())))
        .await
        .map_err(|_| late(address, options, "the host name's resolution"))?
        .map_err(unresolved)?
        .collect();
    if addresses.is_empty() {
        return Err(unresolved(io::Error::from(io::ErrorKind::NotFound)));
    }
    Ok(addresses)
}

/// The first address that accepts a connection, and its place in the list.
pub(crate) async fn reach_any(
    addresses: &[SocketAddr],
    address: &Address,
    options: &Options,
    deadline: Instant,
) -> Result<(Transport, usize), Error> {
    let mut last = None;
    for (at, peer) in addresses.iter().enumerate() {
        // An address that swallows packets must leave time for those after it.
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / (addresses.len() - at) as u32;
        match timeout_at(now + share, TcpStream::connect(peer)).await {
            Ok(Ok(stream)) => return Ok((over_tcp(stream, *peer), at)),
            Ok(Err(error)) => last = Some(error),
            Err(_) => {}
        }
    }
    match last {
        Some(source) => Err(Error::Connect { url: address.text.clone(), source }),
        None => Err(late(address, options, "the connection")),
    }
}

fn over_tcp(stream: TcpStream, peer: SocketAddr) -> Transport {
    // A request is one small write that waits for its answer: Nagle's algorithm could only delay it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let privacy = if peer.ip().to_canonical().is_loopback() { Privacy::Local } else { Privacy::Open };
    Transport { stream: Box::new(stream), privacy, bindings: None, peer: None }
}

/// The handshake of an `ldaps` URL.
pub(crate) async fn secure(
    transport: Transport,
    address: &Address,
    options: &Options,
    deadline: Instant,
) -> Result<Transport, Error> {
    if address.scheme() != Scheme::Ldaps {
        return Ok(transport);
    }
    let tls = options.client_tls(&address.text)?;
    let stream = timeout_at(deadline, tls.connect(address.host(), transport.stream))
        .await
        .map_err(|_| late(address, options, "the TLS handshake"))?
        .map_err(|source| Error::Tls { url: address.text.clone(), source: Box::new(source) })?;
    let (bindings, peer) = (Some(stream.bindings()), Some(stream.peer()));
    Ok(Transport { stream: Box::new(stream), privacy: Privacy::Encrypted, bindings, peer })
}

fn late(address: &Address, options: &Options, stage: &'static str) -> Error {
    Error::ConnectTimeout { url: address.text.clone(), stage, limit: options.connect_timeout }
}

/// Is this about the service account, and not about the server?
fn is_of_the_account(error: &Error) -> bool {
    matches!(
        error,
        Error::ServiceBind { .. }
            | Error::Secret { .. }
            | Error::Cleartext { .. }
            | Error::ClearSasl { .. }
            | Error::NoMechanism { .. }
            | Error::Sasl { .. }
            | Error::NoName
    )
}

pub(crate) fn is_local_name(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// A random part of a span, so that many connections do not all end in the same moment.
pub(crate) fn jitter(span: Duration) -> Duration {
    span.mul_f64(f64::from(random_to(u32::MAX)) / f64::from(u32::MAX))
}

/// A random number up to this one, which is included.
pub(crate) fn random_to(most: u32) -> u32 {
    let mut random = [0; 8];
    #[expect(
        clippy::disallowed_methods,
        reason = "spreads load; nothing secret and no decision depends on it"
    )]
    let filled = getrandom::fill(&mut random);
    match filled {
        // Of sixty-four bits the remainder is as good as even.
        Ok(()) => (u64::from_le_bytes(random) % (u64::from(most) + 1)) as u32,
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_local_name(host), "{host}");
        }
        for host in ["localhost.example.com", "10.0.0.1", "0.0.0.0", "::", "127.0.0.1.example.com"] {
            assert!(!is_local_name(host), "{host}");
        }
    }

    #[test]
    fn any_of_the_best_servers_begins_and_the_others_follow() {
        let mut addresses: Vec<Address> = ["ldap://a", "ldap://b", "ldap://c", "ldap://spare"]
            .map(|url| Address::parse(url).expect("a URL"))
            .into();
        addresses[3].tier = 1;
        for (chance, expected) in [(0, "abcspare"), (1, "bcaspare"), (2, "cabspare")] {
            let mut servers: Vec<&Address> = addresses.iter().collect();
            begin_anywhere(&mut servers, |most| {
                assert_eq!(most, 2);
                chance
            });
            let order: String = servers.iter().map(|address| address.host()).collect();
            assert_eq!(order, expected);
        }
        begin_anywhere(&mut [], |_| 0);
    }

    #[test]
    fn jitter_stays_within_its_span() {
        let span = Duration::from_secs(6);
        assert!((0..100).all(|_| jitter(span) <= span));
    }
}
