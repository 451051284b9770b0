//! A store seen from outside, for a diagnosis: nothing is made, and no table is brought up to date.

use std::path::Path;
use std::time::{Duration, SystemTime};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

use crate::database::PATIENCE;
use crate::error::OpenError;
use crate::migrate;
use crate::postgres::{self, Address};

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The version of its tables; `None`: it has none yet.
    pub version: Option<i64>,
    /// The version that this program would bring it to.
    pub known: i64,
    /// The time by the server's clock, where it has one of its own.
    pub clock: Option<SystemTime>,
}

pub(crate) async fn sqlite(path: &Path) -> Result<Looked, OpenError> {
    let unusable = |error: sqlx::Error| OpenError::File { path: path.to_owned(), source: error.into() };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(PATIENCE);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(unusable)?;
    let there = "select count(*) from sqlite_master where type = 'table' and name = '_sqlx_migrations'";
    let there: i64 =
        sqlx::query_scalar(there).persistent(false).fetch_one(&mut connection).await.map_err(unusable)?;
    let version = match there {
        0 => None,
        _ => sqlx::query_scalar(VERSION)
            .persistent(false)
            .fetch_one(&mut connection)
            .await
            .map_err(unusable)?,
    };
    let _ = connection.close().await;
    judge(version, migrate::known_to_sqlite(), None, &path.display().to_string())
}

pub(crate) async fn postgres(url: &str) -> Result<Looked, OpenError> {
    let Address { options, told, .. } = Address::from_url(url)?;
    let refused = |error| postgres::refused(&told, error);
    let looking = async {
        // Behind PgBouncer statements have no names.
        let mut connection = PgConnection::connect_with(&options).await.map_err(refused)?;
        let there = "select to_regclass('_sqlx_migrations') is not null";
        let there: bool =
            sqlx::query_scalar(there).persistent(false).fetch_one(&mut connection).await.map_err(refused)?;
        let version = match there {
            false => None,
            true => sqlx::query_scalar(VERSION)
                .persistent(false)
                .fetch_one(&mut connection)
                .await
                .map_err(refused)?,
        };
        let clock = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
        let micros: i64 =
            sqlx::query_scalar(clock).persistent(false).fetch_one(&mut connection).await.map_err(refused)?;
        let _ = connection.close().await;
        let since = Duration::from_micros(u64::try_from(micros).unwrap_or_default());
        judge(version, migrate::known_to_postgres(), Some(SystemTime::UNIX_EPOCH + since), &told)
    };
    match timeout(PATIENCE, looking).await {
        Ok(looked) => looked,
        Err(late) => Err(OpenError::Unreachable { store: told.clone(), source: late.into() }),
    }
}

/// A step that was begun counts as done: the tables are those of the last.
const VERSION: &str = "select max(version) from _sqlx_migrations";

fn judge(
    version: Option<i64>,
    known: i64,
    clock: Option<SystemTime>,
    store: &str,
) -> Result<Looked, OpenError> {
    match version.filter(|version| *version > known) {
        Some(version) => Err(OpenError::Newer { store: store.to_owned(), version }),
        None => Ok(Looked { version, known, clock }),
    }
}
