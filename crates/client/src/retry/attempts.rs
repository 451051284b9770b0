//! Whether, and when, something is tried again. Pure but for the wait: time and chance are arguments.

use std::time::Duration;

use tls::HandshakeFault;
use tokio::time::{Instant, sleep};

use super::Retry;
use crate::connect::jitter;
use crate::{Error, srv};

/// As good as for ever: a limit that no clock reaches is taken for this.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// How far one operation's attempts have come.
pub(super) struct Attempts {
    retry: Retry,
    pub(super) deadline: Instant,
    made: u32,
}

impl Attempts {
    pub(super) fn begin(retry: &Retry, now: Instant) -> Attempts {
        let deadline = now.checked_add(retry.deadline).unwrap_or_else(|| now + FAR);
        Attempts { retry: retry.clone(), deadline, made: 0 }
    }

    /// Waits until the next attempt is due, or gives the error back when there is none.
    pub(super) async fn wait(&mut self, error: Error, kind: Kind) -> Result<(), Error> {
        let Some(pause) = self.pause(&error, kind, Instant::now(), jitter) else { return Err(error) };
        tracing::debug!(%error, causes = ?error.causes(), attempt = self.made, ?pause, "trying again");
        sleep(pause).await;
        Ok(())
    }

    /// How long to wait after a failure; `None`: it is final. `chance` takes a part of a span.
    fn pause(
        &mut self,
        error: &Error,
        kind: Kind,
        now: Instant,
        chance: impl Fn(Duration) -> Duration,
    ) -> Option<Duration> {
        self.made += 1;
        let may_repeat = match kind {
            Kind::Read => true,
            Kind::Write => self.retry.writes || !error.sent(),
        };
        if self.made >= self.retry.attempts || !may_repeat || !may_pass(error) {
            return None;
        }
        let doubled = self.retry.first.saturating_mul(1 << (self.made - 1).min(16));
        let whole = doubled.min(self.retry.longest);
        let pause = (whole - chance(whole / 2)).max(left_alone(error));
        now.checked_add(pause).is_some_and(|due| due < self.deadline).then_some(pause)
    }
}

/// Could a later attempt do better?
fn may_pass(error: &Error) -> bool {
    match error {
        // A certificate does not heal.
        Error::Tls { source, .. } => {
            matches!(source.fault(), Some(HandshakeFault::Closed | HandshakeFault::Broken))
        }
        error => error.is_unreachable(),
    }
}

/// How long the servers, or the DNS, are left alone anyhow.
fn left_alone(error: &Error) -> Duration {
    match error {
        Error::Down { retry, .. } => *retry,
        Error::Discovery { .. } => srv::PAUSE,
        Error::AllDown { failures } => failures.iter().map(left_alone).min().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::Closed;
    use proto::{LdapResult, ResultCode};

    const NONE: fn(Duration) -> Duration = |_| Duration::ZERO;

    fn closed(sent: bool) -> Error {
        Error::Closed { url: String::new(), operation: "x", sent, source: Arc::new(Closed::ByPeer) }
    }

    fn refused(code: ResultCode) -> Error {
        let result = Box::new(LdapResult::new(code, ""));
        Error::Refused {
            url: String::new(),
            operation: "x",
            dn: String::new(),
            result,
            controls: proto::Controls::default(),
        }
    }

    fn is_repeated(retry: &Retry, error: &Error, kind: Kind) -> bool {
        let now = Instant::now();
        Attempts::begin(retry, now).pause(error, kind, now, NONE).is_some()
    }

    #[test]
    fn reads_are_repeated_and_writes_when_nothing_was_sent_or_when_asked_to() {
        let (plain, eager) = (Retry::default(), Retry::default().writes());
        for (error, read, write, eager_write) in [
            (closed(false), true, true, true),
            (closed(true), true, false, true),
            (refused(ResultCode::BUSY), true, false, true),
            (refused(ResultCode::UNAVAILABLE), true, false, true),
            (refused(ResultCode::NO_SUCH_OBJECT), false, false, false),
            (Error::NoUrl, false, false, false),
            (Error::NotBound, false, false, false),
        ] {
            assert_eq!(is_repeated(&plain, &error, Kind::Read), read, "{error:?}");
            assert_eq!(is_repeated(&plain, &error, Kind::Write), write, "{error:?}");
            assert_eq!(is_repeated(&eager, &error, Kind::Write), eager_write, "{error:?}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_chance_takes_up_to_half() {
        let now = Instant::now();
        let retry = Retry::default().attempts(8);
        let pauses = |chance: fn(Duration) -> Duration| {
            let mut attempts = Attempts::begin(&retry, now);
            std::iter::from_fn(|| attempts.pause(&closed(true), Kind::Read, now, chance))
                .map(|pause| pause.as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(pauses(NONE), [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(pauses(|half| half), [50, 100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn the_deadline_alone_ends_the_attempts_unless_they_are_counted() {
        let down = |seconds| Error::Down {
            url: String::new(),
            retry: Duration::from_secs(seconds),
            source: Arc::new(closed(false)),
        };
        for error in [closed(true), refused(ResultCode::UNAVAILABLE), down(1), down(8)] {
            let began = Instant::now();
            let mut attempts = Attempts::begin(&Retry::default(), began);
            let mut now = began;
            while let Some(pause) = attempts.pause(&error, Kind::Read, now, NONE) {
                now += pause;
            }
            let tried = now - began;
            assert!((20..30).contains(&tried.as_secs()), "{tried:?}: {error:?}");
        }
        let mut counted = Attempts::begin(&Retry::default().attempts(3), Instant::now());
        let pauses =
            std::iter::from_fn(|| counted.pause(&closed(true), Kind::Read, Instant::now(), NONE)).count();
        assert_eq!(pauses, 2, "the first attempt needs none");
    }

    #[test]
    fn a_limit_beyond_the_clock_is_one() {
        let retry = Retry::default().deadline(Duration::MAX).pauses(Duration::MAX, Duration::MAX);
        let now = Instant::now();
        assert_eq!(Attempts::begin(&retry, now).pause(&closed(true), Kind::Read, now, NONE), None);
    }

    #[test]
    fn no_attempt_begins_after_the_deadline() {
        let now = Instant::now();
        let retry = Retry::default().deadline(Duration::from_secs(1));
        let mut attempts = Attempts::begin(&retry, now);
        assert!(attempts.pause(&closed(true), Kind::Read, now, NONE).is_some());
        let late = now + Duration::from_millis(900);
        assert!(attempts.pause(&closed(true), Kind::Read, late, NONE).is_none());
        for _ in 0..100 {
            attempts.pause(&closed(true), Kind::Read, now, NONE);
        }
    }

    #[test]
    fn a_server_that_is_left_alone_is_waited_for() {
        let now = Instant::now();
        let down = |seconds| Error::Down {
            url: String::new(),
            retry: Duration::from_secs(seconds),
            source: Arc::new(closed(false)),
        };
        let all = crate::error::Failures::into_error(vec![down(9), down(4), closed(false)]);
        let wait =
            |error: &Error| Attempts::begin(&Retry::default(), now).pause(error, Kind::Read, now, NONE);
        assert_eq!(wait(&down(5)), Some(Duration::from_secs(5)));
        assert_eq!(wait(&down(60)), None, "beyond the deadline");
        assert_eq!(wait(&all), Some(Duration::from_millis(100)), "one of them may be asked");
    }
}
