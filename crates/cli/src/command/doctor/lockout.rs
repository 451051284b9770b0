//! The directory's own lockout beside `login.throttle`: ours must come first, or anybody could lock people out of everything
//! by typing wrong passwords here.

use std::time::Duration;

use account::Throttle;
use auth::Settings;
use client::proto::Filter;
use client::{Entry, Error, Search, Vendor};

use super::report::{Finding, Report, begin};
use super::server::Server;

/// So many wrong passwords lock an account.
#[derive(Debug)]
struct Policy {
    name: String,
    most: u32,
    /// How long a wrong password is remembered; `None` until the next right one.
    window: Option<Duration>,
}

/// Where a kind of server keeps it.
struct Place {
    base: String,
    whole: bool,
    filter: Filter,
    /// Off where this is false; on without it.
    on: Option<&'static str>,
    most: &'static str,
    window: &'static str,
    /// How long one unit of the window is.
    unit: Duration,
}

/// Compares them.
pub(super) async fn examine(report: &mut Report, settings: &Settings, server: &Server, throttle: Throttle) {
    let begun = begin("lockout", settings.name.as_str());
    let mut policies = Vec::new();
    let mut readable = false;
    for place in places(settings, server) {
        // A policy that may not be read is an answer, too: that is how most servers are set up.
        if let Ok(entries) = read(server, &place).await {
            readable |= !entries.is_empty();
            policies.extend(entries.iter().filter_map(|entry| place.policy(entry)));
        }
    }
    report.end(begun, judge(&policies, readable, throttle));
}

fn places(settings: &Settings, server: &Server) -> Vec<Place> {
    let base = || settings.base.to_string();
    let class = |class: &str| Filter::equal("objectClass", class);
    let second = Duration::from_secs(1);
    let vendor = server.root.as_ref().map(client::RootDse::vendor);
    match (vendor, settings.vendor) {
        (Some(Vendor::ActiveDirectory | Vendor::Samba), _) | (_, auth::Vendor::ActiveDirectory) => {
            let domain = server.root.as_ref().and_then(|root| root.default_naming_context());
            vec![Place {
                base: domain.map_or_else(base, str::to_owned),
                whole: false,
                filter: Filter::present("objectClass"),
                on: None,
                most: "lockoutThreshold",
                window: "lockOutObservationWindow",
                unit: Duration::from_nanos(100),
            }]
        }
        (Some(Vendor::Ds389), preset) => {
            let own = |base: String, whole, filter| Place {
                base,
                whole,
                filter,
                on: Some("passwordLockout"),
                most: "passwordMaxFailure",
                window: "passwordResetFailureCount",
                unit: second,
            };
            let mut places = vec![
                own("cn=config".to_owned(), false, Filter::present("objectClass")),
                own(base(), true, class("passwordPolicy")),
            ];
            if preset == auth::Vendor::FreeIpa {
                places.push(Place {
                    base: base(),
                    whole: true,
                    filter: class("krbPwdPolicy"),
                    on: None,
                    most: "krbPwdMaxFailure",
                    window: "krbPwdFailureCountInterval",
                    unit: second,
                });
            }
            places
        }
        _ => vec![Place {
            base: base(),
            whole: true,
            filter: class("pwdPolicy"),
            on: Some("pwdLockout"),
            most: "pwdMaxFailure",
            window: "pwdFailureCountInterval",
            unit: second,
        }],
    }
}

async fn read(server: &Server, place: &Place) -> Result<Vec<Entry>, Error> {
    let search =
        if place.whole { Search::below(place.base.as_str()) } else { Search::read(place.base.as_str()) };
    let wanted = [place.most, place.window].into_iter().chain(place.on);
    let found =
        server.connection.search(search.matching(place.filter.clone()).attributes(wanted).limit(20)).await?;
    Ok(found
        .entries
        .into_iter()
        .filter(|entry| entry.has(place.most) || place.on.is_some_and(|on| entry.has(on)))
        .collect())
}

impl Place {
    /// `None` where nothing is locked.
    fn policy(&self, entry: &Entry) -> Option<Policy> {
        let number = |attribute: &str| entry.text(attribute)?.trim().parse::<i64>().ok();
        let is_off =
            |on| !entry.text(on).is_some_and(|text| ["true", "on", "1"].contains(&&*text.to_lowercase()));
        if self.on.is_some_and(is_off) {
            return None;
        }
        let most = u32::try_from(number(self.most)?).ok().filter(|most| *most > 0)?;
        // Active Directory counts backwards.
        let units = number(self.window).map_or(0, i64::unsigned_abs);
        let nanos = u128::from(units) * self.unit.as_nanos();
        let window = (units > 0)
            .then(|| Duration::from_secs(u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX)));
        Some(Policy { name: entry.dn().to_owned(), most, window })
    }
}

