//! Sessions: read, list, touch, end.

use std::collections::BTreeSet;

use account::store::{Audit, Digest, EndSessions, SessionQuery, Sessions, StoredSession, Touch};
use account::{Account, UserId};

use crate::audit;
use crate::error::Problem;
use crate::row::{self, account_columns, to_json};
use crate::sql::{Connection, Row};

macro_rules! session_columns {
    () => {
        "session.digest, session.handle, session.account, session.created, session.last_seen, session.expires, \
         session.remembered, session.address, session.agent, session.warnings, session.generation"
    };
}

/// The number of [`session_columns`].
const COLUMNS: usize = 11;

pub(crate) async fn session(
    c: &mut Connection<'_>,
    digest: Digest,
) -> Result<Option<(StoredSession, Account)>, Problem> {
    let found = c
        .query(concat!(
            "select ",
            session_columns!(),
            ", ",
            account_columns!(),
            " from session join account on account.id = session.account and account.generation = session.generation \
             where session.digest = $1"
        ))
        .bind(digest.0.to_vec())
        .fetch_optional()
        .await?;
    found.map(|found| Ok((stored(&found)?, row::account(&found, COLUMNS)?))).transpose()
}

pub(crate) async fn sessions(c: &mut Connection<'_>, query: SessionQuery) -> Result<Vec<Sessions>, Problem> {
    let user = match query {
        SessionQuery::All => None,
        SessionQuery::Of(user) => Some(user.to_string()),
    };
    let rows = c
        .query(concat!(
            "select ",
            session_columns!(),
            ", account.local_name from session \
             join account on account.id = session.account and account.generation = session.generation \
             where $1 is null or session.account = $1 order by session.created, session.handle, session.digest"
        ))
        .bind(user)
        .fetch_all()
        .await?;
    rows.iter()
        .map(|found| Ok(Sessions { session: stored(found)?, local_name: found.get(COLUMNS)? }))
        .collect()
}

pub(crate) async fn touch(c: &mut Connection<'_>, touch: Touch) -> Result<bool, Problem> {
    let done = c.query("update session set last_seen = case when last_seen < $1 then $1 else last_seen end where digest = $2")
        .bind(touch.at.micros())
        .bind(touch.digest.0.to_vec())
        .execute()
        .await?;
    Ok(done > 0)
}

pub(crate) async fn end(c: &mut Connection<'_>, end: EndSessions) -> Result<u64, Problem> {
    let (ended, audit) = match end {
        EndSessions::Cookie { digest, audit } => {
            let ended = c
                .query("delete from session where digest = $1 returning handle, account")
                .bind(digest.0.to_vec())
                .fetch_all();
            (users(&ended.await?)?, audit)
        }
        EndSessions::Handle { user, handle, audit } => {
            let ended = c.query(
                "delete from session where handle = $1 and ($2 is null or account = $2) returning handle, account",
            )
            .bind(handle)
            .bind(user.map(|user| user.to_string()))
            .fetch_all();
            (users(&ended.await?)?, audit)
        }
        EndSessions::Of { user, keep, audit } => (delete_of(c, user, keep).await?, audit),
    };
    let each: BTreeSet<UserId> = ended.iter().copied().collect();
    for user in each {
        audit::note_change(c, user, audit.at).await?;
        audit::write(c, Audit { user: Some(user), ..audit.clone() }).await?;
    }
    Ok(ended.len() as u64)
}

/// Ends every session of an account but one; answers the account once for each.
pub(crate) async fn delete_of(
    c: &mut Connection<'_>,
    user: UserId,
    keep: Option<Digest>,
) -> Result<Vec<UserId>, Problem> {
    let ended = c.query(
        "delete from session where account = $1 and ($2 is null or digest <> $2) returning handle, account",
    )
    .bind(user.to_string())
    .bind(keep.map(|keep| keep.0.to_vec()));
    users(&ended.fetch_all().await?)
}

/// Takes a session along with its account into the account's new generation.
pub(crate) async fn take_along(c: &mut Connection<'_>, user: UserId, digest: Digest) -> Result<(), Problem> {
    c.query(
        "update session set generation = (select generation from account where account.id = session.account) \
         where digest = $1 and account = $2",
    )
    .bind(digest.0.to_vec())
    .bind(user.to_string())
    .execute()
    .await?;
    Ok(())
}

/// Keeps a new session.
pub(crate) async fn insert(c: &mut Connection<'_>, session: &StoredSession) -> Result<(), Problem> {
    c.query(
        "insert into session (digest, handle, account, created, last_seen, expires, remembered, address, agent, \
         warnings, generation) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         on conflict (digest) do update set handle = excluded.handle, account = excluded.account, \
         created = excluded.created, last_seen = excluded.last_seen, expires = excluded.expires, \
         remembered = excluded.remembered, address = excluded.address, agent = excluded.agent, \
         warnings = excluded.warnings, generation = excluded.generation",
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
    .bind(session.generation)
    .execute()
    .await?;
    Ok(())
}

/// Whose the sessions were that a statement deleted.
fn users(ended: &[Row]) -> Result<Vec<UserId>, Problem> {
    ended.iter().map(|found| found.of("session", 0, 0).user(1)).collect()
}

fn stored(found: &Row) -> Result<StoredSession, Problem> {
    let cells = found.of("session", 0, 1);
    Ok(StoredSession {
        digest: cells.digest(0)?,
        user: cells.user(2)?,
        created: cells.time(3)?,
        last_seen: cells.time(4)?,
        expires: cells.time(5)?,
        remembered: cells.get(6)?,
        address: cells.get(7)?,
        agent: cells.get(8)?,
        warnings: cells.json(9)?,
        generation: cells.get(10)?,
        handle: cells.get(1)?,
    })
}
