//! Several servers: fail-over, and each in its turn

use ldapgate_client::{Balance, Options, Pool};
use testkit::certificate::{Authority, Flaw};
use testkit::openldap::OpenLdap;
use testkit::world::{BASE, LDIF};

use crate::peer::eventually;
use crate::pool::{login, reader};

async fn two() -> [OpenLdap; 2] {
    let authority = Authority::new("Example Test CA");
    [
        OpenLdap::start(&LDIF, &authority, Flaw::None).await,
        OpenLdap::start(&LDIF, &authority, Flaw::None).await,
    ]
}

fn searches(server: &OpenLdap) -> usize {
    server.log_lines(" SRCH base=").len()
}

#[tokio::test]
async fn openldap_the_next_server_takes_over_and_gives_back() {
    let [mut first, second] = two().await;
    let pool = Pool::open(Options::new([first.ldap_url(), second.ldap_url()]).unwrap().bind(reader()))
        .await
        .unwrap();
    assert!(login(&pool).await.unwrap());
    assert_eq!(second.connections(), 0, "nobody needs it");
    first.stop();
    for _ in 0..5 {
        assert!(login(&pool).await.unwrap(), "no login fails");
    }
    let metrics = pool.metrics();
    assert!(!metrics.servers[0].up && metrics.servers[1].up);
    first.resume().await;
    eventually("the first server is tried again in the background", async || {
        pool.server().await.unwrap().url() == first.ldap_url()
    })
    .await;
    assert!(login(&pool).await.unwrap());
}

#[tokio::test]
async fn openldap_each_server_has_its_turn() {
    let [first, mut second] = two().await;
    let options = Options::new([first.ldap_url(), second.ldap_url()]).unwrap().balance(Balance::RoundRobin);
    let pool = Pool::open(options.bind(reader())).await.unwrap();
    pool.warm(2).await.unwrap();
    // A connection that nobody has bound on is accepted when the server comes to it.
    eventually("two of each kind", async || (first.connections(), second.connections()) == (4, 4)).await;
    for _ in 0..10 {
        assert!(pool.read(BASE, &["dc"]).await.unwrap().is_some());
    }
    assert_eq!((searches(&first), searches(&second)), (5, 5));
    second.stop();
    for _ in 0..4 {
        assert!(pool.read(BASE, &["dc"]).await.unwrap().is_some());
    }
    assert_eq!(searches(&first), 9, "a server that is away loses its turn");
}
