//! SASL GSSAPI (RFC 4752)

use std::time::Duration;

use ldapgate_client::{Error, Filter, Options, Pool, Protection, Sasl, Search};
use testkit::kerberos::Realm;
use tokio::time::{Instant, timeout};

use crate::again::{self, Server};

const ALICE: &str = "dn:uid=alice,ou=people,dc=example,dc=com";

/// The rest of a test, by somebody who holds a ticket.
async fn as_holder(test: &str, name: &str, password: &str) -> &'static Realm {
    let realm = Realm::shared().await;
    again::run(test, &Server::from(&realm.slapd), &realm.kdc.client().ticket(name, password));
    realm
}

fn bound(realm: &Realm, words: &str) -> bool {
    realm.slapd.log_lines(" mech=GSSAPI ").iter().any(|line| line.contains(words))
}

#[tokio::test]
async fn kerberos_a_ticket_binds_and_seals_in_the_clear() {
    let Some(server) = again::server() else {
        let test = "live::sasl_gssapi::kerberos_a_ticket_binds_and_seals_in_the_clear";
        let realm = as_holder(test, "alice", "Red-Apple-11").await;
        return assert!(bound(realm, "uid=alice,ou=people,dc=example,dc=com\" mech=GSSAPI bind_ssf=256"));
    };
    let connection = server.open().await;
    let reply = connection.sasl_bind(Sasl::gssapi()).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    assert_eq!(connection.who_am_i().await.unwrap(), ALICE);
    // Longer than a frame: it is cut into several.
    let dn = ALICE.trim_start_matches("dn:");
    assert!(!connection.compare(dn, "cn", "x".repeat(200_000)).await.unwrap());
}

#[tokio::test]
async fn kerberos_a_ticket_signs_where_that_is_asked_for() {
    let Some(server) = again::server() else {
        let test = "live::sasl_gssapi::kerberos_a_ticket_signs_where_that_is_asked_for";
        let realm = as_holder(test, "bob", "Blue-Boat-22").await;
        return assert!(bound(realm, "uid=bob,ou=people,dc=example,dc=com\" mech=GSSAPI bind_ssf=1 "));
    };
    let connection = server.open().await;
    let signed = Sasl::gssapi().protection(Protection::Integrity);
    assert!(connection.sasl_bind(signed).await.unwrap().is_success());
    assert_eq!(connection.who_am_i().await.unwrap(), "dn:uid=bob,ou=people,dc=example,dc=com");
    // After a layer nobody binds again on this connection.
    let again = connection.sasl_bind(Sasl::gssapi()).await.unwrap_err();
    assert!(matches!(again, Error::Sasl { .. }), "{again}");
}

#[tokio::test]
async fn kerberos_a_ticket_adds_no_layer_inside_tls() {
    let Some(server) = again::server() else {
        let test = "live::sasl_gssapi::kerberos_a_ticket_adds_no_layer_inside_tls";
        let realm = as_holder(test, "carol", "Green-Garden-33").await;
        return assert!(bound(realm, "uid=carol,ou=people,dc=example,dc=com\" mech=GSSAPI bind_ssf=0 "));
    };
    let connection = server.open_private().await;
    assert!(connection.sasl_bind(Sasl::gssapi()).await.unwrap().is_success());
    assert_eq!(connection.who_am_i().await.unwrap(), "dn:uid=carol,ou=people,dc=example,dc=com");
}

#[tokio::test]
async fn kerberos_the_proxy_acts_as_somebody_else() {
    let Some(server) = again::server() else {
        let test = "live::sasl_gssapi::kerberos_the_proxy_acts_as_somebody_else";
        let _ = as_holder(test, "proxy", "Proxy-Pass-2").await;
        return;
    };
    for authzid in [ALICE, "u:alice"] {
        let connection = server.open().await;
        let reply = connection.sasl_bind(Sasl::gssapi().authzid(authzid)).await.unwrap();
        assert!(reply.is_success(), "{reply:?}");
        assert_eq!(connection.who_am_i().await.unwrap(), ALICE);
    }
}

