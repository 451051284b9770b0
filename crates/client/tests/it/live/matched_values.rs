//! Matched values, RFC 3876

use ldapgate_client::control::MatchedValues;
use ldapgate_client::{Filter, Search};

use super::administrator::{self, person, unit};

#[tokio::test]
async fn openldap_sends_the_values_that_match_and_no_others() {
    let (_, connection) = administrator::openldap().await;
    let base = unit(&connection, "matched-values").await;
    let mails = [("mail", "ada@work.example"), ("mail", "ada@home.example"), ("mail", "king@home.example")];
    let ada = person(&connection, &base, "ada", &mails).await;
    let matched = MatchedValues::new(Filter::parse("(|(mail=ada@h*)(mail=king@*))").unwrap()).unwrap();
    let search = Search::read(&ada).attributes(["mail", "sn"]).control(matched.to_control().critical());
    let found = connection.search(search).await.unwrap();
    let mails: Vec<&str> = found.entries[0].texts("mail").collect();
    assert_eq!(mails, ["ada@home.example", "king@home.example"]);
    assert_eq!(found.entries[0].text("sn"), None, "no comparison is about it");
}
