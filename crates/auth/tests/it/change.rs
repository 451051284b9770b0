//! Changing passwords: who may, who tells the server, and what it says.

use std::time::Duration;

use client::Pool;
use directory::{Builder, Dialect, Directory, Fault, Kind, PasswordRules, Running};
use ldapgate_auth::{
    Answer, Change, Credentials, Denial, Directories, Error, Fold, NewPassword, PasswordChange, Reason,
    Settings, Silent, UserTemplate, Vendor,
};
use proto::{LdapResult, ResultCode};

use crate::world::{PEOPLE, READER, clock, dn, openldap, options};

const NEW: &str = "Rosy-Apple-12";

struct World {
    directory: Directory,
    running: Running,
}

impl World {
    async fn of(builder: Builder) -> World {
        let rules = PasswordRules { shortest: 8, remembered: 2, ..PasswordRules::default() };
        let directory = builder.password_rules(rules).build();
        let listener = Directory::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let running = directory.serve(listener).await;
        World { directory, running }
    }

    async fn people() -> World {
        World::of(Directory::builder(clock()).ldif(PEOPLE).expect("good LDIF")).await
    }

    async fn active_directory() -> World {
        let reader =
            "dn: cn=reader,dc=example,dc=com\nobjectClass: user\ncn: reader\nuserPassword: Reader-Pass-1\n\n";
        let ldif = format!("{reader}{}", include_str!("active_directory.ldif"));
        let builder = Directory::builder(clock()).ldif(ldif).expect("good LDIF");
        World::of(builder.dialect(Dialect::ActiveDirectory)).await
    }

    fn directories(&self, settings: Settings) -> Directories {
        let pool = Pool::lazy(options([self.running.url()]));
        Directories::new(vec![(settings, pool)], clock()).expect("good settings")
    }

    /// What was asked since the last call but the service account's own binds.
    fn kinds(&self) -> Vec<Kind> {
        let all = self.directory.operations();
        self.directory.clear_operations();
        let own = all.into_iter().filter(|operation| operation.dn != READER || operation.kind != Kind::Bind);
        own.map(|operation| operation.kind).collect()
    }
}

fn corp(change: PasswordChange) -> Settings {
    let mut settings = Settings::preset("corp", Vendor::ActiveDirectory, dn("dc=corp,dc=example,dc=com"));
    // These people have no objectGUID of their own in the file.
    settings.user.id_attribute = "entryUUID".to_owned();
    settings.password_change = change;
    settings
}

fn typed(name: &str, old: &str, new: &str) -> (Credentials, NewPassword) {
    let typed = Credentials::parse(name, old.to_owned(), Fold::Lower).expect("a good name");
    let new = NewPassword::parse(new.to_owned(), &typed.password).expect("a new password");
    (typed, new)
}

async fn change(directories: &Directories, name: &str, old: &str, new: &str) -> Result<Change, Error> {
    let (typed, new) = typed(name, old, new);
    match directories.locate(&typed.username, &Silent).await.expect("the directory answers") {
        Answer::Yes(located) => located.change_password(&typed.password, &new, &Silent).await,
        Answer::No(denial) => Ok(Change::Denied(denial)),
    }
}

/// What it came to in a word, and what the new password is good for.
async fn outcome(directories: &Directories, name: &str, old: &str, new: &str) -> String {
    let changed = match change(directories, name, old, new).await {
        Ok(Change::Done(changed)) => changed,
        Ok(Change::Unfit(objection)) => return objection.unfit().as_str().to_owned(),
        Ok(Change::Denied(denial)) => return told(&denial),
        Err(error) => return format!("{:?}, may have changed: {}", error.fault(), error.may_have_changed()),
    };
    match changed.prove(&typed(name, old, new).1, &Silent).await.expect("the directory answers") {
        Answer::Yes(proof) => format!("changed, and {} is in", proof.username()),
        Answer::No(denial) => format!("changed, but {}", told(&denial)),
    }
}

fn told(denial: &Denial) -> String {
    let proved = if denial.proved() { "proved" } else { "not proved" };
    let offers = if denial.offers_change() { ", offers a change" } else { "" };
    format!("{} ({proved}{offers})", denial.reason())
}

