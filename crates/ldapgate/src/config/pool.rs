//! `[directory.pool]`: how many connections are kept, and for how long.

use std::time::Duration;

use super::read::{Section, Zero};

/// `[directory.pool]`.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) lookup: usize,
    pub(crate) prove: usize,
    pub(crate) idle: Duration,
    pub(crate) max_age: Duration,
}

pub(super) fn read(section: Section<'_>) -> Pool {
    let pool = Pool {
        lookup: section.number("lookup", 8, 1..=1000).value as usize,
        prove: section.number("prove", 8, 1..=1000).value as usize,
        idle: section.duration("idle", "5m", Zero::Wrong).value,
        max_age: section.duration("max_age", "1h", Zero::Wrong).value,
    };
    section.finish();
    pool
}
