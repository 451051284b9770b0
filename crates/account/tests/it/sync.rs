//! The whole directory beside the whole store.

use std::collections::BTreeMap;
use std::time::Duration;

use auth::Rule;
use directory::{Fault, Kind};
use ldapgate_account::store::{Find, Leased, TakeLease};
use ldapgate_account::{
    Account, DirectorySettings, Origin, PlannedChange, RemoveMissing, Settings, SyncEvent, SyncOptions,
    SyncRefused, SyncReport, SyncSettings,
};
use proto::{LdapResult, ResultCode};
use serde_json::json;

use crate::world::{PEOPLE, Server, World, directories, group};

fn settings(remove_missing: RemoveMissing) -> Settings {
    Settings { sync: SyncSettings { remove_missing, ..SyncSettings::default() }, ..Settings::default() }
}

async fn world() -> World {
    World::with(settings(RemoveMissing::Disable), |_| {}).await
}

async fn becomes(world: &World, ldif: &str, settings: Settings) -> Server {
    let server = Server::start(ldif).await;
    let directories = directories(vec![server.entry("main", |_| {})]);
    world.accounts.reconfigure(settings, directories).await.unwrap();
    server
}

/// The plan's lines, sorted, and what came of it.
async fn sync(world: &World, options: SyncOptions) -> (Vec<String>, SyncReport) {
    let mut lines = Vec::new();
    let mut tell = |event: SyncEvent<'_>| {
        if let SyncEvent::Planned(planned) = event {
            lines.push(format!("{} {}", planned.change.as_str(), planned.username));
        }
    };
    let report = world.accounts.sync(options, &Origin::default(), &mut tell).await;
    lines.sort();
    (lines, report)
}

async fn applied(world: &World) -> Vec<String> {
    let (lines, report) = sync(world, SyncOptions::default()).await;
    assert!(report.applied, "{report:?}");
    lines
}

const DRY_RUN: SyncOptions = SyncOptions { dry_run: true, force: false };
const FORCE: SyncOptions = SyncOptions { dry_run: false, force: true };

async fn stored(world: &World, name: &str) -> Option<Account> {
    world.accounts.store().account(Find::LocalName(name.to_owned())).await.unwrap()
}

#[tokio::test]
async fn everybody_gets_an_account_and_the_second_run_writes_nothing() {
    let world = world().await;
    let plan = ["create alice", "create bob", "create carol"];
    let (lines, report) = sync(&world, DRY_RUN).await;
    assert_eq!((lines, report.applied), (plan.map(str::to_owned).to_vec(), false));
    assert!(report.refused.is_empty() && report.failed.is_empty(), "{report:?}");
    assert!(world.accounts.users().await.unwrap().is_empty(), "a dry run writes nothing");

    assert_eq!(applied(&world).await, plan);
    let alice = stored(&world, "alice").await.unwrap();
    assert_eq!((alice.fields["email"].as_str(), alice.last_login), ("alice@example.com", None));
    let before = (world.store.changes().await, world.accounts.users().await.unwrap());
    world.clock.advance(Duration::from_secs(60));
    let (lines, report) = sync(&world, SyncOptions::default()).await;
    assert_eq!((lines, report.counts.unchanged), (Vec::new(), 3));
    assert_eq!((world.store.changes().await, world.accounts.users().await.unwrap()), before);
}

#[tokio::test]
async fn a_change_a_move_and_a_return_are_told_and_done() {
    let world = world().await;
    applied(&world).await;
    let id = stored(&world, "bob").await.unwrap().external_id;
    let changed = PEOPLE
        .replace("mail: alice@example.com\n", "")
        .replace("uid=bob,ou=people", "cn=Bob Brown,ou=people")
        .replace("uid: bob\n", &format!("uid: bob\nentryUUID: {id}\n"))
        .replace("uid=carol", "uid=karl")
        .replace("uid: carol", "uid: karl");
    let _server = becomes(&world, &changed, settings(RemoveMissing::Disable)).await;
    let mut what = BTreeMap::new();
    let mut tell = |event: SyncEvent<'_>| {
        if let SyncEvent::Planned(planned) = event {
            what.insert(planned.username.clone(), (planned.change, planned.what.clone()));
        }
    };
    assert!(world.accounts.sync(SyncOptions::default(), &Origin::default(), &mut tell).await.applied);
    let (change, of_alice) = &what["alice"];
    assert_eq!(*change, PlannedChange::Update);
    assert_eq!(of_alice["fields.email"], json!({ "old": "alice@example.com", "new": null }));
    let (change, of_bob) = &what["bob"];
    assert_eq!(
        (*change, &of_bob["dn"]["new"]),
        (PlannedChange::Move, &json!("cn=Bob Brown,ou=people,dc=example,dc=com"))
    );
    assert_eq!((what["carol"].0, what["karl"].0), (PlannedChange::Disable, PlannedChange::Create));
    assert_eq!(what["carol"].1["reason"], "gone");
    assert!(!stored(&world, "alice").await.unwrap().fields.contains_key("email"));
    assert_eq!(stored(&world, "bob").await.unwrap().dn, "cn=Bob Brown,ou=people,dc=example,dc=com");
}

