//! What lies between the task and the reader of one page: a queue with a limit in bytes.
//!
//! A page has one writer and one reader, is short, and every search needs one: a channel of the runtime's would cost more
//! than everything that goes through it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use proto::message::Response;
use proto::{Controls, Entry, LdapResult};

use super::Answer;
use crate::Error;

/// What a page is made of; a size is the whole message's in bytes, and the item's own.
#[derive(Debug)]
pub(crate) enum Item {
    Entry(Entry),
    Reference(Vec<String>, usize),
    /// An entry or a reference with controls, or an intermediate message.
    Controlled(Box<(Response, Controls)>, usize),
    /// More than may wait; nothing comes after it.
    TooMuch,
    Done(Result<(LdapResult, Controls), Error>),
}

/// The driver's end.
pub(crate) struct PageSink {
    queue: Arc<Queue>,
    max_bytes: usize,
    /// The search may be sent again on another connection.
    pub(super) can_be_repeated: bool,
}

/// The stream's end.
pub(crate) struct Items(Arc<Queue>);

#[derive(Default)]
struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    /// With their sizes.
    items: VecDeque<(Item, usize)>,
    bytes: usize,
    /// Nothing more will come.
    ended: bool,
    reader: Option<Waker>,
}

/// A page in which so many bytes may wait for their reader.
pub(crate) fn page(max_bytes: usize, can_be_repeated: bool) -> (PageSink, Items) {
    let queue = Arc::<Queue>::default();
    (PageSink { queue: queue.clone(), max_bytes, can_be_repeated }, Items(queue))
}

impl Items {
    /// The next item; `None` when the driver is gone. Safe to be dropped and called again.
    pub(crate) async fn next(&mut self) -> Option<Item> {
        poll_fn(|cx| self.0.poll(cx)).await
    }
}

impl PageSink {
    /// Hands an item over, unless too many bytes wait already.
    pub(super) fn offer(&self, item: Item, size: usize) -> bool {
        if self.queue.state().bytes + size > self.max_bytes {
            return false;
        }
        self.queue.put(item, size);
        true
    }

    pub(super) fn end(self, answer: Answer, url: &str, operation: &'static str) {
        let done = match answer.response {
            Response::SearchDone(result) => Ok((result, answer.controls)),
            _ => Err(Error::Unexpected { url: url.to_owned(), operation }),
        };
        self.queue.put(Item::Done(done), 0);
    }

    pub(super) fn too_much(self) {
        self.queue.put(Item::TooMuch, 0);
    }

    pub(super) fn fail(self, error: Error) {
        self.queue.put(Item::Done(Err(error)), 0);
    }
}

impl Drop for PageSink {
    fn drop(&mut self) {
        self.queue.state().ended = true;
        self.queue.wake();
    }
}

impl Queue {
    fn put(&self, item: Item, size: usize) {
        let mut state = self.state();
        state.bytes += size;
        state.items.push_back((item, size));
        drop(state);
        self.wake();
    }

    fn wake(&self) {
        let reader = self.state().reader.take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.state();
        match state.items.pop_front() {
            Some((item, size)) => {
                state.bytes -= size;
                Poll::Ready(Some(item))
            }
            None if state.ended => Poll::Ready(None),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (sink, mut items) = page(100, false);
        assert!(sink.offer(entry(), 60));
        assert!(!sink.offer(entry(), 60));
        assert!(matches!(items.next().await, Some(Item::Entry(_))));
        assert!(sink.offer(entry(), 60));
    }

    #[tokio::test]
    async fn a_reader_learns_that_the_driver_is_gone_after_what_it_sent() {
        let (sink, mut items) = page(100, false);
        let reading =
            tokio::spawn(async move { (items.next().await.is_some(), items.next().await.is_none()) });
        tokio::task::yield_now().await;
        assert!(sink.offer(entry(), 1));
        drop(sink);
        assert_eq!(reading.await.unwrap(), (true, true));
    }
}
