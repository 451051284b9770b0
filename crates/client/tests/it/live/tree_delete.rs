//! Tree delete, draft-armijo-ldap-treedelete

use ldapgate_client::ResultCode;

use super::administrator::{self, add, unit};

#[tokio::test]
async fn samba_deletes_a_branch() {
    let (_, connection) = administrator::samba().await;
    let base = unit(&connection, "tree-delete").await;
    for dn in [format!("ou=inner,{base}"), format!("ou=leaf,ou=inner,{base}")] {
        add(&connection, &dn, &[("objectClass", "organizationalUnit")]).await;
    }
    let error = connection.delete(&base).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::NOT_ALLOWED_ON_NON_LEAF);
    connection.delete_tree(&base).await.unwrap();
    assert!(connection.read(&base, &["1.1"]).await.unwrap().is_none());
}
