//! `[directory]`: one directory's servers, people and groups.

use std::net::IpAddr;
use std::time::Duration;

use auth::{Fold, Settings, Vendor};
use client::{Balance, Options, Simple};
use proto::{Scheme, Url};
use tls::ClientSettings;

use super::expression::{Known, parse_dn};
use super::permissions::Own;
use super::pool::Pool;
use super::preset::{PRESETS, Preset};
use super::profile::Profile;
use super::read::{Found, Place, Secret, Section, Sheet, Zero, quote};
use super::{access, groups, password, permissions, pool, profile, tls as tls_section, user};

/// One directory.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) settings: Settings,
    pub(crate) profile: Profile,
    pub(crate) permissions: Own,
    pub(crate) connection: Connection,
}

/// How its servers are reached.
#[derive(Debug)]
pub(crate) struct Connection {
    urls: Vec<String>,
    balance: Balance,
    start_tls: bool,
    allow_cleartext: bool,
    bind: Option<(String, Secret)>,
    connect_timeout: Duration,
    timeout: Duration,
    page_size: u32,
    pool: Pool,
    pub(crate) tls: ClientSettings,
    /// Some URL is reached by TLS, or a TLS file is configured.
    needs_tls: bool,
}

impl Connection {
    /// The client's options; certificate files are read now.
    pub(crate) fn options(&self) -> Result<Options, String> {
        let mut options = Options::new(&self.urls).map_err(|error| super::chain(&error))?;
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
        if self.needs_tls {
            options = options.tls(self.tls.load().map_err(|error| super::chain(&error))?);
        }
        if self.allow_cleartext {
            options = options.allow_cleartext();
        }
        if let Some((name, secret)) = self.bind.clone() {
            options = options.bind(Simple::reading(name, move || secret.read().map_err(Into::into)));
        }
        Ok(options)
    }
}

/// What every other section needs to know before a directory is read whole.
pub(super) struct Start<'s> {
    section: Section<'s>,
    vendor: Option<Vendor>,
    pub(super) known: Known,
}

