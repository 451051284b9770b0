//! Commands about attempts, and the arithmetic of counting them, which every store shares.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Audit;
use crate::Time;

/// The number of one attempt, random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId(pub i64);

/// What attempts are counted by, as text: a person, an address, or one of a fixed number of places for names
/// that nobody bears.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CounterKey(String);

impl CounterKey {
    /// A person by the name the directory gave them.
    #[must_use]
    pub fn person(directory: &str, name: &str) -> Self {
        Self(format!("person {directory} {name}"))
    }

    /// An address; IPv6 by its /64 network, an IPv4 address written as IPv6 as the IPv4 one.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(format!("address {address}")),
            IpAddr::V6(address) => {
                let network = std::net::Ipv6Addr::from(u128::from(address) & (u128::MAX << 64));
                Self(format!("address {network}/64"))
            }
        }
    }

    /// A place for names that nobody bears.
    #[must_use]
    pub fn unknown(place: u16) -> Self {
        Self(format!("unknown {place}"))
    }

    /// The key that prints as this text; for stores that read it back.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is counted by it; `None` for a text that is none of these.
    #[must_use]
    pub fn counted(&self) -> Option<Counted> {
        let (kind, rest) = self.0.split_once(' ')?;
        match kind {
            "person" => {
                let (directory, name) = rest.split_once(' ')?;
                Some(Counted::Person { directory: directory.to_owned(), name: name.to_owned() })
            }
            "address" => Some(Counted::Address(rest.to_owned())),
            "unknown" => rest.parse().ok().map(Counted::Unknown),
            _ => None,
        }
    }
}

/// What a [`CounterKey`] stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A person.
    Person {
        /// The directory's name, which has no blank in it.
        directory: String,
        /// The name the directory gave them.
        name: String,
    },
    /// An address, or an IPv6 network as `2001:db8::/64`.
    Address(String),
    /// A place for names that nobody bears: which names, cannot be told from it.
    Unknown(u16),
}

impl fmt::Display for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key and how many wrong attempts it bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What is counted.
    pub key: CounterKey,
    /// At so many it refuses; never 0.
    pub most: u32,
}

/// Asks whether a key refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitQuery {
    /// Key and limit.
    pub limit: Limit,
    /// How long a count lasts after the last wrong attempt.
    pub window: Duration,
    /// The present time.
    pub at: Time,
}

/// Counts an attempt before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// Its number.
    pub id: AttemptId,
    /// What it counts against; each key once.
    pub limits: Vec<Limit>,
    /// How long a count lasts after the last wrong attempt.
    pub window: Duration,
    /// The present time.
    pub at: Time,
    /// When the attempt counts as wrong unless it was settled: the process that made it is gone.
    pub expires: Time,
}

/// What came of [`Reserve`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reserved {
    /// Go on, and settle it.
    Yes,
    /// Nothing was reserved: wrong attempts and those under way fill the limit together. Ask again.
    UnderWay,
    /// Nothing was reserved: too many wrong attempts.
    Blocked {
        /// When to come again.
        until: Time,
    },
}

/// Ends an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// Its number; one that is not known is no error (it expired, or nothing is counted).
    pub id: Option<AttemptId>,
    /// What became of it.
    pub settlement: Settlement,
    /// How long a count lasts after the last wrong attempt.
    pub window: Duration,
    /// The present time.
    pub at: Time,
    /// Written in any case, where there is one.
    pub audit: Option<Audit>,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Settlement {
    /// The password was proved, or no bind was written: as if it had never been.
    Back,
    /// It counts as wrong.
    Wrong,
}

/// One attempt that is under way, on one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its number.
    pub id: AttemptId,
    /// When it was made.
    pub at: Time,
    /// When it counts as wrong.
    pub expires: Time,
}

/// Asks which counters still count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockQuery {
    /// The present time.
    pub at: Time,
    /// How long a count lasts after the last wrong attempt.
    pub window: Duration,
}

/// A key that has been counted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What is counted.
    pub key: CounterKey,
    /// How many, and when the last was.
    pub counter: Counter,
}

/// Forgets counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearBlocks {
    /// Whose, each key once.
    pub keys: Vec<CounterKey>,
    /// Written if there were any.
    pub audit: Audit,
}

/// Wrong attempts on one key. Stores keep the two numbers and leave the arithmetic to these methods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// How many.
    pub wrong: u32,
    /// When the last was.
    pub last: Time,
}

/// What a counter says to one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is room.
    Free,
    /// There is room unless what is under way turns out wrong.
    UnderWay,
    /// No room until then.
    Blocked(Time),
}

impl Counter {
    /// When it is forgotten.
    #[must_use]
    pub fn until(self, window: Duration) -> Time {
        self.last.after(window)
    }

