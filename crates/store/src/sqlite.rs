//! SQLite: one writer, several readers, WAL.

use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::time::Instant;

use crate::database::{Database, PATIENCE};
use crate::error::OpenError;
use crate::migrate::{self, Migrated};

/// Connections that read. They never wait for the writer.
const READERS: u32 = 4;
/// How long until a file that another process is opening is tried again.
const AGAIN: Duration = Duration::from_millis(10);

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
    let deadline = Instant::now() + PATIENCE;
    let writer = loop {
        match pool().max_connections(1).connect_with(options.clone()).await {
            Ok(writer) => break writer,
            Err(error) if is_busy(&error) && Instant::now() < deadline => tokio::time::sleep(AGAIN).await,
            Err(error) => return Err(unusable(error.into())),
        }
    };
    let readers = pool().max_connections(READERS).connect_lazy_with(options.read_only(true));
    let database = Database::Sqlite { writer, readers };
    let migrated = migrate::run(&database, &path.display().to_string()).await?;
    Ok((database, migrated))
}

/// Of processes that open an empty file at once one switches its journal, and SQLite does not let the others wait for that,
/// whatever the busy timeout is.
fn is_busy(error: &sqlx::Error) -> bool {
    // The primary result code SQLITE_BUSY is the lowest byte of whatever is more exact.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
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
