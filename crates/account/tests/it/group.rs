//! What local groups and people are granted here, and whose group a name means.

use std::collections::BTreeMap;

use directory::{Fault as Broken, Kind};
use ldapgate_account::store::Mirror;
use ldapgate_account::{
    Account, DirectorySettings, Fault, GrantRefused, LocalName, Lookup, NotOne, Origin, Settings,
};

use crate::world::{PEOPLE, Server, World, directories, until};

const STAFF: &str = "cn=staff,dc=example,dc=com";

fn mirroring() -> Settings {
    let of = |text: &str| DirectorySettings {
        mirror: Mirror::All,
        local_name: LocalName::parse(text).unwrap(),
        for_external_users: true,
        ..DirectorySettings::default()
    };
    let directories = [("main", of("{username}")), ("partner", of("{username}@partner"))];
    Settings {
        directories: directories.map(|(name, settings)| (name.to_owned(), settings)).into(),
        ..Settings::default()
    }
}

/// The two directories of one world know the same names, of people and of groups.
struct Both {
    world: World,
    partner: Server,
}

async fn both() -> Both {
    let (main, partner) = (Server::start(PEOPLE).await, Server::start(PEOPLE).await);
    let list = vec![
        main.entry("main", |settings| settings.domains = vec!["main".to_owned()]),
        partner.entry("partner", |settings| settings.domains = vec!["partner".to_owned()]),
    ];
    let world = World::over(main, directories(list), mirroring()).await;
    Both { world, partner }
}

fn words(permissions: &[&str]) -> Vec<String> {
    permissions.iter().map(|name| (*name).to_owned()).collect()
}

async fn grant(world: &World, group: &str, permissions: &[&str]) -> Result<Vec<String>, GrantRefused> {
    let granted = world.accounts.grant_group(group, &words(permissions), &Origin::default()).await.unwrap();
    granted.map(|granted| granted.granting.changed)
}

async fn revoke(world: &World, group: &str, permissions: &[&str]) -> Result<Vec<String>, GrantRefused> {
    let revoked = world.accounts.revoke_group(group, &words(permissions), &Origin::default()).await.unwrap();
    revoked.map(|revoked| revoked.granting.changed)
}

async fn account(world: &World, name: &str) -> Account {
    world.accounts.account_called(name).await.unwrap().expect("the account is there")
}

#[tokio::test]
async fn what_a_group_is_granted_its_members_may_do_at_once() {
    let world = World::with(mirroring(), |_| {}).await;
    let cookie = world.cookie().await;
    world.granted("bob", "bob-secret").await;
    let may = async |permission: &str| {
        let session = world.accounts.session(&cookie).await.unwrap().expect("she is signed in");
        session.account.has_permission(permission)
    };
    assert!(!may("reports.view").await);
    assert_eq!(
        grant(&world, "staff", &["reports.view", "reports.edit"]).await,
        Ok(words(&["reports.edit", "reports.view"]))
    );
    assert!(may("reports.view").await, "a session that is running knows it");
    assert!(account(&world, "bob").await.permissions.is_empty());
    assert_eq!(grant(&world, "staff", &["reports.view"]).await, Ok(Vec::new()), "twice is no mistake");
    assert_eq!(revoke(&world, "staff", &["reports.view"]).await, Ok(words(&["reports.view"])));
    assert!(!may("reports.view").await && may("reports.edit").await);
    assert_eq!(
        revoke(&world, "staff", &["reports.view"]).await,
        Err(GrantRefused::Nothing("staff".to_owned()))
    );

    let events = world.accounts.audit_after(0, None, 20).await.unwrap();
    let told: Vec<_> = events.iter().filter(|record| record.audit.event.starts_with("group_")).collect();
    assert_eq!(
        told.iter().map(|record| record.audit.event.as_str()).collect::<Vec<_>>(),
        ["group_granted", "group_revoked"]
    );
    assert_eq!(told[1].audit.detail.as_deref(), Some("main:cn=staff,dc=example,dc=com: reports.view"));
}

#[tokio::test]
async fn another_replica_knows_what_is_granted_and_taken_back() {
    let world = World::with(mirroring(), |_| {}).await;
    let cookie = world.cookie().await;
    let replica = world.replica().await;
    let following = tokio::spawn({
        let replica = replica.clone();
        async move { replica.follow().await }
    });
    let may = async || {
        let session = replica.session(&cookie).await.unwrap().expect("she is signed in");
        session.account.has_permission("reports.view")
    };
    assert!(!may().await);
    grant(&world, "staff", &["reports.view"]).await.unwrap();
    until(&may).await;
    let alice = account(&world, "alice").await;
    revoke(&world, "staff", &["reports.view"]).await.unwrap();
    until(async || !may().await).await;
    world.accounts.grant(&alice, &words(&["reports.view"]), &Origin::default()).await.unwrap().unwrap();
    until(&may).await;
    following.abort();
}