#[tokio::test]
async fn kerberos_a_key_in_a_file_is_as_good_as_a_ticket() {
    let Some(server) = again::server() else {
        let realm = Realm::shared().await;
        let mut environment = realm.kdc.client().environment();
        environment[1].1 = "MEMORY:".to_owned();
        environment.push(("KRB5_CLIENT_KTNAME", realm.kdc.keytab("reader").display().to_string()));
        let test = "live::sasl_gssapi::kerberos_a_key_in_a_file_is_as_good_as_a_ticket";
        return again::run(test, &Server::from(&realm.slapd), &environment);
    };
    // As a service has it: no ticket of its own, and a pool that binds by itself.
    let pool = Pool::open(server.options().bind(Sasl::gssapi().user("reader"))).await.unwrap();
    let search = Search::below("dc=example,dc=com").matching(Filter::equal("uid", "alice"));
    assert_eq!(pool.search(&search).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn kerberos_without_a_ticket_nothing_is_sent() {
    let Some(server) = again::server() else {
        let realm = Realm::shared().await;
        let test = "live::sasl_gssapi::kerberos_without_a_ticket_nothing_is_sent";
        return again::run(test, &Server::from(&realm.slapd), &realm.kdc.client().environment());
    };
    let connection = server.open().await;
    let missing = connection.sasl_bind(Sasl::gssapi()).await.unwrap_err();
    let Error::Sasl { source, .. } = &missing else { panic!("{missing}") };
    assert!(source.to_string().contains("No Kerberos credentials available"), "{source}");
    assert!(!connection.is_closed(), "the connection is as it was");
    assert!(connection.bind_anonymous().await.unwrap().is_success());
}

#[tokio::test]
async fn kerberos_a_service_that_the_realm_does_not_know_is_told() {
    let Some(server) = again::server() else {
        let test = "live::sasl_gssapi::kerberos_a_service_that_the_realm_does_not_know_is_told";
        let _ = as_holder(test, "nogroups", "None-Nickel-17").await;
        return;
    };
    let nowhere = Sasl::gssapi().service("ldap/nowhere.example.com");
    let unknown = server.open().await.sasl_bind(nowhere).await.unwrap_err();
    let Error::Sasl { source, .. } = &unknown else { panic!("{unknown}") };
    assert!(source.to_string().contains("not found in Kerberos database"), "{source}");
}

#[tokio::test]
async fn kerberos_a_realm_that_does_not_answer_is_waited_for_as_long_as_the_options_say() {
    let Some(server) = again::server() else {
        let realm = Realm::shared().await;
        let mut environment = realm.kdc.client().ticket("fragile", "Thin-Tulip-19");
        // Somebody who takes connections, and says nothing.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let settings = format!(
            "[libdefaults]\ndefault_realm = EXAMPLE.TEST\ndns_lookup_kdc = false\nudp_preference_limit = 1\n\
             [realms]\nEXAMPLE.TEST = {{\nkdc = 127.0.0.1:{port}\n}}\n"
        );
        let file = realm.kdc.client().folder().join("silent.conf");
        std::fs::write(&file, settings).unwrap();
        environment[0].1 = file.display().to_string();
        let test = "live::sasl_gssapi::kerberos_a_realm_that_does_not_answer_is_waited_for_as_long_as_the_options_say";
        let (server, test) = (Server::from(&realm.slapd), test.to_owned());
        return tokio::task::spawn_blocking(move || again::run(&test, &server, &environment)).await.unwrap();
    };
    let options: Options = server.options().timeout(Duration::from_millis(300));
    let connection = ldapgate_client::Connection::open(&options).await.unwrap();
    let begun = Instant::now();
    let late = timeout(Duration::from_secs(3), connection.sasl_bind(Sasl::gssapi())).await.unwrap();
    assert!(matches!(late, Err(Error::Timeout { .. } | Error::Sasl { .. })), "{late:?}");
    assert!(begun.elapsed() >= Duration::from_millis(250), "it was waited for");
}
