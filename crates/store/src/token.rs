//! Personal access tokens and the installation's secrets.

use account::store::{Audit, Digest, IssuePersonal, PersonalToken, RevokePersonal, SecretBytes};
use account::{Account, Time, UserId};

use crate::error::Problem;
use crate::row::{self, account_columns};
use crate::sql::{Connection, Row};
use crate::{audit, person};

macro_rules! token_columns {
    () => {
        "personal_token.digest, personal_token.id, personal_token.account, personal_token.name, \
         personal_token.created, personal_token.expires, personal_token.last_used"
    };
}

/// The number of [`token_columns`].
const COLUMNS: usize = 7;

pub(crate) async fn issue(c: &mut Connection<'_>, issue: IssuePersonal) -> Result<bool, Problem> {
    let token = issue.token;
    let account = person::by_id(c, token.user).await?;
    if !account.is_some_and(|account| account.may_act() && account.generation == issue.generation) {
        return Ok(false);
    }
    c.query(
        "insert into personal_token (digest, id, account, name, created, expires, last_used) \
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (digest) do update set id = excluded.id, \
         account = excluded.account, name = excluded.name, created = excluded.created, expires = excluded.expires, \
         last_used = excluded.last_used",
    )
    .bind(token.digest.0.to_vec())
    .bind(token.id)
    .bind(token.user.to_string())
    .bind(token.name)
    .bind(token.created.micros())
    .bind(token.expires.map(Time::micros))
    .bind(token.last_used.map(Time::micros))
    .execute()
    .await?;
    audit::write(c, Audit { user: Some(token.user), ..issue.audit }).await?;
    Ok(true)
}

pub(crate) async fn list(
    c: &mut Connection<'_>,
    user: Option<UserId>,
) -> Result<Vec<PersonalToken>, Problem> {
    let rows = c
        .query(concat!(
            "select ",
            token_columns!(),
            " from personal_token where $1 is null or account = $1 order by created, id, digest"
        ))
        .bind(user.map(|user| user.to_string()))
        .fetch_all()
        .await?;
    rows.iter().map(token).collect()
}

/// The token of that digest, if it has not run out, with its account.
pub(crate) async fn check(
    c: &mut Connection<'_>,
    digest: Digest,
    at: Time,
) -> Result<Option<(PersonalToken, Account)>, Problem> {
    let found = c.query(concat!(
        "select ",
        token_columns!(),
        ", ",
        account_columns!(),
        " from personal_token join account on account.id = personal_token.account where personal_token.digest = $1"
    ))
    .bind(digest.0.to_vec())
    .fetch_optional()
    .await?;
    let Some(found) = found else { return Ok(None) };
    let token = token(&found)?;
    Ok(if token.is_valid(at) { Some((token, row::account(&found, COLUMNS)?)) } else { None })
}

/// The same, and its use is noted.
pub(crate) async fn note_use(
    c: &mut Connection<'_>,
    digest: Digest,
    at: Time,
) -> Result<Option<(PersonalToken, Account)>, Problem> {
    let Some((mut token, account)) = check(c, digest, at).await? else { return Ok(None) };
    if token.notes_use(at) {
        c.query("update personal_token set last_used = $1 where digest = $2")
            .bind(at.micros())
            .bind(digest.0.to_vec())
            .execute()
            .await?;
        token.last_used = Some(at);
    }
    Ok(Some((token, account)))
}

pub(crate) async fn revoke(c: &mut Connection<'_>, revoke: RevokePersonal) -> Result<bool, Problem> {
    let revoked = c
        .query(
            "delete from personal_token where digest = (select digest from personal_token \
         where id = $1 and ($2 is null or account = $2) order by digest limit 1) returning id, account",
        )
        .bind(revoke.id)
        .bind(revoke.user.map(|user| user.to_string()))
        .fetch_optional()
        .await?;
    let Some(revoked) = revoked else { return Ok(false) };
    let user = revoked.of("personal_token", 0, 0).user(1)?;
    audit::write(c, Audit { user: Some(user), ..revoke.audit }).await?;
    Ok(true)
}

pub(crate) async fn secret(
    c: &mut Connection<'_>,
    name: &str,
    candidate: &SecretBytes,
) -> Result<SecretBytes, Problem> {
    c.query("insert into secret (name, value) values ($1, $2) on conflict (name) do nothing")
        .bind(name)
        .bind(candidate.expose())
        .execute()
        .await?;
    let found = c.query("select name, value from secret where name = $1").bind(name).fetch_one().await?;
    Ok(SecretBytes::new(found.of("secret", 0, 0).get(1)?))
}

fn token(found: &Row) -> Result<PersonalToken, Problem> {
    let cells = found.of("personal_token", 0, 1);
    Ok(PersonalToken {
        digest: cells.digest(0)?,
        id: cells.get(1)?,
        user: cells.user(2)?,
        name: cells.get(3)?,
        created: cells.time(4)?,
        expires: cells.maybe_time(5)?,
        last_used: cells.maybe_time(6)?,
    })
}