#[tokio::test]
async fn who_is_gone_is_shut_out_or_removed_or_kept_as_it_is_chosen() {
    let gone = PEOPLE.replace("uid=bob,ou=people", "uid=rob,ou=people").replace("uid: bob\n", "uid: rob\n");
    for (choice, line, left) in [
        (RemoveMissing::Disable, Some("disable bob"), Some(Some("gone"))),
        (RemoveMissing::Remove, Some("remove bob"), None),
        (RemoveMissing::Keep, None, Some(None)),
    ] {
        let world = world().await;
        applied(&world).await;
        let _server = becomes(&world, &gone, settings(choice)).await;
        let lines = applied(&world).await;
        let of_bob: Vec<_> = lines.iter().filter(|line| line.ends_with(" bob")).map(String::as_str).collect();
        assert_eq!(of_bob, line.into_iter().collect::<Vec<_>>(), "{choice:?}");
        let bob = stored(&world, "bob").await;
        assert_eq!(bob.as_ref().map(|bob| bob.out.as_deref()), left, "{choice:?}");
        assert!(stored(&world, "rob").await.is_some());
    }
}

#[tokio::test]
async fn more_than_the_brake_lets_are_ended_only_when_an_operator_insists() {
    let world = world().await;
    applied(&world).await;
    let alice = world.cookie().await;
    let before = (world.store.changes().await, world.accounts.users().await.unwrap());
    let nobody = PEOPLE.split("dn: uid=alice").next().unwrap();
    let _server = becomes(&world, nobody, settings(RemoveMissing::Remove)).await;
    let (lines, report) = sync(&world, SyncOptions::default()).await;
    assert_eq!((lines.len(), report.applied), (3, false));
    assert!(matches!(&report.refused[..], [SyncRefused::Held(_)]), "{report:?}");
    assert_eq!((world.store.changes().await, world.accounts.users().await.unwrap()), before);
    assert!(world.accounts.session(&alice).await.unwrap().is_some());
}

#[tokio::test]
async fn a_group_that_everybody_lost_holds_and_force_ends_it() {
    let rule = |name: &str| {
        let rule = Rule::Group(group(name));
        move |settings: &mut auth::Settings| settings.require = Some(rule)
    };
    let world = World::with(settings(RemoveMissing::Disable), rule("writers")).await;
    applied(&world).await;
    let alice = world.cookie().await;
    let empty = directories(vec![world.server.entry("main", rule("nobody"))]);
    world.accounts.reconfigure(settings(RemoveMissing::Disable), empty).await.unwrap();
    let before = world.accounts.users().await.unwrap();
    for options in [DRY_RUN, SyncOptions::default()] {
        let (lines, report) = sync(&world, options).await;
        assert_eq!(lines, ["disable alice", "disable bob"], "carol has no account");
        assert!(
            matches!(&report.refused[..], [SyncRefused::Held(hold)] if hold.would_lose == 2),
            "{report:?}"
        );
        assert_eq!(world.accounts.users().await.unwrap(), before);
        assert_eq!(world.accounts.holds().await.unwrap().len(), usize::from(!options.dry_run));
    }
    assert!(world.accounts.session(&alice).await.unwrap().is_some());

    let (lines, report) = sync(&world, FORCE).await;
    assert_eq!((lines.len(), report.applied), (2, true), "{report:?}");
    let records = world.accounts.audit_after(0, None, 100).await.unwrap();
    let mut synced = records.iter().rev().filter(|record| record.audit.event == "synced");
    assert_eq!(synced.next().unwrap().audit.detail.as_deref(), Some("forced: disable 2"));
    assert!(world.accounts.session(&alice).await.unwrap().is_none());
    assert_eq!(stored(&world, "bob").await.unwrap().out.as_deref(), Some("not_in_required_group"));
    assert!(world.accounts.holds().await.unwrap().is_empty(), "and the brake lets go");
    assert_eq!(applied(&world).await, [""; 0]);
}

