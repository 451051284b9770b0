//! The rows, and the process that each of them is.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

use super::{limits, ours};
use crate::turns::{self, Worker};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A cookie's MAC and one look into a map.
    Seal,
    /// A session that is remembered.
    Cached,
    /// One row by its key, from SQLite.
    SelectSqlite,
    /// A session that is not remembered.
    Sqlite,
    /// One row by its key, from PostgreSQL.
    SelectPostgres,
    /// A session that is not remembered.
    Postgres,
}

/// One row to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) concurrency: usize,
    pub(crate) checks: usize,
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    /// The directory's.
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
    pub(crate) sqlite: String,
    pub(crate) postgres: String,
    /// The time at which all clocks stand: else the use of each session would be noted once a minute, in the middle of a round.
    pub(crate) at: SystemTime,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] =
        [Kind::Seal, Kind::Cached, Kind::SelectSqlite, Kind::Sqlite, Kind::SelectPostgres, Kind::Postgres];

    pub(crate) fn named(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Kind::Seal => "MAC and map",
            Kind::Cached => "session from memory",
            Kind::SelectSqlite => "bare select, SQLite",
            Kind::Sqlite => "session from SQLite",
            Kind::SelectPostgres => "bare select, PostgreSQL",
            Kind::Postgres => "session from PostgreSQL",
        }
    }

    /// The least that this kind could cost.
    pub(crate) fn limit(self) -> Option<Kind> {
        match self {
            Kind::Cached => Some(Kind::Seal),
            Kind::Sqlite => Some(Kind::SelectSqlite),
            Kind::Postgres => Some(Kind::SelectPostgres),
            _ => None,
        }
    }

    /// Enough for a second or so.
    pub(crate) fn checks(self, asked: usize) -> usize {
        match self {
            Kind::Seal | Kind::Cached => asked * 30,
            _ => asked,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Seal => "seal",
            Kind::Cached => "cached",
            Kind::SelectSqlite => "select-sqlite",
            Kind::Sqlite => "sqlite",
            Kind::SelectPostgres => "select-postgres",
            Kind::Postgres => "postgres",
        }
    }

    fn is_postgres(self) -> bool {
        matches!(self, Kind::SelectPostgres | Kind::Postgres)
    }
}

impl Stores {
    /// The cookies of a store's sessions.
    pub(crate) fn cookies(&self, store: &str) -> PathBuf {
        self.folder.join(if store == self.postgres { "cookies-postgres" } else { "cookies-sqlite" })
    }
}

impl Row {
    /// Starts a process of its own and waits until it has warmed up.
    pub(crate) async fn start(self, stores: &Stores) -> anyhow::Result<Worker> {
        let at = stores.at.duration_since(SystemTime::UNIX_EPOCH)?;
        let mut command = turns::command();
        command
            .arg(std::env::current_exe()?)
            .args(["accounts-worker", self.kind.word(), &stores.url])
            .arg(&stores.folder)
            .args([&stores.sqlite, &stores.postgres])
            .args([at.as_secs().to_string(), self.concurrency.to_string(), self.checks.to_string()]);
        Worker::start(command).await
    }
}

/// The process on the clients' core.
pub(crate) fn main(arguments: &[&str]) -> anyhow::Result<()> {
    let [kind, url, folder, sqlite, postgres, at, concurrency, checks] = arguments else {
        anyhow::bail!("a worker is started by `accounts`");
    };
    let kind = Kind::named(kind).context("no such kind")?;
    let stores = Stores {
        url: (*url).to_owned(),
        folder: folder.into(),
        sqlite: (*sqlite).to_owned(),
        postgres: (*postgres).to_owned(),
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(at.parse()?),
    };
    let (concurrency, checks) = (concurrency.parse()?, checks.parse()?);
    let store = if kind.is_postgres() { &stores.postgres } else { &stores.sqlite };
    let mut cookies: Vec<String> =
        fs::read_to_string(stores.cookies(store))?.lines().map(str::to_owned).collect();
    if matches!(kind, Kind::Seal | Kind::Cached) {
        cookies.truncate(ours::REMEMBERED);
    }
    let different = cookies.len();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match kind {
            Kind::Seal => {
                turns::work(vec![limits::Seal::new(different)?; concurrency], different, checks).await
            }
            Kind::SelectSqlite | Kind::SelectPostgres => {
                let select = limits::Select::open(store, &cookies).await?;
                turns::work(vec![select; concurrency], different, checks).await
            }
            Kind::Cached | Kind::Sqlite | Kind::Postgres => {
                let ours = ours::Check::open(&stores, store, cookies).await?;
                turns::work(vec![ours; concurrency], different, checks).await
            }
        }
    })
}
