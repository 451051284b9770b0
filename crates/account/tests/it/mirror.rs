//! Local groups that follow the directory's, and what happens when they cannot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use directory::{Fault as Broken, Kind};
use futures_util::future::BoxFuture;
use ldapgate_account::store::{Find, Mirror};
use ldapgate_account::{
    Account, DirectorySettings, Fault, Hook, Lookup, Origin, Outcome, Profile, Refusal, Settings,
};
use proto::{LdapResult, ResultCode};

use crate::watched::Watched;
use crate::world::{PEOPLE, Server, World, directories};

const ALICE: &str = "member: uid=alice,ou=people,dc=example,dc=com\n";

fn mirroring(mirror: Mirror) -> Settings {
    let main = DirectorySettings { mirror, for_external_users: true, ..DirectorySettings::default() };
    Settings { directories: BTreeMap::from([("main".to_owned(), main)]), ..Settings::default() }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn local(account: &Account) -> Vec<&str> {
    account.local_group_names().collect()
}

/// Exchanges the directory's data.
async fn becomes(world: &World, ldif: &str, mirror: Mirror) -> Server {
    let server = Server::start(ldif).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    world.accounts.reconfigure(mirroring(mirror), directories).await.unwrap();
    server
}

async fn looked_up(world: &World, username: &str) -> Account {
    match world.accounts.look_up(username, None).await.unwrap() {
        Lookup::Found { account, .. } => *account,
        Lookup::Denied(denial) => panic!("not found: {denial}"),
    }
}

async fn stored(world: &World) -> Account {
    let find = Find::LocalName("alice".to_owned());
    world.accounts.store().account(find).await.unwrap().expect("there is Alice")
}

#[tokio::test]
async fn every_group_is_made_and_followed_exactly_at_each_login_and_look_up() {
    let world = World::with(mirroring(Mirror::All), |_| {}).await;
    assert_eq!(local(&world.granted("alice", "alice-secret").await.account), ["staff", "writers"]);
    world.granted("bob", "bob-secret").await;
    let told = async || {
        let groups = world.accounts.local_groups().await.unwrap();
        groups.into_iter().map(|group| (group.name, group.members.join(" "))).collect::<Vec<_>>()
    };
    let of = |name: &str, members: &str| (name.to_owned(), members.to_owned());
    assert_eq!(told().await, [of("staff", "alice"), of("writers", "alice bob")]);

    let leaves = PEOPLE.replacen(ALICE, "member: uid=bob,ou=people,dc=example,dc=com\n", 1);
    let _server = becomes(&world, &leaves, Mirror::All).await;
    assert_eq!(local(&world.granted("alice", "alice-secret").await.account), ["writers"]);
    assert_eq!(local(&looked_up(&world, "bob").await), ["staff", "writers"]);
    assert_eq!(told().await, [of("staff", "bob"), of("writers", "alice bob")]);
    let alone = PEOPLE.replace("member: uid=bob,ou=people,dc=example,dc=com\n", "");
    let _server = becomes(&world, &alone, Mirror::All).await;
    assert!(local(&looked_up(&world, "bob").await).is_empty());
}

#[tokio::test]
async fn only_the_named_groups_follow_and_the_others_stay_as_they_are() {
    let world = World::with(mirroring(Mirror::All), |_| {}).await;
    world.granted("alice", "alice-secret").await;
    let nothing = PEOPLE.replace(ALICE, "member: uid=carol,ou=people,dc=example,dc=com\n");
    let _server = becomes(&world, &nothing, Mirror::Only(names(&["staff"]))).await;
    assert_eq!(local(&world.granted("alice", "alice-secret").await.account), ["writers"]);
    let _server = becomes(&world, PEOPLE, Mirror::Only(names(&["staff"]))).await;
    assert_eq!(local(&world.granted("bob", "bob-secret").await.account), Vec::<&str>::new());
}

#[tokio::test]
async fn all_but_the_named_groups_follow() {
    let world = World::with(mirroring(Mirror::Except(names(&["writers"]))), |_| {}).await;
    assert_eq!(local(&world.granted("alice", "alice-secret").await.account), ["staff"]);
    assert!(local(&world.granted("bob", "bob-secret").await.account).is_empty());
}

#[tokio::test]
async fn groups_in_groups_are_flattened() {
    let above = "\ndn: cn=house,dc=example,dc=com\nobjectClass: groupOfNames\ncn: house\nmember: cn=staff,dc=example,dc=com\n";
    let server = Server::start(&format!("{PEOPLE}{above}")).await;
    let directories = directories(vec![server.entry("main", |settings| settings.groups.nested = true)]);
    let world = World::over(server, directories, mirroring(Mirror::All)).await;
    assert_eq!(local(&world.granted("alice", "alice-secret").await.account), ["house", "staff", "writers"]);
    assert_eq!(local(&world.granted("bob", "bob-secret").await.account), ["writers"]);
}

#[tokio::test]
async fn who_comes_from_elsewhere_is_in_no_local_group() {
    let world = World::with(mirroring(Mirror::All), |_| {}).await;
    match world.accounts.external("alice", &Origin::default()).await.unwrap() {
        Lookup::Found { account, .. } => assert!(local(&account).is_empty()),
        Lookup::Denied(denial) => panic!("not found: {denial}"),
    }
    assert!(world.accounts.local_groups().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_group_whose_name_is_none_for_a_local_group_is_left_out() {
    // "a", a line feed, "b"; and 256 times "x".
    let odd = format!(
        "\ndn: ou=odd,dc=example,dc=com\nobjectClass: groupOfNames\nou: odd\ncn:: YQpi\n{ALICE}\n\
         dn: ou=long,dc=example,dc=com\nobjectClass: groupOfNames\nou: long\ncn: {}\n{ALICE}",
        "x".repeat(256)
    );
    let world = World::with(mirroring(Mirror::All), |_| {}).await;
    let _server = becomes(&world, &format!("{PEOPLE}{odd}"), Mirror::All).await;
    let account = world.granted("alice", "alice-secret").await.account;
    assert_eq!(account.groups.len(), 4, "the directory's groups are as they are: {:?}", account.groups);
    assert_eq!(local(&account), ["staff", "writers"]);
}

#[tokio::test]
async fn groups_that_cannot_be_read_whole_fail_the_login_and_take_nothing_away() {
    let world = World::with(mirroring(Mirror::All), |_| {}).await;
    world.granted("alice", "alice-secret").await;
    let before = stored(&world).await;
    let sessions = world.accounts.sessions(None).await.unwrap();
    let cut = || Broken::Answer(LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, ""));
    // Less in the profile and less in the groups: nothing of it may be kept.
    let less = PEOPLE.replace("mail: alice@example.com\n", "").replacen(
        ALICE,
        "member: uid=bob,ou=people,dc=example,dc=com\n",
        1,
    );
    for broken in [Broken::unavailable as fn() -> Broken, cut, || Broken::Close] {
        let server = becomes(&world, &less, Mirror::All).await;
        let known = looked_up(&world, "bob").await;
        assert_eq!(local(&known), ["staff", "writers"], "the directory is there");
        for log_in in [true, false] {
            server.directory.clear_operations();
            fail_groups(&server, broken());
            let fault = match log_in {
                true => match world.sign_in("alice", "alice-secret").await {
                    Outcome::Failed { fault, .. } => fault,
                    other => panic!("not failed: {other:?}"),
                },
                false => world.accounts.look_up("alice", None).await.expect_err("it fails").fault(),
            };
            server.directory.faults().clear();
            assert_eq!(fault, Fault::Directory);
            assert_eq!(stored(&world).await, before);
            assert_eq!(world.accounts.sessions(None).await.unwrap(), sessions, "and nobody is signed in");
        }
    }
    let _server = becomes(&world, &less, Mirror::All).await;
    assert_eq!(local(&world.granted("alice", "alice-secret").await.account), ["writers"], "then it follows");
}

/// The search for the person goes through, the one for groups does not, however often it is asked again.
fn fail_groups(server: &Server, broken: Broken) {
    let faults = server.directory.faults();
    faults.next(Kind::Search, 1, Broken::Delay(std::time::Duration::ZERO));
    faults.next(Kind::Search, 20, broken);
}

/// Breaks the store in the last moment before everything is written.
struct Breaks(Arc<Watched>);

impl Hook for Breaks {
    fn admit<'a>(&'a self, _profile: &'a mut Profile) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            self.0.set_down(true);
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_store_that_fails_while_groups_are_mirrored_leaves_everything_as_it_was() {
    let world = World::with(mirroring(Mirror::All), |_| {}).await;
    world.granted("alice", "alice-secret").await;
    let before = stored(&world).await;
    let _server = becomes(&world, &PEOPLE.replace(ALICE, ""), Mirror::All).await;
    world.accounts.add_hook(Arc::new(Breaks(Arc::clone(&world.store))));
    match world.sign_in("alice", "alice-secret").await {
        Outcome::Failed { fault, .. } => assert_eq!(fault, Fault::Store),
        other => panic!("not failed: {other:?}"),
    }
    world.store.set_down(false);
    assert_eq!(stored(&world).await, before);
    assert_eq!(world.accounts.sessions(None).await.unwrap().len(), 1, "the new session is not there either");
}