/// Reads a directory's name, preset and base.
pub(super) fn start(section: Section<'_>) -> Start<'_> {
    let sheet = section.sheet();
    let name = section
        .value("name")
        .and_then(|value| section.as_text("name", &value))
        .unwrap_or(Found::default("main".to_owned()));
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.value.is_empty() || !name.value.chars().all(plain) {
        sheet.wrong(
            &name.place,
            format!("name cannot be {:?}: it is made of letters, digits, -, _ and .", name.value),
        );
    }
    let section = section.renamed(format!("directory.{}", name.value));
    section.show("name", quote(&name.value), &name.place);
    let vendor = read_preset(&section);
    let base = required(&section, "base", "the directory's suffix, as in \"dc=example,dc=com\"");
    let base = base.and_then(|base| parse_dn(sheet, "base", &base.value, &base.place));
    Start { section, vendor, known: Known { name: name.value, base } }
}

fn read_preset(section: &Section<'_>) -> Option<Vendor> {
    let what = PRESETS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let text = required(section, "preset", &format!("one of {what}"))?;
    let vendor = PRESETS.iter().find(|(name, _)| *name == text.value).map(|(_, vendor)| *vendor);
    if vendor.is_none() {
        section.no_such_word("preset", &text, PRESETS.iter().map(|(name, _)| *name));
    }
    vendor
}

/// A text that has no default.
fn required(section: &Section<'_>, key: &str, what: &str) -> Option<Found<String>> {
    let text = section.text(key, "");
    if !text.value.is_empty() {
        return Some(text);
    }
    let place = if text.is_set() { &text.place } else { section.place() };
    section.sheet().wrong(place, format!("{} needs {key}: {what}", section.heading()));
    None
}

impl Start<'_> {
    /// Reads the rest.
    pub(super) fn finish(self, fold: Fold) -> Option<Directory> {
        let Self { section, vendor, known } = self;
        let sheet = section.sheet();
        // Without a preset everything can still be checked; what a preset would give is then taken from the simplest.
        let preset = Preset::new(vendor.unwrap_or(Vendor::OpenLdap), &known.name, known.base.as_ref());
        let domains = read_domains(&section);
        let start_tls = section.boolean("start_tls", false).value;
        let allow_cleartext = section.boolean("allow_cleartext", false);
        let (urls, encrypted) = read_urls(&section, start_tls, allow_cleartext.value);
        if allow_cleartext.value {
            sheet.warn(
                &allow_cleartext.place,
                "allow_cleartext: passwords may travel readable to the directory",
            );
        }
        let balance = section.choice(
            "balance",
            &[("failover", Balance::Failover), ("round-robin", Balance::RoundRobin)],
            "failover",
        );
        let bind = read_bind(&section, vendor);
        read_sasl(section.section("sasl"));
        read_referrals(&section);
        let connect_timeout = section.duration("connect_timeout", "3s", Zero::Wrong).value;
        let timeout = section.duration("timeout", "10s", Zero::Wrong).value;
        let page_size = section.number("page_size", 500, 0..=100_000).value;
        let tls = tls_section::read(section.section("tls"), encrypted);
        let pool = pool::read(section.section("pool"));
        let user = user::read(section.section("user"), &preset);
        let groups = groups::read(section.section("groups"), &preset, &known);
        let access = access::read(section.section("access"), &known);
        let mut profile = profile::read(section.section("profile"), &known);
        let permissions = permissions::read_own(section.section("permissions"));
        password::read(section.section("password"));
        section.finish();
        let needs_tls = encrypted || !tls.ca_files.is_empty() || tls.client_identity.is_some();
        let connection = Connection {
            urls,
            balance: balance.value,
            start_tls,
            allow_cleartext: allow_cleartext.value,
            bind,
            connect_timeout,
            timeout,
            page_size,
            pool,
            tls,
            needs_tls,
        };
        let settings = Settings {
            base: known.base?,
            domains,
            user,
            groups,
            require: access.require,
            deny: access.deny,
            fields: std::mem::take(&mut profile.fields),
            lists: std::mem::take(&mut profile.lists),
            flags: std::mem::take(&mut profile.flags),
            fold,
            ..preset.settings
        };
        Some(Directory { settings, profile, permissions, connection })
    }

    /// Rules between directories: `last` is said of the last in the list.
    pub(super) fn check_template(&self, last: bool) {
        let user = self.section.section("user");
        let template = user
            .value("dn_template")
            .filter(|value| user.as_text("dn_template", value).is_some_and(|text| !text.value.is_empty()));
        let has_domains = self.section.value("domains").is_some_and(|value| value.kind.print() != "[]");
        if let Some(template) = template.filter(|_| !last && !has_domains) {
            let message = format!(
                "directory {:?} has dn_template without domains, and is not the last",
                self.known.name
            );
            let suggestion =
                "give it domains or put it last: one person's password is never tried on another's account";
            self.section.sheet().wrong_but(&template.place, message, suggestion);
        }
    }

    /// Its domains in lower case, each with its place.
    pub(super) fn domains(&self) -> Vec<Found<String>> {
        domain_texts(&self.section).into_iter().map(|text| text.map(|text| text.to_lowercase())).collect()
    }

    /// Where its name stands, or its table.
    pub(super) fn place(&self) -> Place {
        self.section.value("name").map_or_else(|| self.section.place().clone(), |value| value.place)
    }
}

fn domain_texts(section: &Section<'_>) -> Vec<Found<String>> {
    match section.toml("domains").map(|value| value.kind) {
        Some(super::read::Kind::List(values)) => {
            values.iter().filter_map(|value| section.as_text("domains", value)).collect()
        }
        _ => Vec::new(),
    }
}

fn read_domains(section: &Section<'_>) -> Vec<String> {
    let domains = section.texts("domains");
    for domain in &domains.value {
        let good = !domain.value.is_empty()
            && domain.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !good {
            let message = format!(
                "domains: {:?} is no domain: it is written as in \"corp.example.com\" or \"CORP\"",
                domain.value
            );
            section.sheet().wrong(&domain.place, message);
        }
    }
    domains.value.into_iter().map(|domain| domain.value).collect()
}

