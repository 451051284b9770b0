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

    async fn expires_after(activity: &Activity) -> (u64, Expired) {
        let start = Instant::now();
        let expired = activity.expired().await;
        (start.elapsed().as_secs(), expired)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_ends_with_the_header_timeout() {
        let activity = activity();
        assert_eq!(expires_after(&activity).await, (10, Expired::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn a_kept_connection_has_the_idle_time_and_a_begun_head_the_header_time() {
        let activity = activity();
        drop(activity.begin(Version::HTTP_11));
        assert_eq!(expires_after(&activity).await, (75, Expired::Idle));
        drop(activity.begin(Version::HTTP_11));
        activity.received();
        assert_eq!(expires_after(&activity).await, (10, Expired::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_runs_is_not_judged_and_its_connection_is_idle_afterwards() {
        let activity = activity();
        let running = activity.begin(Version::HTTP_11);
        let watched = Arc::clone(&activity);
        let waiting = tokio::spawn(async move { expires_after(&watched).await });
        tokio::time::sleep(Duration::from_secs(1000)).await;
        assert!(!waiting.is_finished());
        drop(running);
        assert_eq!(waiting.await.unwrap(), (1075, Expired::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_cut_off() {
        let activity = activity();
        let body = activity.begin(Version::HTTP_2).track(Body::from("answer"));
        assert_eq!(expires_after(&activity).await, (30, Expired::Answer));
        drop(body);
        assert_eq!(expires_after(&activity).await, (75, Expired::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_answer_has_more_time() {
        let activity = activity();
        let body = activity.begin(Version::HTTP_11).track(Body::from(vec![0; 4 * PIECE]));
        let mut frames = BodyStream::new(body);
        std::future::poll_fn(|cx| Pin::new(&mut frames).poll_next(cx)).await.unwrap().unwrap();
        assert_eq!(expires_after(&activity).await, (150, Expired::Answer));
    }
}
