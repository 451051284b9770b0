//! Looking at people again: whose turn it is, what came of it, leases and marks.

use account::store::{
    Admit, Admitted, Census, CensusQuery, ClaimDue, ENDED_KEPT, EndAccess, Ending, Enrolled, Leased, Mark,
    NoteChecked, PeopleQuery, ReleaseLeases, RollQuery, SetMark, SignedInPerson, SignedInQuery, TakeLease,
};
use account::{Account, UserId};

use crate::error::Problem;
use crate::row::{self, account_columns, to_json};
use crate::sql::{Connection, Kind, Row};
use crate::{audit, person, text};

/// Accounts with a live session, or with a personal token that was used after a time.
macro_rules! is_here {
    ($at:literal, $idle_before:literal, $used_after:literal) => {
        concat!(
            "account.id in (select session.account from session where session.expires > ",
            $at,
            " and (session.remembered = true or session.last_seen > ",
            $idle_before,
            ") union select personal_token.account from personal_token \
             join account owner on owner.id = personal_token.account \
             where (personal_token.expires is null or personal_token.expires > ",
            $at,
            ") and personal_token.last_used > ",
            $used_after,
            ")"
        )
    };
}

/// People whose turn it is. The slot is the id's first byte: its first two digits, found by the function that says where one
/// text stands in another.
macro_rules! due {
    ($position:literal) => {
        concat!(
            "select ",
            account_columns!(),
            " from account where account.directory = $1 and account.disabled = false and account.checked <= $2 - $3 * ((",
            $position,
            "('0123456789abcdef', substr(account.id, 1, 1)) - 1) * 16 + ",
            $position,
            "('0123456789abcdef', substr(account.id, 2, 1)) - 1) \
             and (account.looking_until is null or account.looking_until <= $4) and ",
            is_here!("$4", "$5", "owner.checked"),
            " order by account.checked, account.id limit $6"
        )
    };
}

pub(crate) async fn claim_due(c: &mut Connection<'_>, claim: &ClaimDue) -> Result<Vec<Account>, Problem> {
    let rows = c
        .query_in(due!("instr"), due!("strpos"))
        .bind(&claim.directory)
        .bind(claim.checked_before.micros())
        .bind(i64::try_from(claim.spread.as_micros()).unwrap_or(i64::MAX))
        .bind(claim.at.micros())
        .bind(claim.idle_before.micros())
        .bind(i64::from(claim.limit))
        .fetch_all()
        .await?;
    let due = accounts(&rows)?;
    if !due.is_empty() {
        c.query_in(
            "update account set looking_until = $1 where id in (select value from json_each($2))",
            "update account set looking_until = $1 where id in (select jsonb_array_elements_text($2::jsonb))",
        )
        .bind(claim.until.micros())
        .bind(users(due.iter().map(|account| account.id)))
        .execute()
        .await?;
    }
    Ok(due)
}

pub(crate) async fn people(c: &mut Connection<'_>, query: &PeopleQuery) -> Result<Vec<Account>, Problem> {
    let rows = match query {
        PeopleQuery::Keys { directory, external_ids } => {
            let ids = texts(c.kind(), external_ids);
            c.query_in(
                concat!(
                    "select ",
                    account_columns!(),
                    " from account where account.directory = $1 \
                     and account.external_id in (select value from json_each($2)) order by account.external_id"
                ),
                concat!(
                    "select ",
                    account_columns!(),
                    " from account where account.directory = $1 and account.external_id in \
                     (select jsonb_array_elements_text($2::jsonb)) order by account.external_id"
                ),
            )
            .bind(directory)
            .bind(ids)
            .fetch_all()
            .await?
        }
        PeopleQuery::Names { local_names } => {
            let names = texts(c.kind(), local_names);
            c.query_in(
                concat!(
                    "select ",
                    account_columns!(),
                    " from account where account.local_name in (select value from json_each($1)) \
                     order by account.local_name"
                ),
                concat!(
                    "select ",
                    account_columns!(),
                    " from account where account.local_name in (select jsonb_array_elements_text($1::jsonb)) \
                     order by account.local_name"
                ),
            )
            .bind(names)
            .fetch_all()
            .await?
        }
        PeopleQuery::LookedAtLast { directory, limit } => {
            c.query(concat!(
                "select ",
                account_columns!(),
                " from account where account.directory = $1 and account.disabled = false and account.out is null \
                 order by account.checked desc, account.id desc limit $2"
            ))
            .bind(directory)
            .bind(i64::from(*limit))
            .fetch_all()
            .await?
        }
    };
    accounts(&rows)
}

