//! SQLite: one writer, several readers, WAL.

use std::io;
use std::path::Path;
use std::time::Duration;

use account::store::{
    AccountQuery, Admit, Admitted, Answer, Audit, AuditQuery, AuditRecord, Block, BlockQuery, Changes,
    ClearBlocks, Digest, EndSessions, Find, IssuePersonal, LimitQuery, Link, Linked, PersonalToken, Relink,
    Relinked, Remove, Reserve, Reserved, Revoke, RevokePersonal, SecretBytes, SessionQuery, Sessions,
    SetDisabled, Settle, Store, StoredSession, Sweep, Touch, UsePersonal,
};
use account::{Account, Time, UserId};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{SqlSafeStr, SqliteConnection};

use crate::error::{OpenError, Problem};
use crate::{attempt, audit, person, session, token};

/// How long a command waits for a connection, or for another process's write.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that read. They never wait for the writer.
const READERS: u32 = 4;

/// A store in one file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Sqlite {
    /// Makes the file if it is not there, brings its tables up to date, opens it.
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
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
        migrate(&writer, path).await?;
        let readers = pool().max_connections(READERS).connect_with(options.read_only(true)).await;
        Ok(Self { writer, readers: readers.map_err(|error| unusable(error.into()))? })
    }
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

/// Brings the tables up to date, in one transaction: of two processes that start at once the second waits and finds
/// everything done.
async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let failed = |source: account::store::BoxError| OpenError::Migrate { path: path.to_owned(), source };
    let steps = [
        ("start", include_str!("../migrations/sqlite/0001_start.sql")),
        ("attributes", include_str!("../migrations/sqlite/0002_attributes.sql")),
        ("warnings", include_str!("../migrations/sqlite/0003_warnings.sql")),
    ];
    let migration = |(version, (name, sql)): (i64, (&'static str, &'static str))| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let migrations = (1..).zip(steps).map(migration).collect();
    let begun = writer.begin_with("begin immediate").await;
    let mut transaction = begun.map_err(|error| failed(error.into()))?;
    let connection: &mut SqliteConnection = &mut transaction;
    match Migrator::with_migrations(migrations).run_direct(None, connection, false).await {
        Ok(()) => transaction.commit().await.map_err(|error| failed(error.into())),
        Err(MigrateError::VersionMissing(version)) => {
            Err(OpenError::Newer { path: path.to_owned(), version })
        }
        Err(error) => Err(failed(error.into())),
    }
}

/// Answers from a reader, which sees everything that was committed.
macro_rules! read {
    ($store:expr, $task:literal, |$connection:ident| $query:expr) => {
        Box::pin(async move {
            let held: Result<_, Problem> = async {
                let mut held = $store.readers.acquire().await?;
                let $connection: &mut SqliteConnection = &mut held;
                $query.await
            }
            .await;
            held.map_err(|problem| problem.of($task))
        })
    };
}

/// Carries out one transaction on the writer; a future that is dropped rolls it back.
macro_rules! write {
    ($store:expr, $task:literal, |$connection:ident| $query:expr) => {
        Box::pin(async move {
            let done: Result<_, Problem> = async {
                let mut transaction = $store.writer.begin_with("begin immediate").await?;
                let $connection: &mut SqliteConnection = &mut transaction;
                let answer = $query.await?;
                transaction.commit().await?;
                Ok(answer)
            }
            .await;
            done.map_err(|problem| problem.of($task))
        })
    };
}

