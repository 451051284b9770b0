//! The pool against the in-memory directory on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use directory::{Directory, Fault, Kind, Running};
use ldapgate_client::{Balance, Error, Options, Pool, Search, Server, Simple};
use proto::{Filter, Password, ResultCode};
use testkit::world::{BASE, LDIF, READER, READER_PASSWORD};
use tokio::time::timeout;

use crate::peer::eventually;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(crate) struct Site {
    pub(crate) directory: Directory,
    running: Option<Running>,
    address: SocketAddr,
}

impl Site {
    pub(crate) async fn start() -> Site {
        let directory =
            Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH)).ldif(LDIF.as_str()).unwrap().build();
        let mut site = Site { directory, running: None, address: ANY };
        site.resume().await;
        site
    }

    pub(crate) async fn resume(&mut self) {
        let listener = Directory::listen(self.address).await.unwrap();
        let running = self.directory.serve(listener).await;
        self.address = running.address();
        self.running = Some(running);
    }

    pub(crate) async fn stop(&mut self) {
        self.running.take().expect("it runs").stop().await;
    }

    async fn restart(&mut self) {
        self.stop().await;
        self.resume().await;
    }

    pub(crate) fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    pub(crate) fn options(&self) -> Options {
        Options::new([self.url()]).unwrap().bind(reader())
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.directory.operations().iter().filter(|operation| operation.kind == kind).count()
    }

    pub(crate) fn connections(&self) -> u64 {
        self.directory.counters().connections
    }
}

pub(crate) fn password() -> Password {
    Password::new(READER_PASSWORD).unwrap()
}

pub(crate) fn reader() -> Simple {
    Simple::new(READER, password())
}

/// What a login does: a search and a bind on one server, and all over again on the next one as long as no bind was
/// written.
pub(crate) async fn login(pool: &Pool) -> Result<bool, Error> {
    loop {
        let server = pool.server().await?;
        match login_at(&server).await {
            Err(error) if error.is_unreachable() && !error.sent() => pool.report_dead(&server),
            outcome => return outcome,
        }
    }
}

async fn login_at(server: &Server) -> Result<bool, Error> {
    server.search(&Search::below(BASE).matching(Filter::equal("cn", "reader")).limit(2)).await?;
    let mut proving = server.prove().await?;
    Ok(proving.bind(READER, &password()).await?.is_success())
}

#[tokio::test]
async fn a_dedicated_connection_is_the_service_account_s_and_nobody_else_s() {
    let site = Site::start().await;
    let pool = Pool::lazy(site.options());
    let server = pool.server().await.unwrap();
    let own = server.dedicated().await.unwrap();
    let other = server.lookup().await.unwrap();
    assert!(own.read(BASE, &["1.1"]).await.unwrap().is_some());
    assert_eq!(site.count(Kind::Bind), 2, "each is bound");
    own.close().await;
    assert!(own.is_closed() && !other.is_closed());
    assert!(server.lookup().await.unwrap().read(BASE, &["1.1"]).await.unwrap().is_some());
    assert_eq!(site.count(Kind::Bind), 2, "look-ups go on where they were");
}

#[tokio::test]
async fn a_warm_pool_costs_two_operations_a_login_and_no_connection() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    assert!(login(&pool).await.unwrap());
    let connections = site.connections();
    assert_eq!(connections, 2, "one for look-ups, one for binds");
    site.directory.clear_operations();
    for _ in 0..20 {
        assert!(login(&pool).await.unwrap());
    }
    assert_eq!(site.connections(), connections);
    assert_eq!(site.directory.operations().len(), 40);
}

#[tokio::test]
async fn a_lazy_pool_opens_nothing_by_itself() {
    let site = Site::start().await;
    let pool = Pool::lazy(site.options());
    assert_eq!(pool.urls(), [site.url()]);
    assert_eq!(site.connections(), 0);
    pool.check().await.unwrap();
    assert_eq!(site.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_carried_a_persons_bind_never_carries_a_look_up() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    let logins = (0..50).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { login(&pool).await })
    });
    for login in logins.collect::<Vec<_>>() {
        assert!(login.await.unwrap().unwrap());
    }
    let operations = site.directory.operations();
    let of = |kind: Kind| operations.iter().filter(move |operation| operation.kind == kind);
    let searching: Vec<u64> = of(Kind::Search).map(|operation| operation.connection).collect();
    for connection in &searching {
        let binds = of(Kind::Bind).filter(|operation| operation.connection == *connection).count();
        assert_eq!(binds, 1, "the service account's, when it was opened");
    }
    assert_eq!(searching.len(), 50);
    assert!(site.connections() <= 16, "eight of each kind at most");
}

