//! From a person of the directory to an account of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auth::Rule;
use futures_util::future::BoxFuture;
use ldapgate_account::store::Mirror;
use ldapgate_account::{
    DirectorySettings, Fault, Hook, LocalName, Outcome, PermissionKey, Profile, Refusal, Settings,
};

use crate::world::{PEOPLE, Server, World, directories, group, reason};

fn with(change: impl FnOnce(&mut DirectorySettings)) -> Settings {
    let mut main = DirectorySettings::default();
    change(&mut main);
    Settings { directories: BTreeMap::from([("main".to_owned(), main)]), ..Settings::default() }
}

/// Exchanges the directory for one in which Alice has another first name and no mail any more.
async fn change_alice(world: &World, settings: Settings) -> Server {
    let changed =
        PEOPLE.replace("givenName: Alice", "givenName: Alicia").replace("mail: alice@example.com\n", "");
    let server = Server::start(&changed).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    world.accounts.reconfigure(settings, directories).await.unwrap();
    server
}

#[tokio::test]
async fn a_profile_follows_the_directory() {
    let world = World::start().await;
    let before = world.granted("alice", "alice-secret").await.account;
    let _server = change_alice(&world, Settings::default()).await;
    let after = world.granted("alice", "alice-secret").await.account;
    assert_eq!(after.id, before.id);
    assert_eq!(after.fields, BTreeMap::from([("first_name".to_owned(), "Alicia".to_owned())]));
}

#[tokio::test]
async fn a_profile_stays_where_that_is_chosen_but_not_for_look_ups() {
    let keep = || with(|main| main.update_on_login = false);
    let world = World::with(keep(), |_| {}).await;
    let before = world.granted("alice", "alice-secret").await.account;
    assert_eq!(before.fields["first_name"], "Alice");
    let _server = change_alice(&world, keep()).await;
    assert_eq!(world.granted("alice", "alice-secret").await.account.fields, before.fields);
    world.accounts.look_up("alice", None).await.unwrap();
    assert_eq!(world.granted("alice", "alice-secret").await.account.fields["first_name"], "Alicia");
}

#[tokio::test]
async fn flags_and_groups_follow_where_the_profile_stays() {
    let keep = || with(|main| main.update_on_login = false);
    let staff = |settings: &mut auth::Settings| {
        settings.flags = [("is_staff".to_owned(), Rule::Group(group("staff")))].into();
    };
    let world = World::with(keep(), staff).await;
    let before = world.granted("alice", "alice-secret").await.account;
    assert!(before.flags["is_staff"]);
    let leaves =
        PEOPLE.replacen("member: uid=alice,", "member: uid=bob,", 1).replace("cn: Alice Adams", "cn: A");
    let server = Server::start(&leaves.replace("mail: alice@example.com\n", "")).await;
    world.accounts.reconfigure(keep(), directories(vec![server.entry("main", staff)])).await.unwrap();
    let after = world.granted("alice", "alice-secret").await.account;
    assert!(!after.flags["is_staff"], "a flag is always set, to true or to false");
    assert_eq!(after.group_names().collect::<Vec<_>>(), ["writers"]);
    assert_eq!(after.fields["email"], "alice@example.com");
}

#[tokio::test]
async fn whether_somebody_is_new_is_told_after_the_right_password_only() {
    let world = World::with(with(|main| main.create_users = false), |_| {}).await;
    assert_eq!(reason(&world.sign_in("alice", "wrong").await), "wrong_password");
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "no_new_users");
    world.accounts.reconfigure(Settings::default(), world.accounts.directories()).await.unwrap();
    world.granted("alice", "alice-secret").await;
    let closed = with(|main| main.create_users = false);
    world.accounts.reconfigure(closed, world.accounts.directories()).await.unwrap();
    world.granted("alice", "alice-secret").await;
    assert_eq!(reason(&world.sign_in("bob", "bob-secret").await), "no_new_users");
}

#[tokio::test]
async fn strangers_stay_outside_where_that_is_chosen() {
    let world = World::with(with(|main| main.create_users = false), |_| {}).await;
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "no_new_users");
    assert_eq!(world.accounts.users().await.unwrap(), []);
}

#[tokio::test]
async fn a_namesake_of_another_directory_is_nobody_s_account() {
    let main = Server::start(PEOPLE).await;
    let partner = Server::start(&PEOPLE.replace("alice-secret", "other-secret")).await;
    let both = || {
        directories(vec![
            partner.entry("partner", |settings| settings.domains = vec!["partner".to_owned()]),
            main.entry("main", |settings| settings.domains = vec!["example".to_owned()]),
        ])
    };
    let world = World::over(Server::start(PEOPLE).await, both(), Settings::default()).await;
    let alice = world.granted("alice@example", "alice-secret").await.account;
    let namesake = world.sign_in("alice@partner", "other-secret").await;
    assert_eq!(reason(&namesake), "duplicate_account");

    let local_name = LocalName::parse("{username}@partner").unwrap();
    let settings = Settings {
        directories: BTreeMap::from([(
            "partner".to_owned(),
            DirectorySettings { local_name, ..DirectorySettings::default() },
        )]),
        ..Settings::default()
    };
    world.accounts.reconfigure(settings, both()).await.unwrap();
    let namesake = world.granted("alice@partner", "other-secret").await.account;
    assert_ne!(namesake.id, alice.id);
    assert_eq!((namesake.username.as_str(), namesake.local_name.as_str()), ("alice", "alice@partner"));
}

