//! Content synchronisation, RFC 4533

use std::collections::BTreeMap;
use std::time::Duration;

use ldapgate_client::{Connection, ContentSync, Error, Options, Search, Simple, SyncEvent, SyncStream};
use proto::value::Guid;
use proto::{Bytes, Change, Password, ResultCode};
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use testkit::world::BASE;
use tokio::time::timeout;

/// A connection of the administrator's to the server that everybody shares.
async fn administrator() -> Connection {
    let server = OpenLdap::equipped().await;
    let password = Password::new(ADMINISTRATOR_PASSWORD).unwrap();
    let options = Options::new([server.ldap_url()]).unwrap().bind(Simple::new(ADMINISTRATOR, password));
    Connection::open(&options).await.unwrap()
}

/// An entry of a test's own, with so many below it, and a search for all of them.
async fn tree(connection: &Connection, name: &str, below: usize) -> (String, Search) {
    let base = format!("ou={name},{BASE}");
    let unit = [("objectClass", vec!["organizationalUnit"])];
    connection.add(&base, unit).await.unwrap();
    for number in 0..below {
        add(connection, &base, number).await;
    }
    (base.clone(), Search::below(base).attributes(["cn", "description"]))
}

async fn add(connection: &Connection, base: &str, number: usize) {
    let role = [("objectClass", vec!["organizationalRole"])];
    connection.add(&format!("cn=r{number},{base}"), role).await.unwrap();
}

/// A copy as the events make it.
#[derive(Default)]
struct Copy {
    entries: BTreeMap<Guid, String>,
    /// What a refresh has named.
    named: Vec<Guid>,
    cookie: Option<Bytes>,
}

