//! Unlocking an account, each server's own attributes

use ldapgate_client::{Change, Connection, Lockout, Password, PasswordMethod};

use super::administrator::{self, add, person, proves, unit};

const RIGHT: &str = "Right-Rose-77";
/// Each server here locks after five.
const TRIES: usize = 5;

async fn is_locked_and_unlocked(administrator: &Connection, url: &str, lockout: Lockout, dn: &str) {
    assert!(proves(url, dn, RIGHT).await);
    for _ in 0..TRIES {
        assert!(!proves(url, dn, "wrong").await);
    }
    assert!(!proves(url, dn, RIGHT).await, "it is locked");
    administrator.unlock(lockout, dn).await.unwrap();
    assert!(!proves(url, dn, "wrong").await, "one more wrong one does not lock it again");
    assert!(proves(url, dn, RIGHT).await);
    administrator.unlock(lockout, dn).await.expect("an account that is not locked may be unlocked as well");
}

#[tokio::test]
async fn openldap_unlocks_an_account_and_forgets_the_failures() {
    let (server, connection) = administrator::openldap().await;
    let base = unit(&connection, "unlock").await;
    let policy = ("pwdPolicySubentry", "cn=fragile,ou=policies,dc=example,dc=com");
    let ada = person(&connection, &base, "ada", &[("userPassword", RIGHT), policy]).await;
    is_locked_and_unlocked(&connection, &server.ldap_url(), Lockout::OpenLdap, &ada).await;
}

#[tokio::test]
async fn ds389_unlocks_an_account_and_forgets_the_failures() {
    let (server, connection) = administrator::ds389().await;
    let base = unit(&connection, "unlock").await;
    let ada = person(&connection, &base, "ada", &[("userPassword", RIGHT)]).await;
    is_locked_and_unlocked(&connection, &server.ldap_url(), Lockout::Ds389, &ada).await;
}

#[tokio::test]
async fn samba_unlocks_an_account_and_forgets_the_failures() {
    let (server, connection) = administrator::samba().await;
    let base = unit(&connection, "unlock").await;
    let dn = format!("CN=Ada Unlocked,{base}");
    add(&connection, &dn, &[("objectClass", "user"), ("sAMAccountName", "ada-unlocked")]).await;
    let password = Password::new(RIGHT).unwrap();
    let reply = connection.reset_password(PasswordMethod::UnicodePwd, &dn, &password).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    connection.modify(&dn, vec![Change::replace("userAccountControl", ["512"])]).await.unwrap();
    is_locked_and_unlocked(&connection, &server.ldap_url(), Lockout::ActiveDirectory, &dn).await;
}
