//! What `[directory]` says of its servers: where they are, as whom they are asked, how long it may take.

use std::time::Duration;

use ::tls::ClientSettings;
use auth::Vendor;
use client::{Balance, BoxError, Options, Referrals, Sasl, Simple};
use proto::{Scheme, Url};

use super::expression::parse_dn;
use super::http::is_loopback;
use super::pool::{self, Pool};
use super::read::{Found, Secret, Section, Sheet, Zero, quote};
use super::sasl::{self, Around};

/// Where Active Directory serves its global catalogue, in clear and by TLS.
const CATALOGUE: [u16; 2] = [3268, 3269];

const BALANCES: &[(&str, Balance)] = &[("failover", Balance::Failover), ("round-robin", Balance::RoundRobin)];

/// How its servers are reached.
#[derive(Debug)]
pub(crate) struct Connection {
    urls: Vec<String>,
    balance: Balance,
    start_tls: bool,
    allow_cleartext: bool,
    service: Option<Service>,
    connect_timeout: Duration,
    timeout: Duration,
    page_size: u32,
    referrals: Option<Referrals>,
    pool: Pool,
    pub(crate) tls: ClientSettings,
    /// Some URL is reached by TLS, or a TLS file is configured.
    needs_tls: bool,
    /// The first URL that is a global catalogue's.
    catalogue: Option<Found<String>>,
}

/// As whom the directory is asked.
#[derive(Debug, Clone)]
enum Service {
    Simple(String, Secret),
    Sasl(Sasl),
}

impl Connection {
    /// Reads what `[directory]` says of its servers, `[directory.tls]` and `[directory.pool]`.
    pub(super) fn read(section: &Section<'_>, vendor: Option<Vendor>) -> Self {
        let start_tls = section.boolean("start_tls", false).value;
        let allow_cleartext = section.boolean("allow_cleartext", false);
        let Urls { urls, encrypted, catalogue } = read_urls(section, start_tls, allow_cleartext.value);
        if allow_cleartext.value {
            let warning = "allow_cleartext: passwords may travel readable to the directory";
            section.sheet().warn(&allow_cleartext.place, warning);
        }
        let balance = section.choice("balance", BALANCES, "failover").value;
        let simple = read_bind_name(section, vendor);
        let secret = section.secret("bind_password");
        let referrals = read_referrals(section);
        let connect_timeout = section.duration("connect_timeout", "3s", Zero::Wrong).value;
        let timeout = section.duration("timeout", "10s", Zero::Wrong).value;
        let page_size = section.number("page_size", 500, 0..=100_000).value;
        let tls = super::tls::read(section.section("tls"), encrypted);
        let pool = pool::read(section.section("pool"));
        let is_seen = tls.client_identity.is_some() || urls.iter().all(|url| url.starts_with("ldapi:"));
        let service = read_service(section, simple, secret, is_seen);
        Self {
            urls,
            balance,
            start_tls,
            allow_cleartext: allow_cleartext.value,
            service,
            connect_timeout,
            timeout,
            page_size,
            referrals,
            pool,
            catalogue,
            needs_tls: encrypted || !tls.ca_files.is_empty() || tls.client_identity.is_some(),
            tls,
        }
    }

    /// The URLs as they are written.
    pub(crate) fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Is the directory asked as somebody?
    pub(crate) fn has_service_account(&self) -> bool {
        self.service.is_some()
    }

    /// Rules that a missing group would answer wrongly need a server that knows all groups.
    pub(super) fn check_catalogue(&self, sheet: &Sheet<'_>) {
        let Some(url) = &self.catalogue else { return };
        let message = format!(
            "url: {:?} is a global catalogue, which knows the members of universal groups only: require, deny and not \
             would be judged on a part of the groups",
            url.value
        );
        sheet.wrong_but(
            &url.place,
            message,
            "use the domain controller's own port, 636, or 389 with start_tls",
        );
    }

    /// The client's options; certificate files are read now.
    pub(crate) fn options(&self) -> Result<Options, BoxError> {
        let mut options = Options::new(&self.urls)?;
        options = options
            .balance(self.balance)
            .start_tls(self.start_tls)
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .page_size(self.page_size)
            .lookup(self.pool.lookup)
            .prove(self.pool.prove)
            .idle(self.pool.idle)
            .max_age(self.pool.max_age);
        if let Some(referrals) = &self.referrals {
            options = options.referrals(referrals.clone());
        }
        if self.needs_tls {
            options = options.tls(self.tls.load()?);
        }
        if self.allow_cleartext {
            options = options.allow_cleartext();
        }
        Ok(match self.service.clone() {
            None => options,
            Some(Service::Simple(name, secret)) => {
                options.bind(Simple::reading(name, move || secret.read().map_err(Into::into)))
            }
            Some(Service::Sasl(sasl)) => options.bind(sasl),
        })
    }
}

/// What the URLs say.
#[derive(Default)]
struct Urls {
    urls: Vec<String>,
    /// Any of them is encrypted.
    encrypted: bool,
    catalogue: Option<Found<String>>,
}

