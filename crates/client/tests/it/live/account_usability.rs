//! Account usability, 1.3.6.1.4.1.42.2.27.9.5.8

use ldapgate_client::control::{AccountUsability, Unusable};
use ldapgate_client::{Change, Connection, Filter, Search};
use testkit::world::BASE;

use super::administrator::{self, person, unit};

/// What the server says of a person's account.
async fn usability(connection: &Connection, uid: &str) -> AccountUsability {
    let search = Search::below(BASE).matching(Filter::equal("uid", uid)).attributes(["1.1"]);
    let mut stream = connection.stream(search.control(AccountUsability::request()));
    let (_, controls) = stream.next_with_controls().await.unwrap().unwrap();
    AccountUsability::parse(&controls.get(AccountUsability::OID).unwrap()).unwrap()
}

#[tokio::test]
async fn ds389_tells_who_could_bind() {
    let (_, connection) = administrator::ds389().await;
    // Whoever's password expires some day counts as expired to it, so this one's never does.
    let base = unit(&connection, "usability").await;
    let ada = person(&connection, &base, "usable", &[("userPassword", "Able-Aloe-51")]).await;
    connection.modify(&ada, vec![Change::replace("passwordExpirationTime", [""; 0])]).await.unwrap();
    assert_eq!(usability(&connection, "usable").await, AccountUsability::Yes { expires_in: Some(0) });
    let expired = usability(&connection, "grace").await;
    assert!(matches!(expired, AccountUsability::No(Unusable { expired: true, .. })), "{expired:?}");
    let reset = usability(&connection, "mustchange").await;
    assert!(matches!(reset, AccountUsability::No(Unusable { reset: true, .. })), "{reset:?}");
}

#[tokio::test]
async fn openldap_tells_who_could_bind() {
    let (_, connection) = administrator::openldap().await;
    assert_eq!(usability(&connection, "fragile").await, AccountUsability::Yes { expires_in: None });
    assert!(matches!(usability(&connection, "locked").await, AccountUsability::No(_)));
    let expiring = usability(&connection, "expiring").await;
    assert!(matches!(expiring, AccountUsability::Yes { expires_in: Some(1..) }), "{expiring:?}");
}
