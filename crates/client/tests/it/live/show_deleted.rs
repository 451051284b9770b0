//! Show deleted and recycled objects, MS-ADTS 3.1.1.3.4.1.14

use ldapgate_client::control::{ShowDeleted, ShowRecycled};
use ldapgate_client::{Entry, Filter, Search};
use testkit::world::BASE;

use super::administrator::{self, unit};

#[tokio::test]
async fn samba_shows_what_was_deleted_to_an_administrator_who_asks() {
    let (_, connection) = administrator::samba().await;
    let base = unit(&connection, "show-deleted").await;
    connection.delete(&base).await.unwrap();
    let filter = Filter::equal("isDeleted", "TRUE") & Filter::equal("lastKnownParent", BASE);
    let search = Search::below(BASE).matching(filter).attributes(["lastKnownParent"]);
    assert!(connection.search(&search).await.unwrap().entries.is_empty());
    for control in [ShowDeleted.to_control(), ShowRecycled.to_control()] {
        let found = connection.search(search.clone().control(control)).await.unwrap();
        let ours = |entry: &&Entry| entry.dn().starts_with("ou=show-deleted\\0ADEL:");
        assert_eq!(found.entries.iter().filter(ours).count(), 1, "{:?}", found.entries);
    }
}
