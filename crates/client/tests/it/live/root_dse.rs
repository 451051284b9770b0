//! Root DSE, RFC 4512 section 5.1

use ldapgate_client::{Connection, FunctionalLevel, Options, Vendor};
use testkit::ds389::Ds389;
use testkit::openldap::OpenLdap;
use testkit::samba::Samba;

async fn root(url: String) -> ldapgate_client::RootDse {
    Connection::open(&Options::new([url]).unwrap()).await.unwrap().root_dse().await.unwrap()
}

fn every_oid_has_a_name(root: &ldapgate_client::RootDse) {
    for oid in root.controls().chain(root.extensions()).chain(root.features()).chain(root.capabilities()) {
        assert!(proto::oid::find(oid).is_some(), "{oid}");
    }
}

#[tokio::test]
async fn openldap_says_what_it_is_and_what_it_can() {
    let root = root(OpenLdap::equipped().await.ldap_url()).await;
    assert_eq!(root.vendor(), Vendor::OpenLdap);
    assert_eq!(root.default_naming_context(), Some("dc=example,dc=com"));
    assert!(root.supports_version(3) && !root.supports_version(2));
    assert!(root.supports_control("1.2.840.113556.1.4.319") && root.supports_control("1.3.6.1.1.13.1"));
    assert!(root.supports_extension("1.3.6.1.4.1.1466.20037") && root.supports_feature("1.3.6.1.1.14"));
    assert!(root.supports_mechanism("SCRAM-SHA-256"));
    assert_eq!(root.subschema_subentry(), Some("cn=Subschema"));
    assert_eq!(root.domain_level(), None);
    every_oid_has_a_name(&root);
}

#[tokio::test]
async fn ds389_says_what_it_is_and_what_it_can() {
    let root = root(Ds389::shared().await.ldap_url()).await;
    assert_eq!(root.vendor(), Vendor::Ds389);
    assert_eq!(root.vendor_name(), Some("389 Project"));
    assert_eq!(root.default_naming_context(), Some("dc=example,dc=com"));
    assert!(root.supports_control("2.16.840.1.113730.3.4.18") && root.supports_mechanism("PLAIN"));
    assert_eq!(root.subschema_subentry(), Some("cn=schema"));
    every_oid_has_a_name(&root);
}

#[tokio::test]
async fn samba_says_what_it_is_and_what_it_can() {
    let root = root(Samba::shared().await.ldap_url()).await;
    assert_eq!(root.vendor(), Vendor::Samba);
    assert_eq!(root.default_naming_context(), Some("DC=example,DC=com"));
    assert_eq!(root.root_domain_naming_context(), Some("DC=example,DC=com"));
    assert_eq!(root.schema_naming_context(), Some("CN=Schema,CN=Configuration,DC=example,DC=com"));
    assert_eq!(root.naming_contexts().count(), 5);
    assert!(root.domain_level() >= Some(FunctionalLevel(4)), "{:?}", root.domain_level());
    assert!(root.supports_capability("1.2.840.113556.1.4.800") && root.supports_mechanism("GSS-SPNEGO"));
    assert!(root.highest_committed_usn().unwrap() > 1000);
    assert_eq!((root.is_synchronized(), root.is_global_catalog_ready()), (Some(true), Some(true)));
    assert!(root.current_time().is_some() && root.dns_host_name().is_some() && root.server_name().is_some());
    every_oid_has_a_name(&root);
}

#[tokio::test]
async fn memory_says_what_it_is_and_what_it_can() {
    let (_running, url) = testkit::example::serve().await.unwrap();
    let root = root(url).await;
    assert_eq!(root.vendor(), Vendor::Other);
    assert_eq!(root.subschema_subentry(), Some("cn=Subschema"));
    every_oid_has_a_name(&root);
}
