//! Several directories: who is asked, in which order, and what an outage means.

use std::time::Duration;

use ldapgate_auth::{Directories, Fault, Reason, Rule, Settings, UserTemplate, Vendor};

use crate::world::{World, admitted, clock, dn, failed, openldap, reason, refused};

const PARTNERS: &str = "dn: dc=partner,dc=org\nobjectClass: domain\ndc: partner\n\n\
    dn: cn=reader,dc=example,dc=com\nobjectClass: applicationProcess\ncn: reader\nuserPassword: Reader-Pass-1\n\n\
    dn: uid=alice,ou=people,dc=partner,dc=org\nobjectClass: inetOrgPerson\nuid: alice\ncn: Another Alice\nsn: A\n\
    userPassword: Other-Alice-1\n\n\
    dn: uid=paul,ou=people,dc=partner,dc=org\nobjectClass: inetOrgPerson\nuid: paul\ncn: Paul\nsn: P\n\
    userPassword: Paul-Pear-2\n\n\
    dn: cn=staff,ou=groups,dc=partner,dc=org\nobjectClass: groupOfNames\ncn: staff\n\
    member: uid=alice,ou=people,dc=partner,dc=org\n";

fn partner() -> Settings {
    let mut settings = Settings::preset("partner", Vendor::OpenLdap, dn("dc=partner,dc=org"));
    settings.domains = vec!["partner.org".to_owned()];
    settings
}

async fn both() -> (World, World) {
    (World::people().await, World::with(PARTNERS).await)
}

fn in_order(first: &World, second: &World, change: impl FnOnce(&mut Settings, &mut Settings)) -> Directories {
    let (mut main, mut partner) = (openldap("main"), partner());
    change(&mut main, &mut partner);
    Directories::new(vec![(main, first.pool()), (partner, second.pool())], clock()).expect("good settings")
}

#[tokio::test]
async fn the_first_directory_that_knows_a_name_decides() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, _| ());
    assert_eq!(directories.names(), ["main", "partner"]);
    assert_eq!(admitted(&directories, "alice", "Red-Apple-11").await.directory(), "main");
    assert_eq!(reason(&directories, "alice", "Other-Alice-1").await, Reason::WrongPassword);
    assert_eq!(admitted(&directories, "paul", "Paul-Pear-2").await.directory(), "partner");
    assert_eq!(reason(&directories, "nobody", "x").await, Reason::UnknownUser);
    assert_eq!(reason(&directories, "twin", "x").await, Reason::AmbiguousUser);
}

#[tokio::test]
async fn a_domain_asks_its_directory_alone() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, _| ());
    for name in ["alice@partner.org", "PARTNER.ORG\\alice"] {
        assert_eq!(admitted(&directories, name, "Other-Alice-1").await.directory(), "partner");
    }
    assert_eq!(reason(&directories, "bob@partner.org", "Blue-Boat-22").await, Reason::UnknownUser);
    assert_eq!(first.operations(), []);
}

#[tokio::test]
async fn a_directory_that_is_down_is_never_stepped_over() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, _| ());
    first.stop().await;
    for name in ["alice", "paul", "nobody"] {
        let error = failed(&directories, name, "Other-Alice-1").await;
        assert_eq!((error.fault(), error.bound()), (Fault::Directory, false), "{name}");
    }
    assert_eq!(admitted(&directories, "alice@partner.org", "Other-Alice-1").await.directory(), "partner");
}

#[tokio::test]
async fn a_directory_behind_the_one_that_knows_the_name_may_be_down() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, _| ());
    second.stop().await;
    admitted(&directories, "alice", "Red-Apple-11").await;
}

#[tokio::test]
async fn a_template_is_never_tried_with_a_password_meant_for_another_directory() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, partner| {
        partner.user.template =
            Some(UserTemplate::parse("uid={username},ou=people,dc=partner,dc=org").unwrap());
    });
    let denial = refused(&directories, "paul", "Paul-Pear-2").await;
    assert_eq!((denial.reason(), denial.bound()), (Reason::UnknownUser, false));
    assert_eq!(second.operations(), []);
    admitted(&directories, "paul@partner.org", "Paul-Pear-2").await;
}

#[tokio::test]
async fn one_directory_s_namesake_of_a_group_admits_nobody() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |main, partner| {
        main.require = Some(Rule::Group(dn("cn=staff,ou=groups,dc=example,dc=com")));
        partner.require = Some(Rule::Group(dn("cn=staff,ou=people,dc=partner,dc=org")));
    });
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(reason(&directories, "alice@partner.org", "Other-Alice-1").await, Reason::NotInRequiredGroup);
}

#[tokio::test]
async fn a_person_of_a_directory_that_is_gone_is_refused() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, _| ());
    let person = admitted(&directories, "paul", "Paul-Pear-2").await;
    let fewer = first.directories(|_| ());
    assert!(matches!(
        fewer.judge(&person, &ldapgate_auth::Silent),
        ldapgate_auth::Verdict::Refused(denial) if denial.reason() == Reason::UnknownUser
    ));
}

#[tokio::test]
async fn health_is_told_for_each() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, _| ());
    second.stop().await;
    let health = directories.health(Duration::from_secs(5)).await;
    assert!(
        matches!(&health[..], [(main, Ok(())), (partner, Err(_))] if main == "main" && partner == "partner")
    );
}

#[tokio::test]
async fn a_directory_that_hangs_says_nothing_about_another() {
    let (first, second) = both().await;
    let directories = in_order(&first, &second, |_, _| ());
    first.directory.faults().always(directory::Kind::Search, directory::Fault::Drop);
    let health = directories.health(Duration::from_millis(500)).await;
    let [(_, Err(hanging)), (_, Ok(()))] = &health[..] else { panic!("{health:?}") };
    assert_eq!(hanging.to_string(), "the directory \"main\" did not answer within 500ms");
}

#[tokio::test]
async fn anonymous_reading_is_enough_where_the_directory_allows_it() {
    let world = World::people().await;
    let pool = client::Pool::lazy(client::Options::new([world.url()]).unwrap());
    let directories = Directories::new(vec![(openldap("main"), pool)], clock()).unwrap();
    admitted(&directories, "alice", "Red-Apple-11").await;
}
