//! Every reason that a directory can give.

use directory::{Fault, Kind};
use ldapgate_auth::{Fault as Whose, Reason, Rule, Vendor, Warning};
use proto::{LdapResult, ResultCode};

use crate::world::{World, admitted, failed, in_group, reason, refused};

#[tokio::test]
async fn a_right_password_admits_and_tells_who_it_is() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.fields = [("first_name", "givenName"), ("email", "mail"), ("none", "title")]
            .map(|(field, attribute)| (field.to_owned(), attribute.to_owned()))
            .into();
        settings.lists = [("phones".to_owned(), "telephoneNumber".to_owned())].into();
        settings.flags = [("is_admin", "admins"), ("is_carol", "level1")]
            .map(|(flag, group)| (flag.to_owned(), in_group(group)))
            .into();
    });
    let person = admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((person.username(), person.directory()), ("alice", "main"));
    assert_eq!(person.id(), "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa");
    assert_eq!(person.dn(), "uid=Alice,ou=people,dc=example,dc=com");
    let fields: Vec<_> =
        person.fields().iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("email", "alice@example.com"), ("first_name", "Alice")]);
    assert_eq!(person.lists()["phones"], ["1000", "1001"]);
    assert_eq!(
        person.flags().iter().map(|(flag, on)| (flag.as_str(), *on)).collect::<Vec<_>>(),
        [("is_admin", true), ("is_carol", false)]
    );
    assert!(person.attributes().all(|(name, _)| !name.eq_ignore_ascii_case("userPassword")));
}

#[tokio::test]
async fn a_wrong_password_is_an_answer() {
    let world = World::people().await;
    let denial = refused(&world.directories(|_| ()), "alice", "wrong").await;
    assert_eq!((denial.reason(), denial.bound(), denial.proved()), (Reason::WrongPassword, true, false));
}

#[tokio::test]
async fn an_unknown_name_is_an_answer_without_a_bind() {
    let world = World::people().await;
    let denial = refused(&world.directories(|_| ()), "nobody", "x").await;
    assert_eq!((denial.reason(), denial.bound()), (Reason::UnknownUser, false));
}

#[tokio::test]
async fn an_empty_password_or_name_meets_no_directory() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    assert_eq!(reason(&directories, "alice", "").await, Reason::EmptyPassword);
    assert_eq!(reason(&directories, "alice", "\0").await, Reason::EmptyPassword);
    assert_eq!(reason(&directories, " ", "x").await, Reason::BadUsername);
    assert_eq!(reason(&directories, "al\0ice", "x").await, Reason::BadUsername);
    assert_eq!(world.directory.counters().connections, 0);
}

#[tokio::test]
async fn a_name_that_two_entries_have_is_ambiguous_whatever_the_password() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    for password in ["Twin-Inside-12", "Twin-Outside-13", "wrong"] {
        let denial = refused(&directories, "twin", password).await;
        assert_eq!((denial.reason(), denial.bound()), (Reason::AmbiguousUser, false));
    }
}

#[tokio::test]
async fn the_account_s_state_is_known_after_the_right_password_only() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    for (name, password, state, proved) in [
        ("locked", "Lock-Ledger-18", Reason::AccountLocked, false),
        ("mustchange", "Must-Mango-19", Reason::PasswordMustChange, true),
        ("disabled", "Dis-Dog-20", Reason::AccountDisabled, true),
        ("expired", "Ex-Egg-21", Reason::AccountExpired, true),
    ] {
        let denial = refused(&directories, name, password).await;
        assert_eq!((denial.reason(), denial.proved(), denial.bound()), (state, proved, true), "{name}");
        assert_eq!(reason(&directories, name, "wrong").await, Reason::WrongPassword, "{name}");
    }
}

#[tokio::test]
async fn a_password_older_than_its_shadow_allows_is_expired() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.vendor = Vendor::Rfc2307;
    });
    let denial = refused(&directories, "oldpassword", "Old-Owl-22").await;
    assert_eq!((denial.reason(), denial.proved()), (Reason::PasswordExpired, true));
}

