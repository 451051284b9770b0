//! Servers found in the DNS (RFC 2782): `srv:example.com`.
//!
//! `_ldaps._tcp` is asked first; where there is none, `_ldap._tcp`, whose servers are spoken to by StartTLS alone. Whoever
//! can forge an answer could send passwords elsewhere, so that a server must lie below the domain that was asked for, and
//! prove by its certificate that it is the host that was named.

mod discovery;
#[cfg(feature = "srv")]
mod lookup;

use std::collections::BTreeSet;

pub(crate) use discovery::{Discovery, PAUSE};

use crate::options::Address;

/// Servers that are taken of one answer.
const MOST: usize = 64;

/// What stands before a domain in place of a URL.
pub(crate) const PREFIX: &str = "srv:";

/// One record, as the DNS gives it; the target in lower case and without the dot at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    pub(crate) target: String,
}

/// How a service's servers are spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Ldaps,
    /// With StartTLS, and never without.
    Ldap,
}

impl Service {
    /// The name to ask for, with the dot at its end that keeps search domains away.
    #[cfg_attr(not(feature = "srv"), expect(dead_code, reason = "nobody asks"))]
    pub(crate) fn name(self, domain: &str) -> String {
        match self {
            Service::Ldaps => format!("_ldaps._tcp.{domain}."),
            Service::Ldap => format!("_ldap._tcp.{domain}."),
        }
    }
}

/// A domain's name as the DNS has it: letters, digits, hyphens and underscores between dots (RFC 1123 section 2.1).
pub(crate) fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Records into servers, in the order in which they are to be tried. `Err` says why there is none.
///
/// `random` gives a number from 0 to its argument, which is included.
pub(crate) fn servers(
    domain: &str,
    service: Service,
    records: Vec<Record>,
    random: impl FnMut(u32) -> u32,
) -> Result<Vec<Address>, String> {
    if let [only] = &records[..]
        && only.target.is_empty()
    {
        return Err("the domain says that it has no such service".to_owned());
    }
    let (near, elsewhere): (Vec<Record>, Vec<Record>) =
        records.into_iter().partition(|record| lies_below(&record.target, domain) && record.port > 0);
    if !elsewhere.is_empty() {
        let targets: BTreeSet<&str> = elsewhere.iter().map(|record| record.target.as_str()).collect();
        let targets = targets.into_iter().take(5).collect::<Vec<_>>().join(", ");
        if near.is_empty() {
            return Err(format!(
                "the servers named there do not lie below {domain}: {}",
                targets.escape_default()
            ));
        }
        tracing::warn!(domain, targets, "servers left out that do not lie below the domain");
    }
    let scheme = match service {
        Service::Ldaps => "ldaps",
        Service::Ldap => "ldap",
    };
    let ordered = order(near, random).into_iter().take(MOST);
    let addresses = ordered.filter_map(|Record { priority, port, target, .. }| {
        let mut address = Address::parse(&format!("{scheme}://{target}:{port}")).ok()?;
        address.start_tls = service == Service::Ldap;
        address.tier = u32::from(priority);
        Some(address)
    });
    let addresses: Vec<Address> = addresses.collect();
    if addresses.is_empty() {
        return Err("the servers named there have names that no URL can carry".to_owned());
    }
    Ok(addresses)
}

/// Is it the domain, or a host in it?
fn lies_below(target: &str, domain: &str) -> bool {
    let Some(start) = target.len().checked_sub(domain.len()) else { return false };
    let Some((host, end)) = target.split_at_checked(start) else { return false };
    is_domain(target) && end.eq_ignore_ascii_case(domain) && (host.is_empty() || host.ends_with('.'))
}