#[tokio::test]
async fn groups_give_permissions_by_name_and_dn_where_that_is_chosen() {
    let key = |text: &str| PermissionKey::parse(text, &[("main", &group("x").parent().unwrap())]).unwrap();
    let table = || {
        BTreeMap::from([
            (key("staff"), vec!["reports.view".to_owned(), "reports.edit".to_owned()]),
            (key("CN=Writers,dc=example,dc=com"), vec!["pages.edit".to_owned(), "reports.view".to_owned()]),
            (key("main:cn=elsewhere,dc=example,dc=com"), vec!["never".to_owned()]),
            (key("unheard of"), vec!["never".to_owned()]),
        ])
    };
    let settings = Settings { permissions: table(), ..with(|main| main.from_groups = true) };
    let world = World::with(settings, |_| {}).await;
    let alice = world.granted("alice", "alice-secret").await.account;
    assert_eq!(alice.permissions, ["pages.edit", "reports.edit", "reports.view"]);
    let bob = world.granted("bob", "bob-secret").await.account;
    assert_eq!(bob.permissions, ["pages.edit", "reports.view"]);

    let off = World::with(Settings { permissions: table(), ..Settings::default() }, |_| {}).await;
    assert!(off.granted("alice", "alice-secret").await.account.permissions.is_empty());
}

#[tokio::test]
async fn a_name_that_two_groups_have_gives_nothing() {
    let other = "\ndn: cn=staff,ou=people,dc=example,dc=com\nobjectClass: groupOfNames\ncn: staff\n\
                 member: uid=bob,ou=people,dc=example,dc=com\n";
    let server = Server::start(&format!("{PEOPLE}{other}")).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    let permissions =
        BTreeMap::from([(PermissionKey::Name("staff".to_owned()), vec!["reports.view".to_owned()])]);
    let settings = Settings { permissions, ..with(|main| main.from_groups = true) };
    let world = World::over(server, directories, settings).await;
    for (name, password) in [("alice", "alice-secret"), ("bob", "bob-secret")] {
        assert!(world.granted(name, password).await.account.permissions.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn local_groups_mirror_the_directory_s() {
    let only = Mirror::Only(BTreeSet::from(["staff".to_owned()]));
    let world = World::with(with(|main| main.mirror = only), |_| {}).await;
    assert_eq!(
        world.granted("alice", "alice-secret").await.account.local_group_names().collect::<Vec<_>>(),
        ["staff"]
    );
    assert!(world.granted("bob", "bob-secret").await.account.local_groups.is_empty());
}

struct Say(fn(&mut Profile) -> Result<(), Refusal>);

impl Hook for Say {
    fn admit<'a>(&'a self, profile: &'a mut Profile) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move { (self.0)(profile) })
    }
}

#[tokio::test]
async fn an_application_may_change_what_is_kept() {
    let world = World::start().await;
    world.accounts.add_hook(Arc::new(Say(|profile| {
        profile.fields.insert("desk".to_owned(), "12".to_owned());
        profile.permissions = vec!["b".to_owned(), "a".to_owned(), "a".to_owned()];
        profile.username = "root".to_owned();
        Ok(())
    })));
    let account = world.granted("alice", "alice-secret").await.account;
    assert_eq!(account.fields["desk"], "12");
    assert_eq!(account.permissions, ["a", "b"]);
    assert_eq!(account.username, "alice");
}

#[tokio::test]
async fn an_application_may_refuse_and_that_is_not_counted() {
    let world = World::start().await;
    world.accounts.add_hook(Arc::new(Say(|profile| match profile.known {
        false => Err(Refusal::refused("not today")),
        true => Ok(()),
    })));
    for _ in 0..6 {
        let outcome = world.sign_in("alice", "alice-secret").await;
        assert_eq!(reason(&outcome), "refused_by_application");
    }
    assert_eq!(world.accounts.users().await.unwrap(), []);
}

#[tokio::test]
async fn an_application_that_fails_denies_nobody() {
    let world = World::start().await;
    world.accounts.add_hook(Arc::new(Say(|_| {
        "x".parse::<u8>()?;
        Ok(())
    })));
    match world.sign_in("alice", "alice-secret").await {
        Outcome::Failed { fault, causes, .. } => {
            assert_eq!((fault, causes.len()), (Fault::Internal, 1));
        }
        other => panic!("not failed: {other:?}"),
    }
}
