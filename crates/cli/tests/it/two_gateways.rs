//! Two gateways on one store are one: what is done at one of them is true at the other within a second.

use std::time::Duration;

use testkit::http::{Visitor, basic};
use tokio::time::Instant;

use crate::gateway::{Gateway, USUAL, ldapgate, login};
use crate::installation::{Installation, Keeper, signed_in};
use crate::password::{change, sign_in};

/// How long what was taken back may be good elsewhere.
const SOON: Duration = Duration::from_secs(1);
const ALICE: (&str, &str) = ("alice", "Red-Apple-11");

/// Makes each scenario a test with each store.
macro_rules! on_every_store {
    ($($scenario:ident),* $(,)?) => {
        crate::two_gateways::on_every_store!(@ sqlite Sqlite: $($scenario),*);
        crate::two_gateways::on_every_store!(@ postgres Postgres: $($scenario),*);
        crate::two_gateways::on_every_store!(@ postgres_without_notify Unheard: $($scenario),*);
        crate::two_gateways::on_every_store!(@ postgres_behind_pgbouncer Bouncer: $($scenario),*);
    };
    (@ $store:ident $keeper:ident: $($scenario:ident),*) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(crate::installation::Keeper::$keeper).await;
            })*
        }
    };
}
pub(crate) use on_every_store;

/// The same with the two kinds of store.
macro_rules! on_both_stores {
    ($($scenario:ident),* $(,)?) => {
        crate::two_gateways::on_every_store!(@ sqlite Sqlite: $($scenario),*);
        crate::two_gateways::on_every_store!(@ postgres Postgres: $($scenario),*);
    };
}
pub(crate) use on_both_stores;

on_every_store!(
    a_session_of_one_is_a_session_of_the_other,
    a_form_of_one_is_taken_by_the_other,
    a_session_revoked_on_the_command_line_is_refused_at_both,
    everything_of_a_person_revoked_on_the_command_line_is_refused_at_both,
    who_signs_out_at_one_is_signed_out_at_the_other,
    who_ends_the_other_session_at_one_ends_it_at_the_other,
    who_is_disabled_is_refused_at_both,
    a_password_changed_at_one_ends_the_sessions_at_the_other,
    a_hundred_guesses_at_both_make_as_many_binds_as_one_person_has,
    both_start_at_once_on_an_empty_store,
);

async fn a_session_of_one_is_a_session_of_the_other(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let person = signed_in(&one, ALICE.0, ALICE.1).await;
    let told = |answer: testkit::http::Answer| (answer.status, answer.json()["username"].clone());
    assert_eq!(told(person.at(&other.url).get("/api/me").await), (200, "alice".into()));

    let asked = one.program().with("authorization", &basic(ALICE.0, ALICE.1));
    let issued = asked.clone().send("POST", "/auth/request-token", None, b"").await.json();
    let token = issued["token"].as_str().expect("a token").to_owned();
    let mut bearer = other.program().with("authorization", &format!("Bearer {token}"));
    assert_eq!(told(bearer.get("/api/me").await), (200, "alice".into()));
    let keys = "/.well-known/jwks.json";
    assert_eq!(one.program().get(keys).await.json(), other.program().get(keys).await.json());
}

async fn a_form_of_one_is_taken_by_the_other(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let mut here = one.browser();
    let token = here.get("/login").await.field("csrf_token").expect("the form has a token");
    let mut there = here.at(&other.url);
    let fields = [("username", ALICE.0), ("password", ALICE.1), ("csrf_token", &token), ("next", "/")];
    assert_eq!(there.form("/login", &fields).await.status, 303);
    assert_eq!(there.at(&one.url).get("/").await.status, 200);
}

async fn a_session_revoked_on_the_command_line_is_refused_at_both(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let person = signed_in(&one, ALICE.0, ALICE.1).await;
    let listed = installation.document(&["session", "list", "alice"]);
    let id = listed["sessions"][0]["id"].as_str().unwrap_or_else(|| panic!("{listed}")).to_owned();
    let stays = signed_in(&one, ALICE.0, ALICE.1).await;
    is_known(&person, &[&one, &other]).await;
    let done = ldapgate(installation.config(), &["session", "revoke", &id], "");
    assert_eq!(done.status, 0, "{}{}", done.stdout, done.stderr);
    is_refused_soon(&person, &[&one, &other]).await;
    is_known(&stays, &[&one, &other]).await;
}

async fn everything_of_a_person_revoked_on_the_command_line_is_refused_at_both(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let sessions = [signed_in(&one, ALICE.0, ALICE.1).await, signed_in(&other, ALICE.0, ALICE.1).await];
    let carol = signed_in(&one, "carol", "Green-Garden-33").await;
    for session in [&sessions[0], &sessions[1], &carol] {
        is_known(session, &[&one, &other]).await;
    }
    let done = ldapgate(installation.config(), &["session", "revoke", "--user", "alice"], "");
    assert_eq!(done.status, 0, "{}{}", done.stdout, done.stderr);
    let both = [&one, &other];
    tokio::join!(is_refused_soon(&sessions[0], &both), is_refused_soon(&sessions[1], &both));
    is_known(&carol, &[&one, &other]).await;
}

async fn who_signs_out_at_one_is_signed_out_at_the_other(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let mut person = one.browser();
    assert_eq!(sign_in(&mut person, ALICE.0, ALICE.1, "/").await.status, 303);
    let (cookies, page) = (person.clone(), person.get("/").await);
    is_known(&cookies, &[&one, &other]).await;
    let token = page.field("csrf_token").expect("the account page can sign out");
    assert_eq!(person.form("/logout", &[("csrf_token", &token)]).await.status, 303);
    is_refused_soon(&cookies, &[&one, &other]).await;
}

