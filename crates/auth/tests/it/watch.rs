//! Hints as things happen: where to look again, on real servers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use client::{Options, Pool, Simple};
use ldapgate_auth::{
    Clock, Cookies, Directories, GroupKind, Hint, Settings, Sight, Silent, Vendor, Watch, WatchState,
};
use proto::Password;
use testkit::certificate::{Authority, Flaw};
use testkit::ds389::Ds389;
use testkit::equipped::Equipped;
use testkit::openldap::OpenLdap;
use testkit::samba::Samba;
use testkit::world::{BASE, LDIF, READER, READER_PASSWORD};
use tokio::time::timeout;

use crate::world::{dn, group};

/// What a hint may take.
const SOON: Duration = Duration::from_secs(2);
/// What anything may take before a test gives up.
const LONG: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "real servers write real times")]
fn told_by_the_system() -> Clock {
    Arc::new(SystemTime::now)
}

fn directories(url: &str, vendor: Vendor, change: impl FnOnce(&mut Settings)) -> Directories {
    let mut settings = Settings::preset("main", vendor, dn(BASE));
    change(&mut settings);
    let service = Simple::new(READER, Password::new(READER_PASSWORD).expect("not empty"));
    let options = Options::new([url]).expect("a good URL").bind(service).timeout(Duration::from_secs(10));
    Directories::new(vec![(settings, Pool::lazy(options))], told_by_the_system()).expect("good settings")
}

fn person(name: &str) -> String {
    format!("uid={name},ou=people,{BASE}")
}

fn is_about(hint: &Hint, name: &str) -> bool {
    matches!(hint, Hint::PeopleAt(names) if names.contains(&person(name)))
}

/// The next hints up to one that is as wanted.
async fn until(watch: &mut Watch, within: Duration, wanted: impl Fn(&Hint) -> bool) -> Vec<Hint> {
    let mut heard = Vec::new();
    let waiting = async {
        loop {
            let hint = watch.next().await.unwrap_or_else(|error| panic!("{error}: {:?}", error.causes()));
            heard.push(hint);
            if heard.last().is_some_and(&wanted) {
                return;
            }
        }
    };
    let outcome = timeout(within, waiting).await;
    assert!(outcome.is_ok(), "within {within:?} only {heard:?}");
    heard
}

fn is_cookie(hint: &Hint) -> bool {
    matches!(hint, Hint::Cookie { .. })
}

/// A watch that has read what there is.
async fn begun(directories: &Directories) -> Watch {
    let mut watch = directories.watch("main", Cookies::default()).expect("it is configured");
    assert_eq!(watch.state(), WatchState::Connecting);
    let heard = until(&mut watch, LONG, |hint| matches!(hint, Hint::Everybody)).await;
    assert_eq!(heard, [Hint::Everybody], "nobody knows what happened before");
    watch
}

async fn live(directories: &Directories) -> (Watch, Cookies) {
    let mut watch = begun(directories).await;
    let heard = until(&mut watch, LONG, is_cookie).await;
    assert_eq!(watch.state(), WatchState::Live);
    (watch, cookies(&heard))
}

fn cookies(heard: &[Hint]) -> Cookies {
    let kept = heard.iter().filter_map(|hint| match hint {
        Hint::Cookie { server, cookie } => Some((server.clone(), cookie.clone())),
        _ => None,
    });
    kept.collect()
}

async fn id_of(directories: &Directories, name: &str) -> String {
    let mut everybody = directories.everybody("main").await.expect("it answers");
    while let Some(page) = everybody.next_page().await.expect("it answers") {
        for sighted in page {
            if matches!(&sighted.sight, Sight::There(person) if person.username() == name) {
                return sighted.id.expect("a key");
            }
        }
    }
    panic!("{name} is not there")
}

fn remove_member(group: &str, name: &str) -> String {
    let group = crate::world::group(group);
    format!("dn: {group}\nchangetype: modify\ndelete: member\nmember: {}\n", person(name))
}

fn add_member(group: &str, member: &str) -> String {
    let group = crate::world::group(group);
    format!("dn: {group}\nchangetype: modify\nadd: member\nmember: {member}\n")
}

fn delete(dn: &str) -> String {
    format!("dn: {dn}\nchangetype: delete\n")
}

async fn openldap(change: impl FnOnce(&mut Settings)) -> (Equipped, Directories) {
    let server = Equipped::start().await;
    let directories = directories(&server.ldap_url(), Vendor::OpenLdap, change);
    (server, directories)
}

