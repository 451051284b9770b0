//! The preset of Active Directory against entries and answers as Active Directory makes them.

use ldapgate_auth::{Answer, Directories, GroupKind, Reason, Settings, UserTemplate, Vendor};

use crate::world::{World, admitted, clock, described, dn, names, reason, refused};

async fn world() -> World {
    let reader =
        "dn: cn=reader,dc=example,dc=com\nobjectClass: user\ncn: reader\nuserPassword: Reader-Pass-1\n\n";
    World::with(&format!("{reader}{}", include_str!("active_directory.ldif"))).await
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
