//! `sync`: the store brought in line with the directories, the plan first.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use account::{Planned, PlannedChange, SyncEvent, SyncOptions, SyncProgress, SyncReport, SyncStep, document};
use serde_json::Value;
use tokio::time::Instant;

use super::Context;
use super::answer::{Answer, of_fault};
use crate::arguments::Sync;
use crate::exit::Exit;
use crate::output;

/// How far it has come is told so often.
const EVERY: Duration = Duration::from_millis(250);

/// Runs what was asked for.
pub(crate) async fn run(context: &Context, sync: Sync) -> Exit {
    let answer = Answer::new(context, sync.json);
    let engine = match answer.engine(context).await {
        Ok(engine) => engine,
        Err(exit) => return exit,
    };
    let options = SyncOptions { dry_run: sync.dry_run, force: sync.force };
    let mut printer = Printer::new(sync.json, context.voice.is_quiet());
    let report = engine.accounts().sync(options, &super::origin(), &mut |event| printer.hear(event)).await;
    printer.end(&report, options);
    engine.shutdown().await;
    match (report.failed.first(), report.refused.is_empty()) {
        (Some((_, error)), _) => of_fault(error.fault()),
        (None, false) => Exit::REFUSED,
        (None, true) => Exit::DONE,
    }
}

/// Prints the plan while it is drawn up: as one document that is written as it comes, or a line for each change.
struct Printer {
    json: bool,
    lines: u64,
    /// When the next word about the progress is due, where somebody sees it.
    next: Option<Instant>,
    /// There is such a word on the terminal.
    told: bool,
}

impl Printer {
    fn new(json: bool, is_quiet: bool) -> Self {
        if json {
            output::text("{\"plan\":[");
        }
        let seen = std::io::stderr().is_terminal() && !is_quiet;
        Self { json, lines: 0, next: seen.then(Instant::now), told: false }
    }

    fn hear(&mut self, event: SyncEvent<'_>) {
        match event {
            SyncEvent::Planned(planned) => self.plan(planned),
            SyncEvent::Progress(progress) => self.progress(progress),
        }
    }

    fn plan(&mut self, planned: &Planned) {
        self.clear();
        if self.json {
            let comma = if self.lines == 0 { "\n" } else { ",\n" };
            output::text(&format!("{comma}{}", document::planned(planned)));
        } else {
            output::line(&output::printable(&line(planned)));
        }
        self.lines += 1;
    }

    fn progress(&mut self, SyncProgress { directory, step, people }: SyncProgress<'_>) {
        let now = Instant::now();
        let Some(due) = self.next.filter(|next| now >= *next) else { return };
        self.next = Some(due.max(now) + EVERY);
        self.told = true;
        let done = match step {
            SyncStep::Reading => "read",
            SyncStep::Comparing => "compared",
            SyncStep::Writing => "written",
            SyncStep::Ending => "ended",
        };
        // Whoever does not see it has lost nothing.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{directory}: {people} people {done}");
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.told) {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }

    fn end(&mut self, report: &SyncReport, options: SyncOptions) {
        self.clear();
        for (directory, error) in &report.failed {
            let causes = error.causes().join(": ");
            let causes = if causes.is_empty() { causes } else { format!(": {causes}") };
            output::note(&output::printable(&format!("ldapgate: {directory}: {error}{causes}")));
        }
        if self.json {
            let Value::Object(rest) = document::synced(report) else { return };
            let rest = rest.iter().map(|(name, value)| format!("\"{name}\":{value}"));
            output::line(&format!("\n],{}}}", rest.collect::<Vec<_>>().join(",\n")));
            return;
        }
        for refused in &report.refused {
            output::line(&output::printable(&format!("refused: {refused}")));
        }
        output::line(&summary(report, options));
    }
}

/// `update   alice  fields.email: "a@example.com" -> null`
fn line(planned: &Planned) -> String {
    let what: Vec<String> = planned
        .what
        .iter()
        .map(|(name, value)| match (value.get("old"), value.get("new"), value) {
            (Some(old), Some(new), _) => format!("{name}: {old} -> {new}"),
            (_, _, Value::String(text)) => format!("{name}: {text}"),
            (_, _, value) => format!("{name}: {value}"),
        })
        .collect();
    format!("{:<8} {}  {}", planned.change.as_str(), planned.username, what.join("; "))
}

/// `applied: create 2, update 0, move 0, disable 1, remove 0; unchanged 40`
fn summary(report: &SyncReport, options: SyncOptions) -> String {
    let counts = &report.counts;
    let planned = PlannedChange::ALL.map(|change| format!("{} {}", change.as_str(), counts.of(change)));
    let word = match (report.applied, options.dry_run, report.failed.is_empty()) {
        (true, ..) => "applied",
        (false, true, true) => "planned",
        (false, ..) => "not applied",
    };
    let unclear = match counts.unclear {
        0 => String::new(),
        unclear => format!(", unclear {unclear}"),
    };
    format!("{word}: {}; unchanged {}{unclear}", planned.join(", "), counts.unchanged)
}
