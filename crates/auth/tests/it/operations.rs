//! How many LDAP operations a login costs on warm connections, counted by the server.

use directory::Kind;
use ldapgate_auth::{Directories, GroupKind, Rule, UserTemplate};

use crate::world::{World, admitted, dn, in_group};

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
