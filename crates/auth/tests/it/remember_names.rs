//! A remembered name: the entry is read in place of the searches, and whoever is not there any more is searched for.

use std::time::Duration;

use client::{Connection, Rename};
use directory::{Fault, Kind};
use futures_util::future::join_all;
use ldapgate_auth::{Answer, Directories, Person, Reason, Trace, UserSearch, UserTemplate};
use proto::{Change, Rdn};
use testkit::clock::Clock;

use crate::world::{
    PEOPLE, World, admitted, clock, decide, described, dn, failed, openldap, options, reason,
};

const BASE: &str = "dc=example,dc=com";
const ALICE: &str = "uid=Alice,ou=people,dc=example,dc=com";
const PARTNERS: &str = "ou=partners,dc=example,dc=com";
const AGE: Duration = Duration::from_secs(300);

/// People whose names are remembered for five minutes, and the clock that says when these have passed.
async fn remembering() -> (World, Directories, Clock) {
    let world = World::people().await;
    let (directories, clock) = world.told_the_time(|settings| {
        settings.groups.kinds.clear();
        settings.user.attributes = vec!["cn".to_owned()];
        settings.cache.dn = AGE;
    });
    (world, directories, clock)
}

/// A connection that may change what is there.
async fn editor(world: &World) -> Connection {
    Connection::open(&options([world.url()])).await.expect("the directory answers")
}

fn rdn(value: &str) -> Rdn {
    Rdn::new("uid", value).expect("a good name")
}

fn common_names(person: &Person) -> &[Vec<u8>] {
    let found = person.attributes().find(|(name, _)| *name == "cn");
    found.expect("it is read").1
}

fn did(kind: Kind, dn: &str) -> (Kind, String) {
    (kind, dn.to_owned())
}

#[tokio::test]
async fn a_remembered_name_costs_a_read_and_a_bind() {
    let (world, directories, clock) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(world.operations(), [did(Kind::Search, BASE), did(Kind::Bind, ALICE)]);
    clock.advance(AGE - Duration::from_secs(1));
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(world.operations(), [did(Kind::Search, ALICE), did(Kind::Bind, ALICE)]);
    clock.advance(Duration::from_secs(1));
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(world.operations(), [did(Kind::Search, BASE), did(Kind::Bind, ALICE)]);
}

#[tokio::test]
async fn one_read_stands_for_all_the_searches() {
    let world = World::people().await;
    let (directories, _) = world.told_the_time(|settings| {
        settings.groups.kinds.clear();
        settings.cache.dn = AGE;
        let search = &settings.user.searches[0];
        let below = |base: &str| UserSearch { base: dn(base), ..search.clone() };
        settings.user.searches = vec![below(BASE), below("ou=people,dc=example,dc=com"), below(PARTNERS)];
    });
    for (name, password, cost) in
        [("alice", "Red-Apple-11", 4), ("alice", "Red-Apple-11", 2), ("petra", "Pine-Park-14", 4)]
    {
        admitted(&directories, name, password).await;
        assert_eq!(world.operations().len(), cost, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_remembered_unless_that_is_configured() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.groups.kinds.clear());
    for _ in 0..2 {
        admitted(&directories, "alice", "Red-Apple-11").await;
        assert_eq!(world.operations(), [did(Kind::Search, BASE), did(Kind::Bind, ALICE)]);
    }
}

#[tokio::test]
async fn what_is_known_of_the_person_is_as_fresh_as_ever() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    let editor = editor(&world).await;
    editor.modify(ALICE, vec![Change::replace("cn", ["Alice Archer"])]).await.unwrap();
    let alice = admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(common_names(&alice), [b"Alice Archer"]);
    editor.modify(ALICE, vec![Change::add("shadowExpire", ["1"])]).await.unwrap();
    assert_eq!(reason(&directories, "alice", "Red-Apple-11").await, Reason::AccountExpired);
}

#[tokio::test]
async fn whoever_has_moved_gets_in_and_no_password_goes_to_the_old_place() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    let editor = editor(&world).await;
    editor.rename(ALICE, &Rename::to(rdn("Alice")).below(PARTNERS)).await.unwrap();
    world.operations();
    let moved = "uid=Alice,ou=partners,dc=example,dc=com";
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(
        world.operations(),
        [did(Kind::Search, ALICE), did(Kind::Search, BASE), did(Kind::Bind, moved)]
    );
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(world.operations(), [did(Kind::Search, moved), did(Kind::Bind, moved)]);
}

#[tokio::test]
async fn whoever_was_renamed_is_no_longer_known_by_the_old_name() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    let editor = editor(&world).await;
    editor.rename(ALICE, &Rename::to(rdn("alicia"))).await.unwrap();
    world.operations();
    assert_eq!(reason(&directories, "alice", "Red-Apple-11").await, Reason::UnknownUser);
    assert!(world.operations().iter().all(|(kind, _)| *kind == Kind::Search), "no bind was made");
    admitted(&directories, "alicia", "Red-Apple-11").await;
}

