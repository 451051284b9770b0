//! The same answers as the model, command by command.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use account::store::{Store, battery};
use testkit::postgres::Postgres;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_answers_as_the_model_does() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let number = AtomicU32::new(0);
    battery::battery(async || -> Arc<dyn Store> {
        let file = folder.path().join(format!("{}.db", number.fetch_add(1, Ordering::Relaxed)));
        ldapgate_store::open(&format!("sqlite:{}", file.display())).await.expect("the store opens")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_answers_as_the_model_does() {
    let server = Postgres::shared();
    battery::battery(async || -> Arc<dyn Store> {
        ldapgate_store::open(&server.database()).await.expect("the store opens")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_answers_so_over_tls() {
    let server = Postgres::shared();
    let url = server.with_tls(&server.database());
    let store = ldapgate_store::open(&url).await.expect("the store opens");
    battery::follow_script(&*store, 1, 60).await;
    let encrypted = "select count(*) > 0 from pg_stat_ssl join pg_stat_activity using (pid) where ssl and datname = current_database()";
    assert_eq!(server.sql(&url, encrypted).trim(), "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_answers_so_behind_a_bouncer_that_gives_each_transaction_another_connection() {
    let server = Postgres::shared();
    battery::battery(async || -> Arc<dyn Store> {
        let url = server.bouncer(&server.database());
        ldapgate_store::open(&url).await.expect("the store opens")
    })
    .await;
}
