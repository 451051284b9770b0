//! Domain scope, MS-ADTS 3.1.1.3.4.1.4

use ldapgate_client::control::DomainScope;
use ldapgate_client::{Filter, Search};
use testkit::world::BASE;

use super::administrator;

#[tokio::test]
async fn samba_makes_no_references_when_asked_for_none() {
    let (_, connection) = administrator::samba().await;
    let search = Search::below(BASE).matching(Filter::equal("sAMAccountName", "alice"));
    let with = connection.search(&search).await.unwrap();
    assert!(!with.references.is_empty());
    let without = connection.search(search.control(DomainScope.into())).await.unwrap();
    assert!(without.references.is_empty());
    assert_eq!((with.entries.len(), without.entries.len()), (1, 1));
}
