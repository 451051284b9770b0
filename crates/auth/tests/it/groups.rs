//! Who is in which group.

use directory::{Fault, Kind};
use ldapgate_auth::{Fault as Whose, GroupKind, Reason, Rule, Settings};
use proto::{Filter, LdapResult, ResultCode};

use crate::world::{PEOPLE, World, admitted, dn, failed, group, in_group, names, reason};

fn far(name: &str) -> proto::Dn {
    dn(&format!("cn={name},ou=other-groups,dc=example,dc=com"))
}

#[tokio::test]
async fn groups_of_names_are_compared_by_normalised_names() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    assert_eq!(names(&admitted(&directories, "alice", "Red-Apple-11").await), ["admins", "far", "staff"]);
    assert_eq!(names(&admitted(&directories, "bob", "Blue-Boat-22").await), ["staff"]);
}

#[tokio::test]
async fn kinds_are_joined() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.kinds = vec![GroupKind::GroupOfUniqueNames, GroupKind::Posix];
    });
    assert_eq!(names(&admitted(&directories, "alice", "Red-Apple-11").await), ["posix", "primary", "unique"]);
}

#[tokio::test]
async fn people_are_no_posix_groups_although_they_carry_the_number() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.groups.kinds = vec![GroupKind::Posix]);
    let person = admitted(&directories, "alice", "Red-Apple-11").await;
    assert!(person.memberships().all(|dn| dn.is_below(&crate::world::dn("ou=groups,dc=example,dc=com"))));
}

#[tokio::test]
async fn groups_in_groups_are_found_to_any_depth_and_circles_end() {
    let world = World::people().await;
    let flat = world.directories(|_| ());
    assert_eq!(names(&admitted(&flat, "carol", "Green-Garden-33").await), ["level1"]);
    let nested = world.directories(|settings| settings.groups.nested = true);
    let person = admitted(&nested, "carol", "Green-Garden-33").await;
    assert_eq!(names(&person), ["far", "farther", "level1", "level2", "level3"]);
}

#[tokio::test]
async fn deny_sees_what_nesting_hides() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.nested = true;
        settings.deny = Some(in_group("level3"));
    });
    assert_eq!(reason(&directories, "carol", "Green-Garden-33").await, Reason::InDeniedGroup);
    admitted(&directories, "alice", "Red-Apple-11").await;
}

#[tokio::test]
async fn a_rule_s_group_may_lie_outside_the_groups_that_are_shown() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
        settings.require = Some(Rule::Group(far("far")));
    });
    let person = admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(names(&person), ["admins", "staff"]);
    assert!(person.is_in(&far("far")));
    assert_eq!(reason(&directories, "bob", "Blue-Boat-22").await, Reason::NotInRequiredGroup);
}

#[tokio::test]
async fn nesting_leads_out_of_the_groups_that_are_shown_and_on() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.nested = true;
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
        settings.named = vec![far("far")];
        settings.deny = Some(Rule::Group(far("farther")));
    });
    assert_eq!(reason(&directories, "carol", "Green-Garden-33").await, Reason::InDeniedGroup);
    admitted(&directories, "bob", "Blue-Boat-22").await;
}

#[tokio::test]
async fn groups_named_elsewhere_are_known() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
        settings.named = vec![far("far"), far("farther")];
    });
    let person = admitted(&directories, "alice", "Red-Apple-11").await;
    assert!(person.is_in(&far("far")) && !person.is_in(&far("farther")));
}

#[tokio::test]
async fn a_group_that_is_not_there_has_no_members_and_is_reported() {
    let world = World::people().await;
    let gone = dn("cn=gone,ou=nowhere,dc=example,dc=com");
    let directories = world.directories(|settings| {
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
        settings.require =
            Some(Rule::Any(vec![Rule::Group(gone.clone()), in_group("missing"), in_group("staff")]));
    });
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(reason(&directories, "carol", "Green-Garden-33").await, Reason::NotInRequiredGroup);
    let missing = directories.missing_groups().await.unwrap();
    assert_eq!(missing.len(), 2);
    assert!(
        missing.contains(&("main".to_owned(), group("missing")))
            && missing.contains(&("main".to_owned(), gone))
    );
}

#[tokio::test]
async fn a_filter_says_which_groups_are_shown_but_not_which_count() {
    let world = World::people().await;
    for kinds in [vec![GroupKind::GroupOfNames], vec![GroupKind::MemberOf]] {
        let directories = world.directories(|settings| {
            settings.groups.kinds = kinds.clone();
            settings.groups.searches[0].filter = Some(Filter::equal("cn", "staff"));
            settings.deny = Some(in_group("admins"));
        });
        assert_eq!(names(&admitted(&directories, "bob", "Blue-Boat-22").await), ["staff"], "{kinds:?}");
        assert_eq!(reason(&directories, "alice", "Red-Apple-11").await, Reason::InDeniedGroup, "{kinds:?}");
    }
}

/// Bob is in the team, which lies outside of `ou=groups`; the team is in the group that is banned.
const HIDDEN_LINK: &str = "\ndn: cn=team,ou=other-groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: team\n\
    member: uid=bob,ou=people,dc=example,dc=com\n\ndn: cn=banned,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\n\
    cn: banned\nmember: cn=team,ou=other-groups,dc=example,dc=com\n";

