//! ManageDsaIT, RFC 3296

use ldapgate_client::control::ManageDsaIt;
use ldapgate_client::{Change, Connection, ResultCode, Search};

use super::administrator::{self, add, unit};

async fn handles_a_referral_as_an_entry(connection: &Connection) -> String {
    let base = unit(connection, "manage-dsa-it").await;
    let manage = connection.with_controls([ManageDsaIt.to_control().critical()]);
    let dn = format!("ou=elsewhere,{base}");
    let url = "ldap://elsewhere.example.com/ou=elsewhere";
    let attributes =
        [("objectClass", "referral"), ("objectClass", "extensibleObject"), ("ou", "elsewhere"), ("ref", url)];
    add(&manage, &dn, &attributes).await;
    let entry = manage.read(&dn, &["ref"]).await.unwrap().unwrap();
    assert_eq!(entry.text("ref"), Some(url));
    let found = connection.search(Search::one(&base)).await.unwrap();
    assert_eq!((found.entries.len(), found.references.len()), (0, 1));
    let found = manage.search(Search::one(&base)).await.unwrap();
    assert_eq!((found.entries.len(), found.references.len()), (1, 0));
    manage.modify(&dn, vec![Change::replace("description", ["elsewhere"])]).await.unwrap();
    dn
}

#[tokio::test]
async fn openldap_handles_a_referral_as_an_entry() {
    let (_, connection) = administrator::openldap().await;
    let dn = handles_a_referral_as_an_entry(&connection).await;
    let refused = connection.delete(&dn).await.unwrap_err();
    let result = refused.result().unwrap();
    assert_eq!((result.code, result.referrals.len()), (ResultCode::REFERRAL, 1));
}

#[tokio::test]
async fn ds389_handles_a_referral_as_an_entry() {
    handles_a_referral_as_an_entry(&administrator::ds389().await.1).await;
}
