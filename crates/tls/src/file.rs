//! Certificates and keys out of files.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::pem::{Error as PemError, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::certificate::Parts;
use crate::chain::leaf_first;
use crate::looks::{Looks, Wanted, labels};
use crate::{Error, pkcs7};

/// The largest file that is read, in bytes; the bundles of operating systems have a quarter of a megabyte.
const MAX_FILE: u64 = 16 << 20;

/// Labels of PEM under which PKCS#7 goes.
const BUNDLES: [&str; 2] = ["PKCS7", "CMS"];

/// How a file holds its certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text, with BEGIN and END lines (RFC 7468).
    Pem,
    /// One bare certificate (RFC 5280).
    Der,
    /// A bundle, `.p7b`, in PEM or binary (RFC 5652).
    Pkcs7,
    /// An archive, `.pfx` or `.p12` (RFC 7292).
    Pkcs12,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Pem => "PEM",
            Format::Der => "DER",
            Format::Pkcs7 => "PKCS#7",
            Format::Pkcs12 => "PKCS#12",
        })
    }
}

/// At least one certificate.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) format: Format,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

/// A file's content under its name. It may hold a key, so the memory is wiped.
pub(crate) struct Source {
    name: String,
    content: Zeroizing<Vec<u8>>,
}

impl Source {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Source, Error> {
        let name = path.display().to_string();
        let fail =
            |problem: &str, source| Error::Read { file: name.clone(), problem: problem.to_owned(), source };
        let system = |error: io::Error| {
            let problem = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file",
                io::ErrorKind::PermissionDenied => "this user may not read it",
                _ => "the system refuses",
            };
            fail(problem, Some(error))
        };
        let file = File::open(path).map_err(system)?;
        if file.metadata().map_err(system)?.is_dir() {
            return Err(fail("it is a folder; name the files in it", None));
        }
        let mut content = Zeroizing::new(Vec::new());
        file.take(MAX_FILE + 1).read_to_end(&mut content).map_err(system)?;
        if content.len() as u64 > MAX_FILE {
            return Err(fail("it is larger than 16 MiB, which no certificate file is", None));
        }
        Ok(Source { name, content })
    }

    /// Takes bytes that came from elsewhere; `name` is for messages.
    pub(crate) fn given(name: &str, content: &[u8]) -> Source {
        Source { name: name.to_owned(), content: Zeroizing::new(content.to_vec()) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// All certificates; for a chain, the presenter's first.
    pub(crate) fn certificates(&self, wanted: Wanted) -> Result<Found, Error> {
        let content = self.without_mark();
        if let Some(text) = pem_text(content) {
            return self.pem(text, wanted);
        }
        match Looks::of(content) {
            Looks::Certificate => {
                Ok(Found { format: Format::Der, certificates: vec![content.to_vec().into()] })
            }
            Looks::Pkcs7 => {
                let certificates = self.pkcs7(content, wanted)?;
                Ok(Found { format: Format::Pkcs7, certificates })
            }
            Looks::Pkcs12 => self.pkcs12(content, wanted),
            looks => Err(self.wrong(looks, wanted)),
        }
    }

    fn pem(&self, text: &str, wanted: Wanted) -> Result<Found, Error> {
        // The reader silently leaves out what it does not know, so what it found is counted.
        let (mut expected, mut bundles) = (0, false);
        for label in labels(text) {
            match label {
                "CERTIFICATE" => expected += 1,
                label if BUNDLES.contains(&label) => {
                    expected += 1;
                    bundles = true;
                }
                "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => {
                    return Err(self.wrong(Looks::of_label(label), wanted));
                }
                _ => {}
            }
        }
        if expected == 0 {
            return Err(self.wrong(Looks::of(text.as_bytes()), wanted));
        }
        let text = if bundles { relabelled(text) } else { Cow::Borrowed(text) };
        let (mut format, mut certificates, mut sections) = (Format::Pem, Vec::new(), 0);
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
            let part = || format!("certificate {}", sections + 1);
            let (kind, bytes) = section.map_err(|error| self.damaged(part(), pem_problem(&error)))?;
            if kind != SectionKind::Certificate {
                continue;
            }
            if Parts::read(&bytes).is_some() {
                certificates.push(CertificateDer::from(bytes));
            } else if Looks::of(&bytes) == Looks::Pkcs7 {
                // Windows' certutil writes BEGIN CERTIFICATE before anything.
                certificates.extend(self.pkcs7(&bytes, wanted)?);
                format = Format::Pkcs7;
            } else {
                return Err(self.damaged(part(), "its content is no certificate".to_owned()));
            }
            sections += 1;
        }
        if sections < expected {
            let part = format!("certificate {}", sections + 1);
            return Err(self.damaged(part, "its END line is missing".to_owned()));
        }
        Ok(Found { format, certificates })
    }

    fn pkcs7(&self, bytes: &[u8], wanted: Wanted) -> Result<Vec<CertificateDer<'static>>, Error> {
        let found =
            pkcs7::certificates(bytes).map_err(|(part, problem)| self.damaged(part, problem.to_owned()))?;
        if found.is_empty() {
            return Err(self.wrong(Looks::EmptyPkcs7, wanted));
        }
        let set = found.into_iter().map(|der| CertificateDer::from(der.to_vec())).collect();
        Ok(if wanted == Wanted::Chain { leaf_first(set, None) } else { set })
    }

    #[cfg(not(feature = "pkcs12"))]
    fn pkcs12(&self, _bytes: &[u8], wanted: Wanted) -> Result<Found, Error> {
        Err(self.wrong(Looks::Pkcs12, wanted))
    }

    #[cfg(feature = "pkcs12")]
    fn pkcs12(&self, bytes: &[u8], wanted: Wanted) -> Result<Found, Error> {
        let archive = self.archive(bytes, wanted)?;
        let key = archive.keys.first().and_then(|key| key.id.as_ref());
        let mut leaf = None;
        let mut set = Vec::new();
        for certificate in archive.certificates {
            let owned = certificate.id.is_some() && archive.keys.iter().any(|key| key.id == certificate.id);
            // As `openssl pkcs12 -cacerts` has it: the owner of the key is no authority.
            if owned && wanted == Wanted::Authorities {
                continue;
            }
            if certificate.id.is_some() && certificate.id.as_ref() == key {
                leaf = leaf.or(Some(set.len()));
            }
            set.push(CertificateDer::from(certificate.der));
        }
        if set.is_empty() {
            let looks = if archive.keys.is_empty() { Looks::EmptyPkcs12 } else { Looks::KeyPkcs12 };
            return Err(self.wrong(looks, wanted));
        }
        if !archive.has_mac {
            tracing::warn!(
                file = self.name,
                "a PKCS#12 archive without MAC: a change of it would not be noticed"
            );
        }
        let certificates = if wanted == Wanted::Chain { leaf_first(set, leaf) } else { set };
        Ok(Found { format: Format::Pkcs12, certificates })
    }

    #[cfg(feature = "pkcs12")]
    fn archive(&self, bytes: &[u8], wanted: Wanted) -> Result<crate::pkcs12::Archive, Error> {
        use crate::pkcs12::{Archive, Problem};
        Archive::read(bytes).map_err(|problem| match problem {
            Problem::Locked => self.wrong(Looks::LockedPkcs12, wanted),
            Problem::Unsupported => self.wrong(Looks::OddPkcs12, wanted),
            Problem::TooMuch => Error::Read {
                file: self.name.clone(),
                problem:
                    "this PKCS#12 archive is larger, or would take longer to read, than any that is honest"
                        .to_owned(),
                source: None,
            },
            Problem::Damaged(problem) => self.damaged("the PKCS#12 archive".to_owned(), problem),
        })
    }

    /// The first private key.
    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        let content = self.without_mark();
        let Some(text) = pem_text(content) else {
            return match Looks::of(content) {
                Looks::PrivateKey => PrivateKeyDer::try_from(content.to_vec())
                    .map_err(|problem| self.damaged("the private key".to_owned(), problem.to_owned())),
                #[cfg(feature = "pkcs12")]
                Looks::Pkcs12 => self.key_of_pkcs12(content),
                looks => Err(self.wrong(looks, Wanted::Key)),
            };
        };
        let Some(looks) = labels(text)
            .map(Looks::of_label)
            .find(|looks| matches!(looks, Looks::PrivateKey | Looks::EncryptedKey))
        else {
            return Err(self.wrong(Looks::of(content), Wanted::Key));
        };
        // "Proc-Type: 4,ENCRYPTED" is how OpenSSL's older form says it (RFC 1421).
        if looks == Looks::EncryptedKey || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(self.wrong(Looks::EncryptedKey, Wanted::Key));
        }
        PrivateKeyDer::from_pem_slice(content)
            .map_err(|error| self.damaged("the private key".to_owned(), pem_problem(&error)))
    }

    #[cfg(feature = "pkcs12")]
    fn key_of_pkcs12(&self, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
        let archive = self.archive(bytes, Wanted::Key)?;
        let Some(key) = archive.keys.first() else {
            return Err(self.wrong(Looks::KeylessPkcs12, Wanted::Key));
        };
        Ok(PrivateKeyDer::Pkcs8(key.der.to_vec().into()))
    }

    pub(crate) fn damaged(&self, part: String, problem: String) -> Error {
        Error::Damaged { file: self.name.clone(), part, problem }
    }

    fn wrong(&self, looks: Looks, wanted: Wanted) -> Error {
        Error::WrongFile {
            file: self.name.clone(),
            looks: looks.words(),
            wanted: wanted.words(),
            advice: looks.advice(&self.name, wanted),
        }
    }

    /// Without the byte order mark that some editors put before UTF-8.
    fn without_mark(&self) -> &[u8] {
        self.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.content)
    }
}

fn pem_text(content: &[u8]) -> Option<&str> {
    std::str::from_utf8(content).ok().filter(|text| labels(text).next().is_some())
}

/// The PEM reader knows a certificate's label and not a bundle's. What is in it is seen by its content.
fn relabelled(text: &str) -> Cow<'_, str> {
    let mut text = text.to_owned();
    for label in BUNDLES {
        for side in ["BEGIN", "END"] {
            text =
                text.replace(&format!("-----{side} {label}-----"), &format!("-----{side} CERTIFICATE-----"));
        }
    }
    Cow::Owned(text)
}

fn pem_problem(error: &PemError) -> String {
    match error {
        PemError::MissingSectionEnd { .. } => "its END line is missing".to_owned(),
        PemError::IllegalSectionStart { .. } => "its BEGIN line is cut".to_owned(),
        PemError::Base64Decode(_) => "its lines are not base64".to_owned(),
        other => other.to_string(),
    }
}
