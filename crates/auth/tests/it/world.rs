//! A directory with people in it, and one call that walks the whole decision.

use std::sync::Arc;
use std::time::Duration;

use client::{Options, Pool, Simple};
use directory::{Builder, Directory, Kind, Limits, Running};
use ldapgate_auth::{
    Answer, Clock, Credentials, Denial, Directories, Error, Fold, Observer, Person, Proven, Reason, Rule,
    Settings, Silent, Username, Vendor, Verdict,
};
use proto::{Dn, Password};

pub(crate) const PEOPLE: &str = include_str!("people.ldif");
pub(crate) const READER: &str = "cn=reader,dc=example,dc=com";

/// 2026-11-24, day 20781 since 1970.
pub(crate) fn clock() -> Clock {
    movable().0
}

/// The same, and the hand that moves it.
pub(crate) fn movable() -> (Clock, testkit::clock::Clock) {
    let clock = testkit::clock::Clock::at(20_781 * 86_400);
    let told = clock.clone();
    (Arc::new(move || told.now()), clock)
}

/// A running in-memory directory.
pub(crate) struct World {
    pub(crate) directory: Directory,
    running: Running,
}

impl World {
    pub(crate) async fn people() -> World {
        World::with(PEOPLE).await
    }

    pub(crate) async fn with(ldif: &str) -> World {
        World::limited(ldif, Limits::default()).await
    }

    pub(crate) async fn limited(ldif: &str, limits: Limits) -> World {
        World::of(Directory::builder(clock()).limits(limits).ldif(ldif).expect("good LDIF")).await
    }

    pub(crate) async fn of(builder: Builder) -> World {
        let directory = builder.build();
        let listener = Directory::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let running = directory.serve(listener).await;
        World { directory, running }
    }

    pub(crate) fn url(&self) -> String {
        self.running.url()
    }

    /// The server goes away.
    pub(crate) async fn stop(self) -> String {
        let url = self.running.url();
        self.running.stop().await;
        url
    }

    pub(crate) fn pool(&self) -> Pool {
        Pool::lazy(options([self.url()]))
    }

    /// One directory with the preset of OpenLDAP.
    pub(crate) fn directories(&self, change: impl FnOnce(&mut Settings)) -> Directories {
        let mut settings = openldap("main");
        change(&mut settings);
        Directories::new(vec![(settings, self.pool())], clock()).expect("good settings")
    }

    /// The same with a clock that can be moved.
    pub(crate) fn told_the_time(
        &self,
        change: impl FnOnce(&mut Settings),
    ) -> (Directories, testkit::clock::Clock) {
        let mut settings = openldap("main");
        change(&mut settings);
        let (told, clock) = movable();
        (Directories::new(vec![(settings, self.pool())], told).expect("good settings"), clock)
    }

    /// Searches and binds since the last call, connections' own service binds left out.
    pub(crate) fn operations(&self) -> Vec<(Kind, String)> {
        let all = self.directory.operations();
        self.directory.clear_operations();
        let own = all.into_iter().filter(|operation| operation.dn != READER || operation.kind != Kind::Bind);
        own.map(|operation| (operation.kind, operation.dn)).collect()
    }
}

pub(crate) fn options(urls: impl IntoIterator<Item = String>) -> Options {
    let password = Password::new("Reader-Pass-1").expect("not empty");
    Options::new(urls)
        .expect("good URLs")
        .bind(Simple::new(READER, password))
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(2))
}

/// Connections to a real server that holds the world of `testkit`.
pub(crate) fn real_pool(url: String, service: &str, password: &str) -> Pool {
    let service = Simple::new(service, Password::new(password).expect("not empty"));
    Pool::lazy(Options::new([url]).expect("a good URL").bind(service).timeout(Duration::from_secs(10)))
}

/// That server as one directory with its preset, asked by the world's service account.
pub(crate) fn real(url: String, vendor: Vendor, change: impl FnOnce(&mut Settings)) -> Directories {
    let mut settings = Settings::preset("main", vendor, dn(testkit::world::BASE));
    change(&mut settings);
    let pool = real_pool(url, testkit::world::READER, testkit::world::READER_PASSWORD);
    Directories::new(vec![(settings, pool)], clock()).expect("good settings")
}

pub(crate) fn openldap(name: &str) -> Settings {
    Settings::preset(name, Vendor::OpenLdap, dn("dc=example,dc=com"))
}

pub(crate) fn dn(text: &str) -> Dn {
    Dn::parse(text).expect("a good name")
}

pub(crate) fn group(name: &str) -> Dn {
    dn(&format!("cn={name},ou=groups,dc=example,dc=com"))
}

pub(crate) fn in_group(name: &str) -> Rule {
    Rule::Group(group(name))
}

/// Everything a login does except what the account keeps.
pub(crate) async fn decide(
    directories: &Directories,
    name: &str,
    password: &str,
    observer: &dyn Observer,
) -> Result<Answer<Proven>, Error> {
    let typed = match Credentials::parse(name, password.to_owned(), Fold::Lower) {
        Ok(typed) => typed,
        Err(denial) => return Ok(Answer::No(denial)),
    };
    let located = match directories.locate(&typed.username, observer).await? {
        Answer::Yes(located) => located,
        Answer::No(denial) => return Ok(Answer::No(denial)),
    };
    let proof = match located.prove(&typed.password, observer).await? {
        Answer::Yes(proof) => proof,
        Answer::No(denial) => return Ok(Answer::No(denial)),
    };
    let person = proof.person(observer).await?;
    Ok(match directories.judge(&person, observer) {
        Verdict::Admitted => Answer::Yes(person),
        Verdict::Refused(denial) => Answer::No(denial.after_proof()),
    })
}

pub(crate) async fn admitted(directories: &Directories, name: &str, password: &str) -> Person {
    match decide(directories, name, password, &Silent).await {
        Ok(Answer::Yes(person)) => person.into_person(),
        Ok(Answer::No(denial)) => panic!("{name} was refused: {denial}"),
        Err(error) => panic!("{name} met an error: {error}: {:?}", error.causes()),
    }
}

pub(crate) async fn refused(directories: &Directories, name: &str, password: &str) -> Denial {
    match decide(directories, name, password, &Silent).await {
        Ok(Answer::No(denial)) => denial,
        Ok(Answer::Yes(person)) => panic!("{name} got in as {}", person.dn()),
        Err(error) => panic!("{name} met an error: {error}: {:?}", error.causes()),
    }
}

pub(crate) async fn failed(directories: &Directories, name: &str, password: &str) -> Error {
    match decide(directories, name, password, &Silent).await {
        Err(error) => error,
        Ok(Answer::No(denial)) => panic!("{name} was refused: {denial}"),
        Ok(Answer::Yes(person)) => panic!("{name} got in as {}", person.dn()),
    }
}

pub(crate) async fn reason(directories: &Directories, name: &str, password: &str) -> Reason {
    refused(directories, name, password).await.reason()
}

pub(crate) async fn described(directories: &Directories, name: &str) -> Answer<Person> {
    let username = Username::parse(name, Fold::Lower).expect("a good name");
    match directories.locate(&username, &Silent).await.expect("the directory answers") {
        Answer::Yes(located) => located.describe(&Silent).await.expect("the directory answers"),
        Answer::No(denial) => Answer::No(denial),
    }
}

pub(crate) fn names(person: &Person) -> Vec<&str> {
    person.groups().iter().map(|group| group.name.as_str()).collect()
}
