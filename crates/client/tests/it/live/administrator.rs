//! How the tests of this folder get in: as each server's administrator, with a place of their own.

use ldapgate_client::{Connection, Options, Password};
use testkit::ds389::{self, Ds389};
use testkit::equipped::Equipped;
use testkit::openldap::{self, OpenLdap};
use testkit::samba::{self, Samba};
use testkit::world::BASE;
use tls::ClientTls;

pub(crate) async fn openldap() -> (&'static Equipped, Connection) {
    let server = OpenLdap::equipped().await;
    let connection =
        bound(&server.ldap_url(), openldap::ADMINISTRATOR, openldap::ADMINISTRATOR_PASSWORD).await;
    (server, connection)
}

/// Over TLS, without which it takes no new password.
pub(crate) async fn ds389() -> (&'static Ds389, Connection) {
    let server = Ds389::shared().await;
    let authority = std::fs::read(server.ca_file()).unwrap();
    let options = Options::new([server.ldaps_url()]).unwrap().tls(ClientTls::from_pem(&authority).unwrap());
    let connection = Connection::open(&options).await.unwrap();
    bind(&connection, ds389::MANAGER, ds389::MANAGER_PASSWORD).await;
    (server, connection)
}

pub(crate) async fn samba() -> (&'static Samba, Connection) {
    let server = Samba::shared().await;
    let connection = bound(&server.ldap_url(), samba::ADMINISTRATOR, samba::ADMINISTRATOR_PASSWORD).await;
    (server, connection)
}

/// A connection as somebody.
pub(crate) async fn bound(url: &str, dn: &str, password: &str) -> Connection {
    let connection = Connection::open(&Options::new([url]).unwrap()).await.unwrap();
    bind(&connection, dn, password).await;
    connection
}

async fn bind(connection: &Connection, dn: &str, password: &str) {
    let reply = connection.bind(dn, &Password::new(password).unwrap()).await.unwrap();
    assert!(reply.is_success(), "{dn}: {:?}", reply.result);
}

/// Does a password prove this name?
pub(crate) async fn proves(url: &str, dn: &str, password: &str) -> bool {
    let connection = Connection::open(&Options::new([url]).unwrap()).await.unwrap();
    let reply = connection.bind(dn, &Password::new(password).unwrap()).await.unwrap();
    reply.is_success()
}

/// An organizational unit for one test; its name.
pub(crate) async fn unit(connection: &Connection, name: &str) -> String {
    let dn = format!("ou={name},{BASE}");
    add(connection, &dn, &[("objectClass", "organizationalUnit"), ("ou", name)]).await;
    dn
}

/// An entry of these attributes, of which one may come several times.
pub(crate) async fn add(connection: &Connection, dn: &str, attributes: &[(&str, &str)]) {
    let mut lists: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in attributes {
        match lists.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push((*value).to_owned()),
            None => lists.push(((*name).to_owned(), vec![(*value).to_owned()])),
        }
    }
    connection.add(dn, lists).await.unwrap_or_else(|error| panic!("{dn}: {error}"));
}

/// Somebody for one test; their name.
pub(crate) async fn person(connection: &Connection, unit: &str, uid: &str, more: &[(&str, &str)]) -> String {
    let dn = format!("uid={uid},{unit}");
    let attributes = [("objectClass", "inetOrgPerson"), ("uid", uid), ("cn", uid), ("sn", uid)];
    add(connection, &dn, &[&attributes, more].concat()).await;
    dn
}
