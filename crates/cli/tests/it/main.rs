//! The whole way from outside: the binary, its gateway, a real OpenLDAP or the in-memory directory, a browser.
//!
//! `cargo test -p ldapgate-cli openldap::` and `cargo test -p ldapgate-cli memory::` choose who holds the people.

mod block;
mod browser;
mod changes;
mod commands;
mod demo;
mod deprovisioning;
mod doctor;
mod doctor_live;
mod gateway;
mod group;
mod http;
mod installation;
mod killed;
mod live;
mod login;
mod new_passwords;
mod outage;
mod passwd;
mod password;
mod record;
mod samba;
mod sasl;
mod search;
mod search_ends;
mod server_info;
mod servers;
mod sessions;
mod states;
mod store;
mod sync;
mod target;
mod transport;
mod two_gateways;
mod undisturbed;
mod user;
mod whoami;

/// Makes each of the scenarios a test against a real OpenLDAP and against the in-memory directory.
macro_rules! against_both {
    ($($scenario:ident),* $(,)?) => {
        mod openldap {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(testkit::world::Peer::OpenLdap).await;
            })*
        }
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(testkit::world::Peer::Memory).await;
            })*
        }
    };
}
pub(crate) use against_both;

/// Makes each scenario a test against each real server.
macro_rules! against_every_server {
    ($($scenario:ident),* $(,)?) => {
        crate::against_every_server!(@ openldap: $($scenario),*);
        crate::against_every_server!(@ ds389: $($scenario),*);
        crate::against_every_server!(@ samba: $($scenario),*);
    };
    (@ $server:ident: $($scenario:ident),*) => {
        mod $server {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(&crate::live::Live::$server().await).await;
            })*
        }
    };
}
pub(crate) use against_every_server;
