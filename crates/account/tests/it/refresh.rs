//! People who are signed in are looked at again: what follows, what ends, and what does not.

use std::time::Duration;

use auth::Rule;
use ldapgate_account::store::{Find, SetMark};
use ldapgate_account::{Account, Origin, RevalidationState, Settings};

use crate::world::{PEOPLE, Server, World, directories, generous, group};

/// Longer than one round with its spread.
const ROUND: Duration = Duration::from_secs(6 * 60);

/// Only writers may enter.
fn writers(settings: &mut auth::Settings) {
    settings.require = Some(Rule::Group(group("writers")));
}

async fn world() -> World {
    World::with(generous(), writers).await
}

/// Exchanges what the directory holds.
async fn becomes(world: &World, ldif: &str) -> Server {
    becomes_with(world, ldif, writers).await
}

async fn becomes_with(world: &World, ldif: &str, change: impl FnOnce(&mut auth::Settings)) -> Server {
    let server = Server::start(ldif).await;
    let directories = directories(vec![server.entry("main", change)]);
    world.accounts.reconfigure(generous(), directories).await.unwrap();
    server
}

/// As many people more, all of them writers.
fn crowd(people: usize) -> String {
    let mut ldif = PEOPLE.to_owned();
    for number in 0..people {
        ldif += &format!("member: uid=p{number},ou=people,dc=example,dc=com\n");
    }
    for number in 0..people {
        ldif += &format!(
            "\ndn: uid=p{number},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: p{number}\ncn: P\nsn: P\n\
             userPassword: secret\n"
        );
    }
    ldif
}

async fn crowded(people: usize) -> (World, Vec<String>) {
    let server = Server::start(&crowd(people)).await;
    let directories = directories(vec![server.entry("main", writers)]);
    let world = World::over(server, directories, generous()).await;
    let mut cookies = Vec::new();
    for number in 0..people {
        cookies.push(cookie(&world, &format!("p{number}"), "secret").await);
    }
    (world, cookies)
}

async fn cookie(world: &World, name: &str, password: &str) -> String {
    world.granted(name, password).await.session.unwrap().cookie
}

async fn is_in(world: &World, cookie: &str) -> bool {
    world.accounts.session(cookie).await.unwrap().is_some()
}

async fn how_many_are_in(world: &World, cookies: &[String]) -> usize {
    let mut count = 0;
    for cookie in cookies {
        count += usize::from(is_in(world, cookie).await);
    }
    count
}

async fn stored(world: &World, name: &str) -> Account {
    let find = Find::LocalName(name.to_owned());
    world.accounts.store().account(find).await.unwrap().expect("the account stays")
}

async fn events(world: &World) -> Vec<(String, Option<String>)> {
    let records = world.accounts.audit_after(0, None, 1000).await.unwrap();
    records.into_iter().map(|record| (record.audit.event, record.audit.reason)).collect()
}

fn state(world: &World) -> RevalidationState {
    world.accounts.revalidation().remove(0)
}

async fn next_round(world: &World) {
    world.clock.advance(ROUND);
    world.accounts.refresh_due().await;
}

#[tokio::test]
async fn who_left_the_required_group_is_out_at_the_next_round_and_nobody_else() {
    let world = world().await;
    let (alice, bob) = (world.cookie().await, cookie(&world, "bob", "bob-secret").await);
    let account = stored(&world, "bob").await;
    let token = world.accounts.issue_token(&account, None, &Origin::default()).await.unwrap();
    let personal = world.accounts.issue_personal(&account, None, None, &Origin::default()).await.unwrap();
    let left = PEOPLE.replace("member: uid=bob,ou=people,dc=example,dc=com\n", "");
    let _server = becomes(&world, &left).await;
    next_round(&world).await;
    assert!(is_in(&world, &alice).await);
    assert!(!is_in(&world, &bob).await);
    assert!(world.accounts.check_token(&token.text).await.unwrap().is_none());
    assert!(world.accounts.check_personal(&personal.text).await.unwrap().is_none());
    let out = stored(&world, "bob").await;
    assert_eq!((out.out.as_deref(), out.disabled), (Some("not_in_required_group"), false));
    let reason = Some("not_in_required_group".to_owned());
    assert!(events(&world).await.contains(&("access_ended".to_owned(), reason)));
    assert_eq!(state(&world).ended, 1);

    // They come back to the group: a login lets them in, and what they were given for good works again.
    let _server = becomes(&world, PEOPLE).await;
    world.clock.advance(Duration::from_secs(1));
    let bob = cookie(&world, "bob", "bob-secret").await;
    assert!(is_in(&world, &bob).await);
    assert_eq!(stored(&world, "bob").await.out, None);
    assert!(world.accounts.check_personal(&personal.text).await.unwrap().is_some());
    assert!(world.accounts.check_token(&token.text).await.unwrap().is_none(), "it was of another generation");
}

