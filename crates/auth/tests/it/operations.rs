//! How many LDAP operations a login costs on warm connections, counted by the server. Active Directory's, first and warm,
//! are in `domain`, a bind name's in `active_directory`, those of remembered people in `remember_names` and `remember_groups`.

use std::pin::Pin;

use directory::{Fault, Kind};
use ldapgate_auth::{CustomKind, Directories, GroupKind, GroupLookup, Rule, UserTemplate};
use proto::{Dn, LdapResult, ResultCode};

use crate::world::{PEOPLE, World, admitted, dn, in_group};

/// The operations of a second login; the first one warms the connections up.
async fn warm(world: &World, directories: &Directories) -> Vec<(Kind, String)> {
    admitted(directories, "alice", "Red-Apple-11").await;
    world.operations();
    let connections = world.directory.counters().connections;
    admitted(directories, "alice", "Red-Apple-11").await;
    assert_eq!(world.directory.counters().connections, connections, "no connection is opened");
    world.operations()
}

fn kinds(operations: &[(Kind, String)]) -> Vec<Kind> {
    operations.iter().map(|(kind, _)| *kind).collect()
}

#[tokio::test]
async fn search_and_bind_are_two() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.groups.kinds.clear());
    assert_eq!(
        warm(&world, &directories).await,
        [
            (Kind::Search, "dc=example,dc=com".to_owned()),
            (Kind::Bind, "uid=Alice,ou=people,dc=example,dc=com".to_owned())
        ]
    );
}

#[tokio::test]
async fn a_template_costs_bind_and_read() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds.clear();
        settings.user.template =
            Some(UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap());
    });
    let name = "uid=alice,ou=people,dc=example,dc=com".to_owned();
    assert_eq!(warm(&world, &directories).await, [(Kind::Bind, name.clone()), (Kind::Search, name)]);
}

#[tokio::test]
async fn a_template_with_a_search_after_the_bind_costs_no_more() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds.clear();
        settings.user.template =
            Some(UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap());
        settings.user.bind_as_user = true;
        settings.user.refresh_dn_after_bind = true;
    });
    let bound = "uid=alice,ou=people,dc=example,dc=com".to_owned();
    assert_eq!(
        warm(&world, &directories).await,
        [(Kind::Bind, bound), (Kind::Search, "dc=example,dc=com".to_owned())]
    );
}

#[tokio::test]
async fn groups_by_search_cost_one_more_for_each_kind() {
    let world = World::people().await;
    let one = world.directories(|settings| settings.require = Some(in_group("staff")));
    assert_eq!(kinds(&warm(&world, &one).await), [Kind::Search, Kind::Bind, Kind::Search]);
    let three = world.directories(|settings| {
        settings.groups.kinds =
            vec![GroupKind::GroupOfNames, GroupKind::GroupOfUniqueNames, GroupKind::Posix];
    });
    assert_eq!(warm(&world, &three).await.len(), 5);
}

#[tokio::test]
async fn member_of_costs_nothing_wherever_the_group_lies() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
        settings.require = Some(Rule::Group(dn("cn=far,ou=other-groups,dc=example,dc=com")));
    });
    assert_eq!(warm(&world, &directories).await.len(), 2);
}

#[tokio::test]
async fn a_level_of_nesting_costs_one() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.groups.nested = true);
    // Bob's one group, and the round that finds no group above it.
    admitted(&directories, "bob", "Blue-Boat-22").await;
    world.operations();
    admitted(&directories, "bob", "Blue-Boat-22").await;
    assert_eq!(world.operations().len(), 4);
}

#[tokio::test]
async fn a_rule_s_group_outside_what_was_read_costs_one() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
        settings.require = Some(Rule::Group(dn("cn=far,ou=other-groups,dc=example,dc=com")));
    });
    let operations = warm(&world, &directories).await;
    assert_eq!(operations.len(), 4);
    assert_eq!(operations[3], (Kind::Search, "cn=far,ou=other-groups,dc=example,dc=com".to_owned()));
}

#[tokio::test]
async fn each_further_search_costs_one() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds.clear();
        let search = &settings.user.searches[0];
        let below = |base: &str| ldapgate_auth::UserSearch { base: dn(base), ..search.clone() };
        settings.user.searches =
            vec![below("ou=people,dc=example,dc=com"), below("ou=partners,dc=example,dc=com")];
    });
    assert_eq!(warm(&world, &directories).await.len(), 3);
}

#[tokio::test]
async fn reading_as_the_person_costs_one_read_on_the_person_s_own_connection() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds.clear();
        settings.user.bind_as_user = true;
    });
    admitted(&directories, "alice", "Red-Apple-11").await;
    world.directory.clear_operations();
    admitted(&directories, "alice", "Red-Apple-11").await;
    let operations = world.directory.operations();
    assert_eq!(
        operations.iter().map(|o| o.kind).collect::<Vec<_>>(),
        [Kind::Search, Kind::Bind, Kind::Search]
    );
    assert_eq!(operations[1].connection, operations[2].connection);
    assert_ne!(operations[0].connection, operations[1].connection);
}

#[tokio::test]
async fn a_refused_password_costs_search_and_bind() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    admitted(&directories, "alice", "Red-Apple-11").await;
    world.operations();
    crate::world::refused(&directories, "alice", "wrong").await;
    assert_eq!(kinds(&world.operations()), [Kind::Search, Kind::Bind]);
}

