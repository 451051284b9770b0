//! Of equal look-ups that are under way at the same time one asks; the others get its answer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Where the answer of a look-up is waited for. It ends without one when the look-up fails or is given up.
type Board<A> = Arc<watch::Sender<Option<A>>>;

/// Look-ups under way, by what they ask.
pub(super) struct Flights<Q: Eq + Hash, A>(Mutex<HashMap<Q, Board<A>>>);

/// How an answer was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Asked,
    Shared,
}

enum Seat<'f, Q: Eq + Hash, A> {
    Leads(Lead<'f, Q, A>),
    Follows(watch::Receiver<Option<A>>),
}

/// Whoever asks. Those who wait are told when it is dropped.
struct Lead<'f, Q: Eq + Hash, A> {
    flights: &'f Flights<Q, A>,
    question: Q,
    board: Board<A>,
}

impl<Q: Clone + Eq + Hash, A: Clone> Flights<Q, A> {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Asks, or waits for the answer of whoever asks the same already. A failure is nobody's but its own: those who
    /// waited ask for themselves, as they do when whoever asked was given up at its deadline.
    pub(super) async fn share<E>(
        &self,
        question: Q,
        asking: impl Future<Output = Result<A, E>>,
    ) -> Result<(A, Way), E> {
        let lead = match self.board(question) {
            Seat::Leads(lead) => lead,
            Seat::Follows(mut board) => {
                let answer = board.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
                return match answer {
                    Some(answer) => Ok((answer, Way::Shared)),
                    None => Ok((asking.await?, Way::Asked)),
                };
            }
        };
        let answer = asking.await?;
        lead.land(&answer);
        Ok((answer, Way::Asked))
    }

    fn board(&self, question: Q) -> Seat<'_, Q, A> {
        let mut flights = self.lock();
        if let Some(board) = flights.get(&question) {
            return Seat::Follows(board.subscribe());
        }
        let board = Arc::new(watch::Sender::new(None));
        flights.insert(question.clone(), Arc::clone(&board));
        Seat::Leads(Lead { flights: self, question, board })
    }
}

impl<Q: Eq + Hash, A> Flights<Q, A> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Q, Board<A>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: Eq + Hash, A: Clone> Lead<'_, Q, A> {
    fn land(self, answer: &A) {
        // Nobody joins any more, so that an answer nobody waits for need not be copied.
        self.flights.lock().remove(&self.question);
        if self.board.receiver_count() > 0 {
            self.board.send_replace(Some(answer.clone()));
        }
    }
}

impl<Q: Eq + Hash, A> Drop for Lead<'_, Q, A> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // After landing the place may be another's already.
        if flights.get(&self.question).is_some_and(|board| Arc::ptr_eq(board, &self.board)) {
            flights.remove(&self.question);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn equal_questions_at_once_are_asked_once_and_others_for_themselves() {
        let (flights, asked, go) = (Flights::new(), AtomicU32::new(0), Notify::new());
        let ask = |question: &'static str| {
            let asking = async {
                asked.fetch_add(1, Ordering::Relaxed);
                go.notified().await;
                Ok::<_, ()>(question.len())
            };
            flights.share(question, asking)
        };
        let all = join_all(["alice", "bob", "alice", "alice"].map(ask));
        let release = async { (0..2).for_each(|_| go.notify_one()) };
        let (answers, ()) = tokio::join!(all, release);
        let mut ways: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!((ways.remove(1), ways[0]), ((3, Way::Asked), (5, Way::Asked)));
        assert_eq!(ways[1..], [(5, Way::Shared), (5, Way::Shared)]);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_failure_is_nobody_else_s() {
        let flights = Flights::new();
        let failing = flights.share("alice", async {
            tokio::task::yield_now().await;
            Err::<u32, _>("down")
        });
        let (first, second) = tokio::join!(failing, flights.share("alice", async { Ok::<_, &str>(7) }));
        assert_eq!((first, second), (Err("down"), Ok((7, Way::Asked))));
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn who_waits_goes_on_when_whoever_asked_is_given_up() {
        let flights = Flights::new();
        let mut leader = Box::pin(flights.share("alice", std::future::pending::<Result<u32, ()>>()));
        assert!(leader.as_mut().now_or_never().is_none());
        let mut follower = Box::pin(flights.share("alice", async { Ok::<_, ()>(7) }));
        assert!(follower.as_mut().now_or_never().is_none());
        drop(leader);
        assert_eq!(follower.await, Ok((7, Way::Asked)));
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn an_answer_is_not_kept_for_who_comes_later() {
        let flights = Flights::new();
        for answer in [1, 2] {
            let shared = flights.share("alice", async { Ok::<_, ()>(answer) }).await;
            assert_eq!(shared, Ok((answer, Way::Asked)));
        }
    }
}
