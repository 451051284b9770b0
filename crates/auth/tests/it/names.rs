//! Names that are more than names, and the many ways to type one.

use ldapgate_auth::{Answer, Fold, Reason, Silent, UserSearch, Username};
use proto::Scope;

use crate::world::{World, admitted, dn, reason};

#[tokio::test]
async fn every_way_to_type_a_name_has_one_key() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.user.matches = vec!["uid".to_owned(), "mail".to_owned()];
        settings.domains = vec!["CORP".to_owned()];
    });
    for name in
        ["alice", "ALICE", "  Alice\t", "corp\\alice", "Alice@Corp", "alice@example.com", "\u{ff21}lice"]
    {
        let username = Username::parse(name, Fold::Lower).unwrap();
        let Ok(Answer::Yes(located)) = directories.locate(&username, &Silent).await else {
            panic!("{name} is known");
        };
        assert_eq!((located.key(), located.directory()), ("alice", "main"), "{name}");
        assert!(located.was_searched());
    }
}

#[tokio::test]
async fn a_name_that_is_a_filter_finds_nobody() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    for name in
        ["*", "a*", "*)(uid=*", "alice)(objectClass=*", "\\61lice", "alice\\", "(|(uid=alice))", "{input}"]
    {
        assert_eq!(reason(&directories, name, "Red-Apple-11").await, Reason::UnknownUser, "{name}");
    }
}

#[tokio::test]
async fn a_name_full_of_special_characters_signs_in() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    let person = admitted(&directories, "we(i)rd*\\us,er", "White-Whale-16").await;
    assert_eq!(person.username(), "we(i)rd*\\us,er");
    assert_eq!(crate::world::names(&person), ["staff"]);
}

#[tokio::test]
async fn a_unicode_name_signs_in_however_it_is_composed() {
    let world = World::people().await;
    let directories = world.directories(|_| ());
    for name in ["jürgen", "JÜRGEN", "ju\u{308}rgen"] {
        assert_eq!(admitted(&directories, name, "Gelb-Glas-17").await.username(), "jürgen");
    }
}

#[tokio::test]
async fn a_mail_address_does_not_outrank_a_name() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.user.matches = vec!["uid".to_owned(), "mail".to_owned()];
    });
    assert_eq!(admitted(&directories, "alice", "Red-Apple-11").await.username(), "alice");
    assert_eq!(reason(&directories, "alice", "Mean-Mouse-44").await, Reason::WrongPassword);
    assert_eq!(admitted(&directories, "alice@example.com", "Red-Apple-11").await.username(), "alice");
}

#[tokio::test]
async fn several_searches_are_merged_and_still_find_exactly_one() {
    let world = World::people().await;
    let below = |base: &str| UserSearch { base: dn(base), scope: Scope::One, filter: None };
    let directories = world.directories(|settings| {
        settings.user.searches =
            vec![below("ou=people,dc=example,dc=com"), below("ou=partners,dc=example,dc=com")];
    });
    assert_eq!(admitted(&directories, "petra", "Pine-Park-14").await.username(), "petra");
    assert_eq!(reason(&directories, "twin", "Twin-Inside-12").await, Reason::AmbiguousUser);
    let overlapping = world.directories(|settings| {
        let whole = UserSearch { scope: Scope::Subtree, ..below("dc=example,dc=com") };
        settings.user.searches = vec![whole, below("ou=people,dc=example,dc=com")];
    });
    assert_eq!(admitted(&overlapping, "alice", "Red-Apple-11").await.username(), "alice");
}

#[tokio::test]
async fn a_search_that_fails_fails_the_whole() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        let mut nowhere = settings.user.searches[0].clone();
        nowhere.base = dn("ou=nowhere,dc=example,dc=com");
        settings.user.searches.push(nowhere);
    });
    crate::world::failed(&directories, "alice", "Red-Apple-11").await;
}

#[tokio::test]
async fn a_filter_with_a_placeholder_is_the_whole_search() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        settings.user.searches = vec![UserSearch::below(settings.base.clone(), "(mail={input})").unwrap()];
    });
    assert_eq!(admitted(&directories, "alice@example.com", "Red-Apple-11").await.username(), "alice");
    assert_eq!(reason(&directories, "bob", "Blue-Boat-22").await, Reason::UnknownUser);
}

#[tokio::test]
async fn a_filter_without_one_narrows_the_search() {
    let world = World::people().await;
    let directories = world.directories(|settings| {
        let filter = "(&(objectClass=inetOrgPerson)(objectClass=posixAccount))";
        settings.user.searches = vec![UserSearch::below(settings.base.clone(), filter).unwrap()];
    });
    admitted(&directories, "alice", "Red-Apple-11").await;
    assert_eq!(reason(&directories, "bob", "Blue-Boat-22").await, Reason::UnknownUser);
}

#[tokio::test]
async fn a_domain_alone_is_no_name() {
    let world = World::people().await;
    let directories = world.directories(|settings| settings.domains = vec!["corp".to_owned()]);
    assert_eq!(reason(&directories, "@corp", "x").await, Reason::BadUsername);
    assert_eq!(reason(&directories, "CORP\\", "x").await, Reason::BadUsername);
}

#[tokio::test]
async fn a_name_that_a_crowd_has_is_ambiguous_and_not_the_first_of_them() {
    let person = |n| {
        format!(
            "\ndn: cn=p{n},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: crowd\ncn: p{n}\nsn: p\n\
            userPassword: Crowd-Cat-1\n"
        )
    };
    let crowd: String = (0..25).map(person).collect();
    let world = World::with(&format!("{}{crowd}", crate::world::PEOPLE)).await;
    assert_eq!(reason(&world.directories(|_| ()), "crowd", "Crowd-Cat-1").await, Reason::AmbiguousUser);
}
