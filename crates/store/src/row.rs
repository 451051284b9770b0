//! Rows into values. A value that no version of this program writes is an error that names table, column and row.

use std::collections::BTreeSet;
use std::fmt::Display;

use account::store::{Damage, Digest};
use account::{Account, Time, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Problem;
use crate::sql::{Row, Value};

/// The columns of [`account`], in its order.
macro_rules! account_columns {
    () => {
        "account.id, account.directory, account.external_id, account.username, account.local_name, account.dn, \
         account.fields, account.lists, account.flags, account.groups, account.local_groups, account.given, \
         account.disabled, account.generation, account.generation_at, account.first_seen, account.last_login, \
         account.checked, account.attributes, account.out, \
         (select held.granted from held where held.account = account.id) as granted, \
         (select held.by_groups from held where held.account = account.id) as by_groups"
    };
}
pub(crate) use account_columns;

/// One row of [`account_columns`], which start at column `from`.
pub(crate) fn account(row: &Row, from: usize) -> Result<Account, Problem> {
    let cells = row.of("account", from, 0);
    let (granted, by_groups): (BTreeSet<String>, BTreeSet<String>) = (cells.json(20)?, cells.json(21)?);
    let account = Account {
        id: cells.user(0)?,
        directory: cells.get(1)?,
        external_id: cells.get(2)?,
        username: cells.get(3)?,
        local_name: cells.get(4)?,
        dn: cells.get(5)?,
        fields: cells.json(6)?,
        lists: cells.json(7)?,
        flags: cells.json(8)?,
        groups: cells.json(9)?,
        local_groups: cells.json(10)?,
        given: cells.json(11)?,
        granted: granted.into_iter().collect(),
        permissions: Vec::new(),
        disabled: cells.get(12)?,
        generation: cells.get(13)?,
        generation_at: cells.maybe_time(14)?,
        first_seen: cells.time(15)?,
        last_login: cells.maybe_time(16)?,
        checked: cells.time(17)?,
        attributes: cells.json(18)?,
        out: cells.get(19)?,
    };
    Ok(account.permitted(by_groups))
}

/// A table's row within an answer's row: its columns are counted from 0 again.
pub(crate) struct Cells<'r> {
    row: &'r Row,
    table: &'static str,
    from: usize,
    /// The column that tells an operator which row it is.
    key: usize,
}

impl Row {
    /// The row of `table` whose columns start at `from`; its column `key` names it.
    pub(crate) fn of(&self, table: &'static str, from: usize, key: usize) -> Cells<'_> {
        Cells { row: self, table, from, key: from + key }
    }
}

impl Cells<'_> {
    pub(crate) fn get<T: Value>(&self, at: usize) -> Result<T, Problem> {
        self.row.get(self.from + at).map_err(|problem| match problem {
            Problem::Sql(sqlx::Error::ColumnDecode { source, .. }) => self.corrupt(at, &source),
            other => other,
        })
    }

    /// A column of microseconds.
    pub(crate) fn time(&self, at: usize) -> Result<Time, Problem> {
        Ok(Time::from_micros(self.get(at)?))
    }

    /// A column of microseconds that may be null.
    pub(crate) fn maybe_time(&self, at: usize) -> Result<Option<Time>, Problem> {
        Ok(self.get::<Option<i64>>(at)?.map(Time::from_micros))
    }

    /// A column with a SHA-256.
    pub(crate) fn digest(&self, at: usize) -> Result<Digest, Problem> {
        let bytes: Vec<u8> = self.get(at)?;
        let length = bytes.len();
        bytes
            .try_into()
            .map(Digest)
            .map_err(|_| self.corrupt(at, &format_args!("{length} bytes instead of 32")))
    }

    /// A column with an account's id.
    pub(crate) fn user(&self, at: usize) -> Result<UserId, Problem> {
        self.get::<String>(at)?.parse().map_err(|error| self.corrupt(at, &error))
    }

    /// A column with an account's id that may be null.
    pub(crate) fn maybe_user(&self, at: usize) -> Result<Option<UserId>, Problem> {
        let user: Option<String> = self.get(at)?;
        user.map(|user| user.parse().map_err(|error| self.corrupt(at, &error))).transpose()
    }

    /// A column with a number that is never below 0.
    pub(crate) fn count(&self, at: usize) -> Result<u32, Problem> {
        u32::try_from(self.get::<i64>(at)?).map_err(|error| self.corrupt(at, &error))
    }

    /// A JSON column.
    pub(crate) fn json<T: DeserializeOwned>(&self, at: usize) -> Result<T, Problem> {
        serde_json::from_str(&self.get::<String>(at)?).map_err(|error| self.corrupt(at, &error))
    }

    /// The value of a column is none that this program writes.
    pub(crate) fn corrupt(&self, at: usize, why: &dyn Display) -> Problem {
        Problem::Corrupt(Damage {
            table: self.table,
            column: self.row.name(self.from + at).to_owned(),
            row: self.key(),
            what: why.to_string(),
        })
    }

    /// The row's key as an operator would write it.
    fn key(&self) -> String {
        let text = self.row.get::<String>(self.key);
        let number = || self.row.get::<i64>(self.key).map(|number| number.to_string());
        text.or_else(|_| number()).unwrap_or_else(|_| "?".to_owned())
    }
}

/// A value as it stands in a JSON column.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is kept as JSON has text for keys")
}
