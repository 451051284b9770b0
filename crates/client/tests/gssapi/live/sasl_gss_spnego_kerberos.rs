//! SASL GSS-SPNEGO with Kerberos (RFC 4178)

use ldapgate_client::{Error, Protection, Sasl};
use testkit::kerberos::{Client, Realm};
use testkit::samba::Samba;

use crate::again::{self, Server};

#[tokio::test]
async fn kerberos_a_ticket_is_negotiated_and_seals() {
    let Some(server) = again::server() else {
        let realm = Realm::shared().await;
        let test = "live::sasl_gss_spnego_kerberos::kerberos_a_ticket_is_negotiated_and_seals";
        let ticket = realm.kdc.client().ticket("expiring", "Soon-Salmon-16");
        again::run(test, &Server::from(&realm.slapd), &ticket);
        let binds = realm.slapd.log_lines(" mech=GSS-SPNEGO ");
        return assert!(binds.iter().all(|line| line.contains("bind_ssf=256")), "{binds:?}");
    };
    for protection in [Protection::Integrity, Protection::Confidentiality] {
        let connection = server.open().await;
        let reply = connection.sasl_bind(Sasl::gss_spnego_kerberos().protection(protection)).await.unwrap();
        assert!(reply.is_success(), "{protection:?}: {reply:?}");
        assert_eq!(connection.who_am_i().await.unwrap(), "dn:uid=expiring,ou=people,dc=example,dc=com");
    }
    let refused = server.open_private().await.sasl_bind(Sasl::gss_spnego_kerberos()).await.unwrap_err();
    assert!(matches!(refused, Error::Sasl { .. }), "{refused}");
}

#[tokio::test]
async fn samba_takes_a_ticket_in_a_negotiation_that_seals() {
    let Some(server) = again::server() else {
        let samba = Samba::strict().await;
        let test = "live::sasl_gss_spnego_kerberos::samba_takes_a_ticket_in_a_negotiation_that_seals";
        let client = Client::of_samba(samba);
        return again::run(test, &Server::from(samba), &client.ticket("carol", "Green-Garden-33"));
    };
    for protection in [Protection::Integrity, Protection::Confidentiality] {
        let connection = server.open_as("dc1.example.com").await;
        let reply = connection.sasl_bind(Sasl::gss_spnego_kerberos().protection(protection)).await.unwrap();
        assert!(reply.is_success(), "{protection:?}: {reply:?}");
        let root = connection.read("DC=example,DC=com", &["objectClass"]).await;
        assert!(root.as_ref().is_ok_and(Option::is_some), "{protection:?}: {root:?}");
    }
}
