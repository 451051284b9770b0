//! A critical control that the server does not know is a refusal, RFC 4511 4.1.11

use ldapgate_client::{Connection, Control, Options, ResultCode, Search};
use testkit::world::BASE;

use super::administrator;

async fn refuses_and_goes_on(connection: &Connection) {
    let unknown = Control::new("1.3.6.1.4.1.99999.1", None);
    let critical = connection.with_controls([unknown.clone().critical()]);
    let nobody = format!("cn=nobody,{BASE}");
    let unavailable = Some(ResultCode::UNAVAILABLE_CRITICAL_EXTENSION);
    let code = |error: ldapgate_client::Error| error.result().map(|result| result.code);
    let search = Search::read(BASE).attributes(["dc"]);
    assert_eq!(critical.search(&search).await.err().and_then(code), unavailable);
    assert_eq!(critical.delete(&nobody).await.err().and_then(code), unavailable);
    assert_eq!(critical.compare(BASE, "dc", "example").await.err().and_then(code), unavailable);
    let ignored = connection.with_controls([unknown]).search(&search).await.unwrap();
    assert_eq!(ignored.entries[0].text("dc"), Some("example"), "the connection goes on");
}

#[tokio::test]
async fn openldap_refuses_and_goes_on() {
    refuses_and_goes_on(&administrator::openldap().await.1).await;
}

#[tokio::test]
async fn ds389_refuses_and_goes_on() {
    refuses_and_goes_on(&administrator::ds389().await.1).await;
}

#[tokio::test]
async fn samba_refuses_and_goes_on() {
    refuses_and_goes_on(&administrator::samba().await.1).await;
}

#[tokio::test]
async fn memory_refuses_and_goes_on() {
    let directory = directory::Directory::builder(std::sync::Arc::new(|| std::time::SystemTime::UNIX_EPOCH))
        .ldif(directory::DEMO)
        .unwrap()
        .build();
    let options = Options::new(["ldap://localhost"]).unwrap();
    let connection = Connection::over(directory.join(), &options).await.unwrap();
    refuses_and_goes_on(&connection).await;
}
