//! What only a file can go through: restarts, several processes, other versions, damage.

use std::path::Path;
use std::sync::Arc;

use account::StoreError;
use account::store::{AccountQuery, AuditQuery, Digest, Find, Link, Linked, SecretBytes, Store};
use ldapgate_store::{OpenError, look, open};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqlSafeStr as _, SqliteConnection};

use crate::people::{admit, login};

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

async fn sql(path: &Path, statement: &'static str) {
    let mut connection = SqliteConnection::connect(&url(path)).await.expect("the file opens");
    sqlx::query(statement).execute(&mut connection).await.expect("the statement is good");
    connection.close().await.expect("the file closes");
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = folder();
    let path = folder.path().join("a.db");
    let store = open(&url(&path)).await.expect("it opens");
    store.record(login("alice")).await.expect("it writes");
    let kept = store.secret("key".to_owned(), SecretBytes::new(vec![1; 32])).await.expect("it keeps");
    drop(store);
    let store = open(&url(&path)).await.expect("it opens again");
    let again = store.secret("key".to_owned(), SecretBytes::new(vec![2; 32])).await.expect("it keeps");
    assert_eq!(again.expose(), kept.expose());
    let records = store.audit(AuditQuery { limit: 10, ..AuditQuery::default() }).await.expect("it reads");
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].number, records[0].audit.username.as_deref()), (1, Some("alice")));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let store = open(&url(&folder.path().join("a.db"))).await.expect("it opens");
    store.record(login("alice")).await.expect("it writes");
    for entry in std::fs::read_dir(folder.path()).expect("the folder can be listed") {
        let entry = entry.expect("the folder can be listed");
        let mode = entry.metadata().expect("a file has a mode").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_open_an_empty_file_at_once_and_all_write() {
    let folder = folder();
    let path = folder.path().join("a.db");
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let url = url(&path);
            tokio::spawn(async move {
                let store = open(&url).await.expect("it opens");
                for _ in 0..10 {
                    store.record(login(&format!("person{number}"))).await.expect("it writes");
                }
                store
            })
        })
        .collect();
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for task in tasks {
        stores.push(task.await.expect("nobody failed"));
    }
    for store in stores {
        let records =
            store.audit(AuditQuery { limit: 1000, ..AuditQuery::default() }).await.expect("it reads");
        assert_eq!(records.len(), 80, "each sees what all wrote");
    }
}

/// Found by logging in four times at once as somebody new: the second saw the name taken, by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_is_never_taken_for_their_own_namesake() {
    let folder = folder();
    let store = open(&url(&folder.path().join("a.db"))).await.expect("it opens");
    for number in 0..30_u8 {
        let admit = admit(number);
        let link = Link {
            directory: admit.facts.directory.clone(),
            external_id: admit.facts.external_id.clone(),
            local_name: admit.facts.local_name.clone(),
        };
        let writing = tokio::spawn({
            let store = store.clone();
            async move { store.admit(admit).await.expect("it writes") }
        });
        loop {
            match store.link(link.clone()).await.expect("it reads") {
                Linked::New => {}
                Linked::Known(_) => break,
                Linked::Taken { by, .. } => panic!("taken by {}", by.external_id),
            }
        }
        writing.await.expect("nobody failed");
    }
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_up_to_date_with_everybody_in_it() {
    let folder = folder();
    let path = folder.path().join("a.db");
    version_one(&path).await;
    sql(&path, PERSON_OF_VERSION_ONE).await;
    sql(&path, SESSION_OF_VERSION_ONE).await;
    let store = open(&url(&path)).await.expect("it opens again");
    let old = store.account(Find::LocalName("person1".to_owned())).await.expect("it reads");
    let old = old.expect("nobody is lost");
    assert_eq!(old.attributes.iter().count(), 0);
    let (names, dns): (Vec<_>, Vec<_>) =
        old.local_groups.iter().map(|group| (group.name.as_str(), group.dn.as_str())).unzip();
    assert_eq!((names, dns), (vec!["staff"], vec![""]), "nobody knows yet whose group that was");
    let (session, account) = store.session(Digest([7; 32])).await.expect("it reads").expect("it goes on");
    assert_eq!((session.generation, account.generation), (3, 3));
    store.admit(admit(1)).await.expect("it writes");
    let new = store.account(Find::LocalName("person1".to_owned())).await.expect("it reads");
    let new = new.expect("nobody is lost");
    assert_eq!(new.id, old.id);
    assert_eq!(
        (new.attributes.text("CN"), new.attributes.get("objectSid")[0].bytes()),
        (Some("Person"), &[0xff, 0][..])
    );
    drop(store);
    let migrated = ldapgate_store::migrate(&url(&path)).await.expect("it opens").expect("there are tables");
    assert_eq!(migrated.from, Some(migrated.to), "nothing is left to do");
}

