//! People by their stable keys, many at once: what is seen of each is what a look-up by name sees.

use std::time::Duration;

use directory::{Fault, Kind, Limits};
use ldapgate_auth::{
    Answer, Directories, Fault as Whose, GroupKind, Person, Reason, Settings, Sight, Silent, Trace,
    UserTemplate, Vendor,
};
use testkit::ds389::Ds389;
use testkit::samba::Samba;
use testkit::world::{Peer, World as Real};

use crate::world::{PEOPLE, World, clock, described, dn, in_group, names, openldap, options, real};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

async fn person(directories: &Directories, name: &str) -> Person {
    match described(directories, name).await {
        Answer::Yes(person) => person,
        Answer::No(denial) => panic!("{name}: {denial}"),
    }
}

async fn ids(directories: &Directories, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(person(directories, name).await.id().to_owned());
    }
    ids
}

async fn seen(directories: &Directories, ids: &[String]) -> Vec<Sight> {
    let answer = directories.people_by_id("main", ids, &Silent).await.expect("the directory answers");
    assert!(answer.iter().map(|(id, _)| id).eq(ids), "in the order of the keys");
    answer.into_iter().map(|(_, sight)| sight).collect()
}

/// What is known of somebody, to be compared.
fn facts(person: &Person) -> String {
    format!("{person:#?}")
}

/// Whoever is found by name is found by key as the same person.
async fn agrees(directories: &Directories) {
    let (mut wanted, mut expected) = (Vec::new(), Vec::new());
    for somebody in testkit::people::PEOPLE.iter().filter(|somebody| somebody.name != "twin") {
        match described(directories, somebody.name).await {
            Answer::Yes(person) => {
                wanted.push(person.id().to_owned());
                expected.push(facts(&person));
            }
            Answer::No(denial) => assert_ne!(denial.reason(), Reason::AmbiguousUser, "{}", somebody.name),
        }
    }
    assert!(wanted.len() > 8, "only {} people", wanted.len());
    for (sight, expected) in seen(directories, &wanted).await.iter().zip(&expected) {
        let Sight::There(person) = sight else { panic!("{sight:?} instead of {expected}") };
        assert_eq!(&facts(person), expected);
    }
}

fn kinds(settings: &mut Settings) {
    settings.groups.kinds = vec![GroupKind::GroupOfNames, GroupKind::GroupOfUniqueNames, GroupKind::Posix];
    settings.groups.nested = true;
    settings.named = vec![crate::world::group("level4")];
    settings.lists.insert("phones".to_owned(), "telephoneNumber".to_owned());
    settings.flags.insert("staff".to_owned(), in_group("staff"));
}

#[tokio::test]
async fn openldap_shows_the_same_person_by_key_as_by_name() {
    let world = Real::start(Peer::OpenLdap).await;
    agrees(&real(world.ldap_url(), Vendor::OpenLdap, |_| ())).await;
    agrees(&real(world.ldap_url(), Vendor::OpenLdap, kinds)).await;
    agrees(&real(world.ldap_url(), Vendor::OpenLdap, |settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
    }))
    .await;
}

#[tokio::test]
async fn ds389_shows_the_same_person_by_key_as_by_name() {
    let url = Ds389::shared().await.ldap_url();
    agrees(&real(url.clone(), Vendor::Ds389, |_| ())).await;
    agrees(&real(url, Vendor::Ds389, kinds)).await;
}

#[tokio::test]
async fn samba_shows_the_same_person_by_key_as_by_name() {
    let url = Samba::shared().await.ldap_url();
    agrees(&real(url, Vendor::ActiveDirectory, |settings| settings.deny = Some(in_group("level4")))).await;
}

#[tokio::test]
async fn people_are_told_in_the_order_of_their_keys_and_who_is_not_there_is_missing() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    let mut wanted = ids(&directories, &["carol", "alice"]).await;
    wanted.insert(1, NOBODY.to_owned());
    let sights = seen(&directories, &wanted).await;
    let [Sight::There(carol), Sight::Missing, Sight::There(alice)] = sights.as_slice() else {
        panic!("{sights:?}")
    };
    assert_eq!((names(carol), names(alice)), (vec!["level1"], vec!["admins", "far", "staff"]));
    assert!(seen(&directories, &[]).await.is_empty());
}

#[tokio::test]
async fn a_key_in_capitals_is_the_same_key() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    let wanted: Vec<_> = ids(&directories, &["alice"]).await.iter().map(|id| id.to_uppercase()).collect();
    assert!(
        matches!(&seen(&directories, &wanted).await[0], Sight::There(alice) if alice.username() == "alice")
    );
}

#[tokio::test]
async fn who_is_there_but_no_login_would_find_is_not_missing() {
    let world = World::people().await;
    let wanted = ids(&world.directories(|_| ()), &["alice", "bob", "petra"]).await;
    // A filter that leaves bob out, and a base that petra does not lie below.
    let narrowed = world.directories(|settings| {
        settings.user.searches[0].base = dn("ou=people,dc=example,dc=com");
        settings.user.searches[0].filter = Some("(mail={username}*)".parse_filter());
    });
    let sights = seen(&narrowed, &wanted).await;
    let expected = matches!(sights.as_slice(), [Sight::There(_), Sight::NotMatched, Sight::NotMatched]);
    assert!(expected, "{sights:?}");
    let templated = world.directories(|settings| {
        settings.user.searches.clear();
        settings.user.template =
            Some(UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap());
    });
    let sights = seen(&templated, &wanted).await;
    let expected = matches!(sights.as_slice(), [Sight::There(_), Sight::There(_), Sight::NotMatched]);
    assert!(expected, "{sights:?}");
}

trait ParseFilter {
    fn parse_filter(&self) -> ldapgate_auth::FilterTemplate;
}

