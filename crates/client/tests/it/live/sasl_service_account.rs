//! SASL for a pool's service account

use ldapgate_client::{Error, Options, Password, Pool, Sasl};
use testkit::openldap::{ADMINISTRATOR, OpenLdap};
use testkit::world::{READER, READER_PASSWORD};

use crate::sasl::{password, presenting, trusting};

#[tokio::test]
async fn openldap_a_pool_looks_up_by_scram_and_by_certificate_and_by_socket() {
    let server = OpenLdap::equipped().await;
    let scram = Options::new([server.ldap_url()])
        .unwrap()
        .bind(Sasl::scram_sha_256("reader", password(READER_PASSWORD)));
    let certificate = Options::new([server.ldaps_url()])
        .unwrap()
        .tls(presenting(&server.ca_file(), server.identity("alice")))
        .bind(Sasl::external());
    let socket = Options::new([server.ldapi_url()]).unwrap().bind(Sasl::external());
    let strongest = Options::new([server.ldaps_url()])
        .unwrap()
        .tls(trusting(&server.ca_file()))
        .bind(Sasl::strongest("reader", password(READER_PASSWORD)));
    for (options, name) in [
        (scram, READER),
        (certificate, "uid=alice,ou=people,dc=example,dc=com"),
        (socket, ADMINISTRATOR),
        (strongest, READER),
    ] {
        let pool = Pool::open(options).await.unwrap();
        let who = pool.connection().await.unwrap().who_am_i().await.unwrap();
        assert_eq!(who, format!("dn:{name}"));
        assert!(pool.read(name, &["1.1"]).await.unwrap().is_some() || name == ADMINISTRATOR);
    }
}

#[tokio::test]
async fn openldap_a_refused_account_is_put_to_rest() {
    let server = OpenLdap::equipped().await;
    let wrong = Sasl::named("SCRAM-SHA-256").unwrap().user("carol").reading(|| Ok(Password::new("wrong")?));
    let pool = Pool::lazy(Options::new([server.ldap_url()]).unwrap().bind(wrong));
    let Err(Error::ServiceBind { dn, retry, .. }) = pool.connection().await else { panic!("refused") };
    assert_eq!(dn, "SCRAM-SHA-256 as carol");
    assert!(retry.is_some());
    let Err(Error::ServiceBind { .. }) = pool.connection().await else { panic!("still refused") };
}
