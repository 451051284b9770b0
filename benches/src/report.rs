//! The table, and whether what was to be reached was.

use std::fmt;

use crate::worker::{Kind, Measured, Row};

/// Milliseconds of processor time that a login of ours may cost.
const MOST_CPU: f64 = 0.33;
/// The part of the bare loop's rate that is to be reached.
const LEAST_RATE: f64 = 0.9;

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(Row, Measured)>);

impl Report {
    pub(crate) fn add(&mut self, row: Row, measured: Measured) {
        self.0.push((row, measured));
    }

    fn rate(&self, kind: Kind, concurrency: usize) -> Option<f64> {
        let found = self.0.iter().find(|(row, _)| row.kind == kind && row.concurrency == concurrency);
        found.map(|(row, measured)| row.logins as f64 / measured.wall)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:>8} {:>9} {:>9} {:>8} {:>8} {:>12} {:>9}",
            "", "at once", "logins/s", "CPU ms", "p50 ms", "p99 ms", "connections", "requests"
        )?;
        for (row, measured) in &self.0 {
            let each = |total: f64| total / row.logins as f64;
            writeln!(
                f,
                "{:<30} {:>8} {:>9.0} {:>9.3} {:>8.2} {:>8.2} {:>12} {:>9.2}",
                row.kind.title(),
                row.concurrency,
                row.logins as f64 / measured.wall,
                each(measured.cpu) * 1e3,
                measured.half * 1e3,
                measured.slowest * 1e3,
                measured.connections,
                each(measured.requests as f64),
            )?;
        }
        writeln!(
            f,
            "\nCPU ms, requests: of the client, for one login; connections: opened during all of them"
        )?;
        for (row, measured) in self.0.iter().filter(|(row, _)| row.kind == Kind::Decision) {
            let cpu = measured.cpu / row.logins as f64 * 1e3;
            let told = if cpu <= MOST_CPU { "yes" } else { "no" };
            writeln!(
                f,
                "at most {MOST_CPU} ms for a decision, {} at once: {told} ({cpu:.3})",
                row.concurrency
            )?;
            let Some(bare) = self.rate(Kind::Bare, row.concurrency) else { continue };
            let part = row.logins as f64 / measured.wall / bare;
            let told = if part >= LEAST_RATE { "yes" } else { "no" };
            writeln!(
                f,
                "at least {:.0} % of the bare loop's rate: {told} ({:.0} %)",
                LEAST_RATE * 1e2,
                part * 1e2
            )?;
        }
        Ok(())
    }
}