impl ParseFilter for str {
    fn parse_filter(&self) -> ldapgate_auth::FilterTemplate {
        ldapgate_auth::FilterTemplate::parse(self).expect("a good filter")
    }
}

#[tokio::test]
async fn whoever_has_ended_is_refused_and_a_lock_is_a_hindrance() {
    let world = World::people().await;
    let mut wanted = Vec::new();
    for name in ["disabled", "expired", "locked"] {
        let name = format!("uid={name},ou=people,dc=example,dc=com");
        let entry = world.pool().read(&name, &["entryUUID"]).await.unwrap().expect("it is there");
        wanted.push(entry.text("entryUUID").expect("it has a key").to_owned());
    }
    let directories = world.directories(|settings| settings.vendor = Vendor::Rfc2307bis);
    let sights = seen(&directories, &wanted[..2]).await;
    let reasons: Vec<_> = sights.iter().filter_map(refusal).collect();
    assert_eq!(reasons, [Reason::AccountDisabled, Reason::AccountExpired]);
    let directories = world.directories(|settings| settings.vendor = Vendor::Rfc2307);
    let sights = seen(&directories, &wanted[2..]).await;
    let [Sight::There(locked)] = sights.as_slice() else { panic!("{sights:?}") };
    assert_eq!(locked.hindrance().map(|denial| denial.reason()), Some(Reason::AccountLocked));
}

fn refusal(sight: &Sight) -> Option<Reason> {
    match sight {
        Sight::Refused(denial) => Some(denial.reason()),
        _ => None,
    }
}

#[tokio::test]
async fn one_entry_that_makes_no_sense_is_no_trouble_of_the_others() {
    let odd = "\ndn: uid=odd,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: odd\nuid: even\n\
               entryUUID: 99999999-aaaa-4aaa-8aaa-000000000001\n\n\
               dn: uid=one,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: one\n\
               entryUUID: 99999999-aaaa-4aaa-8aaa-000000000002\n\n\
               dn: uid=two,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: two\n\
               entryUUID: 99999999-aaaa-4aaa-8aaa-000000000002\n";
    let world = World::with(&format!("{PEOPLE}{odd}")).await;
    let directories = world.directories(|_| ());
    let mut wanted = ids(&directories, &["alice"]).await;
    wanted.extend([1, 2].map(|number| format!("99999999-aaaa-4aaa-8aaa-00000000000{number}")));
    let sights = seen(&directories, &wanted).await;
    let [Sight::There(_), Sight::Unreadable(twice), Sight::Unreadable(ambiguous)] = sights.as_slice() else {
        panic!("{sights:?}")
    };
    assert!(twice.contains("uid of uid=odd"), "{twice}");
    assert!(ambiguous.contains("the key of two entries"), "{ambiguous}");
}

#[tokio::test]
async fn a_server_that_hands_out_few_entries_at_once_is_asked_for_fewer() {
    let limits = Limits { size: Some(2), ..Limits::default() };
    let world = World::limited(PEOPLE, limits).await;
    let unlimited = World::people().await;
    let wanted = ids(&unlimited.directories(|_| ()), &["alice", "bob", "carol", "mallory", "petra"]).await;
    let mut settings = openldap("main");
    settings.groups.kinds.clear();
    let pool = client::Pool::lazy(options([world.url()]).page_size(0));
    let directories = Directories::new(vec![(settings, pool)], clock()).unwrap();
    let sights = seen(&directories, &wanted).await;
    assert!(sights.iter().all(|sight| matches!(sight, Sight::There(_))), "{sights:?}");
}

#[tokio::test]
async fn a_batch_is_one_server_s_word_and_starts_over_on_the_next() {
    let (first, second) = (World::people().await, World::people().await);
    let pool = client::Pool::lazy(options([first.url(), second.url()]));
    let directories = Directories::new(vec![(openldap("main"), pool)], clock()).unwrap();
    let wanted = ids(&directories, &["alice", "bob"]).await;
    // The first search is answered, those for groups are not.
    first.directory.faults().next(Kind::Search, 1, Fault::Delay(Duration::ZERO));
    first.directory.faults().always(Kind::Search, Fault::Close);
    let trace = Trace::new();
    let answer = directories.people_by_id("main", &wanted, &trace).await.expect("the second server answers");
    assert!(answer.iter().all(|(_, sight)| matches!(sight, Sight::There(_))), "{answer:?}");
    assert!(trace.steps().iter().any(|step| step.step == "choose"));
    let searches = |world: &World| {
        let all = world.directory.operations();
        all.iter().filter(|operation| operation.kind == Kind::Search).count()
    };
    assert!(searches(&second) >= 3, "the entries, and the groups of two people");
}

#[tokio::test]
async fn a_base_that_is_not_there_and_an_outage_are_errors_and_nobody_is_missing() {
    let world = World::people().await;
    let wanted = ids(&world.directories(|_| ()), &["alice"]).await;
    let moved =
        world.directories(|settings| settings.user.searches[0].base = dn("ou=moved,dc=example,dc=com"));
    let error = moved.people_by_id("main", &wanted, &Silent).await.unwrap_err();
    assert_eq!(error.fault(), Whose::Configuration);
    let directories = world.directories(|_| ());
    world.directory.faults().always(Kind::Search, Fault::unavailable());
    let error = directories.people_by_id("main", &wanted, &Silent).await.unwrap_err();
    assert_eq!(error.fault(), Whose::Directory);
}

#[tokio::test]
async fn people_who_read_themselves_are_told_of() {
    let world = World::people().await;
    assert!(!world.directories(|_| ()).reads_as_person("main"));
    let own = world.directories(|settings| settings.user.bind_as_user = true);
    assert!(own.reads_as_person("main") && !own.reads_as_person("other"));
}