pub(crate) async fn roll(c: &mut Connection<'_>, query: &RollQuery) -> Result<Vec<Enrolled>, Problem> {
    let rows = c
        .query(
            "select id, external_id, username, disabled = false and out is null from account \
             where directory = $1 and external_id > $2 order by external_id limit $3",
        )
        .bind(&query.directory)
        // Every key is longer than no key.
        .bind(query.after.as_deref().unwrap_or_default())
        .bind(i64::from(query.limit))
        .fetch_all()
        .await?;
    let enrolled = |row: &Row| {
        let cells = row.of("account", 0, 0);
        Ok(Enrolled {
            user: cells.user(0)?,
            external_id: cells.get(1)?,
            username: cells.get(2)?,
            may_act: cells.get(3)?,
        })
    };
    rows.iter().map(enrolled).collect()
}

pub(crate) async fn signed_in(
    c: &mut Connection<'_>,
    query: &SignedInQuery,
) -> Result<Vec<SignedInPerson>, Problem> {
    let rows = c
        .query(concat!(
            "select account.id, account.external_id, account.dn from account where account.directory = $1 \
             and account.disabled = false and account.id > $2 and ",
            is_here!("$3", "$4", "$5"),
            " order by account.id limit $6"
        ))
        .bind(&query.directory)
        .bind(query.after.map(|after| after.to_string()).unwrap_or_default())
        .bind(query.at.micros())
        .bind(query.idle_before.micros())
        .bind(query.token_used_after.micros())
        .bind(i64::from(query.limit))
        .fetch_all()
        .await?;
    let person = |row: &Row| {
        let cells = row.of("account", 0, 0);
        Ok(SignedInPerson { user: cells.user(0)?, external_id: cells.get(1)?, dn: cells.get(2)? })
    };
    rows.iter().map(person).collect()
}

pub(crate) async fn note_checked(c: &mut Connection<'_>, note: &NoteChecked) -> Result<(), Problem> {
    if note.users.is_empty() {
        return Ok(());
    }
    c.query_in(
        "update account set checked = max(checked, $1), looking_until = null \
         where id in (select value from json_each($2))",
        "update account set checked = greatest(checked, $1), looking_until = null \
         where id in (select jsonb_array_elements_text($2::jsonb))",
    )
    .bind(note.at.micros())
    .bind(users(note.users.iter().copied()))
    .execute()
    .await?;
    Ok(())
}

pub(crate) async fn admit_all(c: &mut Connection<'_>, admits: &[Admit]) -> Result<Vec<Admitted>, Problem> {
    let mut answers = Vec::with_capacity(admits.len());
    for admit in admits {
        answers.push(person::admit(c, admit.clone()).await?);
    }
    Ok(answers)
}

pub(crate) async fn census(c: &mut Connection<'_>, query: &CensusQuery) -> Result<Census, Problem> {
    let found = c
        .query(
            "select (select count(*) from account where directory = $1 and disabled = false and out is null), \
             (select count(*) from ended where directory = $1 and at >= $2)",
        )
        .bind(&query.directory)
        .bind(query.ended_since.micros())
        .fetch_one()
        .await?;
    let count = |at| Ok::<_, Problem>(u64::try_from(found.get::<i64>(at)?).unwrap_or_default());
    Ok(Census { with_access: count(0)?, ended: count(1)? })
}