#[tokio::test]
async fn openldap_tells_at_once_who_left_a_group_or_came() {
    for kind in [GroupKind::GroupOfNames, GroupKind::MemberOf] {
        let (server, directories) = openldap(|settings| settings.groups.kinds = vec![kind]).await;
        let (mut watch, _) = live(&directories).await;
        server.administer(&remove_member("staff", "alice"));
        let heard = until(&mut watch, SOON, is_cookie).await;
        let [hint, Hint::Cookie { .. }] = heard.as_slice() else { panic!("{heard:?}") };
        assert!(is_about(hint, "alice") && !is_about(hint, "bob"), "{hint:?}");
        server.administer(&add_member("staff", &person("alice")));
        until(&mut watch, SOON, |hint| is_about(hint, "alice") && !is_about(hint, "bob")).await;
    }
}

#[tokio::test]
async fn openldap_s_groups_in_groups_are_everybody_s_affair() {
    let (server, directories) = openldap(|settings| settings.groups.nested = true).await;
    let (mut watch, _) = live(&directories).await;
    server.administer(&add_member("staff", group("level1").as_str()));
    until(&mut watch, SOON, |hint| matches!(hint, Hint::Everybody)).await;
    server.administer(&remove_member("staff", "bob"));
    until(&mut watch, SOON, |hint| is_about(hint, "bob")).await;
    server.administer(&delete(group("staff").as_str()));
    until(&mut watch, SOON, |hint| matches!(hint, Hint::Everybody)).await;
}

#[tokio::test]
async fn openldap_tells_of_people_who_change_leave_and_are_deleted() {
    let (server, directories) =
        openldap(|settings| settings.user.searches[0].base = dn(&format!("ou=people,{BASE}"))).await;
    let ids = [
        id_of(&directories, "alice").await,
        id_of(&directories, "bob").await,
        id_of(&directories, "carol").await,
    ];
    let (mut watch, _) = live(&directories).await;
    let is_of = |id: &str| {
        let id = id.to_owned();
        move |hint: &Hint| *hint == Hint::People(vec![id.clone()])
    };
    server.administer(&describe("alice", "new"));
    until(&mut watch, SOON, is_of(&ids[0])).await;
    server.administer(&format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: uid=bob\ndeleteoldrdn: 0\nnewsuperior: ou=partners,{BASE}\n",
        person("bob")
    ));
    until(&mut watch, SOON, is_of(&ids[1])).await;
    server.administer(&delete(&person("carol")));
    until(&mut watch, SOON, is_of(&ids[2])).await;
}

#[tokio::test]
async fn openldap_s_people_with_another_key_are_told_by_it_or_by_name() {
    let (server, directories) = openldap(|settings| settings.user.id_attribute = "uid".to_owned()).await;
    let (mut watch, _) = live(&directories).await;
    server.administer(&describe("alice", "new"));
    until(&mut watch, SOON, |hint| *hint == Hint::People(vec!["alice".to_owned()])).await;
    server.administer(&delete(&person("carol")));
    until(&mut watch, SOON, |hint| is_about(hint, "carol")).await;
}

#[tokio::test]
async fn openldap_s_posix_groups_are_everybody_s_affair() {
    let (server, directories) = openldap(|settings| settings.groups.kinds = vec![GroupKind::Posix]).await;
    let (mut watch, _) = live(&directories).await;
    let group = group("posix-staff");
    server.administer(&format!("dn: {group}\nchangetype: modify\nadd: memberUid\nmemberUid: carol\n"));
    until(&mut watch, SOON, |hint| matches!(hint, Hint::Everybody)).await;
}

#[tokio::test]
async fn openldap_s_rule_that_hides_all_groups_makes_nobody_gone() {
    let (mut server, directories) = openldap(|_| ()).await;
    let (mut watch, _) = live(&directories).await;
    server.hide(&format!("ou=groups,{BASE}"));
    // Nothing is told of it, and of a change there nothing but a cookie.
    server.administer(&remove_member("staff", "alice"));
    let heard = until(&mut watch, SOON, is_cookie).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    // After a reconnect all groups read as deleted, once anything has changed: they are looked at, and no more.
    server.stop();
    server.resume().await;
    server.hide(&format!("ou=groups,{BASE}"));
    server.administer(&describe("carol", "new"));
    until_back(&mut watch, |hint| matches!(hint, Hint::Everybody | Hint::PeopleAt(_))).await;
}

fn describe(name: &str, what: &str) -> String {
    format!("dn: {}\nchangetype: modify\nreplace: description\ndescription: {what}\n", person(name))
}

#[tokio::test]
async fn openldap_s_people_who_are_hidden_are_looked_at_and_seen_again_when_shown() {
    let (mut server, directories) = openldap(|settings| settings.groups.kinds.clear()).await;
    let (mut watch, _) = live(&directories).await;
    server.stop();
    server.resume().await;
    server.hide(&format!("ou=people,{BASE}"));
    server.administer(&describe("alice", "new"));
    until_back(&mut watch, |hint| matches!(hint, Hint::Everybody)).await;
    server.show();
    server.administer(&describe("alice", "newer"));
    until(&mut watch, LONG, |hint| matches!(hint, Hint::People(ids) if ids.len() == 1)).await;
}

