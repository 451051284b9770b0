//! SASL binds where a domain controller demands signing (MS-ADTS section 5.1.1.1.2)

use ldapgate_client::{Connection, Error, Password, Protection, ResultCode, Sasl};
use testkit::kerberos::Client;
use testkit::samba::Samba;

use crate::again::{self, Server};

const BASE: &str = "DC=example,DC=com";

fn ntlm() -> Sasl {
    Sasl::gss_spnego("EXAMPLE", "alice", Password::new("Red-Apple-11").unwrap())
}

async fn reads(connection: &Connection) -> bool {
    connection.read(BASE, &["objectClass"]).await.is_ok_and(|root| root.is_some())
}

#[tokio::test]
async fn samba_takes_a_ticket_that_signs_or_seals_in_the_clear_and_no_other() {
    let Some(server) = again::server() else {
        let samba = Samba::strict().await;
        let test =
            "live::sasl_strict_samba::samba_takes_a_ticket_that_signs_or_seals_in_the_clear_and_no_other";
        let client = Client::of_samba(samba);
        return again::run(test, &Server::from(samba), &client.ticket("alice", "Red-Apple-11"));
    };
    for (sasl, sealed) in [
        (Sasl::gssapi(), true),
        (Sasl::gssapi().protection(Protection::Integrity), false),
        (Sasl::gssapi().protection(Protection::Confidentiality), true),
    ] {
        let connection = server.open().await;
        let reply = connection.sasl_bind(&sasl).await.unwrap();
        assert!(reply.is_success(), "{sasl:?}: {reply:?}");
        assert_eq!(connection.is_encrypted(), sealed, "{sasl:?}");
        assert!(reads(&connection).await, "{sasl:?}");
    }
    let reply = server.open().await.sasl_bind(Sasl::gssapi().protection(Protection::None)).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::STRONGER_AUTH_REQUIRED, "{reply:?}");
}

#[tokio::test]
async fn samba_a_ticket_is_good_where_somebody_could_listen_but_not_without_a_layer() {
    let Some(server) = again::server() else {
        let samba = Samba::strict().await;
        let test = "live::sasl_strict_samba::samba_a_ticket_is_good_where_somebody_could_listen_but_not_without_a_layer";
        let client = Client::of_samba(samba);
        return again::run(test, &Server::from(samba), &client.ticket("nogroups", "None-Nickel-17"));
    };
    let connection = server.open_as("dc1.example.com").await;
    let refused = connection.sasl_bind(Sasl::gssapi().protection(Protection::None)).await.unwrap_err();
    assert!(matches!(refused, Error::ClearSasl { .. }), "{refused}");
    let refused = connection.sasl_bind(ntlm()).await.unwrap_err();
    assert!(matches!(refused, Error::ClearSasl { .. }), "{refused}");
    assert!(connection.sasl_bind(Sasl::gssapi()).await.unwrap().is_success());
    assert!(reads(&connection).await);
}

#[tokio::test]
async fn samba_takes_a_ticket_without_a_layer_inside_tls_and_no_other() {
    let Some(server) = again::server() else {
        let samba = Samba::strict().await;
        let test = "live::sasl_strict_samba::samba_takes_a_ticket_without_a_layer_inside_tls_and_no_other";
        let client = Client::of_samba(samba);
        return again::run(test, &Server::from(samba), &client.ticket("bob", "Blue-Boat-22"));
    };
    let connection = server.open_private().await;
    let reply = connection.sasl_bind(Sasl::gssapi()).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    assert!(reads(&connection).await);
    let sealed = Sasl::gssapi().protection(Protection::Confidentiality);
    let reply = server.open_private().await.sasl_bind(sealed).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::UNWILLING_TO_PERFORM, "{reply:?}");
}

#[tokio::test]
async fn samba_takes_ntlm_that_signs_or_seals_in_the_clear_and_no_other() {
    let server = Server::from(Samba::strict().await);
    for protection in [Protection::Integrity, Protection::Confidentiality] {
        let connection = server.open().await;
        let reply = connection.sasl_bind(ntlm().protection(protection)).await.unwrap();
        assert!(reply.is_success(), "{protection:?}: {reply:?}");
        assert!(reads(&connection).await);
    }
    let reply = server.open().await.sasl_bind(ntlm().protection(Protection::None)).await.unwrap();
    assert_eq!(reply.result.code, ResultCode::STRONGER_AUTH_REQUIRED);
    let connection = server.open_private().await;
    assert!(connection.sasl_bind(ntlm()).await.unwrap().is_success());
    assert!(reads(&connection).await);
}
