//! The audit record, changes, and what has run out.

use account::store::{Audit, AuditEnd, AuditQuery, AuditRecord, Changes, Sweep};
use account::{Time, UserId};

use crate::error::Problem;
use crate::sql::Connection;
use crate::{person, signed};

/// Appends to the record. What is written of an account bears its name.
pub(crate) async fn write(c: &mut Connection<'_>, mut record: Audit) -> Result<(), Problem> {
    if let (Some(user), None) = (record.user, &record.username)
        && let Some(account) = person::by_id(c, user).await?
    {
        record = record.about(&account);
    }
    c.written.push(record.clone());
    c.query_in(
        "insert into audit (at, event, account, directory, username, outcome, reason, detail, address, agent, request_id) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        "with next as (update numbers set audit = audit + 1 returning audit) \
         insert into audit (number, at, event, account, directory, username, outcome, reason, detail, address, agent, \
         request_id) select next.audit, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from next",
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
    .execute()
    .await?;
    Ok(())
}

pub(crate) async fn list(c: &mut Connection<'_>, query: AuditQuery) -> Result<Vec<AuditRecord>, Problem> {
    macro_rules! matching {
        () => {
            "select number, at, event, account, directory, username, outcome, reason, detail, address, agent, request_id \
             from audit where number > $1 and ($2 is null or username = $2) and ($3 is null or at >= $3) \
             order by number "
        };
    }
    let statement = match query.end {
        AuditEnd::Oldest => concat!(matching!(), "limit $4"),
        AuditEnd::Newest => concat!("select * from (", matching!(), "desc limit $4) as last order by number"),
    };
    let rows = c
        .query(statement)
        .bind(query.after)
        .bind(query.username)
        .bind(query.since.map(Time::micros))
        .bind(i64::from(query.limit))
        .fetch_all()
        .await?;
    let mut records = Vec::with_capacity(rows.len());
    for found in &rows {
        let cells = found.of("audit", 0, 0);
        let audit = Audit {
            at: cells.time(1)?,
            event: cells.get(2)?,
            user: cells.maybe_user(3)?,
            directory: cells.get(4)?,
            username: cells.get(5)?,
            outcome: cells.get(6)?,
            reason: cells.get(7)?,
            detail: cells.get(8)?,
            address: cells.get(9)?,
            agent: cells.get(10)?,
            request_id: cells.get(11)?,
        };
        records.push(AuditRecord { number: cells.get(0)?, audit });
    }
    Ok(records)
}

/// Notes that an account changed, and tells whoever listens once the transaction is committed.
///
/// A sequence of PostgreSQL is no number to ask with: a later one may be committed first, and whoever saw it would never
/// see the earlier. The row of `numbers` is locked until the commit, so numbers appear in their order.
pub(crate) async fn note_change(c: &mut Connection<'_>, user: UserId, at: Time) -> Result<(), Problem> {
    c.query_in(
        "insert into change (account, at) values ($1, $2)",
        "with next as (update numbers set change = change + 1 returning change) \
         insert into change (number, account, at) select next.change, $1, $2 from next \
         returning pg_notify('ldapgate_change', '')::text",
    )
    .bind(user.to_string())
    .bind(at.micros())
    .execute()
    .await?;
    c.stirred = true;
    Ok(())
}

/// The same of every member of a local group, in the order of their ids.
pub(crate) async fn note_change_of_members(
    c: &mut Connection<'_>,
    local_group: &str,
    at: Time,
) -> Result<(), Problem> {
    c.query_in(
        "insert into change (account, at) select account, $2 from membership where local_group = $1 order by account",
        "with member as (select account, row_number() over (order by account collate \"C\") as place \
         from membership where local_group = $1), \
         next as (update numbers set change = change + (select count(*) from member) returning change) \
         insert into change (number, account, at) \
         select next.change - (select count(*) from member) + member.place, member.account, $2 from next, member \
         returning pg_notify('ldapgate_change', '')::text",
    )
    .bind(local_group)
    .bind(at.micros())
    .execute()
    .await?;
    c.stirred = true;
    Ok(())
}

pub(crate) async fn changes_since(c: &mut Connection<'_>, number: Option<i64>) -> Result<Changes, Problem> {
    // The last number ever given out, which is kept when notes are swept away, and the oldest note.
    let found = c
        .query_in(
            "select coalesce((select seq from sqlite_sequence where name = 'change'), 0), (select min(number) from change)",
            "select (select change from numbers), (select min(number) from change)",
        )
        .fetch_one()
        .await?;
    let (last, oldest): (i64, Option<i64>) = (found.get(0)?, found.get(1)?);
    let Some(since) = number else { return Ok(Changes { number: last, lost: false, users: Vec::new() }) };
    let swept = oldest.map_or(last, |oldest| oldest - 1);
    let rows = c
        .query(
            "select max(number), account from change where number > $1 and number <= $2 group by account order by account",
        )
        .bind(since)
        .bind(last)
        .fetch_all()
        .await?;
    let users = rows.iter().map(|found| found.of("change", 0, 0).user(1)).collect::<Result<_, _>>()?;
    Ok(Changes { number: last, lost: since < swept || since > last, users })
}

pub(crate) async fn sweep(c: &mut Connection<'_>, sweep: Sweep) -> Result<u64, Problem> {
    let sessions = c
        .query("delete from session where expires <= $1 or (remembered = false and last_seen < $2)")
        .bind(sweep.at.micros())
        .bind(sweep.idle_before.micros())
        .execute()
        .await?;
    let tokens =
        c.query("delete from personal_token where expires <= $1").bind(sweep.at.micros()).execute().await?;
    let signed = signed::sweep(c, sweep.at).await?;
    signed::sweep_keys(c, sweep.keys_before).await?;
    c.query("delete from counter where last < $1").bind(sweep.attempts_before.micros()).execute().await?;
    c.query("delete from reservation where expires < $1")
        .bind(sweep.attempts_before.micros())
        .execute()
        .await?;
    c.query("delete from audit where at < $1").bind(sweep.audit_before.micros()).execute().await?;
    c.query("delete from change where number <= (select max(number) from change where at < $1)")
        .bind(sweep.changes_before.micros())
        .execute()
        .await?;
    Ok(sessions + tokens + signed)
}

pub(crate) async fn ping(c: &mut Connection<'_>) -> Result<(), Problem> {
    c.query("select 1").execute().await?;
    Ok(())
}