/// By priority; among equals by chance, in proportion to their weights (RFC 2782, "Weight").
fn order(mut records: Vec<Record>, mut random: impl FnMut(u32) -> u32) -> Vec<Record> {
    // Those without weight come first, so that they are chosen by a 0 alone.
    records.sort_by_key(|record| (record.priority, record.weight > 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let equals = || records.iter().take_while(|record| record.priority == priority);
        let sum = equals().map(|record| u32::from(record.weight)).sum();
        let chosen = random(sum);
        let mut running = 0;
        let place = equals().position(|record| {
            running += u32::from(record.weight);
            running >= chosen
        });
        ordered.push(records.remove(place.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(priority: u16, weight: u16, target: &str) -> Record {
        Record { priority, weight, port: 636, target: target.to_owned() }
    }

    fn urls(addresses: &[Address]) -> Vec<&str> {
        addresses.iter().map(|address| address.text.as_str()).collect()
    }

    #[test]
    fn a_lower_priority_goes_first_whatever_its_weight() {
        let records = vec![record(20, 100, "c.x"), record(0, 0, "a.x"), record(10, 1, "b.x")];
        let found = servers("x", Service::Ldaps, records, |_| 0).unwrap();
        assert_eq!(urls(&found), ["ldaps://a.x:636", "ldaps://b.x:636", "ldaps://c.x:636"]);
        assert_eq!(found.iter().map(|address| address.tier).collect::<Vec<_>>(), [0, 10, 20]);
    }

    #[test]
    fn weight_is_the_chance_of_going_first() {
        // 0 chooses the one without weight, 1 to 30 the next, 31 to 100 the last.
        let mut first = std::collections::HashMap::<String, u32>::new();
        for chosen in 0..=100 {
            let records = vec![record(0, 70, "heavy.x"), record(0, 0, "none.x"), record(0, 30, "light.x")];
            let mut chance = Some(chosen);
            let ordered = order(records, |sum| chance.take().unwrap_or(sum));
            assert_eq!(ordered.len(), 3);
            *first.entry(ordered[0].target.clone()).or_default() += 1;
        }
        assert_eq!((first["none.x"], first["light.x"], first["heavy.x"]), (1, 30, 70));
    }

    #[test]
    fn the_sum_shrinks_as_servers_are_chosen() {
        let records = vec![record(0, 5, "a.x"), record(0, 7, "b.x"), record(1, 9, "c.x")];
        let mut sums = Vec::new();
        order(records, |sum| {
            sums.push(sum);
            sum
        });
        assert_eq!(sums, [12, 5, 9]);
    }

    #[test]
    fn servers_of_another_domain_are_left_out() {
        let targets = [
            "evil.com",
            "example.com.evil.com",
            "notexample.com",
            "ldap.EXAMPLE.com",
            "example.com",
            "a b.example.com",
        ];
        let records = targets.map(|target| record(0, 0, target)).to_vec();
        let found = servers("example.com", Service::Ldap, records, |_| 0).unwrap();
        assert_eq!(urls(&found), ["ldap://ldap.EXAMPLE.com:636", "ldap://example.com:636"]);
        assert!(found.iter().all(|address| address.start_tls), "in clear text never");
        let error = servers("example.com", Service::Ldap, vec![record(0, 0, "evil.com")], |_| 0).unwrap_err();
        assert!(error.contains("do not lie below example.com: evil.com"), "{error}");
    }

    #[test]
    fn a_root_target_means_that_there_is_no_such_service() {
        let error = servers("example.com", Service::Ldaps, vec![record(0, 0, "")], |_| 0).unwrap_err();
        assert!(error.contains("no such service"), "{error}");
    }

    #[test]
    fn an_answer_of_thousands_is_cut() {
        let records = (0..3000).map(|host| record(0, 1, &format!("h{host}.x"))).collect();
        assert_eq!(servers("x", Service::Ldaps, records, |_| 0).unwrap().len(), MOST);
    }

    #[test]
    fn domains_are_told_from_other_texts() {
        for good in ["example.com", "a", "x-y.example", "_tenant.example.com", "10.example"] {
            assert!(is_domain(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", ".", "example.com.", "a..b", "-a.b", "a b", "bücher.example", "//example.com", &long]
        {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
