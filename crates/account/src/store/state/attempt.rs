//! Attempts: reserve, settle, list, clear.

use std::time::Duration;

use super::State;
use crate::Time;
use crate::store::{
    AttemptId, Block, BlockQuery, ClearBlocks, Counter, CounterKey, LimitQuery, Reservation, Reserve,
    Reserved, Settle, Settlement, Verdict,
};

impl State {
    /// See [`Store::blocked_until`](crate::store::Store::blocked_until).
    #[must_use]
    pub fn blocked_until(&self, query: LimitQuery) -> Option<Time> {
        let counter = self.counters.get(&query.limit.key).copied().unwrap_or_default();
        match counter.judge(query.limit.most, 0, query.window, query.at) {
            Verdict::Blocked(until) => Some(until),
            Verdict::Free | Verdict::UnderWay => None,
        }
    }

    /// See [`Store::reserve_attempt`](crate::store::Store::reserve_attempt).
    pub fn reserve_attempt(&mut self, reserve: Reserve) -> Reserved {
        let Reserve { id, limits, window, at, expires } = reserve;
        let answer = limits
            .iter()
            .map(|limit| {
                let (counter, under_way) = self.count_overdue(&limit.key, window, at);
                counter.judge(limit.most, under_way, window, at)
            })
            .collect();
        if answer == Reserved::Yes {
            for limit in limits {
                self.reservations.insert((limit.key, id), Reservation { id, at, expires });
            }
        }
        answer
    }

    /// See [`Store::settle_attempt`](crate::store::Store::settle_attempt).
    pub fn settle_attempt(&mut self, settle: Settle) {
        if let Some(id) = settle.id {
            self.settle(id, settle.settlement, settle.window, settle.at);
        }
        if let Some(audit) = settle.audit {
            self.write_audit(audit);
        }
    }

    /// See [`Store::blocks`](crate::store::Store::blocks).
    #[must_use]
    pub fn blocks(&self, query: BlockQuery) -> Vec<Block> {
        self.counters
            .iter()
            .filter(|(_, counter)| counter.counts(query.window, query.at))
            .map(|(key, counter)| Block { key: key.clone(), counter: *counter })
            .collect()
    }

    /// See [`Store::clear_blocks`](crate::store::Store::clear_blocks).
    pub fn clear_blocks(&mut self, clear: ClearBlocks) -> u64 {
        let cleared = clear.keys.iter().filter(|key| self.counters.remove(key).is_some()).count();
        if cleared > 0 {
            self.write_audit(clear.audit);
        }
        cleared as u64
    }

    /// Takes an attempt's reservations away, and counts them when it was wrong.
    pub(super) fn settle(&mut self, id: AttemptId, settlement: Settlement, window: Duration, at: Time) {
        let keys: Vec<_> = self.reservations.keys().filter(|(_, other)| *other == id).cloned().collect();
        for place in keys {
            self.reservations.remove(&place);
            if settlement == Settlement::Wrong {
                let counter = self.counters.entry(place.0).or_default();
                *counter = counter.wrong(window, at);
            }
        }
    }

    /// Counts reservations of a key that nobody settled in time; answers the counter and how many are under way.
    fn count_overdue(&mut self, key: &CounterKey, window: Duration, at: Time) -> (Counter, usize) {
        let reservations = self
            .reservations
            .iter()
            .filter(|((other, _), _)| other == key)
            .map(|(_, reservation)| *reservation)
            .collect();
        let before = self.counters.get(key).copied().unwrap_or_default();
        let (counter, under_way) = before.overdue(reservations, window, at);
        if counter != before {
            self.counters.insert(key.clone(), counter);
        }
        self.reservations.retain(|(other, _), reservation| other != key || reservation.expires > at);
        (counter, under_way.len())
    }
}
