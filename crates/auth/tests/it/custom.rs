//! Kinds of groups that an application brings along.

use std::pin::Pin;
use std::sync::Arc;

use directory::{Fault, Kind};
use ldapgate_auth::{CustomKind, Directories, Fault as Whose, GroupKind, GroupLookup, Reason};
use proto::{Dn, Filter};

use crate::world::{World, admitted, dn, failed, group, in_group, names, reason};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Whoever has a telephone is in the group that carries their first name, and in three that it makes up.
#[derive(Debug, Default)]
struct Telephones {
    climbs: bool,
    fails: bool,
}

impl CustomKind for Telephones {
    fn attributes(&self) -> Vec<String> {
        vec!["telephoneNumber".to_owned(), "givenName".to_owned()]
    }

    fn groups<'a>(&'a self, lookup: &'a mut GroupLookup<'_>) -> Answer<'a, Vec<Dn>> {
        Box::pin(async move {
            if self.fails {
                return Err("the telephones are out of order".into());
            }
            if lookup.values("telephoneNumber").next().is_none() {
                return Ok(Vec::new());
            }
            let first = lookup.texts("givenName").next().unwrap_or_default().to_owned();
            let named = Filter::equal("objectClass", "groupOfNames") & Filter::equal("description", &first);
            let mut groups = lookup.matching(named).await?;
            groups.extend([group("made-up"), group("listed"), dn("cn=elsewhere,dc=evil")]);
            Ok(groups)
        })
    }

    fn is_member<'a>(&'a self, group: &'a Dn, lookup: &'a mut GroupLookup<'_>) -> Answer<'a, Option<bool>> {
        Box::pin(async move {
            let number = lookup.texts("telephoneNumber").next().unwrap_or_default().to_owned();
            Ok(match group.as_str().split([',', '=']).nth(1) {
                Some("listed") => Some(false),
                Some("operators") => Some(lookup.matches(group, Filter::equal("description", number)).await?),
                _ => None,
            })
        })
    }

    fn member_attribute(&self) -> Option<&str> {
        self.climbs.then_some("member")
    }
}

const GROUPS: &str = "
dn: cn=callers,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: callers
cn: called otherwise
description: Alice

dn: cn=above,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: above
member: cn=callers,ou=groups,dc=example,dc=com

dn: cn=operators,ou=other-groups,dc=example,dc=com
objectClass: groupOfNames
cn: operators
description: 1000
";

async fn world() -> World {
    World::with(&format!("{}{GROUPS}", crate::world::PEOPLE)).await
}

fn directories(
    world: &World,
    kind: Telephones,
    change: impl FnOnce(&mut ldapgate_auth::Settings),
) -> Directories {
    world.directories(|settings| {
        settings.groups.kinds.clear();
        settings.groups.custom.push(Arc::new(kind));
        change(settings);
    })
}

#[tokio::test]
async fn an_application_s_kind_is_joined_with_the_others() {
    let world = world().await;
    let alone = directories(&world, Telephones::default(), |_| ());
    let person = admitted(&alone, "alice", "Red-Apple-11").await;
    assert_eq!(names(&person), ["callers", "listed", "made-up"]);
    assert!(person.memberships().all(|group| group.is_below(&dn("dc=example,dc=com"))));
    assert!(names(&admitted(&alone, "bob", "Blue-Boat-22").await).is_empty());
    let joined = directories(&world, Telephones::default(), |settings| {
        settings.groups.kinds = vec![GroupKind::GroupOfUniqueNames];
    });
    let person = admitted(&joined, "alice", "Red-Apple-11").await;
    assert_eq!(names(&person), ["callers", "listed", "made-up", "unique"]);
}

#[tokio::test]
async fn what_it_says_of_one_group_outweighs_its_list() {
    let world = world().await;
    let operators = dn("cn=operators,ou=other-groups,dc=example,dc=com");
    let directories = directories(&world, Telephones::default(), |settings| {
        settings.named = vec![group("listed"), group("callers"), group("staff"), operators.clone()];
        settings.groups.searches[0].base = dn("ou=groups,dc=example,dc=com");
    });
    let person = admitted(&directories, "alice", "Red-Apple-11").await;
    assert!(person.is_in(&operators) && person.is_in(&group("callers")));
    assert!(!person.is_in(&group("listed")) && !person.is_in(&group("staff")));
}

#[tokio::test]
async fn its_groups_are_judged_and_followed_like_all_others() {
    let world = world().await;
    let denying =
        directories(&world, Telephones::default(), |settings| settings.deny = Some(in_group("above")));
    admitted(&denying, "alice", "Red-Apple-11").await;
    let climbing = directories(&world, Telephones { climbs: true, fails: false }, |settings| {
        settings.groups.nested = true;
        settings.deny = Some(in_group("above"));
    });
    assert_eq!(reason(&climbing, "alice", "Red-Apple-11").await, Reason::InDeniedGroup);
}

#[tokio::test]
async fn its_failure_is_an_error_and_denies_nobody() {
    let world = world().await;
    let broken = directories(&world, Telephones { fails: true, climbs: false }, |_| ());
    let error = failed(&broken, "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.proved()), (Whose::Internal, true));
    assert_eq!(error.causes(), ["the telephones are out of order"]);
    assert!(error.to_string().contains("Telephones"), "{error}");
}

#[tokio::test]
async fn a_directory_that_fails_below_it_is_the_directory_s_fault() {
    let world = world().await;
    let directories = directories(&world, Telephones::default(), |_| ());
    admitted(&directories, "alice", "Red-Apple-11").await;
    world.directory.faults().next(Kind::Search, 1, Fault::Delay(std::time::Duration::ZERO));
    world.directory.faults().next(Kind::Search, 1, Fault::unavailable());
    let error = failed(&directories, "alice", "Red-Apple-11").await;
    assert_eq!((error.fault(), error.proved()), (Whose::Directory, true));
}
