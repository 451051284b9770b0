//! The table, and whether what was to be reached was.

use std::fmt;

use super::run::{Measured, Row, Store};

/// Memory, in KiB.
const MOST_MEMORY: u64 = 64 * 1024;

/// The quickest run of each row, the least processor time, the most memory.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(Row, Measured)>);

impl Report {
    pub(crate) fn add(&mut self, row: Row, measured: Measured) {
        let Some((_, best)) = self.0.iter_mut().find(|(known, _)| *known == row) else {
            self.0.push((row, measured));
            return;
        };
        best.spent.wall = best.spent.wall.min(measured.spent.wall);
        best.spent.whole = best.spent.whole.min(measured.spent.whole);
        best.spent.peak = best.spent.peak.max(measured.spent.peak);
        best.requests = best.requests.max(measured.requests);
    }

    fn read(&self) -> Option<f64> {
        self.0.iter().find(|(row, _)| *row == Row::Read).map(|(_, measured)| measured.spent.wall)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<38} {:>8} {:>8} {:>9} {:>9} {:>8}",
            "", "wall s", "CPU s", "peak MiB", "requests", "of read"
        )?;
        for (row, Measured { spent, requests }) in &self.0 {
            let (title, peak) = (row.title(), mebibytes(spent.peak));
            write!(f, "{title:<38} {:>8.2} {:>8.2} {peak:>9.1} {requests:>9}", spent.wall, spent.whole)?;
            match self.read() {
                Some(read) => writeln!(f, " {:>8.1}", spent.wall / read)?,
                None => writeln!(f)?,
            }
        }
        writeln!(
            f,
            "\nrequests: binds and searches; of read: the wall time, as a multiple of the plain read's"
        )?;
        for (row, measured) in self.0.iter().filter(|(row, _)| row.is_sync()) {
            let reached = if measured.spent.peak < MOST_MEMORY { "yes" } else { "no" };
            writeln!(
                f,
                "{}: less than 64 MiB: {reached} ({:.1})",
                row.title(),
                mebibytes(measured.spent.peak)
            )?;
        }
        Ok(())
    }
}

impl Row {
    fn title(self) -> String {
        match self {
            Row::Read => "plain read in pages, our client".to_owned(),
            Row::Ldapsearch => "plain read, ldapsearch".to_owned(),
            Row::First(store) => format!("sync, {}, first", store.title()),
            Row::Again(store) => format!("sync, {}, nothing changed", store.title()),
            Row::Changed(store) => format!("sync, {}, 1 % changed", store.title()),
        }
    }

    fn is_sync(self) -> bool {
        !matches!(self, Row::Read | Row::Ldapsearch)
    }
}

impl Store {
    fn title(self) -> &'static str {
        match self {
            Store::Sqlite => "SQLite",
            Store::Postgres => "PostgreSQL",
        }
    }
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
