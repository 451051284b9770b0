//! What the content of a file looks like, whatever its name says.

use crate::certificate::Parts;
use crate::der::{self, Der};
use crate::pkcs7::SIGNED_DATA;

/// Was the feature chosen?
const READS_PKCS12: bool = cfg!(feature = "pkcs12");

/// What was to be found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Certificates to trust.
    Authorities,
    /// A certificate to present, with its chain.
    Chain,
    /// A private key.
    Key,
}

impl Wanted {
    /// With its article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Wanted::Authorities if READS_PKCS12 => "a CA certificate in PEM, DER, PKCS#7 or PKCS#12",
            Wanted::Authorities => "a CA certificate in PEM, DER or PKCS#7",
            Wanted::Chain if READS_PKCS12 => "a certificate in PEM, DER, PKCS#7 or PKCS#12",
            Wanted::Chain => "a certificate in PEM, DER or PKCS#7",
            Wanted::Key if READS_PKCS12 => "a private key in PEM, DER or PKCS#12",
            Wanted::Key => "a private key in PEM or DER",
        }
    }
}

/// What a content looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looks {
    Empty,
    Certificate,
    TrustedCertificate,
    OldCertificate,
    PrivateKey,
    EncryptedKey,
    SshKey,
    PublicKey,
    Request,
    RevocationList,
    Pkcs7,
    /// Of revocation lists alone, or of nothing.
    EmptyPkcs7,
    Pkcs12,
    #[cfg_attr(not(feature = "pkcs12"), expect(dead_code, reason = "seen inside of archives only"))]
    LockedPkcs12,
    #[cfg_attr(not(feature = "pkcs12"), expect(dead_code, reason = "seen inside of archives only"))]
    OddPkcs12,
    #[cfg_attr(not(feature = "pkcs12"), expect(dead_code, reason = "seen inside of archives only"))]
    EmptyPkcs12,
    /// A private key and its certificate.
    #[cfg_attr(not(feature = "pkcs12"), expect(dead_code, reason = "seen inside of archives only"))]
    KeyPkcs12,
    #[cfg_attr(not(feature = "pkcs12"), expect(dead_code, reason = "seen inside of archives only"))]
    KeylessPkcs12,
    JavaKeyStore,
    OtherPem,
    IndentedPem,
    BareBase64,
    WideText,
    WebPage,
    Text,
    Binary,
}