#[tokio::test]
async fn deny_wins_over_require() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.require = Some(in_group("staff"));
        settings.deny = Some(in_group("admins"));
    });
    let denial = refused(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((denial.reason(), denial.proved(), denial.bound()), (Reason::InDeniedGroup, true, true));
    assert_eq!(refused(&directories, "carol", "Green-Garden-33").await.reason(), Reason::NotInRequiredGroup);
    admitted(&directories, "bob", "Blue-Boat-22").await;
}

#[tokio::test]
async fn a_negation_holds_for_who_is_not_in_the_group() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.require = Some(Rule::All(vec![in_group("staff"), Rule::Not(Box::new(in_group("admins")))]));
    });
    assert_eq!(reason(&directories, "alice", "Red-Apple-11").await, Reason::NotInRequiredGroup);
    admitted(&directories, "bob", "Blue-Boat-22").await;
}

#[tokio::test]
async fn a_referral_is_neither_success_nor_a_wrong_password() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    admitted(&directories, "bob", "Blue-Boat-22").await;
    world.directory.faults().next(Kind::Bind, 1, Fault::referral("ldap://elsewhere.example.com"));
    let error = failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(error.fault(), Whose::Directory);
    assert!(error.bound() && error.to_string().contains("referral"));
}

#[tokio::test]
async fn a_server_that_will_not_take_the_password_in_clear_is_the_configuration_s_fault() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    admitted(&directories, "bob", "Blue-Boat-22").await;
    let answer = LdapResult::new(ResultCode::CONFIDENTIALITY_REQUIRED, "TLS first");
    world.directory.faults().next(Kind::Bind, 1, Fault::Answer(answer));
    let error = failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.bound()), (Whose::Configuration, true));
}

#[tokio::test]
async fn a_refused_service_account_is_the_configuration_s_fault() {
    let world = World::people().await;
    world
        .directory
        .faults()
        .always(Kind::Bind, Fault::Answer(LdapResult::new(ResultCode::INVALID_CREDENTIALS, "")));
    let error = failed(&world.directories(|_| ()), "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.bound()), (Whose::Configuration, false));
    assert!(error.causes()[0].contains("service account"), "{:?}", error.causes());
}

#[tokio::test]
async fn a_base_that_is_not_there_is_the_configuration_s_fault() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.user.searches[0].base = crate::world::dn("ou=nowhere,dc=example,dc=com");
    });
    assert_eq!(failed(&directories, "alice", "Red-Apple-11").await.fault(), Whose::Configuration);
}

#[tokio::test]
async fn who_may_not_read_the_id_cannot_be_let_in_without_one() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.user.id_attribute = "employeeNumber".to_owned());
    let error = failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.bound()), (Whose::Configuration, false));
    assert!(error.to_string().contains("employeeNumber"));
}

#[tokio::test]
async fn a_name_with_two_values_is_an_error_before_any_bind() {
    let world = World::people().await;
    let error = failed(&world.directories(|_| ()), "double", "Double-Door-15").await;
    assert_eq!((error.fault(), error.bound()), (Whose::Directory, false));
    assert!(error.to_string().contains("has 2 values"));
}

#[tokio::test]
async fn who_enters_without_trouble_is_warned_of_nothing() {
    let world = World::people().await;
    let person = admitted(&world.directories(|_| ()), "bob", "Blue-Boat-22").await;
    assert_eq!(person.warnings(), [] as [Warning; 0]);
    assert!(person.hindrance().is_none());
}

#[tokio::test]
async fn a_login_may_run_in_a_task_of_its_own() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    let login = tokio::spawn(async move { admitted(&directories, "bob", "Blue-Boat-22").await });
    assert_eq!(login.await.expect("it does not panic").username(), "bob");
}