/// The next hint that is as wanted, whatever goes wrong before.
async fn until_back(watch: &mut Watch, wanted: impl Fn(&Hint) -> bool) -> Vec<Hint> {
    let mut heard = Vec::new();
    let waiting = async {
        loop {
            if let Ok(hint) = watch.next().await {
                heard.push(hint);
                if heard.last().is_some_and(&wanted) {
                    return;
                }
            }
        }
    };
    let outcome = timeout(LONG, waiting).await;
    assert!(outcome.is_ok(), "only {heard:?}");
    heard
}

#[tokio::test]
async fn openldap_goes_on_from_its_cookie_after_a_restart() {
    let (mut server, directories) = openldap(|_| ()).await;
    let (mut watch, _) = live(&directories).await;
    server.stop();
    watch.next().await.expect_err("the server is gone");
    assert_eq!(watch.state(), WatchState::Connecting);
    server.resume().await;
    server.administer(&remove_member("staff", "alice"));
    let heard = until_back(&mut watch, |hint| is_about(hint, "alice")).await;
    assert!(!heard.contains(&Hint::Everybody), "its cookie is good: {heard:?}");
    until(&mut watch, SOON, is_cookie).await;
    assert_eq!(watch.state(), WatchState::Live);
    server.administer(&remove_member("staff", "bob"));
    until(&mut watch, SOON, |hint| is_about(hint, "bob")).await;
}

#[tokio::test]
async fn openldap_s_kept_cookie_tells_the_next_watch_whether_anything_happened() {
    let (server, directories) = openldap(|_| ()).await;
    let (watch, kept) = live(&directories).await;
    drop(watch);
    let mut quiet = directories.watch("main", kept.clone()).unwrap();
    let answers = server.log_lines(" SEARCH RESULT ").len();
    // The root entry, of people and groups what there is, and what is new since the cookie.
    let change = async {
        while server.log_lines(" SEARCH RESULT ").len() < answers + 5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server.administer(&remove_member("staff", "alice"));
    };
    let (heard, ()) = tokio::join!(until(&mut quiet, LONG, is_cookie), change);
    assert!(heard.len() == 2 && is_about(&heard[0], "alice"), "nothing had happened before: {heard:?}");
    drop(quiet);

    let mut changed = directories.watch("main", kept).unwrap();
    until(&mut changed, LONG, |hint| matches!(hint, Hint::Everybody)).await;
}

#[tokio::test]
async fn openldap_s_cookie_that_is_good_for_nothing_is_read_past() {
    let (server, directories) = openldap(|_| ()).await;
    for cookie in [b"rubbish".to_vec(), Vec::new()] {
        let kept: Cookies = [(server.ldap_url(), cookie)].into_iter().collect();
        let mut watch = directories.watch("main", kept).unwrap();
        until(&mut watch, LONG, |hint| matches!(hint, Hint::Everybody)).await;
    }
}

#[tokio::test]
async fn openldap_that_comes_back_from_an_older_copy_is_read_from_its_beginning() {
    let (mut server, directories) = openldap(|_| ()).await;
    let (mut watch, _) = live(&directories).await;
    // The copy is made while the server is down, and put back after more has happened.
    server.stop();
    let (data, copy) = (server.folder().join("db"), server.folder().join("copy"));
    copy_folder(&data, &copy);
    server.resume().await;
    server.administer(&remove_member("staff", "alice"));
    until_back(&mut watch, is_cookie).await;
    server.stop();
    copy_folder(&copy, &data);
    server.resume().await;
    until_back(&mut watch, |hint| matches!(hint, Hint::Everybody)).await;
    server.administer(&remove_member("staff", "bob"));
    until(&mut watch, LONG, |hint| is_about(hint, "bob")).await;
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("the folder is ours");
    for file in std::fs::read_dir(from).expect("the folder is there") {
        let file = file.expect("it can be read");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("it can be copied");
    }
}

#[tokio::test]
async fn openldap_is_read_anew_when_it_is_time_and_only_what_differs_is_told() {
    let (server, directories) = openldap(|_| ()).await;
    let mut watch =
        directories.watch("main", Cookies::default()).unwrap().read_anew_every(Duration::from_millis(300));
    until(&mut watch, LONG, |hint| matches!(hint, Hint::Everybody)).await;
    until(&mut watch, LONG, is_cookie).await;
    let searches = server.log_lines(" SRCH base=").len();
    // Of what is read again and again nothing is told until something changes.
    let reading = async {
        while server.log_lines(" SRCH base=").len() < searches + 6 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        hint = watch.next() => panic!("{hint:?}"),
        () = reading => {}
    }
    server.administer(&remove_member("staff", "alice"));
    until(&mut watch, SOON, |hint| is_about(hint, "alice")).await;
}