impl Looks {
    /// Judges a whole file.
    pub(crate) fn of(content: &[u8]) -> Looks {
        if content.iter().all(u8::is_ascii_whitespace) {
            return Looks::Empty;
        }
        if content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]) {
            return Looks::WideText;
        }
        if content.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
            return Looks::JavaKeyStore;
        }
        match std::str::from_utf8(content) {
            Ok(text) if !text.contains('\0') => Looks::of_text(text),
            _ => Looks::of_der(content),
        }
    }

    fn of_text(text: &str) -> Looks {
        if let Some(label) = labels(text).next() {
            return Looks::of_label(label);
        }
        if text.lines().any(|line| line.trim_start().starts_with("-----BEGIN ")) {
            return Looks::IndentedPem;
        }
        let start: String = text.trim_start().chars().take(200).collect::<String>().to_ascii_lowercase();
        if start.starts_with('<') && (start.contains("html") || start.contains("<?xml")) {
            return Looks::WebPage;
        }
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let body = || text.bytes().filter(|byte| !byte.is_ascii_whitespace());
        // Every DER file of more than 127 bytes starts with 30 8x, which base64 turns into "MI".
        if text.trim_start().starts_with("MI") && body().count() > 100 && body().all(base64) {
            return Looks::BareBase64;
        }
        Looks::Text
    }

    /// Judges by what stands behind `-----BEGIN `.
    pub(crate) fn of_label(label: &str) -> Looks {
        match label {
            "CERTIFICATE" => Looks::Certificate,
            "X509 CERTIFICATE" => Looks::OldCertificate,
            "TRUSTED CERTIFICATE" => Looks::TrustedCertificate,
            "ENCRYPTED PRIVATE KEY" => Looks::EncryptedKey,
            "OPENSSH PRIVATE KEY" | "SSH2 PUBLIC KEY" | "SSH2 ENCRYPTED PRIVATE KEY" => Looks::SshKey,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Looks::Request,
            "X509 CRL" => Looks::RevocationList,
            "PKCS7" | "CMS" => Looks::Pkcs7,
            "PKCS12" => Looks::Pkcs12,
            label if label.ends_with("PRIVATE KEY") => Looks::PrivateKey,
            label if label.ends_with("PUBLIC KEY") => Looks::PublicKey,
            _ => Looks::OtherPem,
        }
    }

    fn of_der(content: &[u8]) -> Looks {
        // P7B and PFX are often written with indefinite lengths, which are BER but not DER.
        if content.starts_with(&[0x30, 0x80, der::OID, 9]) && content[4..].starts_with(SIGNED_DATA) {
            return Looks::Pkcs7;
        }
        if content.starts_with(&[0x30, 0x80, der::INTEGER, 1, 3]) {
            return Looks::Pkcs12;
        }
        if Parts::read(content).is_some() {
            return Looks::Certificate;
        }
        let Some(body) = Der::new(content).enter(der::SEQUENCE) else { return Looks::Binary };
        let (mut first, mut second) = (body, body);
        let (Some(first_element), Some(_), Some(second_element)) =
            (first.next(), second.next(), second.next())
        else {
            return Looks::Binary;
        };
        match (first_element.0, second_element.0) {
            (der::OID, _) if first_element.1 == SIGNED_DATA => Looks::Pkcs7,
            (der::INTEGER, der::SEQUENCE) if first_element.1 == [3] => Looks::Pkcs12,
            // PKCS#8, SEC 1 and PKCS#1.
            (der::INTEGER, der::SEQUENCE | der::OCTET_STRING | der::INTEGER) => Looks::PrivateKey,
            (der::SEQUENCE, der::OCTET_STRING) => Looks::EncryptedKey,
            (der::SEQUENCE, der::BIT_STRING) => Looks::PublicKey,
            (der::SEQUENCE, der::SEQUENCE) => Looks::signed(first_element.1),
            _ => Looks::Binary,
        }
    }

    /// Something signed that is no certificate: a request has a version, a name and a key, a list has dates.
    fn signed(body: &[u8]) -> Looks {
        let mut body = Der::new(body);
        let mut tags = [0; 5];
        for tag in &mut tags {
            match body.next() {
                Some((next, _)) => *tag = next,
                None => break,
            }
        }
        const ATTRIBUTES: u8 = 0xa0;
        let date = |tag: u8| tag == der::UTC_TIME || tag == der::GENERALIZED_TIME;
        match tags {
            [der::INTEGER, der::SEQUENCE, der::SEQUENCE, 0 | ATTRIBUTES, _] => Looks::Request,
            [_, _, third, fourth, _] if date(third) || date(fourth) => Looks::RevocationList,
            _ => Looks::Binary,
        }
    }

    /// With its article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Looks::Empty => "empty",
            Looks::Certificate => "a certificate",
            Looks::TrustedCertificate => "a certificate in OpenSSL's own TRUSTED CERTIFICATE form",
            Looks::OldCertificate => "a certificate under the obsolete label X509 CERTIFICATE",
            Looks::PrivateKey => "a private key",
            Looks::EncryptedKey => "a private key that a passphrase protects",
            Looks::SshKey => "an SSH key",
            Looks::PublicKey => "a bare public key",
            Looks::Request => "a certificate request (CSR)",
            Looks::RevocationList => "a certificate revocation list (CRL)",
            Looks::Pkcs7 => "a PKCS#7 bundle (.p7b)",
            Looks::EmptyPkcs7 => "a PKCS#7 bundle (.p7b) without a certificate",
            Looks::Pkcs12 => "a PKCS#12 archive (.pfx, .p12)",
            Looks::LockedPkcs12 => "a PKCS#12 archive (.pfx, .p12) that a password protects",
            Looks::OddPkcs12 => {
                "a PKCS#12 archive (.pfx, .p12) with an encryption or MAC that is not supported"
            }
            Looks::EmptyPkcs12 => "a PKCS#12 archive (.pfx, .p12) without a certificate",
            Looks::KeyPkcs12 => {
                "a PKCS#12 archive (.pfx, .p12) with a private key and no authority's certificate"
            }
            Looks::KeylessPkcs12 => "a PKCS#12 archive (.pfx, .p12) without a private key",
            Looks::JavaKeyStore => "a Java key store (.jks)",
            Looks::OtherPem => "PEM of another kind",
            Looks::IndentedPem => "PEM with indented lines",
            Looks::BareBase64 => "base64 without its BEGIN and END lines",
            Looks::WideText => "UTF-16 text, as Windows editors save it",
            Looks::WebPage => "a web page",
            Looks::Text => "plain text",
            Looks::Binary => "binary data of no known kind",
        }
    }

    /// What to do about it.
    pub(crate) fn advice(self, file: &str, wanted: Wanted) -> String {
        let quoted = quote(file);
        match (self, wanted) {
            (Looks::Empty, _) => "was writing it interrupted? Copy it again".to_owned(),
            (Looks::Certificate, Wanted::Key) => {
                "name the file with the key that was made together with this certificate".to_owned()
            }
            (Looks::PrivateKey | Looks::EncryptedKey, Wanted::Authorities) => {
                "keep that key secret, and name the file with the authority's certificate".to_owned()
            }
            (Looks::PrivateKey | Looks::EncryptedKey, Wanted::Chain) => {
                "name the file with the certificate; are certificate and key swapped?".to_owned()
            }
            (Looks::EncryptedKey, Wanted::Key) => {
                format!("remove the passphrase: openssl pkey -in {quoted} -out key.pem")
            }
            (Looks::TrustedCertificate | Looks::OldCertificate, _) => {
                format!("convert it: openssl x509 -in {quoted} -out certificate.pem")
            }
            (Looks::Request, _) => {
                "a request only asks an authority for a certificate: name the certificate that it sent back"
                    .to_owned()
            }
            (Looks::KeyPkcs12, _) => {
                "keep that archive secret, and name the file with the authority's certificate".to_owned()
            }
            (Looks::Pkcs12, _) if !READS_PKCS12 => {
                format!(
                    "this program was built without the feature pkcs12: {}",
                    convert_archive(&quoted, wanted)
                )
            }
            (Looks::Pkcs12 | Looks::LockedPkcs12 | Looks::OddPkcs12, _) => convert_archive(&quoted, wanted),
            (Looks::JavaKeyStore, _) => {
                format!(
                    "convert it: keytool -exportcert -rfc -keystore {quoted} -alias NAME > certificate.pem"
                )
            }
            (Looks::IndentedPem, _) => "remove the spaces before the lines".to_owned(),
            (Looks::BareBase64, _) => {
                let label = if wanted == Wanted::Key { "PRIVATE KEY" } else { "CERTIFICATE" };
                format!("put -----BEGIN {label}----- before it and -----END {label}----- after it")
            }
            (Looks::WideText, _) => "save it as plain text (ASCII or UTF-8)".to_owned(),
            (Looks::WebPage, _) => {
                "a download probably led to a log-in or error page: fetch the file again".to_owned()
            }
            _ => format!("name a file with {}", wanted.words()),
        }
    }
}

