//! What only a server can go through: it is away, refuses, was edited, is spoken to in clear text.

use account::StoreError;
use account::Time;
use account::store::{AccountQuery, AuditQuery, BlockQuery, Find, SessionQuery};
use ldapgate_store::{OpenError, is_in_the_clear, look, migrate, open};
use testkit::postgres::{PASSWORD_IN_URL, Postgres, ROLE};

use crate::people::{admit, login};

async fn refused(url: &str) -> OpenError {
    let error = open(url).await.err().expect("it is refused");
    let mut told = format!("{error} {error:?}");
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        told.push_str(&error.to_string());
        cause = error.source();
    }
    assert!(
        !told.contains(PASSWORD_IN_URL) && !told.contains("p@ss:w/rd%") && !told.contains("Wrong-Pass"),
        "{told}"
    );
    error
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_told_in_words() {
    let server = Postgres::shared();
    let url = server.database();
    let wrong_password = url.replace(PASSWORD_IN_URL, "Wrong-Pass-0");
    let no_database = format!("{}x", url);
    let nobody_there = format!("postgres://{ROLE}:{PASSWORD_IN_URL}@127.0.0.1:1/x");
    let error = refused(&wrong_password).await;
    assert!(
        matches!(&error, OpenError::Refused { .. }) && error.to_string().contains("password"),
        "{error:?}"
    );
    let error = refused(&no_database).await;
    assert!(error.to_string().contains("no such database"), "{error:?}");
    let error = refused(&nobody_there).await;
    assert!(error.is_unreachable() && error.to_string().contains("127.0.0.1:1"), "{error:?}");
    let error = refused(&format!("{url}?sslmode=sometimes")).await;
    assert!(matches!(&error, OpenError::Malformed { .. }), "{error:?}");
    let error = refused(&format!("{url}?sslmod=require")).await;
    assert!(error.to_string().contains("sslmod"), "{error:?}");
    let error = refused("postgres://gate:Wrong?Wrong-Pass@127.0.0.1/x").await;
    assert!(error.to_string().contains("%3F"), "{error:?}");
    let tls = server.with_tls(&url);
    let error = refused(&tls.replace("@localhost", "@127.0.0.1").replace("ca.crt", "server.crt")).await;
    assert!(matches!(&error, OpenError::Tls { .. }), "{error:?}");
    let error = refused(&server.bouncer(&wrong_password).replace(PASSWORD_IN_URL, "Wrong-Pass-0")).await;
    assert!(matches!(&error, OpenError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn whoever_may_not_make_tables_is_told_so_and_may_use_those_that_are_there() {
    let server = Postgres::shared();
    let url = server.database();
    server.sql(&url, "alter schema public owner to postgres; revoke create on schema public from public");
    let database = url.rsplit_once('/').unwrap().1;
    server.sql(&url, &format!("alter database {database} owner to postgres"));
    let error = refused(&url).await;
    assert!(error.to_string().contains("grant"), "{error:?}");

    server.sql(&url, &format!("grant create on schema public to {ROLE}"));
    let migrated = migrate(&url).await.expect("now it may").expect("there are tables");
    assert_eq!(migrated.from, None);
    server.sql(&url, &format!("revoke create on schema public from {ROLE}"));
    let again = migrate(&url).await.expect("there is nothing to make").expect("there are tables");
    assert_eq!((again.from, again.to), (Some(migrated.to), migrated.to));
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let server = Postgres::shared();
    let url = server.database();
    drop(open(&url).await.expect("it opens"));
    server.sql(&url, "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (999, 'later', true, '\\x00', 0)");
    let error = refused(&url).await;
    assert!(matches!(error, OpenError::Newer { version: 999, .. }), "{error:?}");
    assert!(error.to_string().contains("newer"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_begin_on_an_empty_database_at_once() {
    let url = Postgres::shared().database();
    let opened = futures_util::future::join_all((0..6).map(|_| migrate(&url))).await;
    let first = opened.into_iter().filter(|done| {
        let done = done.as_ref().expect("it opens").expect("there are tables");
        done.from.is_none()
    });
    assert_eq!(first.count(), 1, "one of them made the tables, the others found them");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let server = Postgres::shared();
    let url = server.database();
    // In the way of the last table that is made.
    server.sql(&url, &format!("create table change (mine text); alter table change owner to {ROLE}"));
    let error = refused(&url).await;
    assert!(matches!(error, OpenError::Migrate { .. }), "{error:?}");
    let tables = "select string_agg(tablename, ',') from pg_tables where schemaname = 'public'";
    assert_eq!(server.sql(&url, tables).trim(), "change");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_unreachable_until_it_is_back() {
    let server = Postgres::start();
    let url = server.database();
    let store = open(&url).await.expect("it opens");
    store.record(login("alice")).await.expect("it writes");
    server.stop();
    let error = store.record(login("bob")).await.expect_err("nobody is there");
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
    assert!(open(&url).await.err().expect("nobody is there").is_unreachable());
    server.resume();
    store.record(login("carol")).await.expect("it writes again");
    let records = store.audit(AuditQuery { limit: 10, ..AuditQuery::default() }).await.expect("it reads");
    let names: Vec<_> = records.iter().filter_map(|record| record.audit.username.as_deref()).collect();
    assert_eq!(names, ["alice", "carol"]);
}

/// Whoever is held up by somebody else's lock gives up in time, and nothing of theirs stays behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_given_up_leaves_no_lock_behind() {
    let url = Postgres::shared().database();
    let store = open(&url).await.expect("it opens");
    for _ in 0..40 {
        let admit = store.admit(admit(1));
        // Dropped somewhere in the middle.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(2), admit).await;
    }
    store.admit(admit(2)).await.expect("nobody is in the way");
}

#[tokio::test]
async fn text_that_postgresql_cannot_hold_is_kept_all_the_same() {
    let store = open(&Postgres::shared().database()).await.expect("it opens");
    store.record(login("ali\0ce\u{1}")).await.expect("it writes");
    let query = AuditQuery { username: Some("ali\0ce\u{1}".to_owned()), limit: 10, ..AuditQuery::default() };
    let records = store.audit(query).await.expect("it reads");
    assert_eq!(records[0].audit.username.as_deref(), Some("ali\0ce\u{1}"));
    let mut odd = admit(1);
    odd.facts.local_name = "o\0dd".to_owned();
    odd.facts.dn = "uid=o\0dd".to_owned();
    odd.facts.fields.insert("title".to_owned(), "a\0b".to_owned());
    store.admit(odd).await.expect("it writes");
    let found = store.account(Find::LocalName("o\0dd".to_owned())).await.expect("it reads");
    let found = found.expect("they are there");
    assert_eq!((found.dn.as_str(), found.fields["title"].as_str()), ("uid=o\0dd", "a\0b"));
}

#[tokio::test]
async fn a_damaged_row_is_named_by_table_column_and_row() {
    let server = Postgres::shared();
    let url = server.database();
    let store = open(&url).await.expect("it opens");
    store.admit(admit(1)).await.expect("it writes");
    let user = "01010101-0101-4101-8101-010101010101";
    server.sql(&url, "update account set fields = 'no json'");
    let people = store.accounts(AccountQuery { after: None, limit: 10 }).await.err();
    names(people, "account", "fields", user);
    server.sql(&url, "update account set fields = '{}'");

    server.sql(&url, &format!("insert into session (digest, handle, account, created, last_seen, expires, remembered, warnings) values ('\\x00', 'abc', '{user}', 0, 0, 0, false, '[]')"));
    names(store.sessions(SessionQuery::All).await.err(), "session", "digest", "abc");
    server.sql(
        &url,
        &format!(
            "insert into personal_token (digest, id, account, created) values ('\\x00', 'tok', '{user}', 0)"
        ),
    );
    names(store.personal_tokens(None).await.err(), "personal_token", "digest", "tok");
    server.sql(&url, "insert into counter (key, wrong, last) values ('person main alice', 5000000000, 0)");
    let query = BlockQuery { at: Time::from_seconds(1), window: std::time::Duration::from_secs(60) };
    names(store.blocks(query).await.err(), "counter", "wrong", "person main alice");
    server.sql(&url, "insert into audit (number, at, event, account) values (77, 0, 'login', 'me')");
    let query = AuditQuery { limit: 10, ..AuditQuery::default() };
    names(store.audit(query).await.err(), "audit", "account", "77");
    server.sql(&url, "update change set account = 'me'");
    names(store.changes_since(Some(0)).await.err(), "change", "account", "1");
}

fn names(error: Option<StoreError>, table: &str, column: &str, row: &str) {
    let error = error.expect("it cannot be read");
    let StoreError::Corrupt(damage) = &error else { panic!("{error:?}") };
    assert_eq!((damage.table, damage.column.as_str(), damage.row.as_str()), (table, column, row));
}

#[test]
fn clear_text_across_a_network_is_seen() {
    let clear = |url: &str| is_in_the_clear(url).expect("it is a URL");
    for url in [
        "postgres://gate@db.example.com/gate",
        "postgres://gate@10.0.0.7/gate?sslmode=prefer",
        "postgres://gate@db.example.com/gate?sslmode=disable",
    ] {
        assert!(clear(url), "{url}");
    }
    for url in [
        "postgres://gate@localhost/gate",
        "postgres://gate@127.0.0.1/gate?sslmode=disable",
        "postgres://gate@[::1]/gate",
        "postgres://gate@%2Frun%2Fpostgresql/gate",
        "postgres:///gate?host=/run/postgresql",
        "postgres://gate@db.example.com/gate?sslmode=require",
        "postgres://gate@db.example.com/gate?sslmode=verify-full",
    ] {
        assert!(!clear(url), "{url}");
    }
}

#[tokio::test]
async fn looking_at_a_server_tells_its_version_and_its_clock_and_makes_nothing() {
    let server = Postgres::shared();
    let url = server.database();
    for place in [url.clone(), server.bouncer(&url)] {
        let empty = look(&place).await.expect("it answers").expect("it is no memory");
        assert_eq!(empty.version, None, "twice: nothing was made");
        assert!(empty.clock.is_some());
    }
    drop(open(&url).await.expect("it opens"));
    let looked = look(&server.bouncer(&url)).await.expect("it answers").expect("it is no memory");
    assert_eq!(looked.version, Some(looked.known));
    let nobody = format!("postgres://{ROLE}:{PASSWORD_IN_URL}@127.0.0.1:1/x");
    let error = look(&nobody).await.expect_err("nobody is there");
    assert!(error.is_unreachable() && !format!("{error:?}").contains(PASSWORD_IN_URL), "{error:?}");
}
