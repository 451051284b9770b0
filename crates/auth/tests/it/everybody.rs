//! Everybody, page by page: each is the person that a look-up finds, and a list that is not whole is no list.

use std::collections::BTreeMap;

use directory::{Dialect, Directory, Fault, Kind, Limits};
use ldapgate_auth::{
    Directories, Error, Fault as Whose, FilterTemplate, GroupKind, GroupSearch, Settings, Sight, Sighted,
    Silent, UserSearch, UserTemplate, Vendor,
};
use proptest::prelude::*;
use proto::{Filter, LdapResult, ResultCode, Scope};
use testkit::ds389::Ds389;
use testkit::samba::Samba;
use testkit::world::{Peer, World as Real};

use crate::world::{PEOPLE, World, dn, group, in_group, real};

pub(crate) async fn all(directories: &Directories) -> Result<Vec<Sighted>, Error> {
    let mut everybody = directories.everybody("main").await?.page_size(3);
    let mut found = Vec::new();
    while let Some(page) = everybody.next_page().await? {
        assert!(page.len() <= 3 && !page.is_empty());
        found.extend(page);
    }
    assert!(everybody.next_page().await?.is_none(), "the end stays the end");
    Ok(found)
}

async fn failed(directories: &Directories) -> Error {
    match all(directories).await {
        Err(error) => error,
        Ok(found) => panic!("it looks whole: {found:#?}"),
    }
}

fn shown(sight: &Sight) -> String {
    format!("{sight:#?}")
}

/// Everybody is seen as they are when looked up by their keys, groups asked for one by one.
async fn agrees(directories: &Directories, what: &str) -> usize {
    let everybody =
        all(directories).await.unwrap_or_else(|error| panic!("{what}: {error}: {:?}", error.causes()));
    let mut ids = Vec::new();
    let mut seen = BTreeMap::new();
    for sighted in everybody {
        let id =
            sighted.id.unwrap_or_else(|| panic!("{what}: {} has no key: {:?}", sighted.dn, sighted.sight));
        assert!(seen.insert(id.clone(), shown(&sighted.sight)).is_none(), "{what}: {} twice", sighted.dn);
        ids.push(id);
    }
    for (id, sight) in directories.people_by_id("main", &ids, &Silent).await.expect("the directory answers") {
        assert_eq!(seen[&id], shown(&sight), "{what}");
    }
    ids.len()
}

fn kinds(settings: &mut Settings, kinds: &[GroupKind]) {
    settings.groups.kinds = kinds.to_vec();
}

fn only_below_groups(settings: &mut Settings) {
    settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
}

fn with_rules(settings: &mut Settings) {
    settings.flags.insert("staff".to_owned(), in_group("staff"));
    let elsewhere =
        ["far", "farther"].map(|name| dn(&format!("cn={name},ou=other-groups,dc=example,dc=com")));
    settings.named =
        [elsewhere.to_vec(), vec![group("level3"), group("posix-staff"), group("missing")]].concat();
}

fn two_places(settings: &mut Settings) {
    let search = |base: &str, filter| GroupSearch { base: dn(base), scope: Scope::Subtree, filter };
    let some = Filter::any([Filter::equal("cn", "staff"), Filter::equal("cn", "level2")]);
    settings.groups.searches = vec![
        search("ou=groups,dc=example,dc=com", Some(some)),
        search("ou=other-groups,dc=example,dc=com", None),
    ];
}

fn filtered(settings: &mut Settings) {
    settings.groups.searches[0].filter = Some(!Filter::starts_with("cn", "a"));
}

type Change<'c> = &'c dyn Fn(&mut Settings);

const KINDS: [&[GroupKind]; 6] = [
    &[GroupKind::GroupOfNames],
    &[GroupKind::GroupOfUniqueNames, GroupKind::Posix],
    &[GroupKind::MemberOf],
    &[GroupKind::MemberOf, GroupKind::Posix],
    &[
        GroupKind::GroupOfNames,
        GroupKind::GroupOfUniqueNames,
        GroupKind::OrganizationalRole,
        GroupKind::Posix,
    ],
    &[],
];

