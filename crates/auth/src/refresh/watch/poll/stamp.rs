//! Changes by their times, which servers write to the second: what changes twice in one second is told twice, so that the
//! second change is not missed.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use client::{Connection, Entry, Search};
use proto::value::GeneralizedTime;
use proto::{Dn, Filter};

use super::failed;
use crate::Error;
use crate::fingerprint::Fingerprint;
use crate::groups::place_of;

pub(super) const ATTRIBUTE: &str = "modifyTimestamp";
/// So far may the server's clock be behind ours.
const BEHIND: Duration = Duration::from_secs(24 * 60 * 60);
/// A time that lies further ahead of ours is one entry's, and not the server's.
const AHEAD: Duration = Duration::from_secs(60 * 60);

/// Up to which time everything is known.
pub(super) struct Stamp {
    /// The newest change that was seen, in seconds since 1970.
    from: i64,
    newest: i64,
    /// No later time counts.
    latest: i64,
    /// What was told of that time or a later one: when it had changed, and how often that was told.
    told: HashMap<Fingerprint, (i64, u8)>,
}

impl Stamp {
    pub(super) fn at(now: SystemTime) -> Stamp {
        let from = seconds(now.checked_sub(BEHIND).unwrap_or(SystemTime::UNIX_EPOCH));
        Stamp { from, newest: from, latest: seconds(now + AHEAD), told: HashMap::new() }
    }

    /// Takes what has changed until now as known.
    pub(super) async fn catch_up(&mut self, connection: &Connection, bases: &[Dn]) -> Result<(), Error> {
        for base in bases {
            let search = Search::below(base.as_str())
                .matching(self.changed())
                .attributes([ATTRIBUTE])
                .keep_referrals();
            let mut found = connection.stream(search);
            while let Some(entry) = found.next().await.map_err(|error| failed(base, error))? {
                self.is_news(&entry);
            }
        }
        self.from = self.from.max(self.newest);
        self.forget();
        Ok(())
    }

    /// What the entries match that have changed.
    pub(super) fn changed(&self) -> Filter {
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(self.from.max(0).unsigned_abs());
        let from = GeneralizedTime::from_system_time(from).map_or_else(String::new, |time| time.to_string());
        Filter::greater_or_equal(ATTRIBUTE, from)
    }

    /// Was this change not told, or not yet twice? A second that is over by the next question has no third.
    pub(super) fn is_news(&mut self, entry: &Entry) -> bool {
        let at = entry.text(ATTRIBUTE).and_then(|text| text.parse::<GeneralizedTime>().ok());
        let at = at.map_or(self.from, |time| time.unix_seconds());
        if at <= self.latest {
            self.newest = self.newest.max(at);
        }
        let told = self.told.entry(place_of(entry)).or_insert((at, 0));
        if told.0 != at {
            *told = (at, 0);
        }
        told.1 = told.1.saturating_add(1);
        told.1 <= 2
    }

    /// What has changed was read.
    pub(super) fn done(&mut self, now: SystemTime) {
        self.latest = seconds(now + AHEAD);
        self.from = self.from.max(self.newest);
        self.forget();
    }

    fn forget(&mut self) {
        let from = self.from;
        self.told.retain(|_, (at, _)| *at >= from);
    }
}

fn seconds(time: SystemTime) -> i64 {
    GeneralizedTime::from_system_time(time).map_or(0, |time| time.unix_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, at: &str) -> Entry {
        Entry::builder(format!("cn={name},dc=example,dc=com")).attribute(ATTRIBUTE, [at]).build()
    }

    #[test]
    fn a_change_is_told_twice_because_its_second_may_not_be_over() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut stamp = Stamp::at(now);
        let ada = entry("ada", "20270115080000Z");
        assert!(stamp.is_news(&ada));
        stamp.done(now);
        assert_eq!(stamp.changed().to_string(), "(modifyTimestamp>=20270115080000Z)");
        assert!(stamp.is_news(&ada));
        stamp.done(now);
        assert!(!stamp.is_news(&ada));
        let later = entry("ada", "20270115080001Z");
        assert!(stamp.is_news(&later));
        stamp.done(now);
        assert_eq!(stamp.told.len(), 1);
        assert_eq!(stamp.changed().to_string(), "(modifyTimestamp>=20270115080001Z)");
    }

    #[test]
    fn one_entry_from_the_future_does_not_hide_what_changes_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut stamp = Stamp::at(now);
        assert!(stamp.is_news(&entry("odd", "20990101000000Z")));
        stamp.done(now);
        assert_eq!(stamp.changed().to_string(), "(modifyTimestamp>=20270114080000Z)");
    }
}
