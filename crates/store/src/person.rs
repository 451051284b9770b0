//! People: link, admit, list, disable, revoke.

use account::store::{
    AccountQuery, Admission, Admit, Admitted, Audit, Digest, Find, Link, Linked, Occasion, Revoke,
    SetDisabled, Settlement,
};
use account::{Account, Time, UserId};
use sqlx::SqliteConnection;

use crate::error::Problem;
use crate::row::{self, account_columns, to_json};
use crate::{attempt, audit, session};

pub(crate) async fn link(c: &mut SqliteConnection, link: Link) -> Result<Linked, Problem> {
    // One statement sees one snapshot: between two, another login might create the account.
    let rows = sqlx::query(concat!(
        "select ",
        account_columns!(),
        " from account where (directory = $1 and external_id = $2) or local_name = $3"
    ))
    .bind(&link.directory)
    .bind(&link.external_id)
    .bind(&link.local_name)
    .fetch_all(c)
    .await?;
    let accounts = rows.iter().map(|found| row::account(found, 0)).collect::<Result<Vec<_>, _>>()?;
    let is_them =
        |account: &Account| account.directory == link.directory && account.external_id == link.external_id;
    let known = accounts.iter().find(|account| is_them(account));
    let other = accounts.iter().find(|account| account.local_name == link.local_name && !is_them(account));
    Ok(match (known, other) {
        (_, Some(other)) => Linked::Taken(Box::new(other.clone())),
        (Some(known), None) => Linked::Known(Box::new(known.clone())),
        (None, None) => Linked::New,
    })
}

pub(crate) async fn admit(c: &mut SqliteConnection, admit: Admit) -> Result<Admitted, Problem> {
    let known = external(c, &admit.facts.directory, &admit.facts.external_id).await?;
    let named = named(c, &admit.facts.local_name).await?.map(|named| named.id);
    let Admission { account, created } = match admit.decide(known, named) {
        Ok(admission) => admission,
        Err(refused) => return Ok(refused),
    };
    save(c, &account).await?;
    if let Occasion::Login { session, attempt } = admit.occasion {
        if let Some(session) = session {
            session::insert(c, &session.begin(account.id, admit.at)).await?;
        }
        if let Some(attempt) = attempt {
            attempt::take_away(c, attempt, Settlement::Back, std::time::Duration::ZERO, admit.at).await?;
        }
    }
    audit::note_change(c, account.id, admit.at).await?;
    audit::write(c, Audit { user: Some(account.id), ..admit.audit }).await?;
    Ok(Admitted::Yes(Box::new(Admission { account, created })))
}

pub(crate) async fn account(c: &mut SqliteConnection, find: Find) -> Result<Option<Account>, Problem> {
    match find {
        Find::Id(id) => by_id(c, id).await,
        Find::LocalName(name) => named(c, &name).await,
        Find::External { directory, external_id } => external(c, &directory, &external_id).await,
        Find::Username { directory, username } => {
            let found = sqlx::query(concat!(
                "select ",
                account_columns!(),
                " from account where directory = $1 and username = $2 order by checked desc, id desc limit 1"
            ))
            .bind(directory)
            .bind(username)
            .fetch_optional(c)
            .await?;
            found.map(|found| row::account(&found, 0)).transpose()
        }
    }
}

pub(crate) async fn accounts(c: &mut SqliteConnection, query: AccountQuery) -> Result<Vec<Account>, Problem> {
    let rows = sqlx::query(concat!(
        "select ",
        account_columns!(),
        " from account where $1 is null or local_name > $1 order by local_name limit $2"
    ))
    .bind(query.after)
    .bind(i64::from(query.limit))
    .fetch_all(c)
    .await?;
    rows.iter().map(|found| row::account(found, 0)).collect()
}

