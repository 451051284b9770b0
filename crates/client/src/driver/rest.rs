//! A search's answers come one by one, each in a packet of its own, and a client that is faster than its server is woken
//! for each of them: the waking costs more than the reading. After many such reads in a row the next one rests for a
//! moment, in which more of them come.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// The runtime's timers know no shorter time.
const MOMENT: Duration = Duration::from_millis(1);
/// So many small reads in a row are a flow.
const FLOW: u32 = 16;
/// Less than this is a small read; a rest that brings less does not pay.
const SMALL: usize = 4 * 1024;

/// The rests of one connection.
#[derive(Default)]
pub(super) struct Rest {
    /// Made when there is a first rest: most connections never carry a flow.
    sleep: Option<Pin<Box<Sleep>>>,
    state: State,
    /// Small reads in a row, each soon after the one before.
    row: u32,
    /// Entries of the page when the last rest began.
    before: usize,
    /// Entries that the last rest brought.
    haul: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Awake,
    Resting,
    Rested,
}

/// What a page says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// Entries that have come.
    pub(super) seen: usize,
    /// Entries that may still come.
    pub(super) left: usize,
}

impl Rest {
    /// Is it time to read?
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let State::Resting = self.state else { return true };
        let over = self.sleep.as_mut().is_none_or(|sleep| sleep.as_mut().poll(cx) != Poll::Pending);
        if over {
            self.state = State::Rested;
        }
        over
    }

    /// Somebody else waits for an answer.
    pub(super) fn cancel(&mut self) {
        *self = Rest { sleep: self.sleep.take(), haul: self.haul, ..Rest::default() };
    }

    /// So many bytes were read, so long after the read before, for this page alone; `whole` is all that could be read at
    /// once.
    pub(super) fn after(&mut self, count: usize, whole: usize, gap: Duration, page: Progress) {
        let rested = std::mem::take(&mut self.state) == State::Rested;
        if rested {
            self.haul = page.seen.saturating_sub(self.before);
        }
        let flows = if rested { count >= SMALL } else { count < SMALL && gap < MOMENT };
        // A buffer that was filled has more behind it.
        if count == whole {
            return;
        }
        self.row = if flows { self.row + 1 } else { 0 };
        // The end of a page is not to be slept through.
        if self.row < FLOW || page.left <= self.haul {
            return;
        }
        self.before = page.seen;
        self.state = State::Resting;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(Instant::now() + MOMENT),
            None => self.sleep = Some(Box::pin(sleep(MOMENT))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const SOON: Duration = Duration::from_micros(50);
    const ENDLESS: Progress = Progress { seen: 0, left: usize::MAX };

    async fn is_over(rest: &mut Rest) -> bool {
        poll_fn(|cx| Poll::Ready(rest.is_over(cx))).await
    }

    async fn wait(rest: &mut Rest) {
        poll_fn(|cx| if rest.is_over(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    async fn flowing(page: Progress) -> Rest {
        let mut rest = Rest::default();
        for _ in 0..FLOW {
            assert!(is_over(&mut rest).await);
            rest.after(200, 8192, SOON, page);
        }
        rest
    }

    #[tokio::test(start_paused = true)]
    async fn many_small_reads_in_a_row_make_a_rest() {
        let began = Instant::now();
        let mut rest = flowing(ENDLESS).await;
        assert!(!is_over(&mut rest).await);
        wait(&mut rest).await;
        assert!(began.elapsed() >= MOMENT);
        rest.after(9000, 65536, MOMENT, ENDLESS);
        assert!(!is_over(&mut rest).await, "it paid, so there is another");
        wait(&mut rest).await;
        rest.after(200, 65536, MOMENT, ENDLESS);
        assert!(is_over(&mut rest).await, "it did not pay");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_come_now_and_then_are_read_at_once() {
        let mut rest = Rest::default();
        for _ in 0..1000 {
            rest.after(200, 8192, Duration::from_millis(2), ENDLESS);
            assert!(is_over(&mut rest).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_page_is_not_slept_through() {
        let mut rest = flowing(Progress { seen: 16, left: 484 }).await;
        wait(&mut rest).await;
        rest.after(20_000, 65536, MOMENT, Progress { seen: 266, left: 234 });
        assert!(is_over(&mut rest).await, "the rest of it comes within another moment");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_else_waits_ends_a_rest() {
        let mut rest = flowing(ENDLESS).await;
        rest.cancel();
        assert!(is_over(&mut rest).await);
    }
}
