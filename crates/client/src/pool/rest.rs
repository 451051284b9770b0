//! A service account that was refused is put to rest: every further try could lock it. Pure: the time is an argument.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::LdapResult;
use tokio::time::Instant;

use crate::Error;

/// Until the first try after a refusal; each further one takes twice as long.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Whether the service account may bind.
#[derive(Default)]
pub(super) struct Rest {
    state: Mutex<Option<Resting>>,
}

struct Resting {
    refusal: Refusal,
    until: Instant,
    pause: Duration,
    /// Somebody is trying.
    probing: bool,
}

/// A refused service bind.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) url: String,
    pub(super) dn: String,
    pub(super) result: LdapResult,
}

/// The right to try one bind; dropped without an outcome, it is as if it had not been.
pub(super) struct Attempt<'r> {
    rest: &'r Rest,
    probe: bool,
}

impl Rest {
    /// The right to bind. While the account rests the remembered refusal is told at once, to all but one prober when
    /// the time has come.
    pub(super) fn enter(&self, now: Instant) -> Result<Attempt<'_>, Error> {
        let mut state = self.state();
        match &mut *state {
            None => Ok(Attempt { rest: self, probe: false }),
            Some(resting) if now < resting.until || resting.probing => Err(resting.error(now)),
            Some(resting) => {
                resting.probing = true;
                Ok(Attempt { rest: self, probe: true })
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, Option<Resting>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The account was accepted.
    pub(super) fn succeeded(self) {
        *self.rest.state() = None;
    }

    /// The account was refused.
    pub(super) fn refused(self, now: Instant, refusal: Refusal) -> Error {
        let mut state = self.rest.state();
        let pause = match &*state {
            Some(resting) if self.probe => (resting.pause * 2).min(LONGEST),
            // Another server refused it at the same time.
            Some(resting) => return resting.error(now),
            None => FIRST,
        };
        let resting = Resting { refusal, until: now + pause, pause, probing: false };
        let error = resting.error(now);
        tracing::error!(%error, "service account refused");
        *state = Some(resting);
        error
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.probe
            && let Some(resting) = &mut *self.rest.state()
        {
            resting.probing = false;
        }
    }
}

impl Resting {
    fn error(&self, now: Instant) -> Error {
        let Refusal { url, dn, result } = self.refusal.clone();
        Error::ServiceBind {
            url,
            dn,
            result: Box::new(result),
            retry: Some(self.until.saturating_duration_since(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::ResultCode;

    fn refusal() -> Refusal {
        let result = LdapResult::new(ResultCode::INVALID_CREDENTIALS, "");
        Refusal { url: "ldap://a".into(), dn: "cn=reader".into(), result }
    }

    #[test]
    fn one_prober_at_a_time_and_ever_less_often() {
        let (rest, mut now) = (Rest::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let attempt = rest.enter(now).expect("the time has come");
            if !pauses.is_empty() {
                assert!(rest.enter(now).is_err(), "somebody is trying already");
            }
            let Error::ServiceBind { retry: Some(retry), .. } = attempt.refused(now, refusal()) else {
                panic!("not refused")
            };
            assert!(rest.enter(now).is_err());
            pauses.push(retry.as_secs());
            now += retry;
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn an_attempt_that_came_to_nothing_lets_the_next_one_try() {
        let (rest, now) = (Rest::default(), Instant::now());
        rest.enter(now).expect("nothing was refused").refused(now, refusal());
        let later = now + FIRST;
        drop(rest.enter(later).expect("the time has come"));
        rest.enter(later).expect("the last attempt had no outcome").succeeded();
        assert!(rest.enter(later).is_ok_and(|attempt| !attempt.probe));
    }

    #[test]
    fn two_servers_that_refuse_at_once_count_as_one() {
        let (rest, now) = (Rest::default(), Instant::now());
        let (one, other) = (rest.enter(now).expect("awake"), rest.enter(now).expect("awake"));
        one.refused(now, refusal());
        let Error::ServiceBind { retry: Some(retry), .. } = other.refused(now, refusal()) else {
            panic!("not refused")
        };
        assert_eq!(retry, FIRST);
    }
}
