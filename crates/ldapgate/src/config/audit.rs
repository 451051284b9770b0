//! `[audit]`: how long the record of sign-ins is kept.

use std::time::Duration;

use super::read::{Section, Zero};

pub(super) fn read(section: Section<'_>) -> Duration {
    let keep = section.duration("keep", "365d", Zero::Wrong).value;
    section.finish();
    keep
}