/// The URLs, and whether any of them is encrypted.
fn read_urls(section: &Section<'_>, start_tls: bool, allow_cleartext: bool) -> (Vec<String>, bool) {
    let urls = section.one_or_many("url", Found::default(Vec::new()));
    if urls.value.is_empty() {
        let place = if urls.is_set() { &urls.place } else { section.place() };
        section.sheet().wrong(
            place,
            format!("{} needs url: the server, as in \"ldaps://ldap.example.com\"", section.heading()),
        );
    }
    let mut encrypted = false;
    let mut good = Vec::new();
    for text in urls.value {
        let Some(url) = read_url(section.sheet(), &text) else { continue };
        let clear = url.scheme() == Scheme::Ldap && !start_tls;
        encrypted |= url.scheme() == Scheme::Ldaps || (url.scheme() == Scheme::Ldap && start_tls);
        if clear && !allow_cleartext && !is_loopback(url.host()) {
            let message = format!("url: {:?} would send passwords readable over the network", text.value);
            section.sheet().wrong_but(
                &text.place,
                message,
                "use ldaps://, or start_tls = true, or allow_cleartext = true in a laboratory",
            );
        }
        good.push(text.value);
    }
    (good, encrypted)
}

fn read_url(sheet: &Sheet<'_>, text: &Found<String>) -> Option<Url> {
    if text.value.starts_with("srv:") {
        sheet.not_yet(&text.place, "url \"srv:...\"");
        return None;
    }
    let url = match Url::parse(&text.value) {
        Ok(url) => url,
        Err(error) => {
            let place = sheet.inside(&text.place, error.offset());
            let message = format!("url: {:?} is no LDAP URL: {}", text.value, super::chain(&error));
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

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    address || host.is_empty() || host.eq_ignore_ascii_case("localhost")
}

/// The service account: a DN, or what Active Directory takes for one.
fn read_bind(section: &Section<'_>, vendor: Option<Vendor>) -> Option<(String, Secret)> {
    let sheet = section.sheet();
    let name = section.text("bind_dn", "");
    let secret = section.secret("bind_password");
    let bind_name = vendor == Some(Vendor::ActiveDirectory)
        && !name.value.contains('=')
        && name.value.contains(['@', '\\']);
    if !name.value.is_empty() && !bind_name {
        parse_dn(sheet, "bind_dn", &name.value, &name.place);
    }
    match (name.value.is_empty(), secret) {
        (false, Some(secret)) => Some((name.value, secret.value)),
        (true, None) => None,
        (false, None) => {
            let incomplete =
                section.value("bind_password").is_none() && section.value("bind_password_file").is_none();
            if incomplete {
                sheet.wrong(&name.place, "bind_dn needs bind_password_file or bind_password");
            }
            None
        }
        (true, Some(secret)) => {
            sheet.wrong(&secret.place, "a bind password needs bind_dn");
            None
        }
    }
}

fn read_sasl(section: Section<'_>) {
    let mechanism = section.text("mechanism", "");
    let words = ["user", "authzid", "realm", "keytab"].map(|key| (key, section.text(key, "")));
    if !mechanism.value.is_empty() {
        section.sheet().not_yet(&mechanism.place, "sasl");
    } else if let Some((key, word)) = words.iter().find(|(_, word)| !word.value.is_empty()) {
        section.sheet().wrong(&word.place, format!("sasl.{key} needs sasl.mechanism"));
    }
    section.finish();
}

fn read_referrals(section: &Section<'_>) {
    let follow = section.choice("referrals", &[("ignore", false), ("follow", true)], "ignore");
    let hosts = section.texts("referral_hosts");
    if follow.value {
        section.sheet().not_yet(&follow.place, "referrals = \"follow\"");
    } else if !hosts.value.is_empty() {
        section.sheet().wrong(&hosts.place, "referral_hosts goes with referrals = \"follow\"");
    }
}
