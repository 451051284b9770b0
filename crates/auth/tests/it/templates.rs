//! Logins without a search: a name or a bind name made from what was typed.

use ldapgate_auth::{Answer, Fault, Fold, Reason, Settings, Silent, UserTemplate, Username, Vendor};

use crate::world::{World, admitted, described, failed, names, reason, refused};

const TEMPLATE: &str = "uid={username},ou=people,dc=example,dc=com";

fn with(template: &'static str) -> impl FnOnce(&mut Settings) {
    move |settings| settings.user.template = Some(UserTemplate::parse(template).expect("a good template"))
}

#[tokio::test]
async fn a_template_binds_first_and_reads_afterwards() {
    let world = World::people().await;
    let directories = world.directories(with(TEMPLATE));
    let person = admitted(&directories, " ALICE ", "Red-Apple-11").await;
    assert_eq!((person.username(), person.id()), ("alice", "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa"));
    assert_eq!(names(&person), ["admins", "far", "staff"]);
}

#[tokio::test]
async fn a_template_does_not_tell_an_unknown_name_from_a_wrong_password_more_than_the_server_does() {
    let world = World::people().await;
    let directories = world.directories(with(TEMPLATE));
    let denial = refused(&directories, "alice", "wrong").await;
    assert_eq!((denial.reason(), denial.bound(), denial.proved()), (Reason::WrongPassword, true, false));
    let unknown = refused(&directories, "nobody", "x").await;
    assert_eq!((unknown.bound(), unknown.proved()), (true, false));
    assert_eq!(unknown.public_message(true), denial.public_message(true));
}

#[tokio::test]
async fn a_name_cannot_leave_its_place_in_the_template() {
    let world = World::people().await;
    let directories = world.directories(with(TEMPLATE));
    for name in
        ["twin,ou=partners", "petra,ou=partners,dc=example,dc=com", "alice+cn=Alice", "alice,ou=people"]
    {
        let denial = refused(&directories, name, "Pine-Park-14").await;
        assert!(!denial.proved(), "{name}");
    }
    let username = Username::parse("petra,ou=partners", Fold::Lower).unwrap();
    let Ok(Answer::Yes(located)) = directories.locate(&username, &Silent).await else {
        panic!("a template knows all")
    };
    assert_eq!(crate::world::dn(located.dn()).rdns().len(), 4);
    assert!(!located.was_searched());
}

#[tokio::test]
async fn the_key_of_a_template_folds_what_servers_fold() {
    let world = World::people().await;
    let directories = world.directories(with(TEMPLATE));
    for name in ["we  ird", "WE ird", " we \u{a0} ird "] {
        let username = Username::parse(name, Fold::Keep).unwrap();
        let Ok(Answer::Yes(located)) = directories.locate(&username, &Silent).await else { panic!("{name}") };
        assert_eq!(located.key(), "we ird");
    }
}

#[tokio::test]
async fn the_state_of_who_was_not_searched_is_judged_too() {
    let world = World::people().await;
    let directories = world.directories(with(TEMPLATE));
    assert_eq!(reason(&directories, "mustchange", "Must-Mango-19").await, Reason::PasswordMustChange);
    assert_eq!(reason(&directories, "disabled", "Dis-Dog-20").await, Reason::AccountDisabled);
}

#[tokio::test]
async fn a_name_without_an_entry_may_bind_but_not_enter() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        with("cn={username},dc=example,dc=com")(settings);
        settings.user.id_attribute = "entryUUID".to_owned();
    });
    // The reader has an entry, but no uid: nobody knows who that is.
    let error = failed(&directories, "reader", "Reader-Pass-1").await;
    assert_eq!((error.fault(), error.bound(), error.proved()), (Fault::Configuration, true, true));
}

#[tokio::test]
async fn who_reads_for_themselves_may_be_searched_for_after_the_bind() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        with(TEMPLATE)(settings);
        settings.user.bind_as_user = true;
        settings.user.refresh_dn_after_bind = true;
    });
    let person = admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(person.dn(), "uid=Alice,ou=people,dc=example,dc=com");
    assert_eq!(reason(&directories, "twin", "Twin-Inside-12").await, Reason::AmbiguousUser);
}

#[tokio::test]
async fn a_look_up_by_template_needs_no_password() {
    let world = World::people().await;
    let directories = world.directories(with(TEMPLATE));
    let Answer::Yes(person) = described(&directories, "alice").await else { panic!("alice is there") };
    assert_eq!(person.dn(), "uid=Alice,ou=people,dc=example,dc=com");
    let Answer::No(denial) = described(&directories, "nobody").await else { panic!("nobody is not there") };
    assert_eq!((denial.reason(), denial.bound()), (Reason::UnknownUser, false));
}

#[tokio::test]
async fn a_bind_name_takes_plain_names_only() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.vendor = Vendor::ActiveDirectory;
        with("{username}@example.com")(settings);
    });
    for name in ["a@b", "al ice", "alice*", "álice"] {
        let denial = refused(&directories, name, "x").await;
        assert_eq!((denial.reason(), denial.bound()), (Reason::BadUsername, false), "{name}");
    }
    assert_eq!(world.operations(), []);
}
