//! Trust and client certificates out of PEM, DER, PKCS#7 and PKCS#12 files

use std::path::{Path, PathBuf};

use ldapgate_client::{Connection, Error, Options};
use testkit::equipped::Equipped;
use testkit::openldap::OpenLdap;
use testkit::process;
use tls::{ClientSettings, Format, HandshakeFault, Identity};

fn openssl(arguments: &[&str]) {
    let done = process::run("openssl", "openssl", arguments, "");
    assert_eq!(done.status, 0, "{}", done.stderr);
}

/// The server's authority in every form, made by OpenSSL.
fn forms(ca: &Path, folder: &Path) -> Vec<(Format, PathBuf)> {
    let text = |path: &Path| path.display().to_string();
    let at = |name: &str| folder.join(name);
    openssl(&["x509", "-in", &text(ca), "-outform", "DER", "-out", &text(&at("ca.der"))]);
    for form in ["PEM", "DER"] {
        let out = text(&at(&format!("{form}.p7b")));
        openssl(&["crl2pkcs7", "-nocrl", "-certfile", &text(ca), "-outform", form, "-out", &out]);
    }
    let mut forms = vec![
        (Format::Pem, ca.to_owned()),
        (Format::Der, at("ca.der")),
        (Format::Pkcs7, at("PEM.p7b")),
        (Format::Pkcs7, at("DER.p7b")),
    ];
    if cfg!(feature = "pkcs12") {
        let out = text(&at("ca.pfx"));
        openssl(&["pkcs12", "-export", "-nokeys", "-in", &text(ca), "-passout", "pass:", "-out", &out]);
        forms.push((Format::Pkcs12, at("ca.pfx")));
    }
    forms
}

fn trusting(ca: &Path) -> ClientSettings {
    ClientSettings { ca_files: vec![ca.to_owned()], system_roots: false, ..ClientSettings::default() }
}

#[tokio::test]
async fn openldap_is_proved_by_an_authority_in_any_form() {
    let server = OpenLdap::equipped().await;
    let folder = tempfile::tempdir().unwrap();
    for (format, path) in forms(&server.ca_file(), folder.path()) {
        let tls = trusting(&path).load().unwrap();
        assert_eq!(tls.files()[0].format, format);
        for (url, start_tls) in [(server.ldaps_url(), false), (server.ldap_url(), true)] {
            let options = Options::new([url]).unwrap().start_tls(start_tls).tls(tls.clone());
            let connection = Connection::open(&options).await.unwrap();
            assert!(connection.is_encrypted());
            assert!(connection.read("", &["namingContexts"]).await.unwrap().is_some(), "{format}");
        }
    }
}

#[tokio::test]
async fn openldap_takes_a_client_certificate_in_any_form() {
    let server = Equipped::start().await;
    let demand =
        "dn: cn=config\nchangetype: modify\nreplace: olcTLSVerifyClient\nolcTLSVerifyClient: demand\n";
    server.configure(demand);
    let folder = tempfile::tempdir().unwrap();
    let files = server.identity("alice");
    let text = |path: &Path| path.display().to_string();
    let (bundle, archive) = (folder.path().join("alice.p7b"), folder.path().join("alice.pfx"));
    let (certificate, key) = (text(&files.certificate), text(&files.key));
    openssl(&["crl2pkcs7", "-nocrl", "-certfile", &certificate, "-out", &text(&bundle)]);
    let mut identities = vec![
        Identity { cert: files.certificate.clone(), key: files.key.clone() },
        Identity { cert: bundle, key: files.key.clone() },
    ];
    if cfg!(feature = "pkcs12") {
        let out = text(&archive);
        openssl(&[
            "pkcs12",
            "-export",
            "-in",
            &certificate,
            "-inkey",
            &key,
            "-passout",
            "pass:",
            "-out",
            &out,
        ]);
        identities.push(Identity { cert: archive.clone(), key: archive });
    }
    let anonymous = trusting(&server.ca_file()).load().unwrap();
    let anonymous = Options::new([server.ldaps_url()]).unwrap().tls(anonymous);
    let refused = async {
        let connection = Connection::open(&anonymous).await?;
        connection.read("", &["1.1"]).await
    };
    refused.await.expect_err("this server demands a certificate");
    for identity in identities {
        let shown = identity.cert.clone();
        let settings = ClientSettings { client_identity: Some(identity), ..trusting(&server.ca_file()) };
        let options = Options::new([server.ldaps_url()]).unwrap().tls(settings.load().unwrap());
        let connection = Connection::open(&options).await.unwrap();
        assert!(connection.read("", &["1.1"]).await.unwrap().is_some(), "{}", shown.display());
    }
}

#[tokio::test]
async fn openldap_under_another_name_is_met_by_the_server_name() {
    let authority = testkit::certificate::Authority::new("Example Test CA");
    let flaw = testkit::certificate::Flaw::WrongHost;
    let server = OpenLdap::start(&testkit::world::LDIF, &authority, flaw).await;
    let plain = trusting(&server.ca_file());
    let options = |tls: &ClientSettings| Options::new([server.ldaps_url()]).unwrap().tls(tls.load().unwrap());
    let error = Connection::open(&options(&plain)).await.unwrap_err();
    let Error::Tls { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.fault(), Some(HandshakeFault::WrongHost));
    assert!(source.to_string().contains("server_name = \"ldap.wrong.example\""), "{source}");
    let named = ClientSettings { server_name: Some("ldap.wrong.example".to_owned()), ..plain };
    assert!(Connection::open(&options(&named)).await.unwrap().is_encrypted());
}
