//! Personal access tokens and the installation's secrets.

use account::store::{Audit, Digest, IssuePersonal, PersonalToken, RevokePersonal, SecretBytes};
use account::{Account, Time, UserId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::error::Problem;
use crate::row::{self, account_columns};
use crate::{audit, person};

macro_rules! token_columns {
    () => {
        "personal_token.digest, personal_token.id, personal_token.account, personal_token.name, \
         personal_token.created, personal_token.expires, personal_token.last_used"
    };
}

/// The number of [`token_columns`].
const COLUMNS: usize = 7;

pub(crate) async fn issue(c: &mut SqliteConnection, issue: IssuePersonal) -> Result<bool, Problem> {
    let token = issue.token;
    if person::by_id(c, token.user).await?.is_none() {
        return Ok(false);
    }
    sqlx::query(
        "insert or replace into personal_token (digest, id, account, name, created, expires, last_used) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(token.digest.0.to_vec())
    .bind(token.id)
    .bind(token.user.to_string())
    .bind(token.name)
    .bind(token.created.micros())
    .bind(token.expires.map(Time::micros))
    .bind(token.last_used.map(Time::micros))
    .execute(&mut *c)
    .await?;
    audit::write(c, Audit { user: Some(token.user), ..issue.audit }).await?;
    Ok(true)
}

pub(crate) async fn list(
    c: &mut SqliteConnection,
    user: Option<UserId>,
) -> Result<Vec<PersonalToken>, Problem> {
    let rows = sqlx::query(concat!(
        "select ",
        token_columns!(),
        " from personal_token where $1 is null or account = $1 order by created, id, digest"
    ))
    .bind(user.map(|user| user.to_string()))
    .fetch_all(c)
    .await?;
    rows.iter().map(token).collect()
}

/// The token of that digest, if it has not run out, with its account.
pub(crate) async fn check(
    c: &mut SqliteConnection,
    digest: Digest,
    at: Time,
) -> Result<Option<(PersonalToken, Account)>, Problem> {
    let found = sqlx::query(concat!(
        "select ",
        token_columns!(),
        ", ",
        account_columns!(),
        " from personal_token join account on account.id = personal_token.account where personal_token.digest = $1"
    ))
    .bind(digest.0.to_vec())
    .fetch_optional(c)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let token = token(&found)?;
    Ok(if token.is_valid(at) { Some((token, row::account(&found, COLUMNS)?)) } else { None })
}

/// The same, and its use is noted.
pub(crate) async fn note_use(
    c: &mut SqliteConnection,
    digest: Digest,
    at: Time,
) -> Result<Option<(PersonalToken, Account)>, Problem> {
    let Some((mut token, account)) = check(c, digest, at).await? else { return Ok(None) };
    if token.notes_use(at) {
        sqlx::query("update personal_token set last_used = $1 where digest = $2")
            .bind(at.micros())
            .bind(digest.0.to_vec())
            .execute(c)
            .await?;
        token.last_used = Some(at);
    }
    Ok(Some((token, account)))
}

pub(crate) async fn revoke(c: &mut SqliteConnection, revoke: RevokePersonal) -> Result<bool, Problem> {
    let user: Option<String> = sqlx::query_scalar(
        "delete from personal_token where digest = (select digest from personal_token \
         where id = $1 and ($2 is null or account = $2) order by digest limit 1) returning account",
    )
    .bind(revoke.id)
    .bind(revoke.user.map(|user| user.to_string()))
    .fetch_optional(&mut *c)
    .await?;
    let Some(user) = user else { return Ok(false) };
    let user = row::user("personal_token.account", &user)?;
    audit::write(c, Audit { user: Some(user), ..revoke.audit }).await?;
    Ok(true)
}

pub(crate) async fn secret(
    c: &mut SqliteConnection,
    name: String,
    candidate: SecretBytes,
) -> Result<SecretBytes, Problem> {
    sqlx::query("insert into secret (name, value) values ($1, $2) on conflict (name) do nothing")
        .bind(&name)
        .bind(candidate.expose())
        .execute(&mut *c)
        .await?;
    let kept: Vec<u8> =
        sqlx::query_scalar("select value from secret where name = $1").bind(&name).fetch_one(c).await?;
    Ok(SecretBytes::new(kept))
}

fn token(found: &SqliteRow) -> Result<PersonalToken, Problem> {
    Ok(PersonalToken {
        digest: row::digest("personal_token.digest", found, 0)?,
        id: found.try_get(1)?,
        user: row::user("personal_token.account", found.try_get(2)?)?,
        name: found.try_get(3)?,
        created: row::time(found, 4)?,
        expires: row::maybe_time(found, 5)?,
        last_used: row::maybe_time(found, 6)?,
    })
}