/// Every way of configuring groups, on one server.
async fn agrees_however_it_is_configured(make: impl Fn(&dyn Fn(&mut Settings)) -> Directories, least: usize) {
    let places: [(&str, Change<'_>); 5] = [
        ("all", &|_| ()),
        ("below groups", &only_below_groups),
        ("filtered", &filtered),
        ("with rules", &|settings| {
            only_below_groups(settings);
            with_rules(settings);
        }),
        ("called otherwise", &|settings| settings.groups.name_attribute = "description".to_owned()),
    ];
    for members in KINDS {
        for nested in [false, true] {
            for (what, place) in places {
                if members.is_empty() && what == "with rules" {
                    continue;
                }
                let directories = make(&|settings| {
                    kinds(settings, members);
                    settings.groups.nested = nested;
                    place(settings);
                });
                let count = agrees(&directories, &format!("{members:?}, nested: {nested}, {what}")).await;
                assert!(count >= least, "{count} people");
            }
        }
    }
}

#[tokio::test]
async fn openldap_s_people_are_the_same_all_together_as_one_by_one() {
    let world = Real::start(Peer::OpenLdap).await;
    agrees_however_it_is_configured(|change| real(world.ldap_url(), Vendor::OpenLdap, change), 16).await;
}

#[tokio::test]
async fn ds389_s_people_are_the_same_all_together_as_one_by_one() {
    let url = Ds389::shared().await.ldap_url();
    agrees_however_it_is_configured(|change| real(url.clone(), Vendor::Ds389, change), 14).await;
}

#[tokio::test]
async fn samba_s_people_are_the_same_all_together_as_one_by_one() {
    let url = Samba::shared().await.ldap_url();
    for nested in [true, false] {
        let directories = real(url.clone(), Vendor::ActiveDirectory, |settings| {
            settings.groups.nested = nested;
            settings.named = vec![group("level4")];
        });
        assert!(agrees(&directories, "samba").await >= 12);
    }
    let others = real(url, Vendor::ActiveDirectory, |settings| {
        kinds(settings, &[GroupKind::MemberOf, GroupKind::GroupOfNames])
    });
    agrees(&others, "samba as another server").await;
}

#[tokio::test]
async fn memory_s_people_are_the_same_all_together_as_one_by_one() {
    let world = World::people().await;
    agrees_however_it_is_configured(|change| world.directories(change), 10).await;
    agrees(&world.directories(two_places), "two places").await;
}

#[tokio::test]
async fn user_names_in_other_capitals_are_the_server_s_to_compare() {
    let odd = "\ndn: cn=odd,ou=groups,dc=example,dc=com\nobjectClass: posixGroup\ncn: odd\ngidNumber: 7\nmemberUid: ALICE\n\n\
               dn: cn=even,ou=groups,dc=example,dc=com\nobjectClass: posixGroup\ncn: even\ngidNumber: 8\nmemberUid:  Alice\n";
    let world = World::with(&format!("{PEOPLE}{odd}")).await;
    agrees(&world.directories(|settings| kinds(settings, &[GroupKind::Posix])), "capitals").await;
}

#[tokio::test]
async fn a_group_that_is_handed_out_in_parts_is_read_to_its_end() {
    let mut text = PEOPLE.to_owned()
        + "\ndn: cn=large,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: large\n";
    for number in 0..2_000 {
        text += &format!("member: uid=u{number},ou=people,dc=example,dc=com\n");
    }
    text += "member: uid=bob,ou=people,dc=example,dc=com\n";
    let limits = Limits { values: 150, ..Limits::default() };
    let builder = Directory::builder(crate::world::clock()).dialect(Dialect::ActiveDirectory).limits(limits);
    let world = World::of(builder.ldif(&text).expect("good LDIF")).await;
    let found = all(&world.directories(|_| ())).await.unwrap();
    let large = found
        .iter()
        .filter(|one| matches!(&one.sight, Sight::There(person) if person.is_in(&group("large"))));
    assert_eq!(large.map(|one| one.dn.as_str()).collect::<Vec<_>>(), ["uid=bob,ou=people,dc=example,dc=com"]);
}

#[tokio::test]
async fn thousands_of_people_in_one_group_cost_a_few_searches() {
    let (mut people, mut members) = (String::new(), String::new());
    for number in 0..3_000 {
        let name = format!("uid=u{number},ou=people,dc=example,dc=com");
        people += &format!("\ndn: {name}\nobjectClass: inetOrgPerson\nuid: u{number}\n");
        members += &format!("member: {name}\n");
    }
    let text = format!(
        "{PEOPLE}{people}\ndn: cn=everyone,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: everyone\n{members}"
    );
    let world = World::with(&text).await;
    let directories = world.directories(|settings| settings.groups.nested = true);
    let mut everybody = directories.everybody("main").await.unwrap();
    let mut count = 0;
    while let Some(page) = everybody.next_page().await.unwrap() {
        let everyone = group("everyone");
        let is_in = |one: &&Sighted| matches!(&one.sight, Sight::There(person) if person.is_in(&everyone));
        count += page.iter().filter(is_in).count();
    }
    assert_eq!(count, 3_000);
    let searches = world.operations().into_iter().filter(|(kind, _)| *kind == Kind::Search).count();
    assert!(searches < 12, "{searches} searches");
}

#[derive(Debug, Clone)]
struct Tangle {
    /// Group in group, people in groups, by number; whether a group lies elsewhere is in its number.
    inside: Vec<(usize, usize)>,
    people: Vec<(usize, usize)>,
    nested: bool,
    filtered: bool,
    both: bool,
}

fn tangle() -> impl Strategy<Value = Tangle> {
    let inside = proptest::collection::vec((0..8_usize, 0..8_usize), 0..20);
    let people = proptest::collection::vec((0..4_usize, 0..8_usize), 0..12);
    (inside, people, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(inside, people, nested, filtered, both)| Tangle { inside, people, nested, filtered, both },
    )
}

impl Tangle {
    fn place(number: usize) -> String {
        let unit = if number.is_multiple_of(2) { "groups" } else { "other-groups" };
        format!("cn=g{number},ou={unit},dc=example,dc=com")
    }

    fn ldif(&self) -> String {
        let mut text =
            "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\ndn: cn=reader,dc=example,dc=com\n\
                        objectClass: applicationProcess\nuserPassword: Reader-Pass-1\n"
                .to_owned();
        for number in 0..4 {
            text += &format!(
                "\ndn: uid=p{number},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: p{number}\n"
            );
        }
        for number in 0..8 {
            text += &format!("\ndn: {}\nobjectClass: groupOfNames\ncn: g{number}\n", Tangle::place(number));
            // A third of them list their members as unique.
            let attribute = if number % 3 == 0 { "uniqueMember" } else { "member" };
            for (inner, _) in self.inside.iter().filter(|(_, outer)| *outer == number) {
                text += &format!("{attribute}: {}\n", Tangle::place(*inner));
            }
            for (person, _) in self.people.iter().filter(|(_, group)| *group == number) {
                text += &format!("{attribute}: UID=P{person},ou=people,dc=example,dc=com\n");
            }
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn groups_of_any_shape_are_the_same_all_together_as_one_by_one(tangle in tangle()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::with(&tangle.ldif()).await;
            let directories = world.directories(|settings| {
                let unique = tangle.both.then_some(GroupKind::GroupOfUniqueNames);
                settings.groups.kinds = unique.into_iter().chain([GroupKind::GroupOfNames]).collect();
                settings.groups.nested = tangle.nested;
                only_below_groups(settings);
                settings.named = [1, 2, 3].map(|number| dn(&Tangle::place(number))).to_vec();
                if tangle.filtered {
                    settings.groups.searches[0].filter = Some(!Filter::equal("cn", "g4"));
                }
            });
            assert_eq!(agrees(&directories, "tangle").await, 4);
        });
    }
}

#[tokio::test]
async fn whoever_two_searches_find_is_told_once_and_namesakes_are_two_people() {
    let world = World::people().await;
    let once = all(&world.directories(|_| ())).await.unwrap().len();
    let twice = world.directories(|settings| {
        let search = |base| UserSearch::below(dn(base), "(objectClass=inetOrgPerson)").unwrap();
        settings.user.searches = ["ou=people,dc=example,dc=com", "dc=example,dc=com"].map(search).to_vec();
    });
    let found = all(&twice).await.unwrap();
    assert_eq!(found.len(), once);
    let twins =
        found.iter().filter(|one| matches!(&one.sight, Sight::There(person) if person.username() == "twin"));
    assert_eq!(twins.count(), 2);
}

#[tokio::test]
async fn a_filter_with_a_name_in_it_finds_whoever_has_any_name() {
    let world = World::people().await;
    let once = all(&world.directories(|_| ())).await.unwrap().len();
    let named = world.directories(|settings| {
        let filter = FilterTemplate::parse("(&(objectClass=inetOrgPerson)(uid={username}))").unwrap();
        settings.user.searches[0].filter = Some(filter);
    });
    assert_eq!(all(&named).await.unwrap().len(), once);
}

#[tokio::test]
async fn with_a_template_people_are_who_lies_where_it_leads() {
    let world = World::people().await;
    let templated = world.directories(|settings| {
        settings.user.searches.clear();
        settings.user.template =
            Some(UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap());
    });
    let found = all(&templated).await.unwrap();
    assert!(
        found.iter().all(|one| one.dn.to_lowercase().ends_with(",ou=people,dc=example,dc=com")),
        "{found:#?}"
    );
    assert!(found.len() >= 5);
}

#[tokio::test]
async fn an_entry_without_a_key_is_told_and_two_with_one_are_too() {
    let odd = "\ndn: uid=odd,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: odd\nemployeeNumber: 7\n\n\
               dn: uid=one,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: one\nemployeeNumber: 7\n";
    let world = World::with(&format!("{PEOPLE}{odd}")).await;
    let found = all(&world.directories(|settings| settings.user.id_attribute = "employeeNumber".to_owned()))
        .await
        .unwrap();
    let keyed: Vec<_> =
        found.iter().filter(|one| one.id.as_deref() == Some("7")).map(|one| &one.sight).collect();
    assert!(matches!(keyed.as_slice(), [Sight::There(_), Sight::Unreadable(_)]), "{keyed:?}");
    let others = found.iter().filter(|one| one.id.is_none());
    assert!(
        others.clone().count() > 5 && others.clone().all(|one| matches!(one.sight, Sight::Unreadable(_)))
    );
}

#[tokio::test]
async fn whatever_is_cut_short_is_an_error_and_never_a_short_list() {
    let world = World::people().await;
    let faults = world.directory.faults();
    let too_many = || Fault::Answer(LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, ""));
    // The groups: not read to their end.
    faults.next(Kind::Search, 1, too_many());
    let error = failed(&world.directories(|_| ())).await;
    assert!(error.to_string().contains("list of groups below dc=example,dc=com short"), "{error}");
    // The people, on their second page.
    let flat = || world.directories(|settings| settings.groups.kinds.clear());
    faults.next(Kind::Search, 1, Fault::Delay(std::time::Duration::ZERO));
    faults.next(Kind::Search, 1, too_many());
    let error = failed(&flat()).await;
    assert!(error.to_string().contains("list of people below dc=example,dc=com short"), "{error}");
    for fault in [Fault::Close, Fault::CloseAfter(1), Fault::unavailable(), Fault::Garbage] {
        faults.next(Kind::Search, 1, Fault::Delay(std::time::Duration::ZERO));
        faults.always(Kind::Search, fault.clone());
        assert_eq!(failed(&flat()).await.fault(), Whose::Directory, "{fault:?}");
        faults.clear();
    }
    let moved =
        world.directories(|settings| settings.user.searches[0].base = dn("ou=moved,dc=example,dc=com"));
    assert_eq!(failed(&moved).await.fault(), Whose::Configuration);
}

