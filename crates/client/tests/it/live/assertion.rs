//! Assertion, RFC 4528

use ldapgate_client::control::Assertion;
use ldapgate_client::{Change, Filter, ResultCode};

use super::administrator::{self, person, unit};

#[tokio::test]
async fn openldap_changes_only_what_is_as_it_was_asserted() {
    let (_, connection) = administrator::openldap().await;
    let base = unit(&connection, "assertion").await;
    let ada = person(&connection, &base, "ada", &[("title", "Countess")]).await;
    let change = || vec![Change::replace("title", ["Programmer"])];
    let careful = connection.with_controls([Assertion::that(Filter::equal("title", "Countess")).into()]);
    careful.modify(&ada, change()).await.unwrap();
    let error = careful.modify(&ada, change()).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::ASSERTION_FAILED);
    let error = careful.delete(&ada).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::ASSERTION_FAILED);
    let error = careful.compare(&ada, "uid", "ada").await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::ASSERTION_FAILED);
}
