//! The table, and whether what was to be reached was.

use std::fmt;

use crate::worker::{Kind, Measured, Row};

/// Milliseconds of processor time that a login of ours may cost.
const MOST_CPU: f64 = 0.33;
/// The part of the bare loop's rate that is to be reached.
const LEAST_RATE: f64 = 0.9;

/// What was measured so far, round by round.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(Row, Vec<Measured>)>);

/// The medians of a row; times in milliseconds, processor time and requests for one login.
struct Told {
    rate: f64,
    cpu: f64,
    half: f64,
    slowest: f64,
    connections: f64,
    requests: f64,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row, measured: Measured) {
        match self.0.iter_mut().find(|(known, _)| *known == row) {
            Some((_, rounds)) => rounds.push(measured),
            None => self.0.push((row, vec![measured])),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (Row, Told)> {
        self.0.iter().map(|(row, rounds)| {
            let logins = row.logins as f64;
            let told = |each: &dyn Fn(&Measured) -> f64| median(rounds.iter().map(each).collect());
            let told = Told {
                rate: told(&|round| logins / round.wall),
                cpu: told(&|round| round.cpu / logins * 1e3),
                half: told(&|round| round.half * 1e3),
                slowest: told(&|round| round.slowest * 1e3),
                connections: told(&|round| round.connections as f64),
                requests: told(&|round| round.requests as f64 / logins),
            };
            (*row, told)
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:>7} {:>8} {:>8} {:>8} {:>8} {:>11} {:>8}",
            "", "at once", "logins/s", "CPU ms", "p50 ms", "p99 ms", "connections", "requests"
        )?;
        for (Row { kind, concurrency, .. }, told) in self.rows() {
            let Told { rate, cpu, half, slowest, connections, requests } = told;
            writeln!(
                f,
                "{:<30} {concurrency:>7} {rate:>8.0} {cpu:>8.3} {half:>8.2} {slowest:>8.2} {connections:>11} {requests:>8.2}",
                kind.title(),
            )?;
        }
        writeln!(f, "\nCPU ms and requests: of the client for one login; connections: opened in a round")?;
        for (row, told) in self.rows().filter(|(row, _)| row.kind == Kind::Decision) {
            let (cpu, enough) = (told.cpu, yes(told.cpu <= MOST_CPU));
            writeln!(
                f,
                "at most {MOST_CPU} ms for a decision, {} at once: {enough} ({cpu:.3})",
                row.concurrency
            )?;
            let same = |other: Row| other.kind == Kind::Bare && other.concurrency == row.concurrency;
            let Some((_, bare)) = self.rows().find(|(other, _)| same(*other)) else { continue };
            let (part, least) = (told.rate / bare.rate, LEAST_RATE * 1e2);
            let enough = yes(part >= LEAST_RATE);
            writeln!(f, "at least {least:.0} % of the bare loop's rate: {enough} ({:.0} %)", part * 1e2)?;
        }
        Ok(())
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "no" }
}