impl Store for Sqlite {
    fn link(&self, link: Link) -> Answer<'_, Linked> {
        read!(self, "look an account up", |c| person::link(c, link))
    }

    fn admit(&self, admit: Box<Admit>) -> Answer<'_, Admitted> {
        write!(self, "take a person in", |c| person::admit(c, *admit))
    }

    fn account(&self, find: Find) -> Answer<'_, Option<Account>> {
        read!(self, "read an account", |c| person::account(c, find))
    }

    fn accounts(&self, query: AccountQuery) -> Answer<'_, Vec<Account>> {
        read!(self, "list accounts", |c| person::accounts(c, query))
    }

    fn set_disabled(&self, set: SetDisabled) -> Answer<'_, bool> {
        write!(self, "disable or enable an account", |c| person::set_disabled(c, set))
    }

    fn revoke(&self, revoke: Revoke) -> Answer<'_, bool> {
        write!(self, "revoke what an account was given", |c| person::revoke(c, revoke))
    }

    fn relink(&self, relink: Relink) -> Answer<'_, Relinked> {
        write!(self, "link an account anew", |c| person::relink(c, relink))
    }

    fn remove(&self, remove: Remove) -> Answer<'_, bool> {
        write!(self, "remove an account", |c| person::remove(c, remove))
    }

    fn blocked_until(&self, query: LimitQuery) -> Answer<'_, Option<Time>> {
        read!(self, "read an attempt counter", |c| attempt::blocked_until(c, query))
    }

    fn reserve_attempt(&self, reserve: Reserve) -> Answer<'_, Reserved> {
        write!(self, "reserve an attempt", |c| attempt::reserve(c, reserve))
    }

    fn settle_attempt(&self, settle: Settle) -> Answer<'_, ()> {
        write!(self, "settle an attempt", |c| attempt::settle(c, settle))
    }

    fn blocks(&self, query: BlockQuery) -> Answer<'_, Vec<Block>> {
        read!(self, "list attempt counters", |c| attempt::blocks(c, query))
    }

    fn clear_blocks(&self, clear: ClearBlocks) -> Answer<'_, u64> {
        write!(self, "clear attempt counters", |c| attempt::clear(c, clear))
    }

    fn session(&self, digest: Digest) -> Answer<'_, Option<(StoredSession, Account)>> {
        read!(self, "read a session", |c| session::session(c, digest))
    }

    fn sessions(&self, query: SessionQuery) -> Answer<'_, Vec<Sessions>> {
        read!(self, "list sessions", |c| session::sessions(c, query))
    }

    fn touch_session(&self, touch: Touch) -> Answer<'_, bool> {
        write!(self, "note the use of a session", |c| session::touch(c, touch))
    }

    fn end_sessions(&self, end: EndSessions) -> Answer<'_, u64> {
        write!(self, "end sessions", |c| session::end(c, end))
    }

    fn issue_personal(&self, issue: IssuePersonal) -> Answer<'_, bool> {
        write!(self, "keep a personal token", |c| token::issue(c, issue))
    }

    fn personal_tokens(&self, user: Option<UserId>) -> Answer<'_, Vec<PersonalToken>> {
        read!(self, "list personal tokens", |c| token::list(c, user))
    }

    fn use_personal(&self, usage: UsePersonal) -> Answer<'_, Option<(PersonalToken, Account)>> {
        Box::pin(async move {
            let looked: Answer<'_, _> =
                read!(self, "check a personal token", |c| token::check(c, usage.digest, usage.at));
            let Some((token, account)) = looked.await? else { return Ok(None) };
            if !token.notes_use(usage.at) {
                return Ok(Some((token, account)));
            }
            write!(self, "note the use of a personal token", |c| token::note_use(c, usage.digest, usage.at))
                .await
        })
    }

    fn revoke_personal(&self, revoke: RevokePersonal) -> Answer<'_, bool> {
        write!(self, "revoke a personal token", |c| token::revoke(c, revoke))
    }

    fn secret(&self, name: String, candidate: SecretBytes) -> Answer<'_, SecretBytes> {
        write!(self, "read or keep a secret", |c| token::secret(c, name, candidate))
    }

    fn record(&self, record: Audit) -> Answer<'_, ()> {
        write!(self, "write the audit record", |c| audit::write(c, record))
    }

    fn audit(&self, query: AuditQuery) -> Answer<'_, Vec<AuditRecord>> {
        read!(self, "read the audit record", |c| audit::list(c, query))
    }

    fn changes_since(&self, number: Option<i64>) -> Answer<'_, Changes> {
        read!(self, "ask for changes", |c| audit::changes_since(c, number))
    }

    fn sweep(&self, sweep: Sweep) -> Answer<'_, u64> {
        write!(self, "sweep out what has run out", |c| audit::sweep(c, sweep))
    }

    fn ping(&self) -> Answer<'_, ()> {
        read!(self, "answer", |c| audit::ping(c))
    }
}