#[tokio::test]
async fn a_name_that_was_given_away_is_its_new_bearer_s() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    let editor = editor(&world).await;
    editor.rename(ALICE, &Rename::to(rdn("alicia"))).await.unwrap();
    editor.rename("uid=bob,ou=people,dc=example,dc=com", &Rename::to(rdn("alice"))).await.unwrap();
    world.operations();
    assert_eq!(reason(&directories, "alice", "Red-Apple-11").await, Reason::WrongPassword);
    let given = admitted(&directories, "alice", "Blue-Boat-22").await;
    assert_eq!(given.dn(), "uid=alice,ou=people,dc=example,dc=com");
}

#[tokio::test]
async fn another_entry_in_the_same_place_is_searched_for() {
    let (world, directories, _) = remembering().await;
    let before = admitted(&directories, "alice", "Red-Apple-11").await;
    let editor = editor(&world).await;
    editor.delete(ALICE).await.unwrap();
    let attributes = [
        ("objectClass", vec!["inetOrgPerson"]),
        ("uid", vec!["Alice"]),
        ("cn", vec!["Another Alice"]),
        ("sn", vec!["Archer"]),
        ("userPassword", vec!["Another-11"]),
    ];
    editor.add(ALICE, attributes).await.unwrap();
    world.operations();
    let after = admitted(&directories, "alice", "Another-11").await;
    assert_eq!(
        world.operations(),
        [did(Kind::Search, ALICE), did(Kind::Search, BASE), did(Kind::Bind, ALICE)]
    );
    assert_ne!(before.id(), after.id());
}

#[tokio::test]
async fn a_name_that_is_held_by_a_lesser_attribute_now_is_searched_for() {
    let one = "cn=one,ou=people,dc=example,dc=com";
    let people = format!(
        "{PEOPLE}\ndn: {one}\nobjectClass: inetOrgPerson\nuid: one\ncn: one\nsn: One\nuserPassword: Pass-1\n"
    );
    let world = World::with(&people).await;
    let directories = world.directories(|settings| {
        settings.cache.dn = AGE;
        settings.user.matches = vec!["uid".to_owned(), "cn".to_owned()];
    });
    admitted(&directories, "one", "Pass-1").await;
    let editor = editor(&world).await;
    editor.modify(one, vec![Change::replace("uid", ["uno"])]).await.unwrap();
    editor.rename("uid=bob,ou=people,dc=example,dc=com", &Rename::to(rdn("one"))).await.unwrap();
    let bearer = admitted(&directories, "one", "Blue-Boat-22").await;
    assert_eq!(bearer.dn(), "uid=one,ou=people,dc=example,dc=com");
}

#[tokio::test]
async fn whoever_the_search_would_no_longer_find_is_unknown() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.cache.dn = AGE;
        let filter = "(&(objectClass=inetOrgPerson)(givenName=Al))";
        settings.user.searches = vec![UserSearch::below(dn(BASE), filter).unwrap()];
    });
    admitted(&directories, "alice", "Red-Apple-11").await;
    editor(&world).await.modify(ALICE, vec![Change::delete("givenName", ["Al"])]).await.unwrap();
    assert_eq!(reason(&directories, "alice", "Red-Apple-11").await, Reason::UnknownUser);
}

#[tokio::test]
async fn a_second_bearer_of_the_name_is_noticed_when_the_age_has_passed() {
    let (world, directories, clock) = remembering().await;
    admitted(&directories, "bob", "Blue-Boat-22").await;
    let petra = "uid=petra,ou=partners,dc=example,dc=com";
    editor(&world).await.modify(petra, vec![Change::add("uid", ["bob"])]).await.unwrap();
    admitted(&directories, "bob", "Blue-Boat-22").await;
    clock.advance(AGE);
    assert_eq!(reason(&directories, "bob", "Blue-Boat-22").await, Reason::AmbiguousUser);
}

#[tokio::test]
async fn neither_an_outage_nor_nobody_is_remembered() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "bob", "Blue-Boat-22").await;
    world.directory.faults().next(Kind::Search, 2, Fault::unavailable());
    failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(reason(&directories, "newcomer", "New-Nest-99").await, Reason::UnknownUser);
    let attributes = [
        ("objectClass", vec!["inetOrgPerson"]),
        ("uid", vec!["newcomer"]),
        ("cn", vec!["New"]),
        ("sn", vec!["Comer"]),
        ("userPassword", vec!["New-Nest-99"]),
    ];
    editor(&world).await.add("uid=newcomer,ou=people,dc=example,dc=com", attributes).await.unwrap();
    admitted(&directories, "alice", "Red-Apple-11").await;
    admitted(&directories, "newcomer", "New-Nest-99").await;
}

