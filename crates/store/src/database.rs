//! One transaction at a time: where it begins, how it is committed, and what becomes of its connection.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, Postgres};
use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{PgConnection, SqlSafeStr, SqliteConnection, Transaction};

use crate::error::Problem;
use crate::sql::Connection;

/// How long a command waits for a connection, or for another's write.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reads; all of it sees one moment.
    Read,
    /// Writes, and no other command that writes alone runs meanwhile: what it read is still so when it writes. This is
    /// what a command is unless it has a reason.
    Alone,
    /// Writes beside others: one statement that is right by itself, or it takes locks of its own
    /// (`attempt`).
    Beside,
    /// As `Beside`, for minutes if need be.
    Long,
    /// Makes tables; waits for whoever does so already.
    Migrate,
    /// Reads everything, however long it takes.
    CopyFrom,
    /// Writes everything, however long it takes, alone.
    CopyTo,
}

impl Purpose {
    /// How long a command may take in all.
    pub(crate) fn deadline(self) -> Duration {
        match self {
            Self::Long | Self::Migrate | Self::CopyFrom | Self::CopyTo => Duration::from_secs(600),
            _ => Duration::from_secs(15),
        }
    }

    /// Begins it on PostgreSQL, in one round trip. Settings are the transaction's, because behind PgBouncer a connection is
    /// somebody else's a moment later. The number is this program's place among advisory locks.
    fn begin(self) -> &'static str {
        match self {
            Self::Read => {
                "begin isolation level repeatable read read only; set local statement_timeout = '10s'; \
                 set local idle_in_transaction_session_timeout = '15s'"
            }
            Self::Alone => {
                "begin isolation level read committed read write; set local lock_timeout = '5s'; \
                 set local statement_timeout = '10s'; set local idle_in_transaction_session_timeout = '15s'; \
                 select pg_advisory_xact_lock(7811887409187745128)"
            }
            Self::Beside => {
                "begin isolation level read committed read write; set local lock_timeout = '5s'; \
                 set local statement_timeout = '10s'; set local idle_in_transaction_session_timeout = '15s'"
            }
            Self::Long => {
                "begin isolation level read committed read write; set local lock_timeout = '5s'; \
                 set local statement_timeout = '600s'; set local idle_in_transaction_session_timeout = '15s'"
            }
            Self::CopyFrom => {
                "begin isolation level repeatable read read only; set local statement_timeout = '600s'"
            }
            Self::CopyTo => {
                "begin isolation level read committed read write; set local lock_timeout = '5s'; \
                 set local statement_timeout = '600s'; select pg_advisory_xact_lock(7811887409187745128)"
            }
            Self::Migrate => {
                "begin isolation level read committed read write; set local statement_timeout = '600s'; \
                 set local idle_in_transaction_session_timeout = '15s'; \
                 select pg_advisory_xact_lock(7811887409187745129)"
            }
        }
    }
}

/// The pools behind a store.
#[derive(Debug)]
pub(crate) enum Database {
    /// One connection that writes and some that read: a reader never waits for the writer.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Database {
    /// Begins a transaction. What is dropped before it is committed is rolled back.
    pub(crate) async fn begin(&self, purpose: Purpose) -> Result<Held, Problem> {
        match (self, purpose) {
            (Self::Sqlite { readers, .. }, Purpose::Read | Purpose::CopyFrom) => {
                Ok(Held::Sqlite(readers.begin().await?))
            }
            (Self::Sqlite { writer, .. }, _) => Ok(Held::Sqlite(writer.begin_with("begin immediate").await?)),
            (Self::Postgres(pool), _) => Ok(Held::Postgres(Lease::begin(pool, purpose.begin()).await?)),
        }
    }
}

/// A connection that is in a transaction.
pub(crate) enum Held {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Lease),
}

impl Held {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(transaction) => {
                let connection: &mut SqliteConnection = transaction;
                connection.into()
            }
            Self::Postgres(lease) => lease.connection().into(),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), Problem> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.commit().await?),
            Self::Postgres(lease) => lease.end("commit").await,
        }
    }

    pub(crate) async fn roll_back(self) -> Result<(), Problem> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.rollback().await?),
            Self::Postgres(lease) => lease.end("rollback").await,
        }
    }
}

/// A connection of PostgreSQL that goes back to its pool only when its transaction has ended: whatever else happens to it, it
/// is closed, so that nobody inherits half a transaction or its locks, and a dead connection takes no place in the pool.
#[derive(Debug)]
pub(crate) struct Lease(Option<PoolConnection<Postgres>>);

impl Lease {
    async fn begin(pool: &PgPool, begin: &'static str) -> Result<Self, Problem> {
        let mut lease = Self(Some(pool.acquire().await?));
        match run(lease.connection(), begin).await {
            Err(Problem::Sql(error)) if is_dead(&error) => Err(Problem::Stale(error)),
            begun => begun.map(|()| lease),
        }
    }

    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is taken only at the end")
    }

    async fn end(mut self, how: &'static str) -> Result<(), Problem> {
        run(self.connection(), how).await?;
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// Whether the server, or what lies on the way, had given the connection up: admin_shutdown, crash_shutdown,
/// cannot_connect_now, idle_session_timeout.
fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("57P01" | "57P02" | "57P03" | "57P05"))
        }
        _ => false,
    }
}

/// Statements without values, in one round trip.
async fn run(connection: &mut PgConnection, sql: impl SqlSafeStr) -> Result<(), Problem> {
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(())
}
