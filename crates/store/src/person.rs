//! People: link, admit, list, disable, revoke, relink, remove.

use account::store::{
    AccountQuery, Admit, Admitted, Audit, Digest, Find, Link, Linked, Occasion, Relink, Relinked, Remove,
    Retire, Revoke, SetDisabled, Settlement,
};
use account::{Account, Time, UserId};

use crate::error::Problem;
use crate::row::{self, account_columns, to_json};
use crate::sql::Connection;
use crate::{attempt, audit, group, session};

pub(crate) async fn link(c: &mut Connection<'_>, link: Link) -> Result<Linked, Problem> {
    // One statement sees one snapshot: between two, another login might create the account.
    let rows = c
        .query(concat!(
            "select ",
            account_columns!(),
            " from account where (directory = $1 and external_id = $2) or local_name = $3"
        ))
        .bind(&link.directory)
        .bind(&link.external_id)
        .bind(&link.local_name)
        .fetch_all()
        .await?;
    let accounts = rows.iter().map(|found| row::account(found, 0)).collect::<Result<Vec<_>, _>>()?;
    let is_them =
        |account: &Account| account.directory == link.directory && account.external_id == link.external_id;
    let (known, others): (Vec<_>, Vec<_>) =
        accounts.into_iter().map(Box::new).partition(|found| is_them(found));
    let known = known.into_iter().next();
    Ok(match (known, others.into_iter().next()) {
        (known, Some(by)) => Linked::Taken { by, known },
        (Some(known), None) => Linked::Known(known),
        (None, None) => Linked::New,
    })
}

pub(crate) async fn admit(c: &mut Connection<'_>, admit: Admit) -> Result<Admitted, Problem> {
    let known = external(c, &admit.facts.directory, &admit.facts.external_id).await?;
    let named = named(c, &admit.facts.local_name).await?;
    let before = known.as_ref().map(|known| known.local_groups.clone()).unwrap_or_default();
    let mut admission = match admit.decide(known, named.clone()) {
        Ok(admission) => admission,
        Err(refused) => return Ok(refused),
    };
    // The name has to be free before another account takes it.
    if let (Some(_), Some(named), Some(retired)) = (admission.retired, named, admit.retire) {
        retire(c, &named, retired, admit.at).await?;
    }
    let account = &admission.account;
    save(c, account).await?;
    group::follow(c, &before, account).await?;
    if let Occasion::Login { session, attempt, .. } = admit.occasion {
        if let Some(session) = session {
            session::insert(c, &session.begin(account.id, account.generation, admit.at)).await?;
        }
        if let Some(attempt) = attempt {
            attempt::take_away(c, attempt, Settlement::Back, std::time::Duration::ZERO, admit.at).await?;
        }
    }
    // With what the local groups that it is in now are granted.
    let stored = by_id(c, account.id).await?;
    audit::note_change(c, account.id, admit.at).await?;
    audit::write(c, Audit { user: Some(account.id), ..admit.audit }).await?;
    admission.account = stored.unwrap_or(admission.account);
    Ok(Admitted::Yes(Box::new(admission)))
}

/// Takes an account's names away and shuts it out.
async fn retire(c: &mut Connection<'_>, account: &Account, retire: Retire, at: Time) -> Result<(), Problem> {
    let (username, local_name) = retire.names(account);
    c.query("update account set username = $1, local_name = $2, disabled = true where id = $3")
        .bind(username)
        .bind(local_name)
        .bind(account.id.to_string())
        .execute()
        .await?;
    cut_off(c, account.id, None, at).await?;
    drop_tokens(c, account.id).await?;
    audit::note_change(c, account.id, at).await?;
    audit::write(c, Audit { user: Some(account.id), ..retire.audit }).await
}

pub(crate) async fn account(c: &mut Connection<'_>, find: Find) -> Result<Option<Account>, Problem> {
    match find {
        Find::Id(id) => by_id(c, id).await,
        Find::LocalName(name) => named(c, &name).await,
        Find::External { directory, external_id } => external(c, &directory, &external_id).await,
        Find::Username { directory, username } => {
            let found = c.query(concat!(
                "select ",
                account_columns!(),
                " from account where directory = $1 and username = $2 order by checked desc, id desc limit 1"
            ))
            .bind(directory)
            .bind(username)
            .fetch_optional()
            .await?;
            found.map(|found| row::account(&found, 0)).transpose()
        }
        Find::Another { directory, than } => {
            let found = c
                .query(concat!(
                    "select ",
                    account_columns!(),
                    " from account where directory = $1 and external_id <> $2 and disabled = false and out is null \
                 order by checked desc, id desc limit 1"
                ))
                .bind(directory)
                .bind(than)
                .fetch_optional()
                .await?;
            found.map(|found| row::account(&found, 0)).transpose()
        }
    }
}

pub(crate) async fn accounts(c: &mut Connection<'_>, query: AccountQuery) -> Result<Vec<Account>, Problem> {
    let rows = c
        .query(concat!(
            "select ",
            account_columns!(),
            " from account where $1 is null or local_name > $1 order by local_name limit $2"
        ))
        .bind(query.after)
        .bind(i64::from(query.limit))
        .fetch_all()
        .await?;
    rows.iter().map(|found| row::account(found, 0)).collect()
}

