//! The pool's numbers: connections, failures by kind, round trips

use std::time::Duration;

use directory::{Fault, Kind};
use ldapgate_client::{Error, FailureKind, Options, Pool, ServerMetrics};
use testkit::openldap::OpenLdap;
use testkit::world::{BASE, READER};

use crate::peer::eventually;
use crate::pool::{Site, login, password, reader};

fn only(pool: &Pool) -> ServerMetrics {
    let [server] = &pool.metrics().servers[..] else { panic!("one server") };
    server.clone()
}

#[tokio::test]
async fn memory_everything_is_counted_once() {
    let site = Site::start().await;
    let pool = Pool::lazy(site.options());
    let none = only(&pool);
    assert_eq!((none.opened, none.closed, none.open(), none.round_trips.count), (0, 0, 0, 0));
    assert!(none.up && FailureKind::ALL.iter().all(|kind| none.failed(*kind) == 0));

    for _ in 0..5 {
        assert!(login(&pool).await.unwrap());
    }
    let warm = only(&pool);
    assert_eq!((warm.opened, warm.closed, warm.lookups, warm.proving_idle), (2, 0, 1, 1));
    assert_eq!(warm.round_trips.count, 11, "the service account's bind, five searches, five binds");
    assert_eq!(warm.round_trips.count, site.directory.counters().operations());
    let in_buckets: u64 = warm.round_trips.buckets().map(|(_, count)| count).sum();
    assert_eq!(in_buckets, 11);
    assert!(warm.round_trips.mean().unwrap() <= warm.round_trips.sum);

    let server = pool.server().await.unwrap();
    let held = server.prove().await.unwrap();
    let used = only(&pool);
    assert_eq!((used.proving_idle, used.proving_in_use, used.proving_waiting), (0, 1, 0));
    drop((held, server));
    drop(pool);
    eventually("every connection is closed", async || site.directory.counters().open == 0).await;
}

#[tokio::test]
async fn memory_who_waits_is_counted_while_waiting() {
    let site = Site::start().await;
    let pool = Pool::open(site.options().prove(1)).await.unwrap();
    let server = pool.server().await.unwrap();
    let held = server.prove().await.unwrap();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { drop(server.prove().await.unwrap()) })
        })
        .collect();
    eventually("three wait", async || only(&pool).proving_waiting == 3).await;
    assert_eq!(only(&pool).proving_in_use, 1);
    drop(held);
    for one in waiting {
        one.await.unwrap();
    }
    let quiet = only(&pool);
    assert_eq!((quiet.proving_waiting, quiet.proving_in_use, quiet.proving_idle), (0, 0, 1));
}

#[tokio::test]
async fn memory_failures_are_counted_by_their_kinds() {
    let mut site = Site::start().await;
    let pool = Pool::open(site.options().timeout(Duration::from_millis(100))).await.unwrap();
    site.directory.faults().next(Kind::Search, 1, Fault::Drop);
    let connection = pool.connection().await.unwrap();
    let error = connection.read(BASE, &["dc"]).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    site.directory.faults().next(Kind::Search, 1, Fault::Close);
    let connection = pool.connection().await.unwrap();
    let error = connection.read(BASE, &["dc"]).await.unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    drop(connection);
    site.stop().await;
    eventually("both connections are closed", async || only(&pool).open() == 0).await;
    pool.server().await.unwrap_err();
    pool.server().await.unwrap_err();
    let failed = only(&pool);
    let counts =
        FailureKind::ALL.iter().map(|kind| (*kind, failed.failed(*kind))).filter(|(_, count)| *count > 0);
    let expected = [(FailureKind::Connect, 1), (FailureKind::Timeout, 1), (FailureKind::Closed, 1)];
    assert_eq!(counts.collect::<Vec<_>>(), expected, "the second refusal made no attempt");
    assert!(!failed.up);
    assert_eq!((failed.opened, failed.closed), (2, 2));
}

#[tokio::test]
async fn memory_a_refused_service_account_is_counted_once() {
    let site = Site::start().await;
    let wrong = ldapgate_client::Simple::new(READER, ldapgate_client::Password::new("wrong").unwrap());
    let pool = Pool::lazy(Options::new([site.url()]).unwrap().bind(wrong));
    for _ in 0..5 {
        pool.check().await.unwrap_err();
    }
    assert_eq!(only(&pool).failed(FailureKind::ServiceBind), 1);
}

#[tokio::test]
async fn memory_a_warm_pool_has_its_connections_before_they_are_needed() {
    let site = Site::start().await;
    let pool = Pool::lazy(site.options().lookup(3).prove(5));
    pool.warm(4).await.unwrap();
    let warm = only(&pool);
    assert_eq!((warm.lookups, warm.proving_idle, warm.open()), (3, 4, 7));
    pool.warm(4).await.unwrap();
    assert_eq!(only(&pool).opened, 7, "those that stand count");
    for _ in 0..10 {
        assert!(login(&pool).await.unwrap());
    }
    assert_eq!((only(&pool).opened, site.connections()), (7, 7));
    pool.warm(0).await.unwrap();

    let old = Pool::lazy(site.options().max_age(Duration::ZERO));
    old.warm(2).await.unwrap();
    assert_eq!(only(&old).lookups, 0, "too old at once, and no reason to go on for ever");
}

#[tokio::test]
async fn openldap_opens_as_many_connections_as_the_pool_says() {
    let server = OpenLdap::start(
        &testkit::world::LDIF,
        &testkit::certificate::Authority::new("Example Test CA"),
        testkit::certificate::Flaw::None,
    )
    .await;
    let pool = Pool::open(Options::new([server.ldap_url()]).unwrap().bind(reader())).await.unwrap();
    pool.warm(3).await.unwrap();
    let mut proving = pool.server().await.unwrap().prove().await.unwrap();
    assert!(proving.bind(READER, &password()).await.unwrap().is_success());
    let metrics = only(&pool);
    assert_eq!((metrics.opened, metrics.open()), (6, 6));
    eventually("slapd writes down every connection", async || server.connections() == 6).await;
}