#[tokio::test]
async fn a_personal_token_in_use_has_its_owner_looked_at_and_let_in_again() {
    let world = world().await;
    let account = world.granted("bob", "bob-secret").await.account;
    let personal = world.accounts.issue_personal(&account, None, None, &Origin::default()).await.unwrap();
    let left = PEOPLE.replace("member: uid=bob,ou=people,dc=example,dc=com\n", "");
    let _server = becomes(&world, &left).await;
    next_round(&world).await;
    assert!(world.accounts.check_personal(&personal.text).await.unwrap().is_none());
    let _server = becomes(&world, PEOPLE).await;
    next_round(&world).await;
    assert!(world.accounts.check_personal(&personal.text).await.unwrap().is_none(), "nobody asked for them");
    next_round(&world).await;
    assert!(world.accounts.check_personal(&personal.text).await.unwrap().is_some());
}

#[tokio::test]
async fn fields_groups_and_permissions_follow() {
    let world = world().await;
    world.cookie().await;
    let changed = PEOPLE
        .replace("givenName: Alice", "givenName: Alicia")
        .replace("cn: staff\nmember: uid=alice", "cn: staff\nmember: uid=bob");
    let _server = becomes(&world, &changed).await;
    next_round(&world).await;
    let alice = stored(&world, "alice").await;
    assert_eq!(alice.fields["first_name"], "Alicia");
    assert_eq!(alice.group_names().collect::<Vec<_>>(), ["writers"]);
    assert!(alice.permissions.is_empty(), "what the staff may do is gone with the group");
    assert!(events(&world).await.iter().any(|(event, _)| event == "refresh"));
}

#[tokio::test]
async fn a_round_that_finds_nothing_new_writes_no_record_and_no_change() {
    let world = world().await;
    let alice = world.cookie().await;
    let before = (events(&world).await, world.store.changes().await);
    next_round(&world).await;
    assert!(is_in(&world, &alice).await);
    assert_eq!((events(&world).await, world.store.changes().await), before);
    assert_eq!(state(&world).refreshed, 1);
}

#[tokio::test]
async fn nobody_is_looked_at_before_their_turn_nor_twice_by_two_replicas() {
    let world = world().await;
    world.cookie().await;
    let asked = || world.server.directory.operations().len();
    let replica = world.replica().await;
    let before = asked();
    world.accounts.refresh_due().await;
    world.clock.advance(Duration::from_secs(4 * 60));
    world.accounts.refresh_due().await;
    assert_eq!(asked(), before, "it is too early");
    world.clock.advance(Duration::from_secs(2 * 60));
    tokio::join!(world.accounts.refresh_due(), replica.refresh_due());
    let looked = world.accounts.revalidation()[0].refreshed + replica.revalidation()[0].refreshed;
    assert_eq!(looked, 1);
}

#[tokio::test]
async fn who_is_not_signed_in_is_not_looked_at() {
    let world = world().await;
    let alice = world.cookie().await;
    world.accounts.sign_out(&alice, &Origin::default()).await.unwrap();
    let before = world.server.directory.operations().len();
    next_round(&world).await;
    assert_eq!(world.server.directory.operations().len(), before);
}

#[tokio::test]
async fn an_unreachable_directory_changes_nothing_and_is_told() {
    let world = world().await;
    let alice = world.cookie().await;
    let server = becomes(&world, PEOPLE).await;
    drop(server);
    next_round(&world).await;
    next_round(&world).await;
    assert!(is_in(&world, &alice).await);
    let failing = state(&world);
    assert!(failing.last_error.is_some() && failing.failures == 2, "{failing:?}");
    let since = failing.failing_since.expect("it fails");
    let _server = becomes(&world, PEOPLE).await;
    next_round(&world).await;
    let again = state(&world);
    assert!(again.failing_since.is_none() && again.last_success > Some(since), "{again:?}");
}

#[tokio::test]
async fn who_is_gone_is_out_once_others_are_found() {
    let world = world().await;
    let (alice, bob) = (world.cookie().await, cookie(&world, "bob", "bob-secret").await);
    let _server = becomes(&world, &PEOPLE.replace("uid=bob,ou=people", "uid=rob,ou=people")).await;
    next_round(&world).await;
    assert!(is_in(&world, &alice).await && !is_in(&world, &bob).await);
    assert_eq!(stored(&world, "bob").await.out.as_deref(), Some("gone"));
}

#[tokio::test]
async fn a_lock_and_an_old_password_end_nothing() {
    let world = world().await;
    let alice = world.cookie().await;
    let locked = PEOPLE.replace(
        "userPassword: alice-secret",
        "pwdAccountLockedTime: 000001010000Z\nshadowLastChange: 1\nshadowMax: 1\nuserPassword: alice-secret",
    );
    let _server = becomes(&world, &locked).await;
    next_round(&world).await;
    assert!(is_in(&world, &alice).await);
    assert_eq!(state(&world).refreshed, 1);
}

