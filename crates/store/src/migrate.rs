//! The tables, brought up to date: both folders of `migrations`, embedded.

use std::path::Path;

use account::store::BoxError;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{PgConnection, SqlSafeStr, SqliteConnection};

use crate::error::OpenError;

/// The files of a folder, in their order. The numbers of both folders coincide.
macro_rules! steps {
    ($folder:literal: $($number:literal $name:literal),+ $(,)?) => {
        [$(($number, $name, include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")))),+]
    };
}

const SQLITE: &[(i64, &str, &str)] = &steps! {
    "sqlite":
    1 "0001_start",
    2 "0002_attributes",
    3 "0003_warnings",
    5 "0005_tokens",
};

const POSTGRES: &[(i64, &str, &str)] = &steps! {
    "postgres":
    3 "0003_start",
    5 "0005_tokens",
};

/// What [`crate::migrate`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version that was found; `None`: the store was empty.
    pub from: Option<i64>,
    /// The version that it has now.
    pub to: i64,
}

/// In one transaction: of two processes that start at once the second waits and finds everything done, and nobody sees
/// half of it.
pub(crate) async fn sqlite(writer: &SqlitePool, path: &Path) -> Result<Migrated, OpenError> {
    let told = path.display().to_string();
    let failed = |error: sqlx::Error| wrong(&told, error.into());
    let mut transaction = writer.begin_with("begin immediate").await.map_err(failed)?;
    let connection: &mut SqliteConnection = &mut transaction;
    let migrated = run(connection, SQLITE).await.map_err(|error| wrong(&told, error))?;
    transaction.commit().await.map_err(failed)?;
    Ok(migrated)
}

/// The same. Tables that are made can be rolled back in PostgreSQL, too.
pub(crate) async fn postgres(pool: &PgPool, told: &str) -> Result<Migrated, OpenError> {
    let failed = |error: sqlx::Error| wrong(told, error.into());
    let begin = "begin isolation level read committed read write; set local lock_timeout = '60s'; \
                 select pg_advisory_xact_lock(7811887409187745129)";
    let mut transaction = pool.begin_with(begin).await.map_err(failed)?;
    let connection: &mut PgConnection = &mut transaction;
    let migrated = run(connection, POSTGRES).await.map_err(|error| wrong(told, error))?;
    transaction.commit().await.map_err(failed)?;
    Ok(migrated)
}

async fn run<C: Migrate>(
    connection: &mut C,
    steps: &[(i64, &'static str, &'static str)],
) -> Result<Migrated, MigrateError> {
    // sqlx's own lock is one of the session, which is nobody's behind PgBouncer; the transaction holds one.
    let migrations = steps.iter().map(|(version, name, sql)| {
        let name = name.split_once('_').map_or(*name, |(_, name)| name);
        Migration::new(*version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_locking(false);
    connection.ensure_migrations_table(&migrator.table_name).await?;
    let applied = connection.list_applied_migrations(&migrator.table_name).await?;
    let from = applied.iter().map(|migration| migration.version).max();
    migrator.run_direct(None, connection, false).await?;
    let to = steps.last().map_or(0, |(version, ..)| *version);
    Ok(Migrated { from, to })
}

fn wrong(store: &str, error: MigrateError) -> OpenError {
    let store = store.to_owned();
    match error {
        MigrateError::VersionMissing(version) => OpenError::Newer { store, version },
        error => OpenError::Migrate { store, source: BoxError::from(error) },
    }
}
