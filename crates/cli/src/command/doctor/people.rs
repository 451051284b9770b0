//! What the service account sees of a directory: its base, a sample of people, groups and those that are named.

use auth::Settings;
use client::proto::{Dn, Filter};
use client::{Connection, Entry, Error, Search};

use super::report::{Finding, Report, begin};
use super::server::{Server, listed};
use super::words;

/// So many people are looked at.
const PEOPLE: u32 = 50;
/// So many groups.
const GROUPS: u32 = 100;

/// Looks at what is there.
pub(super) async fn examine(report: &mut Report, settings: &Settings, server: &Server) {
    let connection = &server.connection;
    let begun = begin("base", settings.base.as_str());
    let finding = base(settings, server).await;
    let failed = finding.is_failed();
    report.end(begun, finding);
    if failed {
        return;
    }
    for search in &settings.user.searches {
        let begun = begin("people", search.base.as_str());
        let finding = match settings.user.bind_as_user {
            true => Finding::skipped("people are read as themselves: bind_as_user", ""),
            false => {
                let search = Search::below(search.base.as_str())
                    .scope(search.scope)
                    .matching(settings.anybody(search));
                people(settings, connection, search).await.unwrap_or_else(|error| words::failed(&error))
            }
        };
        report.end(begun, finding);
    }
    let Some(any) = settings.any_group() else { return };
    for search in &settings.groups.searches {
        let begun = begin("groups", search.base.as_str());
        let filter = Filter::all(std::iter::once(any.clone()).chain(search.filter.clone()));
        let search = Search::below(search.base.as_str()).scope(search.scope).matching(filter);
        let finding =
            groups(settings, connection, search).await.unwrap_or_else(|error| words::failed(&error));
        report.end(begun, finding);
    }
    let named = settings.named_groups();
    if !named.is_empty() {
        let begun = begin("named_groups", settings.name.as_str());
        let finding = named_groups(connection, &named).await.unwrap_or_else(|error| words::failed(&error));
        report.end(begun, finding);
    }
}

