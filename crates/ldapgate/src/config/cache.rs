//! `[cache]`: what may be remembered instead of asked again. Its room comes later; only "off" is taken.

use std::time::Duration;

use super::read::{Section, Zero};

/// The longest a proved password may be remembered.
const LONGEST: Duration = Duration::from_secs(5 * 60);

pub(super) fn read(section: Section<'_>) {
    let dn = section.duration("dn", "0s", Zero::Off);
    let groups = section.duration("groups", "0s", Zero::Off);
    let credentials = section.duration("credentials", "0s", Zero::Off);
    if credentials.value > LONGEST {
        section.sheet().wrong(&credentials.place, "credentials is at most \"5m\"");
    }
    for (key, found) in [("dn", &dn), ("groups", &groups), ("credentials", &credentials)] {
        if !found.value.is_zero() {
            section.sheet().not_yet(&found.place, &format!("cache.{key}"));
        }
    }
    section.mark_not_yet(&["dn", "groups", "credentials"]);
    section.finish();
}
