//! SASL ANONYMOUS (RFC 4505)

use ldapgate_client::{Connection, Options, Sasl};
use testkit::equipped::Equipped;

#[tokio::test]
async fn openldap_takes_nobody_where_it_offers_that() {
    let server = Equipped::start().await;
    let options = Options::new([server.ldap_url()]).unwrap();
    let connection = Connection::open(&options).await.unwrap();
    let sasl = Sasl::anonymous("tester@example.com");
    assert!(!connection.sasl_bind(&sasl).await.unwrap().is_success(), "it is off by its noanonymous");

    server
        .configure("dn: cn=config\nchangetype: modify\nreplace: olcSaslSecProps\nolcSaslSecProps: noplain\n");
    let connection = Connection::open(&options).await.unwrap();
    let reply = connection.sasl_bind(&sasl).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    assert_eq!(connection.who_am_i().await.unwrap(), "");
}