pub(crate) async fn end_access(c: &mut Connection<'_>, end: &EndAccess) -> Result<Vec<UserId>, Problem> {
    let mut ended = Vec::new();
    for loss in &end.losses {
        let account = person::by_id(c, loss.user).await?.filter(|account| {
            account.directory == end.directory
                && account.external_id == loss.external_id
                && account.checked <= end.looked
                && (end.ending == Ending::Remove || account.may_act())
        });
        let Some(account) = account else { continue };
        match end.ending {
            Ending::ShutOut => {
                c.query("update account set out = $1, checked = $2, looking_until = null where id = $3")
                    .bind(&loss.reason)
                    .bind(end.looked.micros())
                    .bind(account.id.to_string())
                    .execute()
                    .await?;
                person::cut_off(c, account.id, None, end.at).await?;
            }
            // Sessions and tokens go with the account: their tables say so.
            Ending::Remove => {
                c.query("delete from account where id = $1").bind(account.id.to_string()).execute().await?;
            }
        }
        if end.counted && account.may_act() {
            c.query("insert into ended (directory, at) values ($1, $2)")
                .bind(&end.directory)
                .bind(end.at.micros())
                .execute()
                .await?;
        }
        audit::note_change(c, account.id, end.at).await?;
        audit::write(c, loss.audit.clone().about(&account)).await?;
        ended.push(account.id);
    }
    c.query("delete from ended where at < $1").bind(end.at.before(ENDED_KEPT).micros()).execute().await?;
    Ok(ended)
}

pub(crate) async fn take_lease(c: &mut Connection<'_>, take: &TakeLease) -> Result<Leased, Problem> {
    let taken = c
        .query(
            "insert into lease (name, holder, until) values ($1, $2, $3) \
             on conflict (name) do update set holder = excluded.holder, until = excluded.until \
             where lease.holder = excluded.holder or lease.until <= $4",
        )
        .bind(&take.name)
        .bind(&take.holder)
        .bind(take.until.micros())
        .bind(take.at.micros())
        .execute()
        .await?;
    if taken > 0 {
        return Ok(Leased::Yes);
    }
    let found =
        c.query("select name, holder, until from lease where name = $1").bind(&take.name).fetch_one().await?;
    let cells = found.of("lease", 0, 0);
    Ok(Leased::Held { by: cells.get(1)?, until: cells.time(2)? })
}

pub(crate) async fn release_leases(c: &mut Connection<'_>, release: &ReleaseLeases) -> Result<u64, Problem> {
    match &release.name {
        Some(name) => {
            let query = c.query("delete from lease where holder = $1 and name = $2");
            query.bind(&release.holder).bind(name).execute().await
        }
        None => c.query("delete from lease where holder = $1").bind(&release.holder).execute().await,
    }
}

pub(crate) async fn marks(c: &mut Connection<'_>, start: &str) -> Result<Vec<Mark>, Problem> {
    let rows = c
        .query("select name, value from mark where substr(name, 1, length($1)) = $1 order by name")
        .bind(start)
        .fetch_all()
        .await?;
    let mark = |row: &Row| {
        let cells = row.of("mark", 0, 0);
        Ok(Mark { name: cells.get(0)?, value: cells.get(1)? })
    };
    rows.iter().map(mark).collect()
}

pub(crate) async fn set_mark(c: &mut Connection<'_>, set: &SetMark) -> Result<(), Problem> {
    match &set.value {
        Some(value) => {
            let query = c.query(
                "insert into mark (name, value) values ($1, $2) \
                 on conflict (name) do update set value = excluded.value",
            );
            query.bind(&set.name).bind(value.as_slice()).execute().await?
        }
        None => c.query("delete from mark where name = $1").bind(&set.name).execute().await?,
    };
    Ok(())
}

fn accounts(rows: &[Row]) -> Result<Vec<Account>, Problem> {
    rows.iter().map(|row| row::account(row, 0)).collect()
}

/// A list of ids as one value, which both databases take apart.
fn users(users: impl Iterator<Item = UserId>) -> String {
    to_json(&users.collect::<Vec<_>>())
}

/// A list of texts as one value, as the database holds them.
fn texts(kind: Kind, list: &[String]) -> String {
    match kind {
        Kind::Sqlite => to_json(&list),
        Kind::Postgres => to_json(&list.iter().cloned().map(text::without_nul).collect::<Vec<_>>()),
    }
}
