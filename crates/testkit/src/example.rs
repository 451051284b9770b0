//! The directory that the examples of the client's book talk to; any LDAP server will do.
#![expect(clippy::disallowed_methods, reason = "an example is told the system's time")]

use std::sync::Arc;
use std::time::SystemTime;

use directory::{Directory, Running};

const PEOPLE: &str = "\
dn: dc=example,dc=com
objectClass: domain
dc: example

dn: uid=ada,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: person
uid: ada
cn: Ada Lovelace
sn: Lovelace
userPassword: analytical
";

/// A server with one person, `uid=ada` with the password `analytical`, and its URL. It lives as long as the first of the two.
///
/// # Errors
/// When loopback has no free port.
pub async fn serve() -> Result<(Running, String), Box<dyn std::error::Error>> {
    let server = Directory::builder(Arc::new(SystemTime::now)).ldif(PEOPLE)?.build();
    let running = server.serve(Directory::listen("127.0.0.1:0".parse()?).await?).await;
    let url = running.url();
    Ok((running, url))
}
