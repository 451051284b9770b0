//! Pre-read and post-read, RFC 4527

use ldapgate_client::control::{PostRead, PreRead};
use ldapgate_client::{Change, Connection, Dn, Rename};

use super::administrator::{self, person, unit};

async fn shows_the_entry_before_and_after(connection: &Connection, id: &str) {
    let base = unit(connection, "read-entry").await;
    let ada = person(connection, &base, "ada", &[("title", "Countess")]).await;
    let before = PreRead::of(["title"]);
    let both = connection.with_controls([before.clone().into(), PostRead::of(["title", id]).into()]);
    let reply = both.modify(&ada, vec![Change::replace("title", ["Programmer"])]).await.unwrap();
    let (old, new) = (reply.pre_read().unwrap(), reply.post_read().unwrap());
    assert_eq!((old.text("title"), new.text("title")), (Some("Countess"), Some("Programmer")));
    assert!(new.has(id), "what the server itself wrote");
    let name = Dn::parse("uid=countess").unwrap().rdns()[0].clone();
    let reply = both.rename(&ada, &Rename::to(name)).await.unwrap();
    let renamed = reply.post_read().unwrap().parse_dn().unwrap();
    assert_eq!(renamed, Dn::parse(&format!("uid=countess,{base}")).unwrap());
    let reply = connection.with_controls([before.into()]).delete(renamed.as_ref()).await.unwrap();
    assert_eq!(reply.pre_read().unwrap().text("title"), Some("Programmer"));
    assert!(reply.post_read().is_none());
}

#[tokio::test]
async fn openldap_shows_the_entry_before_and_after() {
    let (_, connection) = administrator::openldap().await;
    shows_the_entry_before_and_after(&connection, "entryUUID").await;
}

#[tokio::test]
async fn ds389_shows_the_entry_before_and_after() {
    let (_, connection) = administrator::ds389().await;
    shows_the_entry_before_and_after(&connection, "nsUniqueId").await;
}
