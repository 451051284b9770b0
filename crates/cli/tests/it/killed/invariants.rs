//! What the database must look like, whenever its gateways were killed.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::installation::Installation;
use crate::killed::person::Person;

/// Looks whether everything holds.
pub(crate) fn hold(installation: &Installation, people: &[Person]) {
    installation.is_sound();
    nothing_is_without_what_it_belongs_to(installation);
    for person in people {
        what_was_acknowledged_is_there(installation, person);
        memberships_are_whole(installation, person);
    }
}

fn nothing_is_without_what_it_belongs_to(installation: &Installation) {
    let none = |what: &str, query: &str| {
        let rows = installation.sql(query);
        assert!(rows.is_empty(), "{what}: {rows:?}");
    };
    none(
        "a session without its account",
        "select handle from session where account not in (select id from account)",
    );
    none(
        "a session without the record of its login",
        "select handle from session s where not exists (select 1 from audit a \
         where a.account = s.account and a.event = 'login' and a.outcome = 'granted' and a.at <= s.created)",
    );
    none(
        "an account without the record of what made it",
        "select local_name from account c where not exists (select 1 from audit a \
         where a.account = c.id and a.at <= c.first_seen)",
    );
    none(
        "the record of a login without its account",
        "select number from audit where event = 'login' and outcome = 'granted' \
         and account not in (select id from account)",
    );
    none(
        "an attempt that stays under way for longer than a login lasts",
        "select key from reservation where expires > at + 60000000 or expires <= at",
    );
}

fn what_was_acknowledged_is_there(installation: &Installation, person: &Person) {
    let name = &person.name;
    let between = |what: &str, least: i64, most: i64, query: &str| {
        let found = installation.number(query);
        assert!((least..=most).contains(&found), "{what} of {name}: {found}, not {least} to {most}");
    };
    let granted = person.granted;
    between(
        "logins on record",
        granted.sure,
        granted.sure + granted.unsure,
        &format!(
            "select count(*) from audit where username = '{name}' and event = 'login' and outcome = 'granted'"
        ),
    );
    between(
        "sessions",
        person.alive(),
        granted.sure + granted.unsure,
        &format!(
            "select count(*) from session where account in (select id from account where local_name = '{name}')"
        ),
    );
    between(
        "wrong passwords",
        person.wrong.sure,
        person.wrong.sure + person.wrong.unsure,
        &format!("select coalesce(sum(wrong), 0) from counter where key = 'person main {name}'"),
    );
    between(
        "accounts",
        i64::from(granted.sure > 0),
        i64::from(granted.sure + granted.unsure > 0),
        &format!("select count(*) from account where username = '{name}'"),
    );
}

/// The local groups are those of one login, never half of them.
fn memberships_are_whole(installation: &Installation, person: &Person) {
    let rows =
        installation.sql(&format!("select local_groups from account where username = '{}'", person.name));
    let Some(row) = rows.first() else { return };
    let text = row["local_groups"].as_str().expect("local groups are text");
    let groups: Vec<Value> = serde_json::from_str(text).expect("local groups are a list");
    let groups: BTreeSet<&str> = groups.iter().filter_map(|group| group["name"].as_str()).collect();
    assert!(
        person.mirrored.contains(&groups),
        "{} is in {groups:?}, and should be in one of {:?}",
        person.name,
        person.mirrored
    );
    let members = installation.sql(&format!(
        "select local_group.name from membership join local_group on local_group.id = membership.local_group \
         join account on account.id = membership.account where account.username = '{}'",
        person.name
    ));
    let members: BTreeSet<&str> = members.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(members, groups, "the memberships of {} are not what the account says", person.name);
}