#[tokio::test]
async fn an_error_is_not_followed_by_an_end() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.groups.kinds.clear());
    let mut everybody = directories.everybody("main").await.unwrap().page_size(2);
    everybody.next_page().await.unwrap().expect("two people");
    world.directory.faults().next(Kind::Search, 1, Fault::unavailable());
    everybody.next_page().await.unwrap_err();
    everybody.next_page().await.unwrap_err();
}

#[tokio::test]
async fn a_reference_to_where_people_may_lie_makes_the_list_no_list() {
    let elsewhere = "\ndn: ou=elsewhere,dc=example,dc=com\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\n\
                     ref: ldap://127.0.0.1:1/ou=elsewhere,dc=example,dc=com\n";
    let authority = testkit::certificate::Authority::new("Example Test CA");
    let ldif = format!("{}{elsewhere}", *testkit::world::LDIF);
    let server =
        testkit::openldap::OpenLdap::start(&ldif, &authority, testkit::certificate::Flaw::None).await;
    let error = failed(&real(server.ldap_url(), Vendor::OpenLdap, |_| ())).await;
    assert!(error.to_string().contains("may lie on another server"), "{error}");
    let narrower = real(server.ldap_url(), Vendor::OpenLdap, |settings| {
        settings.user.searches[0].base = dn("ou=people,dc=example,dc=com");
    });
    all(&narrower).await.expect("no reference there");
}

#[tokio::test]
async fn a_directory_that_hides_everybody_tells_of_nobody_and_that_is_an_end() {
    let world = World::people().await;
    let found = all(&world.directories(|settings| {
        settings.user.searches =
            vec![UserSearch::below(dn("dc=example,dc=com"), "(objectClass=nothing)").unwrap()];
    }))
    .await;
    assert!(found.unwrap().is_empty());
}