#[tokio::test]
async fn who_was_made_anew_takes_over_the_name_and_nothing_else() {
    let world = world().await;
    applied(&world).await;
    let old = stored(&world, "alice").await.unwrap();
    let anew =
        PEOPLE.replace("uid: alice\n", "uid: alice\nentryUUID: 5a9c0b1e-0000-4000-8000-00000000000a\n");
    let _server = becomes(&world, &anew, settings(RemoveMissing::Disable)).await;
    assert_eq!(applied(&world).await, ["create alice", "disable alice", "update alice"]);
    let new = stored(&world, "alice").await.unwrap();
    assert_ne!(new.id, old.id);
    assert!(!world.accounts.store().account(Find::Id(old.id)).await.unwrap().unwrap().may_act());
}

#[tokio::test]
async fn without_create_users_only_those_who_are_known_are_looked_at() {
    let main = DirectorySettings { create_users: false, ..DirectorySettings::default() };
    let settings = || Settings {
        directories: BTreeMap::from([("main".to_owned(), main.clone())]),
        ..Settings::default()
    };
    let world = World::start().await;
    world.granted("alice", "alice-secret").await;
    let _server = becomes(&world, &PEOPLE.replace("givenName: Alice", "givenName: Al"), settings()).await;
    assert_eq!(applied(&world).await, ["update alice"]);
}

#[tokio::test]
async fn a_search_that_is_cut_short_removes_nobody() {
    let world = world().await;
    applied(&world).await;
    let nobody = PEOPLE.split("dn: uid=alice").next().unwrap();
    let server = becomes(&world, nobody, settings(RemoveMissing::Remove)).await;
    for cut in [Fault::CloseAfter(1), Fault::Answer(LdapResult::new(ResultCode::TIME_LIMIT_EXCEEDED, ""))] {
        server.directory.faults().always(Kind::Search, cut);
        let (lines, report) = sync(&world, FORCE).await;
        assert!(lines.is_empty() && !report.applied && report.failed.len() == 1, "{report:?}");
        server.directory.faults().clear();
    }
    assert_eq!(world.accounts.users().await.unwrap().len(), 3);
}

#[tokio::test]
async fn one_replica_syncs_and_the_others_hear_who() {
    let world = world().await;
    let at = ldapgate_account::Clock::now(&*world.clock).into();
    let lease = TakeLease {
        name: "sync main".to_owned(),
        holder: "the other".to_owned(),
        at,
        until: at.after(Duration::from_secs(60)),
    };
    assert_eq!(world.accounts.store().take_lease(lease).await.unwrap(), Leased::Yes);
    let (lines, report) = sync(&world, SyncOptions::default()).await;
    assert!(
        lines.is_empty()
            && matches!(&report.refused[..], [SyncRefused::Busy { by, .. }] if by == "the other")
    );
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(applied(&world).await.len(), 3, "a replica that died holds nobody up");
    let another = world.replica().await;
    assert!(
        another.sync(SyncOptions::default(), &Origin::default(), &mut |_| {}).await.applied,
        "and it is given back"
    );
}

#[tokio::test]
async fn of_two_who_sync_at_once_one_does() {
    let world = world().await;
    let another = world.replica().await;
    let options = SyncOptions::default();
    let (origin, mut one, mut two) = (Origin::default(), |_: SyncEvent<'_>| {}, |_: SyncEvent<'_>| {});
    let both = tokio::join!(
        world.accounts.sync(options, &origin, &mut one),
        another.sync(options, &origin, &mut two)
    );
    let (done, refused) = if both.0.applied { (both.0, both.1) } else { (both.1, both.0) };
    assert!(done.applied && done.counts.of(PlannedChange::Create) == 3, "{done:?}");
    assert!(matches!(&refused.refused[..], [SyncRefused::Busy { .. }]), "{refused:?}");
}
