//! What one connection is doing, and when it has done nothing for too long.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::http::Version;
use futures_util::Stream as _;
use futures_util::stream::poll_fn;
use http_body_util::{BodyStream, StreamBody};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Limits;

/// What a peer has to take of an answer within one stall limit, in bytes.
const PIECE: usize = 64 * 1024;

/// Why a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// No request head in time.
    Head,
    /// No request in time.
    Idle,
    /// The peer does not take its answer.
    Answer,
}

/// The record of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    limits: Limits,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    running: usize,
    quiet_since: Instant,
    head_since: Option<Instant>,
    served: bool,
    multiplexed: bool,
    /// Answers that wait for the peer to take what it was given, and until when.
    sending: BTreeMap<u64, Instant>,
    next: u64,
}

impl Activity {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State {
            running: 0,
            quiet_since: Instant::now(),
            head_since: None,
            served: false,
            multiplexed: false,
            sending: BTreeMap::new(),
            next: 0,
        };
        Self { limits, state: Mutex::new(state), changed: Notify::new() }
    }

    /// A request's head has arrived. It runs until the value is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Running {
        let mut state = self.lock();
        state.running += 1;
        state.served = true;
        state.multiplexed |= version == Version::HTTP_2;
        state.head_since = None;
        state.next += 1;
        let id = state.next;
        drop(state);
        self.changed.notify_one();
        Running { activity: Arc::clone(self), id, given: 0 }
    }

    /// Bytes have arrived. Between two requests of HTTP/1 they are the beginning of a head.
    pub(super) fn received(&self) {
        let mut state = self.lock();
        if state.running > 0 || !state.served || state.multiplexed || state.head_since.is_some() {
            return;
        }
        state.head_since = Some(Instant::now());
        drop(state);
        self.changed.notify_one();
    }

    /// Gives a connection that was told to end the idle time once more, for what is still on its way.
    pub(super) fn restart(&self) {
        let mut state = self.lock();
        state.served = true;
        state.head_since = None;
        state.quiet_since = Instant::now();
    }

    /// Ready when a limit has passed.
    pub(super) async fn expired(&self) -> Expired {
        loop {
            let changed = self.changed.notified();
            let Some((deadline, _)) = self.deadline() else {
                changed.await;
                continue;
            };
            tokio::select! {
                () = changed => continue,
                () = sleep_until(deadline) => {}
            }
            if let Some((deadline, expired)) = self.deadline()
                && deadline <= Instant::now()
            {
                return expired;
            }
        }
    }

    /// Whether it is kept for a next request that has not begun to arrive.
    pub(super) fn is_resting(&self) -> bool {
        let state = self.lock();
        state.served
            && state.running == 0
            && state.head_since.is_none()
            && state.quiet_since <= Instant::now()
    }

    fn deadline(&self) -> Option<(Instant, Expired)> {
        let state = self.lock();
        if let Some(until) = state.sending.values().min() {
            return Some((*until, Expired::Answer));
        }
        if state.running > 0 {
            return None;
        }
        if !state.served {
            return Some((state.quiet_since + self.limits.header, Expired::Head));
        }
        let head = state.head_since.map(|since| (since + self.limits.header, Expired::Head));
        head.or(Some((state.quiet_since + self.limits.idle, Expired::Idle)))
    }

    /// The peer has been given `bytes` more, or (`None`) the answer waits for the application.
    fn given(&self, id: u64, bytes: Option<usize>) {
        let until = bytes.map(|bytes| Instant::now() + self.limits.stall + self.allowance(bytes));
        let mut state = self.lock();
        let before = state.sending.remove(&id);
        state.sending.extend(until.map(|until| (id, until)));
        drop(state);
        if before.is_some() != until.is_some() {
            self.changed.notify_one();
        }
    }

    /// The request is done; its last `bytes` may still be on their way.
    fn end(&self, id: u64, bytes: usize) {
        let quiet_since = Instant::now() + self.allowance(bytes);
        let mut state = self.lock();
        state.running = state.running.saturating_sub(1);
        state.sending.remove(&id);
        state.quiet_since = state.quiet_since.max(quiet_since);
        drop(state);
        self.changed.notify_one();
    }

    fn allowance(&self, bytes: usize) -> Duration {
        self.limits
            .stall
            .saturating_mul(u32::try_from(bytes / PIECE).unwrap_or(u32::MAX))
            .min(Duration::from_secs(24 * 60 * 60))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, from its head to the last byte of its answer.
#[derive(Debug)]
pub(super) struct Running {
    activity: Arc<Activity>,
    id: u64,
    /// The size of what was handed on last.
    given: usize,
}

impl Running {
    /// The answer's body, telling from now on whether it waits for the application or for the peer.
    pub(super) fn track(mut self, body: Body) -> Body {
        let mut frames = BodyStream::new(body);
        self.activity.given(self.id, Some(0));
        Body::new(StreamBody::new(poll_fn(move |cx| {
            let next = Pin::new(&mut frames).poll_next(cx);
            match &next {
                Poll::Pending => self.activity.given(self.id, None),
                Poll::Ready(Some(Ok(frame))) => {
                    self.given = frame.data_ref().map_or(0, |data| data.len());
                    self.activity.given(self.id, Some(self.given));
                }
                Poll::Ready(_) => {}
            }
            next
        })))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.activity.end(self.id, self.given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity() -> Arc<Activity> {
        let seconds = Duration::from_secs;
        Arc::new(Activity::new(Limits { header: seconds(10), idle: seconds(75), stall: seconds(30) }))
    }

    /// In how many seconds the connection ends, and why.
    fn due(activity: &Activity) -> Option<(u64, Expired)> {
        let (deadline, expired) = activity.deadline()?;
        // A second is a long time for a few lines, and no limit is so near to another.
        Some((deadline.duration_since(Instant::now()).as_secs() + 1, expired))
    }

    #[test]
    fn a_silent_connection_has_the_header_time() {
        assert_eq!(due(&activity()), Some((10, Expired::Head)));
    }

    #[test]
    fn a_kept_connection_has_the_idle_time_and_a_begun_head_the_header_time() {
        let activity = activity();
        drop(activity.begin(Version::HTTP_11));
        assert_eq!(due(&activity), Some((75, Expired::Idle)));
        activity.received();
        assert_eq!(due(&activity), Some((10, Expired::Head)));
    }

    #[test]
    fn frames_of_http_2_are_no_head() {
        let activity = activity();
        drop(activity.begin(Version::HTTP_2));
        activity.received();
        assert_eq!(due(&activity), Some((75, Expired::Idle)));
    }

    #[test]
    fn a_request_that_runs_is_not_judged() {
        let activity = activity();
        let (one, other) = (activity.begin(Version::HTTP_2), activity.begin(Version::HTTP_2));
        activity.received();
        assert_eq!(due(&activity), None);
        drop(one);
        assert_eq!(due(&activity), None);
        drop(other);
        assert_eq!(due(&activity), Some((75, Expired::Idle)));
    }

    #[test]
    fn an_answer_that_nobody_takes_has_the_stall_time() {
        let activity = activity();
        let body = activity.begin(Version::HTTP_2).track(Body::from("answer"));
        assert_eq!(due(&activity), Some((30, Expired::Answer)));
        drop(body);
        assert_eq!(due(&activity), Some((75, Expired::Idle)));
    }

    #[tokio::test]
    async fn an_answer_that_waits_for_the_application_is_not_judged_and_a_large_piece_has_more_time() {
        let activity = activity();
        let (sender, mut pieces) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
        let stream = poll_fn(move |cx| pieces.poll_recv(cx));
        let body = activity.begin(Version::HTTP_11).track(Body::from_stream(stream));
        let mut frames = BodyStream::new(body);
        let waits =
            std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut frames).poll_next(cx).is_pending())).await;
        assert!(waits);
        assert_eq!(due(&activity), None);
        sender.send(Ok(vec![0; 4 * PIECE])).await.unwrap();
        std::future::poll_fn(|cx| Pin::new(&mut frames).poll_next(cx)).await.unwrap().unwrap();
        assert_eq!(due(&activity), Some((150, Expired::Answer)));
    }

    #[tokio::test]
    async fn the_end_is_told_when_it_has_come() {
        let limits = Limits { header: Duration::ZERO, idle: Duration::ZERO, stall: Duration::ZERO };
        assert_eq!(Activity::new(limits).expired().await, Expired::Head);
    }
}