/// Dora is in deep1, and the five are each in the next, the last in the first again.
fn circle() -> String {
    let mut ldif = format!(
        "{PEOPLE}\ndn: uid=dora,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Deep\n\
         userPassword: Deep-Dive-1\n"
    );
    for level in 1..=5 {
        let below = if level == 1 { 5 } else { level - 1 };
        ldif += &format!(
            "\ndn: cn=deep{level},ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: deep{level}\n\
             member: cn=deep{below},ou=groups,dc=example,dc=com\n"
        );
    }
    ldif.replace("cn: deep1\n", "cn: deep1\nmember: uid=dora,ou=people,dc=example,dc=com\n")
}

#[tokio::test]
async fn each_kind_by_itself_costs_what_the_contract_says() {
    let world = World::people().await;
    for (kinds, cost) in [
        (vec![], 2),
        (vec![GroupKind::GroupOfNames], 3),
        (vec![GroupKind::GroupOfUniqueNames], 3),
        (vec![GroupKind::OrganizationalRole], 3),
        (vec![GroupKind::Posix], 3),
        (vec![GroupKind::MemberOf], 2),
        (vec![GroupKind::MemberOf, GroupKind::Posix], 3),
        (vec![GroupKind::GroupOfNames, GroupKind::Posix], 4),
    ] {
        let directories = world.directories(|settings| settings.groups.kinds = kinds.clone());
        assert_eq!(warm(&world, &directories).await.len(), cost, "{kinds:?}");
    }
}

#[tokio::test]
async fn five_levels_in_a_circle_cost_five_more_whatever_the_kinds() {
    let world = World::with(&circle()).await;
    for (kinds, direct) in [
        (vec![GroupKind::GroupOfNames], 1),
        (vec![GroupKind::MemberOf], 0),
        (vec![GroupKind::GroupOfNames, GroupKind::GroupOfUniqueNames], 2),
        (vec![GroupKind::GroupOfNames, GroupKind::Posix], 2),
    ] {
        let directories = world.directories(|settings| {
            settings.groups.kinds = kinds.clone();
            settings.groups.nested = true;
            settings.deny = Some(in_group("staff"));
        });
        let person = admitted(&directories, "dora", "Deep-Dive-1").await;
        assert_eq!(person.groups().len(), 5);
        world.operations();
        admitted(&directories, "dora", "Deep-Dive-1").await;
        assert_eq!(world.operations().len(), 2 + direct + 5, "{kinds:?}");
    }
}

#[tokio::test]
async fn posix_groups_are_in_no_groups_so_nesting_costs_nothing() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds = vec![GroupKind::Posix];
        settings.groups.nested = true;
    });
    assert_eq!(warm(&world, &directories).await.len(), 3);
}

#[tokio::test]
async fn a_filter_is_split_only_when_it_has_too_many_names() {
    let mut ldif = PEOPLE.to_owned();
    for number in 0..201 {
        ldif += &format!(
            "\ndn: cn=many{number},ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: many{number}\n\
             member: uid=petra,ou=partners,dc=example,dc=com\n"
        );
    }
    let cost = async |ldif: &str| {
        let world = World::with(ldif).await;
        let directories = world.directories(|settings| settings.groups.nested = true);
        let person = admitted(&directories, "petra", "Pine-Park-14").await;
        world.operations();
        admitted(&directories, "petra", "Pine-Park-14").await;
        (person.groups().len(), world.operations().len())
    };
    assert_eq!(cost(&ldif).await, (201, 2 + 1 + 2));
    let one_less =
        ldif.replace("cn=many200,", "ou=many200,").replace("\ncn: many200\nmember:", "\ncn: x\nowner:");
    assert_eq!(cost(&one_less).await, (200, 2 + 1 + 1));
}

#[tokio::test]
async fn a_filter_that_the_server_finds_too_much_is_asked_in_halves() {
    let world = World::with(&circle()).await;
    let directories = world.directories(|settings| {
        settings.groups.nested = true;
        settings.deny = Some(in_group("gone"));
    });
    admitted(&directories, "alice", "Red-Apple-11").await;
    world.operations();
    // Search, groups, and the level above three groups: too much, then one, then two.
    let faults = world.directory.faults();
    faults.next(Kind::Search, 2, Fault::Delay(std::time::Duration::ZERO));
    faults.next(Kind::Search, 1, Fault::Answer(LdapResult::new(ResultCode::ADMIN_LIMIT_EXCEEDED, "")));
    let person = admitted(&directories, "alice", "Red-Apple-11").await;
    assert!(person.groups_complete());
    let before = world.operations().len();
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(before, world.operations().len() + 1 + 2);
}

#[tokio::test]
async fn a_group_of_an_application_s_kind_costs_what_it_asks() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
        settings.groups.custom.push(std::sync::Arc::new(Silent));
    });
    assert_eq!(warm(&world, &directories).await.len(), 2);
}

/// A kind that asks nothing.
#[derive(Debug)]
struct Silent;

impl CustomKind for Silent {
    fn groups<'a>(
        &'a self,
        lookup: &'a mut GroupLookup<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Dn>, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>
    {
        let own = lookup.dn().clone();
        Box::pin(std::future::ready(Ok(vec![own])))
    }
}
