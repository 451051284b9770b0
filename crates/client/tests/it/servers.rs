//! The same against the in-memory directory and a real OpenLDAP.

use ldapgate_client::{Connection, Error, Options, Pool, Search, Simple};
use proto::{Filter, Password, ResultCode};
use testkit::certificate::Flaw;
use testkit::world::{BASE, Peer, READER, READER_PASSWORD, World};
use tls::ClientTls;

use crate::peer::eventually;

fn trust(world: &World) -> ClientTls {
    ClientTls::from_pem(world.authority().pem().as_bytes()).unwrap()
}

fn reader() -> Simple {
    Simple::new(READER, Password::new(READER_PASSWORD).unwrap())
}

async fn everybody_is_found_in_pages(peer: Peer) {
    let world = World::start(peer).await;
    for (url, start_tls) in [(world.ldap_url(), false), (world.ldap_url(), true), (world.ldaps_url(), false)]
    {
        let options = Options::new([url]).unwrap().start_tls(start_tls).tls(trust(&world)).bind(reader());
        let pool = Pool::open(options).await.unwrap();
        let connection = pool.connection().await.unwrap();
        assert!(connection.who_am_i().await.unwrap().to_lowercase().contains("cn=reader"));

        let search = Search::below(BASE).matching(Filter::present("uid")).attributes(["uid"]);
        let whole = pool.search(&search.clone().page_size(None)).await.unwrap().entries;
        assert!(whole.len() > 3, "the world has people");
        let paged = pool.search(&search.clone().page_size(Some(2))).await.unwrap();
        assert!(paged.truncated.is_none());
        let names = |entries: &[proto::Entry]| {
            let mut names: Vec<String> = entries.iter().map(|entry| entry.dn().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&paged.entries), names(&whole));

        let limited = pool.search(&search.limit(2)).await.unwrap();
        assert_eq!(limited.entries.len(), 2);
        assert_eq!(limited.truncated.unwrap().code, ResultCode::SIZE_LIMIT_EXCEEDED);
        assert!(pool.read(&format!("cn=nobody,{BASE}"), &["cn"]).await.unwrap().is_none());
        pool.check().await.unwrap();
    }
}

#[tokio::test]
async fn everybody_is_found_in_pages_in_memory() {
    everybody_is_found_in_pages(Peer::Memory).await;
}

#[tokio::test]
async fn everybody_is_found_in_pages_by_openldap() {
    everybody_is_found_in_pages(Peer::OpenLdap).await;
}

async fn a_restart_costs_nothing(peer: Peer) {
    let mut world = World::start(peer).await;
    let pool = Pool::open(Options::new([world.ldap_url()]).unwrap().bind(reader())).await.unwrap();
    let password = Password::new(READER_PASSWORD).unwrap();
    let server = pool.server().await.unwrap();
    server.prove().await.unwrap().bind(READER, &password).await.unwrap();

    world.stop().await;
    let error = pool.read(BASE, &["dc"]).await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");

    world.resume().await;
    // The server is left alone for a moment after it refused a connection.
    eventually("the server is back", async || match pool.server().await {
        Ok(_) => true,
        Err(Error::Down { .. }) => false,
        Err(error) => panic!("{error:?}"),
    })
    .await;
    assert!(pool.read(BASE, &["dc"]).await.unwrap().is_some());
    let server = pool.server().await.unwrap();
    assert!(server.prove().await.unwrap().bind(READER, &password).await.unwrap().is_success());
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again_in_memory() {
    a_restart_costs_nothing(Peer::Memory).await;
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again_openldap() {
    a_restart_costs_nothing(Peer::OpenLdap).await;
}

#[tokio::test]
async fn a_real_servers_bad_certificate_is_told() {
    let world = World::with_flaw(Peer::OpenLdap, Flaw::WrongHost).await;
    for (url, start_tls) in [(world.ldaps_url(), false), (world.ldap_url(), true)] {
        let options = Options::new([url]).unwrap().start_tls(start_tls).tls(trust(&world));
        let error = Connection::open(&options).await.unwrap_err();
        let causes = error.causes().join("\n");
        assert!(causes.contains("localhost") && causes.contains("ldap.wrong.example"), "{causes}");
    }
}

async fn a_connection_of_its_own_is_bound_as_the_options_say(peer: Peer) {
    let world = World::start(peer).await;
    let options = Options::new([world.ldap_url()]).unwrap().bind(reader());
    let connection = Connection::open(&options).await.unwrap();
    assert!(connection.who_am_i().await.unwrap().to_lowercase().contains("cn=reader"));
    let nobody = Connection::open(&options.clone().anonymous()).await.unwrap();
    assert_eq!(nobody.who_am_i().await.unwrap(), "");

    let wrong = Simple::new(READER, Password::new("guess").unwrap());
    // The second server is the same one: asking it would count another wrong password.
    let twice = Options::new([world.ldap_url(), world.ldap_url()]).unwrap();
    let error = Connection::open(&twice.bind(wrong)).await.unwrap_err();
    assert!(matches!(&error, Error::ServiceBind { dn, retry: None, .. } if dn == READER), "{error:?}");
    assert_eq!(error.result().unwrap().code, ResultCode::INVALID_CREDENTIALS);
    assert!(error.to_string().ends_with("check its name and secret"), "{error}");
}

#[tokio::test]
async fn a_connection_of_its_own_is_bound_as_the_options_say_in_memory() {
    a_connection_of_its_own_is_bound_as_the_options_say(Peer::Memory).await;
}

#[tokio::test]
async fn a_connection_of_its_own_is_bound_as_the_options_say_by_openldap() {
    a_connection_of_its_own_is_bound_as_the_options_say(Peer::OpenLdap).await;
}
