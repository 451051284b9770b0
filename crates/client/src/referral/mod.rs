//! Referrals and continuation references (RFC 4511 sections 4.1.10 and 4.5.3), followed when that is asked for.
//!
//! A server that says "ask over there" chooses whom the client talks to. So it may choose among named hosts only, as
//! nobody, never with less privacy than the server that was asked, not for ever, and not in circles.

mod target;
mod write;

use std::time::Duration;

use proto::{Scheme, Url};

pub(crate) use target::{First, Target, impersonal, is_personal};
pub(crate) use write::{follow, may_follow, name};

use crate::connect::is_local_name;

/// References of one search that are followed at most.
pub(crate) const MOST_FOLLOWED: u32 = 100;

/// Which referrals are followed, and how far. Binds, password changes and whatever else carries a password never are.
/// Controls that name people ([`ProxiedAuthorization`](crate::control::ProxiedAuthorization),
/// [`SessionTracking`](crate::control::SessionTracking)) stay with the server that was asked.
///
/// ```
/// use ldapgate_client::{Options, Referrals};
///
/// # fn main() -> Result<(), ldapgate_client::Error> {
/// let options = Options::new(["ldaps://a.example.com"])?
///     .referrals(Referrals::follow(["b.example.com", "c.example.com:6360"]).hops(3));
/// # let _ = options;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Referrals {
    hosts: Vec<String>,
    pub(crate) hops: u32,
    pub(crate) limit: Duration,
}

impl Referrals {
    /// Those to these hosts, "name" or "name:port"; without a port every port of the host. Others are told and not
    /// followed.
    pub fn follow(hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Referrals {
        let hosts = hosts.into_iter().map(|host| plain(host.as_ref())).collect();
        Referrals { hosts, hops: 5, limit: Duration::from_secs(30) }
    }

    /// So many in a row at most (5).
    #[must_use]
    pub fn hops(mut self, hops: u32) -> Referrals {
        self.hops = hops;
        self
    }

    /// The limit for everything that one operation does on other servers (30 s), the time its reader takes included.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Referrals {
        self.limit = limit;
        self
    }

    /// Those of a reference's URLs that may be followed: they are alternatives.
    pub(crate) fn allowed(&self, urls: &[String]) -> Vec<Target> {
        let parsed = urls.iter().filter_map(|url| Url::parse(url).ok());
        parsed.filter(|url| self.allows(url)).map(Target::new).collect()
    }

    fn allows(&self, url: &Url) -> bool {
        // A socket of this machine is nothing that a server may choose, and a host left out is nobody's.
        let named = url.scheme() != Scheme::Ldapi && !url.host().is_empty();
        let understood = !url.extensions().iter().any(|extension| extension.starts_with('!'));
        let host = plain(url.host());
        let listed = |allowed: &String| *allowed == host || *allowed == plain(&url.address());
        named && understood && self.hosts.iter().any(listed)
    }
}

/// A host's name as it is compared: neither case, brackets nor a dot at the end matter.
fn plain(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase()
}

/// Is this host this machine, so that clear text stays here?
fn is_here(url: &Url) -> bool {
    is_local_name(url.host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &[&str], url: &str) -> bool {
        !Referrals::follow(hosts).allowed(&[url.to_owned()]).is_empty()
    }

    #[test]
    fn only_named_hosts_are_followed() {
        let hosts = ["b.example.com", "c.example.com:6360", "::1", "[fe80::1]:1389"];
        for (url, expected) in [
            ("ldap://b.example.com/dc=x", true),
            ("ldaps://B.Example.Com.:1636/dc=x??sub", true),
            ("ldap://c.example.com:6360", true),
            ("ldap://c.example.com", false),
            ("ldap://[::1]:389/dc=x", true),
            ("ldap://[fe80::1]:1389/dc=x", true),
            ("ldap://[fe80::1]/dc=x", false),
            ("ldap://b.example.com.evil.org/dc=x", false),
            ("ldap://evil.org/dc=x", false),
            ("ldap:///dc=x", false),
            ("ldapi://%2Frun%2Fb.example.com", false),
            ("http://b.example.com/", false),
            ("ldap://b.example.com/dc=x????!bindname=cn=a", false),
            ("ldap://b.example.com/dc=x????bindname=cn=a", true),
            ("no url", false),
        ] {
            assert_eq!(allowed(&hosts, url), expected, "{url}");
        }
        assert!(!allowed(&[], "ldap://b.example.com"));
        assert!(!allowed(&[""], "ldap:///dc=x"));
    }
}
