//! SASL CRAM-MD5 (RFC 2195)

use ldapgate_client::{Connection, Options, ResultCode, Sasl};
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;

use crate::sasl::password;

#[tokio::test]
async fn openldap_takes_a_digest_of_the_password() {
    let server = OpenLdap::equipped().await;
    let options = Options::new([server.ldap_url()]).unwrap();
    for (user, secret) in [("alice", "Red-Apple-11"), ("zoe", "Pässwörd-Ünï-44"), ("jürgen", "Gelb-Glas-55")]
    {
        let connection = Connection::open(&options).await.unwrap();
        let reply = connection.sasl_bind(Sasl::cram_md5(user, password(secret))).await.unwrap();
        assert!(reply.is_success(), "{user}: {reply:?}");
        let name = connection.who_am_i().await.unwrap();
        assert_eq!(name, format!("dn:uid={user},ou=people,dc=example,dc=com"));
    }
}

#[tokio::test]
async fn openldap_refuses_a_wrong_password_and_an_unknown_name() {
    let server = OpenLdap::equipped().await;
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    // OpenLDAP says "other" (80) of a name it does not know.
    let refusals = [ResultCode::INVALID_CREDENTIALS, ResultCode::OTHER];
    for (user, secret) in [("alice", "wrong"), ("nobody-at-all", "Red-Apple-11")] {
        let reply = connection.sasl_bind(Sasl::cram_md5(user, password(secret))).await.unwrap();
        assert!(refusals.contains(&reply.result.code), "{user}: {reply:?}");
    }
    let reply = connection.sasl_bind(Sasl::cram_md5("alice", password("Red-Apple-11"))).await.unwrap();
    assert!(reply.is_success(), "a refusal leaves the connection in use");
}

#[tokio::test]
async fn ds389_takes_a_digest_of_the_password() {
    let server = Ds389::shared().await;
    crate::sasl::person_in_clear(server, "cram_md5");
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    let right = Sasl::cram_md5("dn:uid=sasl-cram_md5,ou=people,dc=example,dc=com", password("Clear-Pass-1"));
    let reply = connection.sasl_bind(right).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    let wrong = Sasl::cram_md5("dn:uid=sasl-cram_md5,ou=people,dc=example,dc=com", password("wrong"));
    assert_eq!(connection.sasl_bind(wrong).await.unwrap().result.code, ResultCode::INVALID_CREDENTIALS);
}
