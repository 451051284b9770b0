//! Cancel, RFC 3909

use ldapgate_client::{Cancelled, Connection, Options, Search};
use testkit::openldap::OpenLdap;
use testkit::world::BASE;

#[tokio::test]
async fn openldap_a_search_that_has_ended_has_nothing_to_cancel() {
    let server = OpenLdap::equipped().await;
    let connection = Connection::open(&Options::new([server.ldap_url()]).unwrap()).await.unwrap();
    let search = connection.stream(Search::below(BASE));
    assert_eq!(search.cancel().await.unwrap(), Cancelled::Finished);
    let root = connection.read("", &["supportedExtension"]).await.unwrap().unwrap();
    assert!(root.texts("supportedExtension").any(|oid| oid == proto::extended::Cancel::OID));
}