#[tokio::test]
async fn nobody_can_bind_on_a_look_up_connection() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    let connection = pool.connection().await.unwrap();
    let error = connection.bind(READER, &password()).await.unwrap_err();
    assert!(matches!(&error, Error::Shared { .. }), "{error:?}");
    let error = connection.bind_anonymous().await.unwrap_err();
    assert!(matches!(&error, Error::Shared { .. }), "{error:?}");
    assert_eq!(site.count(Kind::Bind), 1, "the service account's own");
}

#[tokio::test]
async fn a_person_reads_as_themselves_after_their_bind_and_not_before() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    let server = pool.server().await.unwrap();
    let mut proving = server.prove().await.unwrap();
    assert!(matches!(proving.read(BASE, &["dc"]).await, Err(Error::NotBound)));
    assert!(proving.bind(READER, &password()).await.unwrap().is_success());
    assert!(proving.read(BASE, &["dc"]).await.unwrap().is_some());
    assert_eq!(proving.search(&Search::read(BASE)).await.unwrap().entries.len(), 1);

    let wrong = Password::new("wrong").unwrap();
    assert_eq!(proving.bind(READER, &wrong).await.unwrap().result.code, ResultCode::INVALID_CREDENTIALS);
    assert!(matches!(proving.read(BASE, &["dc"]).await, Err(Error::NotBound)), "not as who was bound before");
    assert!(proving.bind(READER, &password()).await.unwrap().is_success());
    assert!(matches!(proving.bind("", &password()).await, Err(Error::NoName)));
    assert!(matches!(proving.read(BASE, &["dc"]).await, Err(Error::NotBound)), "a failed bind proves nobody");
    assert!(proving.bind(READER, &password()).await.unwrap().is_success());
    drop(proving);

    let mut next = server.prove().await.unwrap();
    assert!(matches!(next.read(BASE, &["dc"]).await, Err(Error::NotBound)), "nor as the last login's person");
    assert_eq!(site.connections(), 2, "and yet it is the same connection");
}

#[tokio::test]
async fn a_referral_to_a_persons_bind_proves_nothing() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    site.directory.faults().next(Kind::Bind, 1, Fault::referral("ldap://elsewhere.example.com"));
    let mut proving = pool.server().await.unwrap().prove().await.unwrap();
    assert!(!proving.bind(READER, &password()).await.unwrap().is_success());
    assert!(matches!(proving.read(BASE, &["dc"]).await, Err(Error::NotBound)));
}

#[tokio::test]
async fn a_restart_between_two_logins_fails_none() {
    let mut site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    for _ in 0..20 {
        assert!(login(&pool).await.unwrap());
        site.restart().await;
    }
    assert!(login(&pool).await.unwrap());
}

#[tokio::test]
async fn a_look_up_on_a_dying_connection_is_made_again_once() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    site.directory.faults().next(Kind::Search, 1, Fault::Close);
    assert!(pool.read(BASE, &["dc"]).await.unwrap().is_some());
    site.directory.faults().next(Kind::Search, 2, Fault::Close);
    let error = pool.read(BASE, &["dc"]).await.unwrap_err();
    assert!(matches!(&error, Error::Closed { sent: true, .. }), "{error:?}");
    let server = pool.server().await.unwrap();
    site.directory.faults().next(Kind::Search, 1, Fault::Close);
    assert!(server.read(BASE, &["dc"]).await.unwrap().is_some());
}

#[tokio::test]
async fn a_persons_bind_that_was_written_is_never_written_again() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    login(&pool).await.unwrap();
    let binds = site.directory.counters().binds;
    site.directory.faults().always(Kind::Bind, Fault::Close);
    let error = login(&pool).await.unwrap_err();
    assert!(error.sent(), "{error:?}");
    assert_eq!(site.directory.counters().binds, binds + 1);
}

#[tokio::test]
async fn a_bind_that_was_given_up_does_not_come_back_to_the_pool() {
    let site = Site::start().await;
    let pool = Pool::open(site.options().prove(1)).await.unwrap();
    site.directory.faults().next(Kind::Bind, 1, Fault::Drop);
    assert!(timeout(Duration::from_millis(100), login(&pool)).await.is_err(), "no answer comes");
    assert!(login(&pool).await.unwrap(), "the next login has the lease, and a connection of its own");
    assert_eq!(site.connections(), 3);
}

#[tokio::test]
async fn a_connection_with_something_under_way_does_not_come_back_to_the_pool() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    let mut proving = pool.server().await.unwrap().prove().await.unwrap();
    assert!(proving.bind(READER, &password()).await.unwrap().is_success());
    site.directory.faults().next(Kind::Search, 1, Fault::Drop);
    assert!(
        timeout(Duration::from_millis(50), proving.read(BASE, &["dc"])).await.is_err(),
        "no answer comes"
    );
    drop(proving);
    assert!(login(&pool).await.unwrap());
    assert_eq!(site.connections(), 3);
}