#[tokio::test]
async fn openldap_without_syncprov_is_asked_for_times() {
    let server = OpenLdap::start(&LDIF, &Authority::new("Example Test CA"), Flaw::None).await;
    let directories = directories(&server.ldap_url(), Vendor::OpenLdap, |_| ());
    let mut watch = begun(&directories).await;
    assert_eq!(watch.state(), WatchState::Polling);
    server.administer(&remove_member("staff", "alice"));
    let heard = until(&mut watch, SOON, |hint| is_about(hint, "alice")).await;
    assert!(heard.iter().all(|hint| !is_about(hint, "bob")), "{heard:?}");
    let id = id_of(&directories, "bob").await;
    server.administer(&describe("bob", "new"));
    until(&mut watch, SOON, |hint| matches!(hint, Hint::People(ids) if ids.contains(&id))).await;
}

#[tokio::test]
async fn openldap_that_limits_what_the_reader_is_told_is_asked_instead() {
    let (server, directories) = openldap(|_| ()).await;
    server.configure(
        "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcLimits\n\
         olcLimits: * size.soft=5 size.hard=5 size.pr=1000 size.prtotal=unlimited\n",
    );
    let mut watch = begun(&directories).await;
    assert_eq!(watch.state(), WatchState::Polling);
    server.administer(&remove_member("staff", "alice"));
    until(&mut watch, SOON, |hint| is_about(hint, "alice")).await;
}

#[tokio::test]
async fn ds389_is_asked_for_times_and_never_for_its_persist_phase() {
    let server = Ds389::start(&Authority::new("Example Test CA")).await;
    let directories = directories(&server.ldap_url(), Vendor::Ds389, |_| ());
    let mut watch = begun(&directories).await;
    assert_eq!(watch.state(), WatchState::Polling);
    server.administer(&remove_member("staff", "alice"));
    until(&mut watch, SOON, |hint| is_about(hint, "alice")).await;
    let id = id_of(&directories, "bob").await;
    server.administer(&describe("bob", "new"));
    until(&mut watch, SOON, |hint| matches!(hint, Hint::People(ids) if ids.contains(&id))).await;
}

#[tokio::test]
async fn samba_is_asked_for_numbers_and_everybody_is_looked_at_now_and_then() {
    let server = Samba::start(&Authority::new("Example Test CA")).await;
    let directories = directories(&server.ldap_url(), Vendor::ActiveDirectory, |_| ());
    let mut watch = begun(&directories).await;
    assert_eq!(watch.state(), WatchState::Polling);
    let alice = testkit::people::named("alice").active_directory_dn();
    server.administer(&format!(
        "dn: {}\nchangetype: modify\ndelete: member\nmember: {alice}\n",
        group("staff")
    ));
    until(
        &mut watch,
        SOON,
        |hint| matches!(hint, Hint::PeopleAt(names) if names.contains(&alice) && names.len() == 1),
    )
    .await;
    let id = id_of(&directories, "bob").await;
    let bob = testkit::people::named("bob").active_directory_dn();
    server.administer(&format!("dn: {bob}\nchangetype: modify\nreplace: description\ndescription: new\n"));
    until(&mut watch, SOON, |hint| *hint == Hint::People(vec![id.clone()])).await;
    // Deletions are not told.
    let mut watch =
        directories.watch("main", Cookies::default()).unwrap().read_anew_every(Duration::from_millis(500));
    for _ in 0..2 {
        until(&mut watch, LONG, |hint| matches!(hint, Hint::Everybody)).await;
    }
}

#[tokio::test]
async fn a_watch_of_a_server_that_is_not_there_fails_and_tries_again() {
    let (mut server, directories) = openldap(|_| ()).await;
    server.stop();
    let mut watch = directories.watch("main", Cookies::default()).unwrap();
    watch.next().await.expect_err("nobody answers");
    server.resume().await;
    until_back(&mut watch, |hint| matches!(hint, Hint::Everybody)).await;
    assert!(directories.watch("other", Cookies::default()).is_err());
    assert!(directories.people_by_id("main", &[], &Silent).await.is_ok());
}

#[tokio::test]
async fn all_of_it_can_be_left_to_a_task_of_its_own() {
    let (_server, directories) = openldap(|_| ()).await;
    let task = tokio::spawn(async move {
        let mut everybody = directories.everybody("main").await?;
        let page = everybody.next_page().await?.unwrap_or_default();
        let ids: Vec<String> = page.into_iter().filter_map(|sighted| sighted.id).collect();
        directories.people_by_id("main", &ids, &Silent).await?;
        directories.watch("main", Cookies::default())?.next().await
    });
    assert_eq!(task.await.expect("no panic").expect("it answers"), Hint::Everybody);
}
