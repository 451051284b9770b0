//! Fast bind, MS-ADTS 3.1.1.3.4.2.1

use std::sync::Arc;
use std::time::SystemTime;

use directory::{DEMO, Dialect, Directory};
use ldapgate_client::{Connection, Options, Password};

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";

#[tokio::test]
async fn memory_checks_passwords_and_binds_nobody() {
    let directory = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH))
        .dialect(Dialect::ActiveDirectory)
        .ldif(DEMO)
        .unwrap()
        .build();
    let options = Options::new(["ldap://localhost"]).unwrap();
    let connection = Connection::over(directory.join(), &options).await.unwrap();
    connection.fast_bind().await.unwrap();
    let wrong = connection.bind(ALICE, &Password::new("wrong").unwrap()).await.unwrap();
    let right = connection.bind(ALICE, &Password::new("Red-Apple-11").unwrap()).await.unwrap();
    assert!(!wrong.is_success() && right.is_success());
    assert_eq!(connection.who_am_i().await.unwrap(), "");
}
