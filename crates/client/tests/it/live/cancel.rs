//! Cancel, RFC 3909

use ldapgate_client::{Cancelled, Connection, ContentSync, Options, Search, Simple, SyncEvent};
use proto::{Password, Scope};
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use testkit::world::BASE;

#[tokio::test]
async fn openldap_what_would_go_on_for_ever_is_stopped() {
    let server = OpenLdap::equipped().await;
    let password = Password::new(ADMINISTRATOR_PASSWORD).unwrap();
    let options = Options::new([server.ldap_url()]).unwrap().bind(Simple::new(ADMINISTRATOR, password));
    let connection = Connection::open(&options).await.unwrap();
    let search = Search::below(BASE).scope(Scope::Base);
    let mut changes = connection.sync(ContentSync::refresh_and_persist(search));
    while !matches!(changes.next().await.unwrap(), Some(SyncEvent::RefreshDone { .. })) {}
    assert_eq!(changes.cancel().await.unwrap(), Cancelled::Stopped);
    assert!(connection.who_am_i().await.is_ok(), "the connection goes on");

    let nothing = connection.stream(Search::below(BASE)).cancel().await.unwrap();
    assert_eq!(nothing, Cancelled::Finished, "it was never sent");
}