#[tokio::test]
async fn one_directory_cannot_speak_for_another_s_group() {
    let Both { world, partner: _partner } = both().await;
    let alice = world.granted("alice@main", "alice-secret").await.account;
    let namesake = world.granted("alice@partner", "alice-secret").await.account;
    let refused = grant(&world, "staff", &["reports.view"]).await;
    let groups = vec![format!("main:{STAFF}"), format!("partner:{STAFF}")];
    assert_eq!(refused, Err(GrantRefused::Several { name: "staff".to_owned(), groups: groups.clone() }));
    assert_eq!(grant(&world, &groups[0], &["reports.view"]).await, Ok(words(&["reports.view"])));
    assert_eq!(account(&world, &alice.local_name).await.permissions, ["reports.view"]);
    assert!(account(&world, &namesake.local_name).await.permissions.is_empty());
    let again = world.granted("alice@partner", "alice-secret").await.account;
    assert!(again.permissions.is_empty() && again.local_group_names().any(|name| name == "staff"));

    assert_eq!(grant(&world, &groups[1], &["pages.edit"]).await, Ok(words(&["pages.edit"])));
    assert_eq!(account(&world, &alice.local_name).await.permissions, ["reports.view"]);
    assert!(matches!(grant(&world, "staff", &["more"]).await, Err(GrantRefused::Several { .. })));
    assert_eq!(
        revoke(&world, "staff", &["pages.edit"]).await,
        Ok(words(&["pages.edit"])),
        "one of them has it"
    );
    assert_eq!(grant(&world, "staff", &["more"]).await, Ok(words(&["more"])), "one is known by its grants");
    assert_eq!(account(&world, &alice.local_name).await.permissions, ["more", "reports.view"]);
}

#[tokio::test]
async fn a_group_is_named_by_name_or_by_place_and_has_to_be_there() {
    let world = World::with(mirroring(), |_| {}).await;
    world.granted("alice", "alice-secret").await;
    for (index, name) in
        ["Staff", "CN=Staff, dc=example,dc=com", "main:cn=staff,dc=example,dc=com"].into_iter().enumerate()
    {
        let permission = format!("p{index}");
        assert_eq!(grant(&world, name, &[&permission]).await, Ok(vec![permission.clone()]), "{name}");
    }
    assert_eq!(account(&world, "alice").await.permissions, ["p0", "p1", "p2"]);
    assert_eq!(
        revoke(&world, "main:CN=staff,dc=example,dc=com", &["p0", "p1"]).await,
        Ok(words(&["p0", "p1"]))
    );
    for name in ["crew", "cn=crew,dc=example,dc=com", "uid=alice,ou=people,dc=example,dc=com"] {
        assert_eq!(grant(&world, name, &["x"]).await, Err(GrantRefused::NoGroup(name.to_owned())));
    }
    for name in ["", "cn=staff,dc=elsewhere,dc=org", "other:cn=staff,dc=example,dc=com"] {
        assert!(matches!(grant(&world, name, &["x"]).await, Err(GrantRefused::Key(_))), "{name}");
    }
    for permission in ["", "may view", "tab\t", &"x".repeat(129)] {
        let refused = grant(&world, "staff", &["fine", permission]).await;
        assert_eq!(refused, Err(GrantRefused::Permission(permission.to_owned())));
    }
    assert_eq!(account(&world, "alice").await.permissions, ["p2"], "nothing of it was granted");
    assert_eq!(grant(&world, "staff", &[&"x".repeat(128)]).await.map(|granted| granted.len()), Ok(1));
}

#[tokio::test]
async fn a_directory_that_does_not_answer_is_a_failure_unless_the_group_is_known() {
    let Both { world, partner } = both().await;
    let broken = || partner.directory.faults().always(Kind::Search, Broken::unavailable());
    broken();
    let asked = world.accounts.grant_group("writers", &words(&["x"]), &Origin::default()).await;
    assert_eq!(asked.expect_err("the partner may have a namesake").fault(), Fault::Directory);
    assert!(world.accounts.local_groups().await.unwrap().is_empty());
    grant(&world, "main:cn=writers,dc=example,dc=com", &["x"]).await.unwrap();
    world.server.directory.faults().always(Kind::Search, Broken::unavailable());
    assert_eq!(grant(&world, "writers", &["y"]).await, Ok(words(&["y"])));
    assert_eq!(revoke(&world, "writers", &["x", "y"]).await, Ok(words(&["x", "y"])));
}

