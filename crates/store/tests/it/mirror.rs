//! Local groups that cannot be written: the login fails, and everything is as it was.

use std::collections::BTreeMap;

use account::store::{
    AccountQuery, Admit, Audit, Digest, Facts, GroupQuery, Mirror, Occasion, SessionQuery, StartSession,
    Store,
};
use account::{Attributes, Group, StoreError, Time, UserId};
use sqlx::{Connection as _, SqliteConnection};
use testkit::postgres::Postgres;

/// Alice in one group, which follows.
fn in_group(name: &str, occasion: Occasion) -> Box<Admit> {
    let facts = Facts {
        directory: "main".to_owned(),
        external_id: "id1".to_owned(),
        username: "alice".to_owned(),
        local_name: "alice".to_owned(),
        dn: "uid=alice,dc=example,dc=com".to_owned(),
        attributes: Attributes::default(),
        fields: BTreeMap::from([("group".to_owned(), name.to_owned())]),
        lists: BTreeMap::new(),
        flags: BTreeMap::new(),
        groups: vec![Group { name: name.to_owned(), dn: format!("cn={name},dc=example,dc=com") }],
        permissions: vec![name.to_owned()],
    };
    Box::new(Admit {
        at: Time::from_seconds(2),
        new_id: UserId::from_random([1; 16]),
        facts,
        keep_profile: false,
        create: true,
        mirror: Mirror::All,
        occasion,
        retire: None,
        audit: Audit { event: "login".to_owned(), ..Audit::default() },
    })
}

fn login() -> Occasion {
    let session = StartSession {
        digest: Digest::of(b"new"),
        handle: "new".to_owned(),
        expires: Time::from_seconds(100),
        remembered: false,
        address: None,
        agent: None,
        warnings: Vec::new(),
    };
    Occasion::Login { began: Time::from_seconds(1), session: Some(session), attempt: None }
}

/// What breaks is the very place where memberships are written.
async fn fails_whole(store: &dyn Store, set_broken: impl AsyncFn(bool)) {
    store.admit(in_group("old", Occasion::LookUp)).await.expect("it writes");
    let everything = async || {
        let accounts = store.accounts(AccountQuery { after: None, limit: 10 }).await.expect("it reads");
        let groups = store.local_groups(GroupQuery::All).await.expect("it reads");
        let sessions = store.sessions(SessionQuery::All).await.expect("it reads");
        (accounts, groups, sessions, store.changes_since(None).await.expect("it reads"))
    };
    let before = everything().await;
    set_broken(true).await;
    let failed = store.admit(in_group("new", login())).await.expect_err("it cannot be written");
    assert!(matches!(failed, StoreError::Failed { .. }), "{failed:?}");
    assert_eq!(everything().await, before);
    set_broken(false).await;
    store.admit(in_group("new", login())).await.expect("it writes");
    let (accounts, groups, sessions, _) = everything().await;
    assert_eq!(accounts[0].local_group_names().collect::<Vec<_>>(), ["new"]);
    assert_eq!(groups.iter().map(|group| group.members.len()).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(sessions.len(), 1);
}

#[tokio::test]
async fn a_mirror_that_fails_on_sqlite_leaves_old_memberships_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = format!("sqlite:{}", folder.path().join("a.db").display());
    let store = ldapgate_store::open(&url).await.expect("it opens");
    fails_whole(&*store, async |broken| {
        let statement = match broken {
            true => "create trigger broken before insert on membership begin select raise(abort, 'no'); end",
            false => "drop trigger broken",
        };
        let mut connection = SqliteConnection::connect(&url).await.expect("the file opens");
        sqlx::query(statement).execute(&mut connection).await.expect("the statement is good");
        connection.close().await.expect("the file closes");
    })
    .await;
}

#[tokio::test]
async fn a_mirror_that_fails_on_postgresql_leaves_old_memberships_and_writes_nothing() {
    let server = Postgres::shared();
    let url = server.database();
    let store = ldapgate_store::open(&url).await.expect("it opens");
    fails_whole(&*store, async |broken| {
        let statement = match broken {
            true => "alter table membership add constraint broken check (false) not valid",
            false => "alter table membership drop constraint broken",
        };
        server.sql(&url, statement);
    })
    .await;
}
