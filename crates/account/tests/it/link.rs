//! Which account somebody is: by the directory's key, whatever the name; and what becomes of a name that changes hands.

use ldapgate_account::store::Find;
use ldapgate_account::{Account, Lookup, Origin, RelinkRefused, Settings};

use crate::world::{PEOPLE, Server, World, directories, generous, granted, reason};

const ANEW: &str = "5a9c0b1e-0000-4000-8000-00000000000a";

/// The people, with Alice's entry made anew under another key.
fn recreated() -> String {
    PEOPLE.replace("uid: alice\n", &format!("uid: alice\nentryUUID: {ANEW}\n"))
}

/// Exchanges what the directory holds.
async fn becomes(world: &World, ldif: &str) -> Server {
    let server = Server::start(ldif).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    world.accounts.reconfigure(generous(), directories).await.unwrap();
    server
}

async fn stored(world: &World, account: &Account) -> Account {
    let find = Find::Id(account.id);
    world.accounts.store().account(find).await.unwrap().expect("the account stays")
}

#[tokio::test]
async fn a_name_with_another_id_is_a_duplicate_while_the_old_one_is_there() {
    let world = World::with(generous(), |_| {}).await;
    let old = world.granted("alice", "alice-secret").await;
    let former = format!(
        "\ndn: uid=former,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: former\ncn: A\nsn: A\n\
         entryUUID: {}\n",
        old.account.external_id
    );
    let _server = becomes(&world, &format!("{}{former}", recreated())).await;
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "duplicate_account");
    assert_eq!(stored(&world, &old.account).await, old.account, "nothing happened to the account");
    let cookie = old.session.unwrap().cookie;
    assert!(world.accounts.session(&cookie).await.unwrap().is_some());
    let records = world.accounts.audit_after(0, Some("alice"), 10).await.unwrap();
    let detail = records.last().unwrap().audit.detail.clone().unwrap();
    assert!(detail.contains("there: uid=former,ou=people,dc=example,dc=com"), "{detail}");

    // Once the directory's new name is known, the old one is free.
    assert!(matches!(world.accounts.look_up("former", None).await.unwrap(), Lookup::Found { .. }));
    let new = world.granted("alice", "alice-secret").await.account;
    assert_eq!((new.external_id.as_str(), new.id != old.account.id), (ANEW, true));
}

#[tokio::test]
async fn who_is_made_anew_gets_a_fresh_account_once_the_old_one_is_gone() {
    let world = World::with(generous(), |_| {}).await;
    let old = world.granted("alice", "alice-secret").await;
    assert_eq!(old.account.permissions, ["reports.view"]);
    assert_eq!(old.account.local_group_names().collect::<Vec<_>>(), ["staff", "writers"]);
    let token = world.accounts.issue_token(&old.account, None, &Origin::default()).await.unwrap();
    let personal = world.accounts.issue_personal(&old.account, None, None, &Origin::default()).await.unwrap();
    world.granted("bob", "bob-secret").await;

    let nobody_s = "member: uid=nobody,ou=people,dc=example,dc=com";
    let strangers = recreated().replace("member: uid=alice,ou=people,dc=example,dc=com", nobody_s);
    let _server = becomes(&world, &strangers).await;
    let new = world.granted("alice", "alice-secret").await.account;
    assert_ne!(new.id, old.account.id);
    assert!(new.permissions.is_empty() && new.local_groups.is_empty(), "nothing is inherited: {new:?}");

    let retired = stored(&world, &old.account).await;
    let name = format!("alice#retired-{}", old.account.id);
    assert_eq!((&retired.local_name, &retired.username, retired.disabled), (&name, &name, true));
    let cookie = old.session.unwrap().cookie;
    assert!(world.accounts.session(&cookie).await.unwrap().is_none(), "the old session is over");
    assert!(world.accounts.check_token(&token.text).await.unwrap().is_none());
    assert!(world.accounts.check_personal(&personal.text).await.unwrap().is_none());
    let records = world.accounts.audit_after(0, Some("alice"), 20).await.unwrap();
    assert!(records.iter().any(|record| record.audit.event == "retired"));
    assert_eq!(world.granted("alice", "alice-secret").await.account.id, new.id, "and so it stays");
}

#[tokio::test]
async fn a_look_up_retires_as_a_login_does() {
    let world = World::with(generous(), |_| {}).await;
    let old = world.granted("alice", "alice-secret").await.account;
    let _server = becomes(&world, &recreated()).await;
    match world.accounts.look_up("alice", None).await.unwrap() {
        Lookup::Found { account, .. } => assert_ne!(account.id, old.id),
        Lookup::Denied(denial) => panic!("not found: {denial}"),
    }
}

#[tokio::test]
async fn nobody_is_gone_while_another_known_person_is_missing() {
    let world = World::with(generous(), |_| {}).await;
    let old = world.granted("alice", "alice-secret").await.account;
    world.granted("bob", "bob-secret").await;
    let _server = becomes(&world, &recreated().replace("uid=bob,ou=people", "uid=rob,ou=people")).await;
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "duplicate_account");
    assert!(!stored(&world, &old).await.disabled);
}

