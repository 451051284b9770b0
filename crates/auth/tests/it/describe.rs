//! Look-ups without a password: facts without a proof.

use ldapgate_auth::{Answer, Reason, Silent, Verdict};

use crate::world::{World, described, in_group, names};

#[tokio::test]
async fn a_look_up_finds_facts_and_proves_nothing() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.require = Some(in_group("staff")));
    let Answer::Yes(person) = described(&directories, "ALICE").await else { panic!("alice is there") };
    assert_eq!(person.username(), "alice");
    assert_eq!(names(&person), ["admins", "far", "staff"]);
    assert!(matches!(directories.judge(&person, &Silent), Verdict::Admitted));
    let binds = world.directory.operations().into_iter().filter(|o| o.kind == directory::Kind::Bind);
    assert!(binds.map(|o| o.dn).all(|dn| dn == crate::world::READER));
}

#[tokio::test]
async fn a_refusal_after_a_look_up_claims_no_proof() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.deny = Some(in_group("staff")));
    let Answer::Yes(person) = described(&directories, "alice").await else { panic!("alice is there") };
    let Verdict::Refused(denial) = directories.judge(&person, &Silent) else { panic!("she is denied") };
    assert_eq!((denial.reason(), denial.proved(), denial.bound()), (Reason::InDeniedGroup, false, false));
}

#[tokio::test]
async fn an_account_that_has_ended_is_refused_by_its_attributes() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.vendor = ldapgate_auth::Vendor::Rfc2307bis);
    for (name, reason) in [("disabled", Reason::AccountDisabled), ("expired", Reason::AccountExpired)] {
        let Answer::No(denial) = described(&directories, name).await else { panic!("{name} has ended") };
        assert_eq!((denial.reason(), denial.bound(), denial.proved()), (reason, false, false));
    }
}

#[tokio::test]
async fn a_lock_or_the_password_s_age_is_a_hindrance_and_no_end() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.vendor = ldapgate_auth::Vendor::Rfc2307);
    for (name, reason) in [
        ("locked", Reason::AccountLocked),
        ("mustchange", Reason::PasswordMustChange),
        ("oldpassword", Reason::PasswordExpired),
    ] {
        let Answer::Yes(person) = described(&directories, name).await else {
            panic!("{name} is still there")
        };
        assert_eq!(person.hindrance().map(|denial| denial.reason()), Some(reason));
    }
}

#[tokio::test]
async fn unknown_and_ambiguous_names_are_refused() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    for (name, reason) in [("nobody", Reason::UnknownUser), ("twin", Reason::AmbiguousUser)] {
        let Answer::No(denial) = described(&directories, name).await else {
            panic!("{name} is not one person")
        };
        assert_eq!(denial.reason(), reason);
    }
}
