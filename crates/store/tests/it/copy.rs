//! One store into another: everything is there, and what comes after goes on as if nothing had happened.

use std::path::Path;

use account::store::{AuditQuery, SecretBytes, State, Store, battery::Script, run};
use ldapgate_store::{CopyError, copy, open};
use testkit::postgres::Postgres;

use crate::people::{admit, login};

fn sqlite(folder: &Path, name: &str) -> String {
    format!("sqlite:{}", folder.join(name).display())
}

/// Carries out the next commands of a script, and compares with the model.
async fn go_on(store: &dyn Store, script: &mut Script, state: &mut State, steps: usize) {
    for step in 0..steps {
        let command = script.next_command();
        let told = format!("{command:?}");
        let expected = state.apply(command.clone());
        let found = run(store, command).await.expect("the store answers");
        assert!(found == expected, "step {step}: {told}\n the store: {found:?}\n the model: {expected:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_moves_to_postgresql_and_back_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let there = Postgres::shared().database();
    let urls = [sqlite(folder.path(), "a.db"), there, sqlite(folder.path(), "b.db")];
    let (mut script, mut state) = (Script::new(7), State::default());
    for (number, url) in urls.iter().enumerate() {
        let store = open(url).await.expect("it opens");
        let key = store.secret("key".to_owned(), SecretBytes::new(vec![u8::try_from(number).unwrap(); 32]));
        assert_eq!(key.await.expect("it keeps").expose(), [0; 32], "the first key stays");
        go_on(&*store, &mut script, &mut state, 150).await;
        // More than is under way at once.
        for _ in 0..250 {
            store.record(login("ali\0ce")).await.expect("it writes");
            state.record(login("ali\0ce"));
        }
        drop(store);
        if let Some(next) = urls.get(number + 1) {
            let counts = copy(url, next).await.expect("it is copied");
            let audit = counts.iter().find(|(table, _)| *table == "audit").expect("it is told");
            assert!(audit.1 >= 250, "{counts:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_go_on_after_what_was_swept_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = sqlite(folder.path(), "a.db");
    let store = open(&url).await.expect("it opens");
    for _ in 0..3 {
        store.admit(admit(1)).await.expect("it writes");
    }
    let far = account::Time::from_seconds(4_000_000_000);
    let sweep = account::store::Sweep {
        at: far,
        idle_before: far,
        attempts_before: far,
        audit_before: far,
        changes_before: far,
        keys_before: far,
    };
    store.sweep(sweep).await.expect("it sweeps");
    let there = Postgres::shared().database();
    copy(&url, &there).await.expect("it is copied");
    let store = open(&there).await.expect("it opens");
    assert_eq!(store.changes_since(None).await.expect("it reads").number, 3);
    store.admit(admit(1)).await.expect("it writes");
    let records = store.audit(AuditQuery { limit: 9, ..AuditQuery::default() }).await.expect("it reads");
    assert_eq!(records.iter().map(|record| record.number).collect::<Vec<_>>(), [4]);
    assert_eq!(store.changes_since(Some(3)).await.expect("it reads").users.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_holds_something_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (sqlite(folder.path(), "a.db"), Postgres::shared().database());
    open(&from).await.expect("it opens").admit(admit(1)).await.expect("it writes");
    let target = open(&to).await.expect("it opens");
    target.record(login("bob")).await.expect("it writes");
    let refused = copy(&from, &to).await.expect_err("it is refused");
    assert!(matches!(&refused, CopyError::NotEmpty { tables } if tables == &["audit"]), "{refused:?}");
    let refused = copy(&from, &from).await.expect_err("it is refused");
    assert!(matches!(&refused, CopyError::NotEmpty { .. }), "{refused:?}");
    assert!(matches!(copy(&from, "memory:").await, Err(CopyError::Memory)));
    let records = target.audit(AuditQuery { limit: 9, ..AuditQuery::default() }).await.expect("it reads");
    assert_eq!(records.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_breaks_off_leaves_an_empty_target() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Postgres::shared();
    let (from, to) = (sqlite(folder.path(), "a.db"), server.database());
    open(&from).await.expect("it opens").admit(admit(1)).await.expect("it writes");
    drop(open(&to).await.expect("it opens"));
    server.sql(&to, "alter table change add constraint never check (number < 0)");
    let failed = copy(&from, &to).await.expect_err("the last table does not take it");
    assert!(matches!(&failed, CopyError::Failed { what: "change", .. }), "{failed:?}");
    assert_eq!(server.sql(&to, "select count(*) from account").trim(), "0");
    server.sql(&to, "alter table change drop constraint never");
    copy(&from, &to).await.expect("now it does");
    assert_eq!(server.sql(&to, "select count(*) from account").trim(), "1");
}