#[tokio::test]
async fn many_logins_at_once_retire_one_account_and_make_one() {
    let world = World::with(generous(), |_| {}).await;
    world.granted("alice", "alice-secret").await;
    let _server = becomes(&world, &recreated()).await;
    let logins = (0..4).map(|_| world.sign_in("alice", "alice-secret"));
    let accounts: Vec<_> = futures_util::future::join_all(logins)
        .await
        .into_iter()
        .map(|outcome| granted(outcome).account.id)
        .collect();
    assert!(accounts.iter().all(|id| *id == accounts[0]));
    let names: Vec<_> =
        world.accounts.users().await.unwrap().into_iter().map(|account| account.local_name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn the_name_of_a_retired_account_is_nobody_else_s() {
    let name = "alice#retired-5a9c0b1e";
    let people = PEOPLE
        .replace("uid: alice\n", &format!("uid: {name}\n"))
        .replace("uid=alice,", &format!("uid={name},"));
    let server = Server::start(&people).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    let world = World::over(server, directories, Settings::default()).await;
    assert_eq!(reason(&world.sign_in(name, "alice-secret").await), "duplicate_account");
}

#[tokio::test]
async fn an_account_is_linked_anew_by_hand_and_everything_that_was_given_out_ends() {
    let world = World::with(generous(), |_| {}).await;
    let old = world.granted("alice", "alice-secret").await;
    let bob = world.granted("bob", "bob-secret").await.account;
    let _server = becomes(&world, &recreated()).await;

    let plan = |id: &'static str| world.accounts.plan_relink(old.account.clone(), id);
    let refused = plan("00000000-0000-4000-8000-000000000000").await.unwrap();
    assert!(matches!(refused, Err(RelinkRefused::NoEntry { .. })), "{refused:?}");
    let taken = world.accounts.plan_relink(old.account.clone(), &bob.external_id).await.unwrap();
    assert!(matches!(&taken, Err(RelinkRefused::Taken { by }) if by.id == bob.id), "{taken:?}");

    let planned =
        plan("5A9C0B1E-0000-4000-8000-00000000000A").await.unwrap().expect("nothing speaks against it");
    assert_eq!((planned.id.as_str(), planned.sessions, planned.tokens), (ANEW, 1, 0));
    assert_eq!(planned.dn, "uid=alice,ou=people,dc=example,dc=com");
    assert_eq!(stored(&world, &old.account).await, old.account, "a plan writes nothing");

    world.accounts.relink(&planned, &Origin::default()).await.unwrap().expect("nothing speaks against it");
    let cookie = old.session.unwrap().cookie;
    assert!(world.accounts.session(&cookie).await.unwrap().is_none());
    let again = world.accounts.relink(&planned, &Origin::default()).await.unwrap();
    assert!(matches!(again, Err(RelinkRefused::Changed)), "{again:?}");
    let new = world.granted("alice", "alice-secret").await.account;
    assert_eq!((new.id, new.external_id.as_str()), (old.account.id, ANEW), "the same account");
    let same = world.accounts.plan_relink(new, ANEW).await.unwrap();
    assert!(matches!(same, Err(RelinkRefused::Same)), "{same:?}");
}

#[tokio::test]
async fn a_retired_account_is_brought_back_by_hand() {
    let world = World::with(generous(), |_| {}).await;
    let old = world.granted("alice", "alice-secret").await.account;
    let _server = becomes(&world, &recreated()).await;
    let fresh = world.granted("alice", "alice-secret").await.account;
    let retired = stored(&world, &old).await;
    let taken = world.accounts.plan_relink(retired.clone(), ANEW).await.unwrap();
    assert!(matches!(taken, Err(RelinkRefused::Taken { .. })), "{taken:?}");

    let origin = Origin::default();
    assert!(world.accounts.remove(fresh.id, &origin).await.unwrap());
    let planned =
        world.accounts.plan_relink(retired, ANEW).await.unwrap().expect("nothing speaks against it");
    world.accounts.relink(&planned, &origin).await.unwrap().expect("nothing speaks against it");
    assert_eq!(reason(&world.sign_in("alice", "alice-secret").await), "account_disabled");
    assert!(world.accounts.enable(old.id, &origin).await.unwrap());
    let back = world.granted("alice", "alice-secret").await.account;
    assert_eq!((back.id, back.local_name.as_str(), back.username.as_str()), (old.id, "alice", "alice"));
}

#[tokio::test]
async fn who_is_renamed_keeps_the_account_and_does_not_take_another_s_name() {
    let world = World::with(generous(), |_| {}).await;
    let alice = world.granted("alice", "alice-secret").await.account;
    let bob = world.granted("bob", "bob-secret").await.account;
    let keyed = |name: &str, account: &Account| format!("uid: {name}\nentryUUID: {}\n", account.external_id);
    let both = PEOPLE
        .replace("uid=alice,", "uid=alicia,")
        .replace("uid=bob,", "uid=alice,")
        .replace("uid: alice\n", &keyed("alicia", &alice))
        .replace("uid: bob\n", &keyed("alice", &bob));
    let _server = becomes(&world, &both).await;
    assert_eq!(reason(&world.sign_in("alice", "bob-secret").await), "duplicate_account");
    let renamed = world.granted("alicia", "alice-secret").await.account;
    assert_eq!((renamed.id, renamed.local_name.as_str()), (alice.id, "alicia"), "the name follows");
    let follows = world.granted("alice", "bob-secret").await.account;
    assert_eq!((follows.id, follows.local_name.as_str()), (bob.id, "alice"), "and is free for the next");
}

#[tokio::test]
async fn an_account_that_is_removed_is_made_anew_at_the_next_login() {
    let world = World::with(generous(), |_| {}).await;
    let old = world.granted("alice", "alice-secret").await;
    let called = world.accounts.account_called(" ALICE ").await.unwrap().expect("there is Alice");
    assert!(world.accounts.remove(called.id, &Origin::default()).await.unwrap());
    assert!(!world.accounts.remove(called.id, &Origin::default()).await.unwrap());
    let cookie = old.session.unwrap().cookie;
    assert!(world.accounts.session(&cookie).await.unwrap().is_none());
    assert_ne!(world.granted("alice", "alice-secret").await.account.id, old.account.id);
}
