//! Several gateways on one PostgreSQL: they behave as one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use account::store::{
    Admitted, AttemptId, AuditQuery, CounterKey, Limit, Relink, Relinked, Reserve, Reserved, Revoke,
    SecretBytes, SetDisabled, Settle, Settlement, Store,
};
use account::{Time, UserId};
use futures_util::future::join_all;
use ldapgate_store::open;
use testkit::postgres::Postgres;
use tokio::time::timeout;

use crate::people::{admit, login};

const WINDOW: Duration = Duration::from_secs(60);
const NOW: Time = Time::from_seconds(1_700_000_000);

async fn gateways<const N: usize>() -> [Arc<dyn Store>; N] {
    let url = Postgres::shared().database();
    gateways_at([(); N].map(|()| url.as_str())).await
}

async fn gateways_at<const N: usize>(urls: [&str; N]) -> [Arc<dyn Store>; N] {
    let opened = join_all(urls.map(open)).await;
    let opened: Vec<_> = opened.into_iter().map(|store| store.expect("the store opens")).collect();
    opened.try_into().ok().expect("one for each")
}

fn guess(id: i64) -> Reserve {
    let limit = |key: CounterKey, most| Limit { key, most };
    // The keys in another order each time, as they would be for different people at one address.
    let mut limits = vec![
        limit(CounterKey::person("main", "alice"), 5),
        limit(CounterKey::from_text("address 192.0.2.1"), 1000),
        limit(CounterKey::unknown(7), 1000),
    ];
    limits.rotate_left(usize::try_from(id).expect("ids are small") % 3);
    Reserve {
        id: AttemptId(id),
        limits,
        window: WINDOW,
        at: NOW,
        expires: NOW.after(Duration::from_secs(30)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_guesses_at_two_gateways_are_no_more_binds_than_one_person_has() {
    let stores: [_; 2] = gateways().await;
    let guesses = (0..100).map(|id| {
        let store = stores[usize::try_from(id).unwrap() % 2].clone();
        async move {
            // As a login does: ask until it is a yes or a block, and settle the yes as wrong.
            for round in 0.. {
                match store.reserve_attempt(guess(id)).await.expect("the store answers") {
                    Reserved::Yes => {
                        let settle = Settle {
                            id: Some(AttemptId(id)),
                            settlement: Settlement::Wrong,
                            window: WINDOW,
                            at: NOW,
                            audit: Some(login("alice")),
                        };
                        store.settle_attempt(settle).await.expect("the store answers");
                        return true;
                    }
                    Reserved::Blocked { .. } => return false,
                    Reserved::UnderWay => assert!(round < 10_000, "somebody settles"),
                }
                tokio::task::yield_now().await;
            }
            unreachable!()
        }
    });
    let binds = join_all(guesses).await.into_iter().filter(|bind| *bind).count();
    assert_eq!(binds, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_who_signs_in_at_two_gateways_at_once_has_one_account() {
    let stores: [_; 2] = gateways().await;
    for number in 0..20_u8 {
        let mut second = admit(number);
        second.new_id = UserId::from_random([number + 100; 16]);
        let both = tokio::join!(stores[0].admit(admit(number)), stores[1].admit(second));
        let (Admitted::Yes(one), Admitted::Yes(other)) =
            (both.0.expect("it writes"), both.1.expect("it writes"))
        else {
            panic!("both are let in")
        };
        assert_eq!(one.account.id, other.account.id);
        assert!(one.created != other.created);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_get_one_key_at_once_one_is_refused() {
    let stores: [_; 2] = gateways().await;
    for number in (0..20_u8).step_by(2) {
        let mut users = Vec::new();
        for number in [number, number + 1] {
            let Admitted::Yes(admission) = stores[0].admit(admit(number)).await.expect("it writes") else {
                panic!("they are let in")
            };
            users.push(admission.account);
        }
        let relink = |which: usize| {
            stores[which].relink(Relink {
                user: users[which].id,
                from: users[which].external_id.clone(),
                to: format!("new{number}"),
                at: NOW,
                audit: login("relinked"),
            })
        };
        let (one, other) = tokio::join!(relink(0), relink(1));
        let done = [one.expect("it writes"), other.expect("it writes")];
        assert_eq!(done.iter().filter(|done| **done == Relinked::Yes).count(), 1, "{done:?}");
        assert!(done.iter().any(|done| matches!(done, Relinked::Taken(_))), "{done:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_first_for_a_secret_decides_for_all() {
    let stores: [_; 2] = gateways().await;
    for name in 0..10_u8 {
        let ask = |candidate: u8| {
            stores[usize::from(candidate % 2)].secret(name.to_string(), SecretBytes::new(vec![candidate; 32]))
        };
        let told: BTreeSet<Vec<u8>> = join_all((0..8).map(ask))
            .await
            .into_iter()
            .map(|secret| secret.expect("the store answers").expose().to_vec())
            .collect();
        assert_eq!(told.len(), 1);
    }
}

/// A number that appears after a later one was seen is a change, or a record, that nobody ever hears of.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_on_from_the_last_number_misses_nothing() {
    let stores: [_; 3] = gateways().await;
    for number in 0..16 {
        stores[0].admit(admit(number)).await.expect("it writes");
    }
    let start = stores[2].changes_since(None).await.expect("it reads").number;
    let reader = stores[2].clone();
    let following = tokio::spawn(async move {
        let (mut changes, mut audit) = (start, 0);
        let (mut changed, mut records) = (BTreeSet::new(), Vec::new());
        while changes < start + 16 {
            let heard = reader.changes_since(Some(changes)).await.expect("it reads");
            assert!(!heard.lost);
            changes = heard.number;
            changed.extend(heard.users);
            let query = AuditQuery { after: audit, limit: 1000, ..AuditQuery::default() };
            records.extend(reader.audit(query).await.expect("it reads"));
            audit = records.last().map_or(0, |record| record.number);
        }
        let query = AuditQuery { after: audit, limit: 1000, ..AuditQuery::default() };
        records.extend(reader.audit(query).await.expect("it reads"));
        (changed, records)
    });
    let writing = (0..16_u8).map(|number| {
        let store = stores[usize::from(number % 2)].clone();
        async move {
            store.record(login("in between")).await.expect("it writes");
            let user = UserId::from_random([number; 16]);
            let set = SetDisabled { user, disabled: true, at: NOW, audit: login("disabled") };
            assert!(store.set_disabled(set).await.expect("it writes"));
        }
    });
    join_all(writing).await;
    let (changed, records) =
        timeout(Duration::from_secs(30), following).await.expect("it ends").expect("nobody failed");
    assert_eq!(changed.len(), 16, "each change was heard of");
    let numbers: Vec<i64> = records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=48).collect::<Vec<_>>(), "every record was read, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_at_one_gateway_stirs_another_at_once() {
    let [one, other] = gateways().await;
    one.admit(admit(1)).await.expect("it writes");
    // What was said before the ear was open is no answer.
    settled(&*other).await;
    let revoke = Revoke {
        user: UserId::from_random([1; 16]),
        keep: None,
        personal_tokens: true,
        at: NOW,
        audit: login("revoked"),
    };
    assert!(one.revoke(revoke).await.expect("it writes"));
    timeout(Duration::from_secs(5), other.stirred()).await.expect("it was told");
}

/// Waits until the store listens, and has told what was to tell.
async fn settled(store: &dyn Store) {
    timeout(Duration::from_secs(10), store.stirred()).await.expect("it begins to listen");
    while timeout(Duration::from_millis(200), store.stirred()).await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_listen_hears_of_its_own_changes_alone() {
    let server = Postgres::shared();
    let url = server.database();
    for quiet in [format!("{url}?notify=off"), server.bouncer(&url)] {
        let [loud, quiet] = gateways_at([&url, &quiet]).await;
        loud.admit(admit(1)).await.expect("it writes");
        assert!(timeout(Duration::from_secs(1), quiet.stirred()).await.is_err(), "nobody tells it");
        let asked = quiet.changes_since(Some(0)).await.expect("it reads");
        assert_eq!(asked.users.len(), 1, "and yet it hears when it asks");
        quiet.admit(admit(1)).await.expect("it writes");
        timeout(Duration::from_secs(1), quiet.stirred()).await.expect("its own it knows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ear_that_was_cut_off_listens_again() {
    let server = Postgres::shared();
    let url = server.database();
    let [one, other] = gateways_at([&url, &url]).await;
    settled(&*other).await;
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    server.sql(&url, cut);
    settled(&*other).await;
    one.admit(admit(2)).await.expect("commands go on");
    timeout(Duration::from_secs(5), other.stirred()).await.expect("it was told");
}
