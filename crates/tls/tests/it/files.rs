//! Right files, wrong files, damaged files.

use std::path::{Path, PathBuf};
use std::process::Command;

use ldapgate_tls::{ClientSettings, ClientTls, Error, ServerSettings, ServerTls};
use tempfile::TempDir;

use crate::authority::{Authority, Pair, server};

/// A folder with files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs `openssl` in the folder.
    pub(crate) fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("the package openssl is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

pub(crate) fn trusting(path: &Path) -> Result<ClientTls, Error> {
    ClientSettings { ca_files: vec![path.to_owned()], system_roots: false, ..ClientSettings::default() }
        .load()
}

/// The error's text, which must name the file and hold these parts.
pub(crate) fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, Error>, path: &Path, parts: &[&str]) {
    let text = outcome.expect_err("the file must be refused").to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

#[test]
fn pem_bundles_and_der_are_told_apart_by_content() {
    let folder = Folder::new();
    let (one, two) = (Authority::new("One"), Authority::new("Two"));
    let bundle = format!("# comment\r\nsubject=One\r\n{}\n{}", one.pem().replace('\n', "\r\n"), two.pem());
    assert_eq!(trusting(&folder.write("bundle.der", &bundle)).unwrap().trusted(), 2);
    assert_eq!(trusting(&folder.write("marked.pem", format!("\u{feff}{}", one.pem()))).unwrap().trusted(), 1);
    let path = folder.write("ca.pem", one.der());
    let der = trusting(&path).unwrap();
    assert_eq!(der.describe(), format!("trusts 1 of its files (DER {}), TLS 1.2 or later", path.display()));
}

#[test]
fn what_is_no_certificate_is_told_by_what_it_looks_like() {
    let folder = Folder::new();
    let pair = Pair::self_signed(&server(&["localhost"]));
    let request = server(&["localhost"]).serialize_request(&pair.key).unwrap();
    let key_der = pair.key.serialize_der();
    for (name, content, parts) in [
        ("key.pem", pair.key_pem().into_bytes(), &["is a private key", "secret"][..]),
        ("key.der", key_der, &["is a private key"]),
        ("csr.pem", request.pem().unwrap().into_bytes(), &["certificate request", "sent back"]),
        ("csr.der", request.der().to_vec(), &["certificate request"]),
        ("empty.pem", Vec::new(), &["is empty"]),
        ("notes.txt", b"the CA is on the share\n".to_vec(), &["is plain text", "CA certificate"]),
        ("ca.html", b"<!DOCTYPE html><html>".to_vec(), &["web page"]),
        ("noise", vec![0, 159, 146, 150], &["binary data"]),
        (
            "indented.pem",
            pair.cert_pem().replace("-----BEGIN", " -----BEGIN").into_bytes(),
            &["indented", "spaces"],
        ),
        ("ssh", b"-----BEGIN OPENSSH PRIVATE KEY-----\n".to_vec(), &["an SSH key"]),
    ] {
        let path = folder.write(name, content);
        assert_refused(trusting(&path), &path, parts);
    }
}

#[test]
fn what_openssl_writes_besides_is_told_with_the_command_that_converts_it() {
    let folder = Folder::new();
    let pair = Pair::self_signed(&server(&["localhost"]));
    folder.write("cert.pem", pair.cert_pem());
    folder.write("key.pem", pair.key_pem());
    folder.openssl(&["x509", "-in", "cert.pem", "-trustout", "-out", "trusted.pem"]);
    folder.openssl(&["pkey", "-in", "key.pem", "-aes256", "-passout", "pass:x", "-out", "locked.pem"]);
    folder.openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
    folder.openssl(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "public.der"]);
    for (name, parts) in [
        ("trusted.pem", &["TRUSTED CERTIFICATE", "openssl x509 -in"][..]),
        ("locked.pem", &["passphrase", "secret"]),
        ("public.pem", &["bare public key"]),
        ("public.der", &["bare public key"]),
    ] {
        let path = folder.path(name);
        assert_refused(trusting(&path), &path, parts);
    }
}

