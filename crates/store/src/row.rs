//! Rows into values. A value that no version of this program writes is an error that names table, column and row.

use std::fmt::Display;

use account::store::Digest;
use account::{Account, Time, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::Problem;

/// The columns of [`account`], in its order.
macro_rules! account_columns {
    () => {
        "account.id, account.directory, account.external_id, account.username, account.local_name, account.dn, \
         account.fields, account.lists, account.flags, account.groups, account.local_groups, account.permissions, \
         account.disabled, account.generation, account.generation_at, account.first_seen, account.last_login, \
         account.checked, account.attributes"
    };
}
pub(crate) use account_columns;

/// One row of [`account_columns`], which start at column `from`.
pub(crate) fn account(row: &SqliteRow, from: usize) -> Result<Account, Problem> {
    let id: String = row.try_get(from)?;
    let json = |at: usize| -> Result<String, Problem> { Ok(row.try_get(from + at)?) };
    Ok(Account {
        directory: row.try_get(from + 1)?,
        external_id: row.try_get(from + 2)?,
        username: row.try_get(from + 3)?,
        local_name: row.try_get(from + 4)?,
        dn: row.try_get(from + 5)?,
        fields: from_json("account.fields", &id, &json(6)?)?,
        lists: from_json("account.lists", &id, &json(7)?)?,
        flags: from_json("account.flags", &id, &json(8)?)?,
        groups: from_json("account.groups", &id, &json(9)?)?,
        local_groups: from_json("account.local_groups", &id, &json(10)?)?,
        permissions: from_json("account.permissions", &id, &json(11)?)?,
        disabled: row.try_get(from + 12)?,
        generation: row.try_get(from + 13)?,
        generation_at: maybe_time(row, from + 14)?,
        first_seen: time(row, from + 15)?,
        last_login: maybe_time(row, from + 16)?,
        checked: time(row, from + 17)?,
        attributes: from_json("account.attributes", &id, &json(18)?)?,
        id: user("account.id", &id)?,
    })
}

/// A column of microseconds.
pub(crate) fn time(row: &SqliteRow, at: usize) -> Result<Time, Problem> {
    Ok(Time::from_micros(row.try_get(at)?))
}

/// A column of microseconds that may be null.
pub(crate) fn maybe_time(row: &SqliteRow, at: usize) -> Result<Option<Time>, Problem> {
    Ok(row.try_get::<Option<i64>, _>(at)?.map(Time::from_micros))
}

/// A column with a SHA-256.
pub(crate) fn digest(place: &str, row: &SqliteRow, at: usize) -> Result<Digest, Problem> {
    let bytes: Vec<u8> = row.try_get(at)?;
    let length = bytes.len();
    bytes.try_into().map(Digest).map_err(|_| corrupt(place, "?", &format!("{length} bytes instead of 32")))
}

/// A column with an account's id.
pub(crate) fn user(place: &str, text: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|error| corrupt(place, text, &error))
}

/// A value as it stands in a JSON column.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is kept as JSON has text for keys")
}

/// A value of a JSON column.
pub(crate) fn from_json<T: DeserializeOwned>(place: &str, row: &str, text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| corrupt(place, row, &error))
}

/// The value at a place (`table.column`) of a row is none that this program writes.
pub(crate) fn corrupt(place: &str, row: &str, why: &dyn Display) -> Problem {
    Problem::Corrupt(format!("{place} of {row}: {why}"))
}
