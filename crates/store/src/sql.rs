//! SQL that two databases understand, written once: [`Connection::query`], `bind`, `fetch`.
//!
//! It is a thin choice between sqlx's two drivers and no more: text goes to the database as it is written, and rows keep
//! their columns' names.

use account::store::Audit;
use sqlx::postgres::{PgArguments, PgConnection, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Column as _, Decode, Encode, Row as _, SqlSafeStr, Type};

use crate::error::Problem;
use crate::text;

/// Which database it is, where SQL differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A connection in the middle of one transaction.
#[derive(Debug)]
pub(crate) struct Connection<'t> {
    driver: Driver<'t>,
    /// A change was noted, which others are waiting to hear of.
    pub(crate) stirred: bool,
    /// Audit records, to be told to the log once they are committed.
    pub(crate) written: Vec<Audit>,
}

#[derive(Debug)]
enum Driver<'t> {
    Sqlite(&'t mut SqliteConnection),
    Postgres(&'t mut PgConnection),
}

impl<'t> From<&'t mut SqliteConnection> for Connection<'t> {
    fn from(connection: &'t mut SqliteConnection) -> Self {
        Self { driver: Driver::Sqlite(connection), stirred: false, written: Vec::new() }
    }
}

impl<'t> From<&'t mut PgConnection> for Connection<'t> {
    fn from(connection: &'t mut PgConnection) -> Self {
        Self { driver: Driver::Postgres(connection), stirred: false, written: Vec::new() }
    }
}

impl Connection<'_> {
    pub(crate) fn kind(&self) -> Kind {
        match self.driver {
            Driver::Sqlite(_) => Kind::Sqlite,
            Driver::Postgres(_) => Kind::Postgres,
        }
    }

    /// A statement that both understand, with `$1`, `$2`, ... for values.
    pub(crate) fn query(&mut self, sql: impl SqlSafeStr) -> Query<'_> {
        match &mut self.driver {
            Driver::Sqlite(connection) => Query::Sqlite(connection, sqlx::query(sql)),
            // Without a name: a named statement belongs to one connection of the server, which behind PgBouncer is
            // another one in the next transaction.
            Driver::Postgres(connection) => Query::Postgres(connection, sqlx::query(sql).persistent(false)),
        }
    }

    /// Statements without values, several at once.
    pub(crate) async fn run(&mut self, sql: impl SqlSafeStr) -> Result<(), Problem> {
        match &mut self.driver {
            Driver::Sqlite(connection) => {
                sqlx::raw_sql(sql).execute(&mut **connection).await?;
            }
            Driver::Postgres(connection) => {
                sqlx::raw_sql(sql).execute(&mut **connection).await?;
            }
        }
        Ok(())
    }

    /// The same statement in two dialects.
    pub(crate) fn query_in(&mut self, sqlite: &'static str, postgres: &'static str) -> Query<'_> {
        match self.kind() {
            Kind::Sqlite => self.query(sqlite),
            Kind::Postgres => self.query(postgres),
        }
    }
}

type Statement<DB, A> = sqlx::query::Query<'static, DB, A>;

