//! What the password policy objects to in a refused change, draft-behera-ldap-password-policy

use ldapgate_client::Change;
use ldapgate_client::control::{PasswordPolicy, PasswordPolicyError};

use super::administrator::{self, bound, person, unit};

#[tokio::test]
async fn openldap_says_with_the_refusal_what_is_wrong_with_a_new_password() {
    let (server, administrator) = administrator::openldap().await;
    let base = unit(&administrator, "refused-password").await;
    let policy = ("pwdPolicySubentry", "cn=change,ou=policies,dc=example,dc=com");
    let old = ("userPassword", "Long-Enough-61");
    let ada = person(&administrator, &base, "ada", &[old, policy]).await;
    let own = bound(&server.ldap_url(), &ada, old.1).await.with_controls([PasswordPolicy::request()]);
    let error = own.modify(&ada, vec![Change::replace("userPassword", ["short"])]).await.unwrap_err();
    let policy = error.policy().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(policy.error, Some(PasswordPolicyError::TooShort));
}
