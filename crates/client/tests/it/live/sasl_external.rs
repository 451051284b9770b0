//! SASL EXTERNAL by client certificate and over ldapi (RFC 4422 appendix A)

use ldapgate_client::{Connection, Options, ResultCode, Sasl};
use testkit::openldap::{ADMINISTRATOR, OpenLdap};

use crate::sasl::{presenting, trusting};

#[tokio::test]
async fn openldap_sees_the_processes_user_over_ldapi() {
    let server = OpenLdap::equipped().await;
    let connection = Connection::open(&Options::new([server.ldapi_url()]).unwrap()).await.unwrap();
    assert!(connection.sasl_bind(Sasl::external()).await.unwrap().is_success());
    assert_eq!(connection.who_am_i().await.unwrap(), format!("dn:{ADMINISTRATOR}"));
}

#[tokio::test]
async fn openldap_sees_the_client_certificate_over_ldaps_and_start_tls() {
    let server = OpenLdap::equipped().await;
    let tls = presenting(&server.ca_file(), server.identity("alice"));
    for (url, start_tls) in [(server.ldaps_url(), false), (server.ldap_url(), true)] {
        let options = Options::new([url]).unwrap().tls(tls.clone()).start_tls(start_tls);
        let connection = Connection::open(&options).await.unwrap();
        assert!(connection.sasl_bind(Sasl::external()).await.unwrap().is_success());
        assert_eq!(connection.who_am_i().await.unwrap(), "dn:uid=alice,ou=people,dc=example,dc=com");
    }
}

#[tokio::test]
async fn openldap_refuses_it_without_a_certificate() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    let connection = Connection::open(&options).await.unwrap();
    let reply = connection.sasl_bind(Sasl::external()).await.unwrap();
    assert!(!reply.is_success());
    assert_ne!(reply.result.code, ResultCode::SASL_BIND_IN_PROGRESS);
    assert_eq!(connection.who_am_i().await.unwrap(), "", "nobody was bound, and the connection goes on");
}
