//! Attempts: counted before they are made, given back when they were none.

use std::time::Duration;

use auth::Reason;
use tokio::time::Instant;

use crate::accounts::{Accounts, Current};
use crate::repeat::LeftOut;
use crate::settings::Throttle;
use crate::store::Audit;
use crate::store::{AttemptId, CounterKey, Limit, LimitQuery, Reserve, Reserved, Settle, Settlement};
use crate::{Error, Origin, Time};

/// How often a login that waits asks again, should another process settle what it waits for.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// What came of asking for an attempt.
pub(crate) enum Permit {
    /// Go on; `None` where nothing is counted.
    Go(Option<AttemptId>),
    /// No bind may be made before then.
    Blocked(Time),
}

impl Accounts {
    /// Until when an address has used up its budget.
    pub(crate) async fn address_blocked(
        &self,
        current: &Current,
        origin: &Origin,
    ) -> Result<Option<Time>, Error> {
        let limit = address_limit(current.settings.login.throttle, origin);
        self.blocked_until(current, limit).await
    }

    /// Until when a person's budget is used up.
    pub(crate) async fn person_blocked(
        &self,
        current: &Current,
        who: CounterKey,
    ) -> Result<Option<Time>, Error> {
        let limit = person_limit(current.settings.login.throttle, who);
        self.blocked_until(current, limit).await
    }

    async fn blocked_until(&self, current: &Current, limit: Option<Limit>) -> Result<Option<Time>, Error> {
        let Some(limit) = limit else { return Ok(None) };
        let window = current.settings.login.throttle.window;
        let query = LimitQuery { limit, window, at: self.0.ambient.now() };
        Ok(self.0.store.blocked_until(query).await?)
    }

    /// Counts an attempt for whom it is made at and where it comes from. Where attempts of others that are still
    /// under way fill the limit, waits for them, at most until `give_up`.
    pub(crate) async fn reserve(
        &self,
        current: &Current,
        who: CounterKey,
        origin: &Origin,
        give_up: Instant,
    ) -> Result<Permit, Error> {
        let throttle = current.settings.login.throttle;
        let deadline = current.settings.login.deadline;
        let limits: Vec<_> =
            person_limit(throttle, who).into_iter().chain(address_limit(throttle, origin)).collect();
        if limits.is_empty() {
            return Ok(Permit::Go(None));
        }
        let id = AttemptId(i64::from_be_bytes(self.0.ambient.random()));
        let mut turn = self.0.turns.join(limits[0].key.clone());
        if tokio::time::timeout_at(give_up, turn.come()).await.is_err() {
            return Err(Error::Deadline { after: deadline });
        }
        loop {
            // Listening begins before the question, so that no settlement falls between the two.
            let mut settled = std::pin::pin!(self.0.settled.notified());
            settled.as_mut().enable();
            let at = self.0.ambient.now();
            // A login may go on for another deadline to learn what became of a bind that was written.
            let expires = at.after(deadline.saturating_mul(3));
            let reserve = Reserve { id, limits: limits.clone(), window: throttle.window, at, expires };
            match self.0.store.reserve_attempt(reserve).await? {
                Reserved::Yes => return Ok(Permit::Go(Some(id))),
                Reserved::Blocked { until } => return Ok(Permit::Blocked(until)),
                Reserved::UnderWay if Instant::now() >= give_up => {
                    return Err(Error::Deadline { after: deadline });
                }
                Reserved::UnderWay => {}
            }
            let ask_again = give_up.min(Instant::now() + ASK_AGAIN);
            let _ = tokio::time::timeout_at(ask_again, settled).await;
        }
    }

    /// Ends an attempt, if there was one, and writes the audit record.
    pub(crate) async fn settle(
        &self,
        current: &Current,
        id: Option<AttemptId>,
        settlement: Settlement,
        audit: Audit,
    ) -> Result<(), Error> {
        let window = current.settings.login.throttle.window;
        let at = self.0.ambient.now();
        let settle = Settle { id, settlement, window, at, audit: Some(audit) };
        let settled = self.0.store.settle_attempt(settle).await;
        self.0.settled.notify_waiters();
        Ok(settled?)
    }

    /// What attempts at a name that nobody bears are counted by: one of 65,536 places, which only this
    /// installation can tell from the name. Somebody known has one counter however the name is typed, so capitals and
    /// the width of white space make no other name here either, whatever `login.fold_username` says.
    pub(crate) fn unknown_place(&self, folded: &str) -> CounterKey {
        let plain = folded.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        CounterKey::unknown(self.0.seal.place("unknown name", &plain))
    }

    /// Whether to put a refusal on record that cost the visitor nothing, and what was left out since the last.
    pub(crate) fn recorded(&self, reason: Reason, counted_by: &str) -> Option<LeftOut> {
        let place = self.0.seal.place("recorded", &format!("{reason} {counted_by}"));
        self.0.recorded.tell(place.into(), self.0.ambient.now())
    }
}

fn person_limit(throttle: Throttle, who: CounterKey) -> Option<Limit> {
    (throttle.person > 0).then_some(Limit { key: who, most: throttle.person })
}

fn address_limit(throttle: Throttle, origin: &Origin) -> Option<Limit> {
    let address = origin.address.filter(|_| throttle.address > 0)?;
    Some(Limit { key: CounterKey::address(address), most: throttle.address })
}
