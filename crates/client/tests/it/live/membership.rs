//! Group memberships, added and removed idempotently

use ldapgate_client::{Connection, Group};

use super::administrator::{self, add, unit};

async fn members(connection: &Connection, group: &str, attribute: &str) -> usize {
    let entry = connection.read(group, &[attribute]).await.unwrap().unwrap();
    entry.values(attribute).count()
}

async fn adds_and_removes_what_is_so_already(connection: &Connection) {
    let base = unit(connection, "membership").await;
    let group = format!("cn=staff,{base}");
    let keeper = format!("cn=keeper,{base}");
    add(
        connection,
        &group,
        &[("objectClass", "groupOfUniqueNames"), ("cn", "staff"), ("uniqueMember", &keeper)],
    )
    .await;
    let named = |range: std::ops::Range<usize>| range.map(|number| format!("cn={number},{base}"));
    let staff = Group::new(&group).listing("uniqueMember");
    connection.add_to_group(staff.clone(), named(0..20)).await.unwrap();
    connection.add_to_group(staff.clone(), named(10..600)).await.unwrap();
    let shouted = named(0..3).map(|name| name.to_uppercase());
    connection.add_to_group(staff.clone(), shouted).await.unwrap();
    assert_eq!(members(connection, &group, "uniqueMember").await, 601);
    connection.remove_from_group(staff.clone(), named(0..590)).await.unwrap();
    connection.remove_from_group(staff, named(585..600)).await.unwrap();
    assert_eq!(members(connection, &group, "uniqueMember").await, 1);
}

#[tokio::test]
async fn openldap_adds_and_removes_what_is_so_already() {
    adds_and_removes_what_is_so_already(&administrator::openldap().await.1).await;
}

#[tokio::test]
async fn ds389_adds_and_removes_what_is_so_already() {
    adds_and_removes_what_is_so_already(&administrator::ds389().await.1).await;
}

#[tokio::test]
async fn samba_adds_and_removes_what_is_so_already() {
    let (_, connection) = administrator::samba().await;
    let base = unit(&connection, "membership").await;
    let group = format!("CN=Staff of membership,{base}");
    add(&connection, &group, &[("objectClass", "group"), ("sAMAccountName", "membership-staff")]).await;
    let mut names = Vec::new();
    for number in 0..4 {
        let dn = format!("CN=Contact {number},{base}");
        add(&connection, &dn, &[("objectClass", "contact")]).await;
        names.push(dn);
    }
    connection.add_to_group(&group, &names[..2]).await.unwrap();
    connection.add_to_group(&group, &names).await.unwrap();
    assert_eq!(members(&connection, &group, "member").await, 4);
    connection.remove_from_group(&group, &names[..2]).await.unwrap();
    connection.remove_from_group(&group, &names[..3]).await.unwrap();
    assert_eq!(members(&connection, &group, "member").await, 1);
}
