//! Signed tokens, as far as they must be known here, and the keys that sign them.

use account::store::{Audit, DropTokenKeys, IssueSigned, KeepTokenKey, RevokeSigned, SignedToken, TokenKey};
use account::{Time, UserId};

use crate::error::Problem;
use crate::sql::{Connection, Row};
use crate::{audit, person};

pub(crate) async fn issue(c: &mut Connection<'_>, issue: IssueSigned) -> Result<bool, Problem> {
    let token = issue.token;
    if person::by_id(c, token.user).await?.is_none() {
        return Ok(false);
    }
    c.query(
        "insert into signed_token (id, account, created, expires, revoked) values ($1, $2, $3, $4, $5) \
         on conflict (id) do update set account = excluded.account, created = excluded.created, \
         expires = excluded.expires, revoked = excluded.revoked",
    )
    .bind(token.id)
    .bind(token.user.to_string())
    .bind(token.created.micros())
    .bind(token.expires.micros())
    .bind(token.revoked.map(Time::micros))
    .execute()
    .await?;
    audit::write(c, Audit { user: Some(token.user), ..issue.audit }).await?;
    Ok(true)
}

pub(crate) async fn list(c: &mut Connection<'_>, user: Option<UserId>) -> Result<Vec<SignedToken>, Problem> {
    let rows = c
        .query(
            "select id, account, created, expires, revoked from signed_token \
             where $1 is null or account = $1 order by created, id",
        )
        .bind(user.map(|user| user.to_string()))
        .fetch_all()
        .await?;
    rows.iter().map(token).collect()
}

pub(crate) async fn revoked(c: &mut Connection<'_>, user: UserId) -> Result<Vec<String>, Problem> {
    c.query("select id from signed_token where account = $1 and revoked is not null order by id")
        .bind(user.to_string())
        .fetch_scalars()
        .await
}

pub(crate) async fn revoke(c: &mut Connection<'_>, revoke: RevokeSigned) -> Result<bool, Problem> {
    let RevokeSigned { user, id, at, audit } = revoke;
    let revoked = c
        .query(
            "update signed_token set revoked = $1 where id = $2 and revoked is null and expires > $1 \
             and ($3 is null or account = $3) returning id, account",
        )
        .bind(at.micros())
        .bind(id)
        .bind(user.map(|user| user.to_string()))
        .fetch_optional()
        .await?;
    let Some(revoked) = revoked else { return Ok(false) };
    let user = revoked.of("signed_token", 0, 0).user(1)?;
    audit::note_change(c, user, at).await?;
    audit::write(c, Audit { user: Some(user), ..audit }).await?;
    Ok(true)
}

/// Drops what has run out; answers how many.
pub(crate) async fn sweep(c: &mut Connection<'_>, at: Time) -> Result<u64, Problem> {
    c.query("delete from signed_token where expires <= $1").bind(at.micros()).execute().await
}

pub(crate) async fn keys(c: &mut Connection<'_>, since: Time) -> Result<Vec<TokenKey>, Problem> {
    let rows = c
        .query("select id, public, held, created, used from token_key where used >= $1 order by created, id")
        .bind(since.micros())
        .fetch_all()
        .await?;
    rows.iter().map(key).collect()
}

pub(crate) async fn keep_key(c: &mut Connection<'_>, keep: KeepTokenKey) -> Result<bool, Problem> {
    let KeepTokenKey { key, first, audit } = keep;
    if first && c.query("select id from token_key where held limit 1").fetch_optional().await?.is_some() {
        return Ok(false);
    }
    let known = c
        .query("update token_key set used = case when used < $1 then $1 else used end where id = $2")
        .bind(key.used.micros())
        .bind(&key.id)
        .execute()
        .await?;
    if known > 0 {
        return Ok(false);
    }
    c.query("insert into token_key (id, public, held, created, used) values ($1, $2, $3, $4, $5)")
        .bind(key.id)
        .bind(key.public.to_vec())
        .bind(key.held)
        .bind(key.created.micros())
        .bind(key.used.micros())
        .execute()
        .await?;
    if let Some(audit) = audit {
        audit::write(c, audit).await?;
    }
    Ok(true)
}

pub(crate) async fn drop_keys(c: &mut Connection<'_>, drop: DropTokenKeys) -> Result<u64, Problem> {
    let dropped: Vec<String> =
        c.query("delete from token_key where id <> $1 returning id").bind(drop.keep).fetch_scalars().await?;
    forget_secrets(c, &dropped).await?;
    if !dropped.is_empty() {
        audit::write(c, drop.audit).await?;
    }
    Ok(dropped.len() as u64)
}

/// Drops keys that nobody has signed with since before then.
pub(crate) async fn sweep_keys(c: &mut Connection<'_>, before: Time) -> Result<(), Problem> {
    let dropped: Vec<String> = c
        .query("delete from token_key where used < $1 returning id")
        .bind(before.micros())
        .fetch_scalars()
        .await?;
    forget_secrets(c, &dropped).await
}

async fn forget_secrets(c: &mut Connection<'_>, keys: &[String]) -> Result<(), Problem> {
    for id in keys {
        c.query("delete from secret where name = $1").bind(TokenKey::secret_name(id)).execute().await?;
    }
    Ok(())
}

fn token(found: &Row) -> Result<SignedToken, Problem> {
    let cells = found.of("signed_token", 0, 0);
    Ok(SignedToken {
        id: cells.get(0)?,
        user: cells.user(1)?,
        created: cells.time(2)?,
        expires: cells.time(3)?,
        revoked: cells.maybe_time(4)?,
    })
}

fn key(found: &Row) -> Result<TokenKey, Problem> {
    let cells = found.of("token_key", 0, 0);
    let public: Vec<u8> = cells.get(1)?;
    let length = public.len();
    let public = public.try_into();
    Ok(TokenKey {
        id: cells.get(0)?,
        public: public.map_err(|_| cells.corrupt(1, &format_args!("{length} bytes instead of 32")))?,
        held: cells.get(2)?,
        created: cells.time(3)?,
        used: cells.time(4)?,
    })
}
