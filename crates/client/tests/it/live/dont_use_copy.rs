//! Don't use copy, RFC 6171

use ldapgate_client::ResultCode;
use ldapgate_client::control::DontUseCopy;
use testkit::world::BASE;

use super::administrator;

#[tokio::test]
async fn openldap_answers_from_the_original_and_refuses_where_the_control_does_not_belong() {
    let (_, connection) = administrator::openldap().await;
    let original = connection.with_controls([DontUseCopy.into()]);
    assert!(original.read(BASE, &["dc"]).await.unwrap().is_some());
    assert!(original.compare(BASE, "dc", "example").await.unwrap());
    let error = original.delete(&format!("cn=nobody,{BASE}")).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::UNAVAILABLE_CRITICAL_EXTENSION);
}
