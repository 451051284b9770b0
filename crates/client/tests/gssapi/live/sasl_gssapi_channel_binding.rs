//! SASL GSSAPI bound to TLS (RFC 5056, RFC 5929)

use ldapgate_client::{Binding, ResultCode, Sasl};
use testkit::kerberos::Realm;

use crate::again::{self, Server};

const DEMANDED: &str =
    "dn: cn=config\nchangetype: modify\nadd: olcSaslCBinding\nolcSaslCBinding: tls-endpoint\n";

#[tokio::test]
async fn kerberos_a_ticket_is_bound_to_the_servers_certificate() {
    let Some(server) = again::server() else {
        let realm = Realm::shared().await;
        let slapd = realm.kdc.slapd().await;
        slapd.configure(DEMANDED);
        let test = "live::sasl_gssapi_channel_binding::kerberos_a_ticket_is_bound_to_the_servers_certificate";
        let ticket = realm.kdc.client().ticket("grace", "Gray-Goose-14");
        return again::run(test, &Server::from(&slapd), &ticket);
    };
    let connection = server.open_private().await;
    let reply = connection.sasl_bind(Sasl::gssapi()).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    // Bound to something else, as it would be by whoever sits between with a connection of their own.
    let connection = server.open_private().await;
    let otherwise = Sasl::gssapi().channel_binding(Binding::Exporter);
    let reply = connection.sasl_bind(otherwise).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::INVALID_CREDENTIALS, "{reply:?}");
}
