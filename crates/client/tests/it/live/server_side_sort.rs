//! Server-side sorting, RFC 2891

use ldapgate_client::control::{ServerSideSort, SortKey, SortResult};
use ldapgate_client::{Connection, Filter, Found, ResultCode, Search};

use super::administrator::{self, person, unit};

async fn sorted(connection: &Connection, base: &str, sort: ServerSideSort) -> (Vec<String>, SortResult) {
    let search = Search::one(base).matching(Filter::present("uid")).page_size(None).control(sort.into());
    let Found { entries, controls, .. } = connection.search(search).await.unwrap();
    let names = entries.iter().map(|entry| entry.text("uid").unwrap().to_owned()).collect();
    (names, SortResult::parse(&controls.get(SortResult::OID).unwrap()).unwrap())
}

async fn three(connection: &Connection, base: &str) {
    for (uid, given_name) in [("b", "Zoe"), ("c", "Ada"), ("a", "Ada")] {
        person(connection, base, uid, &[("givenName", given_name)]).await;
    }
}

#[tokio::test]
async fn openldap_sorts_by_several_keys() {
    let (_, connection) = administrator::openldap().await;
    let base = unit(&connection, "sort").await;
    three(&connection, &base).await;
    let by = |attribute: &str| SortKey::ascending(attribute).rule("caseIgnoreOrderingMatch");
    let (names, result) = sorted(&connection, &base, ServerSideSort::by(by("uid"))).await;
    assert_eq!((names.concat(), result.code), ("abc".to_owned(), ResultCode::SUCCESS));
    let reverse = SortKey::descending("uid").rule("2.5.13.3");
    let (names, _) = sorted(&connection, &base, ServerSideSort::by(by("givenName")).then(reverse)).await;
    assert_eq!(names.concat(), "cab");
}

#[tokio::test]
async fn openldap_refuses_to_sort_by_what_it_does_not_know() {
    let (_, connection) = administrator::openldap().await;
    let base = unit(&connection, "sort-unknown").await;
    three(&connection, &base).await;
    let unknown = ServerSideSort::by(SortKey::ascending("shoeSize"));
    let error = connection.search(Search::one(&base).control(unknown.into())).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::NO_SUCH_ATTRIBUTE);
}

#[tokio::test]
async fn ds389_sorts() {
    let (_, connection) = administrator::ds389().await;
    let base = unit(&connection, "sort").await;
    three(&connection, &base).await;
    let (names, result) = sorted(&connection, &base, ServerSideSort::by(SortKey::descending("uid"))).await;
    assert_eq!((names.concat(), result.code), ("cba".to_owned(), ResultCode::SUCCESS));
}

#[tokio::test]
async fn samba_sorts() {
    let (_, connection) = administrator::samba().await;
    let base = unit(&connection, "sort").await;
    for name in ["b", "c", "a"] {
        unit_below(&connection, &base, name).await;
    }
    let sort = ServerSideSort::by(SortKey::descending("ou"));
    let search = Search::one(&base).page_size(None).control(sort.into());
    let found = connection.search(search).await.unwrap();
    let names: Vec<&str> = found.entries.iter().filter_map(|entry| entry.text("ou")).collect();
    assert_eq!(names, ["c", "b", "a"], "{:?}", found.controls);
}

async fn unit_below(connection: &Connection, base: &str, name: &str) {
    let attributes = [("objectClass", "organizationalUnit"), ("ou", name)];
    administrator::add(connection, &format!("ou={name},{base}"), &attributes).await;
}
