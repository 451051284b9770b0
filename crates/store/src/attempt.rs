//! Attempts: reserve, settle, list, clear. The arithmetic is [`Counter`]'s.

use std::collections::BTreeSet;
use std::time::Duration;

use account::Time;
use account::store::{
    AttemptId, Block, BlockQuery, ClearBlocks, Counter, CounterKey, LimitQuery, Reservation, Reserve,
    Reserved, Settle, Settlement, Verdict,
};

use crate::audit;
use crate::error::Problem;
use crate::sql::{Connection, Kind, Row};

const KEEP_RESERVATION: &str = "insert into reservation (key, id, at, expires) values ($1, $2, $3, $4) \
     on conflict (key, id) do update set at = excluded.at, expires = excluded.expires";

pub(crate) async fn blocked_until(
    c: &mut Connection<'_>,
    query: LimitQuery,
) -> Result<Option<Time>, Problem> {
    let counter = counter(c, &query.limit.key).await?.unwrap_or_default();
    Ok(match counter.judge(query.limit.most, 0, query.window, query.at) {
        Verdict::Blocked(until) => Some(until),
        Verdict::Free | Verdict::UnderWay => None,
    })
}

pub(crate) async fn reserve(c: &mut Connection<'_>, reserve: Reserve) -> Result<Reserved, Problem> {
    let Reserve { id, limits, window, at, expires } = reserve;
    lock(c, limits.iter().map(|limit| limit.key.as_str())).await?;
    let mut verdicts = Vec::with_capacity(limits.len());
    for limit in &limits {
        let (counter, under_way) = count_overdue(c, &limit.key, window, at).await?;
        verdicts.push(counter.judge(limit.most, under_way, window, at));
    }
    let answer = verdicts.into_iter().collect();
    if answer == Reserved::Yes {
        for limit in limits {
            c.query(KEEP_RESERVATION)
                .bind(limit.key.as_str())
                .bind(id.0)
                .bind(at.micros())
                .bind(expires.micros())
                .execute()
                .await?;
        }
    }
    Ok(answer)
}

pub(crate) async fn settle(c: &mut Connection<'_>, settle: Settle) -> Result<(), Problem> {
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
    c: &mut Connection<'_>,
    id: AttemptId,
    settlement: Settlement,
    window: Duration,
    at: Time,
) -> Result<(), Problem> {
    if settlement == Settlement::Wrong {
        let keys: Vec<String> =
            c.query("select key from reservation where id = $1").bind(id.0).fetch_scalars().await?;
        lock(c, keys.iter().map(String::as_str)).await?;
    }
    let keys: Vec<String> =
        c.query("delete from reservation where id = $1 returning key").bind(id.0).fetch_scalars().await?;
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

pub(crate) async fn blocks(c: &mut Connection<'_>, query: BlockQuery) -> Result<Vec<Block>, Problem> {
    let rows =
        c.query("select key, wrong, last from counter where wrong > 0 order by key").fetch_all().await?;
    let mut blocks = Vec::new();
    for found in &rows {
        let counter = stored(found)?;
        if counter.counts(query.window, query.at) {
            blocks.push(Block { key: CounterKey::from_text(found.get::<String>(0)?), counter });
        }
    }
    Ok(blocks)
}

pub(crate) async fn clear(c: &mut Connection<'_>, clear: ClearBlocks) -> Result<u64, Problem> {
    lock(c, clear.keys.iter().map(CounterKey::as_str)).await?;
    let mut cleared = 0;
    for key in clear.keys {
        let done = c.query("delete from counter where key = $1").bind(key.as_str()).execute().await?;
        cleared += done;
    }
    if cleared > 0 {
        audit::write(c, clear.audit).await?;
    }
    Ok(cleared)
}

/// Nobody else counts on these keys until the end of the transaction. Attempts run beside each other and beside every other
/// command; those on one key one after the other. Locks are taken in one order by all, before any row is touched.
async fn lock(c: &mut Connection<'_>, keys: impl Iterator<Item = &str>) -> Result<(), Problem> {
    if c.kind() == Kind::Sqlite {
        // The writer is alone.
        return Ok(());
    }
    let places: BTreeSet<i64> = keys.map(place).collect();
    for place in places {
        c.query("select pg_advisory_xact_lock($1)").bind(place).execute().await?;
    }
    Ok(())
}

/// A key's place among PostgreSQL's advisory locks: FNV-1a. Two keys in one place only wait for each other.
fn place(key: &str) -> i64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.cast_signed()
}

/// Counts reservations of a key that nobody settled in time; answers the counter and how many are under way.
async fn count_overdue(
    c: &mut Connection<'_>,
    key: &CounterKey,
    window: Duration,
    at: Time,
) -> Result<(Counter, usize), Problem> {
    let rows = c
        .query("select id, at, expires from reservation where key = $1")
        .bind(key.as_str())
        .fetch_all()
        .await?;
    let mut reservations = Vec::with_capacity(rows.len());
    for found in &rows {
        let cells = found.of("reservation", 0, 0);
        let (id, at, expires) = (AttemptId(cells.get(0)?), cells.time(1)?, cells.time(2)?);
        reservations.push(Reservation { id, at, expires });
    }
    let before = counter(c, key).await?.unwrap_or_default();
    let (after, under_way) = before.overdue(reservations, window, at);
    if after != before {
        save(c, key, after).await?;
    }
    c.query("delete from reservation where key = $1 and expires <= $2")
        .bind(key.as_str())
        .bind(at.micros())
        .execute()
        .await?;
    Ok((after, under_way.len()))
}

async fn counter(c: &mut Connection<'_>, key: &CounterKey) -> Result<Option<Counter>, Problem> {
    let found = c
        .query("select key, wrong, last from counter where key = $1")
        .bind(key.as_str())
        .fetch_optional()
        .await?;
    found.map(|found| stored(&found)).transpose()
}

async fn save(c: &mut Connection<'_>, key: &CounterKey, counter: Counter) -> Result<(), Problem> {
    c.query(
        "insert into counter (key, wrong, last) values ($1, $2, $3) \
         on conflict (key) do update set wrong = excluded.wrong, last = excluded.last",
    )
    .bind(key.as_str())
    .bind(i64::from(counter.wrong))
    .bind(counter.last.micros())
    .execute()
    .await?;
    Ok(())
}

/// A counter from `key, wrong, last`.
fn stored(found: &Row) -> Result<Counter, Problem> {
    let cells = found.of("counter", 0, 0);
    Ok(Counter { wrong: cells.count(1)?, last: cells.time(2)? })
}
