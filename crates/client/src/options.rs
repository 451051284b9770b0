//! How connections are made and used: everything that a caller chooses once.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use proto::{Scheme, Url};
use tls::{ClientSettings, ClientTls};

use crate::metrics::Meter;
use crate::srv::{self, Discovery};
use crate::{Error, Identity, Referrals, SchemaCache};

/// Which server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// The first that works, in the list's order.
    #[default]
    Failover,
    /// Each in its turn, those that do not work left out.
    RoundRobin,
}

/// How to reach a directory, as whom, and how long to wait.
///
/// ```
/// use std::time::Duration;
/// use ldapgate_client::{Balance, Options, Password, Simple};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = Options::new(["ldaps://a.example.com", "ldaps://b.example.com"])?
///     .bind(Simple::new("cn=reader,dc=example,dc=com", Password::new("secret")?))
///     .balance(Balance::RoundRobin)
///     .timeout(Duration::from_secs(5));
/// # let _ = options;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) servers: Vec<Address>,
    /// The domain whose servers go before those.
    pub(crate) discovery: Option<Discovery>,
    pub(crate) service: Option<Identity>,
    pub(crate) start_tls: bool,
    pub(crate) allow_cleartext: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) balance: Balance,
    pub(crate) lookup: usize,
    pub(crate) prove: usize,
    pub(crate) idle: Duration,
    pub(crate) max_age: Duration,
    pub(crate) page_size: u32,
    pub(crate) max_bytes: usize,
    pub(crate) read_only: bool,
    pub(crate) referrals: Option<Referrals>,
    pub(crate) schemas: SchemaCache,
    pub(crate) check_names: bool,
    tls: Arc<OnceLock<ClientTls>>,
}

/// One server's URL, with the text it was given as.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) text: String,
    pub(crate) url: Url,
    /// StartTLS, whatever the options say.
    pub(crate) start_tls: bool,
    /// Those of a lower one go first.
    pub(crate) tier: u32,
    /// Counts what happens on its connections, when a pool asks for it.
    pub(crate) meter: Option<Arc<Meter>>,
}