#[tokio::test]
async fn who_was_moved_out_of_the_people_s_branch_is_out() {
    let world = world().await;
    let people = |settings: &mut auth::Settings| {
        writers(settings);
        settings.user.searches[0].base = proto::Dn::parse("ou=people,dc=example,dc=com").unwrap();
    };
    let (alice, bob) = (world.cookie().await, cookie(&world, "bob", "bob-secret").await);
    let moved = PEOPLE.replace("uid=bob,ou=people,dc=example", "uid=bob,dc=example");
    let id = stored(&world, "bob").await.external_id;
    let moved = moved.replace("uid: bob\n", &format!("uid: bob\nentryUUID: {id}\n"));
    let _server = becomes_with(&world, &moved, people).await;
    next_round(&world).await;
    assert!(is_in(&world, &alice).await && !is_in(&world, &bob).await);
    assert_eq!(stored(&world, "bob").await.out.as_deref(), Some("unknown_user"));
}

/// What operators do by mistake, and what the world does: nobody is logged out, and it is told why.
#[tokio::test]
async fn disasters_log_nobody_out() {
    let people = crowd(12);
    let no_groups: String = people.split("dn: cn=staff").next().unwrap().to_owned();
    let nobody = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n\
                  dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: people\n";
    let half = people.replace("uid=p1", "uid=elsewhere1");
    for (disaster, ldif, held) in [
        ("groups are hidden", no_groups.as_str(), true),
        ("people are hidden, or a backup was empty", nobody, true),
        ("a part is missing", half.as_str(), true),
        ("the base is another", "dn: dc=org\nobjectClass: domain\ndc: org\n", false),
    ] {
        let (world, cookies) = crowded(12).await;
        let _server = becomes(&world, ldif).await;
        for _ in 0..3 {
            next_round(&world).await;
            assert_eq!(how_many_are_in(&world, &cookies).await, 12, "{disaster}");
        }
        let holds = world.accounts.holds().await.unwrap();
        assert_eq!((holds.len(), state(&world).held.is_some()), (usize::from(held), held), "{disaster}");
        match held {
            true => assert!(holds[0].why.contains("would lose access, more than 10%"), "{}", holds[0].why),
            false => assert!(state(&world).last_error.is_some(), "{disaster}"),
        }

        // It is mended, and the brake lets go by itself.
        let _server = becomes(&world, &people).await;
        next_round(&world).await;
        assert_eq!(how_many_are_in(&world, &cookies).await, 12, "{disaster}, mended");
        assert!(
            world.accounts.holds().await.unwrap().is_empty() && state(&world).held.is_none(),
            "{disaster}"
        );
    }
}

#[tokio::test]
async fn a_brake_that_holds_is_judged_anew_while_nobody_is_signed_in() {
    let (world, cookies) = crowded(12).await;
    let _server = becomes(&world, PEOPLE).await;
    next_round(&world).await;
    assert_eq!(world.accounts.holds().await.unwrap().len(), 1);
    for cookie in &cookies {
        world.accounts.sign_out(cookie, &Origin::default()).await.unwrap();
    }
    let _server = becomes(&world, &crowd(12)).await;
    next_round(&world).await;
    assert!(world.accounts.holds().await.unwrap().is_empty());
}

#[tokio::test]
async fn two_who_leave_a_shop_of_five_together_stay_until_an_operator_says_so() {
    let (world, cookies) = crowded(5).await;
    let gone = |names: &[&str]| {
        names
            .iter()
            .fold(crowd(5), |ldif, name| ldif.replace(&format!("uid={name},"), &format!("uid={name}x,")))
    };
    let _server = becomes(&world, &gone(&["p1", "p2"])).await;
    next_round(&world).await;
    assert_eq!(how_many_are_in(&world, &cookies).await, 5);
    // One may always go, and then the next.
    let _server = becomes(&world, &gone(&["p1"])).await;
    next_round(&world).await;
    assert_eq!(how_many_are_in(&world, &cookies).await, 4);
    assert!(world.accounts.holds().await.unwrap().is_empty(), "and the brake lets go");
    let _server = becomes(&world, &gone(&["p1", "p2"])).await;
    next_round(&world).await;
    assert_eq!(how_many_are_in(&world, &cookies).await, 3);
}

#[tokio::test]
async fn where_people_read_their_own_entries_only_their_being_gone_counts() {
    let own = |settings: &mut auth::Settings| {
        writers(settings);
        settings.user.bind_as_user = true;
    };
    let world = World::with(generous(), own).await;
    let (alice, bob) = (world.cookie().await, cookie(&world, "bob", "bob-secret").await);
    let hidden =
        PEOPLE.split("dn: cn=staff").next().unwrap().replace("uid=bob,ou=people", "uid=rob,ou=people");
    let _server = becomes_with(&world, &hidden, own).await;
    next_round(&world).await;
    assert!(is_in(&world, &alice).await, "that no group is seen says nothing");
    assert!(!is_in(&world, &bob).await);
}

#[tokio::test]
async fn a_mark_of_another_version_is_nobody_s_hold() {
    let world = World::with(Settings::default(), |_| {}).await;
    let mark = SetMark { name: "hold main".to_owned(), value: Some(b"{}".to_vec()) };
    world.accounts.store().set_mark(mark).await.unwrap();
    assert!(world.accounts.holds().await.unwrap().is_empty());
}
