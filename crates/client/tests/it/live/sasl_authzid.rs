//! SASL authorization identities: acting as somebody else (RFC 4513 section 5.2.1.8)

use ldapgate_client::{Connection, Options, ResultCode, Sasl};
use testkit::equipped::PROXY_PASSWORD;
use testkit::openldap::OpenLdap;

use crate::sasl::{password, trusting};

const ALICE: &str = "dn:uid=alice,ou=people,dc=example,dc=com";

#[tokio::test]
async fn openldap_lets_the_proxy_act_as_people_by_every_mechanism() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    for sasl in [
        Sasl::plain("proxy", password(PROXY_PASSWORD)),
        Sasl::digest_md5("proxy", password(PROXY_PASSWORD)),
        Sasl::scram_sha_1("proxy", password(PROXY_PASSWORD)),
        Sasl::scram_sha_256("proxy", password(PROXY_PASSWORD)),
        Sasl::scram_sha_512("proxy", password(PROXY_PASSWORD)),
    ] {
        for authzid in [ALICE, "u:alice"] {
            let connection = Connection::open(&options).await.unwrap();
            let sasl = sasl.clone().authzid(authzid);
            let reply = connection.sasl_bind(&sasl).await.unwrap();
            assert!(reply.is_success(), "{sasl:?}: {reply:?}");
            assert_eq!(connection.who_am_i().await.unwrap(), ALICE, "{sasl:?}");
        }
    }
}

#[tokio::test]
async fn openldap_lets_the_administrator_act_as_people_over_ldapi() {
    let server = OpenLdap::equipped().await;
    let connection = Connection::open(&Options::new([server.ldapi_url()]).unwrap()).await.unwrap();
    assert!(connection.sasl_bind(Sasl::external().authzid(ALICE)).await.unwrap().is_success());
    assert_eq!(connection.who_am_i().await.unwrap(), ALICE);
}

#[tokio::test]
async fn openldap_refuses_who_may_not() {
    let server = OpenLdap::equipped().await;
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    let bob = Sasl::scram_sha_256("bob", password("Blue-Boat-22")).authzid(ALICE);
    let reply = connection.sasl_bind(bob).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "{reply:?}");
}