#[tokio::test]
async fn waiting_for_a_proving_connection_is_fair_and_has_an_end() {
    let site = Site::start().await;
    let options = site.options().prove(1).timeout(Duration::from_millis(300));
    let pool = Pool::open(options).await.unwrap();
    let server = pool.server().await.unwrap();
    let held = server.prove().await.unwrap();

    let order = Arc::new(AtomicUsize::new(0));
    let mut waiting = Vec::new();
    for place in 0..5 {
        let (server, order) = (server.clone(), order.clone());
        waiting.push(tokio::spawn(async move {
            let _proving = server.prove().await.unwrap();
            assert_eq!(order.fetch_add(1, Ordering::SeqCst), place, "who asks first is served first");
        }));
        tokio::task::yield_now().await;
    }
    drop(held);
    for task in waiting {
        task.await.unwrap();
    }

    let _held = server.prove().await.unwrap();
    let error = server.prove().await.unwrap_err();
    assert!(matches!(&error, Error::Busy { connections: 1, .. }), "{error:?}");
    assert!(error.is_unreachable() && !error.sent());
}

#[tokio::test]
async fn a_refused_service_account_is_asked_once_and_remembered() {
    let site = Site::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let service = Simple::reading(READER, move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(Password::new("changed since")?)
    });
    let pool = Pool::lazy(Options::new([site.url()]).unwrap().bind(service));
    let lookups: Vec<_> = (0..50)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.read(BASE, &["dc"]).await })
        })
        .collect();
    for lookup in lookups {
        let error = lookup.await.unwrap().unwrap_err();
        let Error::ServiceBind { dn, retry: Some(retry), .. } = &error else {
            panic!("not refused: {error:?}")
        };
        assert_eq!(dn, READER);
        assert!(*retry > Duration::from_secs(20), "{retry:?}");
        assert_eq!(error.result().unwrap().code, ResultCode::INVALID_CREDENTIALS);
        assert!(!error.is_unreachable(), "another server would refuse it, too");
    }
    assert_eq!(site.count(Kind::Bind), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // People can still be proved.
    let mut proving = pool.server().await.unwrap().prove().await.unwrap();
    assert!(proving.bind(READER, &password()).await.unwrap().is_success());
}

