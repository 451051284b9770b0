//! SASL: the strongest mechanism that a server offers (RFC 4513 section 5.2)

use ldapgate_client::{Binding, Connection, Options, ResultCode, Sasl};
use testkit::openldap::OpenLdap;
use testkit::world::{Peer, World};

use crate::sasl::{password, trusting};

#[tokio::test]
async fn openldap_is_asked_and_the_strongest_taken() {
    let server = OpenLdap::equipped().await;
    let tls = trusting(&server.ca_file());
    for url in [server.ldap_url(), server.ldaps_url(), server.ldapi_url()] {
        let options = Options::new([url]).unwrap().tls(tls.clone());
        let connection = Connection::open(&options).await.unwrap();
        let reply = connection.sasl_bind(Sasl::strongest("alice", password("Red-Apple-11"))).await.unwrap();
        assert!(reply.is_success(), "{}: {reply:?}", connection.url());
        assert_eq!(connection.who_am_i().await.unwrap(), "dn:uid=alice,ou=people,dc=example,dc=com");
        let reply = connection.sasl_bind(Sasl::strongest("alice", password("wrong"))).await.unwrap();
        assert_eq!(reply.result.code, ResultCode::INVALID_CREDENTIALS);
    }
    let log = server.log_lines("BIND dn=\"uid=alice");
    assert!(log.iter().any(|line| line.contains("mech=SCRAM-SHA-512")), "{log:#?}");
}

#[tokio::test]
async fn memory_is_bound_to_its_tls_connection() {
    let world = World::start(Peer::Memory).await;
    let tls = trusting(&world.ca_file());
    for (url, start_tls) in [(world.ldaps_url(), false), (world.ldap_url(), true), (world.ldap_url(), false)]
    {
        let options = Options::new([url]).unwrap().tls(tls.clone()).start_tls(start_tls);
        let connection = Connection::open(&options).await.unwrap();
        for (secret, code) in
            [("Red-Apple-11", ResultCode::SUCCESS), ("wrong", ResultCode::INVALID_CREDENTIALS)]
        {
            let reply = connection.sasl_bind(Sasl::strongest("alice", password(secret))).await.unwrap();
            assert_eq!(reply.result.code, code, "{reply:?}");
        }
    }
    let plus = Sasl::scram_sha_256("zoe", password("Pässwörd-Ünï-44")).plus();
    let options = Options::new([world.ldaps_url()]).unwrap().tls(tls);
    let connection = Connection::open(&options).await.unwrap();
    assert!(connection.sasl_bind(plus).await.unwrap().is_success(), "by tls-exporter");
    let strongest = || Sasl::strongest("alice", password("Red-Apple-11"));
    for bound in [strongest().plus(), strongest().channel_binding(Binding::Exporter)] {
        let connection = Connection::open(&options).await.unwrap();
        assert!(connection.sasl_bind(&bound).await.unwrap().is_success(), "{bound:?}");
    }
}
