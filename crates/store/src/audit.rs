//! The audit record, changes, and what has run out.

use account::store::{Audit, AuditQuery, AuditRecord, Changes, Sweep};
use account::{Time, UserId};
use sqlx::{Row as _, SqliteConnection};

use crate::error::Problem;
use crate::row;

/// Appends to the record.
pub(crate) async fn write(c: &mut SqliteConnection, record: Audit) -> Result<(), Problem> {
    sqlx::query(
        "insert into audit (at, event, account, directory, username, outcome, reason, detail, address, agent, request_id) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(record.at.micros())
    .bind(record.event)
    .bind(record.user.map(|user| user.to_string()))
    .bind(record.directory)
    .bind(record.username)
    .bind(record.outcome)
    .bind(record.reason)
    .bind(record.detail)
    .bind(record.address)
    .bind(record.agent)
    .bind(record.request_id)
    .execute(c)
    .await?;
    Ok(())
}

pub(crate) async fn list(c: &mut SqliteConnection, query: AuditQuery) -> Result<Vec<AuditRecord>, Problem> {
    let rows = sqlx::query(
        "select number, at, event, account, directory, username, outcome, reason, detail, address, agent, request_id \
         from audit where number > $1 and ($2 is null or username = $2) order by number limit $3",
    )
    .bind(query.after)
    .bind(query.username)
    .bind(i64::from(query.limit))
    .fetch_all(c)
    .await?;
    let mut records = Vec::with_capacity(rows.len());
    for found in &rows {
        let user: Option<String> = found.try_get(3)?;
        let audit = Audit {
            at: row::time(found, 1)?,
            event: found.try_get(2)?,
            user: user.map(|user| row::user("audit.account", &user)).transpose()?,
            directory: found.try_get(4)?,
            username: found.try_get(5)?,
            outcome: found.try_get(6)?,
            reason: found.try_get(7)?,
            detail: found.try_get(8)?,
            address: found.try_get(9)?,
            agent: found.try_get(10)?,
            request_id: found.try_get(11)?,
        };
        records.push(AuditRecord { number: found.try_get(0)?, audit });
    }
    Ok(records)
}

/// Notes that an account changed.
pub(crate) async fn note_change(c: &mut SqliteConnection, user: UserId, at: Time) -> Result<(), Problem> {
    sqlx::query("insert into change (account, at) values ($1, $2)")
        .bind(user.to_string())
        .bind(at.micros())
        .execute(c)
        .await?;
    Ok(())
}

pub(crate) async fn changes_since(c: &mut SqliteConnection, number: Option<i64>) -> Result<Changes, Problem> {
    // One statement, one snapshot: the last number ever given out (kept when notes are swept away) and the oldest note.
    let (last, oldest): (i64, Option<i64>) = sqlx::query_as(
        "select coalesce((select seq from sqlite_sequence where name = 'change'), 0), (select min(number) from change)",
    )
    .fetch_one(&mut *c)
    .await?;
    let Some(since) = number else { return Ok(Changes { number: last, lost: false, users: Vec::new() }) };
    let swept = oldest.map_or(last, |oldest| oldest - 1);
    let ids: Vec<String> = sqlx::query_scalar(
        "select distinct account from change where number > $1 and number <= $2 order by account",
    )
    .bind(since)
    .bind(last)
    .fetch_all(c)
    .await?;
    let users = ids.iter().map(|id| row::user("change.account", id)).collect::<Result<_, _>>()?;
    Ok(Changes { number: last, lost: since < swept || since > last, users })
}

pub(crate) async fn sweep(c: &mut SqliteConnection, sweep: Sweep) -> Result<u64, Problem> {
    let sessions =
        sqlx::query("delete from session where expires <= $1 or (remembered = 0 and last_seen < $2)")
            .bind(sweep.at.micros())
            .bind(sweep.idle_before.micros())
            .execute(&mut *c)
            .await?;
    let tokens = sqlx::query("delete from personal_token where expires <= $1")
        .bind(sweep.at.micros())
        .execute(&mut *c)
        .await?;
    sqlx::query("delete from counter where last < $1")
        .bind(sweep.attempts_before.micros())
        .execute(&mut *c)
        .await?;
    sqlx::query("delete from reservation where expires < $1")
        .bind(sweep.attempts_before.micros())
        .execute(&mut *c)
        .await?;
    sqlx::query("delete from audit where at < $1").bind(sweep.audit_before.micros()).execute(&mut *c).await?;
    sqlx::query("delete from change where number <= (select max(number) from change where at < $1)")
        .bind(sweep.changes_before.micros())
        .execute(c)
        .await?;
    Ok(sessions.rows_affected() + tokens.rows_affected())
}

pub(crate) async fn ping(c: &mut SqliteConnection) -> Result<(), Problem> {
    sqlx::query("select 1").execute(c).await?;
    Ok(())
}