/// A statement on its way.
#[must_use = "a statement does nothing until it is executed"]
pub(crate) enum Query<'c> {
    Sqlite(&'c mut SqliteConnection, Statement<Sqlite, SqliteArguments>),
    Postgres(&'c mut PgConnection, Statement<Postgres, PgArguments>),
}

impl Query<'_> {
    /// The value of the next `$n`.
    pub(crate) fn bind(self, value: impl Argument) -> Self {
        match self {
            Self::Sqlite(connection, query) => Self::Sqlite(connection, query.bind(value.sql(Kind::Sqlite))),
            Self::Postgres(connection, query) => {
                Self::Postgres(connection, query.bind(value.sql(Kind::Postgres)))
            }
        }
    }

    /// Carries it out; answers how many rows it touched.
    pub(crate) async fn execute(self) -> Result<u64, Problem> {
        Ok(match self {
            Self::Sqlite(connection, query) => query.execute(connection).await?.rows_affected(),
            Self::Postgres(connection, query) => query.execute(connection).await?.rows_affected(),
        })
    }

    pub(crate) async fn fetch_all(self) -> Result<Vec<Row>, Problem> {
        Ok(match self {
            Self::Sqlite(connection, query) => {
                query.fetch_all(connection).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(connection, query) => {
                query.fetch_all(connection).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(crate) async fn fetch_optional(self) -> Result<Option<Row>, Problem> {
        Ok(match self {
            Self::Sqlite(connection, query) => query.fetch_optional(connection).await?.map(Row::Sqlite),
            Self::Postgres(connection, query) => query.fetch_optional(connection).await?.map(Row::Postgres),
        })
    }

    pub(crate) async fn fetch_one(self) -> Result<Row, Problem> {
        self.fetch_optional().await?.ok_or(Problem::Sql(sqlx::Error::RowNotFound))
    }

    /// The first column of every row.
    pub(crate) async fn fetch_scalars<T: Value>(self) -> Result<Vec<T>, Problem> {
        self.fetch_all().await?.iter().map(|row| row.get(0)).collect()
    }
}

/// A row of an answer. [`Row::of`](crate::row) reads a table's row out of it.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column, counted from 0.
    pub(crate) fn get<T: Value>(&self, at: usize) -> Result<T, Problem> {
        Ok(match self {
            Self::Sqlite(row) => T::from_sql(row.try_get(at)?, Kind::Sqlite),
            Self::Postgres(row) => T::from_sql(row.try_get(at)?, Kind::Postgres),
        })
    }

    /// The name of a column.
    pub(crate) fn name(&self, at: usize) -> &str {
        match self {
            Self::Sqlite(row) => row.try_column(at).map_or("?", |column| column.name()),
            Self::Postgres(row) => row.try_column(at).map_or("?", |column| column.name()),
        }
    }
}

/// What both drivers can take.
pub(crate) trait Sendable:
    Type<Sqlite> + Type<Postgres> + for<'q> Encode<'q, Sqlite> + for<'q> Encode<'q, Postgres>
{
}

impl<T> Sendable for T where
    T: Type<Sqlite> + Type<Postgres> + for<'q> Encode<'q, Sqlite> + for<'q> Encode<'q, Postgres>
{
}

/// What both drivers can give.
pub(crate) trait Readable:
    Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres>
{
}

impl<T> Readable for T where
    T: Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres>
{
}

/// A value for a statement.
pub(crate) trait Argument {
    type Sql: Sendable;
    fn sql(self, kind: Kind) -> Self::Sql;
}

/// A value out of a row.
pub(crate) trait Value: Sized {
    type Sql: Readable;
    fn from_sql(sql: Self::Sql, kind: Kind) -> Self;
}

macro_rules! as_it_is {
    ($($kind:ty),+) => {
        $(impl Argument for $kind {
            type Sql = Self;
            fn sql(self, _: Kind) -> Self {
                self
            }
        }

        impl Value for $kind {
            type Sql = Self;
            fn from_sql(sql: Self, _: Kind) -> Self {
                sql
            }
        })+
    };
}

as_it_is!(bool, i64, Vec<u8>);

impl Argument for &[u8] {
    type Sql = Vec<u8>;
    fn sql(self, _: Kind) -> Vec<u8> {
        self.to_vec()
    }
}

impl Argument for String {
    type Sql = Self;
    fn sql(self, kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => self,
            Kind::Postgres => text::without_nul(self),
        }
    }
}

impl Argument for &String {
    type Sql = String;
    fn sql(self, kind: Kind) -> String {
        self.clone().sql(kind)
    }
}

impl Argument for &str {
    type Sql = String;
    fn sql(self, kind: Kind) -> String {
        self.to_owned().sql(kind)
    }
}

impl<T: Argument> Argument for Option<T>
where
    Option<T::Sql>: Sendable,
{
    type Sql = Option<T::Sql>;
    fn sql(self, kind: Kind) -> Self::Sql {
        self.map(|value| value.sql(kind))
    }
}

impl<T: Argument + Clone> Argument for &Option<T>
where
    Option<T::Sql>: Sendable,
{
    type Sql = Option<T::Sql>;
    fn sql(self, kind: Kind) -> Self::Sql {
        self.clone().sql(kind)
    }
}

impl Value for String {
    type Sql = Self;
    fn from_sql(sql: Self, kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => sql,
            Kind::Postgres => text::with_nul(sql),
        }
    }
}

impl<T: Value> Value for Option<T>
where
    Option<T::Sql>: Readable,
{
    type Sql = Option<T::Sql>;
    fn from_sql(sql: Self::Sql, kind: Kind) -> Self {
        sql.map(|value| T::from_sql(value, kind))
    }
}