#[tokio::test]
async fn a_group_that_is_renamed_or_moved_is_another_group() {
    let world = World::with(mirroring(), |_| {}).await;
    world.granted("alice", "alice-secret").await;
    grant(&world, "staff", &["reports.view"]).await.unwrap();
    assert_eq!(world.granted("alice", "alice-secret").await.account.permissions, ["reports.view"]);
    let moved = PEOPLE.replace("dn: cn=staff,dc=example", "dn: cn=staff,ou=people,dc=example");
    let server = Server::start(&moved).await;
    world.accounts.reconfigure(mirroring(), directories(vec![server.entry("main", |_| {})])).await.unwrap();
    let after = world.granted("alice", "alice-secret").await.account;
    assert!(after.permissions.is_empty(), "{:?}", after.local_groups);
    assert!(after.local_group_names().any(|name| name == "staff"));
    let new = "cn=staff,ou=people,dc=example,dc=com";
    grant(&world, new, &["reports.view"]).await.unwrap();
    assert_eq!(account(&world, "alice").await.permissions, ["reports.view"]);
    assert_eq!(
        revoke(&world, &format!("main:{STAFF}"), &["reports.view"]).await,
        Ok(words(&["reports.view"]))
    );
}

#[tokio::test]
async fn a_group_that_nothing_mirrors_is_granted_to_and_that_is_said() {
    let world = World::start().await;
    let granted =
        world.accounts.grant_group("staff", &words(&["x"]), &Origin::default()).await.unwrap().unwrap();
    assert!(!granted.is_mirrored);
    assert!(world.granted("alice", "alice-secret").await.account.permissions.is_empty());
}

#[tokio::test]
async fn a_person_is_granted_what_no_group_gives() {
    let world = World::with(mirroring(), |_| {}).await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let origin = Origin::default();
    let granted = world.accounts.grant(&alice, &words(&["a", "b", "a"]), &origin).await.unwrap().unwrap();
    assert_eq!((granted.changed, granted.unchanged), (words(&["a", "b"]), vec![]));
    let granted = world.accounts.grant(&alice, &words(&["b", "c"]), &origin).await.unwrap().unwrap();
    assert_eq!((granted.changed, granted.unchanged), (words(&["c"]), words(&["b"])));
    assert_eq!(world.granted("alice", "alice-secret").await.account.permissions, ["a", "b", "c"]);
    match world.accounts.external("alice", &origin).await.unwrap() {
        Lookup::Found { account, .. } => assert_eq!(account.permissions, ["a", "b", "c"]),
        Lookup::Denied(denial) => panic!("not found: {denial}"),
    }
    let revoked = world.accounts.revoke_grant(&alice, &words(&["c", "x"]), &origin).await.unwrap().unwrap();
    assert_eq!((revoked.changed, revoked.unchanged), (words(&["c"]), words(&["x"])));
    let nothing = world.accounts.revoke_grant(&alice, &words(&["x"]), &origin).await.unwrap();
    assert_eq!(nothing, Err(GrantRefused::Nothing("alice".to_owned())));
    let records = world.accounts.audit_after(0, Some("alice"), 20).await.unwrap();
    let told = records.iter().filter(|record| record.audit.event.starts_with("permission_"));
    assert_eq!(told.count(), 3, "what changed nothing is not on record");
    world.accounts.remove(alice.id, &origin).await.unwrap();
    let gone = world.accounts.grant(&alice, &words(&["a"]), &origin).await.unwrap();
    assert_eq!(gone, Err(GrantRefused::NoAccount("alice".to_owned())));
    assert!(
        world.granted("alice", "alice-secret").await.account.permissions.is_empty(),
        "a fresh account has none"
    );
}

#[tokio::test]
async fn an_account_is_named_as_here_or_as_in_its_directory_where_that_is_clear() {
    let Both { world, partner: _partner } = both().await;
    world.granted("alice@main", "alice-secret").await;
    world.granted("bob@partner", "bob-secret").await;
    let named = async |name: &str| world.accounts.account_named(name).await.unwrap();
    let local = async |name: &str| named(name).await.map(|account| account.local_name);
    assert_eq!(local(" Bob ").await, Ok("bob@partner".to_owned()), "nobody else is called so");
    assert_eq!(local("bob@partner").await, Ok("bob@partner".to_owned()));
    world.granted("alice@partner", "alice-secret").await;
    assert_eq!(local("alice").await, Ok("alice".to_owned()), "a local name is one account's");
    world.granted("bob@main", "bob-secret").await;
    assert_eq!(local("bob").await, Ok("bob".to_owned()));
    assert_eq!(local("eve").await, Err(NotOne::Nobody("eve".to_owned())));

    let of = |text: &str| DirectorySettings {
        local_name: LocalName::parse(text).unwrap(),
        ..DirectorySettings::default()
    };
    let settings = Settings {
        directories: BTreeMap::from([
            ("main".to_owned(), of("{username}@main")),
            ("partner".to_owned(), of("{username}@partner")),
        ]),
        ..Settings::default()
    };
    let directories = world.accounts.directories();
    world.accounts.reconfigure(settings, directories).await.unwrap();
    world.granted("bob@main", "bob-secret").await;
    let accounts = vec!["bob@main".to_owned(), "bob@partner".to_owned()];
    assert_eq!(local("bob").await, Err(NotOne::Several { name: "bob".to_owned(), accounts }));
}
