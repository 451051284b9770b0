//! What is known of one server's health. Pure: the time is an argument.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::Error;

/// The first time that a server is left alone after it could not be reached; each further one is twice as long.
const FIRST_DOWN: Duration = Duration::from_millis(250);
/// The longest: what a server that came back may go unnoticed.
const LONGEST_DOWN: Duration = Duration::from_secs(10);
/// How long others are preferred to a server that was reached, but failed its caller.
const FIRST_DOUBT: Duration = Duration::from_secs(5);
const LONGEST_DOUBT: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Health {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    down: Option<Down>,
    /// The last time of being left alone; zero once the server has worked.
    pause: Duration,
    doubt_until: Option<Instant>,
    doubt: Duration,
}

struct Down {
    until: Instant,
    cause: Arc<Error>,
}

/// What to do with a server; better ones are less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Up,
    /// It failed lately: others are preferred.
    Doubtful,
    /// It was down and may be tried again.
    Due,
    /// It is to be left alone.
    Down,
}

impl Health {
    pub(super) fn rank(&self, now: Instant) -> Rank {
        let state = self.state();
        match &state.down {
            Some(down) if now < down.until => Rank::Down,
            Some(_) => Rank::Due,
            None if state.doubt_until.is_some_and(|until| now < until) => Rank::Doubtful,
            None => Rank::Up,
        }
    }

    /// Refuses while the server is to be left alone.
    pub(super) fn admit(&self, url: &str, now: Instant) -> Result<(), Error> {
        match &self.state().down {
            Some(down) if now < down.until => Err(down.error(url, now)),
            _ => Ok(()),
        }
    }

    /// The server could not be reached, or could not serve: it is left alone.
    pub(super) fn failed(&self, url: &str, now: Instant, cause: Error) -> Error {
        let mut state = self.state();
        state.pause = longer(state.pause, FIRST_DOWN, LONGEST_DOWN);
        let down = Down { until: now + state.pause, cause: Arc::new(cause) };
        let error = down.error(url, now);
        tracing::warn!(url, pause = ?state.pause, causes = ?error.causes(), "server does not work");
        state.down = Some(down);
        error
    }

    /// A connection stands. Whether the server works is seen later.
    pub(super) fn connected(&self) {
        self.state().down = None;
    }

    /// The server worked.
    pub(super) fn proved(&self) {
        let mut state = self.state();
        state.down = None;
        state.pause = Duration::ZERO;
    }

    /// The server was reached, but failed its caller.
    pub(super) fn doubted(&self, now: Instant) {
        let mut state = self.state();
        let again = state.doubt_until.is_some_and(|until| now < until + state.doubt);
        state.doubt = if again { longer(state.doubt, FIRST_DOUBT, LONGEST_DOUBT) } else { FIRST_DOUBT };
        state.doubt_until = Some(now + state.doubt);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Down {
    fn error(&self, url: &str, now: Instant) -> Error {
        let retry = self.until.saturating_duration_since(now);
        Error::Down { url: url.to_owned(), retry, source: self.cause.clone() }
    }
}

fn longer(last: Duration, first: Duration, longest: Duration) -> Duration {
    (last * 2).clamp(first, longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_dead_server_is_left_alone_twice_as_long_each_time_up_to_a_limit() {
        let (health, mut now) = (Health::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let Error::Down { retry, .. } = health.failed("ldap://a", now, Error::NoUrl) else {
                panic!("not down")
            };
            assert_eq!(health.rank(now), Rank::Down);
            pauses.push(retry.as_millis());
            now += retry;
            assert_eq!(health.rank(now), Rank::Due);
        }
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }

    #[test]
    fn a_connection_alone_does_not_shorten_the_next_pause_and_work_does() {
        let (health, now) = (Health::default(), Instant::now());
        health.failed("ldap://a", now, Error::NoUrl);
        health.connected();
        assert_eq!(health.rank(now), Rank::Up);
        let Error::Down { retry, .. } = health.failed("ldap://a", now, Error::NoUrl) else {
            panic!("not down")
        };
        assert_eq!(retry.as_millis(), 500);
        health.proved();
        let Error::Down { retry, .. } = health.failed("ldap://a", now, Error::NoUrl) else {
            panic!("not down")
        };
        assert_eq!(retry.as_millis(), 250);
    }

    #[test]
    fn doubt_passes_and_grows_when_it_comes_again() {
        let (health, now) = (Health::default(), Instant::now());
        health.doubted(now);
        assert_eq!(health.rank(now + second(4)), Rank::Doubtful);
        assert_eq!(health.rank(now + second(5)), Rank::Up);
        health.doubted(now + second(6));
        assert_eq!(health.rank(now + second(15)), Rank::Doubtful);
        assert!(health.admit("ldap://a", now + second(6)).is_ok(), "a doubtful server is still used");
        health.doubted(now + second(600));
        assert_eq!(health.rank(now + second(606)), Rank::Up);
    }
}
