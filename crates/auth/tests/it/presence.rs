//! When somebody counts as gone, and when a search that finds nothing means nothing.

use directory::{Fault, Kind};
use ldapgate_auth::{Answer, Directories, Fault as Whose, Presence, Silent, Trace, UserSearch, Vendor};

use proto::{LdapResult, ResultCode};

use crate::world::{PEOPLE, World, clock, described, dn, openldap};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

async fn id(directories: &Directories, name: &str) -> String {
    match described(directories, name).await {
        Answer::Yes(person) => person.id().to_owned(),
        Answer::No(denial) => panic!("{name}: {denial}"),
    }
}

#[tokio::test]
async fn who_is_there_is_found_under_whatever_name() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    let alice = id(&directories, "alice").await;
    let presence = directories.presence("main", &alice.to_uppercase(), &[], &Silent).await.unwrap();
    assert_eq!(presence, Presence::There(dn("uid=alice,ou=people,dc=example,dc=com")));
    let holder = directories.holder("main", &alice, &Silent).await.unwrap().expect("somebody has the key");
    assert_eq!((holder.id, holder.dn), (alice, dn("uid=alice,ou=people,dc=example,dc=com")));
}

#[tokio::test]
async fn who_is_missed_twice_while_the_others_are_found_is_gone() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    let bob = id(&directories, "bob").await;
    world.operations();
    let trace = Trace::new();
    let presence = directories.presence("main", NOBODY, &[&bob], &trace).await.unwrap();
    assert_eq!(presence, Presence::Gone);
    let asked = world.operations();
    assert_eq!(asked.len(), 4, "a miss, the base, the other one, a second miss: {asked:?}");
    let steps: Vec<_> = trace.steps().iter().map(|step| step.step).collect();
    assert_eq!(steps, ["presence", "read", "presence", "presence", "presence"]);
    assert_eq!(directories.holder("main", NOBODY, &Silent).await.unwrap(), None);
}

#[tokio::test]
async fn nobody_is_gone_while_somebody_else_is_missed_too() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    let other = NOBODY.replace("-4000-", "-4001-");
    let presence = directories.presence("main", NOBODY, &[&other], &Silent).await.unwrap();
    assert!(matches!(&presence, Presence::Unclear(why) if why.contains(&other)), "{presence}");
}

#[tokio::test]
async fn a_filter_that_leaves_somebody_out_does_not_make_them_gone() {
    let world = World::people().await;
    let alice = id(&world.directories(|_| ()), "alice").await;
    let elsewhere = world.directories(|settings| {
        let below = dn("ou=people,dc=example,dc=com");
        settings.user.searches = vec![UserSearch::below(below, "(objectClass=account)").unwrap()];
    });
    let presence = elsewhere.presence("main", &alice, &[], &Silent).await.unwrap();
    assert!(matches!(presence, Presence::There(_)), "{presence}");
}

#[tokio::test]
async fn a_base_that_is_not_there_an_outage_and_a_list_cut_short_are_errors() {
    let world = World::people().await;
    let moved = world.directories(|settings| {
        settings.user.searches[0].base = dn("ou=moved,dc=example,dc=com");
    });
    let error = moved.presence("main", NOBODY, &[], &Silent).await.unwrap_err();
    assert_eq!(error.fault(), Whose::Configuration);

    let directories = world.directories(|_| ());
    let bob = id(&directories, "bob").await;
    world.directory.faults().next(Kind::Search, 1, Fault::unavailable());
    let error = directories.presence("main", NOBODY, &[&bob], &Silent).await.unwrap_err();
    assert_eq!(error.fault(), Whose::Directory);

    world.directory.faults().next(
        Kind::Search,
        1,
        Fault::Answer(LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, "")),
    );
    let error = directories.presence("main", NOBODY, &[], &Silent).await.unwrap_err();
    assert!(error.to_string().contains("cut short"), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_not_configured_says_nothing() {
    let world = World::people().await;
    let error = world.directories(|_| ()).presence("other", NOBODY, &[], &Silent).await.unwrap_err();
    assert_eq!(error.fault(), Whose::Configuration);
}

#[tokio::test]
async fn active_directory_s_key_is_asked_for_in_its_own_byte_order() {
    let text = "dn: cn=Ada,dc=example,dc=com\nobjectClass: user\nobjectCategory: person\nsAMAccountName: ada\n\
                objectGUID:: AAECAwQFBgcICQoLDA0ODw==\n";
    let world = World::with(&format!("{PEOPLE}\n{text}")).await;
    let mut settings = openldap("main");
    settings.vendor = Vendor::ActiveDirectory;
    settings.user.id_attribute = "objectGUID".to_owned();
    let directories = Directories::new(vec![(settings, world.pool())], clock()).unwrap();
    let id = "03020100-0504-0706-0809-0a0b0c0d0e0f";
    let presence = directories.presence("main", id, &[], &Silent).await.unwrap();
    assert_eq!(presence, Presence::There(dn("cn=Ada,dc=example,dc=com")));
    let error = directories.presence("main", "ada", &[], &Silent).await.unwrap_err();
    assert_eq!(error.to_string(), "\"ada\" is no objectGUID");
}