#[tokio::test]
async fn a_link_that_is_not_shown_does_not_end_the_way_to_a_refused_group() {
    let world = World::with(&format!("{PEOPLE}{HIDDEN_LINK}")).await;
    let not_the_team = Filter::Not(Box::new(Filter::equal("cn", "team")));
    for kind in [GroupKind::GroupOfNames, GroupKind::MemberOf] {
        for (base, filter) in [
            ("dc=example,dc=com", None),
            ("ou=groups,dc=example,dc=com", None),
            ("dc=example,dc=com", Some(not_the_team.clone())),
        ] {
            let places = |settings: &mut Settings| {
                settings.groups.kinds = vec![kind];
                settings.groups.nested = true;
                settings.groups.searches[0].base = dn(base);
                settings.groups.searches[0].filter = filter.clone();
            };
            let open = admitted(&world.directories(places), "bob", "Blue-Boat-22").await;
            let shown = names(&open);
            assert!(shown.contains(&"banned"), "{kind:?} {base} {filter:?}: {shown:?}");
            let all_shown = base == "dc=example,dc=com" && filter.is_none();
            assert_eq!(shown.contains(&"team"), all_shown, "{kind:?} {base} {filter:?}: {shown:?}");
            let closed = world.directories(|settings| {
                places(settings);
                settings.deny = Some(in_group("banned"));
            });
            let denied = reason(&closed, "bob", "Blue-Boat-22").await;
            assert_eq!(denied, Reason::InDeniedGroup, "{kind:?} {base} {filter:?}");
        }
    }
}

#[tokio::test]
async fn a_filter_shows_groups_that_the_entry_tells_of_however_the_person_came_into_them() {
    let eve = "\ndn: uid=eve,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: eve\ncn: Eve\nsn: Eve\n\
        userPassword: Eve-Elm-1\nmemberOf: cn=inner,ou=groups,dc=example,dc=com\nmemberOf: cn=outer,ou=groups,dc=example,dc=com\n\n\
        dn: cn=inner,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: inner\n\
        member: uid=eve,ou=people,dc=example,dc=com\n\n\
        dn: cn=outer,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: outer\n\
        member: cn=inner,ou=groups,dc=example,dc=com\n\n\
        dn: cn=outermost,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: outermost\n\
        member: cn=outer,ou=groups,dc=example,dc=com\n";
    let world = World::with(&format!("{PEOPLE}{eve}")).await;
    let directories = world.directories(|settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
        settings.groups.searches[0].filter = Some(Filter::equal("objectClass", "groupOfNames"));
    });
    let person = admitted(&directories, "eve", "Eve-Elm-1").await;
    assert_eq!(names(&person), ["inner", "outer"], "what the entry does not tell of is not followed to");
}

#[tokio::test]
async fn member_of_is_read_from_the_entry_and_climbs_when_nested() {
    let world = World::people().await;
    let flat = world.directories(|settings| settings.groups.kinds = vec![GroupKind::MemberOf]);
    assert_eq!(names(&admitted(&flat, "carol", "Green-Garden-33").await), ["level1"]);
    let nested = world.directories(|settings| {
        settings.groups.kinds = vec![GroupKind::MemberOf];
        settings.groups.nested = true;
    });
    let person = admitted(&nested, "carol", "Green-Garden-33").await;
    assert_eq!(names(&person), ["far", "farther", "level1", "level2", "level3"]);
}

#[tokio::test]
async fn a_group_outside_the_base_never_counts() {
    let stranger = "\ndn: uid=eve,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: eve\ncn: Eve\nsn: Eve\n\
        userPassword: Eve-Elm-1\nmemberOf: cn=admins,ou=groups,dc=elsewhere,dc=com\nmemberOf: nonsense\n\
        memberOf: CN=Staff,ou=groups,dc=example,dc=com\n";
    let world = World::with(&format!("{PEOPLE}{stranger}")).await;
    let directories = world.directories(|settings| settings.groups.kinds = vec![GroupKind::MemberOf]);
    let person = admitted(&directories, "eve", "Eve-Elm-1").await;
    assert_eq!(names(&person), ["Staff"]);
    assert_eq!(person.memberships().count(), 1);
}

#[tokio::test]
async fn a_list_of_groups_that_is_cut_short_admits_nobody_past_a_deny() {
    let world = World::people().await;
    for rule in [Some(in_group("level3")), None] {
        let directories = world.directories(|settings| settings.deny = rule.clone());
        let typed = ldapgate_auth::Credentials::parse("alice", "Red-Apple-11".to_owned(), Default::default())
            .unwrap();
        let located = match directories.locate(&typed.username, &ldapgate_auth::Silent).await.unwrap() {
            ldapgate_auth::Answer::Yes(located) => located,
            ldapgate_auth::Answer::No(denial) => panic!("{denial}"),
        };
        let proof = match located.prove(&typed.password, &ldapgate_auth::Silent).await.unwrap() {
            ldapgate_auth::Answer::Yes(proof) => proof,
            ldapgate_auth::Answer::No(denial) => panic!("{denial}"),
        };
        let cut = LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, "");
        // At once, and in pages.
        world.directory.faults().next(Kind::Search, 2, Fault::Answer(cut));
        match (rule, proof.person(&ldapgate_auth::Silent).await) {
            (Some(_), Err(error)) => {
                assert_eq!((error.fault(), error.bound()), (Whose::Directory, true));
            }
            (None, Ok(person)) => assert!(!person.groups_complete()),
            (rule, answer) => panic!("{rule:?}: {answer:?}"),
        }
    }
}

#[tokio::test]
async fn a_failing_search_for_groups_fails_the_login() {
    let world = World::people().await;
    let directories =
        world.directories(|settings| settings.groups.searches[0].base = dn("ou=nowhere,dc=example,dc=com"));
    let error = failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.bound(), error.proved()), (Whose::Configuration, true, true));
}

#[tokio::test]
async fn names_of_groups_are_looked_up_among_groups_only() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    assert_eq!(directories.groups_named("main", "Staff").await.unwrap(), [group("staff")]);
    assert_eq!(directories.groups_named("main", "Alice Anderson").await.unwrap(), []);
    assert!(directories.groups_named("other", "staff").await.is_err());
}
