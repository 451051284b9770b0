//! Faults on demand: what a test needs to see how a client takes a bad server.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::{LdapResult, ResultCode};

use crate::Kind;

/// What goes wrong with one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The operation is done and answered, but only after this time.
    Delay(Duration),
    /// Nothing is done, and no answer ever comes.
    Drop,
    /// Nothing is done; the connection is closed without a word.
    Close,
    /// Nothing is done; bytes come that are no LDAP.
    Garbage,
    /// The operation is done; the answer carries a message id that nobody asked under.
    WrongId,
    /// Nothing is done; this result is the answer.
    Answer(LdapResult),
    /// A search hands out this many entries, then the connection is closed. For anything else the same as
    /// [`Fault::Close`].
    CloseAfter(usize),
}

impl Fault {
    /// The answer `unavailable (52)`.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::Answer(LdapResult::new(ResultCode::UNAVAILABLE, "the server is going down"))
    }

    /// The answer `referral (10)` to `url`.
    #[must_use]
    pub fn referral(url: impl Into<String>) -> Self {
        let mut result = LdapResult::new(ResultCode::REFERRAL, "");
        result.referrals.push(url.into());
        Self::Answer(result)
    }
}

/// The faults to come. Clones share them, so that a test can set them while the server runs.
///
/// ```
/// use ldapgate_directory::{Fault, Faults, Kind};
/// let faults = Faults::default();
/// faults.next(Kind::Bind, 2, Fault::unavailable()); // the next two binds
/// faults.always(Kind::Connect, Fault::Close);       // every connection from now on
/// faults.clear();
/// assert_eq!(faults.pending(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults {
    planned: Arc<Mutex<VecDeque<Planned>>>,
}

#[derive(Debug)]
struct Planned {
    kind: Option<Kind>,
    left: Option<usize>,
    fault: Fault,
}

impl Faults {
    /// Lets the next `count` operations of one kind go wrong. What was planned first comes first.
    pub fn next(&self, kind: Kind, count: usize, fault: Fault) {
        self.plan(Planned { kind: Some(kind), left: Some(count), fault });
    }

    /// Lets the next `count` operations go wrong, whatever they are (new connections are none).
    pub fn next_of_any(&self, count: usize, fault: Fault) {
        self.plan(Planned { kind: None, left: Some(count), fault });
    }

    /// Lets every operation of one kind go wrong until [`clear`](Self::clear).
    pub fn always(&self, kind: Kind, fault: Fault) {
        self.plan(Planned { kind: Some(kind), left: None, fault });
    }

    /// Forgets everything that was planned.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// How many plans are not used up.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn take(&self, kind: Kind) -> Option<Fault> {
        let mut planned = self.lock();
        let position = planned.iter().position(|plan| plan.applies_to(kind))?;
        let plan = &mut planned[position];
        let fault = plan.fault.clone();
        plan.left = plan.left.map(|left| left - 1);
        if plan.left == Some(0) {
            planned.remove(position);
        }
        Some(fault)
    }

    fn plan(&self, plan: Planned) {
        if plan.left != Some(0) {
            self.lock().push_back(plan);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Planned {
    fn applies_to(&self, kind: Kind) -> bool {
        self.kind.map_or(kind != Kind::Connect, |own| own == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_up_in_the_order_they_were_planned() {
        let faults = Faults::default();
        faults.next(Kind::Search, 2, Fault::Drop);
        faults.next_of_any(1, Fault::Close);
        assert_eq!(faults.take(Kind::Connect), None);
        assert_eq!(faults.take(Kind::Search), Some(Fault::Drop));
        assert_eq!(faults.take(Kind::Bind), Some(Fault::Close));
        assert_eq!(faults.take(Kind::Bind), None);
        assert_eq!(faults.take(Kind::Search), Some(Fault::Drop));
        assert_eq!(faults.take(Kind::Search), None);
    }
}
