//! PKCS#7 and PKCS#12 as OpenSSL writes them, under names that say something else.

use std::path::Path;

use ldapgate_tls::{ClientTls, Error, Format, ServerSettings};

use crate::authority::{Authority, Pair, server};
use crate::files::{Folder, assert_refused, trusting};

/// An authority, one below it, and a certificate below that, as `root.pem`, `middle.pem`, `leaf.pem` and `leaf.key`; and
/// `chain.pem`, in no good order.
struct World {
    folder: Folder,
    leaf: Pair,
    root: Authority,
}

impl World {
    fn new() -> World {
        let folder = Folder::new();
        let root = Authority::new("Root");
        let middle = root.below("Middle");
        let leaf = middle.issue(&server(&["localhost"]));
        folder.write("root.pem", root.pem());
        folder.write("middle.pem", middle.pem());
        folder.write("leaf.pem", leaf.cert_pem());
        folder.write("leaf.key", leaf.key_pem());
        folder.write("chain.pem", format!("{}{}{}", root.pem(), leaf.cert_pem(), middle.pem()));
        folder.write("authorities.pem", format!("{}{}", root.pem(), middle.pem()));
        World { folder, leaf, root }
    }

    fn pkcs7(&self, certificates: &str, form: &str, out: &str) {
        let arguments = ["crl2pkcs7", "-nocrl", "-certfile", certificates, "-outform", form, "-out", out];
        self.folder.openssl(&arguments);
    }
}

fn format(tls: &ClientTls) -> (Format, usize) {
    let [file] = tls.files() else { panic!("one file was named") };
    (file.format, file.certificates)
}

fn serving(cert: &Path, key: &Path) -> Result<ldapgate_tls::ServerTls, Error> {
    ServerSettings { cert: cert.into(), key: key.into() }.load()
}

/// Does a client that trusts the root alone get the whole chain, the server's own certificate first?
async fn shakes_hands(world: &World, serving: &ldapgate_tls::ServerTls) {
    let client = ClientTls::from_pem(world.root.pem().as_bytes()).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let (near, far) = tokio::join!(client.connect("localhost", near), serving.accept(far));
    far.unwrap();
    let presented = near.unwrap();
    let presented = presented.peer_certificates_der().unwrap();
    assert_eq!(presented[0], world.leaf.certificate.der().as_ref());
}

#[test]
fn a_pkcs7_bundle_is_read_whatever_its_form_and_name() {
    let world = World::new();
    world.pkcs7("authorities.pem", "PEM", "bundle.pem");
    world.pkcs7("authorities.pem", "DER", "bundle.crt");
    let text = std::fs::read_to_string(world.folder.path("bundle.pem")).unwrap();
    world.folder.write("cms.pem", text.replace("PKCS7", "CMS"));
    world.folder.write("certutil.cer", text.replace("PKCS7", "CERTIFICATE"));
    world.folder.write("commented.p7b", format!("# from the intranet\r\n{}", text.replace('\n', "\r\n")));
    for name in ["bundle.pem", "bundle.crt", "cms.pem", "certutil.cer", "commented.p7b"] {
        let path = world.folder.path(name);
        let tls = trusting(&path).unwrap();
        assert_eq!((format(&tls), tls.trusted()), ((Format::Pkcs7, 2), 2), "{name}");
        let words = format!("trusts 2 of its files (PKCS#7 {}), TLS 1.2 or later", path.display());
        assert_eq!(tls.describe(), words);
    }
}

#[test]
fn a_pkcs7_bundle_in_indefinite_lengths_is_read() {
    let world = World::new();
    world.pkcs7("root.pem", "DER", "root.p7b");
    let der = std::fs::read(world.folder.path("root.p7b")).unwrap();
    // The four outermost elements, each of which now ends with two zero bytes: as `openssl cms -stream` writes it.
    let oid = der.windows(2).position(|pair| pair == [0x06, 0x09]).unwrap();
    let inner = der.windows(3).position(|bytes| bytes == [0x02, 0x01, 0x01]).unwrap();
    let mut ber = vec![0x30, 0x80];
    ber.extend(&der[oid..oid + 11]);
    ber.extend([0xa0, 0x80, 0x30, 0x80]);
    ber.extend(&der[inner..]);
    ber.extend([0; 6]);
    let path = world.folder.write("stream.p7b", ber);
    assert_eq!(format(&trusting(&path).unwrap()), (Format::Pkcs7, 1));
}

#[test]
fn a_pkcs7_bundle_of_nothing_or_cut_is_told() {
    let world = World::new();
    world.pkcs7("authorities.pem", "DER", "bundle.p7b");
    let whole = std::fs::read(world.folder.path("bundle.p7b")).unwrap();
    let path = world.folder.write("cut.p7b", &whole[..whole.len() - 40]);
    assert_refused(trusting(&path), &path, &["binary data"]);
    world.folder.write("nothing.pem", "");
    world.pkcs7("nothing.pem", "DER", "empty.p7b");
    let path = world.folder.path("empty.p7b");
    assert_refused(trusting(&path), &path, &["is a PKCS#7 bundle (.p7b) without a certificate"]);
    let key = world.folder.path("bundle.p7b");
    assert_refused(serving(&world.folder.path("leaf.pem"), &key), &key, &["PKCS#7", "not a private key"]);
}

