//! Subentries, RFC 3672

use ldapgate_client::control::Subentries;
use ldapgate_client::{Connection, Search};

use super::administrator::{self, add, person, unit};

async fn shows_subentries_to_those_who_ask(connection: &Connection, subentry: &[(&str, &str)]) {
    let base = unit(connection, "subentries").await;
    add(connection, &format!("cn=rules,{base}"), subentry).await;
    person(connection, &base, "ada", &[]).await;
    for (control, expected) in
        [(None, "uid=ada"), (Some(Subentries::Without), "uid=ada"), (Some(Subentries::Only), "cn=rules")]
    {
        let controls = control.map(Subentries::to_control);
        let found = connection.with_controls(controls).search(Search::one(&base)).await.unwrap();
        let names: Vec<&str> = found.entries.iter().map(|entry| entry.dn()).collect();
        assert_eq!(names, [format!("{expected},{base}")], "{control:?}");
    }
}

#[tokio::test]
async fn openldap_shows_subentries_to_those_who_ask() {
    let (_, connection) = administrator::openldap().await;
    let subentry = [("objectClass", "subentry"), ("cn", "rules"), ("subtreeSpecification", "{}")];
    shows_subentries_to_those_who_ask(&connection, &subentry).await;
}

#[tokio::test]
async fn ds389_shows_subentries_to_those_who_ask() {
    let (_, connection) = administrator::ds389().await;
    let subentry = [("objectClass", "ldapSubentry"), ("cn", "rules")];
    shows_subentries_to_those_who_ask(&connection, &subentry).await;
}
