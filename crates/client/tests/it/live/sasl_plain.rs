//! SASL PLAIN (RFC 4616)

use ldapgate_client::{Connection, Options, ResultCode, Sasl};
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;

use crate::sasl::{password, trusting};

#[tokio::test]
async fn openldap_takes_name_and_password_over_tls() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    for (user, secret) in [("alice", "Red-Apple-11"), ("zoe", "Pässwörd-Ünï-44"), ("jürgen", "Gelb-Glas-55")]
    {
        let connection = Connection::open(&options).await.unwrap();
        let reply = connection.sasl_bind(Sasl::plain(user, password(secret))).await.unwrap();
        assert!(reply.is_success(), "{user}: {reply:?}");
        let name = connection.who_am_i().await.unwrap();
        assert_eq!(name, format!("dn:uid={user},ou=people,dc=example,dc=com"));
    }
}

#[tokio::test]
async fn openldap_refuses_a_wrong_password() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    let connection = Connection::open(&options).await.unwrap();
    let reply = connection.sasl_bind(Sasl::plain("alice", password("wrong"))).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::INVALID_CREDENTIALS);
}

#[tokio::test]
async fn openldap_lets_the_locked_in_by_sasl() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    let connection = Connection::open(&options).await.unwrap();
    let dn = "uid=locked,ou=people,dc=example,dc=com";
    assert!(!connection.bind(dn, &password("Lock-Ledger-12")).await.unwrap().is_success());
    let reply = connection.sasl_bind(Sasl::plain("locked", password("Lock-Ledger-12"))).await.unwrap();
    assert!(reply.is_success(), "the policy holds for simple binds only, which is why people have those");
}

/// 389-ds maps names of this kind as it comes.
const ALICE: &str = "dn:uid=alice,ou=people,dc=example,dc=com";

#[tokio::test]
async fn ds389_takes_name_and_password_over_tls() {
    let server = Ds389::shared().await;
    let options = Options::new([server.ldaps_url()]).unwrap().tls(trusting(&server.ca_file()));
    let connection = Connection::open(&options).await.unwrap();
    let reply = connection.sasl_bind(Sasl::plain(ALICE, password("Red-Apple-11"))).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    assert_eq!(connection.who_am_i().await.unwrap(), "dn: uid=alice,ou=people,dc=example,dc=com");
    let reply = connection.sasl_bind(Sasl::plain(ALICE, password("wrong"))).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::INVALID_CREDENTIALS);
}