pub(crate) async fn set_disabled(c: &mut Connection<'_>, set: SetDisabled) -> Result<bool, Problem> {
    let done = c
        .query("update account set disabled = $1 where id = $2")
        .bind(set.disabled)
        .bind(set.user.to_string())
        .execute()
        .await?;
    if done == 0 {
        return Ok(false);
    }
    if set.disabled {
        cut_off(c, set.user, None, set.at).await?;
    }
    audit::note_change(c, set.user, set.at).await?;
    audit::write(c, Audit { user: Some(set.user), ..set.audit }).await?;
    Ok(true)
}

pub(crate) async fn revoke(c: &mut Connection<'_>, revoke: Revoke) -> Result<bool, Problem> {
    if !cut_off(c, revoke.user, revoke.keep, revoke.at).await? {
        return Ok(false);
    }
    if revoke.personal_tokens {
        drop_tokens(c, revoke.user).await?;
    }
    audit::note_change(c, revoke.user, revoke.at).await?;
    audit::write(c, Audit { user: Some(revoke.user), ..revoke.audit }).await?;
    Ok(true)
}

pub(crate) async fn relink(c: &mut Connection<'_>, relink: Relink) -> Result<Relinked, Problem> {
    let Some(account) = by_id(c, relink.user).await?.filter(|found| found.external_id == relink.from) else {
        return Ok(Relinked::Unknown);
    };
    if let Some(other) = external(c, &account.directory, &relink.to).await? {
        return Ok(Relinked::Taken(Box::new(other)));
    }
    c.query("update account set external_id = $1 where id = $2")
        .bind(&relink.to)
        .bind(relink.user.to_string())
        .execute()
        .await?;
    cut_off(c, relink.user, None, relink.at).await?;
    drop_tokens(c, relink.user).await?;
    audit::note_change(c, relink.user, relink.at).await?;
    audit::write(c, Audit { user: Some(relink.user), ..relink.audit }).await?;
    Ok(Relinked::Yes)
}

/// Sessions and tokens go with the account: their tables say so.
pub(crate) async fn remove(c: &mut Connection<'_>, remove: Remove) -> Result<bool, Problem> {
    let Some(account) = by_id(c, remove.user).await? else { return Ok(false) };
    c.query("delete from account where id = $1").bind(remove.user.to_string()).execute().await?;
    audit::note_change(c, remove.user, remove.at).await?;
    audit::write(c, remove.audit.about(&account)).await?;
    Ok(true)
}

async fn drop_tokens(c: &mut Connection<'_>, user: UserId) -> Result<(), Problem> {
    c.query("delete from personal_token where account = $1").bind(user.to_string()).execute().await?;
    Ok(())
}

/// Moves the generation on and ends every session but one; whether the account is there.
pub(crate) async fn cut_off(
    c: &mut Connection<'_>,
    user: UserId,
    keep: Option<Digest>,
    at: Time,
) -> Result<bool, Problem> {
    let done = c
        .query("update account set generation = generation + 1, generation_at = $1 where id = $2")
        .bind(at.micros())
        .bind(user.to_string())
        .execute()
        .await?;
    if done == 0 {
        return Ok(false);
    }
    session::delete_of(c, user, keep).await?;
    if let Some(keep) = keep {
        session::take_along(c, user, keep).await?;
    }
    Ok(true)
}

/// The account by its own id.
pub(crate) async fn by_id(c: &mut Connection<'_>, id: UserId) -> Result<Option<Account>, Problem> {
    let found = c
        .query(concat!("select ", account_columns!(), " from account where id = $1"))
        .bind(id.to_string())
        .fetch_optional()
        .await?;
    found.map(|found| row::account(&found, 0)).transpose()
}

async fn external(
    c: &mut Connection<'_>,
    directory: &str,
    external_id: &str,
) -> Result<Option<Account>, Problem> {
    let found = c
        .query(concat!(
            "select ",
            account_columns!(),
            " from account where directory = $1 and external_id = $2"
        ))
        .bind(directory)
        .bind(external_id)
        .fetch_optional()
        .await?;
    found.map(|found| row::account(&found, 0)).transpose()
}

async fn named(c: &mut Connection<'_>, local_name: &str) -> Result<Option<Account>, Problem> {
    let found = c
        .query(concat!("select ", account_columns!(), " from account where local_name = $1"))
        .bind(local_name)
        .fetch_optional()
        .await?;
    found.map(|found| row::account(&found, 0)).transpose()
}

async fn save(c: &mut Connection<'_>, account: &Account) -> Result<(), Problem> {
    c.query(
        "insert into account (id, directory, external_id, username, local_name, dn, fields, lists, flags, groups, \
         local_groups, given, disabled, generation, generation_at, first_seen, last_login, checked, \
         attributes, out) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         $20) \
         on conflict (id) do update set username = excluded.username, local_name = excluded.local_name, \
         dn = excluded.dn, fields = excluded.fields, lists = excluded.lists, flags = excluded.flags, \
         groups = excluded.groups, local_groups = excluded.local_groups, given = excluded.given, \
         generation = excluded.generation, generation_at = excluded.generation_at, last_login = excluded.last_login, \
         checked = excluded.checked, attributes = excluded.attributes, out = excluded.out, looking_until = null",
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
    .bind(to_json(&account.given))
    .bind(account.disabled)
    .bind(account.generation)
    .bind(account.generation_at.map(Time::micros))
    .bind(account.first_seen.micros())
    .bind(account.last_login.map(Time::micros))
    .bind(account.checked.micros())
    .bind(to_json(&account.attributes))
    .bind(&account.out)
    .execute()
    .await?;
    Ok(())
}