/// What stands behind each `-----BEGIN ` at the start of a line.
pub(crate) fn labels(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
        .filter_map(|line| line.strip_prefix("-----BEGIN ")?.trim_end().strip_suffix("-----"))
}

/// `-legacy` is not said: this program reads those, and OpenSSL tells when it needs it.
fn convert_archive(quoted: &str, wanted: Wanted) -> String {
    match wanted {
        Wanted::Authorities => {
            format!("convert it: openssl pkcs12 -in {quoted} -cacerts -nokeys -out ca.pem")
        }
        Wanted::Chain => format!("convert it: openssl pkcs12 -in {quoted} -nokeys -out certificate.pem"),
        Wanted::Key => format!("convert it: openssl pkcs12 -in {quoted} -nocerts -nodes -out key.pem"),
    }
}

/// As a shell wants it.
fn quote(file: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    match !file.is_empty() && file.chars().all(plain) {
        true => file.to_owned(),
        false => format!("'{}'", file.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_apart() {
        let base64 = format!("MIID{}\n{}==", "x".repeat(76), "y".repeat(62));
        for (content, looks) in [
            ("", Looks::Empty),
            (" \r\n\t", Looks::Empty),
            ("-----BEGIN CERTIFICATE-----\n", Looks::Certificate),
            ("subject=CN\n-----BEGIN TRUSTED CERTIFICATE-----\r\n", Looks::TrustedCertificate),
            ("-----BEGIN RSA PRIVATE KEY-----\n", Looks::PrivateKey),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", Looks::EncryptedKey),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n", Looks::SshKey),
            ("-----BEGIN PUBLIC KEY-----\n", Looks::PublicKey),
            ("-----BEGIN NEW CERTIFICATE REQUEST-----\n", Looks::Request),
            ("-----BEGIN X509 CRL-----\n", Looks::RevocationList),
            ("-----BEGIN PKCS7-----\n", Looks::Pkcs7),
            ("-----BEGIN DH PARAMETERS-----\n", Looks::OtherPem),
            ("  -----BEGIN CERTIFICATE-----\n", Looks::IndentedPem),
            (&base64, Looks::BareBase64),
            ("<!DOCTYPE html><html>", Looks::WebPage),
            ("[directory]\nurl = 'ldap://x'", Looks::Text),
        ] {
            assert_eq!(Looks::of(content.as_bytes()), looks, "{content}");
        }
    }

    #[test]
    fn binary_is_told_apart() {
        for (content, looks) in [
            (&[0xff, 0xfe, b'-', 0][..], Looks::WideText),
            (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], Looks::JavaKeyStore),
            (&[0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80], Looks::Pkcs7),
            (&[0x30, 0x80, 2, 1, 3, 0x30, 0x80], Looks::Pkcs12),
            (&[0x30, 0x05, 2, 1, 3, 0x30, 0], Looks::Pkcs12),
            (&[0x30, 0x05, 2, 1, 0, 0x30, 0], Looks::PrivateKey),
            (&[0x30, 0x04, 0x30, 0, 4, 0], Looks::EncryptedKey),
            (&[0x30, 0x04, 0x30, 0, 3, 0], Looks::PublicKey),
            (&[0, 1, 2, 3], Looks::Binary),
        ] {
            assert_eq!(Looks::of(content), looks, "{content:x?}");
        }
    }

    #[test]
    fn names_are_quoted_as_a_shell_wants_it() {
        assert_eq!(quote("/etc/ssl/ca.p7b"), "/etc/ssl/ca.p7b");
        assert_eq!(quote("it's a file"), r"'it'\''s a file'");
    }
}