async fn prove(directories: &Directories, name: &str, password: &str) -> Result<(), Denial> {
    let typed = Credentials::parse(name, password.to_owned(), Fold::Lower)?;
    let located = match directories.locate(&typed.username, &Silent).await.expect("the directory answers") {
        Answer::Yes(located) => located,
        Answer::No(denial) => return Err(denial),
    };
    match located.prove(&typed.password, &Silent).await.expect("the directory answers") {
        Answer::Yes(_) => Ok(()),
        Answer::No(denial) => Err(denial),
    }
}

#[tokio::test]
async fn the_person_changes_it_on_the_connection_of_their_own_bind() {
    let world = World::people().await;
    let directories = world.directories(openldap("main"));
    assert_eq!(outcome(&directories, "alice", "Red-Apple-11", NEW).await, "changed, and alice is in");
    let operations = world.directory.operations();
    let of = |kind| operations.iter().filter(move |operation| operation.kind == kind);
    let own = of(Kind::Bind).filter(|operation| operation.dn != READER).map(|operation| operation.connection);
    let own: Vec<u64> = own.collect();
    let changed: Vec<u64> = of(Kind::Extended).map(|operation| operation.connection).collect();
    assert_eq!(changed, own[..1], "where the old password was proved");
    assert!(prove(&directories, "alice", "Red-Apple-11").await.is_err());
    assert!(prove(&directories, "alice", NEW).await.is_ok());
}