#[test]
fn the_commands_that_are_advised_work() {
    let folder = Folder::new();
    let authority = Authority::new("Example CA");
    folder.write("cert.pem", authority.pem());
    folder.openssl(&["x509", "-in", "cert.pem", "-trustout", "-out", "trusted.pem"]);
    folder.write("old.pem", authority.pem().replace(" CERTIFICATE-", " X509 CERTIFICATE-"));
    for name in ["trusted.pem", "old.pem"] {
        let text = trusting(&folder.path(name)).unwrap_err().to_string();
        let command = text.split_once("convert it: openssl ").unwrap().1;
        let command = command.split(' ').collect::<Vec<_>>();
        folder.openssl(&command);
        let converted = folder.path(command.last().unwrap());
        assert_eq!(trusting(&converted).unwrap().trusted(), 1, "{name}");
        std::fs::remove_file(converted).unwrap();
    }
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let folder = Folder::new();
    let missing = folder.path("missing.pem");
    assert_refused(trusting(&missing), &missing, &["there is no such file"]);
    let here = folder.0.path();
    assert_refused(trusting(here), here, &["it is a folder"]);
}

#[test]
fn damaged_certificates_are_counted() {
    let folder = Folder::new();
    let (one, two) = (Authority::new("One").pem(), Authority::new("Two").pem());
    let cut = &two[..two.len() / 2];
    let odd = two.replacen("MII", "!!!", 1);
    let hollow = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    for (name, second, problem) in [
        ("cut.pem", cut, "END line"),
        ("odd.pem", &odd, "not base64"),
        ("hollow.pem", hollow, "no certificate"),
    ] {
        let path = folder.write(name, format!("{one}{second}"));
        assert_refused(trusting(&path), &path, &["certificate 2 is damaged", problem]);
    }
}

#[test]
fn keys_of_every_form_are_read() {
    let folder = Folder::new();
    for algorithm in ["ec", "rsa"] {
        let option = if algorithm == "ec" { "ec_paramgen_curve:P-256" } else { "rsa_keygen_bits:2048" };
        folder.openssl(&["genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", "pkcs8.pem"]);
        folder.openssl(&["req", "-x509", "-key", "pkcs8.pem", "-subj", "/CN=x", "-out", "cert.pem"]);
        folder.openssl(&["x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der"]);
        folder.openssl(&[
            "pkcs8",
            "-topk8",
            "-nocrypt",
            "-in",
            "pkcs8.pem",
            "-outform",
            "DER",
            "-out",
            "pkcs8.der",
        ]);
        folder.openssl(&[algorithm, "-in", "pkcs8.pem", "-out", "old.pem"]);
        folder.openssl(&[algorithm, "-in", "pkcs8.pem", "-outform", "DER", "-out", "old.der"]);
        for key in ["pkcs8.pem", "pkcs8.der", "old.pem", "old.der"] {
            for cert in ["cert.pem", "cert.der"] {
                let settings = ServerSettings { cert: folder.path(cert), key: folder.path(key) };
                let loaded = settings.load();
                assert!(loaded.is_ok(), "{algorithm} {key} {cert}: {}", loaded.unwrap_err());
            }
        }
    }
}

#[test]
fn wrong_keys_are_told() {
    let folder = Folder::new();
    let pair = Pair::self_signed(&server(&["localhost"]));
    let other = Pair::self_signed(&server(&["localhost"]));
    let cert = folder.write("cert.pem", pair.cert_pem());
    let key = folder.write("key.pem", pair.key_pem());
    let stranger = folder.write("other.pem", other.key_pem());
    folder.openssl(&["pkey", "-in", "key.pem", "-aes256", "-passout", "pass:x", "-out", "locked.pem"]);
    folder.openssl(&["ec", "-in", "key.pem", "-aes256", "-passout", "pass:x", "-out", "locked-old.pem"]);
    let load = |cert: &Path, key: &Path| ServerSettings { cert: cert.into(), key: key.into() }.load();
    assert_refused(load(&cert, &stranger), &stranger, &["does not belong", "cert.pem"]);
    assert_refused(load(&cert, &cert), &cert, &["is a certificate, not a private key"]);
    assert_refused(load(&key, &key), &key, &["is a private key, not a certificate", "swapped"]);
    for locked in ["locked.pem", "locked-old.pem"] {
        let locked = folder.path(locked);
        assert_refused(load(&cert, &locked), &locked, &["passphrase", "openssl pkey -in"]);
    }
    assert!(load(&cert, &key).is_ok());
}

#[test]
fn texts_in_memory_are_named_too() {
    let error = ServerTls::from_pem(b"", b"").unwrap_err().to_string();
    assert!(error.starts_with("the certificate is empty"), "{error}");
    let error = ClientTls::from_pem(b"hello").unwrap_err().to_string();
    assert!(error.starts_with("the CA certificate is plain text"), "{error}");
}

#[test]
fn a_server_name_that_cannot_be_one_is_refused_at_once() {
    let settings = ClientSettings { server_name: Some("not a name".to_owned()), ..ClientSettings::default() };
    assert!(matches!(settings.load(), Err(Error::HostName { .. })));
}
