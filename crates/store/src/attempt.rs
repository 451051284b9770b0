//! Attempts: reserve, settle, list, clear. The arithmetic is [`Counter`]'s.

use std::time::Duration;

use account::Time;
use account::store::{
    AttemptId, Block, BlockQuery, ClearBlocks, Counter, CounterKey, LimitQuery, Reservation, Reserve,
    Reserved, Settle, Settlement, Verdict,
};
use sqlx::{Row as _, SqliteConnection};

use crate::audit;
use crate::error::Problem;
use crate::row::{self, corrupt};

pub(crate) async fn blocked_until(
    c: &mut SqliteConnection,
    query: LimitQuery,
) -> Result<Option<Time>, Problem> {
    let counter = counter(c, &query.limit.key).await?.unwrap_or_default();
    Ok(match counter.judge(query.limit.most, 0, query.window, query.at) {
        Verdict::Blocked(until) => Some(until),
        Verdict::Free | Verdict::UnderWay => None,
    })
}

pub(crate) async fn reserve(c: &mut SqliteConnection, reserve: Reserve) -> Result<Reserved, Problem> {
    let Reserve { id, limits, window, at, expires } = reserve;
    let mut verdicts = Vec::with_capacity(limits.len());
    for limit in &limits {
        let (counter, under_way) = count_overdue(c, &limit.key, window, at).await?;
        verdicts.push(counter.judge(limit.most, under_way, window, at));
    }
    let answer = verdicts.into_iter().collect();
    if answer == Reserved::Yes {
        for limit in limits {
            sqlx::query("insert or replace into reservation (key, id, at, expires) values ($1, $2, $3, $4)")
                .bind(limit.key.as_str())
                .bind(id.0)
                .bind(at.micros())
                .bind(expires.micros())
                .execute(&mut *c)
                .await?;
        }
    }
    Ok(answer)
}

pub(crate) async fn settle(c: &mut SqliteConnection, settle: Settle) -> Result<(), Problem> {
    if let Some(id) = settle.id {
        take_away(c, id, settle.settlement, settle.window, settle.at).await?;
    }
    if let Some(record) = settle.audit {
        audit::write(c, record).await?;
    }
    Ok(())
}

/// Takes an attempt's reservations away, and counts them when it was wrong.
pub(crate) async fn take_away(
    c: &mut SqliteConnection,
    id: AttemptId,
    settlement: Settlement,
    window: Duration,
    at: Time,
) -> Result<(), Problem> {
    let keys: Vec<String> = sqlx::query_scalar("delete from reservation where id = $1 returning key")
        .bind(id.0)
        .fetch_all(&mut *c)
        .await?;
    if settlement == Settlement::Back {
        return Ok(());
    }
    for key in keys {
        let key = CounterKey::from_text(key);
        let before = counter(c, &key).await?.unwrap_or_default();
        save(c, &key, before.wrong(window, at)).await?;
    }
    Ok(())
}

pub(crate) async fn blocks(c: &mut SqliteConnection, query: BlockQuery) -> Result<Vec<Block>, Problem> {
    let rows =
        sqlx::query("select key, wrong, last from counter where wrong > 0 order by key").fetch_all(c).await?;
    let mut blocks = Vec::new();
    for found in &rows {
        let key: String = found.try_get(0)?;
        let counter = Counter { wrong: number(&key, found.try_get(1)?)?, last: row::time(found, 2)? };
        if counter.counts(query.window, query.at) {
            blocks.push(Block { key: CounterKey::from_text(key), counter });
        }
    }
    Ok(blocks)
}

pub(crate) async fn clear(c: &mut SqliteConnection, clear: ClearBlocks) -> Result<u64, Problem> {
    let mut cleared = 0;
    for key in clear.keys {
        let done =
            sqlx::query("delete from counter where key = $1").bind(key.as_str()).execute(&mut *c).await?;
        cleared += done.rows_affected();
    }
    if cleared > 0 {
        audit::write(c, clear.audit).await?;
    }
    Ok(cleared)
}

/// Counts reservations of a key that nobody settled in time; answers the counter and how many are under way.
async fn count_overdue(
    c: &mut SqliteConnection,
    key: &CounterKey,
    window: Duration,
    at: Time,
) -> Result<(Counter, usize), Problem> {
    let rows = sqlx::query("select id, at, expires from reservation where key = $1")
        .bind(key.as_str())
        .fetch_all(&mut *c)
        .await?;
    let mut reservations = Vec::with_capacity(rows.len());
    for found in &rows {
        let id = AttemptId(found.try_get(0)?);
        reservations.push(Reservation { id, at: row::time(found, 1)?, expires: row::time(found, 2)? });
    }
    let before = counter(c, key).await?.unwrap_or_default();
    let (after, under_way) = before.overdue(reservations, window, at);
    if after != before {
        save(c, key, after).await?;
    }
    sqlx::query("delete from reservation where key = $1 and expires <= $2")
        .bind(key.as_str())
        .bind(at.micros())
        .execute(c)
        .await?;
    Ok((after, under_way.len()))
}

async fn counter(c: &mut SqliteConnection, key: &CounterKey) -> Result<Option<Counter>, Problem> {
    let found = sqlx::query("select wrong, last from counter where key = $1")
        .bind(key.as_str())
        .fetch_optional(c)
        .await?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Counter { wrong: number(key.as_str(), found.try_get(0)?)?, last: row::time(&found, 1)? }))
}

async fn save(c: &mut SqliteConnection, key: &CounterKey, counter: Counter) -> Result<(), Problem> {
    sqlx::query(
        "insert into counter (key, wrong, last) values ($1, $2, $3) \
         on conflict (key) do update set wrong = excluded.wrong, last = excluded.last",
    )
    .bind(key.as_str())
    .bind(i64::from(counter.wrong))
    .bind(counter.last.micros())
    .execute(c)
    .await?;
    Ok(())
}

fn number(key: &str, wrong: i64) -> Result<u32, Problem> {
    u32::try_from(wrong).map_err(|error| corrupt("counter.wrong", key, &error))
}
