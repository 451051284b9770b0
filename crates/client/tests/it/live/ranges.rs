//! Range retrieval, MS-ADTS 3.1.1.3.1.3.3

use ldapgate_client::{Connection, Options, Search, Simple};
use proto::{Change, Password};
use testkit::samba::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Samba};

const BASE: &str = "DC=example,DC=com";

#[tokio::test]
async fn samba_a_list_that_comes_in_parts_is_read_to_its_end() {
    let samba = Samba::shared().await;
    let password = Password::new(ADMINISTRATOR_PASSWORD).unwrap();
    let options = Options::new([samba.ldap_url()]).unwrap().bind(Simple::new(ADMINISTRATOR, password));
    let connection = Connection::open(&options).await.unwrap();
    let name = format!("CN=ranges,CN=Users,{BASE}");
    let group = [("objectClass", vec!["group"]), ("sAMAccountName", vec!["ranges"])];
    connection.add(&name, group).await.unwrap();
    let members = ["Guest", "krbtgt", "Administrator"].map(|name| format!("CN={name},CN=Users,{BASE}"));
    connection.modify(&name, vec![Change::add("member", &members)]).await.unwrap();

    let search = Search::read(&name).attributes(["member;range=0-1"]);
    let part = connection.search(&search).await.unwrap();
    assert_eq!(part.entries[0].values("member;range=0-1").count(), 2);
    let whole = connection.search(search.whole_values()).await.unwrap();
    let mut found: Vec<&str> = whole.entries[0].texts("member").collect();
    found.sort_unstable();
    let mut expected: Vec<&str> = members.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}
