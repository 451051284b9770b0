//! Servers found in the DNS, RFC 2782

use std::time::Duration;

use ldapgate_client::{Balance, Connection, Error, Options, Pool};
use testkit::certificate::{Authority, Flaw};
use testkit::openldap::OpenLdap;
use testkit::world::{BASE, LDIF};
use tls::ClientTls;

use crate::dns::{NameServer, Srv, Zone};
use crate::peer::eventually;
use crate::pool::{login, reader};

/// All of these servers are this machine, and no name of it can be counted on: resolvers keep "localhost" from the DNS
/// (RFC 6761 section 6.3). An address has the form of a name, and lies below itself.
const DOMAIN: &str = "127.0.0.1";
const LDAPS: &str = "_ldaps._tcp.127.0.0.1";
const LDAP: &str = "_ldap._tcp.127.0.0.1";

struct Site {
    dns: NameServer,
    authority: Authority,
    server: OpenLdap,
}

impl Site {
    async fn start() -> Site {
        let authority = Authority::new("Example Test CA");
        let server = OpenLdap::start(&LDIF, &authority, Flaw::None).await;
        Site { dns: NameServer::start().await, authority, server }
    }

    fn options(&self) -> Options {
        let trust = ClientTls::from_pem(self.authority.pem().as_bytes()).unwrap();
        Options::discover(DOMAIN).unwrap().name_servers([self.dns.address]).tls(trust).bind(reader())
    }
}

fn port(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

fn at(url: &str, priority: u16) -> Srv {
    (priority, 0, port(url), DOMAIN.to_owned())
}

/// The URL as the DNS has it.
fn found(url: &str) -> String {
    url.replace("localhost", DOMAIN)
}

#[tokio::test]
async fn openldap_ldaps_servers_are_asked_for_first() {
    let site = Site::start().await;
    site.dns.says(LDAPS, Zone::Records(600, vec![at(&site.server.ldaps_url(), 0)]));
    site.dns.says(LDAP, Zone::Records(600, vec![at("ldap://x:1", 0)]));
    let pool = Pool::open(site.options()).await.unwrap();
    assert_eq!(pool.urls(), [found(&site.server.ldaps_url())]);
    assert!(pool.connection().await.unwrap().is_encrypted());
    assert!(login(&pool).await.unwrap());
    assert_eq!(site.dns.asked(), [LDAPS], "once, and nothing else");
    assert!(Connection::open(&site.options()).await.unwrap().is_encrypted());
}

#[tokio::test]
async fn openldap_ldap_servers_are_spoken_to_by_start_tls_alone() {
    let site = Site::start().await;
    site.dns.says(LDAP, Zone::Records(600, vec![at(&site.server.ldap_url(), 0)]));
    let pool = Pool::open(site.options()).await.unwrap();
    assert_eq!(pool.urls(), [found(&site.server.ldap_url())]);
    assert!(pool.connection().await.unwrap().is_encrypted());
    assert_eq!(site.dns.asked(), [LDAPS, LDAP]);

    // A server that is not the one it says it is gets no password.
    let stranger = Authority::new("Somebody Else");
    let trust = ClientTls::from_pem(stranger.pem().as_bytes()).unwrap();
    let error = Pool::open(site.options().tls(trust)).await.unwrap_err();
    assert!(matches!(&error, Error::Down { .. }), "{error:?}");
    assert!(error.causes().iter().any(|cause| cause.contains("TLS")), "{:?}", error.causes());
}

#[tokio::test]
async fn openldap_the_next_priority_takes_over_and_gives_back() {
    let mut site = Site::start().await;
    let second = OpenLdap::start(&LDIF, &site.authority, Flaw::None).await;
    let records = vec![at(&second.ldaps_url(), 20), at(&site.server.ldaps_url(), 10)];
    site.dns.says(LDAPS, Zone::Records(600, records));
    let pool = Pool::open(site.options().balance(Balance::RoundRobin)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(
            pool.server().await.unwrap().url(),
            found(&site.server.ldaps_url()),
            "a turn is among equals"
        );
    }
    site.server.stop();
    assert!(login(&pool).await.unwrap());
    assert_eq!(pool.server().await.unwrap().url(), found(&second.ldaps_url()));
    site.server.resume().await;
    eventually("the first is tried again", async || {
        pool.server().await.unwrap().url() == found(&site.server.ldaps_url())
    })
    .await;
}

#[tokio::test]
async fn memory_what_the_dns_does_not_know_is_told() {
    let dns = NameServer::start().await;
    let options = || Options::discover("example.com").unwrap().name_servers([dns.address]);
    let told = async |options: Options| match Pool::open(options).await.unwrap_err() {
        Error::Discovery { domain, problem } => {
            assert_eq!(domain, "example.com");
            problem
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(told(options()).await, "there are neither _ldaps._tcp nor _ldap._tcp records");

    let elsewhere = vec![(0, 0, 636, "ldap.example.org".to_owned())];
    dns.says("_ldaps._tcp.example.com", Zone::Records(60, elsewhere));
    let problem = told(options()).await;
    assert!(problem.contains("do not lie below example.com: ldap.example.org"), "{problem}");

    dns.says("_ldaps._tcp.example.com", Zone::Records(60, vec![(0, 0, 0, String::new())]));
    let problem = told(options()).await;
    assert!(problem.contains("no such service"), "{problem}");

    dns.says("_ldaps._tcp.example.com", Zone::ServerFailure);
    assert!(!told(options()).await.is_empty());

    dns.says("_ldaps._tcp.example.com", Zone::Silence);
    let problem = told(options().connect_timeout(Duration::from_millis(200))).await;
    assert_eq!(problem, "the DNS did not answer within 200ms");
}

#[tokio::test]
async fn memory_a_crowd_asks_the_dns_once_and_a_failure_is_remembered() {
    let dns = NameServer::start().await;
    let pool = Pool::lazy(Options::discover("example.com").unwrap().name_servers([dns.address]));
    let crowd: Vec<_> = (0..50)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.check().await })
        })
        .collect();
    for one in crowd {
        let error = one.await.unwrap().unwrap_err();
        assert!(matches!(&error, Error::Discovery { .. }) && error.is_unreachable(), "{error:?}");
    }
    assert_eq!(dns.asked().len(), 2, "one name each: {:?}", dns.asked());
}

