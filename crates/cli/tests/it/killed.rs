//! Gateways that are killed in the middle of their work: nothing is half-written, nothing is lost that was acknowledged.
//!
//! Everybody has a driver of their own who signs in, guesses, signs out, changes groups and is disabled for a moment, at two
//! gateways on one store, and who notes what was acknowledged. Both gateways are killed at a random moment of each round; then
//! the database and the gateways that start again are held against the notes.
//!
//! `LDAPGATE_TEST_KILLS` is how many rounds each store gets (10 when it is not set), `LDAPGATE_TEST_SEED` decides what is done
//! and when it ends; the seed of a run is printed when it fails.

mod invariants;
mod person;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use testkit::world::BASE;
use tokio::time::Instant;

use crate::gateway::Gateway;
use crate::installation::{Installation, Keeper, signed_in};
use crate::killed::invariants::hold;
use crate::killed::person::{CREWS, Person, Surroundings};
use crate::two_gateways::on_both_stores;

on_both_stores!(
    nothing_is_half_written_and_nothing_acknowledged_is_lost,
    a_store_that_was_left_half_made_is_made_whole,
    an_attempt_whose_gateway_died_is_counted_and_blocks_nobody_for_ever,
);

/// People whose drivers work at once.
const PEOPLE: usize = 8;
const SETTINGS: &str = r#"
[directory.permissions]
mirror_groups = true

[login]
throttle = { person = 10000, address = 0, window = "1h" }
"#;

/// Who proves a password needs no search before the bind.
const IMPATIENT: &str = r#"
[directory.user]
dn_template = "uid={username},ou=people,dc=example,dc=com"

[login]
deadline = "2s"
throttle = { person = 2, window = "9s" }
"#;

/// Numbers that a seed decides.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// Another sequence, which this one decides.
    fn another(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }

    async fn wait_below(&mut self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(milliseconds))).await;
    }
}

/// A number from the environment.
#[allow(clippy::disallowed_methods, reason = "how long a test is to last is said from outside")]
fn asked_for(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[allow(clippy::disallowed_methods, reason = "each run is another one, and says which")]
fn seed() -> Random {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seed = asked_for("LDAPGATE_TEST_SEED").unwrap_or_else(now);
    tell(&format!("LDAPGATE_TEST_SEED={seed}"));
    Random(seed)
}

/// For whoever reads how a test failed.
#[allow(clippy::print_stdout, reason = "the harness keeps it to itself until a test fails")]
fn tell(text: &str) {
    println!("{text}");
}

async fn nothing_is_half_written_and_nothing_acknowledged_is_lost(keeper: Keeper) {
    let mut random = seed();
    let installation = Arc::new(Installation::with_entries(keeper, &sailors(), SETTINGS).await);
    let mut people: Vec<_> = (0..PEOPLE).map(|number| Person::new(number, random.another())).collect();
    for round in 1..=asked_for("LDAPGATE_TEST_KILLS").unwrap_or(10) {
        let (mut one, mut other) = installation.two_gateways().await;
        for person in &mut people {
            person.is_as_noted(&[&one.url, &other.url]).await;
        }
        people = drive_and_kill(&installation, people, &mut random, (&mut one, &mut other)).await;
        hold(&installation, &people);
        let told: Vec<_> = people.iter().map(Person::told).collect();
        tell(&format!("round {round}: {}", told.join(" ")));
    }
    let (one, other) = installation.two_gateways().await;
    for person in &mut people {
        person.is_as_noted(&[&one.url, &other.url]).await;
        person.signs_in(&one.url).await;
    }
    hold(&installation, &people);
    let busy = people.iter().filter(|person| person.acknowledged() > 0).count();
    assert!(busy > PEOPLE / 2, "a test in which nothing happens shows nothing: {busy} people did something");
}

/// Lets everybody's driver work until both gateways were killed, one maybe a little after the other.
async fn drive_and_kill(
    installation: &Arc<Installation>,
    people: Vec<Person>,
    random: &mut Random,
    (one, other): (&mut Gateway, &mut Gateway),
) -> Vec<Person> {
    let ended = Arc::new(AtomicBool::new(false));
    let surroundings = Surroundings {
        installation: Arc::clone(installation),
        gateways: [one.url.clone(), other.url.clone()],
    };
    let drivers: Vec<_> = people
        .into_iter()
        .map(|mut person| {
            let (ended, surroundings) = (Arc::clone(&ended), surroundings.clone());
            tokio::spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    person.does_something(&surroundings).await;
                }
                person
            })
        })
        .collect();
    random.wait_below(1000).await;
    let (first, second) = if random.below(2) == 0 { (one, other) } else { (other, one) };
    first.kill();
    if random.below(3) > 0 {
        random.wait_below(500).await;
    }
    second.kill();
    ended.store(true, Ordering::Relaxed);
    let mut people = Vec::new();
    for driver in drivers {
        people.push(driver.await.expect("a driver meets what it expects"));
    }
    people
}

async fn a_store_that_was_left_half_made_is_made_whole(keeper: Keeper) {
    let mut random = seed();
    let mut installation = Installation::with_entries(keeper, &sailors(), SETTINGS).await;
    for number in 1..=8 {
        installation.empty_store(number);
        installation.configure(SETTINGS);
        for _ in 0..3 {
            let mut one = Gateway::begin(installation.config());
            let mut other = Gateway::begin(installation.config());
            random.wait_below(150).await;
            one.kill();
            other.kill();
        }
        let (one, other) = installation.two_gateways().await;
        let mut person = Person::new(0, random.another());
        person.signs_in(&one.url).await;
        person.is_as_noted(&[&one.url, &other.url]).await;
        hold(&installation, &[person]);
    }
}

async fn an_attempt_whose_gateway_died_is_counted_and_blocks_nobody_for_ever(keeper: Keeper) {
    let installation = Installation::start(keeper, IMPATIENT).await;
    let mut gateway = Gateway::start(installation.config()).await;
    let _ = signed_in(&gateway, "alice", "Red-Apple-11").await;
    installation.directory.freeze();
    for _ in 0..2 {
        let mut visitor = gateway.program();
        let body = r#"{"username": "alice", "password": "Red-Apple-11"}"#;
        tokio::spawn(async move {
            let cut_off = visitor.attempt("POST", "/api/login", Some("application/json"), body.as_bytes());
            assert!(cut_off.await.is_err(), "nobody answers");
        });
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while installation.number("select count(*) from reservation where key = 'person main alice'") < 2 {
        assert!(Instant::now() < deadline, "both attempts are under way");
    }
    gateway.kill();
    installation.directory.thaw();

    let gateway = Gateway::start(installation.config()).await;
    let (mut seen, deadline) = (BTreeSet::new(), Instant::now() + Duration::from_secs(30));
    while !seen.contains(&200) {
        assert!(Instant::now() < deadline, "alice is shut out for ever: {seen:?}");
        let _ = seen.insert(gateway.api_login("alice", "Red-Apple-11").await.status);
    }
    assert!(seen.contains(&429), "two attempts that nobody settled are two wrong ones: {seen:?}");
    assert_eq!(installation.number("select count(*) from reservation"), 0);
}

/// Crews, and people who join and leave them.
fn sailors() -> String {
    let mut text = String::new();
    for number in 0..PEOPLE {
        let Person { name, password, .. } = &Person::new(number, Random(0));
        text.push_str(&format!(
            "\ndn: uid={name},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
             userPassword: {password}\n"
        ));
    }
    for crew in CREWS {
        text.push_str(&format!(
            "\ndn: cn={crew},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {crew}\nmember: uid=nobody,{BASE}\n"
        ));
    }
    text
}
