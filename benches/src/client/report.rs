//! The table, and whether what was to be reached was.

use std::fmt;

use super::job::{ALL, Job};
use super::worker::Spent;

/// The part of `ldap3`'s user time that the stream may cost.
const MOST_OF_LDAP3: f64 = 0.25;
/// The part of `ldapsearch`'s processor time that `ldapgate search` may cost.
const MOST_OF_LDAPSEARCH: f64 = 0.6;
/// Memory, in KiB.
const MOST_MEMORY: u64 = 16 * 1024;

/// The least of each number of all rounds, the most of memory.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Row>);

#[derive(Debug)]
struct Row {
    job: Job,
    spent: Spent,
    allocations: Option<u64>,
}

impl Report {
    pub(crate) fn add(&mut self, job: Job, spent: Spent) {
        let Some(row) = self.0.iter_mut().find(|row| row.job == job) else {
            self.0.push(Row { job, spent, allocations: None });
            return;
        };
        let best = &mut row.spent;
        best.user = best.user.min(spent.user);
        best.whole = best.whole.min(spent.whole);
        best.wall = best.wall.min(spent.wall);
        best.peak = best.peak.max(spent.peak);
    }

    pub(crate) fn allocated(&mut self, job: Job, count: u64) {
        if let Some(row) = self.0.iter_mut().find(|row| row.job == job) {
            row.allocations = Some(count);
        }
    }

    fn of(&self, word: &str) -> Option<&Spent> {
        self.0.iter().find(|row| row.job.word == word).map(|row| &row.spent)
    }

    fn reached(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in ["search-ours", "search-ours-whole"] {
            if let (Some(ours), Some(theirs)) = (self.of(word), self.of("search-ldap3")) {
                let part = ours.user / theirs.user;
                let reached = yes(part <= MOST_OF_LDAP3);
                writeln!(f, "{word}: at most {MOST_OF_LDAP3} of ldap3's user time: {reached} ({part:.2})")?;
            }
        }
        if let (Some(ours), Some(theirs)) = (self.of("tool-ldapgate"), self.of("tool-ldapsearch")) {
            let part = ours.whole / theirs.whole;
            let reached = yes(part <= MOST_OF_LDAPSEARCH);
            writeln!(f, "at most {MOST_OF_LDAPSEARCH} of ldapsearch's whole time: {reached} ({part:.2})")?;
        }
        let streams = ["search-ours", "search-ours-whole", "slow-ours", "slow-ours-whole", "tool-ldapgate"];
        for (word, ours) in streams.iter().filter_map(|word| Some((word, self.of(word)?))) {
            let reached = yes(ours.peak < MOST_MEMORY);
            writeln!(f, "{word}: less than 16 MiB: {reached} ({:.1})", mebibytes(ours.peak))?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = "";
        for row in ALL.iter().filter_map(|job| self.0.iter().find(|row| row.job == *job)) {
            if row.job.group != group {
                group = row.job.group;
                writeln!(
                    f,
                    "{group}\n{:<34}{:>8} {:>8} {:>8} {:>9} {:>12}",
                    "", "user s", "CPU s", "wall s", "peak MiB", "allocations"
                )?;
            }
            let Spent { user, whole, wall, peak } = row.spent;
            let peak = mebibytes(peak);
            write!(f, "  {:<32}{user:>8.3} {whole:>8.3} {wall:>8.3} {peak:>9.1}", row.job.title)?;
            match row.allocations {
                Some(count) => writeln!(f, " {count:>12}")?,
                None => writeln!(f)?,
            }
        }
        writeln!(f)?;
        self.reached(f)
    }
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "no" }
}
