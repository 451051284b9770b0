//! The table, and whether what was to be reached was.

use std::fmt;

use super::worker::{Kind, Measured, Row};
use crate::turns::Took;

/// Milliseconds of processor time that a login of ours may cost.
const MOST_CPU: f64 = 0.33;
/// The part of the bare loop's rate that is to be reached.
const LEAST_RATE: f64 = 0.9;

/// The best round of each row so far: whatever else a machine does can only make one worse.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(Row, Measured)>);

impl Report {
    pub(crate) fn add(&mut self, row: Row, measured: Measured) {
        match self.0.iter_mut().find(|(known, _)| *known == row) {
            Some((_, best)) if measured.took.wall < best.took.wall => *best = measured,
            Some(_) => {}
            None => self.0.push((row, measured)),
        }
    }

    fn rate_of(&self, kind: Kind, concurrency: usize) -> Option<f64> {
        let same = |row: Row| row.kind == kind && row.concurrency == concurrency;
        let (row, measured) = self.0.iter().find(|(row, _)| same(*row))?;
        Some(row.logins as f64 / measured.took.wall)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:>7} {:>8} {:>8} {:>8} {:>8} {:>11} {:>8}",
            "", "at once", "logins/s", "CPU ms", "p50 ms", "p99 ms", "connections", "requests"
        )?;
        for (Row { kind, concurrency, logins }, measured) in &self.0 {
            let logins = *logins as f64;
            let Measured { took: Took { wall, cpu, half, slowest }, connections, requests } = measured;
            writeln!(
                f,
                "{:<30} {concurrency:>7} {:>8.0} {:>8.3} {:>8.2} {:>8.2} {connections:>11} {:>8.2}",
                kind.title(),
                logins / wall,
                cpu / logins * 1e3,
                half * 1e3,
                slowest * 1e3,
                *requests as f64 / logins,
            )?;
        }
        writeln!(f, "\nCPU ms and requests: of the client for one login; connections: opened in a round")?;
        for (row, measured) in self.0.iter().filter(|(row, _)| row.kind == Kind::Decision) {
            let (logins, concurrency) = (row.logins as f64, row.concurrency);
            let cpu = measured.took.cpu / logins * 1e3;
            let enough = yes(cpu <= MOST_CPU);
            writeln!(f, "at most {MOST_CPU} ms for a decision, {concurrency} at once: {enough} ({cpu:.3})")?;
            let Some(bare) = self.rate_of(Kind::Bare, concurrency) else { continue };
            let (part, least) = (logins / measured.took.wall / bare, LEAST_RATE * 1e2);
            let enough = yes(part >= LEAST_RATE);
            writeln!(f, "at least {least:.0} % of the bare loop's rate: {enough} ({:.0} %)", part * 1e2)?;
        }
        Ok(())
    }
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "no" }
}
