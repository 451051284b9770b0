//! One store into another, whole: what is in no table of the target yet, in one transaction of each.

use account::store::BoxError;
use sqlx::AssertSqlSafe;

use crate::database::Purpose;
use crate::error::{OpenError, Problem};
use crate::sql::{Connection, Kind, Query, Row};
use crate::store::SqlStore;
use crate::table::{Of, TABLES, Table};

/// Rows that are under way at once.
const PAGE: usize = 200;

/// Why a store was not copied. The target is as it was, but for the tables that it got.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// What is to be copied cannot be opened.
    #[error(transparent)]
    Source(OpenError),
    /// What it is to be copied into cannot be opened.
    #[error(transparent)]
    Target(OpenError),
    /// `memory:` ends with its process.
    #[error("memory: can be copied neither from nor to")]
    Memory,
    /// The target has something in it, which would be mixed with what is copied.
    #[error("the target is not empty: it has rows in {}", tables.join(", "))]
    NotEmpty {
        /// Which tables.
        tables: Vec<&'static str>,
    },
    /// Reading or writing failed.
    #[error("the {what} could not be copied")]
    Failed {
        /// The table.
        what: &'static str,
        /// The driver's own words.
        source: BoxError,
    },
}

impl CopyError {
    /// Whether it is the source alone that is in the way.
    #[must_use]
    pub fn is_of_source(&self) -> bool {
        matches!(self, Self::Source(_))
    }
}

/// Copies everything that the store at one URL holds into the empty store at another, which may be another database: people
/// and groups, sessions, tokens, secrets, counters, the audit record and the notes of changes with their numbers. Both are
/// brought up to date first. Answers how many rows of which table that were.
///
/// What is written to the source meanwhile stays there alone.
///
/// # Errors
/// When one cannot be opened, the target is not empty, or reading or writing fails; the target is empty then.
pub async fn copy(from: &str, to: &str) -> Result<Vec<(&'static str, u64)>, CopyError> {
    if [from, to].iter().any(|url| url.starts_with("memory:")) {
        return Err(CopyError::Memory);
    }
    let (source, _) = crate::open_sql(from).await.map_err(CopyError::Source)?;
    let (target, _) = crate::open_sql(to).await.map_err(CopyError::Target)?;
    copy_all(&source, &target).await
}

async fn copy_all(source: &SqlStore, target: &SqlStore) -> Result<Vec<(&'static str, u64)>, CopyError> {
    let failed =
        |what: &'static str| move |problem: Problem| CopyError::Failed { what, source: problem.into() };
    let mut reading = source.database.begin(Purpose::CopyFrom).await.map_err(failed("store"))?;
    let mut writing = target.database.begin(Purpose::CopyTo).await.map_err(failed("store"))?;
    let mut counts = Vec::new();
    let tables = filled(&mut writing.connection()).await.map_err(failed("store"))?;
    if !tables.is_empty() {
        return Err(CopyError::NotEmpty { tables });
    }
    for table in TABLES {
        let copied = copy_table(&mut reading.connection(), &mut writing.connection(), table).await;
        counts.push((table.name, copied.map_err(failed(table.name))?));
    }
    for numbered in ["audit", "change"] {
        let went_on = async {
            let last = last_number(&mut reading.connection(), numbered).await?;
            go_on_after(&mut writing.connection(), numbered, last).await
        };
        went_on.await.map_err(failed(numbered))?;
    }
    writing.commit().await.map_err(failed("store"))?;
    Ok(counts)
}

