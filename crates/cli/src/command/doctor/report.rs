//! What was found: one line a step for people while it goes on, one document for programs at its end.

use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

use crate::output::{self, printable};

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Not done, and why.
    Skipped,
    /// As it should be.
    Ok,
    /// It works, and somebody should still look at it.
    Warning,
    /// It does not work.
    Failed,
}

/// What a step came to. Texts may be empty.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) outcome: Outcome,
    /// What was seen.
    seen: String,
    /// What is wrong, or why nothing was done.
    causes: Vec<String>,
    /// What to do.
    advice: Vec<String>,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Skipped => "skipped",
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "failed",
        }
    }
}

impl Finding {
    pub(super) fn ok(seen: impl Into<String>) -> Self {
        Self { outcome: Outcome::Ok, seen: seen.into(), causes: Vec::new(), advice: Vec::new() }
    }

    pub(super) fn failed(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::ok("").with(Outcome::Failed, cause, advice)
    }

    pub(super) fn warning(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::ok("").but(cause, advice)
    }

    /// Nothing was done; the advice, where there is any, says how it would be.
    pub(super) fn skipped(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::ok("").with(Outcome::Skipped, cause, advice) }
    }

    /// The same with what was seen all the same.
    pub(super) fn seeing(self, seen: impl Into<String>) -> Self {
        Self { seen: seen.into(), ..self }
    }

    /// The same, with something more that was seen.
    pub(super) fn seeing_also(mut self, seen: &str) -> Self {
        if !self.seen.is_empty() {
            self.seen.push_str("; ");
        }
        self.seen.push_str(seen);
        self
    }

    /// The same, with something that may be meant.
    pub(super) fn hint(self, cause: impl Into<String>, advice: impl Into<String>) -> Self {
        self.with(Outcome::Ok, cause, advice)
    }

    /// The same, with something to be warned of.
    pub(super) fn but(self, cause: impl Into<String>, advice: impl Into<String>) -> Self {
        self.with(Outcome::Warning, cause, advice)
    }

    /// The same, with something that does not work.
    pub(super) fn failing(self, cause: impl Into<String>, advice: impl Into<String>) -> Self {
        self.with(Outcome::Failed, cause, advice)
    }

    pub(super) fn is_failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }

    fn with(mut self, outcome: Outcome, cause: impl Into<String>, advice: impl Into<String>) -> Self {
        self.outcome = self.outcome.max(outcome);
        for (list, text) in [(&mut self.causes, cause.into()), (&mut self.advice, advice.into())] {
            if !text.is_empty() && !list.contains(&text) {
                list.push(text);
            }
        }
        self
    }
}

/// A step under way.
pub(super) struct Begun {
    step: &'static str,
    target: String,
    at: Instant,
}

/// A step under way from now on.
pub(super) fn begin(step: &'static str, target: impl Into<String>) -> Begun {
    Begun { step, target: target.into(), at: Instant::now() }
}

/// Everything that was found so far.
pub(super) struct Report {
    json: bool,
    steps: Vec<Value>,
    counts: [usize; 4],
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, steps: Vec::new(), counts: [0; 4] }
    }

    /// A step ended; people read of it now.
    pub(super) fn end(&mut self, begun: Begun, finding: Finding) {
        let Begun { step, target, at } = begun;
        let took = at.elapsed();
        self.counts[finding.outcome as usize] += 1;
        if !self.json {
            tell(step, &target, took, &finding);
            return;
        }
        let text = |text: String| (!text.is_empty()).then_some(text);
        self.steps.push(json!({
            "step": step,
            "target": target,
            "result": finding.outcome.word(),
            "took_us": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "seen": text(finding.seen),
            "cause": text(finding.causes.join("; ")),
            "advice": text(finding.advice.join("; ")),
        }));
    }

    /// A step that took no time.
    pub(super) fn note(&mut self, step: &'static str, target: impl Into<String>, finding: Finding) {
        self.end(begin(step, target), finding);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.count(Outcome::Failed) > 0
    }

    /// Prints the document, or the last line.
    pub(super) fn finish(self) {
        let healthy = !self.has_failed();
        if self.json {
            return output::document(&json!({ "healthy": healthy, "steps": self.steps }));
        }
        let counted = |outcome, one: &str, several: &str| match self.count(outcome) {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {several}")),
        };
        let wrong = counted(Outcome::Failed, "step failed", "steps failed");
        let told: Vec<String> =
            wrong.into_iter().chain(counted(Outcome::Warning, "warning", "warnings")).collect();
        let verdict = if healthy { "healthy" } else { "not healthy" };
        output::line(&match told.is_empty() {
            true => verdict.to_owned(),
            false => format!("{verdict}: {}", told.join(", ")),
        });
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.counts[outcome as usize]
    }
}

fn tell(step: &str, target: &str, took: Duration, finding: &Finding) {
    let seen = match finding.seen.as_str() {
        "" => String::new(),
        seen => format!(": {}", printable(seen)),
    };
    let took = match took.as_millis() {
        0 => String::new(),
        millis => format!(" ({millis} ms)"),
    };
    output::line(&format!("{:<7}  {step:<14} {}{seen}{took}", finding.outcome.word(), printable(target)));
    for (lead, texts) in [("because", &finding.causes), ("do", &finding.advice)] {
        for text in texts {
            output::line(&format!("         {lead}: {}", printable(text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_was_found_is_what_a_step_comes_to() {
        let finding = Finding::ok("x").but("old", "renew it").failing("gone", "").but("old", "renew it");
        assert_eq!(finding.outcome, Outcome::Failed);
        assert_eq!(
            (finding.causes, finding.advice),
            (vec!["old".to_owned(), "gone".to_owned()], vec!["renew it".to_owned()])
        );
        assert_eq!(Finding::skipped("no", "").outcome, Outcome::Skipped);
        assert_eq!(Finding::skipped("no", "").but("worse", "").outcome, Outcome::Warning);
    }
}