/// What the first version made.
async fn version_one(path: &Path) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the file can be made");
    let sql = include_str!("../../migrations/sqlite/0001_start.sql").into_sql_str();
    let first = Migration::new(1, "start".into(), MigrationType::Simple, sql, false);
    let migrator = Migrator::with_migrations(vec![first]);
    migrator.run_direct(None, &mut connection, false).await.expect("the tables can be made");
    connection.close().await.expect("the file closes");
}

const PERSON_OF_VERSION_ONE: &str = "insert into account (id, directory, external_id, username, local_name, dn, fields, \
     lists, flags, groups, local_groups, permissions, disabled, generation, first_seen, checked) values \
     ('01010101-0101-4101-8101-010101010101', 'main', 'id1', 'person1', 'person1', 'uid=person1', '{}', '{}', '{}', '[]', \
     '[\"staff\"]', '[]', 0, 3, 1, 1)";

const SESSION_OF_VERSION_ONE: &str = "insert into session (digest, handle, account, created, last_seen, expires, remembered) \
     values (x'0707070707070707070707070707070707070707070707070707070707070707', 'h', \
     '01010101-0101-4101-8101-010101010101', 1, 1, 9, 0)";

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_in_words() {
    let folder = folder();
    let path = folder.path().join("a.db");
    drop(open(&url(&path)).await.expect("it opens"));
    sql(&path, "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (999, 'later', 1, x'00', 0)").await;
    let refused = open(&url(&path)).await.err().expect("it is refused");
    assert!(matches!(refused, OpenError::Newer { version: 999, .. }), "{refused:?}");
    assert!(refused.to_string().contains("newer"), "{refused}");
}

#[tokio::test]
async fn a_damaged_row_is_named_by_table_column_and_row() {
    let folder = folder();
    let path = folder.path().join("a.db");
    let store = open(&url(&path)).await.expect("it opens");
    sql(
        &path,
        "insert into account (id, directory, external_id, username, local_name, dn, fields, lists, flags, groups, \
         local_groups, given, disabled, generation, generation_at, first_seen, last_login, checked, attributes) \
         values ('67e55044-10b1-426f-9247-bb680e5fe0c8', 'main', '1', 'alice', 'alice', 'uid=alice', 'no json', '{}', \
         '{}', '[]', '[]', '[]', 0, 0, null, 0, null, 0, '{}')",
    )
    .await;
    let error = store.accounts(AccountQuery { after: None, limit: 10 }).await.expect_err("it cannot be read");
    let StoreError::Corrupt(damage) = &error else { panic!("{error:?}") };
    assert_eq!((damage.table, damage.column.as_str()), ("account", "fields"));
    assert_eq!(damage.row, "67e55044-10b1-426f-9247-bb680e5fe0c8");
    assert!(error.to_string().contains("account.fields of 67e55044-10b1-426f-9247-bb680e5fe0c8"), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_and_a_url_of_another_kind_are_told_in_words() {
    let missing = open("sqlite:/no/such/folder/a.db").await.err().expect("it cannot be opened");
    assert!(missing.to_string().contains("/no/such/folder/a.db"), "{missing}");
    let other = open("mysql://root:secret@host/db").await.err().expect("there is no such store");
    assert!(other.to_string().contains("sqlite:FILE") && !other.to_string().contains("secret"), "{other}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("a.db");
    std::fs::write(&path, "these are my holiday notes, not a database, and they are long enough to look at")
        .expect("writable");
    assert!(open(&url(&path)).await.is_err());
    assert!(std::fs::read_to_string(&path).expect("still there").starts_with("these are my holiday notes"));
}

#[tokio::test]
async fn looking_at_a_store_changes_nothing() {
    let folder = folder();
    let path = folder.path().join("a.db");
    assert!(matches!(look(&url(&path)).await, Err(OpenError::File { .. })), "it is not there");
    assert!(!path.exists(), "and is not made");
    drop(open(&url(&path)).await.expect("it opens"));
    let looked = look(&url(&path)).await.expect("it is there").expect("it is no memory");
    assert_eq!((looked.version, looked.clock), (Some(looked.known), None));
    sql(&path, "delete from _sqlx_migrations where version > 1").await;
    let older = look(&url(&path)).await.expect("it is there").expect("it is no memory");
    assert_eq!(older.version, Some(1), "and stays so");
    sql(&path, "update _sqlx_migrations set version = 9999").await;
    assert!(matches!(look(&url(&path)).await, Err(OpenError::Newer { version: 9999, .. })));
    assert_eq!(look("memory:").await.expect("there is nothing to look at"), None);
}
