//! Who is signed in waits for nobody: neither for the directory nor for the store.

use std::time::Duration;

use testkit::postgres::Postgres;
use tokio::time::Instant;

use crate::gateway::Gateway;
use crate::installation::{Installation, Keeper, signed_in};
use crate::two_gateways::is_known;

/// Everybody's turn comes all the time, and a directory that hangs is waited for.
const REFRESHED: &str = "timeout = \"60s\"\n[session]\nrefresh = \"1s\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn postgres_a_known_session_costs_no_query_and_no_search_while_its_refresh_is_due() {
    let installation = Installation::start(Keeper::Postgres, REFRESHED).await;
    let gateway = Gateway::start(installation.config()).await;
    let person = signed_in(&gateway, "alice", "Red-Apple-11").await;
    is_known(&person, &[&gateway]).await;
    installation.directory.freeze();
    let taken_on = "select count(*) from account where looking_until is not null";
    until("alice's turn has come, and the directory hangs", || installation.number(taken_on) == 1).await;
    // The login's own change was heard of by now, so what is read here is kept.
    is_known(&person, &[&gateway]).await;

    let url = installation.store_url().to_owned();
    let whole = "begin; lock table account, session in access exclusive mode; select pg_sleep(30); commit";
    let locked = tokio::task::spawn_blocking({
        let url = url.clone();
        move || std::panic::catch_unwind(|| Postgres::shared().sql(&url, whole)).is_err()
    });
    let locks = "select count(*) from pg_locks where granted and mode = 'AccessExclusiveLock' \
                 and database = (select oid from pg_database where datname = current_database())";
    until("nobody can read a session or an account", || installation.number(locks) >= 2).await;
    for _ in 0..20 {
        is_known(&person, &[&gateway]).await;
    }
    assert!(installation.number(locks) >= 2, "not one of the checks waited for the lock's end");
    installation.directory.thaw();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()";
    let _ = Postgres::shared().sql(&url, end);
    assert!(locked.await.expect("the lock is let go"), "it was held until it was ended");
    until("alice was looked at", || installation.number(taken_on) == 0).await;
    is_known(&person, &[&gateway]).await;
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
