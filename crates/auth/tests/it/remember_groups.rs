//! Remembered groups: a login asks for them once in a while, and what it may be wrong about meanwhile.

use std::time::Duration;

use client::Connection;
use directory::{Fault, Kind};
use futures_util::future::join_all;
use ldapgate_auth::{Answer, GroupKind, Reason, Settings, Silent, Trace};
use proto::{Change, LdapResult, ResultCode};

use crate::world::{World, admitted, decide, described, in_group, names, options, reason};

const AGE: Duration = Duration::from_secs(300);
const CAROL: &str = "uid=carol,ou=people,dc=example,dc=com";
const STAFF: &str = "cn=staff,ou=groups,dc=example,dc=com";

fn remembered(settings: &mut Settings) {
    settings.cache.groups = AGE;
}

async fn editor(world: &World) -> Connection {
    Connection::open(&options([world.url()])).await.expect("the directory answers")
}

fn searches(world: &World) -> usize {
    world.operations().iter().filter(|(kind, _)| *kind == Kind::Search).count()
}

#[tokio::test]
async fn remembered_groups_cost_nothing_however_deep_they_are() {
    let world = World::people().await;
    let (directories, clock) = world.told_the_time(|settings| {
        remembered(settings);
        settings.groups.nested = true;
    });
    let first = admitted(&directories, "carol", "Green-Garden-33").await;
    assert!(searches(&world) > 3);
    let second = admitted(&directories, "carol", "Green-Garden-33").await;
    assert_eq!(searches(&world), 1, "the one for her name");
    assert_eq!(names(&first), names(&second));
    clock.advance(AGE);
    admitted(&directories, "carol", "Green-Garden-33").await;
    assert!(searches(&world) > 3);
}

#[tokio::test]
async fn with_both_remembered_a_login_is_a_read_and_a_bind() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.cache.dn = AGE;
        settings.cache.groups = AGE;
        settings.groups.nested = true;
    });
    admitted(&directories, "carol", "Green-Garden-33").await;
    world.operations();
    admitted(&directories, "carol", "Green-Garden-33").await;
    assert_eq!(world.operations(), [(Kind::Search, CAROL.to_owned()), (Kind::Bind, CAROL.to_owned())]);
}

#[tokio::test]
async fn who_was_taken_into_a_refused_group_is_refused_when_the_age_has_passed() {
    let world = World::people().await;
    let (directories, clock) = world.told_the_time(|settings| {
        remembered(settings);
        settings.deny = Some(in_group("staff"));
    });
    admitted(&directories, "carol", "Green-Garden-33").await;
    editor(&world).await.modify(STAFF, vec![Change::add("member", [CAROL])]).await.unwrap();
    admitted(&directories, "carol", "Green-Garden-33").await;
    clock.advance(AGE);
    assert_eq!(reason(&directories, "carol", "Green-Garden-33").await, Reason::InDeniedGroup);
}

#[tokio::test]
async fn a_look_up_without_a_password_asks_and_logins_know_what_it_found() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        remembered(settings);
        settings.deny = Some(in_group("staff"));
    });
    admitted(&directories, "carol", "Green-Garden-33").await;
    editor(&world).await.modify(STAFF, vec![Change::add("member", [CAROL])]).await.unwrap();
    let Answer::Yes(carol) = described(&directories, "carol").await else { panic!("carol is there") };
    assert_eq!(names(&carol), ["level1", "staff"]);
    world.operations();
    assert_eq!(reason(&directories, "carol", "Green-Garden-33").await, Reason::InDeniedGroup);
    assert_eq!(searches(&world), 1);
}

#[tokio::test]
async fn what_the_entry_itself_says_counts_at_once() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        remembered(settings);
        settings.groups.kinds = vec![GroupKind::Posix];
        settings.deny = Some(in_group("primary"));
    });
    let bob = "uid=bob,ou=people,dc=example,dc=com";
    admitted(&directories, "bob", "Blue-Boat-22").await;
    editor(&world).await.modify(bob, vec![Change::add("gidNumber", ["20001"])]).await.unwrap();
    assert_eq!(reason(&directories, "bob", "Blue-Boat-22").await, Reason::InDeniedGroup);
}

#[tokio::test]
async fn neither_an_outage_nor_half_a_list_is_remembered() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.cache.dn = AGE;
        settings.cache.groups = AGE;
    });
    let cut = LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, "");
    for (trouble, times, whole) in [(Fault::unavailable(), 1, None), (Fault::Answer(cut), 2, Some(false))] {
        let typed = ldapgate_auth::Credentials::parse("alice", "Red-Apple-11".to_owned(), Default::default())
            .unwrap();
        let Answer::Yes(located) = directories.locate(&typed.username, &Silent).await.unwrap() else {
            panic!("alice is there")
        };
        let Answer::Yes(proof) = located.prove(&typed.password, &Silent).await.unwrap() else {
            panic!("the password is right")
        };
        world.directory.faults().next(Kind::Search, times, trouble);
        let person = proof.person(&Silent).await;
        assert_eq!(person.ok().map(|person| person.groups_complete()), whole);
    }
    assert_eq!(names(&admitted(&directories, "alice", "Red-Apple-11").await), ["admins", "far", "staff"]);
}

#[tokio::test]
async fn what_a_person_sees_is_not_what_the_service_account_sees() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        remembered(settings);
        settings.user.bind_as_user = true;
    });
    let Answer::Yes(_) = described(&directories, "alice").await else { panic!("alice is there") };
    world.operations();
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(searches(&world), 3, "her name, her entry and, with her own eyes, her groups");
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(searches(&world), 2);
}

#[tokio::test]
async fn twenty_logins_at_once_ask_for_the_groups_once() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.cache.dn = AGE;
        settings.cache.groups = AGE;
    });
    admitted(&directories, "bob", "Blue-Boat-22").await;
    world.operations();
    let logins = (0..20).map(|_| decide(&directories, "alice", "Red-Apple-11", &Silent));
    for login in join_all(logins).await {
        let Ok(Answer::Yes(alice)) = login else { panic!("{login:?}") };
        assert_eq!(names(&alice), ["admins", "far", "staff"]);
    }
    let all = world.operations();
    let asked = all.iter().filter(|(kind, dn)| *kind == Kind::Search && dn == "dc=example,dc=com").count();
    assert_eq!(asked, 2, "her name and her groups: {all:?}");
}

#[tokio::test]
async fn a_trace_says_that_groups_were_remembered() {
    let world = World::people().await;
    let directories = world.directories(remembered);
    admitted(&directories, "bob", "Blue-Boat-22").await;
    let trace = Trace::new();
    decide(&directories, "bob", "Blue-Boat-22", &trace).await.unwrap();
    let steps = trace.steps();
    let groups: Vec<_> = steps.iter().filter(|step| step.step == "groups").collect();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].result, format!("remembered: {STAFF}"));
    assert_eq!(groups[0].server, None);
}