#[tokio::test]
async fn a_server_presents_a_pkcs7_bundle_in_the_chains_order() {
    let world = World::new();
    world.pkcs7("chain.pem", "DER", "chain.p7b");
    let (cert, key) = (world.folder.path("chain.p7b"), world.folder.path("leaf.key"));
    shakes_hands(&world, &serving(&cert, &key).unwrap()).await;
}

#[cfg(not(feature = "pkcs12"))]
#[test]
fn without_its_feature_a_pkcs12_archive_is_told_with_the_command_that_converts_it() {
    let world = World::new();
    let arguments =
        ["pkcs12", "-export", "-nokeys", "-in", "authorities.pem", "-passout", "pass:", "-out", "ca.pfx"];
    world.folder.openssl(&arguments);
    let path = world.folder.path("ca.pfx");
    let parts =
        ["is a PKCS#12 archive", "without the feature pkcs12", "openssl pkcs12 -in", "-cacerts -nokeys"];
    assert_refused(trusting(&path), &path, &parts);
}

#[cfg(feature = "pkcs12")]
mod pkcs12 {
    use ldapgate_tls::{ClientSettings, Identity};

    use super::*;

    impl World {
        fn pkcs12(&self, contents: &[&str], password: &str, more: &[&str], out: &str) -> std::path::PathBuf {
            let password = format!("pass:{password}");
            let mut arguments = vec!["pkcs12", "-export", "-passout", &password, "-out", out];
            arguments.extend(contents);
            arguments.extend(more);
            self.folder.openssl(&arguments);
            self.folder.path(out)
        }
    }

    const AUTHORITIES: &[&str] = &["-nokeys", "-in", "authorities.pem"];
    const EVERYTHING: &[&str] = &["-inkey", "leaf.key", "-in", "leaf.pem", "-certfile", "authorities.pem"];

    #[test]
    fn a_trust_store_without_a_password_is_read_whoever_wrote_it() {
        let world = World::new();
        for (more, written) in [
            (&[][..], "OpenSSL 3"),
            (&["-legacy"], "OpenSSL 1, RC2 and SHA-1"),
            (&["-legacy", "-descert"], "Windows, 3DES and SHA-1"),
            (&["-macalg", "sha512"], "SHA-512"),
            (&["-nomac"], "Java's own, without MAC"),
            (&["-certpbe", "NONE", "-keypbe", "NONE", "-nomac"], "in clear"),
        ] {
            let path = world.pkcs12(AUTHORITIES, "", more, "ca.crt");
            let tls = trusting(&path).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!((format(&tls), tls.trusted()), ((Format::Pkcs12, 2), 2), "{written}");
        }
    }

    #[test]
    fn a_password_is_told_with_the_command_that_removes_it() {
        let world = World::new();
        for more in [&[][..], &["-legacy"], &["-nomac", "-certpbe", "AES-256-CBC"]] {
            let path = world.pkcs12(AUTHORITIES, "secret", more, "ca.pfx");
            let parts = ["that a password protects", "openssl pkcs12 -in", "-cacerts -nokeys -out ca.pem"];
            assert_refused(trusting(&path), &path, &parts);
        }
    }

    #[test]
    fn a_servers_own_archive_is_trusted_for_its_authorities_alone() {
        let world = World::new();
        let path = world.pkcs12(EVERYTHING, "", &[], "all.pfx");
        assert_eq!(trusting(&path).unwrap().trusted(), 2);
        let path = world.pkcs12(&["-inkey", "leaf.key", "-in", "leaf.pem"], "", &[], "own.pfx");
        let parts = ["with a private key and no authority's certificate", "keep that archive secret"];
        assert_refused(trusting(&path), &path, &parts);
    }

    #[test]
    fn an_archive_cut_or_changed_is_refused() {
        let world = World::new();
        let whole = std::fs::read(world.pkcs12(AUTHORITIES, "", &[], "ca.pfx")).unwrap();
        let path = world.folder.write("cut.pfx", &whole[..whole.len() - 9]);
        assert!(trusting(&path).is_err());
        let mut changed = whole;
        changed[300] ^= 1;
        let path = world.folder.write("changed.pfx", changed);
        assert_refused(trusting(&path), &path, &["PKCS#12"]);
    }

    #[tokio::test]
    async fn a_server_presents_an_archive_in_the_chains_order() {
        let world = World::new();
        for more in [&[][..], &["-legacy"]] {
            let archive = world.pkcs12(EVERYTHING, "", more, "all.pfx");
            shakes_hands(&world, &serving(&archive, &archive).unwrap()).await;
        }
    }

    #[test]
    fn a_client_certificate_may_be_an_archive_too() {
        let world = World::new();
        let archive = world.pkcs12(EVERYTHING, "", &[], "me.pfx");
        let identity = Identity { cert: archive.clone(), key: archive.clone() };
        let settings = ClientSettings { client_identity: Some(identity), ..ClientSettings::default() };
        let told = settings.load().unwrap().describe();
        assert!(told.contains(&format!("presents {}", archive.display())), "{told}");
        let locked = world.pkcs12(EVERYTHING, "secret", &[], "locked.pfx");
        let error = serving(&world.folder.path("leaf.pem"), &locked);
        assert_refused(error, &locked, &["that a password protects", "-nocerts -nodes -out key.pem"]);
        let keyless = world.pkcs12(AUTHORITIES, "", &[], "keyless.pfx");
        let error = serving(&world.folder.path("leaf.pem"), &keyless);
        assert_refused(error, &keyless, &["without a private key"]);
    }
}
