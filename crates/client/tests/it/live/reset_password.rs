//! Setting a password as an administrator, RFC 3062 and unicodePwd

use ldapgate_client::{Change, Connection, Password, PasswordMethod};

use super::administrator::{self, add, person, proves, unit};

const OLD: &str = "Old-Olive-31";
const NEW: &str = "New-Nettle-32";

async fn takes_a_new_password(administrator: &Connection, url: &str, method: PasswordMethod, dn: &str) {
    let reply = administrator.reset_password(method, dn, &Password::new(NEW).unwrap()).await.unwrap();
    assert!(reply.is_success(), "{reply:?}");
    assert!(proves(url, dn, NEW).await);
    assert!(!proves(url, dn, OLD).await);
}

#[tokio::test]
async fn openldap_takes_a_new_password_without_the_old_one() {
    let (server, connection) = administrator::openldap().await;
    let base = unit(&connection, "reset-password").await;
    let ada = person(&connection, &base, "ada", &[("userPassword", OLD)]).await;
    takes_a_new_password(&connection, &server.ldap_url(), PasswordMethod::PasswordModify, &ada).await;
}

#[tokio::test]
async fn ds389_takes_a_new_password_without_the_old_one() {
    let (server, connection) = administrator::ds389().await;
    let base = unit(&connection, "reset-password").await;
    let ada = person(&connection, &base, "ada", &[("userPassword", OLD)]).await;
    takes_a_new_password(&connection, &server.ldap_url(), PasswordMethod::PasswordModify, &ada).await;
}

#[tokio::test]
async fn samba_takes_a_new_password_without_the_old_one() {
    let (server, connection) = administrator::samba().await;
    let base = unit(&connection, "reset-password").await;
    let dn = format!("CN=Ada Reset,{base}");
    add(&connection, &dn, &[("objectClass", "user"), ("sAMAccountName", "ada-reset")]).await;
    let old = Password::new(OLD).unwrap();
    assert!(connection.reset_password(PasswordMethod::UnicodePwd, &dn, &old).await.unwrap().is_success());
    connection.modify(&dn, vec![Change::replace("userAccountControl", ["512"])]).await.unwrap();
    takes_a_new_password(&connection, &server.ldap_url(), PasswordMethod::UnicodePwd, &dn).await;
}
