//! What lies between the task and the reader of one page: a queue with a limit in bytes.
//!
//! A page has one writer and one reader, is short, and every search needs one: a channel of the runtime's would cost more
//! than everything that goes through it. What one read of the socket yields is handed over at once, and taken at once: an
//! entry by itself costs neither a lock nor a wake-up.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use proto::message::Response;
use proto::{Controls, Entry, LdapResult};

use super::Answer;
use super::rest::Progress;
use crate::Error;

/// So many bytes are plenty for a reader: a connection that serves nobody else is read no further.
const PLENTY: usize = 256 * 1024;
/// It is read again when so few are left.
const FEW: usize = 64 * 1024;

/// What a page is made of; a size is the whole message's in bytes, and the item's own.
#[derive(Debug)]
pub(crate) enum Item {
    Entry(Entry),
    Reference(Vec<String>, usize),
    /// An entry or a reference with controls, or an intermediate message.
    Controlled(Box<(Response, Controls)>, usize),
    /// More than may wait; nothing comes after it.
    TooMuch,
    Done(Box<Result<(LdapResult, Controls), Error>>),
}

/// The driver's end.
pub(crate) struct PageSink {
    queue: Arc<Queue>,
    /// What was read and not yet handed over.
    staged: VecDeque<Measured>,
    max_bytes: usize,
    /// The search may be sent again on another connection.
    pub(super) can_be_repeated: bool,
    /// How many entries it can have, as far as that is known.
    pub(crate) expected: Option<u32>,
    seen: usize,
    /// Time that its reader takes is not the server's.
    pub(crate) excludes_reader: bool,
}

/// The stream's end.
pub(crate) struct Items {
    queue: Arc<Queue>,
    /// What was taken over and not yet read.
    taken: VecDeque<Measured>,
}

/// An item with its size.
type Measured = (Item, usize);

#[derive(Default)]
struct Queue {
    /// Of everything that waits for the reader, wherever it is.
    bytes: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Measured>,
    /// Nothing more will come.
    ended: bool,
    reader: Option<Waker>,
    /// The driver, when it waits until there is room.
    driver: Option<Waker>,
}

/// A page in which so many bytes may wait for their reader.
pub(crate) fn page(max_bytes: usize, can_be_repeated: bool) -> (PageSink, Items) {
    let queue = Arc::<Queue>::default();
    let items = Items { queue: queue.clone(), taken: VecDeque::new() };
    let staged = VecDeque::new();
    let sink = PageSink {
        queue,
        staged,
        max_bytes,
        can_be_repeated,
        expected: None,
        seen: 0,
        excludes_reader: false,
    };
    (sink, items)
}

impl Items {
    /// The next item; `None` when the driver is gone. Safe to be dropped and called again.
    pub(crate) async fn next(&mut self) -> Option<Item> {
        if self.taken.is_empty() {
            poll_fn(|cx| self.queue.poll(&mut self.taken, cx)).await;
        }
        let (item, size) = self.taken.pop_front()?;
        self.queue.read(size);
        Some(item)
    }
}

impl PageSink {
    /// Puts an item with those to be handed over, unless too many bytes wait already.
    pub(super) fn offer(&mut self, item: Item, size: usize) -> bool {
        if self.queue.bytes.load(Ordering::SeqCst) + size > self.max_bytes {
            return false;
        }
        self.queue.bytes.fetch_add(size, Ordering::SeqCst);
        self.staged.push_back((item, size));
        self.seen += 1;
        true
    }

    /// Hands over what was offered.
    pub(super) fn hand_over(&mut self) {
        if !self.staged.is_empty() {
            self.queue.put(&mut self.staged);
        }
    }

    /// How far it is.
    pub(super) fn progress(&self) -> Progress {
        let left = self.expected.map_or(usize::MAX, |entries| (entries as usize).saturating_sub(self.seen));
        Progress { seen: self.seen, left }
    }

