//! The blocking client: the same names, without await

use std::time::{Duration, Instant};

use ldapgate_client::blocking::{Connection, Pool, Restartable};
use ldapgate_client::{Change, Error, FailureKind, Options, Password, Rename, Retry, Search, Simple};
use proto::{Filter, ResultCode};
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use testkit::world::{BASE, READER, READER_PASSWORD};
use tls::ClientTls;

use crate::pool::{Site, password, reader};

fn administrator() -> Simple {
    Simple::new(ADMINISTRATOR, Password::new(ADMINISTRATOR_PASSWORD).unwrap())
}

/// The shared server, for a test that is not asynchronous itself.
fn equipped() -> &'static testkit::equipped::Equipped {
    tokio::runtime::Runtime::new().unwrap().block_on(OpenLdap::equipped())
}

fn people() -> Search {
    Search::below(format!("ou=people,{BASE}")).matching(Filter::present("uid")).attributes(["uid"])
}

#[test]
fn openldap_is_asked_and_changed_without_a_runtime_of_the_callers() {
    let server = equipped();
    let trust = ClientTls::from_pem(server.authority().pem().as_bytes()).unwrap();
    let options = Options::new([server.ldap_url()]).unwrap().start_tls(true).tls(trust).bind(administrator());
    let connection = Connection::open(&options).unwrap();
    assert!(connection.is_encrypted() && !connection.is_closed());
    assert_eq!(connection.who_am_i().unwrap(), format!("dn:{ADMINISTRATOR}"));

    let base = format!("ou=blocking,{BASE}");
    connection.add(&base, [("objectClass", vec!["organizationalUnit"]), ("ou", vec!["blocking"])]).unwrap();
    let dn = format!("cn=one,{base}");
    connection.add(&dn, [("objectClass", vec!["applicationProcess"]), ("cn", vec!["one"])]).unwrap();
    connection.modify(&dn, vec![Change::replace("description", ["blocked"])]).unwrap();
    assert!(connection.compare(&dn, "description", "blocked").unwrap());
    let rename = Rename::to(proto::Rdn::new("cn", "two").unwrap());
    connection.rename(&dn, &rename).unwrap();
    let moved = connection.read(&format!("cn=two,{base}"), &["description"]).unwrap().unwrap();
    assert_eq!(moved.text("description"), Some("blocked"));
    connection.delete(&format!("cn=two,{base}")).unwrap();
    let error = connection.delete(&format!("cn=two,{base}")).unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::NO_SUCH_OBJECT);
    connection.delete(&base).unwrap();
    connection.close();
    assert!(connection.is_closed());
}

#[test]
fn openldap_gives_a_search_as_an_iterator_in_pages() {
    let server = equipped();
    let pool = Pool::open(Options::new([server.ldap_url()]).unwrap().bind(reader())).unwrap();
    let whole = pool.search(people()).unwrap().entries.len();
    let mut paged = pool.stream(people().page_size(Some(2)));
    let names: Vec<String> =
        paged.by_ref().map(|entry| entry.unwrap().text("uid").unwrap().to_owned()).collect();
    assert_eq!(names.len(), whole);
    assert!(paged.finish().unwrap().truncated.is_none());
    assert_eq!(pool.stream(people()).take(2).count(), 2, "dropped half-way");
    assert!(pool.read(BASE, &["dc"]).unwrap().is_some());
    assert_eq!(pool.metrics().servers[0].failed(FailureKind::Closed), 0);
}

#[test]
fn openldap_serves_one_connection_to_many_threads() {
    let server = equipped();
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap().bind(reader())).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..20 {
                        assert!(connection.read(BASE, &["dc"]).unwrap().is_some());
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[tokio::test]
async fn openldap_is_reached_from_inside_of_an_asynchronous_program() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldap_url()]).unwrap().bind(reader());
    let pool = Pool::open(options).unwrap();
    for _ in 0..500 {
        pool.check().unwrap();
    }
    let elsewhere = pool.clone();
    let found = tokio::task::spawn_blocking(move || elsewhere.search(people())).await.unwrap();
    assert!(found.unwrap().entries.len() > 3);
    let mut login = pool.server().unwrap().prove().unwrap();
    assert!(matches!(login.read(BASE, &["dc"]), Err(Error::NotBound)));
    assert!(login.bind(READER, &Password::new(READER_PASSWORD).unwrap()).unwrap().is_success());
    assert!(login.read(BASE, &["dc"]).unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_deadlines_hold() {
    let site = Site::start().await;
    let options = site.options().timeout(Duration::from_millis(200));
    tokio::task::spawn_blocking(move || {
        let connection = Connection::open(&options).unwrap();
        site.directory.faults().always(directory::Kind::Search, directory::Fault::Drop);
        #[expect(clippy::disallowed_methods, reason = "no runtime's clock is at hand here")]
        let began = Instant::now();
        let error = connection.read(BASE, &["dc"]).unwrap_err();
        assert!(matches!(&error, Error::Timeout { sent: true, .. }), "{error:?}");
        assert!(began.elapsed().as_millis() >= 200, "{:?}", began.elapsed());
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_operations_are_made_again_here_too() {
    let site = Site::start().await;
    tokio::task::spawn_blocking(move || {
        let close = |times| {
            site.directory.faults().next(directory::Kind::Search, times, directory::Fault::Close);
        };
        let retry = Retry::default().pauses(Duration::from_millis(1), Duration::from_millis(5));
        let pool = Pool::lazy(site.options()).unwrap();
        for directory in [
            Restartable::open(site.options(), retry.clone()).unwrap(),
            Restartable::pool(pool, retry.clone()).unwrap(),
        ] {
            close(2);
            assert!(directory.read(BASE, &["dc"]).unwrap().is_some());
            close(2);
            let found = directory.reading(|connection| connection.search(Search::read(BASE))).unwrap();
            assert_eq!(found.entries.len(), 1);
            close(1);
            assert!(directory.stream(Search::read(BASE)).next().unwrap().is_ok());
            let refused = directory.writing(|connection| connection.bind(READER, &password())).unwrap_err();
            assert!(matches!(refused, Error::Shared { .. }));
        }
    })
    .await
    .unwrap();
}

#[test]
fn memory_a_dropped_connection_is_closed_by_the_thread_behind() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let site = runtime.block_on(Site::start());
    let pool = Pool::open(site.options()).unwrap();
    assert_eq!(site.directory.counters().open, 1);
    drop(pool);
    runtime.block_on(crate::peer::eventually("it is closed", async || site.directory.counters().open == 0));
}