fn judge(policies: &[Policy], readable: bool, throttle: Throttle) -> Finding {
    let ours = match throttle.person {
        0 => "login.throttle.person is off".to_owned(),
        person => format!("login.throttle.person is {person} in {:?}", throttle.window),
    };
    let Some(strictest) = policies.iter().min_by_key(|policy| policy.most) else {
        return match readable {
            true => Finding::ok(format!("the directory locks nobody; {ours}")),
            false => Finding::skipped(
                "the directory shows the service account no lockout policy",
                "make sure that its threshold is above login.throttle.person",
            )
            .seeing(ours),
        };
    };
    let finding = Finding::ok(format!(
        "the directory locks after {} wrong passwords ({}); {ours}",
        strictest.most, strictest.name
    ));
    policies.iter().fold(finding, |finding, policy| compare(finding, policy, throttle))
}

fn compare(finding: Finding, policy: &Policy, throttle: Throttle) -> Finding {
    let Policy { name, most, window } = policy;
    if throttle.person == 0 || throttle.person >= *most {
        let advice = match most {
            1 => "raise the directory's threshold: one wrong password locks".to_owned(),
            most => format!("set login.throttle.person below {most}, or raise the directory's threshold"),
        };
        return finding.but(
            format!(
                "anybody can lock an account of the directory here: {name} locks after {most} wrong passwords"
            ),
            advice,
        );
    }
    match window {
        Some(window) if *window > throttle.window && throttle.person.saturating_mul(2) >= *most => finding.but(
            format!("{name} remembers wrong passwords for {window:?}: whoever comes back after {:?} can lock an account", throttle.window),
            format!("set login.throttle.window to {window:?} or more"),
        ),
        None => finding.hint(
            format!("{name} remembers wrong passwords until the next right one: whoever comes back often enough can lock an account"),
            "let the directory forget wrong passwords after a while",
        ),
        Some(_) => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::report::Outcome;

    fn judged(most: u32, window: Option<u64>, person: u32) -> (Outcome, String) {
        let policies = [Policy { name: "cn=p".to_owned(), most, window: window.map(Duration::from_secs) }];
        let finding = judge(&policies, true, Throttle { person, ..Throttle::default() });
        (finding.outcome, format!("{finding:?}"))
    }

    #[test]
    fn ours_has_to_come_first() {
        assert_eq!(judged(5, Some(300), 4).0, Outcome::Ok);
        let (outcome, text) = judged(4, Some(300), 4);
        assert!(outcome == Outcome::Warning && text.contains("below 4"), "{text}");
        assert_eq!(judged(5, Some(300), 0).0, Outcome::Warning);
    }

    #[test]
    fn a_directory_that_remembers_longer_is_told_of() {
        let (outcome, text) = judged(5, Some(3600), 4);
        assert!(outcome == Outcome::Warning && text.contains("login.throttle.window to 3600s"), "{text}");
        assert_eq!(judged(9, Some(3600), 4).0, Outcome::Ok, "two rounds are not enough");
        let (outcome, text) = judged(5, None, 4);
        assert!(outcome == Outcome::Ok && text.contains("next right one"), "{text}");
    }

    #[test]
    fn a_directory_that_locks_nobody_or_shows_nothing_is_no_reason_to_worry() {
        assert_eq!(judge(&[], true, Throttle::default()).outcome, Outcome::Ok);
        assert_eq!(judge(&[], false, Throttle::default()).outcome, Outcome::Skipped);
    }

    #[test]
    fn active_directory_counts_its_window_backwards_in_tenths_of_a_microsecond() {
        let place = Place {
            base: String::new(),
            whole: false,
            filter: Filter::present("objectClass"),
            on: None,
            most: "lockoutThreshold",
            window: "lockOutObservationWindow",
            unit: Duration::from_nanos(100),
        };
        let entry = Entry::builder("dc=x")
            .attribute("lockoutThreshold", ["5"])
            .attribute("lockOutObservationWindow", ["-18000000000"])
            .build();
        let policy = place.policy(&entry).expect("it locks");
        assert_eq!((policy.most, policy.window), (5, Some(Duration::from_secs(1800))));
        let off = Entry::builder("dc=x").attribute("lockoutThreshold", ["0"]).build();
        assert!(place.policy(&off).is_none());
    }
}
