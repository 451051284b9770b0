//! Persistent search and entry change notification, draft-ietf-ldapext-psearch

use std::time::Duration;

use ldapgate_client::{ChangeStream, Changed, Connection, Options, Rename, Search, Simple};
use proto::control::{ChangeKind, PersistentSearch};
use proto::{Change, Password, Rdn, ResultCode};
use testkit::ds389::{Ds389, MANAGER, MANAGER_PASSWORD};
use testkit::world::BASE;
use tokio::time::timeout;

async fn manager() -> Connection {
    let server = Ds389::shared().await;
    let password = Password::new(MANAGER_PASSWORD).unwrap();
    let options = Options::new([server.ldap_url()]).unwrap().bind(Simple::new(MANAGER, password));
    Connection::open(&options).await.unwrap()
}

async fn next(changes: &mut ChangeStream) -> Changed {
    let changed = timeout(Duration::from_secs(20), changes.next()).await.expect("the server tells it");
    changed.unwrap().expect("it goes on")
}

/// The next change below an entry that was added a moment ago: 389-ds answers an add before it tells searches of it, so that
/// one which began in between has the entry as content and then as a change.
async fn next_below(base: &str, changes: &mut ChangeStream) -> Changed {
    let changed = next(changes).await;
    if changed.entry.dn() != base {
        return changed;
    }
    assert!(changed.change.is_some(), "as content it came before");
    next(changes).await
}

#[tokio::test]
async fn ds389_every_kind_of_change_is_told() {
    let connection = manager().await;
    let base = format!("ou=persistent,{BASE}");
    connection.add(&base, [("objectClass", vec!["organizationalUnit"])]).await.unwrap();
    // What is there comes first, so that the search is known to be under way.
    let asked = PersistentSearch::content_and_changes();
    let mut changes = connection.persistent_search(Search::below(&base), asked);
    let there = next(&mut changes).await;
    assert_eq!((there.entry.dn(), there.change), (base.as_str(), None));

    let (first, second) = (format!("cn=a,{base}"), format!("cn=b,{base}"));
    let rename = Rename::to(Rdn::new("cn", "b").unwrap());
    for kind in [ChangeKind::Add, ChangeKind::Modify, ChangeKind::ModifyDn, ChangeKind::Delete] {
        let (name, before) = match kind {
            ChangeKind::Add => (&first, None),
            ChangeKind::Modify => (&first, None),
            ChangeKind::ModifyDn => (&second, Some(&first)),
            ChangeKind::Delete => (&second, None),
        };
        match kind {
            ChangeKind::Add => {
                connection.add(name, [("objectClass", vec!["organizationalRole"])]).await.map(drop)
            }
            ChangeKind::Modify => {
                connection.modify(name, vec![Change::replace("description", ["new"])]).await.map(drop)
            }
            ChangeKind::ModifyDn => connection.rename(&first, &rename).await.map(drop),
            ChangeKind::Delete => connection.delete(name).await.map(drop),
        }
        .unwrap();
        let changed = next_below(&base, &mut changes).await;
        assert_eq!(changed.entry.dn(), name);
        let change = changed.change.expect("it was asked for");
        assert_eq!((change.change, change.previous_dn.as_ref()), (kind, before));
    }
}

#[tokio::test]
async fn memory_a_server_without_it_refuses_rather_than_answering_a_plain_search() {
    let (_running, connection) = super::memory().await;
    let mut changes = connection.persistent_search(Search::below(BASE), PersistentSearch::changes());
    let error = changes.next().await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::UNAVAILABLE_CRITICAL_EXTENSION);
}