/// The tables that have a row.
async fn filled(c: &mut Connection<'_>) -> Result<Vec<&'static str>, Problem> {
    let mut filled = Vec::new();
    for table in TABLES {
        let any = format!("select 1 from {} limit 1", table.name);
        if c.query(AssertSqlSafe(any)).fetch_optional().await?.is_some() {
            filled.push(table.name);
        }
    }
    Ok(filled)
}

async fn copy_table(
    source: &mut Connection<'_>,
    target: &mut Connection<'_>,
    table: &Table,
) -> Result<u64, Problem> {
    let mut copied = 0;
    let mut rows: Vec<Row> = source.query(AssertSqlSafe(select(table, After::Nothing))).fetch_all().await?;
    while let Some(last) = rows.last() {
        let mut insert = target.query(AssertSqlSafe(insert(table, rows.len())));
        for row in &rows {
            for (at, (_, of)) in table.columns.iter().enumerate() {
                insert = pass_on(insert, row, at, *of)?;
            }
        }
        copied += insert.execute().await?;
        if rows.len() < PAGE {
            break;
        }
        let after = if table.key == 0 { After::Rows(copied) } else { After::Key };
        let mut next = source.query(AssertSqlSafe(select(table, after)));
        for (at, (_, of)) in table.columns.iter().enumerate().take(table.key) {
            next = pass_on(next, last, at, *of)?;
        }
        rows = next.fetch_all().await?;
    }
    Ok(copied)
}

/// Where a page begins.
enum After {
    Nothing,
    Key,
    Rows(u64),
}

/// Binds what a row has in a column.
fn pass_on<'c>(query: Query<'c>, row: &Row, at: usize, of: Of) -> Result<Query<'c>, Problem> {
    Ok(match of {
        Of::Text => query.bind(row.get::<Option<String>>(at)?),
        Of::Number => query.bind(row.get::<Option<i64>>(at)?),
        Of::Bytes => query.bind(row.get::<Option<Vec<u8>>>(at)?),
        Of::Flag => query.bind(row.get::<Option<bool>>(at)?),
    })
}

/// A page of a table. Names come from the list of tables alone. Rows of a table without a key are counted: of two that are
/// alike it does not matter which is which.
fn select(table: &Table, after: After) -> String {
    let names =
        |some: &[(&'static str, Of)]| some.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let (name, columns) = (table.name, names(table.columns));
    let order = if table.key == 0 { columns.clone() } else { names(&table.columns[..table.key]) };
    let (condition, offset) = match after {
        After::Nothing => (String::new(), 0),
        After::Key => (format!(" where ({order}) > ({})", places(0, table.key)), 0),
        After::Rows(rows) => (String::new(), rows),
    };
    format!("select {columns} from {name}{condition} order by {order} limit {PAGE} offset {offset}")
}

fn insert(table: &Table, rows: usize) -> String {
    let width = table.columns.len();
    let columns = table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let values: Vec<_> = (0..rows).map(|row| format!("({})", places(row * width, width))).collect();
    format!("insert into {} ({columns}) values {}", table.name, values.join(", "))
}

/// `$1, $2, ..`, from after a number on.
fn places(after: usize, count: usize) -> String {
    (1..=count).map(|at| format!("${}", after + at)).collect::<Vec<_>>().join(", ")
}

/// The last number that was ever given out to a row of a table.
async fn last_number(c: &mut Connection<'_>, table: &'static str) -> Result<i64, Problem> {
    let found = match c.kind() {
        Kind::Sqlite => {
            c.query("select coalesce((select seq from sqlite_sequence where name = $1), 0)").bind(table)
        }
        Kind::Postgres => c.query(AssertSqlSafe(format!("select {table} from numbers"))),
    };
    found.fetch_one().await?.get(0)
}

/// The next row gets a higher number than this.
async fn go_on_after(c: &mut Connection<'_>, table: &'static str, last: i64) -> Result<(), Problem> {
    match c.kind() {
        Kind::Sqlite => {
            c.query("delete from sqlite_sequence where name = $1").bind(table).execute().await?;
            let set = c.query("insert into sqlite_sequence (name, seq) values ($1, $2)").bind(table);
            set.bind(last).execute().await?;
        }
        Kind::Postgres => {
            let set = format!("update numbers set {table} = $1");
            c.query(AssertSqlSafe(set)).bind(last).execute().await?;
        }
    }
    Ok(())
}
