//! Sessions: read, list, touch, end.

use std::collections::BTreeSet;

use account::store::{Audit, Digest, EndSessions, SessionQuery, Sessions, StoredSession, Touch};
use account::{Account, UserId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::audit;
use crate::error::Problem;
use crate::row::{self, account_columns, to_json};

macro_rules! session_columns {
    () => {
        "session.digest, session.handle, session.account, session.created, session.last_seen, session.expires, \
         session.remembered, session.address, session.agent, session.warnings"
    };
}

/// The number of [`session_columns`].
const COLUMNS: usize = 10;

pub(crate) async fn session(
    c: &mut SqliteConnection,
    digest: Digest,
) -> Result<Option<(StoredSession, Account)>, Problem> {
    let found = sqlx::query(concat!(
        "select ",
        session_columns!(),
        ", ",
        account_columns!(),
        " from session join account on account.id = session.account where session.digest = $1"
    ))
    .bind(digest.0.to_vec())
    .fetch_optional(c)
    .await?;
    found.map(|found| Ok((stored(&found)?, row::account(&found, COLUMNS)?))).transpose()
}

pub(crate) async fn sessions(
    c: &mut SqliteConnection,
    query: SessionQuery,
) -> Result<Vec<Sessions>, Problem> {
    let user = match query {
        SessionQuery::All => None,
        SessionQuery::Of(user) => Some(user.to_string()),
    };
    let rows = sqlx::query(concat!(
        "select ",
        session_columns!(),
        ", account.local_name from session join account on account.id = session.account \
         where $1 is null or session.account = $1 order by session.created, session.handle, session.digest"
    ))
    .bind(user)
    .fetch_all(c)
    .await?;
    rows.iter()
        .map(|found| Ok(Sessions { session: stored(found)?, local_name: found.try_get(COLUMNS)? }))
        .collect()
}

pub(crate) async fn touch(c: &mut SqliteConnection, touch: Touch) -> Result<bool, Problem> {
    let done = sqlx::query("update session set last_seen = max(last_seen, $1) where digest = $2")
        .bind(touch.at.micros())
        .bind(touch.digest.0.to_vec())
        .execute(c)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn end(c: &mut SqliteConnection, end: EndSessions) -> Result<u64, Problem> {
    let (users, audit) = match end {
        EndSessions::Cookie { digest, audit } => {
            let ended = sqlx::query_scalar("delete from session where digest = $1 returning account")
                .bind(digest.0.to_vec())
                .fetch_all(&mut *c);
            (ended.await?, audit)
        }
        EndSessions::Handle { user, handle, audit } => {
            let ended = sqlx::query_scalar(
                "delete from session where handle = $1 and ($2 is null or account = $2) returning account",
            )
            .bind(handle)
            .bind(user.map(|user| user.to_string()))
            .fetch_all(&mut *c);
            (ended.await?, audit)
        }
        EndSessions::Of { user, keep, audit } => (delete_of(c, user, keep).await?, audit),
    };
    let each: BTreeSet<&String> = users.iter().collect();
    for user in each {
        let user = row::user("session.account", user)?;
        audit::note_change(c, user, audit.at).await?;
        audit::write(c, Audit { user: Some(user), ..audit.clone() }).await?;
    }
    Ok(users.len() as u64)
}

/// Ends every session of an account but one; answers the account once for each.
pub(crate) async fn delete_of(
    c: &mut SqliteConnection,
    user: UserId,
    keep: Option<Digest>,
) -> Result<Vec<String>, Problem> {
    let ended = sqlx::query_scalar(
        "delete from session where account = $1 and ($2 is null or digest <> $2) returning account",
    )
    .bind(user.to_string())
    .bind(keep.map(|keep| keep.0.to_vec()));
    Ok(ended.fetch_all(c).await?)
}

/// Keeps a new session.
pub(crate) async fn insert(c: &mut SqliteConnection, session: &StoredSession) -> Result<(), Problem> {
    sqlx::query(
        "insert or replace into session (digest, handle, account, created, last_seen, expires, remembered, address, agent, \
         warnings) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(session.digest.0.to_vec())
    .bind(&session.handle)
    .bind(session.user.to_string())
    .bind(session.created.micros())
    .bind(session.last_seen.micros())
    .bind(session.expires.micros())
    .bind(session.remembered)
    .bind(&session.address)
    .bind(&session.agent)
    .bind(to_json(&session.warnings))
    .execute(c)
    .await?;
    Ok(())
}

fn stored(found: &SqliteRow) -> Result<StoredSession, Problem> {
    let handle: String = found.try_get(1)?;
    Ok(StoredSession {
        digest: row::digest("session.digest", found, 0)?,
        user: row::user("session.account", found.try_get(2)?)?,
        created: row::time(found, 3)?,
        last_seen: row::time(found, 4)?,
        expires: row::time(found, 5)?,
        remembered: found.try_get(6)?,
        address: found.try_get(7)?,
        agent: found.try_get(8)?,
        warnings: row::from_json("session.warnings", &handle, found.try_get(9)?)?,
        handle,
    })
}