    /// Has the reader plenty to do? Then the task is woken when little is left.
    pub(super) fn is_plenty(&self, cx: &Context<'_>) -> bool {
        if self.queue.bytes.load(Ordering::SeqCst) <= PLENTY {
            return false;
        }
        self.queue.state().driver = Some(cx.waker().clone());
        // The reader may have been faster than this waker.
        self.queue.bytes.load(Ordering::SeqCst) > FEW
    }

    pub(super) fn end(self, answer: Answer, url: &str, operation: &'static str) {
        let done = match answer.response {
            Response::SearchDone(result) => Ok((result, answer.controls)),
            _ => Err(Error::Unexpected { url: url.to_owned(), operation }),
        };
        self.put_last(Item::Done(Box::new(done)));
    }

    pub(super) fn too_much(self) {
        self.put_last(Item::TooMuch);
    }

    pub(super) fn fail(self, error: Error) {
        self.put_last(Item::Done(Box::new(Err(error))));
    }

    fn put_last(mut self, item: Item) {
        self.staged.push_back((item, 0));
        self.hand_over();
    }
}

impl Drop for PageSink {
    fn drop(&mut self) {
        self.hand_over();
        let mut state = self.queue.state();
        state.ended = true;
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }
}

impl Queue {
    fn put(&self, staged: &mut VecDeque<Measured>) {
        let mut state = self.state();
        if state.items.is_empty() {
            std::mem::swap(&mut state.items, staged);
        } else {
            state.items.append(staged);
        }
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }

    /// Takes everything over; nothing when the driver is gone.
    fn poll(&self, taken: &mut VecDeque<Measured>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.items.is_empty() {
            std::mem::swap(&mut state.items, taken);
            return Poll::Ready(());
        }
        if state.ended {
            return Poll::Ready(());
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Something is no longer waiting.
    fn read(&self, size: usize) {
        let before = self.bytes.fetch_sub(size, Ordering::SeqCst);
        if before > FEW && before - size <= FEW {
            let driver = self.state().driver.take();
            wake(driver);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Item {
        Item::Entry(Entry::builder("cn=a").build())
    }

    #[tokio::test]
    async fn what_was_read_makes_room() {
        let (mut sink, mut items) = page(100, false);
        assert!(sink.offer(entry(), 60));
        assert!(!sink.offer(entry(), 60));
        sink.hand_over();
        assert!(matches!(items.next().await, Some(Item::Entry(_))));
        assert!(sink.offer(entry(), 60));
    }

    #[tokio::test]
    async fn what_was_taken_over_and_not_read_still_waits() {
        let (mut sink, mut items) = page(100, false);
        assert!(sink.offer(entry(), 40) && sink.offer(entry(), 40));
        sink.hand_over();
        assert!(items.next().await.is_some());
        assert!(!sink.offer(entry(), 61));
        assert!(sink.offer(entry(), 60));
    }

    #[tokio::test]
    async fn a_reader_learns_that_the_driver_is_gone_after_what_it_sent() {
        let (mut sink, mut items) = page(100, false);
        let reading =
            tokio::spawn(async move { (items.next().await.is_some(), items.next().await.is_none()) });
        tokio::task::yield_now().await;
        assert!(sink.offer(entry(), 1));
        drop(sink);
        assert_eq!(reading.await.unwrap(), (true, true));
    }

    #[tokio::test]
    async fn a_driver_that_waits_for_room_is_woken_when_little_is_left() {
        let (mut sink, mut items) = page(usize::MAX, false);
        let half = PLENTY / 2 + 1;
        assert!(sink.offer(entry(), half));
        assert!(!poll_fn(|cx| Poll::Ready(sink.is_plenty(cx))).await);
        assert!(sink.offer(entry(), half));
        sink.hand_over();
        let driver =
            tokio::spawn(poll_fn(move |cx| if sink.is_plenty(cx) { Poll::Pending } else { Poll::Ready(()) }));
        tokio::task::yield_now().await;
        assert!(items.next().await.is_some());
        tokio::task::yield_now().await;
        assert!(!driver.is_finished(), "half of it is more than little");
        assert!(items.next().await.is_some());
        driver.await.unwrap();
    }
}
