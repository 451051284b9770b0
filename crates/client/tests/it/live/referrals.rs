//! Referrals and continuation references, RFC 4511 and RFC 3296

use ldapgate_client::{Connection, Error, Options, Referrals, Search, Simple};
use proto::{Bytes, Change, Filter, Password, ResultCode};
use testkit::certificate::{Authority, Flaw};
use testkit::openldap::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, OpenLdap};
use testkit::samba::{self, Samba};
use testkit::world::BASE;
use tls::ClientTls;

/// A server that everybody may read, without TLS for those who ask for none.
async fn elsewhere() -> OpenLdap {
    let ldif = format!(
        "dn: {BASE}\nobjectClass: organization\nobjectClass: dcObject\no: x\ndc: example\n\n\
         dn: ou=there,{BASE}\nobjectClass: organizationalUnit\nou: there\n\n\
         dn: cn=far,ou=there,{BASE}\nobjectClass: organizationalRole\ncn: far\n"
    );
    OpenLdap::guarded(&ldif, &Authority::new("Another CA"), Flaw::None, "access to * by * read").await
}

/// Adds an entry that leads somewhere; returns the entry it is below.
async fn reference(options: &Options, name: &str, urls: &[String]) -> String {
    let password = Password::new(ADMINISTRATOR_PASSWORD).unwrap();
    let connection =
        Connection::open(&options.clone().bind(Simple::new(ADMINISTRATOR, password))).await.unwrap();
    let base = format!("ou={name},{BASE}");
    let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    connection.add(&base, [("objectClass", vec![text("organizationalUnit")])]).await.unwrap();
    let attributes = [
        ("objectClass", vec![text("referral"), text("extensibleObject")]),
        ("ou", vec![text("away")]),
        ("ref", urls.iter().map(|url| text(url)).collect()),
    ];
    connection.add(&format!("ou=away,{base}"), attributes).await.unwrap();
    base
}

/// As the administrator, following to this machine.
fn following(server: &OpenLdap, url: String) -> Options {
    let tls = ClientTls::from_pem(&std::fs::read(server.ca_file()).unwrap()).unwrap();
    let password = Password::new(ADMINISTRATOR_PASSWORD).unwrap();
    let follow = Referrals::follow(["localhost"]);
    Options::new([url]).unwrap().tls(tls).bind(Simple::new(ADMINISTRATOR, password)).referrals(follow)
}

fn roles(base: &str) -> Search {
    Search::below(base).matching(Filter::equal("objectClass", "organizationalRole"))
}

#[tokio::test]
async fn openldap_a_reference_is_followed_to_another_server() {
    let (first, second) = (OpenLdap::equipped().await, elsewhere().await);
    let options = following(first, first.ldap_url());
    let url = format!("{}/ou=there,{BASE}??sub", second.ldap_url());
    let base = reference(&options, "refer-follow", &[url]).await;
    let connection = Connection::open(&options).await.unwrap();
    let found = connection.search(roles(&base)).await.unwrap();
    let names: Vec<&str> = found.entries.iter().map(|entry| entry.dn()).collect();
    assert_eq!((names, found.references.len()), (vec![format!("cn=far,ou=there,{BASE}").as_str()], 0));

    let kept = connection.search(roles(&base).keep_referrals()).await.unwrap();
    assert_eq!((kept.entries.len(), kept.references.len()), (0, 1));
    // The search's own base lies there.
    let found = connection.search(roles(&format!("ou=away,{base}"))).await.unwrap();
    assert_eq!(found.entries.len(), 1);
    assert!(connection.compare(&format!("ou=away,{base}"), "ou", "there").await.unwrap());
    let change = vec![Change::replace("description", ["x"])];
    let error = connection.modify(&format!("ou=away,{base}"), change).await.unwrap_err();
    let Error::Referral { source, .. } = &error else { panic!("{error:?}") };
    let code = source.result().unwrap().code;
    assert!(
        [ResultCode::STRONGER_AUTH_REQUIRED, ResultCode::INSUFFICIENT_ACCESS_RIGHTS].contains(&code),
        "{error:?}"
    );
    assert!(second.log_lines("BIND dn=\"cn=admin").is_empty(), "nobody's password went there");
}

#[tokio::test]
async fn openldap_a_host_that_is_not_named_is_told_and_not_asked() {
    let first = OpenLdap::equipped().await;
    let options = following(first, first.ldap_url());
    let url = format!("ldap://elsewhere.invalid/ou=there,{BASE}??sub");
    let base = reference(&options, "refer-host", std::slice::from_ref(&url)).await;
    let connection = Connection::open(&options).await.unwrap();
    assert_eq!(connection.search(roles(&base)).await.unwrap().references, [[url.clone()]]);
    let error = connection.delete(&format!("ou=away,{base}")).await.unwrap_err();
    assert_eq!(error.result().unwrap().code, ResultCode::REFERRAL);
}

#[tokio::test]
async fn openldap_a_server_whose_tls_is_not_trusted_is_refused_when_the_first_had_tls() {
    let (first, second) = (OpenLdap::equipped().await, elsewhere().await);
    let url = format!("{}/ou=there,{BASE}??sub", second.ldap_url());
    let options = following(first, first.ldaps_url());
    let base = reference(&options, "refer-tls", &[url]).await;
    for options in [options, following(first, first.ldap_url()).start_tls(true)] {
        let connection = Connection::open(&options).await.unwrap();
        let error = connection.search(roles(&base)).await.unwrap_err();
        let Error::Referral { source, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(**source, Error::Tls { .. }), "{source:?}");
    }
    assert!(second.log_lines("SRCH base=\"ou=there").is_empty());
}

#[tokio::test]
async fn openldap_a_reference_to_the_server_itself_is_followed_once_and_encrypted() {
    let first = OpenLdap::equipped().await;
    let options = following(first, first.ldaps_url());
    let base = format!("ou=refer-self,{BASE}");
    let urls = [format!("{}/{base}??sub", first.ldap_url())];
    let base = reference(&options, "refer-self", &urls).await;
    let connection = Connection::open(&options).await.unwrap();
    // It leads back to the search's own base, on another port: nobody is bound there, and may see nothing.
    let error = connection.search(Search::below(&base)).await.unwrap_err();
    let Error::Referral { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.result().unwrap().code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
}

#[tokio::test]
async fn samba_the_root_refers_to_its_other_naming_contexts() {
    let server = Samba::shared().await;
    let password = Password::new(samba::ADMINISTRATOR_PASSWORD).unwrap();
    let options =
        Options::new([server.ldap_url()]).unwrap().bind(Simple::new(samba::ADMINISTRATOR, password));
    let search = Search::below("DC=example,DC=com").matching(Filter::equal("objectClass", "domainDNS"));
    let connection = Connection::open(&options).await.unwrap();
    let found = connection.search(&search).await.unwrap();
    assert!(
        found.references.iter().flatten().any(|url| url.contains("CN=Configuration")),
        "{:?}",
        found.references
    );
    let others = options.referrals(Referrals::follow(["other.example.com"]));
    let connection = Connection::open(&others).await.unwrap();
    assert_eq!(connection.search(&search).await.unwrap().references, found.references);
}