fn read_urls(section: &Section<'_>, start_tls: bool, allow_cleartext: bool) -> Urls {
    let urls = section.one_or_many("url", Found::default(Vec::new()));
    if urls.value.is_empty() {
        let place = if urls.is_set() { &urls.place } else { section.place() };
        section.sheet().wrong(
            place,
            format!("{} needs url: the server, as in \"ldaps://ldap.example.com\"", section.heading()),
        );
    }
    let mut read = Urls::default();
    for text in urls.value {
        if text.value.starts_with("srv:") {
            // Those of the DNS are encrypted in any case.
            read.encrypted = true;
            let already = read.urls.iter().any(|url| url.starts_with("srv:"));
            read_domain(section.sheet(), &text, already);
            read.urls.push(text.value);
            continue;
        }
        let Some(url) = read_url(section.sheet(), &text) else { continue };
        let clear = url.scheme() == Scheme::Ldap && !start_tls;
        read.encrypted |= url.scheme() == Scheme::Ldaps || (url.scheme() == Scheme::Ldap && start_tls);
        if clear && !allow_cleartext && !is_loopback(url.host()) {
            let message = format!("url: {:?} would send passwords readable over the network", text.value);
            section.sheet().wrong_but(
                &text.place,
                message,
                "use ldaps://, or start_tls = true, or allow_cleartext = true in a laboratory",
            );
        }
        read.urls.push(text.value.clone());
        if CATALOGUE.contains(&url.port()) && read.catalogue.is_none() {
            read.catalogue = Some(text);
        }
    }
    read
}

/// A domain whose servers the DNS names.
fn read_domain(sheet: &Sheet<'_>, text: &Found<String>, already: bool) {
    if already {
        sheet.wrong(&text.place, format!("url: {:?} is a second domain, and one is enough", text.value));
    } else if let Err(error) = Options::new([&text.value]) {
        sheet.wrong_but(
            &text.place,
            format!("url: {}", super::chain(&error)),
            "write it as in \"srv:example.com\", without slashes or port",
        );
    }
}

fn read_url(sheet: &Sheet<'_>, text: &Found<String>) -> Option<Url> {
    let url = match Url::parse(&text.value) {
        Ok(url) => url,
        Err(error) => {
            let place = sheet.inside(&text.place, error.offset());
            // What stands before an @ may be a password.
            let shown = if text.value.contains('@') { "this".to_owned() } else { quote(&text.value) };
            let message = format!("url: {shown} is no LDAP URL: {} at byte {}", error.kind(), error.offset());
            sheet.wrong_but(
                &place,
                message,
                "write it as in \"ldaps://ldap.example.com\" or \"ldap://localhost:3890\"",
            );
            return None;
        }
    };
    let more = url.base().is_some_and(|base| !base.is_empty())
        || !url.attributes().is_empty()
        || url.scope().is_some()
        || url.filter().is_some();
    if more {
        sheet.wrong_but(
            &text.place,
            format!("url: {:?} says more than scheme, host and port", text.value),
            "the base goes into base, a filter into user.filter",
        );
        return None;
    }
    Some(url)
}

/// `bind_dn`: a DN, or what Active Directory takes for one.
fn read_bind_name(section: &Section<'_>, vendor: Option<Vendor>) -> Found<String> {
    let name = section.text("bind_dn", "");
    let bind_name = vendor == Some(Vendor::ActiveDirectory)
        && !name.value.contains('=')
        && name.value.contains(['@', '\\']);
    if !name.value.is_empty() && !bind_name {
        parse_dn(section.sheet(), "bind_dn", &name.value, &name.place);
    }
    name
}

/// The service account: a name with a password, or what `[directory.sasl]` says.
fn read_service(
    section: &Section<'_>,
    name: Found<String>,
    secret: Option<Found<Secret>>,
    is_seen: bool,
) -> Option<Service> {
    let (sheet, sasl) = (section.sheet(), section.section("sasl"));
    let by_sasl = sasl.value("mechanism").is_some_and(|value| value.kind.print() != "\"\"");
    if by_sasl && !name.value.is_empty() {
        sheet.wrong(&name.place, "bind_dn and sasl.mechanism are both set: one of them is enough");
    }
    if by_sasl {
        return sasl::read(sasl, Around { secret, is_seen }).map(Service::Sasl);
    }
    sasl::read(sasl, Around { secret: None, is_seen });
    match (name.value.is_empty(), secret) {
        (false, Some(secret)) => Some(Service::Simple(name.value, secret.value)),
        (true, None) => None,
        (false, None) => {
            sheet.wrong(&name.place, "bind_dn needs bind_password_file or bind_password");
            None
        }
        (true, Some(secret)) => {
            sheet.wrong(&secret.place, "a bind password needs bind_dn");
            None
        }
    }
}

/// Hosts that the directory may refer to; who names none would follow nothing.
fn read_referrals(section: &Section<'_>) -> Option<Referrals> {
    let follow = section.choice("referrals", &[("ignore", false), ("follow", true)], "ignore");
    let hosts = section.texts("referral_hosts");
    match (follow.value, hosts.value.is_empty()) {
        (true, true) => {
            let message = "referrals = \"follow\" needs referral_hosts: the servers that may be asked, as in \"ldap2.example.com\"";
            section.sheet().wrong(&follow.place, message);
        }
        (false, false) => {
            section.sheet().wrong(&hosts.place, "referral_hosts goes with referrals = \"follow\"");
        }
        _ => {}
    }
    for host in &hosts.value {
        read_referral_host(section.sheet(), host);
    }
    follow.value.then(|| Referrals::follow(hosts.value.iter().map(|host| &host.value)))
}

/// A host, with a port or without: what a URL has between `//` and `/`.
fn read_referral_host(sheet: &Sheet<'_>, host: &Found<String>) {
    let plain = !host.value.is_empty() && !host.value.contains(['/', '?', '@']);
    if plain && Url::parse(&format!("ldap://{}", host.value)).is_ok() {
        return;
    }
    let message = format!("referral_hosts: {} is no host", quote(&host.value));
    sheet.wrong_but(
        &host.place,
        message,
        "write it as in \"ldap2.example.com\" or \"ldap2.example.com:3890\"",
    );
}