async fn who_ends_the_other_session_at_one_ends_it_at_the_other(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let lost = signed_in(&other, ALICE.0, ALICE.1).await;
    let id = installation.sql("select handle from session")[0]["handle"].clone();
    let mut person = signed_in(&one, ALICE.0, ALICE.1).await;
    is_known(&lost, &[&one, &other]).await;
    let token = person.get("/").await.field("csrf_token").expect("the account page can end sessions");
    let fields = [("csrf_token", token.as_str()), ("session", id.as_str().expect("a handle"))];
    assert_eq!(person.form("/sessions/end", &fields).await.status, 303);
    is_refused_soon(&lost, &[&one, &other]).await;
    is_known(&person, &[&one, &other]).await;
}

async fn who_is_disabled_is_refused_at_both(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let person = signed_in(&one, ALICE.0, ALICE.1).await;
    is_known(&person, &[&one, &other]).await;
    let _ = installation.document(&["user", "disable", "alice"]);
    is_refused_soon(&person, &[&one, &other]).await;
    let _ = installation.document(&["user", "enable", "alice"]);
    assert_eq!(other.api_login(ALICE.0, ALICE.1).await.status, 200);
    assert_eq!(person.at(&one.url).get("/api/me").await.status, 401, "what was ended stays ended");
}

async fn a_password_changed_at_one_ends_the_sessions_at_the_other(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let elsewhere = signed_in(&other, ALICE.0, ALICE.1).await;
    let mut here = one.browser();
    assert_eq!(sign_in(&mut here, ALICE.0, ALICE.1, "/").await.status, 303);
    is_known(&elsewhere, &[&one, &other]).await;
    let changed = change(&mut here, "/password", ALICE.0, ALICE.1, "Rosy-Apple-12").await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    is_refused_soon(&elsewhere, &[&one, &other]).await;
    is_known(&here, &[&one, &other]).await;
}

async fn a_hundred_guesses_at_both_make_as_many_binds_as_one_person_has(keeper: Keeper) {
    let installation = Installation::start(keeper, USUAL).await;
    let (one, other) = installation.two_gateways().await;
    let binds = || installation.directory.log_lines("BIND dn=\"uid=alice,").len();
    let guesses: Vec<_> = (0..100)
        .map(|number| {
            let mut visitor = [&one, &other][number % 2].program();
            tokio::spawn(async move {
                let guess = serde_json::json!({"username": "alice", "password": format!("guess {number}")});
                visitor.json("/api/login", &guess).await.status
            })
        })
        .collect();
    let mut answers = std::collections::BTreeMap::<u16, usize>::new();
    for guess in guesses {
        *answers.entry(guess.await.expect("a guess is answered")).or_default() += 1;
    }
    assert_eq!(answers, [(401, 4), (429, 96)].into(), "wrong, and throttled");
    let made = binds();
    assert!(made <= 4, "a person has 4 guesses, whoever asks; slapd saw {made}");
    for gateway in [&one, &other] {
        assert_eq!(gateway.api_login(ALICE.0, ALICE.1).await.status, 429, "the right one comes too late");
    }
    assert_eq!((login(installation.config(), ALICE.0, ALICE.1).0["reason"].as_str()), Some("throttled"));
    assert_eq!(binds(), made, "a throttled login makes no bind");
    let _ = installation.document(&["block", "clear", "alice"]);
    for gateway in [&one, &other] {
        assert_eq!(gateway.api_login(ALICE.0, ALICE.1).await.status, 200);
    }
}

async fn both_start_at_once_on_an_empty_store(keeper: Keeper) {
    let mut installation = Installation::start(keeper, USUAL).await;
    for number in 1..=10 {
        installation.empty_store(number);
        installation.configure(USUAL);
        let (one, other) = installation.two_gateways().await;
        let (here, there) =
            tokio::join!(signed_in(&one, ALICE.0, ALICE.1), signed_in(&other, ALICE.0, ALICE.1));
        for person in [here, there] {
            is_known(&person, &[&one, &other]).await;
        }
        assert_eq!(installation.number("select count(*) from account"), 1, "it is one person");
        assert_eq!(installation.number("select count(*) from token_key"), 1, "and one key signs tokens");
    }
}

/// Every one of these gateways knows the session now, and has it at hand from here on.
pub(crate) async fn is_known(person: &Visitor, gateways: &[&Gateway]) {
    for gateway in gateways {
        let answer = person.at(&gateway.url).get("/api/me").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// What is asked a second after the acknowledgement, which is now, is refused everywhere, and stays so.
pub(crate) async fn is_refused_soon(person: &Visitor, gateways: &[&Gateway]) {
    is_refused_within(SOON, person, gateways).await;
}

/// The same with another time.
pub(crate) async fn is_refused_within(limit: Duration, person: &Visitor, gateways: &[&Gateway]) {
    let acknowledged = Instant::now();
    for gateway in gateways {
        let mut visitor = person.at(&gateway.url);
        loop {
            let asked = acknowledged.elapsed();
            let status = visitor.get("/api/me").await.status;
            if status == 401 {
                break;
            }
            assert!(asked < limit, "{status} {asked:?} after it was taken back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(visitor.get("/api/me").await.status, 401, "what is refused stays refused");
    }
}