impl Options {
    /// Servers of one directory, best first: `ldap`, `ldaps` or `ldapi` URLs. `srv:example.com` stands for the servers
    /// that the DNS names, as [`Options::discover`] finds them; URLs beside it are asked when none of those works.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] for a text that is no LDAP URL, [`Error::NoUrl`] for an empty list; [`Error::Domain`] for a domain
    /// that cannot be looked for.
    pub fn new(urls: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Options, Error> {
        let (mut servers, mut discovery) = (Vec::new(), None);
        for url in urls {
            match url.as_ref().strip_prefix(srv::PREFIX) {
                None => servers.push(Address::parse(url.as_ref())?),
                Some(domain) if discovery.is_none() => discovery = Some(find(domain)?),
                Some(domain) => return Err(Error::domain(domain, "one domain is enough")),
            }
        }
        if servers.is_empty() && discovery.is_none() {
            return Err(Error::NoUrl);
        }
        if discovery.is_some() {
            servers.iter_mut().for_each(|address| address.tier = u32::MAX);
        }
        Ok(Options {
            servers,
            discovery,
            service: None,
            start_tls: false,
            allow_cleartext: false,
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            balance: Balance::default(),
            lookup: 8,
            prove: 8,
            idle: Duration::from_secs(5 * 60),
            max_age: Duration::from_secs(60 * 60),
            page_size: 500,
            max_bytes: 64 * 1024 * 1024,
            read_only: false,
            referrals: None,
            schemas: SchemaCache::default(),
            check_names: false,
            tls: Arc::default(),
        })
    }

    /// The servers of a domain, which its DNS names (RFC 2782): those of `_ldaps._tcp`; where there are none, those of
    /// `_ldap._tcp`, by StartTLS alone. Only hosts below the domain are taken, in the order of their priorities and, by
    /// chance, their weights. A pool asks again when the answer has grown old: after its time to live, but not before half
    /// a minute and not after an hour.
    ///
    /// Needs the feature `srv`.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), ldapgate_client::Error> {
    /// use ldapgate_client::{Options, Pool};
    ///
    /// let pool = Pool::open(Options::discover("example.com")?).await?;
    /// println!("{:?}", pool.urls());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] for a text that is no domain, or without the feature. What the DNS says is seen later, as
    /// [`Error::Discovery`].
    pub fn discover(domain: &str) -> Result<Options, Error> {
        Options::new([format!("{}{domain}", srv::PREFIX)])
    }

    /// Asks these name servers where a domain's servers are, by UDP and TCP, and not those of the system.
    #[must_use]
    pub fn name_servers(mut self, servers: impl IntoIterator<Item = SocketAddr>) -> Options {
        self.discovery = self.discovery.map(|discovery| discovery.asking(servers.into_iter().collect()));
        self
    }

    /// The service account that a pool's look-up connections, and a connection of its own, bind as; without one they
    /// are anonymous. A [`Simple`](crate::Simple) bind or a [`Sasl`](crate::Sasl) one.
    #[must_use]
    pub fn bind(mut self, service: impl Into<Identity>) -> Options {
        self.service = Some(service.into());
        self
    }

    /// No service account, whatever [`Options::bind`] said: for a connection on which somebody else will bind.
    #[must_use]
    pub fn anonymous(mut self) -> Options {
        self.service = None;
        self
    }

    /// Start TLS on `ldap` URLs before anything else is said; a server that will not is an error.
    #[must_use]
    pub fn start_tls(mut self, start_tls: bool) -> Options {
        self.start_tls = start_tls;
        self
    }

    /// Which certificates are trusted; without this, those of the system.
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Options {
        self.tls = Arc::new(OnceLock::from(tls));
        self
    }

    /// Let simple binds send passwords in clear text over any network. For laboratories.
    #[must_use]
    pub fn allow_cleartext(mut self) -> Options {
        self.allow_cleartext = true;
        self
    }

    /// The limit for DNS, TCP and TLS together, for one server (3 s).
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Options {
        self.connect_timeout = limit;
        self
    }

    /// The limit for one operation, a page of a search being one, and for waiting for a proving connection (10 s).
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Options {
        self.timeout = limit;
        self
    }

    /// Which server of the list is asked.
    #[must_use]
    pub fn balance(mut self, balance: Balance) -> Options {
        self.balance = balance;
        self
    }

    /// How many look-up connections a pool may have to each server (8; at least 1).
    #[must_use]
    pub fn lookup(mut self, connections: usize) -> Options {
        self.lookup = connections.max(1);
        self
    }

    /// How many proving connections a pool may have to each server (8; at least 1).
    #[must_use]
    pub fn prove(mut self, connections: usize) -> Options {
        self.prove = connections.max(1);
        self
    }

    /// A pooled connection that nobody uses for this long is closed (5 min).
    #[must_use]
    pub fn idle(mut self, limit: Duration) -> Options {
        self.idle = limit;
        self
    }

    /// A pooled connection is replaced at about this age (1 h; up to a tenth earlier, so that not all go at once).
    #[must_use]
    pub fn max_age(mut self, limit: Duration) -> Options {
        self.max_age = limit;
        self
    }

    /// Entries in a page (500); 0 turns paging off, for a search that does not say otherwise.
    #[must_use]
    pub fn page_size(mut self, entries: u32) -> Options {
        self.page_size = entries;
        self
    }

    /// How many bytes of one search's answers may wait for their reader, or be collected by `search` (64 MiB).
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Options {
        self.max_bytes = bytes;
        self
    }

    /// Refuse what could change the directory before it is sent: add, modify, delete, rename, and every extended operation
    /// that is not known to change nothing.
    #[must_use]
    pub fn read_only(mut self) -> Options {
        self.read_only = true;
        self
    }

    /// Follow referrals and continuation references, as far as these say; without this they are told and not followed.
    #[must_use]
    pub fn referrals(mut self, referrals: Referrals) -> Options {
        self.referrals = Some(referrals);
        self
    }

    /// Share schemas that were read with others who ask the same directory; without this, only connections that are made
    /// with clones of these options share them.
    #[must_use]
    pub fn schema_cache(mut self, cache: SchemaCache) -> Options {
        self.schemas = cache;
        self
    }

    /// Judge `add` and `modify` by the server's schema before they are sent: an attribute or class that is not defined, one
    /// that is missing or not allowed, a second value of an attribute that has one, a value that is not of its syntax is
    /// [`Error::Schema`], and nothing is sent. The schema is read at the first of them.
    #[must_use]
    pub fn check_names(mut self) -> Options {
        self.check_names = true;
        self
    }

    /// The same for one server of the list, or of the domain.
    pub(crate) fn of_server(&self, address: &Address) -> Options {
        let start_tls = self.start_tls || address.start_tls;
        Options { servers: vec![address.clone()], discovery: None, start_tls, ..self.clone() }
    }

    /// The same for another server of the same trust: as nobody, and following nothing.
    pub(crate) fn elsewhere(&self, address: Address, start_tls: bool) -> Result<Options, Error> {
        let mut options = self.clone().anonymous().start_tls(start_tls);
        if start_tls || address.scheme() == Scheme::Ldaps {
            options = options.tls(self.client_tls(&address.text)?.for_another_server());
        }
        Ok(Options { servers: vec![address], discovery: None, referrals: None, ..options })
    }

    /// The servers that the DNS names; `None` when it is not to be asked, or has no answer and there are URLs besides.
    pub(crate) async fn discovered(&self) -> Result<Option<Arc<[Address]>>, Error> {
        let Some(discovery) = &self.discovery else { return Ok(None) };
        match discovery.servers(self.connect_timeout).await {
            Ok(found) => Ok(Some(found)),
            Err(_) if !self.servers.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The settings for TLS: those given, or the system's, which are read once.
    pub(crate) fn client_tls(&self, url: &str) -> Result<ClientTls, Error> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls.clone());
        }
        let loaded = ClientSettings::default()
            .load()
            .map_err(|source| Error::Tls { url: url.to_owned(), source: Box::new(source) })?;
        Ok(self.tls.get_or_init(|| loaded).clone())
    }
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Address, Error> {
        match Url::parse(text) {
            Ok(url) => Ok(Address { text: text.to_owned(), url, start_tls: false, tier: 0, meter: None }),
            Err(source) => Err(Error::Url { url: text.to_owned(), source }),
        }
    }

    /// The host asked for; an URL without one means this machine.
    pub(crate) fn host(&self) -> &str {
        match self.url.host() {
            "" => "localhost",
            host => host,
        }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.url.scheme()
    }
}

fn find(domain: &str) -> Result<Discovery, Error> {
    if !srv::is_domain(domain) {
        return Err(Error::domain(domain, "it is no domain name"));
    }
    if cfg!(not(feature = "srv")) {
        return Err(Error::domain(domain, "this program was built without the feature srv"));
    }
    Ok(Discovery::new(domain))
}
