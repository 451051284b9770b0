//! The Unix socket.

use std::sync::Arc;
use std::time::SystemTime;

use directory::Directory;
use ldapgate_client::{Connection, Error, Options};
use proto::Password;
use tokio::net::UnixListener;

#[tokio::test]
async fn a_unix_socket_carries_passwords_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ldapi");
    let listener = UnixListener::bind(&path).unwrap();
    let directory = Directory::builder(Arc::new(|| SystemTime::UNIX_EPOCH))
        .ldif(testkit::world::LDIF.as_str())
        .unwrap()
        .build();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        directory.serve_stream(stream).await;
    });
    let url = format!("ldapi://{}", path.to_str().unwrap().replace('/', "%2F"));
    let connection = Connection::open(&Options::new([&url]).unwrap()).await.unwrap();
    assert_eq!(connection.url(), url);
    let password = Password::new(testkit::world::READER_PASSWORD).unwrap();
    assert!(connection.bind(testkit::world::READER, &password).await.unwrap().is_success());
    let identity = connection.who_am_i().await.unwrap();
    assert!(identity.eq_ignore_ascii_case(&format!("dn:{}", testkit::world::READER)), "{identity}");
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_told() {
    let error = Connection::open(&Options::new(["ldapi://%2Fnowhere%2Fldapi"]).unwrap()).await.unwrap_err();
    assert!(matches!(&error, Error::Connect { .. }), "{error:?}");
}
