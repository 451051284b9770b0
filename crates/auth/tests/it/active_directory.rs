//! The preset of Active Directory against entries and answers as Active Directory makes them.

use std::time::Duration;

use directory::{Fault, Kind};
use ldapgate_auth::{
    Answer, Directories, Error, GroupKind, Proven, Reason, Settings, Silent, UserTemplate, Vendor,
};
use proto::LdapResult;

use crate::world::{World, admitted, clock, decide, described, dn, names, reason, refused};

async fn world() -> World {
    with_reader(include_str!("active_directory.ldif")).await
}

async fn with_reader(ldif: &str) -> World {
    let reader =
        "dn: cn=reader,dc=example,dc=com\nobjectClass: user\ncn: reader\nuserPassword: Reader-Pass-1\n\n";
    World::with(&format!("{reader}{ldif}")).await
}

fn directories(world: &World, change: impl FnOnce(&mut Settings)) -> Directories {
    let mut settings = Settings::preset("corp", Vendor::ActiveDirectory, dn("dc=corp,dc=example,dc=com"));
    settings.domains = vec!["CORP".to_owned(), "corp.example.com".to_owned()];
    change(&mut settings);
    Directories::new(vec![(settings, world.pool())], clock()).expect("good settings")
}

#[tokio::test]
async fn every_form_of_a_name_finds_the_person() {
    let world = world().await;
    let directories = directories(&world, |_| ());
    for name in ["ada", "CORP\\Ada", "ada@corp.example.com", "ADA.ADMIN@example.com"] {
        let person = admitted(&directories, name, "Ada-Apple-1").await;
        assert_eq!(
            (person.username(), person.id()),
            ("ada", "03020100-0504-0706-0809-0a0b0c0d0e0f"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn groups_are_those_of_member_of_the_primary_one_and_those_above() {
    let world = world().await;
    let nested = admitted(&directories(&world, |_| ()), "ada", "Ada-Apple-1").await;
    assert_eq!(names(&nested), ["Admins", "Domain Users", "Everything"]);
    let flat = directories(&world, |settings| settings.groups.nested = false);
    assert_eq!(names(&admitted(&flat, "ada", "Ada-Apple-1").await), ["Admins", "Domain Users"]);
    let plain = directories(&world, |settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
        settings.groups.nested = false;
    });
    assert_eq!(names(&admitted(&plain, "ada", "Ada-Apple-1").await), ["Admins"]);
}

#[tokio::test]
async fn the_sub_codes_of_a_bind_are_causes() {
    let world = world().await;
    // These people have no objectGUID of their own in the file.
    let directories = directories(&world, |settings| settings.user.id_attribute = "entryUUID".to_owned());
    for (name, password, cause, proved) in [
        ("off", "Off-Owl-2", Reason::AccountDisabled, true),
        ("over", "Over-Oak-3", Reason::AccountExpired, true),
        ("mustchange", "Must-Mango-4", Reason::PasswordMustChange, true),
        ("old", "Old-Oar-5", Reason::PasswordExpired, true),
        ("locked", "Lock-Lamp-6", Reason::AccountLocked, false),
    ] {
        let denial = refused(&directories, name, password).await;
        assert_eq!((denial.reason(), denial.proved()), (cause, proved), "{name}");
        assert_eq!(reason(&directories, name, "wrong").await, Reason::WrongPassword, "{name}");
    }
}

#[tokio::test]
async fn a_look_up_judges_by_the_attributes() {
    let world = world().await;
    let directories = directories(&world, |settings| settings.user.id_attribute = "entryUUID".to_owned());
    for (name, cause) in [("off", Reason::AccountDisabled), ("over", Reason::AccountExpired)] {
        let Answer::No(denial) = described(&directories, name).await else { panic!("{name} has ended") };
        assert_eq!(denial.reason(), cause);
    }
    for (name, cause) in [("mustchange", Reason::PasswordMustChange), ("locked", Reason::AccountLocked)] {
        let Answer::Yes(person) = described(&directories, name).await else {
            panic!("{name} is still there")
        };
        assert_eq!(person.hindrance().map(|denial| denial.reason()), Some(cause));
    }
}

#[tokio::test]
async fn a_look_up_by_bind_name_finds_the_one_entry_that_carries_it() {
    let world = world().await;
    let directories = directories(&world, |settings| {
        settings.user.template = Some(UserTemplate::parse("{username}@corp.example.com").unwrap());
    });
    let Answer::Yes(person) = described(&directories, "CORP\\ada").await else { panic!("ada is there") };
    assert_eq!(person.username(), "ada");
}

/// Opens the connections, so that the next bind is the person's.
async fn warm(directories: &Directories, world: &World) {
    assert!(directories.health(Duration::from_secs(5)).await[0].1.is_ok());
    world.operations();
}

/// The in-memory directory knows no bind names; it is told to accept the next one.
async fn by_bind_name(world: &World, change: impl FnOnce(&mut Settings)) -> Result<Answer<Proven>, Error> {
    let directories = directories(world, |settings| {
        settings.user.template =
            Some(UserTemplate::parse("{username}@corp.example.com").expect("a good template"));
        change(settings);
    });
    warm(&directories, world).await;
    world.directory.faults().next(Kind::Bind, 1, Fault::Answer(LdapResult::success()));
    decide(&directories, "CORP\\ada", "Ada-Apple-1", &Silent).await
}

#[tokio::test]
async fn a_bind_name_costs_the_bind_and_the_search_for_who_carries_it() {
    let world = world().await;
    for refresh in [false, true] {
        let answer = by_bind_name(&world, |settings| {
            settings.groups.kinds.clear();
            settings.user.bind_as_user = refresh;
            settings.user.refresh_dn_after_bind = refresh;
        });
        assert!(matches!(answer.await, Ok(Answer::Yes(_))), "ada is there");
        let costs = [
            (Kind::Bind, "ada@corp.example.com".to_owned()),
            (Kind::Search, "dc=corp,dc=example,dc=com".to_owned()),
        ];
        assert_eq!(world.operations(), costs, "refresh_dn_after_bind = {refresh}");
    }
}

#[tokio::test]
async fn after_a_bind_by_name_exactly_one_entry_carries_it() {
    let found = world().await;
    let Ok(Answer::Yes(person)) = by_bind_name(&found, |_| ()).await else { panic!("ada is there") };
    assert_eq!(person.username(), "ada");

    let ldif = include_str!("active_directory.ldif");
    let twice = with_reader(&ldif.replace("off@corp.example.com", "ADA@corp.example.com")).await;
    let Ok(Answer::No(denial)) = by_bind_name(&twice, |_| ()).await else {
        panic!("two entries carry the name")
    };
    assert_eq!((denial.reason(), denial.proved()), (Reason::AmbiguousUser, true));
}

#[tokio::test]
async fn a_bind_name_that_no_entry_carries_lets_nobody_in() {
    let ldif =
        include_str!("active_directory.ldif").replace("ada@corp.example.com", "ada@elsewhere.example.com");
    let world = with_reader(&ldif).await;
    let directories = directories(&world, |settings| {
        settings.user.template =
            Some(UserTemplate::parse("{username}@corp.example.com").expect("a good template"));
    });
    let Answer::No(denial) = described(&directories, "ada").await else { panic!("nobody carries the name") };
    assert_eq!((denial.reason(), denial.bound()), (Reason::UnknownUser, false));
    warm(&directories, &world).await;
    world.directory.faults().next(Kind::Bind, 1, Fault::Answer(LdapResult::success()));
    let denial = refused(&directories, "CORP\\ada", "Ada-Apple-1").await;
    assert_eq!((denial.reason(), denial.proved()), (Reason::UnknownUser, true));
}

#[tokio::test]
async fn a_search_after_the_bind_has_to_find_whose_name_was_bound() {
    let world = world().await;
    let refresh = |settings: &mut Settings| {
        settings.user.bind_as_user = true;
        settings.user.refresh_dn_after_bind = true;
    };
    // The server took the bind, but this connection is nobody's: reading works all the same.
    let Ok(Answer::Yes(person)) = by_bind_name(&world, refresh).await else { panic!("ada is there") };
    assert_eq!(person.username(), "ada");
    let elsewhere =
        include_str!("active_directory.ldif").replace("ada@corp.example.com", "ada@elsewhere.example.com");
    let error = by_bind_name(&with_reader(&elsewhere).await, refresh).await.expect_err("another name");
    assert!(error.to_string().contains("another userPrincipalName") && error.proved());
}
