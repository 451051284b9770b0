//! SQLite: one writer, several readers, WAL.

use std::io;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::database::{Database, PATIENCE};
use crate::error::OpenError;
use crate::migrate::{self, Migrated};

/// Connections that read. They never wait for the writer.
const READERS: u32 = 4;

/// Makes the file if it is not there, brings its tables up to date, opens it.
pub(crate) async fn open(path: &Path) -> Result<(Database, Migrated), OpenError> {
    let unusable = |source: account::store::BoxError| OpenError::File { path: path.to_owned(), source };
    make_private(path).map_err(|error| unusable(error.into()))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(PATIENCE);
    let pool = || {
        let lasting =
            SqlitePoolOptions::new().acquire_timeout(PATIENCE).idle_timeout(None).max_lifetime(None);
        lasting.test_before_acquire(false)
    };
    let writer = pool()
        .max_connections(1)
        .connect_with(options.clone())
        .await
        .map_err(|error| unusable(error.into()))?;
    let readers = pool().max_connections(READERS).connect_lazy_with(options.read_only(true));
    let database = Database::Sqlite { writer, readers };
    let migrated = migrate::run(&database, &path.display().to_string()).await?;
    Ok((database, migrated))
}
/// The database holds what would let somebody in; only its owner may read it. SQLite gives its side files the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome.map(drop),
    }
}
