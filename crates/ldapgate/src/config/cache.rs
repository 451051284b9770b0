//! `[cache]`: what may be remembered instead of asked again.

use std::time::Duration;

use super::read::{Section, Zero};

/// The longest a proved password may be remembered.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// `[cache]`; zero is off.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(crate) dn: Duration,
    pub(crate) groups: Duration,
    pub(crate) credentials: Duration,
}

pub(super) fn read(section: Section<'_>) -> Cache {
    let dn = section.duration("dn", "0s", Zero::Off);
    let groups = section.duration("groups", "0s", Zero::Off);
    let credentials = section.duration("credentials", "0s", Zero::Off);
    if credentials.value > LONGEST {
        section.sheet().wrong(&credentials.place, "credentials is at most \"5m\"");
    }
    section.finish();
    Cache { dn: dn.value, groups: groups.value, credentials: credentials.value }
}
