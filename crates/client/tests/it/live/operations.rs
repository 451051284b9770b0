//! The operations of RFC 4511: bind, search in pages, compare, add, modify, modify DN, delete; StartTLS and ldaps

use ldapgate_client::{Change, Connection, Error, Filter, Options, Password, Rename, Search};
use proto::{Rdn, ResultCode};
use testkit::world::{BASE, Peer, World};
use tls::ClientTls;

use super::administrator::{self, add, unit};

/// A life in seven operations, below a place that is there already.
async fn everything_is_done(connection: &Connection, base: &str, class: &str) {
    let place = format!("ou=moved,{base}");
    add(connection, &place, &[("objectClass", "organizationalUnit"), ("ou", "moved")]).await;
    for number in 0..7 {
        let (cn, sn) = (format!("person {number}"), format!("{number}"));
        add(connection, &format!("cn={cn},{base}"), &[("objectClass", class), ("cn", &cn), ("sn", &sn)])
            .await;
    }
    let people = Search::below(base).matching(Filter::equal("objectClass", class)).attributes(["sn"]);
    for size in [None, Some(2)] {
        let found = connection.search(&people.clone().page_size(size)).await.unwrap();
        assert_eq!(found.entries.len(), 7, "pages of {size:?}");
        assert!(found.truncated.is_none());
    }
    let dn = format!("cn=person 3,{base}");
    assert!(connection.compare(&dn, "sn", "3").await.unwrap());
    assert!(!connection.compare(&dn, "sn", "4").await.unwrap());
    connection
        .modify(&dn, vec![Change::replace("sn", ["three"]), Change::add("description", ["x"])])
        .await
        .unwrap();
    let there = Rename::to(Rdn::new("cn", "Grace").unwrap()).below(&place);
    connection.rename(&dn, &there).await.unwrap();
    let moved = format!("cn=Grace,{place}");
    let entry = connection.read(&moved, &["cn", "sn"]).await.unwrap().unwrap();
    assert_eq!((entry.text("cn"), entry.text("sn")), (Some("Grace"), Some("three")));
    connection.delete(&moved).await.unwrap();
    assert!(connection.read(&moved, &["cn"]).await.unwrap().is_none());
    let Error::Refused { result, .. } = connection.delete(&moved).await.unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(result.code, ResultCode::NO_SUCH_OBJECT);
}

/// The same question by StartTLS and by `ldaps`, the certificate verified.
async fn both_ways_are_encrypted(ldap: &str, ldaps: &str, authority: &[u8], dn: &str, password: &str) {
    for (url, start_tls) in [(ldap, true), (ldaps, false)] {
        let trust = ClientTls::from_pem(authority).unwrap();
        let options = Options::new([url]).unwrap().tls(trust).start_tls(start_tls);
        let connection = Connection::open(&options).await.unwrap();
        assert!(connection.is_encrypted(), "{url}");
        assert!(connection.bind(dn, &Password::new(password).unwrap()).await.unwrap().is_success(), "{url}");
        let wrong = connection.bind(dn, &Password::new("wrong").unwrap()).await.unwrap();
        assert_eq!(wrong.result.code, ResultCode::INVALID_CREDENTIALS, "{url}");
    }
}

#[tokio::test]
async fn openldap_does_them_all() {
    let (server, connection) = administrator::openldap().await;
    everything_is_done(&connection, &unit(&connection, "operations").await, "inetOrgPerson").await;
    let authority = std::fs::read(server.ca_file()).unwrap();
    let (dn, password) = (testkit::openldap::ADMINISTRATOR, testkit::openldap::ADMINISTRATOR_PASSWORD);
    both_ways_are_encrypted(&server.ldap_url(), &server.ldaps_url(), &authority, dn, password).await;
}

#[tokio::test]
async fn ds389_does_them_all() {
    let (server, connection) = administrator::ds389().await;
    everything_is_done(&connection, &unit(&connection, "operations").await, "inetOrgPerson").await;
    let authority = std::fs::read(server.ca_file()).unwrap();
    let (dn, password) = (testkit::ds389::MANAGER, testkit::ds389::MANAGER_PASSWORD);
    both_ways_are_encrypted(&server.ldap_url(), &server.ldaps_url(), &authority, dn, password).await;
}

#[tokio::test]
async fn samba_does_them_all() {
    let (server, connection) = administrator::samba().await;
    everything_is_done(&connection, &unit(&connection, "operations").await, "contact").await;
    let authority = std::fs::read(server.ca_file()).unwrap();
    let (dn, password) = (testkit::samba::ADMINISTRATOR, testkit::samba::ADMINISTRATOR_PASSWORD);
    both_ways_are_encrypted(&server.ldap_url(), &server.ldaps_url(), &authority, dn, password).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_them_all() {
    let world = World::start(Peer::Memory).await;
    let (dn, password) = ("uid=alice,ou=people,dc=example,dc=com", "Red-Apple-11");
    let connection = administrator::bound(&world.ldap_url(), dn, password).await;
    add(
        &connection,
        &format!("ou=operations,{BASE}"),
        &[("objectClass", "organizationalUnit"), ("ou", "operations")],
    )
    .await;
    everything_is_done(&connection, &format!("ou=operations,{BASE}"), "inetOrgPerson").await;
    let authority = world.authority().pem();
    both_ways_are_encrypted(&world.ldap_url(), &world.ldaps_url(), authority.as_bytes(), dn, password).await;
}
