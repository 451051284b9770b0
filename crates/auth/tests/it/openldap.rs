//! The same decisions against a real OpenLDAP.

use std::time::Duration;

use ldapgate_auth::{Directories, GroupKind, Reason, Settings, UserTemplate, Vendor};
use testkit::world::{Peer, World};

use crate::world::{admitted, in_group, names, real, reason};

fn directories(world: &World, change: impl FnOnce(&mut Settings)) -> Directories {
    real(world.ldap_url(), Vendor::OpenLdap, change)
}

#[tokio::test]
async fn openldap_admits_and_refuses_as_the_in_memory_directory_does() {
    let world = World::start(Peer::OpenLdap).await;
    let directories = directories(&world, |settings| settings.deny = Some(in_group("suspended")));
    let person = admitted(&directories, " ALICE", "Red-Apple-11").await;
    assert_eq!((person.username(), person.id().len()), ("alice", 36));
    assert_eq!(names(&person), ["admins", "staff"]);
    assert_eq!(reason(&directories, "alice", "wrong").await, Reason::WrongPassword);
    assert_eq!(reason(&directories, "nobody", "x").await, Reason::UnknownUser);
    assert_eq!(reason(&directories, "twin", "Twin-Inside-12").await, Reason::AmbiguousUser);
    assert_eq!(reason(&directories, "bob", "Blue-Boat-22").await, Reason::InDeniedGroup);
    assert_eq!(reason(&directories, "*", "x").await, Reason::UnknownUser);
    assert_eq!(
        admitted(&directories, "we(i)rd*\\user,x=1", "White-Whale-77").await.username(),
        "we(i)rd*\\user,x=1"
    );
    assert_eq!(names(&admitted(&directories, "pat", "Pink-Pearl-66").await), ["staff"]);
    assert_eq!(admitted(&directories, "JÜRGEN", "Gelb-Glas-55").await.username(), "jürgen");
    assert_eq!(reason(&directories, "locked", "Lock-Ledger-12").await, Reason::AccountLocked);
    assert_eq!(reason(&directories, "mustchange", "Must-Mango-15").await, Reason::PasswordMustChange);
    assert_eq!(reason(&directories, "mustchange", "wrong").await, Reason::WrongPassword);
}

#[tokio::test]
async fn openldap_is_asked_for_a_remembered_person_by_a_read_and_a_bind() {
    let world = World::start(Peer::OpenLdap).await;
    let directories = directories(&world, |settings| {
        settings.groups.nested = true;
        settings.cache.dn = Duration::from_secs(300);
        settings.cache.groups = Duration::from_secs(300);
    });
    let first = admitted(&directories, "carol", "Green-Garden-33").await;
    let before = world.requests();
    let second = admitted(&directories, "carol", "Green-Garden-33").await;
    assert_eq!(world.requests() - before, 2);
    assert_eq!((names(&first), first.id()), (names(&second), second.id()));
    assert_eq!(reason(&directories, "carol", "wrong").await, Reason::WrongPassword);
}

#[tokio::test]
async fn openldap_s_groups_of_every_kind_are_found() {
    let world = World::start(Peer::OpenLdap).await;
    let nested = directories(&world, |settings| settings.groups.nested = true);
    assert_eq!(
        names(&admitted(&nested, "carol", "Green-Garden-33").await),
        ["level1", "level2", "level3", "level4", "level5"]
    );
    let posix = directories(&world, |settings| settings.groups.kinds = vec![GroupKind::Posix]);
    assert_eq!(names(&admitted(&posix, "alice", "Red-Apple-11").await), ["posix-admins", "posix-staff"]);
    let template = directories(&world, |settings| {
        settings.user.template =
            Some(UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap());
    });
    assert_eq!(names(&admitted(&template, "alice", "Red-Apple-11").await), ["admins", "staff"]);
    assert_eq!(reason(&template, "nobody", "x").await, Reason::WrongPassword);
}

#[tokio::test]
async fn openldap_s_circle_of_groups_hides_nobody_from_a_deny() {
    let world = World::start(Peer::OpenLdap).await;
    let nested = |rule: &'static str| {
        directories(&world, move |settings| {
            settings.groups.nested = true;
            settings.deny = Some(in_group(rule));
        })
    };
    assert_eq!(reason(&nested("level5"), "carol", "Green-Garden-33").await, Reason::InDeniedGroup);
    let before = world.requests();
    admitted(&nested("admins"), "carol", "Green-Garden-33").await;
    let (service, login, levels) = (1, 3, 5);
    assert_eq!(world.requests() - before, service + login + levels);
}
