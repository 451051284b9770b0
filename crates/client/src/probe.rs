//! One server step by step, so that it can be seen where the way to it ends.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use proto::Scheme;
use tokio::time::Instant;

use crate::connect::{self, Transport};
use crate::options::{Address, Options};
use crate::{Connection, Error};

/// A server of a list, not yet asked for anything. What [`Connection::open`] does in one call, and with which of the servers
/// works, is done here one step after the other, and with this one alone.
///
/// ```
/// # use std::{sync::Arc, time::SystemTime};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = directory::Directory::builder(Arc::new(SystemTime::now)).build();
/// # let running = directory.serve(tokio::net::TcpListener::bind("127.0.0.1:0").await?).await;
/// use ldapgate_client::Options;
///
/// for probe in Options::new([running.url()])?.probes().await? {
///     if !probe.is_address() && !probe.is_local() {
///         println!("{:?} is looked for in the DNS, within {:?}", probe.host(), probe.options());
///     }
///     let resolved = probe.resolve().await?;
///     println!("{} addresses", resolved.addresses().len());
///     let reached = resolved.reach().await?;
///     println!("{} is {:?}, not {:?}", probe.url(), reached.address(), reached.refused());
///     println!("{:?}, StartTLS: {}", probe.scheme(), probe.wants_start_tls());
///     let connection = reached.secure().await?;
///     println!("the server showed itself to be {:?}", connection.tls_peer());
///     connection.bind_service().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Probe {
    address: Address,
    options: Options,
}

/// A host name with its addresses. The connect timeout runs since it was asked for.
#[derive(Debug, Clone)]
pub struct Resolved {
    probe: Probe,
    addresses: Vec<SocketAddr>,
    deadline: Instant,
}

/// A server that accepted a connection, on which nothing was said yet.
pub struct Reached {
    probe: Probe,
    transport: Transport,
    /// Those before it did not accept one.
    refused: Vec<SocketAddr>,
    address: Option<SocketAddr>,
    deadline: Instant,
}

impl Options {
    /// Each server by itself, best first; those of a domain are looked for in the DNS.
    ///
    /// # Errors
    ///
    /// [`Error::Discovery`] when the DNS names none, and there are no URLs besides.
    pub async fn probes(&self) -> Result<Vec<Probe>, Error> {
        let discovered = self.discovered().await?;
        let addresses = discovered.iter().flat_map(|found| found.iter()).chain(&self.servers);
        let alone = |address: &Address| Probe { address: address.clone(), options: self.of_server(address) };
        Ok(addresses.map(alone).collect())
    }
}

impl Probe {
    /// The server's URL, as it was given, or as the DNS gave it.
    pub fn url(&self) -> &str {
        &self.address.text
    }

    /// How it is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.address.scheme()
    }

    /// The host to resolve; `None` for a socket of this machine.
    pub fn host(&self) -> Option<&str> {
        (self.scheme() != Scheme::Ldapi).then(|| self.address.host())
    }

    /// Is the host an address, which needs no name server?
    pub fn is_address(&self) -> bool {
        self.address.host().parse::<IpAddr>().is_ok()
    }

    /// Is StartTLS the next thing to do on its connections?
    pub fn wants_start_tls(&self) -> bool {
        self.options.start_tls && self.scheme() == Scheme::Ldap
    }

    /// Can only this machine listen to what is said in clear text?
    pub fn is_local(&self) -> bool {
        self.scheme() == Scheme::Ldapi || connect::is_local_name(self.address.host())
    }

    /// The options with this server alone.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The host's addresses; none for a socket of this machine.
    ///
    /// # Errors
    ///
    /// [`Error::Resolve`], [`Error::ConnectTimeout`].
    pub async fn resolve(&self) -> Result<Resolved, Error> {
        let deadline = Instant::now() + self.options.connect_timeout;
        let addresses = match self.scheme() {
            Scheme::Ldapi => Vec::new(),
            Scheme::Ldap | Scheme::Ldaps => connect::resolve(&self.address, &self.options, deadline).await?,
        };
        Ok(Resolved { probe: self.clone(), addresses, deadline })
    }
}

impl Resolved {
    /// The addresses, in the order in which they are tried.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Connects to the first that accepts.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`], [`Error::ConnectTimeout`].
    pub async fn reach(self) -> Result<Reached, Error> {
        let Resolved { probe, addresses, deadline } = self;
        let Probe { address, options } = &probe;
        if address.scheme() == Scheme::Ldapi {
            let transport = connect::reach_socket(address, options, deadline).await?;
            return Ok(Reached { probe, transport, refused: Vec::new(), address: None, deadline });
        }
        let (transport, at) = connect::reach_any(&addresses, address, options, deadline).await?;
        let (refused, address) = (addresses[..at].to_vec(), addresses.get(at).copied());
        Ok(Reached { probe, transport, refused, address, deadline })
    }
}

impl Reached {
    /// The address that accepted; `None` for a socket of this machine.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The addresses that were tried before.
    pub fn refused(&self) -> &[SocketAddr] {
        &self.refused
    }

    /// A connection: after the handshake where it is an `ldaps` URL, as nobody, and without StartTLS. What remains is
    /// [`Connection::start_tls`], where [`Probe::wants_start_tls`] says so, and [`Connection::bind_service`].
    ///
    /// # Errors
    ///
    /// [`Error::Tls`], [`Error::ConnectTimeout`].
    pub async fn secure(self) -> Result<Connection, Error> {
        let Reached { probe: Probe { address, options }, transport, deadline, .. } = self;
        let transport = connect::secure(transport, &address, &options, deadline).await?;
        Ok(Connection::start(transport, &address, &options, None))
    }
}

impl fmt::Debug for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reached")
            .field("url", &self.probe.url())
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