#[tokio::test]
async fn memory_urls_beside_a_domain_are_asked_when_the_dns_has_no_answer() {
    let dns = NameServer::start().await;
    let site = crate::pool::Site::start().await;
    let options = Options::new(["srv:example.com", &site.url()]).unwrap().name_servers([dns.address]);
    let pool = Pool::open(options.bind(reader())).await.unwrap();
    assert!(pool.read(BASE, &["dc"]).await.unwrap().is_some());
    assert_eq!(pool.urls(), [site.url()]);
}

#[tokio::test]
async fn memory_what_is_no_domain_is_refused_at_once() {
    for text in ["srv:", "srv://example.com", "srv:example.com:636", "srv:a b"] {
        let error = Options::new([text]).unwrap_err();
        assert!(matches!(&error, Error::Domain { .. }), "{text}: {error:?}");
    }
    assert!(matches!(Options::new(["srv:a.example", "srv:b.example"]), Err(Error::Domain { .. })));
}

#[tokio::test]
async fn memory_an_old_answer_is_used_and_asked_for_again() {
    let (first, second) = (crate::pool::Site::start().await, crate::pool::Site::start().await);
    let authority = Authority::new("Example Test CA");
    let pair = authority.server(Flaw::None);
    let tls = tls::ServerTls::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes()).unwrap();
    let serve = async |site: &crate::pool::Site| {
        let listener = directory::Directory::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (directory, tls) = (site.directory.clone(), tls.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (directory, tls) = (directory.clone(), tls.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        directory.serve_stream(stream).await;
                    }
                });
            }
        });
        (format!("ldaps://{DOMAIN}:{}", address.port()), task)
    };
    let ((one, _one), (two, _two)) = (serve(&first).await, serve(&second).await);
    let dns = NameServer::start().await;
    dns.says(LDAPS, Zone::Records(0, vec![at(&one, 0)]));
    let trust = ClientTls::from_pem(authority.pem().as_bytes()).unwrap();
    let options = Options::discover(DOMAIN).unwrap().name_servers([dns.address]).tls(trust).bind(reader());
    let pool = Pool::open(options).await.unwrap();
    assert_eq!(pool.server().await.unwrap().url(), one);
    dns.says(LDAPS, Zone::Records(0, vec![at(&two, 0)]));
    assert_eq!(pool.server().await.unwrap().url(), one, "half a minute at least");

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    assert_eq!(pool.server().await.unwrap().url(), one, "nobody waits for the DNS");
    eventually("the new answer is taken in", async || pool.server().await.unwrap().url() == two).await;
    assert_eq!(pool.urls(), [two.as_str()]);
    let metrics = pool.metrics();
    assert_eq!(metrics.servers.len(), 1, "the other server is gone");

    dns.says(LDAPS, Zone::ServerFailure);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    for _ in 0..3 {
        assert_eq!(pool.server().await.unwrap().url(), two, "what was found before stays in use");
    }
}
