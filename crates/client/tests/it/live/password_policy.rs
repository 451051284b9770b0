//! Password policies: locked after wrong passwords, expired, grace logins, must change; draft-behera and 389-ds's own controls

use ldapgate_client::{BindReply, Connection, Options, Password};
use proto::{PasswordPolicyError, ResultCode};

use super::administrator::{self, person, unit};

async fn bind(url: &str, dn: &str, password: &str) -> BindReply {
    let connection = Connection::open(&Options::new([url]).unwrap()).await.unwrap();
    let asking = connection.with_controls([proto::PasswordPolicy::request()]);
    asking.bind(dn, &Password::new(password).unwrap()).await.unwrap()
}

#[tokio::test]
async fn openldap_tells_of_a_lock_an_end_grace_and_a_change_that_is_due() {
    let (server, administrator) = administrator::openldap().await;
    let base = unit(&administrator, "policy").await;
    let policy = ("pwdPolicySubentry", "cn=fragile,ou=policies,dc=example,dc=com");
    let ada = person(&administrator, &base, "ada", &[("userPassword", "Right-Rose-77"), policy]).await;
    let url = server.ldap_url();
    assert!(bind(&url, &ada, "Right-Rose-77").await.is_success());
    for _ in 0..5 {
        assert_eq!(bind(&url, &ada, "wrong").await.result.code, ResultCode::INVALID_CREDENTIALS);
    }
    let locked = bind(&url, &ada, "Right-Rose-77").await;
    assert_eq!(locked.result.code, ResultCode::INVALID_CREDENTIALS);
    assert_eq!(locked.policy().unwrap().error, Some(PasswordPolicyError::AccountLocked));

    let people = "ou=people,dc=example,dc=com";
    let expired = bind(&url, &format!("uid=expired,{people}"), "Old-Otter-13").await;
    assert_eq!(expired.policy().unwrap().error, Some(PasswordPolicyError::PasswordExpired));
    let due = bind(&url, &format!("uid=mustchange,{people}"), "Must-Mango-15").await;
    assert!(due.is_success());
    assert_eq!(due.policy().unwrap().error, Some(PasswordPolicyError::ChangeAfterReset));
    let grace = bind(&url, &format!("uid=grace,{people}"), "Gray-Goose-14").await;
    assert!(grace.is_success() && grace.policy().unwrap().grace_logins.is_some(), "{:?}", grace.policy());
}

#[tokio::test]
async fn ds389_tells_of_a_lock_in_words_and_of_an_end_by_its_own_control() {
    let (server, administrator) = administrator::ds389().await;
    let base = unit(&administrator, "policy").await;
    let ada = person(&administrator, &base, "ada", &[("userPassword", "Right-Rose-77")]).await;
    let url = server.ldap_url();
    assert!(bind(&url, &ada, "Right-Rose-77").await.is_success());
    for _ in 0..5 {
        assert!(!bind(&url, &ada, "wrong").await.is_success());
    }
    let locked = bind(&url, &ada, "Right-Rose-77").await;
    assert_eq!(locked.result.code, ResultCode::CONSTRAINT_VIOLATION);
    assert!(locked.result.message.contains("retry limit"), "{:?}", locked.result);
    let expired = bind(&url, "uid=expired,ou=people,dc=example,dc=com", "Old-Otter-13").await;
    assert!(!expired.is_success() && expired.says_expired(), "{expired:?}");
}
