//! SASL CRAM-MD5 (RFC 2195)

use ldapgate_client::{Connection, Options, Sasl};
use testkit::ds389::Ds389;

use crate::sasl::{
    ds389_takes_the_right_password, openldap_refuses_what_is_wrong, openldap_takes_three_names,
    person_in_clear,
};

#[tokio::test]
async fn openldap_takes_a_digest_of_the_password() {
    openldap_takes_three_names(Sasl::cram_md5).await;
}

#[tokio::test]
async fn openldap_refuses_a_wrong_password_and_an_unknown_name() {
    openldap_refuses_what_is_wrong(Sasl::cram_md5).await;
}

#[tokio::test]
async fn ds389_takes_a_digest_of_the_password() {
    let server = Ds389::shared().await;
    let somebody = person_in_clear(server, "cram_md5");
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    ds389_takes_the_right_password(&connection, &somebody, Sasl::cram_md5).await;
}
