//! The table.

use std::fmt;

use super::worker::Row;
use crate::turns::Took;

/// The best round of each row so far: whatever else a machine does can only make one worse.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(Row, Took)>);

impl Report {
    pub(crate) fn add(&mut self, row: Row, took: Took) {
        match self.0.iter_mut().find(|(known, _)| *known == row) {
            Some((_, best)) if took.wall < best.wall => *best = took,
            Some(_) => {}
            None => self.0.push((row, took)),
        }
    }

    /// The part of its limit's rate that a row has reached, as far as that was measured.
    fn part(&self, row: Row, took: Took) -> Option<f64> {
        let limit = row.kind.limit()?;
        let same = |other: Row| other.kind == limit && other.concurrency == row.concurrency;
        let (other, least) = self.0.iter().find(|(other, _)| same(*other))?;
        Some(rate(row, took) / rate(*other, *least))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<26} {:>7} {:>10} {:>8} {:>8} {:>8} {:>8}",
            "", "at once", "checks/s", "CPU us", "p50 us", "p99 us", "of limit"
        )?;
        for (row, took) in &self.0 {
            write!(
                f,
                "{:<26} {:>7} {:>10.0} {:>8.2} {:>8.1} {:>8.1}",
                row.kind.title(),
                row.concurrency,
                rate(*row, *took),
                took.cpu / row.checks as f64 * 1e6,
                took.half * 1e6,
                took.slowest * 1e6,
            )?;
            match self.part(*row, *took) {
                Some(part) => writeln!(f, " {:>6.0} %", part * 1e2)?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

fn rate(row: Row, took: Took) -> f64 {
    row.checks as f64 / took.wall
}