/// The groups of a name, where groups are searched for.
pub(super) async fn groups_called(
    settings: &Settings,
    connection: &Connection,
    name: &str,
) -> Result<Vec<String>, Error> {
    let Some(any) = settings.any_group() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for search in &settings.groups.searches {
        let called = Filter::equal(&settings.groups.name_attribute, name);
        let filter = Filter::all([called, any.clone()].into_iter().chain(search.filter.clone()));
        let search = Search::below(search.base.as_str()).scope(search.scope).matching(filter);
        let answer = connection.search(search.attributes(["1.1"]).limit(2)).await?;
        found.extend(answer.entries.iter().map(|entry| entry.dn().to_owned()));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

async fn base(settings: &Settings, server: &Server) -> Finding {
    let base = &settings.base;
    match server.connection.read(base.as_str(), &["objectClass"]).await {
        Ok(Some(_)) => Finding::ok("it is there"),
        Ok(None) => {
            let contexts = server.root.iter().flat_map(|root| root.naming_contexts());
            let advice = match listed(contexts).as_str() {
                "none" => "set base to a suffix that the server has".to_owned(),
                known => format!("set base to a suffix that the server has ({known})"),
            };
            let cause = format!("there is no entry {base}, or the service account may not see it");
            Finding::failed(cause, format!("{advice}, or give the service account the right to read it"))
        }
        Err(error) => words::failed(&error),
    }
}

async fn people(settings: &Settings, connection: &Connection, search: Search) -> Result<Finding, Error> {
    let user = &settings.user;
    let (id, name) = (user.id_attribute.as_str(), user.username_attribute.as_str());
    let groups = settings.membership_attribute();
    let wanted = [id, name].into_iter().chain(groups);
    let found = connection.search(search.attributes(wanted).limit(PEOPLE)).await?;
    let people = found.entries;
    let seen = counted(people.len(), found.truncated.is_some(), "person", "people");
    if people.is_empty() {
        let finding = match settings.needs_a_name() {
            true => Finding::warning(
                format!("nobody with {name} is seen"),
                "check user.base and user.username_attribute",
            ),
            false => Finding::failed(
                "nobody is seen",
                "check user.base and user.filter, and what the service account may read there",
            ),
        };
        return Ok(finding.seeing(seen));
    }
    let mut finding = Finding::ok(seen);
    for (attribute, key) in [(id, "id_attribute"), (name, "username_attribute")] {
        finding = judge_attribute(finding, &people, attribute, key);
    }
    if let Some(groups) = groups.filter(|groups| people.iter().all(|person| !person.has(groups))) {
        finding = finding.but(
            format!("nobody of these shows {groups}: nobody seems to be in any group"),
            format!("let the service account read {groups}, or choose another kind in [directory.groups]"),
        );
    }
    Ok(finding)
}

/// Everybody needs exactly one value of it.
fn judge_attribute(finding: Finding, people: &[Entry], attribute: &str, key: &str) -> Finding {
    let without = people.iter().filter(|person| person.first(attribute).is_none_or(<[u8]>::is_empty));
    let without: Vec<&str> = without.map(Entry::dn).collect();
    let several = people.iter().filter(|person| person.values(attribute).count() > 1);
    let several: Vec<&str> = several.map(Entry::dn).collect();
    let finding = match (without.len(), without.first()) {
        (0, _) | (_, None) => finding,
        (count, Some(_)) if count == people.len() => finding.failing(
            format!("none of these has {attribute}, or the service account may not read it: nobody can sign in"),
            format!("let the service account read {attribute}, or choose another in user.{key}"),
        ),
        (count, Some(first)) => finding.but(
            format!("{count} of these have no {attribute} that the service account may read, as {first}: they cannot sign in"),
            format!("let it be read, narrow user.filter, or choose another in user.{key}"),
        ),
    };
    match (several.len(), several.first()) {
        (0, _) | (_, None) => finding,
        (count, Some(first)) => finding.but(
            format!("{count} of these have several values of {attribute}, as {first}: they cannot sign in"),
            format!("leave one value each, or choose another attribute in user.{key}"),
        ),
    }
}

async fn groups(settings: &Settings, connection: &Connection, search: Search) -> Result<Finding, Error> {
    let (name, lists) = (settings.groups.name_attribute.as_str(), settings.member_attributes());
    let wanted = std::iter::once(name).chain(lists.iter().copied());
    let found = connection.search(search.attributes(wanted).limit(GROUPS)).await?;
    let groups = found.entries;
    let seen = counted(groups.len(), found.truncated.is_some(), "group", "groups");
    if groups.is_empty() {
        let advice =
            "check groups.base, groups.kind and groups.filter, and what the service account may read there";
        return Ok(Finding::warning("no group is seen: nobody is in any", advice).seeing(seen));
    }
    let mut finding = Finding::ok(seen);
    let nameless = groups.iter().filter(|group| !group.has(name)).count();
    if nameless > 0 {
        finding = finding.but(
            format!(
                "{nameless} of these have no {name} that the service account may read: they are not shown"
            ),
            format!("let {name} be read, or choose another in groups.name_attribute"),
        );
    }
    let lists_somebody = |group: &Entry| lists.iter().any(|list| group.has(list));
    if !lists.is_empty() && !groups.iter().any(lists_somebody) {
        finding = finding.but(
            format!("none of these shows {}: nobody seems to be in them", lists.join(" or ")),
            "let the service account read the members, or choose another kind in [directory.groups]",
        );
    }
    if !settings.groups.nested
        && let Some((above, below)) = nested(&groups, &lists)
    {
        finding = finding.hint(
            format!("{below} is a group in the group {above}, and groups in groups do not count"),
            "set groups.nested = true if they should",
        );
    }
    Ok(finding)
}

/// A group that is in another of these.
fn nested(groups: &[Entry], lists: &[&str]) -> Option<(String, String)> {
    let names: Vec<Dn> = groups.iter().filter_map(|group| group.parse_dn().ok()).collect();
    for group in groups {
        let members = lists.iter().flat_map(|list| group.texts(list)).filter_map(|text| Dn::parse(text).ok());
        for member in members {
            if names.contains(&member) {
                return Some((group.dn().to_owned(), member.to_string()));
            }
        }
    }
    None
}

/// A group that a rule names and nobody has has no members.
async fn named_groups(connection: &Connection, named: &[Dn]) -> Result<Finding, Error> {
    let mut missing = Vec::new();
    for group in named {
        if connection.read(group.as_str(), &["1.1"]).await?.is_none() {
            missing.push(group);
        }
    }
    let seen = format!("{} of {} that the configuration names", named.len() - missing.len(), named.len());
    let finding = Finding::ok(seen);
    Ok(missing.into_iter().fold(finding, |finding, group| {
        finding.failing(
            format!(
                "the group {group} is not there, or the service account may not see it: it has no members"
            ),
            "check its DN, and what the service account may read",
        )
    }))
}

fn counted(count: usize, more: bool, one: &str, several: &str) -> String {
    match (count, more) {
        (1, false) => format!("1 {one}"),
        (count, false) => format!("{count} {several}"),
        (count, true) => format!("{count} {several} and more"),
    }
}
