//! Where a referral leads, what is asked there, and over which kind of connection.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use proto::control::{ProxiedAuthorization, SessionTracking};
use proto::message::SearchRequest;
use proto::{Control, Controls, Scheme, Url};
use tokio::time::{Instant, timeout_at};

use super::is_here;
use crate::options::{Address, Options};
use crate::{Connection, Error};

/// A URL that may be followed.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    url: Url,
}

/// Who could listen to the first server, and so who may listen to those it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Privacy {
    /// Nobody: TLS everywhere.
    Encrypted,
    /// Nobody but this machine: clear text here, TLS elsewhere.
    Local,
    /// Anybody: what the URL says, with StartTLS if the options ask for it.
    Open,
}

/// What the first server decides over those it leads to.
#[derive(Clone)]
pub(crate) struct First {
    pub(crate) options: Options,
    privacy: Privacy,
    controls: Controls,
    written: Option<Arc<AtomicU64>>,
}

impl First {
    pub(crate) fn of(connection: &Connection) -> First {
        let options = connection.shared.options.clone();
        First {
            options,
            privacy: Privacy::of(connection),
            controls: impersonal(&connection.controls),
            written: connection.written.clone(),
        }
    }
}

impl Privacy {
    fn of(connection: &Connection) -> Privacy {
        if connection.is_encrypted() {
            return Privacy::Encrypted;
        }
        if connection.is_private() { Privacy::Local } else { Privacy::Open }
    }
}

impl Target {
    pub(super) fn new(url: Url) -> Target {
        Target { url }
    }

    /// The URL, for people.
    pub(crate) fn text(&self) -> String {
        self.url.to_string()
    }

    /// What tells it from other places: the server and the name there.
    pub(crate) fn place(&self, name: &str) -> String {
        let name = self.url.base().unwrap_or(name).to_ascii_lowercase();
        format!("{} {name}", self.url.address().to_ascii_lowercase())
    }

    /// The name there: the URL's, or the one that was asked for.
    pub(crate) fn name<'a>(&'a self, asked: &'a str) -> &'a str {
        self.url.base().unwrap_or(asked)
    }

    /// The search there: what the URL leaves out is as it was asked for (RFC 4511 section 4.5.3).
    pub(crate) fn search(&self, asked: &SearchRequest) -> SearchRequest {
        SearchRequest {
            base: self.name(&asked.base).to_owned(),
            scope: self.url.scope().unwrap_or(asked.scope),
            filter: self.url.filter().unwrap_or(&asked.filter).clone(),
            ..asked.clone()
        }
    }

    /// Connects as nobody. Where the first server was private, this one is, or there is no connection.
    pub(crate) async fn connect(&self, first: &First, deadline: Instant) -> Result<Connection, Error> {
        let options = self.options(&first.options, first.privacy)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let options = options.clone().connect_timeout(left.min(options.connect_timeout));
        let Some(address) = options.servers.first() else { return Err(Error::NoUrl) };
        let connected = timeout_at(deadline, Connection::to(address, &options, None)).await;
        let connection = connected.unwrap_or_else(|_| Err(late(address.text.clone(), left)))?;
        // What a handle's operations carry, an assertion for one, must not be lost on the way; but who they are for is
        // the first server's business.
        Ok(Connection { controls: first.controls.clone(), written: first.written.clone(), ..connection })
    }

    fn options(&self, options: &Options, privacy: Privacy) -> Result<Options, Error> {
        let text = format!("{}://{}", self.url.scheme().as_str(), self.url.address());
        let required = match privacy {
            Privacy::Encrypted => true,
            Privacy::Local => !is_here(&self.url),
            Privacy::Open => false,
        };
        let start_tls = self.url.scheme() == Scheme::Ldap && (required || options.start_tls);
        options.elsewhere(Address::parse(&text)?, start_tls)
    }
}

/// Controls without those that name people: they are meant for the first server, and elsewhere the client is nobody.
pub(crate) fn impersonal(controls: &Controls) -> Controls {
    controls.iter().filter(|control| !is_personal(control)).collect()
}

/// Does the control say who the client acts for?
pub(crate) fn is_personal(control: &Control) -> bool {
    [ProxiedAuthorization::OID, SessionTracking::OID].contains(&control.oid.as_str())
}

fn late(url: String, limit: Duration) -> Error {
    Error::ConnectTimeout { url, stage: "the connection", limit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Filter, Scope};

    fn target(url: &str) -> Target {
        Target::new(Url::parse(url).unwrap())
    }

    #[test]
    fn what_the_url_leaves_out_is_as_it_was_asked_for() {
        let asked = SearchRequest::new("dc=x", Scope::One, Filter::equal("uid", "ada"));
        let there = target("ldap://b/ou=y,dc=x?mail?base?(cn=a)").search(&asked);
        assert_eq!((there.base.as_str(), there.scope), ("ou=y,dc=x", Scope::Base));
        assert_eq!(there.filter, Filter::equal("cn", "a"));
        assert!(there.attributes.is_empty(), "the attributes are the client's");
        assert_eq!(target("ldap://b").search(&asked), asked);
    }

    #[test]
    fn privacy_is_never_less_than_the_first_servers() {
        let plain = Options::new(["ldap://a"]).unwrap();
        let with_start_tls = plain.clone().start_tls(true);
        for (options, privacy, url, start_tls) in [
            (&plain, Privacy::Encrypted, "ldap://b", true),
            (&plain, Privacy::Encrypted, "ldap://localhost", true),
            (&plain, Privacy::Encrypted, "ldaps://b", false),
            (&plain, Privacy::Local, "ldap://b", true),
            (&plain, Privacy::Local, "ldap://127.0.0.1", false),
            (&plain, Privacy::Open, "ldap://b", false),
            (&with_start_tls, Privacy::Open, "ldap://b", true),
        ] {
            let there = target(url).options(options, privacy).unwrap();
            assert_eq!(there.start_tls, start_tls, "{privacy:?} {url}");
            assert!(there.service.is_none() && there.referrals.is_none());
            assert_eq!(there.servers.len(), 1);
        }
    }

    #[test]
    fn controls_that_name_people_stay_with_the_first_server() {
        let control = |oid: &str| Control { oid: oid.into(), critical: true, value: None };
        let carried = [ProxiedAuthorization::OID, "1.2.3", SessionTracking::OID].map(control);
        assert_eq!(impersonal(&carried.into_iter().collect()), Controls::from(control("1.2.3")));
    }

    #[test]
    fn a_place_is_a_server_and_a_name() {
        let place = |url| target(url).place("dc=x");
        assert_eq!(place("ldap://B/DC=x"), place("ldap://b:389"));
        assert_ne!(place("ldap://b/dc=x"), place("ldap://b/dc=y"));
        assert_ne!(place("ldap://b/dc=x"), place("ldap://b:390/dc=x"));
    }
}