#[tokio::test]
async fn a_busy_server_is_no_refusal_of_the_service_account() {
    let site = Site::start().await;
    let pool = Pool::lazy(site.options());
    site.directory.faults().next(Kind::Bind, 1, Fault::unavailable());
    let error = pool.read(BASE, &["dc"]).await.unwrap_err();
    assert!(matches!(&error, Error::Down { .. }), "{error:?}");
    assert!(error.causes()[0].contains("unavailable (52)"), "{:?}", error.causes());
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_the_callers_fault() {
    let site = Site::start().await;
    let service = Simple::reading(READER, || Err("the file is gone".into()));
    let error = Pool::open(Options::new([site.url()]).unwrap().bind(service)).await.unwrap_err();
    assert!(matches!(&error, Error::Secret { .. }), "{error:?}");
    assert_eq!(error.causes(), ["the file is gone"]);
    assert_eq!(site.count(Kind::Bind), 0);
}

#[tokio::test]
async fn the_next_server_takes_over_and_gives_back() {
    let (mut first, second) = (Site::start().await, Site::start().await);
    let options = Options::new([first.url(), second.url()]).unwrap().bind(reader());
    let pool = Pool::open(options).await.unwrap();
    assert_eq!(pool.server().await.unwrap().url(), first.url());

    first.stop().await;
    for _ in 0..5 {
        assert!(login(&pool).await.unwrap());
    }
    assert_eq!(pool.server().await.unwrap().url(), second.url());

    first.resume().await;
    eventually("the first server is tried again in the background", async || {
        pool.server().await.unwrap().url() == first.url()
    })
    .await;
    assert!(login(&pool).await.unwrap());
}

#[tokio::test]
async fn all_servers_failures_are_told() {
    let (mut first, mut second) = (Site::start().await, Site::start().await);
    first.stop().await;
    second.stop().await;
    let error = Pool::open(Options::new([first.url(), second.url()]).unwrap()).await.unwrap_err();
    assert!(matches!(&error, Error::AllDown { failures } if failures.len() == 2), "{error:?}");
    assert!(
        error.causes().iter().all(|cause| cause.to_lowercase().contains("refused")),
        "{:?}",
        error.causes()
    );
}

#[tokio::test]
async fn a_dead_server_is_not_asked_each_time() {
    let mut site = Site::start().await;
    site.stop().await;
    let pool = Pool::lazy(site.options());
    let first = pool.server().await.unwrap_err();
    let Error::Down { retry, source, .. } = &first else { panic!("not down: {first:?}") };
    assert!(*retry <= Duration::from_millis(250));
    let second = pool.server().await.unwrap_err();
    let Error::Down { source: remembered, .. } = &second else { panic!("not down: {second:?}") };
    assert!(Arc::ptr_eq(source, remembered), "the same failure, told again");
}

#[tokio::test]
async fn round_robin_takes_each_server_in_its_turn() {
    let sites = [Site::start().await, Site::start().await, Site::start().await];
    let options = Options::new(sites.each_ref().map(Site::url)).unwrap().balance(Balance::RoundRobin);
    let pool = Pool::lazy(options.bind(reader()));
    for _ in 0..9 {
        assert!(login(&pool).await.unwrap());
    }
    for site in &sites {
        assert_eq!(site.count(Kind::Search), 3);
    }
}

#[tokio::test]
async fn a_server_that_disappoints_is_asked_last() {
    let (first, second) = (Site::start().await, Site::start().await);
    let options = Options::new([first.url(), second.url()]).unwrap().bind(reader());
    let pool = Pool::open(options).await.unwrap();
    let chosen = pool.server().await.unwrap();
    pool.report_dead(&chosen);
    assert_eq!(pool.server().await.unwrap().url(), second.url());

    let only = Pool::open(first.options()).await.unwrap();
    only.report_dead(&only.server().await.unwrap());
    assert!(login(&only).await.unwrap(), "the only server is used all the same, on fresh connections");
}

#[tokio::test]
async fn a_server_that_stops_answering_is_asked_last() {
    let (first, second) = (Site::start().await, Site::start().await);
    let options = Options::new([first.url(), second.url()]).unwrap().bind(reader());
    let pool = Pool::open(options.timeout(Duration::from_millis(100))).await.unwrap();
    first.directory.faults().always(Kind::Search, Fault::Drop);
    let error = pool.read(BASE, &["dc"]).await.unwrap_err();
    assert!(matches!(&error, Error::Timeout { .. }), "{error:?}");
    assert!(pool.read(BASE, &["dc"]).await.unwrap().is_some());
    assert_eq!(second.count(Kind::Search), 1);
}

#[tokio::test]
async fn an_old_connection_is_replaced() {
    let site = Site::start().await;
    let pool = Pool::open(site.options().max_age(Duration::ZERO)).await.unwrap();
    for _ in 0..3 {
        pool.read(BASE, &["dc"]).await.unwrap();
    }
    assert_eq!(site.connections(), 4);
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let site = Site::start().await;
    let pool = Pool::open(site.options().idle(Duration::from_millis(50))).await.unwrap();
    eventually("it says farewell", async || site.directory.counters().unbinds > 0).await;
    assert!(pool.read(BASE, &["dc"]).await.unwrap().is_some());
    assert_eq!(site.connections(), 2);
}

#[tokio::test]
async fn a_crowd_of_look_ups_makes_more_connections_but_not_too_many() {
    let site = Site::start().await;
    let pool = Pool::open(site.options().lookup(3)).await.unwrap();
    site.directory.faults().always(Kind::Search, Fault::Delay(Duration::from_millis(5)));
    let lookups: Vec<_> = (0..200)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for _ in 0..3 {
                    pool.read(BASE, &["dc"]).await.unwrap();
                }
            })
        })
        .collect();
    for lookup in lookups {
        lookup.await.unwrap();
    }
    assert_eq!(site.connections(), 3);
}

#[tokio::test]
async fn dropping_the_pool_closes_its_connections() {
    let site = Site::start().await;
    let pool = Pool::open(site.options()).await.unwrap();
    login(&pool).await.unwrap();
    assert_eq!(site.directory.counters().open, 2);
    drop(pool);
    eventually("nobody holds them", async || site.directory.counters().open == 0).await;
}

#[tokio::test]
async fn a_service_bind_in_clear_text_over_a_network_is_refused() {
    // 192.0.2.1 answers nobody (RFC 5737): a stream handed in stands for the network.
    let options = Options::new(["ldap://192.0.2.1"]).unwrap();
    let site = Site::start().await;
    let connection = ldapgate_client::Connection::over(site.directory.join(), &options).await.unwrap();
    let error = connection.bind(READER, &password()).await.unwrap_err();
    assert!(matches!(&error, Error::Cleartext { .. }), "{error:?}");
    assert_eq!(site.count(Kind::Bind), 0);
}
