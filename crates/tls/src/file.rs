//! Certificates and keys out of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::pem::{Error as PemError, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::Error;
use crate::certificate::Parts;
use crate::looks::{Looks, Wanted, labels};

/// The largest file that is read, in bytes; the bundles of operating systems have a quarter of a megabyte.
const MAX_FILE: u64 = 16 << 20;

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

    /// All certificates, at least one.
    pub(crate) fn certificates(&self, wanted: Wanted) -> Result<Vec<CertificateDer<'static>>, Error> {
        let content = self.without_mark();
        let Some(text) = pem_text(content) else {
            return match Looks::of(content) {
                Looks::Certificate => Ok(vec![CertificateDer::from(content.to_vec())]),
                looks => Err(self.wrong(looks, wanted)),
            };
        };
        // The reader silently leaves out what it does not know, so what it found is counted.
        let mut expected = 0;
        for label in labels(text) {
            match label {
                "CERTIFICATE" => expected += 1,
                "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => {
                    return Err(self.wrong(Looks::of_label(label), wanted));
                }
                _ => {}
            }
        }
        if expected == 0 {
            return Err(self.wrong(Looks::of(content), wanted));
        }
        let mut found = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(content) {
            let part = || format!("certificate {}", found.len() + 1);
            let (kind, bytes) = section.map_err(|error| self.damaged(part(), pem_problem(&error)))?;
            if kind != SectionKind::Certificate {
                continue;
            }
            if Parts::read(&bytes).is_none() {
                return Err(self.damaged(part(), "its content is no certificate".to_owned()));
            }
            found.push(CertificateDer::from(bytes));
        }
        if found.len() < expected {
            let part = format!("certificate {}", found.len() + 1);
            return Err(self.damaged(part, "its END line is missing".to_owned()));
        }
        Ok(found)
    }

    /// The first private key.
    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        let content = self.without_mark();
        let Some(text) = pem_text(content) else {
            return match Looks::of(content) {
                Looks::PrivateKey => PrivateKeyDer::try_from(content.to_vec())
                    .map_err(|problem| self.damaged("the private key".to_owned(), problem.to_owned())),
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

    pub(crate) fn damaged(&self, part: String, problem: String) -> Error {
        Error::Damaged { file: self.name.clone(), part, problem }
    }

    fn wrong(&self, looks: Looks, wanted: Wanted) -> Error {
        Error::WrongFile {
            file: self.name.clone(),
            looks: looks.words(),
            wanted: wanted.words(),
            advice: looks.advice(&self.name, self.without_mark(), wanted),
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

fn pem_problem(error: &PemError) -> String {
    match error {
        PemError::MissingSectionEnd { .. } => "its END line is missing".to_owned(),
        PemError::IllegalSectionStart { .. } => "its BEGIN line is cut".to_owned(),
        PemError::Base64Decode(_) => "its lines are not base64".to_owned(),
        other => other.to_string(),
    }
}