#[tokio::test]
async fn a_change_costs_search_bind_and_the_change_and_its_proof_bind_and_read() {
    let world = World::people().await;
    let directories = world.directories(openldap("main"));
    outcome(&directories, "alice", "Red-Apple-11", NEW).await;
    world.kinds();
    outcome(&directories, "alice", NEW, "Ruddy-Apple-13").await;
    assert_eq!(world.kinds(), [Kind::Search, Kind::Bind, Kind::Extended, Kind::Bind, Kind::Search]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_change_nothing() {
    let world = World::people().await;
    let directories = world.directories(openldap("main"));
    assert_eq!(outcome(&directories, "alice", "wrong", NEW).await, "wrong_password (not proved)");
    assert_eq!(outcome(&directories, "nobody", "wrong", NEW).await, "unknown_user (not proved)");
    assert_eq!(world.directory.counters().extended, 0);
}

#[tokio::test]
async fn what_the_server_objects_to_is_told_and_the_old_password_stays() {
    let world = World::people().await;
    let directories = world.directories(openldap("main"));
    assert_eq!(outcome(&directories, "alice", "Red-Apple-11", "short").await, "too_short");
    assert_eq!(outcome(&directories, "alice", "Red-Apple-11", NEW).await, "changed, and alice is in");
    assert_eq!(outcome(&directories, "alice", NEW, "Red-Apple-11").await, "in_history");
    assert!(prove(&directories, "alice", NEW).await.is_ok());
}

#[tokio::test]
async fn who_must_change_is_offered_it_and_then_comes_in() {
    let world = World::people().await;
    let directories = world.directories(openldap("main"));
    let denial = prove(&directories, "mustchange", "Must-Mango-19").await.unwrap_err();
    assert_eq!(told(&denial), "password_must_change (proved, offers a change)");
    let done = outcome(&directories, "mustchange", "Must-Mango-19", NEW).await;
    assert_eq!(done, "changed, and mustchange is in");
}

#[tokio::test]
async fn who_must_change_can_where_only_people_read_themselves() {
    let world = World::people().await;
    let mut settings = openldap("main");
    settings.user.template = Some(UserTemplate::parse("uid={username},ou=people,dc=example,dc=com").unwrap());
    settings.user.bind_as_user = true;
    let directories = world.directories(settings);
    let done = outcome(&directories, "mustchange", "Must-Mango-19", NEW).await;
    assert_eq!(done, "changed, and mustchange is in");
    assert_eq!(outcome(&directories, "alice", "Red-Apple-11", NEW).await, "changed, and alice is in");
}

#[tokio::test]
async fn a_disabled_an_expired_and_a_locked_account_change_nothing() {
    let world = World::people().await;
    let mut settings = openldap("main");
    settings.vendor = Vendor::Rfc2307;
    let directories = world.directories(settings);
    for (name, old, reason) in [
        ("disabled", "Dis-Dog-20", Reason::AccountDisabled),
        ("expired", "Ex-Egg-21", Reason::AccountExpired),
        ("locked", "Lock-Ledger-18", Reason::AccountLocked),
    ] {
        let Ok(Change::Denied(denial)) = change(&directories, name, old, NEW).await else {
            panic!("{name} may not")
        };
        assert_eq!((denial.reason(), denial.offers_change()), (reason, false), "{name}");
    }
    assert_eq!(world.directory.counters().extended, 0);
}

#[tokio::test]
async fn a_state_that_only_the_entry_tells_keeps_the_password_from_being_changed() {
    // Active Directory changes the password of a disabled person (CVE-2025-0604), and so does this server of an entry
    // whose state it does not know.
    let ldif = "dn: uid=dee,dc=example,dc=com\nobjectClass: posixAccount\nuid: dee\ncn: Dee\nsn: Dee\n\
        userPassword: Deep-Dish-1\nkrbPrincipalExpiration: 20200101000000Z\n\n\
        dn: cn=reader,dc=example,dc=com\nobjectClass: person\ncn: reader\nsn: r\nuserPassword: Reader-Pass-1\n";
    let world = World::of(Directory::builder(clock()).ldif(ldif).expect("good LDIF")).await;
    let mut settings = Settings::preset("ipa", Vendor::FreeIpa, dn("dc=example,dc=com"));
    settings.user.searches[0].base = dn("dc=example,dc=com");
    settings.user.id_attribute = "entryUUID".to_owned();
    let directories = world.directories(settings);
    assert_eq!(outcome(&directories, "dee", "Deep-Dish-1", NEW).await, "account_expired (proved)");
    assert_eq!(world.directory.counters().extended, 0);
}

#[tokio::test]
async fn nobody_changes_anything_where_it_is_off_and_only_who_proved_the_old_one_is_told() {
    let world = World::people().await;
    let mut settings = openldap("main");
    settings.password_change = PasswordChange::Off;
    let directories = world.directories(settings);
    assert!(!directories.can_change_passwords());
    assert_eq!(outcome(&directories, "alice", "Red-Apple-11", NEW).await, "not_allowed");
    assert_eq!(outcome(&directories, "alice", "wrong", NEW).await, "wrong_password (not proved)");
    let denial = prove(&directories, "mustchange", "Must-Mango-19").await.unwrap_err();
    assert_eq!(told(&denial), "password_must_change (proved)");
    assert_eq!(world.directory.counters().extended, 0);
}

#[tokio::test]
async fn who_is_not_let_in_any_more_cannot_change_it_alone() {
    let world = World::active_directory().await;
    let directories = world.directories(corp(PasswordChange::Person));
    for (name, old, reason) in
        [("mustchange", "Must-Mango-4", "password_must_change"), ("old", "Old-Oar-5", "password_expired")]
    {
        assert_eq!(outcome(&directories, name, old, NEW).await, format!("{reason} (proved)"));
        assert_eq!(told(&prove(&directories, name, old).await.unwrap_err()), format!("{reason} (proved)"));
    }
    assert_eq!(world.directory.counters().modifies, 0);
}

#[tokio::test]
async fn the_service_account_changes_it_for_who_proved_the_old_one_and_is_not_let_in() {
    let world = World::active_directory().await;
    let directories = world.directories(corp(PasswordChange::Service));
    for (name, old) in [("mustchange", "Must-Mango-4"), ("old", "Old-Oar-5")] {
        assert!(prove(&directories, name, old).await.unwrap_err().offers_change());
        assert_eq!(outcome(&directories, name, old, "short").await, "too_short");
        assert_eq!(outcome(&directories, name, old, NEW).await, format!("changed, and {name} is in"));
    }
    for (name, old, reason) in [
        ("mustchange", "wrong", "wrong_password (not proved)"),
        ("off", "Off-Owl-2", "account_disabled (proved)"),
        ("over", "Over-Oak-3", "account_expired (proved)"),
        ("locked", "Lock-Lamp-6", "account_locked (not proved)"),
    ] {
        world.kinds();
        assert_eq!(outcome(&directories, name, old, NEW).await, reason, "{name}");
        assert_eq!(world.kinds(), [Kind::Search, Kind::Bind], "{name}: nothing was to be changed");
    }
}

#[tokio::test]
async fn a_person_of_active_directory_who_is_let_in_changes_it_themselves_whatever_is_configured() {
    for who in [PasswordChange::Person, PasswordChange::Service] {
        let world = World::active_directory().await;
        let directories = world.directories(corp(who));
        assert_eq!(outcome(&directories, "ada", "Ada-Apple-1", NEW).await, "changed, and ada is in");
        let operations = world.directory.operations();
        let place = operations.iter().position(|operation| operation.kind == Kind::Modify).unwrap();
        let bound = operations[..place].iter().rev().find(|operation| operation.kind == Kind::Bind).unwrap();
        assert_eq!(bound.connection, operations[place].connection, "{who:?}");
    }
}

#[tokio::test]
async fn a_change_that_may_have_been_written_is_never_sent_again() {
    let (first, second) = (World::people().await, World::people().await);
    let pool =
        Pool::lazy(options([first.running.url(), second.running.url()]).timeout(Duration::from_secs(1)));
    let directories = Directories::new(vec![(openldap("main"), pool)], clock()).expect("good settings");
    for fault in [Fault::Close, Fault::Drop, Fault::Garbage] {
        first.directory.faults().next(Kind::Extended, 1, fault.clone());
        let told = outcome(&directories, "alice", "Red-Apple-11", NEW).await;
        assert_eq!(told, "Directory, may have changed: true", "{fault:?}");
    }
    assert_eq!(second.directory.counters().extended, 0);
}

#[tokio::test]
async fn a_server_that_is_busy_has_changed_nothing() {
    let world = World::people().await;
    let directories = world.directories(openldap("main"));
    for (code, fault) in [(ResultCode::BUSY, "Directory"), (ResultCode::PROTOCOL_ERROR, "Configuration")] {
        let busy = Fault::Answer(LdapResult::new(code, ""));
        world.directory.faults().next(Kind::Extended, 1, busy);
        let told = outcome(&directories, "alice", "Red-Apple-11", NEW).await;
        assert_eq!(told, format!("{fault}, may have changed: false"));
    }
}

#[tokio::test]
async fn an_account_that_is_shut_out_while_it_changes_its_password_stays_out() {
    let world = World::people().await;
    let directories = world.directories(openldap("main"));
    let Ok(Change::Done(changed)) = change(&directories, "alice", "Red-Apple-11", NEW).await else {
        panic!("it is changed")
    };
    let pool = Pool::lazy(options([world.running.url()]));
    let lock = vec![proto::Change::add("nsAccountLock", ["TRUE"])];
    let alice = "uid=alice,ou=people,dc=example,dc=com";
    pool.connection().await.expect("it runs").modify(alice, lock).await.expect("the reader may");
    match changed.prove(&typed("alice", "Red-Apple-11", NEW).1, &Silent).await.expect("it answers") {
        Answer::No(denial) => assert_eq!(told(&denial), "account_disabled (proved)"),
        Answer::Yes(proof) => panic!("{} is in", proof.username()),
    }
}

#[tokio::test]
async fn openldap_lets_a_service_account_with_the_right_help_who_has_expired_for_good() {
    let world = testkit::world::World::start(testkit::world::Peer::OpenLdap).await;
    let directories = |service: &str, password: &str| {
        let service = client::Simple::new(service, proto::Password::new(password).expect("not empty"));
        let options = client::Options::new([world.ldap_url()]).expect("a good URL").bind(service);
        let mut settings = openldap("main");
        settings.password_change = PasswordChange::Service;
        Directories::new(vec![(settings, Pool::lazy(options))], clock()).expect("good settings")
    };
    let reader = directories(testkit::world::READER, testkit::world::READER_PASSWORD);
    assert!(prove(&reader, "expired", "Old-Otter-13").await.unwrap_err().offers_change());
    let told = outcome(&reader, "expired", "Old-Otter-13", NEW).await;
    assert_eq!(told, "Configuration, may have changed: false", "the reader may not write");
    let admin = directories("cn=admin,dc=example,dc=com", "Admin-Pass-0");
    assert_eq!(outcome(&admin, "expired", "wrong", NEW).await, "wrong_password (not proved)");
    assert_eq!(outcome(&admin, "expired", "Old-Otter-13", NEW).await, "changed, and expired is in");
}
