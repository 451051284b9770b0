//! Answers that are kept, each for so long and all of them in so much room.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Answers by what was asked. The oldest makes room for the newest.
pub(crate) struct Memory<Q, A> {
    age: Duration,
    room: usize,
    kept: Mutex<Kept<Q, A>>,
}

struct Kept<Q, A> {
    entries: HashMap<Q, Entry<A>>,
    /// The questions by the order in which their answers came.
    order: BTreeMap<u64, Q>,
    came: u64,
    filled: usize,
}

struct Entry<A> {
    /// Shared, so that a long one is copied after the lock is free.
    answer: Arc<A>,
    asked: SystemTime,
    size: usize,
    came: u64,
}

impl<Q: Clone + Eq + Hash, A: Clone> Memory<Q, A> {
    /// Keeps each answer for `age`, zero being not at all, and as many as fit into `room`.
    pub(crate) fn new(age: Duration, room: usize) -> Self {
        let kept = Kept { entries: HashMap::new(), order: BTreeMap::new(), came: 0, filled: 0 };
        Self { age, room, kept: Mutex::new(kept) }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.age.is_zero()
    }

    /// The answer that was kept, while it is young enough. One that seems to come from the future, because the clock was
    /// set back, is not.
    pub(crate) fn recall(&self, question: &Q, now: SystemTime) -> Option<A> {
        let answer = self.young(question, now)?;
        Some(Arc::unwrap_or_clone(answer))
    }

    /// Keeps an answer, whose age counts from when it was asked for. One that was asked for before the answer which is there
    /// comes too late.
    pub(crate) fn keep(&self, question: Q, answer: A, size: usize, asked: SystemTime) {
        let mut kept = self.kept();
        let late = kept.entries.get(&question).is_some_and(|entry| entry.asked > asked);
        if self.is_off() || late || size > self.room {
            return;
        }
        kept.remove(&question);
        while kept.filled + size > self.room {
            let Some((_, oldest)) = kept.order.pop_first() else { break };
            kept.remove(&oldest);
        }
        kept.came += 1;
        kept.filled += size;
        let came = kept.came;
        kept.order.insert(came, question.clone());
        kept.entries.insert(question, Entry { answer: Arc::new(answer), asked, size, came });
    }

    pub(crate) fn forget(&self, question: &Q) {
        self.kept().remove(question);
    }

    fn young(&self, question: &Q, now: SystemTime) -> Option<Arc<A>> {
        let mut kept = self.kept();
        let entry = kept.entries.get(question)?;
        if now.duration_since(entry.asked).is_ok_and(|age| age < self.age) {
            return Some(Arc::clone(&entry.answer));
        }
        kept.remove(question);
        None
    }

    fn kept(&self) -> MutexGuard<'_, Kept<Q, A>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: Eq + Hash, A> Kept<Q, A> {
    fn remove(&mut self, question: &Q) {
        if let Some(entry) = self.entries.remove(question) {
            self.order.remove(&entry.came);
            self.filled -= entry.size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn memory(room: usize) -> Memory<&'static str, u32> {
        Memory::new(Duration::from_secs(60), room)
    }

    #[test]
    fn an_answer_counts_for_its_age_from_the_question_on() {
        let memory = memory(10);
        memory.keep("alice", 1, 1, at(100));
        assert_eq!(memory.recall(&"alice", at(159)), Some(1));
        assert_eq!(memory.recall(&"alice", at(160)), None);
        assert_eq!(memory.recall(&"alice", at(100)), None, "it was forgotten for good");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_answer_younger() {
        let memory = memory(10);
        memory.keep("alice", 1, 1, at(100));
        assert_eq!(memory.recall(&"alice", at(99)), None);
    }

    #[test]
    fn an_answer_that_was_asked_for_earlier_does_not_take_a_later_one_s_place() {
        let memory = memory(10);
        memory.keep("alice", 2, 1, at(100));
        memory.keep("alice", 1, 1, at(99));
        assert_eq!(memory.recall(&"alice", at(100)), Some(2));
        memory.keep("alice", 3, 1, at(101));
        assert_eq!(memory.recall(&"alice", at(101)), Some(3));
    }

    #[test]
    fn the_oldest_makes_room_and_there_is_never_more_than_fits() {
        let memory = memory(10);
        for (name, size) in [("alice", 4), ("bob", 4), ("alice", 4), ("carol", 4)] {
            memory.keep(name, 1, size, at(100));
        }
        let kept = |name| memory.recall(&name, at(100)).is_some();
        assert_eq!([kept("alice"), kept("bob"), kept("carol")], [true, false, true]);
        memory.keep("everybody", 1, 11, at(100));
        assert!(!kept("everybody") && kept("alice"), "what does not fit at all pushes nobody out");
        memory.forget(&"alice");
        memory.keep("dave", 1, 6, at(100));
        assert!(kept("carol") && kept("dave") && !kept("alice"));
        let state = memory.kept();
        assert_eq!((state.filled, state.entries.len(), state.order.len()), (10, 2, 2));
    }

    #[test]
    fn off_keeps_nothing() {
        let memory = Memory::new(Duration::ZERO, 10);
        memory.keep("alice", 1, 1, at(100));
        assert!(memory.is_off() && memory.recall(&"alice", at(100)).is_none());
        assert!(memory.kept().entries.is_empty());
    }
}
