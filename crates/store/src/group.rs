//! Local groups, and what people and groups are granted.

use std::collections::{BTreeMap, BTreeSet};

use account::store::{Audit, Change, ChangeGrants, Changed, Digest, Grantee, GroupQuery, StoredGroup};
use account::{Account, LocalGroup, UserId};

use crate::audit;
use crate::error::Problem;
use crate::row::to_json;
use crate::sql::Connection;

pub(crate) async fn change_grants(c: &mut Connection<'_>, change: ChangeGrants) -> Result<Changed, Problem> {
    match change.grantee.clone() {
        Grantee::Account(user) => change_of_account(c, user, change).await,
        Grantee::Group { directory, group } => change_of_group(c, &directory, &group, change).await,
    }
}

async fn change_of_account(
    c: &mut Connection<'_>,
    user: UserId,
    change: ChangeGrants,
) -> Result<Changed, Problem> {
    if !exists(c, "select 1 from account where id = $1", &user.to_string()).await? {
        return Ok(Changed::Unknown);
    }
    let sql = match change.change {
        Change::Grant => {
            "insert into account_permission (account, permission) values ($1, $2) on conflict do nothing"
        }
        Change::Revoke => "delete from account_permission where account = $1 and permission = $2",
    };
    let changed = each(c, sql, &user.to_string(), change.permissions).await?;
    if !changed.is_empty() {
        audit::note_change(c, user, change.at).await?;
        audit::write(c, Audit { user: Some(user), ..change.audit }).await?;
    }
    Ok(Changed::Yes(changed))
}

async fn change_of_group(
    c: &mut Connection<'_>,
    directory: &str,
    group: &LocalGroup,
    change: ChangeGrants,
) -> Result<Changed, Problem> {
    let id = key(directory, group);
    let sql = match change.change {
        Change::Grant => {
            make(c, directory, std::slice::from_ref(group)).await?;
            "insert into group_permission (local_group, permission) values ($1, $2) on conflict do nothing"
        }
        Change::Revoke if !exists(c, "select 1 from local_group where id = $1", &id).await? => {
            return Ok(Changed::Unknown);
        }
        Change::Revoke => "delete from group_permission where local_group = $1 and permission = $2",
    };
    let changed = each(c, sql, &id, change.permissions).await?;
    if !changed.is_empty() {
        audit::note_change_of_members(c, &id, change.at).await?;
        audit::write(c, change.audit).await?;
    }
    Ok(Changed::Yes(changed))
}

/// Carries a statement out for each permission; answers those for which it changed something, sorted.
async fn each(
    c: &mut Connection<'_>,
    sql: &'static str,
    grantee: &str,
    permissions: BTreeSet<String>,
) -> Result<Vec<String>, Problem> {
    let mut changed = Vec::new();
    for permission in permissions {
        if c.query(sql).bind(grantee).bind(&permission).execute().await? > 0 {
            changed.push(permission);
        }
    }
    Ok(changed)
}

async fn exists(c: &mut Connection<'_>, sql: &'static str, id: &str) -> Result<bool, Problem> {
    Ok(c.query(sql).bind(id).fetch_optional().await?.is_some())
}

/// Brings the index of memberships in line with an account that had these before; groups that are not there are made.
pub(crate) async fn follow(
    c: &mut Connection<'_>,
    before: &[LocalGroup],
    account: &Account,
) -> Result<(), Problem> {
    if before == account.local_groups {
        return Ok(());
    }
    let user = account.id.to_string();
    make(c, &account.directory, &account.local_groups).await?;
    c.query("delete from membership where account = $1").bind(&user).execute().await?;
    let keys: Vec<String> = account.local_groups.iter().map(|group| key(&account.directory, group)).collect();
    c.query_in(
        "insert into membership (account, local_group) select $1, value from json_each($2)",
        "insert into membership (account, local_group) select $1, value from json_array_elements_text($2::json)",
    )
    .bind(user)
    .bind(to_json(&keys))
    .execute()
    .await?;
    Ok(())
}

/// Makes the local groups of a directory that are not there.
async fn make(c: &mut Connection<'_>, directory: &str, groups: &[LocalGroup]) -> Result<(), Problem> {
    let rows: Vec<_> =
        groups.iter().map(|group| (key(directory, group), &group.name, directory, &group.dn)).collect();
    c.query_in(
        "insert into local_group (id, name, directory, dn) \
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($1) where true on conflict do nothing",
        "insert into local_group (id, name, directory, dn) \
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_array_elements($1::json) \
         on conflict do nothing",
    )
    .bind(to_json(&rows))
    .execute()
    .await?;
    Ok(())
}

pub(crate) async fn list(c: &mut Connection<'_>, query: GroupQuery) -> Result<Vec<StoredGroup>, Problem> {
    let name = match query {
        GroupQuery::All => None,
        GroupQuery::Named(name) => Some(name),
    };
    // One statement: groups (0), members (1) and permissions (2) of one moment.
    let rows = c
        .query(
            "select id, name, directory, dn, cast(0 as bigint), '' from local_group where $1 is null or name = $1 \
             union all select g.id, g.name, g.directory, g.dn, cast(1 as bigint), account.local_name from local_group g \
             join membership on membership.local_group = g.id join account on account.id = membership.account \
             where $1 is null or g.name = $1 \
             union all select g.id, g.name, g.directory, g.dn, cast(2 as bigint), group_permission.permission from local_group g \
             join group_permission on group_permission.local_group = g.id where $1 is null or g.name = $1",
        )
        .bind(name)
        .fetch_all()
        .await?;
    let mut groups: BTreeMap<[String; 3], [BTreeSet<String>; 2]> = BTreeMap::new();
    for row in &rows {
        let cells = row.of("local_group", 0, 0);
        let group = groups.entry([cells.get(1)?, cells.get(2)?, cells.get(3)?]).or_default();
        match cells.count(4)? {
            0 => false,
            1 => group[0].insert(cells.get(5)?),
            _ => group[1].insert(cells.get(5)?),
        };
    }
    let stored = groups.into_iter().map(|([name, directory, dn], [members, permissions])| {
        let (members, permissions) = (members.into_iter().collect(), permissions.into_iter().collect());
        StoredGroup { name, directory, dn, members, permissions }
    });
    Ok(stored.collect())
}

/// What a local group is known by: the digest of what it is.
fn key(directory: &str, group: &LocalGroup) -> String {
    Digest::of(to_json(&(directory, &group.name, &group.dn)).as_bytes()).to_hex()
}