#[tokio::test]
async fn a_remembered_name_is_not_forgotten_in_an_outage() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    world.directory.faults().next(Kind::Search, 4, Fault::Close);
    failed(&directories, "alice", "Red-Apple-11").await;
    world.directory.faults().clear();
    world.operations();
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(world.operations(), [did(Kind::Search, ALICE), did(Kind::Bind, ALICE)]);
}

#[tokio::test]
async fn whatever_else_the_server_says_to_the_read_the_searches_decide() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    world.operations();
    world.directory.faults().next(Kind::Search, 1, Fault::referral("ldap://elsewhere.example.com"));
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(
        world.operations(),
        [did(Kind::Search, ALICE), did(Kind::Search, BASE), did(Kind::Bind, ALICE)]
    );
}

#[tokio::test]
async fn a_remembered_name_survives_its_server() {
    let (first, second) = (World::people().await, World::people().await);
    let mut settings = openldap("main");
    settings.groups.kinds.clear();
    settings.cache.dn = AGE;
    let pool = client::Pool::lazy(options([first.url(), second.url()]));
    let directories = Directories::new(vec![(settings, pool)], clock()).unwrap();
    admitted(&directories, "alice", "Red-Apple-11").await;
    first.stop().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(second.operations(), [did(Kind::Search, ALICE), did(Kind::Bind, ALICE)]);
}

#[tokio::test]
async fn two_directories_that_know_the_same_name_remember_each_their_own() {
    let (one, other) = (World::people().await, World::with(&PEOPLE.replace("Red-Apple-11", "Rot-12")).await);
    let of = |name: &str, world: &World| {
        let mut settings = openldap(name);
        settings.domains = vec![name.to_owned()];
        settings.cache.dn = AGE;
        settings.cache.groups = AGE;
        (settings, world.pool())
    };
    let directories = Directories::new(vec![of("one", &one), of("other", &other)], clock()).unwrap();
    for _ in 0..2 {
        assert_eq!(admitted(&directories, "alice@one", "Red-Apple-11").await.directory(), "one");
        assert_eq!(admitted(&directories, "alice@other", "Rot-12").await.directory(), "other");
        assert_eq!(reason(&directories, "alice@other", "Red-Apple-11").await, Reason::WrongPassword);
    }
}

#[tokio::test]
async fn names_that_differ_by_a_blank_or_a_plus_do_not_mix() {
    let people = format!(
        "{PEOPLE}
dn: cn=one,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: a b
cn: one
sn: One
userPassword: Blank-1

dn: cn=two,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: a+b
cn: two
sn: Two
userPassword: Plus-2
"
    );
    let world = World::with(&people).await;
    let directories = world.directories(|settings| settings.cache.dn = AGE);
    for _ in 0..2 {
        assert_eq!(admitted(&directories, "a b", "Blank-1").await.username(), "a b");
        assert_eq!(admitted(&directories, "a+b", "Plus-2").await.username(), "a+b");
    }
}

#[tokio::test]
async fn other_settings_start_with_nothing() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    world.operations();
    let (reloaded, _) = world.told_the_time(|settings| {
        settings.groups.kinds.clear();
        settings.cache.dn = AGE;
    });
    admitted(&reloaded, "alice", "Red-Apple-11").await;
    assert_eq!(world.operations(), [did(Kind::Search, BASE), did(Kind::Bind, ALICE)]);
}

#[tokio::test]
async fn a_template_has_nothing_to_remember() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds.clear();
        settings.cache.dn = AGE;
        settings.user.template =
            Some(UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap());
    });
    let name = "uid=alice,ou=people,dc=example,dc=com";
    for _ in 0..2 {
        admitted(&directories, "alice", "Red-Apple-11").await;
        assert_eq!(world.operations(), [did(Kind::Bind, name), did(Kind::Search, name)]);
    }
}

#[tokio::test]
async fn twenty_logins_at_once_search_once_and_bind_twenty_times() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "bob", "Blue-Boat-22").await;
    world.operations();
    let traces: Vec<_> = (0..20).map(|_| Trace::new()).collect();
    let logins = traces.iter().map(|trace| decide(&directories, "alice", "Red-Apple-11", trace));
    for login in join_all(logins).await {
        assert!(matches!(login, Ok(Answer::Yes(_))), "{login:?}");
    }
    let operations = world.operations();
    let count = |wanted| operations.iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!((count(Kind::Search), count(Kind::Bind)), (1, 20));
    let shared = |trace: &&Trace| trace.steps().iter().any(|step| step.result.starts_with("shared"));
    assert_eq!(traces.iter().filter(shared).count(), 19);
}

#[tokio::test]
async fn a_look_up_without_a_password_reads_the_remembered_entry_anew() {
    let (world, directories, _) = remembering().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
    editor(&world).await.modify(ALICE, vec![Change::replace("cn", ["Alice Archer"])]).await.unwrap();
    let Answer::Yes(alice) = described(&directories, "alice").await else { panic!("alice is there") };
    assert_eq!(common_names(&alice), [b"Alice Archer"]);
}
