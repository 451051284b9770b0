//! The directory that the examples of client.md talk to; any LDAP server will do.

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

pub async fn serve() -> Result<(Running, String), Box<dyn std::error::Error>> {
    let server = Directory::builder(Arc::new(SystemTime::now)).ldif(PEOPLE)?.build();
    let running = server.serve(Directory::listen("127.0.0.1:0".parse()?).await?).await;
    let url = running.url();
    Ok((running, url))
}