pub(crate) async fn set_disabled(c: &mut SqliteConnection, set: SetDisabled) -> Result<bool, Problem> {
    let done = sqlx::query("update account set disabled = $1 where id = $2")
        .bind(set.disabled)
        .bind(set.user.to_string())
        .execute(&mut *c)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if set.disabled {
        cut_off(c, set.user, None, set.at).await?;
    }
    audit::note_change(c, set.user, set.at).await?;
    audit::write(c, Audit { user: Some(set.user), ..set.audit }).await?;
    Ok(true)
}

pub(crate) async fn revoke(c: &mut SqliteConnection, revoke: Revoke) -> Result<bool, Problem> {
    if !cut_off(c, revoke.user, revoke.keep, revoke.at).await? {
        return Ok(false);
    }
    if revoke.personal_tokens {
        sqlx::query("delete from personal_token where account = $1")
            .bind(revoke.user.to_string())
            .execute(&mut *c)
            .await?;
    }
    audit::note_change(c, revoke.user, revoke.at).await?;
    audit::write(c, Audit { user: Some(revoke.user), ..revoke.audit }).await?;
    Ok(true)
}

/// Moves the generation on and ends every session but one; whether the account is there.
async fn cut_off(
    c: &mut SqliteConnection,
    user: UserId,
    keep: Option<Digest>,
    at: Time,
) -> Result<bool, Problem> {
    let done =
        sqlx::query("update account set generation = generation + 1, generation_at = $1 where id = $2")
            .bind(at.micros())
            .bind(user.to_string())
            .execute(&mut *c)
            .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    session::delete_of(c, user, keep).await?;
    Ok(true)
}

/// The account by its own id.
pub(crate) async fn by_id(c: &mut SqliteConnection, id: UserId) -> Result<Option<Account>, Problem> {
    let found = sqlx::query(concat!("select ", account_columns!(), " from account where id = $1"))
        .bind(id.to_string())
        .fetch_optional(c)
        .await?;
    found.map(|found| row::account(&found, 0)).transpose()
}

async fn external(
    c: &mut SqliteConnection,
    directory: &str,
    external_id: &str,
) -> Result<Option<Account>, Problem> {
    let found = sqlx::query(concat!(
        "select ",
        account_columns!(),
        " from account where directory = $1 and external_id = $2"
    ))
    .bind(directory)
    .bind(external_id)
    .fetch_optional(c)
    .await?;
    found.map(|found| row::account(&found, 0)).transpose()
}

async fn named(c: &mut SqliteConnection, local_name: &str) -> Result<Option<Account>, Problem> {
    let found = sqlx::query(concat!("select ", account_columns!(), " from account where local_name = $1"))
        .bind(local_name)
        .fetch_optional(c)
        .await?;
    found.map(|found| row::account(&found, 0)).transpose()
}

async fn save(c: &mut SqliteConnection, account: &Account) -> Result<(), Problem> {
    sqlx::query(
        "insert into account (id, directory, external_id, username, local_name, dn, fields, lists, flags, groups, \
         local_groups, permissions, disabled, generation, generation_at, first_seen, last_login, checked) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         on conflict (id) do update set username = excluded.username, local_name = excluded.local_name, \
         dn = excluded.dn, fields = excluded.fields, lists = excluded.lists, flags = excluded.flags, \
         groups = excluded.groups, local_groups = excluded.local_groups, permissions = excluded.permissions, \
         generation = excluded.generation, generation_at = excluded.generation_at, last_login = excluded.last_login, checked = excluded.checked",
    )
    .bind(account.id.to_string())
    .bind(&account.directory)
    .bind(&account.external_id)
    .bind(&account.username)
    .bind(&account.local_name)
    .bind(&account.dn)
    .bind(to_json(&account.fields))
    .bind(to_json(&account.lists))
    .bind(to_json(&account.flags))
    .bind(to_json(&account.groups))
    .bind(to_json(&account.local_groups))
    .bind(to_json(&account.permissions))
    .bind(account.disabled)
    .bind(account.generation)
    .bind(account.generation_at.map(Time::micros))
    .bind(account.first_seen.micros())
    .bind(account.last_login.map(Time::micros))
    .bind(account.checked.micros())
    .execute(c)
    .await?;
    Ok(())
}
