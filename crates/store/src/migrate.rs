//! The tables, brought up to date: both folders of `migrations`, embedded.
//!
//! What was done is noted where sqlx notes it, so that its own tools can be used. sqlx's migrator itself cannot: its
//! statements have names, which behind PgBouncer nobody may give.

use std::collections::BTreeMap;
use std::time::Duration;

use account::store::BoxError;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType};

use crate::database::{Database, Purpose};
use crate::error::{OpenError, Problem};
use crate::sql::{Connection, Kind};

/// The files of a folder, in their order. The numbers of both folders coincide.
macro_rules! steps {
    ($folder:literal: $($number:literal $name:literal),+ $(,)?) => {
        &[$(($number, $name, include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")))),+]
    };
}

type Steps = &'static [(i64, &'static str, &'static str)];

const SQLITE: Steps = steps! {
    "sqlite":
    1 "0001_start",
    2 "0002_attributes",
    3 "0003_warnings",
    4 "0004_groups",
    5 "0005_tokens",
    6 "0006_revalidation",
};

const POSTGRES: Steps = steps! {
    "postgres":
    3 "0003_start",
    4 "0004_groups",
    5 "0005_tokens",
    6 "0006_revalidation",
};

/// The version that a file is brought to.
pub(crate) fn known_to_sqlite() -> i64 {
    last(SQLITE)
}

/// The version that a database is brought to.
pub(crate) fn known_to_postgres() -> i64 {
    last(POSTGRES)
}

fn last(steps: &[(i64, &str, &str)]) -> i64 {
    steps.last().map_or(0, |(version, ..)| *version)
}

/// What [`migrate`](crate::migrate) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version that was found; `None`: the store was empty.
    pub from: Option<i64>,
    /// The version that it has now.
    pub to: i64,
}

/// Brings the tables up to date in one transaction: of two processes that start at once the second waits and finds
/// everything done, and nobody ever sees half of it.
pub(crate) async fn run(database: &Database, store: &str) -> Result<Migrated, OpenError> {
    let done = async {
        let mut held = database.begin(Purpose::Migrate).await?;
        let migrated = steps(&mut held.connection()).await?;
        held.commit().await?;
        Ok::<_, Wrong>(migrated)
    };
    done.await.map_err(|wrong| wrong.of(store))
}

/// What is in the way.
enum Wrong {
    Problem(Problem),
    Unknown(i64),
    Changed(i64),
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Wrong {
    fn of(self, store: &str) -> OpenError {
        let store = store.to_owned();
        let source: BoxError = match self {
            Self::Unknown(version) => return OpenError::Newer { store, version },
            Self::Changed(version) => format!("its version {version} was made by another program").into(),
            Self::Problem(Problem::Sql(error) | Problem::Stale(error)) => {
                let code = error.as_database_error().and_then(|error| error.code());
                // insufficient_privilege
                if code.as_deref() == Some("42501") {
                    return OpenError::Refused {
                        store,
                        hint: "this user may not make tables there; make it the database's owner, or grant it \"create\" on the schema",
                        source: error.into(),
                    };
                }
                error.into()
            }
            Self::Problem(problem) => problem.into(),
        };
        OpenError::Migrate { store, source }
    }
}

async fn steps(c: &mut Connection<'_>) -> Result<Migrated, Wrong> {
    let steps = match c.kind() {
        Kind::Sqlite => SQLITE,
        Kind::Postgres => POSTGRES,
    };
    let mut applied = applied(c).await?;
    let from = applied.keys().max().copied();
    for (version, name, sql) in steps {
        let name = name.split_once('_').map_or(*name, |(_, name)| name);
        let migration =
            Migration::new(*version, name.into(), MigrationType::Simple, sql.into_sql_str(), false);
        match applied.remove(version) {
            Some(checksum) if checksum != *migration.checksum => return Err(Wrong::Changed(*version)),
            Some(_) => {}
            None => apply(c, migration).await?,
        }
    }
    if let Some(unknown) = applied.keys().max() {
        return Err(Wrong::Unknown(*unknown));
    }
    Ok(Migrated { from, to: steps.last().map_or(0, |(version, ..)| *version) })
}

/// What was done before, by number, with the files' SHA-384. Whoever may not make tables can start when there is nothing to
/// make.
async fn applied(c: &mut Connection<'_>) -> Result<BTreeMap<i64, Vec<u8>>, Problem> {
    let there = c.query_in(
        "select 1 from sqlite_master where type = 'table' and name = '_sqlx_migrations'",
        "select 1 where to_regclass('_sqlx_migrations') is not null",
    );
    if there.fetch_optional().await?.is_none() {
        c.run(match c.kind() {
            Kind::Sqlite => {
                "create table _sqlx_migrations (version bigint primary key, description text not null, \
                 installed_on timestamp not null default current_timestamp, success boolean not null, \
                 checksum blob not null, execution_time bigint not null)"
            }
            Kind::Postgres => {
                "create table _sqlx_migrations (version bigint primary key, description text not null, \
                 installed_on timestamptz not null default now(), success boolean not null, \
                 checksum bytea not null, execution_time bigint not null)"
            }
        })
        .await?;
        return Ok(BTreeMap::new());
    }
    let rows = c.query("select version, checksum from _sqlx_migrations").fetch_all().await?;
    rows.iter().map(|found| Ok((found.get(0)?, found.get(1)?))).collect()
}

async fn apply(c: &mut Connection<'_>, migration: Migration) -> Result<(), Problem> {
    let began = tokio::time::Instant::now();
    c.run(migration.sql).await?;
    let took = began.elapsed().max(Duration::from_nanos(1));
    c.query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values ($1, $2, true, $3, $4)",
    )
    .bind(migration.version)
    .bind(&*migration.description)
    .bind(&*migration.checksum)
    .bind(i64::try_from(took.as_nanos()).unwrap_or(i64::MAX))
    .execute()
    .await?;
    Ok(())
}