    /// Whether it still counts.
    #[must_use]
    pub fn counts(self, window: Duration, at: Time) -> bool {
        self.wrong > 0 && self.until(window) > at
    }

    /// The counter after one more wrong attempt at that time.
    #[must_use]
    pub fn wrong(self, window: Duration, at: Time) -> Self {
        match self.counts(window, at) {
            true => Self { wrong: self.wrong.saturating_add(1), last: self.last.max(at) },
            false => Self { wrong: 1, last: at },
        }
    }

    /// The counter after reservations that nobody settled in time, and those that are still under way.
    ///
    /// The order of `reservations` does not matter: what expired is counted in the order of its time and number.
    #[must_use]
    pub fn overdue(
        self,
        mut reservations: Vec<Reservation>,
        window: Duration,
        at: Time,
    ) -> (Self, Vec<Reservation>) {
        reservations.sort_by_key(|reservation| (reservation.at, reservation.id));
        let (overdue, under_way): (Vec<_>, Vec<_>) =
            reservations.into_iter().partition(|reservation| reservation.expires <= at);
        let counter = overdue.iter().fold(self, |counter, reservation| counter.wrong(window, reservation.at));
        (counter, under_way)
    }

    /// What it says to one more attempt while so many are under way.
    #[must_use]
    pub fn judge(self, most: u32, under_way: usize, window: Duration, at: Time) -> Verdict {
        let wrong = if self.counts(window, at) { self.wrong } else { 0 };
        if wrong >= most {
            return Verdict::Blocked(self.until(window));
        }
        match u32::try_from(under_way).unwrap_or(u32::MAX).saturating_add(wrong) >= most {
            true => Verdict::UnderWay,
            false => Verdict::Free,
        }
    }
}

/// The answer to an attempt from what its keys say: the longest block, else a wait, else room.
impl FromIterator<Verdict> for Reserved {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        verdicts.into_iter().fold(Self::Yes, |answer, verdict| match (answer, verdict) {
            (Self::Blocked { until }, Verdict::Blocked(other)) => Self::Blocked { until: until.max(other) },
            (_, Verdict::Blocked(until)) => Self::Blocked { until },
            (Self::Yes, Verdict::UnderWay) => Self::UnderWay,
            (answer, _) => answer,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    #[test]
    fn ipv6_addresses_are_counted_by_their_network() {
        let key = |text: &str| CounterKey::address(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:2"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn a_key_tells_what_it_counts() {
        let address = CounterKey::address("2001:db8::7".parse().unwrap());
        assert_eq!(address.counted(), Some(Counted::Address("2001:db8::/64".to_owned())));
        assert_eq!(CounterKey::unknown(7).counted(), Some(Counted::Unknown(7)));
        let person = CounterKey::person("main", "anna lena").counted();
        assert_eq!(
            person,
            Some(Counted::Person { directory: "main".to_owned(), name: "anna lena".to_owned() })
        );
        assert_eq!(CounterKey::from_text("else").counted(), None);
    }

    #[test]
    fn a_count_is_forgotten_when_the_window_has_passed_since_the_last() {
        let counter = Counter::default().wrong(WINDOW, at(10)).wrong(WINDOW, at(50));
        assert_eq!(counter, Counter { wrong: 2, last: at(50) });
        assert_eq!(counter.judge(2, 0, WINDOW, at(109)), Verdict::Blocked(at(110)));
        assert_eq!(counter.judge(2, 0, WINDOW, at(110)), Verdict::Free);
        assert_eq!(counter.wrong(WINDOW, at(110)).wrong, 1);
    }

    #[test]
    fn what_is_under_way_fills_the_limit_without_blocking() {
        let counter = Counter::default().wrong(WINDOW, at(10));
        assert_eq!(counter.judge(4, 2, WINDOW, at(11)), Verdict::Free);
        assert_eq!(counter.judge(4, 3, WINDOW, at(11)), Verdict::UnderWay);
    }

    #[test]
    fn a_reservation_that_nobody_settles_counts_as_wrong() {
        let late = Reservation { id: AttemptId(1), at: at(5), expires: at(20) };
        let fresh = Reservation { id: AttemptId(2), at: at(15), expires: at(30) };
        let (counter, under_way) = Counter::default().overdue(vec![fresh, late], WINDOW, at(20));
        assert_eq!(counter, Counter { wrong: 1, last: at(5) });
        assert_eq!(under_way, [fresh]);
    }

    #[test]
    fn the_longest_block_is_told() {
        let verdicts = [Verdict::Blocked(at(9)), Verdict::UnderWay, Verdict::Blocked(at(7)), Verdict::Free];
        assert_eq!(verdicts.into_iter().collect::<Reserved>(), Reserved::Blocked { until: at(9) });
        assert_eq!([Verdict::Free, Verdict::UnderWay].into_iter().collect::<Reserved>(), Reserved::UnderWay);
    }
}
