//! What `--explain` prints: an observer handed to every call, told of each step as it ends.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Is told of every step of a decision. It is passed per call and never scraped from logs.
pub trait Observer: Send + Sync {
    /// One step ended.
    fn step(&self, step: Step);

    /// Does anybody listen? To an observer that says no a step may be told or not.
    fn listens(&self) -> bool {
        true
    }
}

/// One step of a decision. It never holds a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `parse`, `choose`, `locate`, `prove`, `read`, `state`, `groups`, `deny`, `require`, `flags`, `presence`,
    /// `refresh`.
    pub step: &'static str,
    /// What was done: for an LDAP operation its kind, base, scope and filter.
    pub what: String,
    /// The URL of the server that was asked, if one was.
    pub server: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// What came of it: for an LDAP operation its result code and what was found.
    pub result: String,
}

/// Collects the steps.
#[derive(Debug, Default)]
pub struct Trace(Mutex<Vec<Step>>);

/// Collects nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Trace {
    /// An empty trace.
    pub fn new() -> Trace {
        Trace::default()
    }

    /// The steps so far, in order.
    pub fn steps(&self) -> Vec<Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Trace {
    fn step(&self, step: Step) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }
}

impl Observer for Silent {
    fn step(&self, _step: Step) {}

    fn listens(&self) -> bool {
        false
    }
}

/// A step that asked no server. Nothing is put into words when nobody listens.
pub(crate) fn decided(
    observer: &dyn Observer,
    step: &'static str,
    what: impl fmt::Display,
    result: impl fmt::Display,
) {
    if is_told(observer) {
        let (what, result) = (what.to_string(), result.to_string());
        tracing::debug!(step, what, result);
        observer.step(Step { step, what, server: None, took: Duration::ZERO, result });
    }
}

/// The same where `what` is what somebody typed as a name, which may be the password in the wrong box: the log never has it.
pub(crate) fn decided_of_typed(
    observer: &dyn Observer,
    step: &'static str,
    what: impl fmt::Display,
    result: impl fmt::Display,
) {
    if is_told(observer) {
        let (what, result) = (what.to_string(), result.to_string());
        tracing::debug!(step, what = TYPED, result);
        observer.step(Step { step, what, server: None, took: Duration::ZERO, result });
    }
}

/// A step of which the log has nothing at all: its result is made of what was typed, too.
pub(crate) fn unlogged(
    observer: &dyn Observer,
    step: &'static str,
    what: impl fmt::Display,
    result: impl fmt::Display,
) {
    if observer.listens() {
        let (what, result) = (what.to_string(), result.to_string());
        observer.step(Step { step, what, server: None, took: Duration::ZERO, result });
    }
}

/// What the log has in place of what was typed.
pub(crate) const TYPED: &str = "the name that was typed";

/// Does anybody hear of a step: the observer, or the log?
fn is_told(observer: &dyn Observer) -> bool {
    observer.listens() || tracing::enabled!(tracing::Level::DEBUG)
}

/// A step that asks a server; the time runs from here to [`Asking::ended`]. Dropped before, it was given up, and is told
/// as that: no operation that may have been sent is missing from a trace.
pub(crate) struct Asking<'a> {
    observer: &'a dyn Observer,
    /// Until it is told; nothing when nobody listens.
    asked: Option<Asked>,
}

struct Asked {
    step: &'static str,
    what: String,
    /// What the log has in its place.
    logged: Option<&'static str>,
    server: String,
    started: tokio::time::Instant,
}

impl<'a> Asking<'a> {
    pub(crate) fn started(
        observer: &'a dyn Observer,
        step: &'static str,
        server: &str,
        what: impl fmt::Display,
    ) -> Asking<'a> {
        let asked = is_told(observer).then(|| Asked {
            step,
            what: what.to_string(),
            logged: None,
            server: server.to_owned(),
            started: tokio::time::Instant::now(),
        });
        Asking { observer, asked }
    }

    /// As [`decided_of_typed`].
    pub(crate) fn of_typed(mut self, typed: bool) -> Self {
        if let Some(asked) = self.asked.as_mut().filter(|_| typed) {
            asked.logged = Some(TYPED);
        }
        self
    }

    pub(crate) fn ended(mut self, result: impl fmt::Display) {
        self.tell(result);
    }

    fn tell(&mut self, result: impl fmt::Display) {
        let Some(Asked { step, what, logged, server, started }) = self.asked.take() else { return };
        let (took, result) = (started.elapsed(), result.to_string());
        tracing::debug!(step, what = logged.unwrap_or(&what), server, ?took, result);
        self.observer.step(Step { step, what, server: Some(server), took, result });
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.tell("given up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_keeps_steps_in_order() {
        let trace = Trace::new();
        decided(&trace, "parse", "the name", "alice");
        decided(&trace, "choose", "alice", "main");
        let steps: Vec<_> = trace.steps().into_iter().map(|step| step.step).collect();
        assert_eq!(steps, ["parse", "choose"]);
    }

    #[test]
    fn nothing_is_put_into_words_for_nobody() {
        struct Unspeakable;
        impl fmt::Display for Unspeakable {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("nobody listens")
            }
        }
        decided(&Silent, "parse", Unspeakable, Unspeakable);
        Asking::started(&Silent, "locate", "ldap://localhost", Unspeakable).ended(Unspeakable);
    }

    #[test]
    fn an_operation_that_nobody_waits_for_any_more_is_told_once() {
        let trace = Trace::new();
        drop(Asking::started(&trace, "locate", "ldap://localhost", "search"));
        Asking::started(&trace, "prove", "ldap://localhost", "bind").ended("success (0)");
        let steps: Vec<_> = trace.steps().into_iter().map(|step| (step.what, step.result)).collect();
        let told = [("search", "given up"), ("bind", "success (0)")];
        assert_eq!(steps, told.map(|(what, result)| (what.to_owned(), result.to_owned())));
    }
}
