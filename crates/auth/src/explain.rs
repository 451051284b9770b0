//! What `--explain` prints: an observer handed to every call, told of each step as it ends.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Is told of every step of a decision. It is passed per call and never scraped from logs.
pub trait Observer: Send + Sync {
    /// One step ended.
    fn step(&self, step: Step);
}

/// One step of a decision. It never holds a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `parse`, `choose`, `locate`, `prove`, `read`, `state`, `groups`, `deny`, `require`, `flags`, `presence`.
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
}

/// A step that asked no server.
pub(crate) fn decided(
    observer: &dyn Observer,
    step: &'static str,
    what: impl Into<String>,
    result: impl Into<String>,
) {
    let (what, result) = (what.into(), result.into());
    tracing::debug!(step, what, result);
    observer.step(Step { step, what, server: None, took: Duration::ZERO, result });
}

/// A step that asks a server; the time runs from here to [`Asking::ended`]. Dropped before, it was given up, and is told
/// as that: no operation that may have been sent is missing from a trace.
pub(crate) struct Asking<'a> {
    observer: &'a dyn Observer,
    step: &'static str,
    what: String,
    server: String,
    started: tokio::time::Instant,
    told: bool,
}

impl<'a> Asking<'a> {
    pub(crate) fn started(
        observer: &'a dyn Observer,
        step: &'static str,
        server: &str,
        what: String,
    ) -> Asking<'a> {
        let started = tokio::time::Instant::now();
        Asking { observer, step, what, server: server.to_owned(), started, told: false }
    }

    pub(crate) fn ended(mut self, result: impl Into<String>) {
        self.tell(result.into());
    }

    fn tell(&mut self, result: String) {
        self.told = true;
        let (what, server) = (std::mem::take(&mut self.what), std::mem::take(&mut self.server));
        let took = self.started.elapsed();
        tracing::debug!(step = self.step, what, server, ?took, result);
        self.observer.step(Step { step: self.step, what, server: Some(server), took, result });
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.tell("given up".to_owned());
        }
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
    fn an_operation_that_nobody_waits_for_any_more_is_told_once() {
        let trace = Trace::new();
        drop(Asking::started(&trace, "locate", "ldap://localhost", "search".to_owned()));
        Asking::started(&trace, "prove", "ldap://localhost", "bind".to_owned()).ended("success (0)");
        let steps: Vec<_> = trace.steps().into_iter().map(|step| (step.what, step.result)).collect();
        let told = [("search", "given up"), ("bind", "success (0)")];
        assert_eq!(steps, told.map(|(what, result)| (what.to_owned(), result.to_owned())));
    }
}