impl Copy {
    fn take(&mut self, event: SyncEvent) {
        match event {
            SyncEvent::Added { uuid, entry } | SyncEvent::Modified { uuid, entry } => {
                self.named.push(uuid);
                let said = entry.text("description").unwrap_or("-");
                self.entries.insert(uuid, format!("{} {said}", entry.dn().split(',').next().unwrap()));
            }
            SyncEvent::Present { uuid, .. } => self.named.push(uuid),
            SyncEvent::PresentIds(uuids) => self.named.extend(uuids),
            SyncEvent::Deleted { uuid, .. } => drop(self.entries.remove(&uuid)),
            SyncEvent::DeletedIds(uuids) => self.entries.retain(|uuid, _| !uuids.contains(uuid)),
            SyncEvent::PresentDone | SyncEvent::RefreshDone { deletes: false } => {
                self.entries.retain(|uuid, _| self.named.contains(uuid));
            }
            SyncEvent::Cookie(cookie) => self.cookie = Some(cookie),
            SyncEvent::RefreshDone { deletes: true } => {}
            other => panic!("{other:?}"),
        }
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.entries.values().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The copy after a refresh from its cookie.
    async fn refresh(&mut self, connection: &Connection, search: &Search) {
        let mut sync = ContentSync::refresh_only(search.clone());
        if let Some(cookie) = self.cookie.clone() {
            sync = sync.cookie(cookie);
        }
        self.named.clear();
        let mut stream = connection.sync(sync);
        while let Some(event) = stream.next().await.unwrap() {
            self.take(event);
        }
    }

    /// Takes events until one is as wanted.
    async fn until(&mut self, stream: &mut SyncStream, wanted: impl Fn(&SyncEvent) -> bool) {
        let waiting = async {
            loop {
                let event = stream.next().await.unwrap().expect("it goes on");
                let found = wanted(&event);
                self.take(event);
                if found {
                    return;
                }
            }
        };
        timeout(Duration::from_secs(20), waiting).await.expect("the server tells it");
    }
}

#[tokio::test]
async fn openldap_a_copy_is_refreshed_from_its_cookie() {
    let connection = administrator().await;
    let (base, search) = tree(&connection, "sync-refresh", 3).await;
    let mut copy = Copy::default();
    copy.refresh(&connection, &search).await;
    assert_eq!(copy.names(), ["cn=r0 -", "cn=r1 -", "cn=r2 -", "ou=sync-refresh -"]);

    let before = copy.cookie.clone();
    assert!(before.is_some());
    connection.modify(&format!("cn=r0,{base}"), vec![Change::replace("description", ["new"])]).await.unwrap();
    connection.delete(&format!("cn=r1,{base}")).await.unwrap();
    add(&connection, &base, 3).await;
    copy.refresh(&connection, &search).await;
    assert_eq!(copy.names(), ["cn=r0 new", "cn=r2 -", "cn=r3 -", "ou=sync-refresh -"]);
    assert_ne!(copy.cookie, before);

    // A refresh of what has not changed says so, and names nothing.
    copy.named.clear();
    copy.refresh(&connection, &search).await;
    assert!(copy.names().len() == 4);
}

#[tokio::test]
async fn openldap_changes_are_told_as_they_happen() {
    let connection = administrator().await;
    let (base, search) = tree(&connection, "sync-persist", 1).await;
    let mut copy = Copy::default();
    let mut stream = connection.sync(ContentSync::refresh_and_persist(search));
    copy.until(&mut stream, |event| matches!(event, SyncEvent::RefreshDone { .. })).await;
    assert_eq!(copy.names(), ["cn=r0 -", "ou=sync-persist -"]);

    let name = format!("cn=r0,{base}");
    connection.modify(&name, vec![Change::replace("description", ["new"])]).await.unwrap();
    copy.until(&mut stream, |event| matches!(event, SyncEvent::Modified { .. })).await;
    assert_eq!(copy.names(), ["cn=r0 new", "ou=sync-persist -"]);
    add(&connection, &base, 1).await;
    copy.until(&mut stream, |event| matches!(event, SyncEvent::Added { .. })).await;
    assert_eq!(copy.names(), ["cn=r0 new", "cn=r1 -", "ou=sync-persist -"]);
    connection.delete(&name).await.unwrap();
    copy.until(&mut stream, |event| matches!(event, SyncEvent::Deleted { .. })).await;
    copy.until(&mut stream, |event| matches!(event, SyncEvent::Cookie(_))).await;
    assert_eq!(copy.names(), ["cn=r1 -", "ou=sync-persist -"]);

    let id = *copy.entries.iter().find(|(_, name)| name.starts_with("cn=r1")).unwrap().0;
    let entry = connection.read(&format!("cn=r1,{base}"), &["entryUUID"]).await.unwrap().unwrap();
    assert_eq!(entry.text("entryUUID"), Some(id.to_string().as_str()));

    // What happens while nobody listens is told to who comes back with the cookie.
    drop(stream);
    connection.delete(&format!("cn=r1,{base}")).await.unwrap();
    let again = ContentSync::refresh_and_persist(Search::below(base)).cookie(copy.cookie.clone().unwrap());
    let mut stream = connection.sync(again);
    copy.named.clear();
    copy.until(&mut stream, |event| matches!(event, SyncEvent::RefreshDone { .. })).await;
    assert_eq!(copy.names(), ["ou=sync-persist -"]);
}

#[tokio::test]
async fn openldap_a_cookie_from_the_future_is_refused() {
    let connection = administrator().await;
    let (_, search) = tree(&connection, "sync-future", 0).await;
    let cookie = "rid=000,csn=29991231235959.000000Z#000000#000#000000";
    let error = connection.sync(ContentSync::refresh_only(search).cookie(cookie)).next().await.unwrap_err();
    assert!(matches!(&error, Error::Refused { operation: "sync", .. }), "{error:?}");
    assert_eq!(error.result().unwrap().code, ResultCode::UNWILLING_TO_PERFORM);
}

#[tokio::test]
async fn memory_a_server_without_it_refuses_rather_than_answering_a_plain_search() {
    let (_running, connection) = super::memory().await;
    let sync = ContentSync::refresh_only(Search::below(BASE));
    let error = connection.sync(sync).next().await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::UNAVAILABLE_CRITICAL_EXTENSION);
}
